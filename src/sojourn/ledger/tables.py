"""The ledger's tables, one schema for SQLite and PostgreSQL. Django never writes them.

Times are microseconds since 1970 (UTC) and dates days since 1970, as integers: the drivers carry
them without conversion, and both databases compare them alike. Words are text. The tables that
pages read (``live_totals``, ``measures``, ``source_state``...) have ISO dates as text instead.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData()
# SQLite counts only INTEGER primary keys up by itself.
SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")

# What is kept of a report, as in schemas.ENCODINGS, without keys.
ATTRIBUTES: tuple[tuple[str, TypeEngine[Any]], ...] = (
    ("source", Text()),
    ("direction", Text()),
    ("event_time", BigInteger()),
    ("recorded_at", BigInteger()),
    ("local_date", Integer()),
    ("evidence", Text()),
    ("mode", Text()),
    ("port", Text()),
    ("nationality", Text()),
    ("sex", Text()),
    ("age_band", Text()),
    ("admission_class", Text()),
    ("authorised_until", Integer()),
    ("stay_limit", Text()),
    ("key_epoch", Integer()),
)

batches = Table(
    "batches",
    metadata,
    Column("batch_id", SEQUENCE, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("source", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("committed_at", BigInteger, nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("rejects", BigInteger, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("batch_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("crossing_ref", LargeBinary, nullable=False),
    Column("other_ref", LargeBinary),
    Column("event_time", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("source", Text),
    Column("local_date", Integer),
    Column("evidence", Text),
    Column("mode", Text),
    Column("port", Text),
    Column("nationality", Text),
    Column("sex", Text),
    Column("age_band", Text),
    Column("admission_class", Text),
    Column("authorised_until", Integer),
    Column("stay_limit", Text),
    Column("status_kind", Text),
)

# The present, as the events say: changed by the same transaction that appends them.
reports = Table(
    "reports",
    metadata,
    Column("crossing_ref", LargeBinary, primary_key=True),
    *(Column(name, kind) for name, kind in ATTRIBUTES),
    Column("merged_into", LargeBinary),
    Column("partner_ref", LargeBinary),
    # The day (UTC) since which the ledger holds it as more than a booking; null for bookings.
    Column("learned_on", Integer),
)
Index("reports_merged_into", reports.c.merged_into)
# By the day on which somebody left: stays that were under way on a day, though closed since.
_LEFT = text("direction = 'departure'")
Index("reports_left_on", reports.c.local_date, sqlite_where=_LEFT, postgresql_where=_LEFT)

match_keys = Table(
    "match_keys",
    metadata,
    Column("crossing_ref", LargeBinary, primary_key=True),
    Column("cohort", Integer, nullable=False),  # first day of the month of the event
    Column("keys", LargeBinary, nullable=False),  # u64 little-endian each, then a u8 kind each
)

statuses = Table(
    "statuses",
    metadata,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("crossing_ref", LargeBinary, nullable=False),  # the arrival
    Column("local_date", Integer, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("admission_class", Text),
    Column("authorised_until", Integer),
    Column("status_kind", Text, nullable=False),
    Column("other_ref", LargeBinary),  # the change's own reference: told again, it is the same
)
Index("statuses_crossing_ref", statuses.c.crossing_ref)
Index("statuses_other_ref", statuses.c.other_ref)

# Status changes that have found no stay yet, with their match keys: gone when they find one, and
# on ``dies_on`` at the latest.
waiting_changes = Table(
    "waiting_changes",
    metadata,
    Column("status_ref", LargeBinary, primary_key=True),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("effective_date", Integer, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("nationality", Text),
    Column("sex", Text),
    Column("new_class", Text),
    Column("new_authorised_until", Integer),
    Column("key_epoch", Integer, nullable=False),
    Column("keys", LargeBinary, nullable=False),  # as in match_keys
    Column("dies_on", Integer, nullable=False),
)

live_totals = Table(
    "live_totals",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", SEQUENCE, primary_key=True, autoincrement=True),
    Column("created_at", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("payload", Text, nullable=False),
)

measures = Table(
    "measures",
    metadata,
    Column("span", String(5), primary_key=True),
    Column("period", String(10), primary_key=True),
    Column("nationality", String(10), primary_key=True),
    Column("mode", String(10), primary_key=True),
    Column("admission_class", String(40), primary_key=True),
    Column("outcome", String(40), primary_key=True),
    Column("value", BigInteger),
    Column("hidden", Boolean, nullable=False),
    Column("known_at", String(10), nullable=False),
)

closed_cells = Table(
    "closed_cells",
    metadata,
    Column("span", String(5), primary_key=True),  # day: in total alone; month: by all dimensions
    Column("period", String(10), primary_key=True),
    Column("nationality", String(10), primary_key=True),
    Column("mode", String(10), primary_key=True),
    Column("admission_class", String(40), primary_key=True),
    Column("outcome", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

# Stays by the day under which they count, and by state: what they are until that day is over, and
# what they are from then on. The passing of midnight so changes nothing that is stored.
stay_counts = Table(
    "stay_counts",
    metadata,
    Column("counts_on", Integer, primary_key=True, autoincrement=False),
    Column("nationality", Text, primary_key=True),
    Column("mode", Text, primary_key=True),
    Column("admission_class", Text, primary_key=True),
    Column("outcome_until", String(40), primary_key=True),
    Column("outcome_after", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Differences alone: a cell that is as it was the day before has no row. Days are ISO text.
vintages = Table(
    "vintages",
    metadata,
    Column("known_at", String(10), primary_key=True),
    Column("period", String(10), primary_key=True),
    Column("nationality", Text, primary_key=True),
    Column("mode", Text, primary_key=True),
    Column("admission_class", Text, primary_key=True),
    Column("outcome", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# The last vintage as a whole, to tell differences from.
latest_vintage = Table(
    "latest_vintage",
    metadata,
    Column("period", String(10), primary_key=True),
    Column("nationality", Text, primary_key=True),
    Column("mode", Text, primary_key=True),
    Column("admission_class", Text, primary_key=True),
    Column("outcome", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# How late each source tells. Old days are summed under the first of their month.
reporting = Table(
    "reporting",
    metadata,
    Column("source", Text, primary_key=True),
    Column("direction", String(10), primary_key=True),
    Column("event_day", Integer, primary_key=True, autoincrement=False),
    Column("delay_days", Integer, primary_key=True, autoincrement=False),
    Column("records", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

crossing_lists = Table(
    "crossing_lists",
    metadata,
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("direction", String(10), primary_key=True),
    Column("mode", String(10), primary_key=True),
    Column("in_border", Boolean, primary_key=True),
    Column("in_carrier", Boolean, primary_key=True),
    Column("booked", Boolean, primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

source_quality = Table(
    "source_quality",
    metadata,
    Column("source", Text, primary_key=True),
    Column("issue", Text, primary_key=True),
    Column("records", BigInteger, nullable=False),
)

source_state = Table(
    "source_state",
    metadata,
    Column("source", Text, primary_key=True),
    Column("last_event_time", BigInteger),
    Column("last_recorded_at", BigInteger),
    Column("last_batch_at", BigInteger, nullable=False),
    Column("batches", BigInteger, nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("rejects", BigInteger, nullable=False),
    Column("delay_median_seconds", Float),
)

source_delays = Table(
    "source_delays",
    metadata,
    Column("source", Text, primary_key=True),
    Column("bucket", SmallInteger, primary_key=True),  # floor(log2(seconds of delay + 1))
    Column("records", BigInteger, nullable=False),
)

# Time between two deliveries of a source; parts of one delivery are not told apart.
source_gaps = Table(
    "source_gaps",
    metadata,
    Column("source", Text, primary_key=True),
    Column("bucket", SmallInteger, primary_key=True),  # floor(log2(minutes))
    Column("deliveries", BigInteger, nullable=False),
)

# Counts alone: how sure linking is. Those of decoys add up; the others are made anew.
linkage_quality = Table(
    "linkage_quality",
    metadata,
    Column("period", String(10), primary_key=True),
    Column("group_kind", String(20), primary_key=True),
    Column("group_name", String(60), primary_key=True),
    Column("what", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

# What records cannot say, by day on which it was estimated.
estimates = Table(
    "estimates",
    metadata,
    Column("span", String(5), primary_key=True),
    Column("period", String(10), primary_key=True),
    Column("nationality", String(10), primary_key=True),
    Column("mode", String(10), primary_key=True),
    Column("admission_class", String(40), primary_key=True),
    Column("quantity", String(30), primary_key=True),
    *(
        Column(name, Float)
        for name in ("value", "lower", "upper", "later_lower", "later_upper", "bound_lower",
                     "bound_upper")
    ),
    Column("standing", String(10), nullable=False),
    Column("why", String(60), nullable=False),
    Column("known_at", String(10), primary_key=True),
)  # fmt: skip

rejects = Table(
    "rejects",
    metadata,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("batch_id", BigInteger, nullable=False),
    Column("file_digest", String(64), nullable=False),
    Column("position", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("expected", Text, nullable=False),
)
Index("rejects_batch_id", rejects.c.batch_id)

facts = Table(
    "facts",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)
