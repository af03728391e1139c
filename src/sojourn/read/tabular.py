"""Rows of text into checked crossings and status changes.

In: chunks from ``raw`` in the documented columns (or mapped to them). Out: CROSSINGS or
STATUS_CHANGES; what is wrong goes to the notes with its position and what was expected. Checks
are columns, not loops: the first that fails gives the reason. Unknown columns are dropped and
counted: there is no place for addresses, telephones or anything else here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from sojourn.policy import ReadPolicy
from sojourn.read.common import Notes
from sojourn.read.fields import (
    parse_birth_date,
    parse_date,
    parse_nationality,
    parse_sex,
    parse_time,
    words_of,
)
from sojourn.read.ports import PortDirectory
from sojourn.read.raw import POSITION
from sojourn.schemas import (
    CROSSINGS,
    STATUS_CHANGES,
    Direction,
    Evidence,
    Mode,
    StatusKind,
    StayLimit,
)

DERIVED = ("local_date",)
CROSSING_COLUMNS = tuple(n for n in CROSSINGS.names if n not in DERIVED)
REQUIRED = ("crossing_id", "direction", "event_time", "mode")
STATUS_REQUIRED = ("status_id", "kind", "effective_date")
MOMENTS = ("event_time", "recorded_at", "authorised_until", "birth_date", "effective_date",
           "new_authorised_until")  # fmt: skip
IDENTITY = ("surname", "given_names", "birth_date", "nationality", "document_number")
_WRONG = "wrong"
TEXT_LIMIT = 200  # letters kept of a name or id; longer ones are refused


@dataclass(frozen=True)
class Check:
    """A reason, what was expected, and the rows (expression) that fail."""

    reason: str
    expected: str
    fails: pl.Expr

    def only(self, where: pl.Expr) -> Check:
        """The same check, for some rows: what is dropped from the others is not judged."""
        return Check(self.reason, self.expected, self.fails & where)


YES_OR_NO = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def is_status_table(columns: list[str]) -> bool:
    return "status_id" in columns and "effective_date" in columns


def check_crossings(
    rows: pl.DataFrame, policy: ReadPolicy, notes: Notes, *, source: str, now: datetime
) -> pl.DataFrame:
    """A chunk of text rows into CROSSINGS."""
    text = _known_columns(rows, CROSSING_COLUMNS, notes, source)
    text = text.with_columns(pl.col("source").fill_null(source))
    parsed = text.with_columns(
        words_of("direction", Direction),
        words_of("mode", Mode),
        words_of("evidence", Evidence, default=Evidence.CROSSED),
        words_of("stay_limit", StayLimit),
        parse_time(text, "event_time"),
        parse_time(text, "recorded_at"),
        parse_date(text, "authorised_until"),
        pl.col("withdrawn").cast(pl.String).str.to_lowercase()
        .replace_strict(YES_OR_NO, default=None, return_dtype=pl.Boolean).alias("withdrawn_"),
        *_identity(text),
    )  # fmt: skip
    arriving = pl.col("direction_") == Direction.ARRIVAL
    early = datetime(policy.earliest_year, 1, 1, tzinfo=UTC)
    late = now + timedelta(hours=policy.future_hours)
    kept = _refuse(
        parsed,
        [
            _missing("crossing_id"),
            _too_long("crossing_id"),
            _one_of("direction", Direction),
            _unreadable("event_time", "a time such as 2025-03-01T12:30:00Z"),
            Check("event_too_early", f"an event_time from {policy.earliest_year} on",
                  pl.col("event_time_") < early),
            Check("event_in_future",
                  f"an event_time at most {policy.future_hours} hours from now",
                  pl.col("event_time_") > late),
            _one_of("mode", Mode),
            _one_of("evidence", Evidence),
            _one_of("stay_limit", StayLimit, optional=True).only(arriving),
            _unreadable("recorded_at", "a time, or nothing", optional=True),
            _unreadable("authorised_until", "a date such as 2025-03-01", optional=True)
            .only(arriving),
            Check("limit_contradicts", "no authorised_until where stay_limit is none",
                  (pl.col("stay_limit_") == StayLimit.NONE)
                  & pl.col("authorised_until_").is_not_null()).only(arriving),
            _unreadable("withdrawn", "true or false, or nothing", optional=True),
            *_identity_checks(withdrawn=pl.col("withdrawn_").fill_null(value=False)),
        ],
        notes,
    )  # fmt: skip
    return _finish_crossings(kept, policy, notes)


def check_status_changes(rows: pl.DataFrame, notes: Notes, *, source: str) -> pl.DataFrame:
    """A chunk of text rows into STATUS_CHANGES."""
    text = _known_columns(rows, STATUS_CHANGES.names, notes, source)
    text = text.with_columns(pl.col("source").fill_null(source))
    parsed = text.with_columns(
        words_of("kind", StatusKind),
        parse_date(text, "effective_date"),
        parse_date(text, "new_authorised_until"),
        parse_time(text, "recorded_at"),
        *_identity(text),
    )
    kept = _refuse(
        parsed,
        [
            _missing("status_id"),
            _too_long("status_id"),
            _one_of("kind", StatusKind),
            _unreadable("effective_date", "a date such as 2025-03-01"),
            _unreadable("new_authorised_until", "a date, or nothing", optional=True),
            _unreadable("recorded_at", "a time, or nothing", optional=True),
            Check("extension_without_date", "new_authorised_until for an extension",
                  (pl.col("kind_") == StatusKind.EXTENSION)
                  & pl.col("new_authorised_until_").is_null()),
            *_identity_checks(withdrawn=pl.lit(value=False)),
        ],
        notes,
    )  # fmt: skip
    effective = pl.col("effective_date_").cast(pl.Datetime("us", "UTC"))
    frame = kept.select(
        "source", "status_id",
        pl.col("kind_").alias("kind"),
        pl.col("effective_date_").alias("effective_date"),
        pl.coalesce("recorded_at_", effective).alias("recorded_at"),
        *_finished_identity(),
        "new_class",
        pl.col("new_authorised_until_").alias("new_authorised_until"),
    )  # fmt: skip
    return _last_of_id(STATUS_CHANGES.conform(frame), "status_id", notes)


def _known_columns(
    rows: pl.DataFrame, wanted: tuple[str, ...], notes: Notes, source: str
) -> pl.DataFrame:
    """Ours only, blanks as nulls, missing columns as nulls; what is dropped is counted."""
    dropped = [n for n in rows.columns if n not in wanted and n != POSITION]
    notes.count(source, "columns_dropped", len(dropped))
    columns: list[pl.Expr] = [pl.col(POSITION)]
    for name in wanted:
        if name not in rows.columns:
            columns.append(pl.lit(None, pl.String).alias(name))
        elif name in MOMENTS and rows.schema[name] in (pl.Date, pl.Datetime):
            columns.append(pl.col(name))
        else:
            trimmed = pl.col(name).cast(pl.String).str.strip_chars()
            columns.append(pl.when(trimmed != "").then(trimmed).alias(name))
    return rows.select(columns)


def _identity(text: pl.DataFrame) -> list[pl.Expr]:
    return [
        pl.col("surname").fill_null("").alias("surname_"),
        pl.col("given_names").fill_null("").alias("given_names_"),
        parse_sex(),
        parse_nationality(),
        *parse_birth_date(text),
    ]


def _finished_identity() -> list[pl.Expr]:
    return [
        pl.col("surname_").alias("surname"),
        pl.col("given_names_").alias("given_names"),
        pl.col("sex_").alias("sex"),
        pl.col("birth_date_").alias("birth_date"),
        pl.col("nationality_").alias("nationality"),
        pl.col("document_type"),
        pl.col("document_issuer"),
        pl.col("document_number"),
    ]


def _identity_checks(withdrawn: pl.Expr) -> list[Check]:
    nobody = pl.col("surname").is_null() & pl.col("given_names").is_null()
    return [
        Check("no_identity", "a name or a document number",
              nobody & pl.col("document_number").is_null() & ~withdrawn),
        Check("name_too_long", f"names of at most {TEXT_LIMIT} letters",
              (pl.col("surname").str.len_chars() > TEXT_LIMIT)
              | (pl.col("given_names").str.len_chars() > TEXT_LIMIT)),
        _unreadable("birth_date", "YYYY-MM-DD, unknown parts as zeros, or nothing", optional=True),
    ]  # fmt: skip


def _missing(name: str) -> Check:
    return Check(f"{name}_missing", f"a {name}", pl.col(name).is_null())


def _too_long(name: str) -> Check:
    return Check(
        f"{name}_too_long", f"at most {TEXT_LIMIT} characters",
        (pl.col(name).str.len_chars() > TEXT_LIMIT) | pl.col(name).str.contains("\x1f"),
    )  # fmt: skip


def _one_of(name: str, words: type, *, optional: bool = False) -> Check:
    expected = ", ".join(str(w) for w in words)  # type: ignore[attr-defined]
    wrong = pl.col(f"{name}_").is_null()
    if optional:
        wrong &= pl.col(name).is_not_null()
    return Check(f"{name}_unknown", f"one of: {expected}", wrong)


def _unreadable(name: str, expected: str, *, optional: bool = False) -> Check:
    wrong = pl.col(f"{name}_").is_null()
    if optional:
        wrong &= pl.col(name).is_not_null()
    return Check(f"{name}_unreadable", expected, wrong)


def _refuse(rows: pl.DataFrame, checks: list[Check], notes: Notes) -> pl.DataFrame:
    """Rows that pass all checks; the others are noted under the first that they fail."""
    first = pl.coalesce(
        [pl.when(c.fails.fill_null(value=False)).then(pl.lit(i)) for i, c in enumerate(checks)]
    )
    judged = rows.with_columns(first.alias(_WRONG))
    refused = judged.filter(pl.col(_WRONG).is_not_null()).select("source", POSITION, _WRONG)
    for source, position, number in refused.rows():
        check = checks[number]
        notes.reject(source, position, check.reason, check.expected)
    return judged.filter(pl.col(_WRONG).is_null())


def _finish_crossings(kept: pl.DataFrame, policy: ReadPolicy, notes: Notes) -> pl.DataFrame:
    arriving = pl.col("direction_") == Direction.ARRIVAL
    until = pl.when(arriving).then("authorised_until_")
    limit = (
        pl.when(~arriving).then(pl.lit(StayLimit.UNKNOWN.value))
        .when(_dated_without_day()).then(pl.lit(StayLimit.UNKNOWN.value))
        .when(pl.col("stay_limit_").is_not_null()).then(pl.col("stay_limit_"))
        .when(until.is_not_null()).then(pl.lit(StayLimit.DATED.value))
        .otherwise(pl.lit(StayLimit.UNKNOWN.value))
    )  # fmt: skip
    frame = _with_local_date(kept, policy, notes).select(
        "source", "crossing_id",
        pl.col("direction_").alias("direction"),
        pl.col("event_time_").alias("event_time"),
        pl.coalesce("recorded_at_", "event_time_").alias("recorded_at"),
        "local_date",
        pl.col("evidence_").alias("evidence"),
        pl.col("mode_").alias("mode"),
        pl.col("port").str.to_uppercase(),
        "service",
        *_finished_identity(),
        pl.when(arriving).then("admission_class").alias("admission_class"),
        until.alias("authorised_until"),
        limit.alias("stay_limit"),
        pl.col("withdrawn_").fill_null(value=False).alias("withdrawn"),
    )  # fmt: skip
    _count_repairs(kept, notes)
    return _last_of_id(CROSSINGS.conform(frame), "crossing_id", notes)


def _dated_without_day() -> pl.Expr:
    """Days in a window (90 in any 180), say, whose last one the source did not work out. The
    arrival is worth keeping; its last permitted day is not known (docs/adr/0022)."""
    return (pl.col("stay_limit_") == StayLimit.DATED) & pl.col("authorised_until_").is_null()


def _with_local_date(kept: pl.DataFrame, policy: ReadPolicy, notes: Notes) -> pl.DataFrame:
    """The event's date in the zone of its port; ports nobody knows are counted."""
    directory = PortDirectory(policy)
    ports = {code: directory.find(code) for code in kept["port"].unique().drop_nulls().to_list()}
    strange = [code for code, port in ports.items() if not port.known]
    for source, count in kept.filter(pl.col("port").is_in(strange)).group_by("source").len().rows():
        notes.count(source, "unknown_port", count)
    zones = {code: port.zone for code, port in ports.items()}
    fallback = policy.default_time_zone
    zone = pl.lit(fallback)
    if zones:
        zone = pl.col("port").replace_strict(zones, default=fallback, return_dtype=pl.String)
    dated = kept.with_columns(zone.fill_null(policy.default_time_zone).alias("zone"))
    local = pl.col("event_time_").dt.date()
    for name in dated["zone"].unique().to_list():
        if name != "UTC":
            there = pl.col("event_time_").dt.convert_time_zone(name).dt.date()
            local = pl.when(pl.col("zone") == name).then(there).otherwise(local)
    return dated.with_columns(local.alias("local_date"))


