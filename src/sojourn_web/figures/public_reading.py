"""What is published, asked of the statistics database for public pages, files and the API.

In: the database's address. Out: releases, FIGURES, and what may be asked for. A database without
release tables answers as one in which nothing is released. What only a release can change is kept
in memory until the next one, under the mark of all that is published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar

import polars as pl
from django.conf import settings
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from sojourn.policy import Policy, load_own_policy
from sojourn.release import published
from sojourn.release.cells import ESTIMATES
from sojourn.release.explaining import reentries_line
from sojourn.release.formats import CodeLists, Publication, build_code_lists, publication_of
from sojourn.release.picking import Wanted
from sojourn.release.published import Release
from sojourn.release.store import CELL_KEY, LAPLACE
from sojourn.release.years import months_held, say_year
from sojourn.schemas import FIGURES, Span
from sojourn_web.figures import public_words as words
from sojourn_web.figures.public_marks import holds, read_marked
from sojourn_web.figures.statistics import open_statistics

MOST_COUNTED = 10_000  # a public question may not cost a look at a million rows
ALL = "all"  # in addresses, for the total over a dimension
T = TypeVar("T")


@dataclass(frozen=True)
class Key:
    """Which figure, whatever its vintage."""

    release_table: str
    span: str
    period: date
    quantity: str
    nationality: str
    mode: str
    admission_class: str

    @property
    def parts(self) -> tuple[str, ...]:
        """As they stand in an address."""
        places = (self.nationality, self.mode, self.admission_class)
        return (
            self.release_table, self.span, self.period.isoformat(), self.quantity,
            *(p or ALL for p in places),
        )  # fmt: skip

    @property
    def order(self) -> tuple[str, ...]:
        """Its place in FIGURES' order."""
        return tuple(str(getattr(self, n)) for n in FIGURES.key if n != "vintage")

    @property
    def wanted(self) -> Wanted:
        return Wanted(**{n: getattr(self, n) for n in self.__dataclass_fields__})


class NoSuchKeyError(ValueError):
    """An address that no figure can have; the message says what was expected."""


def parse_key(parts: tuple[str, ...]) -> Key:
    """The inverse of ``Key.parts``. Raises NoSuchKeyError."""
    release_table, span, period, quantity, *places = parts
    if span not in set(Span):
        raise NoSuchKeyError(f"span: expected {', '.join(Span)}")
    day = parse_day("period", period)
    nationality, mode, admission_class = ("" if p == ALL else p for p in places)
    return Key(release_table, span, day, quantity, nationality, mode, admission_class)


def parse_day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text) if len(text) == 10 else date.fromisoformat("?")
    except ValueError:
        raise NoSuchKeyError(f"{name}: expected a day, as 2026-10-01") from None


@dataclass(frozen=True)
class Shelf:
    """What there is to ask for, as of the newest release."""

    releases: tuple[Release, ...]
    shape: tuple[tuple[str, str], ...]  # release table, span
    classes: tuple[str, ...]
    nationalities: tuple[str, ...]
    marks: Mapping[str, str] = field(default_factory=dict)  # by vintage: ``public_marks``

    @property
    def mark(self) -> str:
        """Of all that is published: what is kept in memory is kept under it."""
        return self.marks[max(self.marks)] if self.marks else ""

    @property
    def newest(self) -> Release | None:
        return self.releases[0] if self.releases else None

    @property
    def vintages(self) -> tuple[date, ...]:
        """Newest first."""
        return tuple(sorted({r.vintage for r in self.releases}, reverse=True))

    @property
    def tables(self) -> tuple[str, ...]:
        """From the fewest dimensions to the most."""
        return tuple(sorted({t for t, _ in self.shape}, key=lambda t: (t != "total", len(t), t)))

    def spans(self, release_table: str) -> tuple[str, ...]:
        here = {s for t, s in self.shape if t == release_table}
        return tuple(s.value for s in Span if s.value in here)

    def is_settled(self, vintage: date) -> bool:
        """Whether no release can add to a vintage any more. A release of noise is of days that are
        over, later than those of the one before; a cell key's is of the day it is made on."""
        return any(r.method == LAPLACE and r.vintage >= vintage for r in self.releases)

    def release_of(self, vintage: date) -> Release | None:
        return next((r for r in self.releases if r.vintage == vintage), None)


def read_shelf(url: str) -> Shelf:
    def read() -> Shelf:
        with open_statistics(url).connect() as connection:
            releases, marks = read_marked(connection)
        if not releases:
            return nothing
        return Shelf(tuple(releases), *_settled(url, marks[max(marks)]), marks)

    nothing = Shelf((), (), (), ())
    return _or_usual(read, nothing)


def read_log(url: str) -> list[Release]:
    """All releases, those too that are being made or were lost after they had spent."""
    none: list[Release] = []
    return _ask(url, lambda c: published.read_releases(c, every=True), none)


def read_figures(
    url: str, wanted: Wanted, *, as_of: date | None = None, limit: int | None = None,
    after: Key | None = None,
) -> pl.DataFrame:  # fmt: skip
    return _ask(
        url,
        lambda c: published.read_figures(
            c, wanted, as_of=as_of, limit=limit, after=after.order if after else None
        ),
        FIGURES.empty(),
    )


