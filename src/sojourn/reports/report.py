"""What a report is: blocks of rows with one cell per column, and what they mean.

In: nothing. Out: frozen dataclasses. Builders (``us``, ``uk``, ``monthly``) make a ``Report``,
``checking`` looks for what cannot be right in it, ``as_html``, ``as_pdf`` and ``as_csv`` print it.

Shares are held in percent, 0 to 100. A row is a country, a class or a month, never a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Whom a report is for."""

    PUBLIC = "public"  # from released figures
    STEWARD = "steward"  # from confidential cells of 10 and more; for the steward alone


class Shape(StrEnum):
    """Whose table it looks like."""

    US = "us"
    UK = "uk"
    MONTHLY = "monthly"


class Unit(StrEnum):
    STAYS = "stays"
    CROSSINGS = "crossings"
    PERCENT = "%"
    POINTS = "percentage points"
    DAYS = "days"


class Status(StrEnum):
    """Why a number is there or is not."""

    SHOWN = "shown"
    HIDDEN = "hidden"  # a small cell
    GUARDING = "guarding"  # hidden, for with it a small cell could be worked out
    CANNOT = "cannot"  # the estimate could not be made; ``why`` says so
    ABSENT = "absent"  # the table it is read from does not hold it


class Level(StrEnum):
    PART = "part"
    TOTAL = "total"


NUMBERS = (
    "value", "lower", "upper", "later_lower", "later_upper", "bound_lower", "bound_upper",
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One number: 95% confidence interval, 95% prediction interval, bounds; null where unknown."""

    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    later_lower: float | None = None
    later_upper: float | None = None
    bound_lower: float | None = None
    bound_upper: float | None = None
    status: Status = Status.SHOWN
    why: str = ""

    def each(self, change: Callable[[float], float]) -> Cell:
        """The same cell with every number changed."""
        made: dict[str, Any] = {
            n: None if (held := getattr(self, n)) is None else change(held) for n in NUMBERS
        }
        return replace(self, **made)

    @property
    def slack(self) -> float:
        """Half of the interval's width, 0 without one: how far the value may be off."""
        if self.value is None or self.lower is None or self.upper is None:
            return 0.0
        return max(self.upper - self.value, self.value - self.lower, 0.0)


@dataclass(frozen=True)
class Head:
    """A column. ``office_term``: how the office whose table it is calls it, for quoting."""

    key: str
    label: str
    unit: Unit
    group: str = ""
    office_term: str = ""
    additive: bool = False  # rows sum to the total
    drawn: bool = False  # its interval is drawn as a bar
    mark: str = ""  # the column whose value is marked on the bar
    signed: bool = False  # a revision: below zero is as likely as above


@dataclass(frozen=True)
class Row:
    key: str
    label: str
    cells: tuple[Cell, ...]  # in the order of the report's heads
    level: Level = Level.PART


@dataclass(frozen=True)
class Block:
    key: str
    title: str
    row_head: str
    rows: tuple[Row, ...]
    total: Row | None = None

    @property
    def all_rows(self) -> tuple[Row, ...]:
        return self.rows if self.total is None else (*self.rows, self.total)


@dataclass(frozen=True)
class Sum:
    """A rule: in every row, the parts sum to the whole."""

    whole: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Ratio:
    """A rule: the share is of these parts and this whole, or up to with ``and_up_to`` besides."""

    share: str
    parts: tuple[str, ...]
    whole: str
    and_up_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Definition:
    term: str
    meaning: str
    source: str = ""


@dataclass(frozen=True)
class Finding:
    """What a check found: which rule, where, and in words what does not fit."""

    rule: str
    where: str
    what: str


@dataclass(frozen=True)
class Report:
    shape: Shape
    kind: Kind
    title: str
    subtitle: str
    period: str  # in words
    known_at: date  # the last recorded day that is in it: its vintage
    policy_digest: str
    heads: tuple[Head, ...]
    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()
    definitions: tuple[Definition, ...] = ()
    sums: tuple[Sum, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    smallest: int = 10  # cells under it are hidden; not for released figures
    compared_with: date | None = None  # the vintage before
    findings: tuple[Finding, ...] = ()
    synthetic: bool = False  # invented people only
    until: date | None = None  # up to which day a period is told that is not told whole
    at: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", {head.key: i for i, head in enumerate(self.heads)})

    def cell(self, row: Row, key: str) -> Cell:
        return row.cells[self.at[key]]
