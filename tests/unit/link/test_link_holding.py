"""Reports held from block to block are what joining and picking anew would give."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sojourn.link.holding import HeldReports
from sojourn.link.reports import Reports

KINDS = {f.name: f.type for f in fields(Reports)}


def some(rng: np.random.Generator, count: int) -> Reports:
    """Reports that are all different, with none to five keys each."""
    held = rng.integers(0, 6, count)
    offsets = np.concatenate([[0], np.cumsum(held)]).astype(np.int64)
    keys = int(offsets[-1])

    def of(kind: type, size: int = count) -> NDArray[Any]:
        return rng.integers(0, np.iinfo(kind).max, size, dtype=kind)

    return Reports(
        of(np.uint64), of(np.uint64), of(np.uint8), of(np.uint8), of(np.int64), of(np.int64),
        of(np.int32), of(np.uint16), of(np.uint8), of(np.int16), offsets, of(np.uint64, keys),
        of(np.uint8, keys),
    )  # fmt: skip


def rows(reports: Reports) -> list[tuple[object, ...]]:
    """Row by row, as slowly as can be."""
    plain = [f.name for f in fields(Reports)][:10]
    return [
        (
            *(getattr(reports, name)[i].item() for name in plain),
            reports.keys[reports.offsets[i] : reports.offsets[i + 1]].tolist(),
            reports.kinds[reports.offsets[i] : reports.offsets[i + 1]].tolist(),
        )
        for i in range(reports.count)
    ]


@given(
    seed=st.integers(0, 1 << 32),
    steps=st.lists(st.tuples(st.integers(0, 12), st.sampled_from([0.0, 0.5, 1.0])), max_size=6),
)
def test_held_reports_are_those_that_came_and_stayed(
    seed: int, steps: list[tuple[int, float]]
) -> None:
    rng = np.random.default_rng(seed)
    first = some(rng, 4)
    held, expected = HeldReports(first), rows(first)
    for count, share in steps:
        fresh = some(rng, count)
        before = rows(fresh)
        held.add(fresh)
        expected += before
        assert rows(held.reports) == expected
        stays = rng.random(held.count) < share
        held.keep(stays)
        expected = [row for row, stay in zip(expected, stays, strict=True) if stay]
        assert rows(held.reports) == expected
        assert held.count == len(expected)
        assert rows(fresh) == before, "what was given is not written to"


def test_room_is_used_again() -> None:
    rng = np.random.default_rng(1)
    held = HeldReports(some(rng, 100))
    held.add(some(rng, 100))
    lies = held.reports.keys.ctypes.data
    for _ in range(20):
        held.keep(np.arange(held.count) % 2 == 0)
        held.add(some(rng, 100))
    assert held.reports.keys.ctypes.data == lies
