"""What pages show, built from rows: no request, no database here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sojourn_web.figures import wording
from sojourn_web.figures.statistics import Cell, Quality, Source

Totals = dict[str, dict[str, int]]
SHOWN = ("departed_in_time", "departed_late", "no_departure_recorded", "within_period",
         "status_changed")  # fmt: skip
OTHER = ("departed_no_limit", "open_no_limit", "departure_without_arrival")
QUIET_HOURS = 24


@dataclass(frozen=True)
class Headline:
    name: str  # as in live_totals
    label: str
    value: int
    note: str


@dataclass(frozen=True)
class Day:
    day: date
    departures: int
    expected: int
    late: int


@dataclass(frozen=True)
class CellRow:
    name: str
    values: tuple[str, ...]
    known: int  # of what is shown, for sorting


@dataclass(frozen=True)
class SourceRow:
    source: Source
    last: str
    quiet: bool
    delay: str
    read: int
    repaired: int


def build_headlines(totals: Totals, today: date) -> list[Headline]:
    """The numbers of today, as recorded so far."""
    now = totals.get(today.isoformat(), {})
    said = (
        ("departures", "Departures today", "recorded, by the port's local date"),
        ("expected_departures", "Expected departures today",
         "stays whose last permitted day is today"),
        ("departed_late", "Of today's departures, late", "after the last permitted day"),
        ("arrivals", "Arrivals today", "recorded, by the port's local date"),
    )  # fmt: skip
    return [Headline(name, label, now.get(name, 0), note) for name, label, note in said]


def build_days(totals: Totals, today: date, days: int) -> list[Day]:
    """Complete days before today, oldest first; days without records count nothing."""
    out = []
    for back in range(days, 0, -1):
        day = today - timedelta(days=back)
        found = totals.get(day.isoformat(), {})
        out.append(
            Day(
                day, found.get("departures", 0), found.get("expected_departures", 0),
                found.get("departed_late", 0),
            )
        )  # fmt: skip
    return out


def share_linked(totals: Totals) -> float | None:
    """Of recorded departures, the share that found an arrival."""
    departures = sum(t.get("departures", 0) for t in totals.values())
    linked = sum(t.get("departures_linked", 0) for t in totals.values())
    return linked / departures if departures else None


def build_cells(cells: list[Cell], breakdown: str) -> list[CellRow]:
    """One row per nationality, mode or class; hidden values say so."""
    names: dict[str, dict[str, int | None]] = {}
    for cell in cells:
        name = "All" if breakdown == "total" else str(getattr(cell, breakdown))
        names.setdefault(name, {})[cell.outcome] = cell.value
    rows = [
        CellRow(
            name.capitalize() if breakdown == "mode" else name,
            # None at all is under 10 too, and is not told from a few.
            tuple(wording.say_value(found.get(o)) for o in (*SHOWN, *OTHER)),
            sum(found.get(o) or 0 for o in SHOWN),
        )
        for name, found in names.items()
    ]
    return sorted(rows, key=lambda r: (-r.known, r.name))


def build_sources(sources: list[Source], quality: list[Quality], now: datetime) -> list[SourceRow]:
    """Freshness and cleanness, source by source."""
    counted: dict[str, dict[str, int]] = {}
    for row in quality:
        counted.setdefault(row.source, {})[row.issue] = row.records
    rows = []
    for source in sources:
        if not (source.records or source.rejects):
            continue  # it hands over for others, whose names are in its files
        found = counted.get(source.name, {})
        repaired = sum(n for issue, n in found.items() if issue not in ("read", "rejected"))
        rows.append(
            SourceRow(
                source,
                wording.say_ago(source.last_batch_at, now),
                (now - source.last_batch_at) > timedelta(hours=QUIET_HOURS),
                "-" if source.delay_seconds is None else wording.say_span(source.delay_seconds),
                found.get("read", source.records),
                repaired,
            )
        )
    return rows
