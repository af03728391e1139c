"""The fixed cells of a released table: every combination of its code lists, present or not.

In: the policy and the code lists. Out: ``ReleaseTable``s whose cells have an order that never
depends on what happened, so that no cell tells by being there. Raises PrivacyError for a cell
outside the lists, naming the column and never the value.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import polars as pl

from sojourn.errors import PrivacyError
from sojourn.policy import RELEASE_DIMENSIONS, ReleasePolicy
from sojourn.vocabulary import Mode, Span

ALL = ""
UNKNOWN = "unknown"
OTHER = "other"
REENTRIES, ESTIMATES = "reentries", "estimates"  # tables that are no policy's


@dataclass(frozen=True)
class CodeLists:
    """What a cell may be: the words of each dimension, in their published order."""

    nationality: tuple[str, ...]
    mode: tuple[str, ...]
    admission_class: tuple[str, ...]

    @classmethod
    def build(cls, known: tuple[str, ...], policy: ReleasePolicy) -> CodeLists:
        """From the policy's nationalities (all ``known`` where it names none) and classes."""
        nationalities = set(policy.nationalities or known) - {OTHER, UNKNOWN}
        return cls(
            (*sorted(nationalities), OTHER, UNKNOWN),
            tuple(m.value for m in Mode),
            (*policy.admission_classes, OTHER, UNKNOWN),
        )

    def of(self, dimension: str) -> tuple[str, ...]:
        found: tuple[str, ...] = getattr(self, dimension)
        return found


def text_of(cells: pl.DataFrame) -> str:
    """Cells in their order, one a line: how they are kept."""
    return "\n".join("\t".join(row) for row in cells.select(RELEASE_DIMENSIONS).iter_rows())


def frame_of(text: str) -> pl.DataFrame:
    """The inverse of ``text_of``."""
    rows = [tuple(line.split("\t")) for line in text.split("\n")]
    return pl.DataFrame(rows, schema=dict.fromkeys(RELEASE_DIMENSIONS, pl.String), orient="row")


def digest_of(cells: pl.DataFrame) -> str:
    """The same cells in the same order have the same."""
    return hashlib.sha256(text_of(cells).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class ReleaseTable:
    """One table of the policy with its cells."""

    name: str
    dimensions: tuple[str, ...]
    spans: tuple[Span, ...]
    lists: CodeLists

    @cached_property
    def cells(self) -> pl.DataFrame:
        """All three dimensions ('' for all) and ``cell``, the place in a node's row of numbers."""
        words = [self.lists.of(d) if d in self.dimensions else (ALL,) for d in RELEASE_DIMENSIONS]
        rows = list(product(*words))
        frame = pl.DataFrame(rows, schema=dict.fromkeys(RELEASE_DIMENSIONS, pl.String),
                             orient="row")  # fmt: skip
        return frame.with_columns(cell=pl.int_range(frame.height, dtype=pl.Int64))

    @cached_property
    def digest(self) -> str:
        """Of the cells in their order: numbers drawn under one digest belong to that order."""
        return digest_of(self.cells)

    def place(self, counts: pl.DataFrame) -> pl.DataFrame:
        """``counts`` (all three dimensions by name) with ``cell``, which the table puts them in.

        Raises PrivacyError where a word is on no list.
        """
        for dimension in self.dimensions:
            if not counts[dimension].is_in(self.lists.of(dimension)).all():
                raise PrivacyError(
                    f"table {self.name}: {dimension}: expected words of its code list alone; "
                    "found another: nothing was drawn. Add it to the list, or count it as other"
                )
        kept = counts.with_columns(
            pl.lit(ALL).alias(d) for d in RELEASE_DIMENSIONS if d not in self.dimensions
        )
        return kept.join(self.cells, on=RELEASE_DIMENSIONS, how="left", maintain_order="left")


def tables_of(policy: ReleasePolicy, lists: CodeLists) -> tuple[ReleaseTable, ...]:
    """The policy's tables, in its order."""
    return tuple(
        ReleaseTable(name, tuple(d.split()), tuple(Span(s) for s in spans.split()), lists)
        for name, d, spans in zip(
            policy.tables, policy.table_dimensions, policy.table_spans, strict=True
        )
    )


def reentry_table(lists: CodeLists) -> ReleaseTable:
    """Re-entries, by mode and class of the stay before them."""
    return ReleaseTable(REENTRIES, ("mode", "admission_class"), (Span.MONTH,), lists)


def cell_key_tables_of(policy: ReleasePolicy, lists: CodeLists) -> tuple[ReleaseTable, ...]:
    """The tables of the second method: years and months that are over."""
    return tuple(
        ReleaseTable(name, tuple(d.split()), (Span.MONTH, Span.YEAR), lists)
        for name, d in zip(policy.cell_key_tables, policy.cell_key_dimensions, strict=True)
    )


def coded(stays: pl.DataFrame, lists: CodeLists) -> pl.DataFrame:
    """``stays`` with dimensions as words of the lists: what is on none is unknown or other."""
    return stays.with_columns(
        pl.when(pl.col(d).is_in(lists.of(d))).then(d)
        .when(pl.col(d).is_null()).then(pl.lit(UNKNOWN))
        .otherwise(pl.lit(OTHER)).alias(d)
        for d in ("nationality", "admission_class")
    )  # fmt: skip