def _count_repairs(kept: pl.DataFrame, notes: Notes) -> None:
    counted: dict[str, pl.Expr] = {
        "birth_date_repaired": pl.col("birth_date_repaired"),
        "nationality_unknown_code": pl.col("nationality_").is_null()
        & pl.col("nationality").is_not_null(),
        "sex_unknown_code": pl.col("sex_").is_null() & (pl.col("sex") != "<"),
        "limit_without_date": _dated_without_day() & (pl.col("direction_") == Direction.ARRIVAL),
        "arrival_columns_dropped": (pl.col("direction_") == Direction.DEPARTURE)
        & (pl.col("authorised_until").is_not_null() | pl.col("admission_class").is_not_null()),
    }
    for issue, where in counted.items():
        found = kept.filter(where.fill_null(value=False)).group_by("source").len()
        for source, count in found.rows():
            notes.count(source, issue, count)


def _last_of_id(frame: pl.DataFrame, key: str, notes: Notes) -> pl.DataFrame:
    """One row an id: repeats count once; where contents differ the last corrects."""
    for source, count in frame.group_by("source").len().rows():
        notes.count(source, "read", count)
    once = frame.unique(maintain_order=True)
    last = once.unique(["source", key], keep="last", maintain_order=True)
    if last.height < frame.height:
        before = dict(frame.group_by("source").len().rows())
        middle = dict(once.group_by("source").len().rows())
        after = dict(last.group_by("source").len().rows())
        for source, rows in before.items():
            notes.count(source, "id_repeated", rows - middle[source])
            notes.count(source, "id_corrected", middle[source] - after[source])
    return last
