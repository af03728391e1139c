"""The coarse counts that may leave to the statistics side: this one table and nothing else.

In: a month that is over. Out: ``CountTable``: month, country of return, outcome, count; only counts
of ten and more. It is handed to the release gate as a file, which a person carries: no code of the
statistics side is imported here, and none there imports this. No total stands beside it.

The country of return is sealed with its case; each time that it is opened to be counted, the person
reads so. Cases that were erased before the month is counted are not in it.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sojourn_web.cases.errors import ErasedError, KeyMissingError, RefusedError
from sojourn_web.cases.hiding import SMALLEST
from sojourn_web.cases.models import AccessEvent, Case, Journey, Office
from sojourn_web.cases.services.keeping import clock_of
from sojourn_web.cases.services.room import Room, note_access, service
from sojourn_web.cases.visibility import Actor, visible_to

COLUMNS = ("month", "country", "outcome", "count")
UNKNOWN = "not known"
COUNTED = "the country of return, to be counted"


@dataclass(frozen=True)
class CountRow:
    """``month``: its first day (UTC). ``count``: ten or more."""

    month: date
    country: str
    outcome: str
    count: int


@dataclass(frozen=True)
class CountTable:
    """What leaves. Rows by country, then outcome."""

    month: date
    rows: tuple[CountRow, ...]

    def as_csv(self) -> str:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for row in self.rows:
            writer.writerow([f"{row.month:%Y-%m}", row.country, row.outcome, row.count])
        return out.getvalue()


def counts_to_release(room: Room, month: date) -> CountTable:
    """``month``: any day of it. Raises RefusedError while the month is not over."""
    first = month.replace(day=1)
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    if room.now.astimezone(UTC).date() < after:
        raise RefusedError("This month is not over yet: expected one that is.")
    begin, end = (datetime.combine(day, time(), UTC) for day in (first, after))
    held: Counter[tuple[str, str]] = Counter()
    for office in Office.objects.order_by("name"):
        clock = clock_of(office)
        ended = visible_to(clock, room.now).filter(ended_at__gte=begin, ended_at__lt=end)
        for case in ended.exclude(outcome="").iterator():
            held[_country(room, clock, case), case.outcome] += 1
    rows = tuple(
        CountRow(first, country, outcome, n)
        for (country, outcome), n in sorted(held.items()) if n >= SMALLEST
    )  # fmt: skip
    return CountTable(first, rows)


@service
def _country(room: Room, clock: Actor, case: Case) -> str:
    journey = Journey.objects.filter(case=case).order_by("-made_at").first()
    if journey is None or not journey.country:
        return UNKNOWN
    if not AccessEvent.objects.filter(case=case, what=COUNTED).exists():
        note_access(room, clock, case, COUNTED)
    try:
        return journey.country.open(room.keys).upper() or UNKNOWN
    except (ErasedError, KeyMissingError):  # one case whose key is not there stops no month
        return UNKNOWN
