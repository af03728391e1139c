"""One reader of the outbox for all who watch: totals go out as server-sent events.

The reader runs while anybody watches, asks every LIVE_POLL_SECONDS, and hands each word to every
watcher's queue. A watcher that cannot keep up misses words, never gets them late: each word holds
whole totals, not differences.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from django.conf import settings

from sojourn_web.figures import statistics

HEARTBEAT_SECONDS = 15.0
WAITING = 8  # words a watcher may be behind


class Broadcaster:
    """Fans words out to watchers of one event loop."""

    def __init__(self, url: str, poll_seconds: float) -> None:
        self._url, self._poll = url, poll_seconds
        self._watchers: set[asyncio.Queue[str]] = set()
        self._reader: asyncio.Task[None] | None = None

    async def watch(self) -> AsyncIterator[str]:
        """Server-sent events from now on, with heartbeats."""
        queue: asyncio.Queue[str] = asyncio.Queue(WAITING)
        self._watchers.add(queue)
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        try:
            yield "retry: 1000\n\n"
            while True:
                try:
                    yield await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._watchers.discard(queue)

    async def _read(self) -> None:
        last = await asyncio.to_thread(statistics.newest_word, self._url)
        while self._watchers:
            await asyncio.sleep(self._poll)
            words = await asyncio.to_thread(statistics.read_words, self._url, last)
            if not words:
                continue
            last = words[-1].number
            self._tell(build_event(words))

    def _tell(self, event: str) -> None:
        for queue in self._watchers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)


def build_event(words: list[statistics.Told]) -> str:
    """Several words as one event: of each day the newest totals."""
    totals: dict[str, dict[str, int]] = {}
    for word in words:
        totals |= word.totals
    data = {
        "at": datetime.now(UTC).strftime("%H:%M:%S"),
        "day": datetime.now(UTC).date().isoformat(),
        "totals": totals,
        "cells": any(word.kind == "measures" for word in words),
        "estimates": any(word.kind == "estimates" for word in words),
    }
    return f"id: {words[-1].number}\nevent: totals\ndata: {json.dumps(data)}\n\n"


_broadcasters: dict[asyncio.AbstractEventLoop, Broadcaster] = {}


def broadcaster() -> Broadcaster:
    """The one of this event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _broadcasters:
        _broadcasters.clear()
        _broadcasters[loop] = Broadcaster(settings.STATISTICS_URL, settings.LIVE_POLL_SECONDS)
    return _broadcasters[loop]
