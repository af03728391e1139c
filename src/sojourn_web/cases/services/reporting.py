"""Reports of voluntary return: counts of cases, by office, small ones hidden.

In: an actor who may count (supervisor, auditor, another system with the scope). Out: tables of
``Counts`` and ``Days``. No table is by counsellor, none counts departures, none is put in an order
of size: what is counted is done, and nobody should be talked into going.

Everything but the caseload is of the twelve whole months before this one (UTC): it changes once a
month, so that a difference between two days tells nobody.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import UUID

from django.db.models import Count, QuerySet

from sojourn_web.cases.errors import NotAllowedError
from sojourn_web.cases.hiding import ALL, SMALLEST, Counts, hide
from sojourn_web.cases.models import AuditEvent, Case, ClockStop, Complaint, Office, Rating
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import COUNTING, Actor, countable

OTHER = "other reasons"
QUESTIONS = {
    "listened": "I was listened to",
    "understood": "I understood what it means",
    "free_to_say_no": "I was free to say no",
}


@dataclass(frozen=True)
class DaysLine:
    """``days``: the median, one decimal; None where there are under ten spells."""

    label: str
    days: tuple[float | None, ...]


@dataclass(frozen=True)
class Days:
    """Medians of days; a column for each office and one for all."""

    name: str
    title: str
    columns: tuple[str, ...]
    lines: tuple[DaysLine, ...]
    note: str = ""


@dataclass(frozen=True)
class CaseReport:
    """``since`` and ``until``: the first moment and the first after the twelve months (UTC)."""

    since: datetime
    until: datetime
    counts: tuple[Counts, ...]
    days: tuple[Days, ...]


Spans = Mapping[UUID, list[tuple[datetime, datetime]]]


def make_report(room: Room, actor: Actor) -> CaseReport:
    """All tables. Reads no sealed column."""
    if actor.who not in COUNTING:
        raise NotAllowedError("expected a supervisor or an auditor")
    until = room.now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    since = until.replace(year=until.year - 1)
    offices = dict(Office.objects.order_by("name").values_list("pk", "name"))
    names = tuple(offices.values())
    cases = countable(actor)
    counts = [
        _caseload(cases, names), *_waiting(cases, offices, since, until),
        _complaints(cases, offices, since, until), *_ratings(cases, offices, since, until),
    ]  # fmt: skip
    return CaseReport(since, until, tuple(counts), (_time_in_states(cases, offices, since, until),))


def _caseload(cases: QuerySet[Case], names: tuple[str, ...]) -> Counts:
    found = cases.values_list("state", "office__name").annotate(n=Count("pk"))
    held = {(str(state), str(office)): int(n) for state, office, n in found}
    return hide(
        "caseload", "Cases by state", "state", held, [s.value for s in State], names,
        "Today. Where a case stands says nothing of how well it is counselled.",
    )  # fmt: skip


def _waiting(
    cases: QuerySet[Case], offices: Mapping[UUID, str], since: datetime, until: datetime
) -> list[Counts]:
    stops = ClockStop.objects.filter(
        case__in=cases, stopped_at__gte=since, stopped_at__lt=until
    ).values_list("reason", "case__office_id")
    held = Counter((" ".join(reason.lower().split()), offices[o]) for reason, o in stops)
    total: Counter[str] = Counter()
    for (reason, _), n in held.items():
        total[reason] += n
    known = sorted(reason for reason, n in total.items() if n >= SMALLEST)
    merged: Counter[tuple[str, str]] = Counter()
    for (reason, office), n in held.items():
        # A reason is free text: one that few wrote is not repeated.
        merged[reason if reason in known else OTHER, office] += n
    return [
        hide(
            "waiting", "What is waited for", "reason", merged, [*known, OTHER],
            tuple(offices.values()), "Each time that others kept a case waiting.",
        )
    ]  # fmt: skip


def _complaints(
    cases: QuerySet[Case], offices: Mapping[UUID, str], since: datetime, until: datetime
) -> Counts:
    rows = Complaint.objects.filter(
        case__in=cases, made_at__gte=since, made_at__lt=until
    ).values_list("answered_at", "case__office_id")
    held = Counter(("answered" if answered else "waiting", offices[o]) for answered, o in rows)
    return hide(
        "complaints", "Complaints", "complaint", held, ["answered", "waiting"],
        tuple(offices.values()), "Made in these months. Many may mean that people dare to.",
    )  # fmt: skip


def _ratings(
    cases: QuerySet[Case], offices: Mapping[UUID, str], since: datetime, until: datetime
) -> list[Counts]:
    rows = list(
        Rating.objects.filter(case__in=cases, made_at__gte=since, made_at__lt=until).values_list(
            "case__office_id", *QUESTIONS
        )
    )
    tables = []
    for place, (name, title) in enumerate(QUESTIONS.items(), start=1):
        held = Counter((str(row[place] or "no answer"), offices[row[0]]) for row in rows)
        tables.append(
            hide(
                f"rating_{name}", f"People's own view: {title}", "1 not at all, 5 fully", held,
                ["1", "2", "3", "4", "5", "no answer"], tuple(offices.values()),
                "Nobody has to answer. Those who do may not be like those who do not.",
            )
        )  # fmt: skip
    return tables


def _time_in_states(
    cases: QuerySet[Case], offices: Mapping[UUID, str], since: datetime, until: datetime
) -> Days:
    """Spells that ended in these months, without the times in which others kept them waiting."""
    started: dict[UUID, tuple[datetime, UUID]] = {
        pk: (made_at, office)
        for pk, made_at, office in cases.values_list("pk", "made_at", "office_id")
    }
    stopped = _stops(cases)
    moves = (
        AuditEvent.objects.filter(case__in=cases, made_at__lt=until)
        .exclude(from_state="")
        .order_by("made_at")
        .values_list("case_id", "made_at", "from_state")
    )
    spells: dict[tuple[str, str], list[float]] = defaultdict(list)
    for case_id, moment, state in moves.iterator(chunk_size=10_000):
        begun, office = started[case_id]
        started[case_id] = (moment, office)
        if moment >= since:
            spent = moment - begun - _waited(stopped.get(case_id, ()), begun, moment)
            days = spent.total_seconds() / 86_400
            spells[state, offices[office]].append(days)
            spells[state, ALL].append(days)
    names = (*offices.values(), ALL)
    told = {key for key, days in spells.items() if len(days) >= SMALLEST}
    return Days(
        "time_in_states", "Days in each state, half of them shorter", names,
        tuple(
            DaysLine(s.value, tuple(
                round(median(spells[s.value, n]), 1) if (s.value, n) in told else None
                for n in names
            ))
            for s in State
        ),
        "Spells that ended. Times in which others kept a case waiting are taken out. Short is not "
        "good: people need time to decide.",
    )  # fmt: skip


def _stops(cases: QuerySet[Case]) -> Spans:
    found: dict[UUID, list[tuple[datetime, datetime]]] = defaultdict(list)
    far = datetime.max.replace(tzinfo=UTC)
    for case_id, begun, ended in ClockStop.objects.filter(case__in=cases).values_list(
        "case_id", "stopped_at", "started_at"
    ):
        found[case_id].append((begun, ended or far))
    return found


def _waited(
    stops: Iterable[tuple[datetime, datetime]], begun: datetime, ended: datetime
) -> timedelta:
    """Of ``begun`` to ``ended``, how long the clock stood. Stops of one case never overlap."""
    return sum(
        (max(timedelta(), min(b, ended) - max(a, begun)) for a, b in stops), start=timedelta()
    )


def report_as_csv(report: CaseReport) -> str:
    """The same hidden counts: table, row, column, count or days; ``hidden`` where it is."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["table", "row", "column", "number", "hidden"])
    for table in report.counts:
        for line in table.lines:
            for column, value in zip(table.columns, line.cells, strict=True):
                writer.writerow(_row(table.name, line.label, column, value))
    for days in report.days:
        for held in days.lines:
            for column, half in zip(days.columns, held.days, strict=True):
                writer.writerow(_row(days.name, held.label, column, half))
    return out.getvalue()


def _row(table: str, row: str, column: str, value: float | None) -> list[str]:
    told = "" if value is None else str(value)
    return [table, _plain(row), _plain(column), told, "yes" if value is None else "no"]


def _plain(text: str) -> str:
    """A spreadsheet must not take a name for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
