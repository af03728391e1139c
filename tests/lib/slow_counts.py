"""What a ledger counts by differences, counted anew from its events: slow and obvious."""

from __future__ import annotations

from collections import Counter
from datetime import date

import polars as pl
from polars.testing import assert_frame_equal

from sojourn.ledger import Ledger, replay
from sojourn.measure import count_stays
from sojourn.schemas import COUNTS, LISTS, REPORTING

STRENGTH = {"booked": 0, "boarded": 1, "crossed": 2}


def slow_lists(events: pl.DataFrame) -> pl.DataFrame:
    """LISTS of everything that the events leave standing."""
    crossings: dict[bytes, list[dict[str, object]]] = {}
    for report in replay(events)[0].to_dicts():
        crossings.setdefault(report["merged_into"] or report["crossing_ref"], []).append(report)
    counted: Counter[tuple[object, ...]] = Counter()
    for reports in crossings.values():
        best = min(
            reports,
            key=lambda r: (-STRENGTH[r["evidence"]], r["event_time"], r["crossing_ref"]),  # type: ignore[index]
        )
        held = {r["evidence"] for r in reports}
        counted[
            (
                best["local_date"].replace(day=1), best["direction"], best["mode"],  # type: ignore[attr-defined]
                "crossed" in held, "boarded" in held, "booked" in held,
            )
        ] += 1  # fmt: skip
    rows = [(*key, n) for key, n in counted.items()]
    return pl.DataFrame(rows, schema=LISTS.schema, orient="row").sort(LISTS.key)


def slow_reporting(events: pl.DataFrame) -> pl.DataFrame:
    """REPORTING of everything that the events leave standing, by day."""
    learned: dict[bytes, date] = {}
    counted: Counter[tuple[object, ...]] = Counter()
    for event in events.to_dicts():
        ref, kind = event["crossing_ref"], event["kind"]
        if kind == "crossing_withdrawn" or (kind.endswith("ed") and event["evidence"] == "booked"):
            learned.pop(ref, None)
        elif kind in ("arrival_recorded", "departure_recorded", "crossing_corrected"):
            learned.setdefault(ref, event["recorded_at"].date())
    for report in replay(events)[0].to_dicts():
        if report["evidence"] != "booked":
            late = (learned[report["crossing_ref"]] - report["local_date"]).days
            delay = min(400, max(0, late))
            counted[(report["source"], report["direction"], report["local_date"], delay)] += 1
    rows = [(*key, n) for key, n in counted.items()]
    return pl.DataFrame(rows, schema=REPORTING.schema, orient="row").sort(REPORTING.key)


def check_counts(ledger: Ledger, known: date, days: tuple[date, ...]) -> None:
    """COUNTS by differences are those of the fold, on each of ``days``."""
    folded = ledger.fold(known)
    for day in days:
        assert_frame_equal(
            ledger.counts(day).sort(COUNTS.key), count_stays(folded, day).sort(COUNTS.key)
        )


def check_lists_and_reporting(ledger: Ledger) -> None:
    """Before anything was purged: counts that only ever grow are those of the events."""
    events = ledger.events()
    assert_frame_equal(ledger.lists().sort(LISTS.key), slow_lists(events))
    assert_frame_equal(ledger.reporting().sort(REPORTING.key), slow_reporting(events))