def count_figures(url: str, shelf: Shelf, wanted: Wanted, as_of: date) -> int | None:
    """None where there are more than MOST_COUNTED."""
    usual: int | None = 0
    return _or_usual(lambda: _count(url, shelf.mark, wanted, as_of), usual)


def read_history(url: str, key: Key) -> pl.DataFrame:
    """Every vintage of one figure, newest first."""
    return read_figures(url, key.wanted).sort("vintage", descending=True)


def say_period(url: str, key: Key, vintage: date, method: str = "", *, total: bool = False) -> str:
    """A figure's period in words; of a year that does not hold all of its months, those it does,
    of this cell or (``total``) of all cells together. A cell key's year is no sum of months."""
    if key.span != Span.YEAR or method == CELL_KEY:
        return words.period_of(key.span, key.period)
    year, none = key.wanted, tuple[date, ...]()
    if total and key.release_table != ESTIMATES:
        year = replace(year, release_table="total", nationality="", mode="", admission_class="")
    held = _ask(url, lambda c: months_held(c, year, vintage), none)
    return say_year(key.period.year, held)


def say_reentries(url: str, figure: dict[str, Any]) -> str:
    """What was published of re-entries, where a figure is estimated from them; '' elsewhere."""
    if figure["release_table"] != ESTIMATES:
        return ""
    return reentries_line(open_statistics(url), figure)


def find_figure(url: str, key: Key, vintage: date, mark: str) -> dict[str, Any] | None:
    """One figure at one vintage, days as ISO text; None too where it is not of that mark."""

    def find(connection: Connection) -> dict[str, Any] | None:
        found = published.find_figure(connection, asked)
        return found if found is not None and holds(connection, mark) else None

    asked = {
        "release_table": key.release_table, "span": key.span, "period": key.period.isoformat(),
        "nationality": key.nationality, "mode": key.mode,
        "admission_class": key.admission_class, "quantity": key.quantity,
        "vintage": vintage.isoformat(),
    }  # fmt: skip
    none: dict[str, Any] | None = None
    return _ask(url, find, none)


def read_periods(url: str, shelf: Shelf, release_table: str, span: str) -> tuple[date, ...]:
    """Newest first."""
    return _or_usual(lambda: _periods(url, shelf.mark, release_table, span), ())


def read_noise(url: str, shelf: Shelf) -> list[tuple[str, str, float, float, int]]:
    """Of the newest vintage."""
    newest = shelf.newest
    if newest is None:
        return []
    none: tuple[tuple[str, str, float, float, int], ...] = ()
    return list(_or_usual(lambda: _noise(url, shelf.mark, newest.vintage), none))


def code_lists(shelf: Shelf) -> CodeLists:
    return build_code_lists(shelf.tables, shelf.classes)


@lru_cache(maxsize=1)
def office_policy() -> Policy:
    """The office's own, or the one that ships."""
    return load_own_policy(settings.HOME)


def publication(address: str = "") -> Publication:
    policy = office_policy()
    return publication_of(policy.read.reporting_country, address=address, policy=policy.release)


# -- kept in memory: a question that fails is not, it is asked again ------------------------------


class _ReplacedError(Exception):
    """What was answered is not of the mark that it would be kept under."""


@lru_cache(maxsize=8)
def _settled(
    url: str, mark: str
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], tuple[str, ...]]:
    """Shape, classes, nationalities. Asked once for each release: only a release changes them."""

    def read(connection: Connection) -> tuple[list[tuple[str, str]], list[str], list[str]]:
        return (
            published.read_shape(connection), published.read_codes(connection, "admission_class"),
            published.read_codes(connection, "nationality"),
        )  # fmt: skip

    shape, classes, nations = _ask_marked(url, mark, read)
    return tuple(shape), tuple(classes), tuple(nations)


@lru_cache(maxsize=4)
def _noise(url: str, mark: str, vintage: date) -> tuple[tuple[str, str, float, float, int], ...]:
    return tuple(_ask_marked(url, mark, lambda c: published.read_noise(c, vintage)))


@lru_cache(maxsize=1024)
def _count(url: str, mark: str, wanted: Wanted, as_of: date) -> int | None:
    return _ask_marked(
        url, mark, lambda c: published.count_figures(c, wanted, as_of=as_of, most=MOST_COUNTED)
    )


@lru_cache(maxsize=64)
def _periods(url: str, mark: str, release_table: str, span: str) -> tuple[date, ...]:
    return tuple(_ask_marked(url, mark, lambda c: published.read_periods(c, release_table, span)))


def _ask_marked(url: str, mark: str, question: Callable[[Connection], T]) -> T:
    """Raises DBAPIError or _ReplacedError: only an answer is kept."""
    with open_statistics(url).connect() as connection:
        found = question(connection)
        if not holds(connection, mark):
            raise _ReplacedError
        return found


def _or_usual(question: Callable[[], T], usual: T) -> T:
    try:
        return question()
    except (DBAPIError, _ReplacedError):
        return usual  # no ledger, one that has released nothing, or one that was just replaced


def _ask(url: str, question: Callable[[Connection], T], usual: T) -> T:
    def ask() -> T:
        with open_statistics(url).connect() as connection:
            return question(connection)

    return _or_usual(ask, usual)
