"""What every table is: columns, types, nulls, key, order, privacy class, said in one place.

In: nothing. Out: a ``Table`` per step's door, and ``check_table``, which raises ``SchemaError``.
Steps are decorated with ``door``: what goes in and what comes out is checked in tests, and in
production where SOJOURN_CHECK_TABLES=1. Times are UTC with microseconds; dates are dates.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ParamSpec

import polars as pl

from sojourn.errors import SchemaError
from sojourn.vocabulary import (
    COARSER,
    AgeBand,
    Direction,
    EventKind,
    Evidence,
    HardCase,
    KeyKind,
    LinkageCount,
    LinkageGroup,
    Mode,
    Outcome,
    Privacy,
    Sex,
    Span,
    StatusKind,
    StayLimit,
)

__all__ = [
    "CLOSED_CELLS",
    "COARSER",
    "CROSSINGS",
    "ENCODINGS",
    "EVENTS",
    "LINKAGE_QUALITY",
    "LINKS",
    "MEASURES",
    "MERGES",
    "REJECTS",
    "SOURCE_QUALITY",
    "STATUS_CHANGES",
    "STATUS_ENCODINGS",
    "STAYS",
    "TIMESTAMP",
    "TRUTH",
    "AgeBand",
    "Column",
    "Direction",
    "EventKind",
    "Evidence",
    "HardCase",
    "KeyKind",
    "LinkageCount",
    "LinkageGroup",
    "Mode",
    "Outcome",
    "Privacy",
    "Sex",
    "Span",
    "StatusKind",
    "StayLimit",
    "Table",
    "check_table",
    "door",
    "doors_checked",
    "enum_of",
]  # fmt: skip

TIMESTAMP = pl.Datetime("us", "UTC")


def enum_of(members: type[StrEnum]) -> pl.Enum:
    """The Polars type of a closed vocabulary."""
    return pl.Enum([m.value for m in members])


@dataclass(frozen=True)
class Column:
    name: str
    dtype: pl.DataType | type[pl.DataType]
    nullable: bool
    note: str = ""


@dataclass(frozen=True)
class Table:
    """One table: its columns in order, its key, its sort order, its privacy class."""

    name: str
    privacy: Privacy
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    note: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @property
    def schema(self) -> pl.Schema:
        return pl.Schema({c.name: c.dtype for c in self.columns})

    def empty(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self.schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Cast to the declared types and order; missing nullable columns become null.

        Raises SchemaError naming the column (never a value) where a cast is impossible.
        """
        missing = [c.name for c in self.columns if c.name not in frame.columns and not c.nullable]
        if missing:
            raise SchemaError(f"{self.name}: columns missing: {', '.join(missing)}")
        picked = []
        for column in self.columns:
            if column.name not in frame.columns:
                picked.append(pl.lit(None, dtype=column.dtype).alias(column.name))
            else:
                picked.append(pl.col(column.name).cast(column.dtype))
        try:
            return frame.select(picked)
        except pl.exceptions.PolarsError:
            wrong = [
                c.name
                for c in self.columns
                if c.name in frame.columns and not _castable(frame[c.name], c.dtype)
            ]
        raise SchemaError(
            f"{self.name}: values that do not fit the declared type in: {', '.join(wrong)}"
        )


def _castable(series: pl.Series, dtype: pl.DataType | type[pl.DataType]) -> bool:
    try:
        series.cast(dtype)
    except pl.exceptions.PolarsError:
        return False
    return True


def check_table(frame: pl.DataFrame, table: Table) -> None:
    """Raise SchemaError unless ``frame`` is what ``table`` says: names, types, nulls, key."""
    if tuple(frame.columns) != table.names:
        extra = [n for n in frame.columns if n not in table.names]
        missing = [n for n in table.names if n not in frame.columns]
        raise SchemaError(
            f"{table.name}: expected columns {', '.join(table.names)}; "
            f"missing: {', '.join(missing) or 'none'}; unexpected: {', '.join(extra) or 'none'}"
        )
    for column in table.columns:
        found = frame.schema[column.name]
        if found != column.dtype:
            raise SchemaError(f"{table.name}.{column.name}: expected {column.dtype}, found {found}")
        if not column.nullable and frame[column.name].null_count():
            raise SchemaError(f"{table.name}.{column.name}: nulls where none are allowed")
    if table.key and frame.height and frame.select(table.key).is_duplicated().any():
        raise SchemaError(f"{table.name}: the key ({', '.join(table.key)}) repeats")


