"""What an open stay takes of memory: all of it counted, at most 400 bytes, also while growing."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

from sojourn.link import LiveLinker, load_weights
from sojourn.link.reports import Reports
from sojourn.policy import load_policy
from sojourn.schemas import KeyKind

POLICY = load_policy()
TABLE = load_weights()
MOST_BYTES = 400
STAYS, BATCH = 50_000, 500
# Sixteen keys, of which a search goes by thirteen.
KINDS = np.array(
    [KeyKind.DOCUMENT, KeyKind.DOCUMENT_OCR, *[KeyKind.NAME_DATE] * 2, *[KeyKind.SOUND_DATE] * 3,
     *[KeyKind.PAIR_YEAR] * 4, *[KeyKind.PAIR_DAY] * 4, KeyKind.NAMES_SEX], np.uint8,
)  # fmt: skip


def strangers(count: int, seed: int) -> Reports:
    """Arrivals of whom no two share anything, an hour apart."""
    rng = np.random.default_rng(seed)
    times = (seed * count + np.arange(count)) * 3_600_000_000
    return Reports(
        ref_high=rng.integers(0, 2**64, count, np.uint64),
        ref_low=rng.integers(0, 2**64, count, np.uint64),
        direction=np.zeros(count, np.uint8),
        evidence=np.full(count, 2, np.uint8),
        time=times,
        recorded=times.copy(),
        source=np.ones(count, np.int32),
        nationality=np.ones(count, np.uint16),
        sex=np.ones(count, np.uint8),
        curve=np.zeros(count, np.int16),
        offsets=np.arange(count + 1, dtype=np.int64) * KINDS.size,
        keys=rng.integers(0, 2**64, count * KINDS.size, np.uint64),
        kinds=np.tile(KINDS, count),
    )


@pytest.fixture(scope="module")
def warm() -> None:
    """Compile before anything is counted."""
    linker = LiveLinker(TABLE, POLICY.linkage, POLICY.digest)
    linker.settle(linker.answer(strangers(3, 0)))


@pytest.mark.usefixtures("warm")
def test_an_open_stay_takes_at_most_400_bytes_at_any_time_while_they_grow_in_number() -> None:
    linker = LiveLinker(TABLE, POLICY.linkage, POLICY.digest)
    worst = 0.0
    for batch in range(STAYS // BATCH):
        linker.settle(linker.answer(strangers(BATCH, batch)))
        if linker.index.open_stays() >= STAYS // 4:
            worst = max(worst, linker.bytes_used / linker.index.open_stays())
    assert linker.index.open_stays() == STAYS
    assert worst <= MOST_BYTES


@pytest.mark.usefixtures("warm")
def test_what_is_said_to_be_used_is_what_was_allocated() -> None:
    linker = LiveLinker(TABLE, POLICY.linkage, POLICY.digest)
    batches = [strangers(BATCH, n) for n in range(60)]
    gc.collect()
    tracemalloc.start()
    said = linker.bytes_used
    for batch in batches:
        linker.index.add_reports(batch)
    gc.collect()
    allocated = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    grown = linker.bytes_used - said
    # What was there before the tracing is not traced until it is moved: at most as much as that.
    assert grown <= allocated <= linker.bytes_used + 64_000


@pytest.mark.usefixtures("warm")
def test_stays_that_come_and_go_take_no_more_room_than_those_that_are_there() -> None:
    """Twenty times the index's contents pass through it."""
    linker = LiveLinker(TABLE, POLICY.linkage, POLICY.digest)
    held = [linker.index.add_reports(strangers(BATCH, n)) for n in range(10)]
    full = linker.bytes_used
    for n in range(10, 210):
        linker.index.remove(held.pop(0))
        held.append(linker.index.add_reports(strangers(BATCH, n)))
    assert linker.index.reports == 10 * BATCH
    assert linker.bytes_used <= 1.2 * full
