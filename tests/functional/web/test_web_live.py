"""Totals go out as they change."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import polars as pl

from lib.offices import hand_in, small_country
from sojourn.pipeline import Desk, Office
from sojourn_web.figures.live import Broadcaster, build_event
from sojourn_web.figures.statistics import Told


def data_of(event: str) -> dict[str, object]:
    line = next(x for x in event.splitlines() if x.startswith("data: "))
    found: dict[str, object] = json.loads(line.removeprefix("data: "))
    return found


def test_a_commit_is_told_to_every_watcher(statistics: Office) -> None:
    crossings = small_country(stays=20, seed=99).crossings
    now = statistics.clock()
    moved = crossings.with_columns(
        event_time=pl.lit(now - timedelta(minutes=1)).dt.cast_time_unit("us"),
        recorded_at=pl.lit(now).dt.cast_time_unit("us"), local_date=pl.lit(now.date()),
    )  # fmt: skip

    async def scene() -> list[dict[str, object]]:
        sender = Broadcaster(statistics.statistics_url, 0.02)
        streams = [sender.watch(), sender.watch()]
        for stream in streams:
            assert (await anext(stream)).startswith("retry")
        waiting = [asyncio.ensure_future(anext(stream)) for stream in streams]
        await asyncio.sleep(0.2)

        def land() -> None:
            with Desk(statistics) as desk:
                hand_in(desk, statistics, moved, "landed")

        await asyncio.to_thread(land)
        events = await asyncio.wait_for(asyncio.gather(*waiting), 20)
        for stream in streams:
            await stream.aclose()  # type: ignore[attr-defined]
        return [data_of(e) for e in events]

    told = asyncio.run(scene())
    with statistics.open_ledger() as ledger:
        today = now.date()
        totals = {n: v for d, n, v in ledger.totals().iter_rows() if d == today}
    for word in told:
        assert word["totals"][today.isoformat()]["arrivals"] == totals["arrivals"]  # type: ignore[index]


def test_several_words_become_one_event_with_the_newest_totals() -> None:
    words = [
        Told(1, "totals", {"2026-01-01": {"departures": 1}, "2026-01-02": {"departures": 5}}),
        Told(2, "totals", {"2026-01-01": {"departures": 2}}),
        Told(3, "measures", {}),
    ]
    word = data_of(build_event(words))
    assert word["totals"] == {"2026-01-01": {"departures": 2}, "2026-01-02": {"departures": 5}}
    assert word["cells"] is True