P = ParamSpec("P")


def doors_checked() -> bool:
    return os.environ.get("SOJOURN_CHECK_TABLES") == "1"


def door(
    out: Table, /, **tables: Table
) -> Callable[[Callable[P, pl.DataFrame]], Callable[P, pl.DataFrame]]:
    """Check a step's tables at its door: ``@door(LINKS, encodings=ENCODINGS)``.

    Keyword names are the step's parameter names. Costs nothing unless SOJOURN_CHECK_TABLES=1.
    """

    def decorate(step: Callable[P, pl.DataFrame]) -> Callable[P, pl.DataFrame]:
        names = step.__code__.co_varnames[: step.__code__.co_argcount]

        @functools.wraps(step)
        def checked(*args: P.args, **kwargs: P.kwargs) -> pl.DataFrame:
            if not doors_checked():
                return step(*args, **kwargs)
            given: dict[str, object] = dict(zip(names, args, strict=False)) | dict(kwargs)
            for name, table in tables.items():
                frame = given[name]
                if not isinstance(frame, pl.DataFrame):
                    raise SchemaError(f"{table.name}: expected a table, found {type(frame)}")
                check_table(frame, table)
            made = step(*args, **kwargs)
            check_table(made, out)
            return made

        return checked

    return decorate


def _c(
    name: str, dtype: pl.DataType | type[pl.DataType], note: str = "", *, null: bool = False
) -> Column:
    return Column(name, dtype, null, note)


_IDENTITY = (
    _c("surname", pl.String, "any script"),
    _c("given_names", pl.String, "any script; may be empty"),
    _c("sex", enum_of(Sex), null=True),
    _c("birth_date", pl.String, "YYYY-MM-DD; unknown parts are zeros, as in 1980-00-00", null=True),
    _c("nationality", pl.String, "ICAO 9303 alpha-3, its special codes included", null=True),
    _c("document_type", pl.String, null=True),
    _c("document_issuer", pl.String, null=True),
    _c("document_number", pl.String, null=True),
)

CROSSINGS = Table(
    "crossings",
    Privacy.IDENTIFYING,
    (
        _c("source", pl.String, "the feed"),
        _c("crossing_id", pl.String, "unique within a source"),
        _c("direction", enum_of(Direction)),
        _c("event_time", TIMESTAMP, "when it happened"),
        _c("recorded_at", TIMESTAMP, "when the source learned it; event_time where not given"),
        _c("local_date", pl.Date, "the event's date at the port; derived by the reader"),
        _c("evidence", enum_of(Evidence), "a booking is not a departure"),
        _c("mode", enum_of(Mode)),
        _c("port", pl.String, "UN/LOCODE, or IATA code for air", null=True),
        _c("service", pl.String, "flight, voyage, train", null=True),
        *_IDENTITY,
        _c("admission_class", pl.String, "arrivals", null=True),
        _c("authorised_until", pl.Date, "arrivals; last permitted day, local", null=True),
        _c("stay_limit", enum_of(StayLimit), "dated where authorised_until is given"),
        _c("withdrawn", pl.Boolean, "a cancellation message took the record back"),
    ),
    key=("source", "crossing_id"),
    note="Checked records. Lives only between reader and encoder.",
)

STATUS_CHANGES = Table(
    "status_changes",
    Privacy.IDENTIFYING,
    (
        _c("source", pl.String),
        _c("status_id", pl.String, "unique within a source"),
        _c("kind", enum_of(StatusKind)),
        _c("effective_date", pl.Date),
        _c("recorded_at", TIMESTAMP),
        *_IDENTITY,
        _c("new_class", pl.String, null=True),
        _c("new_authorised_until", pl.Date, null=True),
    ),
    key=("source", "status_id"),
    note="Extensions, changes and adjustments of status, applications pending.",
)

