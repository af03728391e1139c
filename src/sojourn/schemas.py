"""What every table is: columns, types, nulls, key, order, privacy class, said in one place.

In: nothing. Out: a ``Table`` per step's door; how a door checks is in ``doors``. Times are UTC with
microseconds; dates are dates.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from sojourn.doors import TIMESTAMP, Column, Table, check_table, door, doors_checked, enum_of
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
    Quantity,
    Sex,
    Span,
    Standing,
    StatusKind,
    StayEvent,
    StayLimit,
)

__all__ = [
    "CLOSED_CELLS",
    "COARSER",
    "COUNTS",
    "CROSSINGS",
    "DECOYS",
    "ENCODINGS",
    "ESTIMATES",
    "EVENTS",
    "FIGURES",
    "LINKAGE_QUALITY",
    "LINKS",
    "LISTS",
    "MEASURES",
    "MERGES",
    "REJECTS",
    "REPORTING",
    "SOURCE_QUALITY",
    "STATUS_CHANGES",
    "STATUS_ENCODINGS",
    "STAYS",
    "TIMESTAMP",
    "TRUTH",
    "VINTAGES",
    "WAITING_CHANGES",
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
    "Quantity",
    "Sex",
    "Span",
    "Standing",
    "StatusKind",
    "StayEvent",
    "StayLimit",
    "Table",
    "check_table",
    "door",
    "doors_checked",
    "enum_of",
]  # fmt: skip


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
        _c("effective_date", pl.Date, "when it was filed; decided, for a refusal; or happened"),
        _c("recorded_at", TIMESTAMP),
        *_IDENTITY,
        _c("new_class", pl.String, null=True),
        _c("new_authorised_until", pl.Date, null=True),
    ),
    key=("source", "status_id"),
    note="Extensions, changes of status, applications and refusals, naturalisations, deaths.",
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

DECOYS = Table(
    "decoys",
    Privacy.PSEUDONYMOUS,
    (
        _c("decoy_ref", pl.Binary, "16 bytes that are nobody's"),
        _c("family", pl.Boolean, "made to look like a companion"),
        _c("local_date", pl.Date),
        _c("mode", enum_of(Mode)),
        _c("nationality", pl.String, null=True),
        _c("sex", enum_of(Sex), null=True),
        *_KEYS,
    ),
    key=("decoy_ref",),
    note="Departures of nobody: asked for, counted, in no ledger and in no file with records.",
)

WAITING_CHANGES = Table(
    "waiting_changes",
    Privacy.PSEUDONYMOUS,
    (
        *STATUS_ENCODINGS.columns,
        _c("dies_on", pl.Date, "the day on which it goes, found or not"),
    ),
    key=("status_ref",),
    note="Status changes that have found no stay yet. No surface gives this table.",
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
        _c("other_ref", pl.Binary, "links: departure; merges: who stands; status_ref", null=True),
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
        _c("stay_limit", enum_of(StayLimit), "none with a day: the limit fell away"),
        _c("status_kind", enum_of(StatusKind), "the last status change that counts", null=True),
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

COUNTS = Table(
    "counts",
    Privacy.CONFIDENTIAL,
    (
        _c("counts_on", pl.Date, "the day under which stays are counted; or a span's first day"),
        _c("nationality", pl.String, "'unknown' where no record says"),
        _c("mode", pl.String),
        _c("admission_class", pl.String, "'unknown' where no record says"),
        _c("outcome", enum_of(Outcome)),
        _c("value", pl.Float64, "stays; exact, or noisy and then possibly negative"),
        _c("noise_variance", pl.Float64, "of the value; 0 where it is exact"),
    ),
    key=("counts_on", "nationality", "mode", "admission_class", "outcome"),
    note="What estimates are made from: stays by outcome as known on one day.",
)

VINTAGES = Table(
    "vintages",
    Privacy.CONFIDENTIAL,
    (
        _c("known_at", pl.Date, "a row is there where the value changed since the one before"),
        _c("period", pl.Date, "first day of the month"),
        _c("nationality", pl.String),
        _c("mode", pl.String),
        _c("admission_class", pl.String),
        _c("outcome", enum_of(Outcome)),
        _c("value", pl.Int64),
    ),
    key=("known_at", "period", "nationality", "mode", "admission_class", "outcome"),
    note="Months of stays by outcome, as they were known at the end of each day.",
)

REPORTING = Table(
    "reporting",
    Privacy.CONFIDENTIAL,
    (
        _c("source", pl.String),
        _c("direction", enum_of(Direction)),
        _c("event_day", pl.Date, "local"),
        _c("delay_days", pl.Int32, "from the event to the day on which the ledger learned it"),
        _c("records", pl.Int64),
    ),
    key=("source", "direction", "event_day", "delay_days"),
    note="The reporting triangle: how late each source tells. Bookings are left out.",
)

LISTS = Table(
    "lists",
    Privacy.CONFIDENTIAL,
    (
        _c("period", pl.Date, "first day of the month of the crossing"),
        _c("direction", enum_of(Direction)),
        _c("mode", pl.String),
        _c("in_border", pl.Boolean, "a border post reported it (evidence crossed)"),
        _c("in_carrier", pl.Boolean, "a carrier reported it (evidence boarded)"),
        _c("booked", pl.Boolean, "a booking of it is held"),
        _c("value", pl.Int64, "crossings; neither: booked alone, so perhaps never flown"),
    ),
    key=("period", "direction", "mode", "in_border", "in_carrier", "booked"),
    note="Which lists hold a crossing: what dual-system estimates are made from.",
)

ESTIMATES = Table(
    "estimates",
    Privacy.CONFIDENTIAL,
    (
        _c("span", enum_of(Span)),
        _c("period", pl.Date, "first day of the span"),
        _c("nationality", pl.String, "'' for all"),
        _c("mode", pl.String, "'' for all"),
        _c("admission_class", pl.String, "'' for all"),
        _c("quantity", enum_of(Quantity)),
        _c(
            "value",
            pl.Float64,
            "null where it cannot be made or would show a small cell",
            null=True,
        ),
        _c("lower", pl.Float64, "95% confidence interval, for the truth", null=True),
        _c("upper", pl.Float64, null=True),
        _c("later_lower", pl.Float64, "95% prediction interval, for the final vintage", null=True),
        _c("later_upper", pl.Float64, null=True),
        _c("bound_lower", pl.Float64, "if those who never return differ", null=True),
        _c("bound_upper", pl.Float64, null=True),
        _c("standing", enum_of(Standing)),
        _c("why", pl.String, "a short stable code; empty where nothing is to be said"),
        _c("known_at", pl.Date),
    ),
    key=("span", "period", "nationality", "mode", "admission_class", "quantity", "known_at"),
    note="Cells with what records cannot say: estimates, each with two intervals and bounds.",
)

FIGURES = Table(
    "figures",
    Privacy.PUBLIC,
    (
        _c("release_table", pl.String, "which table of policy's: total, nationality, ..."),
        _c("span", enum_of(Span)),
        _c("period", pl.Date, "first day of the span"),
        _c("nationality", pl.String, "'' for all"),
        _c("mode", pl.String, "'' for all"),
        _c("admission_class", pl.String, "'' for all"),
        _c("quantity", pl.String, "a StayEvent (a noisy count) or a Quantity (an estimate of it)"),
        _c("vintage", pl.Date, "the last recorded day that is in it"),
        _c("value", pl.Float64, null=True),
        _c("lower", pl.Float64, null=True),
        _c("upper", pl.Float64, null=True),
        _c("level", pl.Float64, "of the interval: 0.95; 1 where the change is bounded"),
        _c("noise_sd", pl.Float64, "of the noise in it, at most; null for estimates", null=True),
        _c("epsilon", pl.Float64, "privacy loss spent on it; 0 for what is computed from others"),
        _c(
            "method",
            pl.String,
            "laplace, cell_key, computed, estimated; lost: spent, never seen; "
            "too_noisy, no_reentries, too_young: an estimate that cannot be made",
        ),
        _c("release_id", pl.String),
    ),
    key=("release_table", "span", "period", "nationality", "mode", "admission_class", "quantity",
         "vintage"),
    note="What the public sees. Noisy: negative counts are published as they are.",
)  # fmt: skip

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
        DECOYS, WAITING_CHANGES, MERGES, LINKS, EVENTS, STAYS, MEASURES, LINKAGE_QUALITY, COUNTS,
        VINTAGES, REPORTING, LISTS, ESTIMATES, FIGURES, TRUTH,
    )
}  # fmt: skip