REJECTS = Table(
    "rejects",
    Privacy.OPERATIONAL,
    (
        _c("file_digest", pl.String, "SHA-256 of the file, hex"),
        _c("position", pl.String, "line 12; segment 40; row 7"),
        _c("reason", pl.String, "a short stable code"),
        _c("expected", pl.String, "what would have been right; never what was there"),
    ),
    note="What was refused and why, never its values.",
)

SOURCE_QUALITY = Table(
    "source_quality",
    Privacy.OPERATIONAL,
    (
        _c("source", pl.String),
        _c("issue", pl.String, "read, rejected, or the code of a repair or warning"),
        _c("records", pl.Int64),
    ),
    key=("source", "issue"),
    note="Reads, repairs and rejects by source.",
)

_KEYS = (
    _c("key_epoch", pl.UInt16, "which epoch's key made the match keys"),
    _c("key_kinds", pl.List(pl.UInt8), "a KeyKind for each match key"),
    _c("match_keys", pl.List(pl.UInt64), "truncated HMAC-SHA-256"),
)

ENCODINGS = Table(
    "encodings",
    Privacy.PSEUDONYMOUS,
    (
        _c("crossing_ref", pl.Binary, "16 bytes: HMAC of source and crossing_id"),
        _c("source", pl.String),
        _c("direction", enum_of(Direction)),
        _c("event_time", TIMESTAMP),
        _c("recorded_at", TIMESTAMP),
        _c("local_date", pl.Date),
        _c("evidence", enum_of(Evidence)),
        _c("mode", enum_of(Mode)),
        _c("port", pl.String, null=True),
        _c("nationality", pl.String, null=True),
        _c("sex", enum_of(Sex), null=True),
        _c("age_band", enum_of(AgeBand), null=True),
        _c("admission_class", pl.String, null=True),
        _c("authorised_until", pl.Date, null=True),
        _c("stay_limit", enum_of(StayLimit)),
        _c("withdrawn", pl.Boolean),
        *_KEYS,
    ),
    key=("crossing_ref",),
    note="Identity has left: what goes from the edge to the centre.",
)

STATUS_ENCODINGS = Table(
    "status_encodings",
    Privacy.PSEUDONYMOUS,
    (
        _c("status_ref", pl.Binary, "16 bytes: HMAC of source and status_id"),
        _c("source", pl.String),
        _c("kind", enum_of(StatusKind)),
        _c("effective_date", pl.Date),
        _c("recorded_at", TIMESTAMP),
        _c("nationality", pl.String, null=True),
        _c("sex", enum_of(Sex), null=True),
        _c("new_class", pl.String, null=True),
        _c("new_authorised_until", pl.Date, null=True),
        *_KEYS,
    ),
    key=("status_ref",),
)

MERGES = Table(
    "merges",
    Privacy.PSEUDONYMOUS,
    (
        _c("report_ref", pl.Binary, "a further report"),
        _c("crossing_ref", pl.Binary, "the report that stands for the crossing"),
    ),
    key=("report_ref",),
    note="Which reports are of one crossing. Reports that stand alone have no row.",
)

LINKS = Table(
    "links",
    Privacy.PSEUDONYMOUS,
    (
        _c("arrival_ref", pl.Binary),
        _c("departure_ref", pl.Binary),
        _c("pattern", pl.UInt32, "which kinds agree (sojourn.link.patterns)"),
        _c("match_weight", pl.Float32, "log2 odds"),
        _c("match_probability", pl.Float32),
        _c("policy_digest", pl.String),
    ),
    key=("arrival_ref", "departure_ref"),
    note="A departure and the arrival it closes. No surface gives this table.",
)

EVENTS = Table(
    "events",
    Privacy.PSEUDONYMOUS,
    (
        _c("kind", enum_of(EventKind)),
        _c("crossing_ref", pl.Binary, "for links: the arrival"),
        _c("other_ref", pl.Binary, "links: departure; merges: who stands for it", null=True),
        _c("event_time", TIMESTAMP),
        _c("recorded_at", TIMESTAMP, "when the ledger learned it"),
        _c("source", pl.String, null=True),
        _c("local_date", pl.Date, null=True),
        _c("evidence", enum_of(Evidence), null=True),
        _c("mode", enum_of(Mode), null=True),
        _c("port", pl.String, null=True),
        _c("nationality", pl.String, null=True),
        _c("sex", enum_of(Sex), null=True),
        _c("age_band", enum_of(AgeBand), null=True),
        _c("admission_class", pl.String, "status changes: the new class", null=True),
        _c("authorised_until", pl.Date, "status changes: the new date", null=True),
        _c("stay_limit", enum_of(StayLimit), null=True),
        _c("status_kind", enum_of(StatusKind), null=True),
    ),
    note="Append-only until the horizon. batch_id is added by the store.",
)

STAYS = Table(
    "stays",
    Privacy.PSEUDONYMOUS,
    (
        _c("arrival_ref", pl.Binary, null=True),
        _c("departure_ref", pl.Binary, null=True),
        _c("arrival_date", pl.Date, "local", null=True),
        _c("departure_date", pl.Date, "local", null=True),
        _c("nationality", pl.String, null=True),
        _c("sex", enum_of(Sex), null=True),
        _c("age_band", enum_of(AgeBand), null=True),
        _c("mode", enum_of(Mode), "of the arrival; of the departure where there is none"),
        _c("departure_mode", enum_of(Mode), null=True),
        _c("admission_class", pl.String, null=True),
        _c("authorised_until", pl.Date, "after status changes known by then", null=True),
        _c("stay_limit", enum_of(StayLimit)),
        _c("status_kind", enum_of(StatusKind), "the last status change", null=True),
        _c("arrival_lists", pl.UInt8, "how many sources reported the arrival"),
        _c("departure_lists", pl.UInt8, "how many sources reported the departure"),
    ),
    note="One per arrival, one per departure that has none, as known at a time.",
)

CLOSED_CELLS = Table(
    "closed_cells",
    Privacy.CONFIDENTIAL,
    (
        _c("span", pl.String, "day: in total alone; month: by all dimensions"),
        _c("period", pl.String, "its first day, ISO"),
        _c("nationality", pl.String, "empty: all"),
        _c("mode", pl.String, "empty: all"),
        _c("admission_class", pl.String, "empty: all"),
        _c("outcome", pl.String),
        _c("value", pl.Int64),
    ),
    key=("span", "period", "nationality", "mode", "admission_class", "outcome"),
    note="What is left of stays past their horizon.",
)

MEASURES = Table(
    "measures",
    Privacy.CONFIDENTIAL,
    (
        _c("span", enum_of(Span)),
        _c("period", pl.Date, "first day of the span: see sojourn.measure.outcomes"),
        _c("nationality", pl.String, "'' for all"),
        _c("mode", pl.String, "'' for all"),
        _c("admission_class", pl.String, "'' for all"),
        _c("outcome", enum_of(Outcome)),
        _c("value", pl.Int64, "stays; null where hidden", null=True),
        _c("hidden", pl.Boolean, "true where the count is under the policy's smallest cell"),
        _c("known_at", pl.Date),
    ),
    key=("span", "period", "nationality", "mode", "admission_class", "outcome", "known_at"),
)

LINKAGE_QUALITY = Table(
    "linkage_quality",
    Privacy.CONFIDENTIAL,
    (
        _c("period", pl.Date, "first day of the month of the crossing that is counted"),
        _c("group_kind", enum_of(LinkageGroup)),
        _c("group_name", pl.String, "'' for all; 'unknown' where a record does not say"),
        _c("what", enum_of(LinkageCount)),
        _c("value", pl.Int64),
    ),
    key=("period", "group_kind", "group_name", "what"),
    note="Counts from which the errors of linking are estimated. No pair, no row of a stay.",
)

TRUTH = Table(
    "truth",
    Privacy.SYNTHETIC,
    (
        _c("arrival_id", pl.String),
        _c("departure_id", pl.String),
        _c("case", enum_of(HardCase), "what makes the stay hard; null: ordinary", null=True),
    ),
    key=("arrival_id", "departure_id"),
    note="For synthetic data only: the crossing ids of each stay that was seen at both ends.",
)

TABLES: Mapping[str, Table] = {
    t.name: t
    for t in (
        CROSSINGS, STATUS_CHANGES, REJECTS, SOURCE_QUALITY, ENCODINGS, STATUS_ENCODINGS,
        MERGES, LINKS, EVENTS, STAYS, MEASURES, LINKAGE_QUALITY, TRUTH,
    )
}  # fmt: skip
