"""Keys put into order heap by heap, and patterns that may yet be wanted, against the plain way."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.link.patterns import (
    FIELDS,
    LIMIT,
    PATTERNS,
    RISES,
    Document,
    decode_patterns,
    encode_patterns,
    reachable,
)
from sojourn.link.sorting import FIRST_AT, KIND_AT, LEAVES_AT, NONE, sort_keys
from sojourn.schemas import KeyKind

any_key = st.one_of(
    st.integers(0, 2**64 - 1), st.integers(0, 3), st.integers(0, 9).map(lambda k: k << 60)
)
records = st.lists(
    st.tuples(st.booleans(), st.lists(st.tuples(any_key, st.integers(1, 9)), max_size=6)),
    max_size=60,
)
LEFT_OUT = 1 << int(KeyKind.DOCUMENT)


def check_sorted(held: list[tuple[bool, list[tuple[int, int]]]]) -> None:
    """By key, then by slot; each key is told its place unless nobody else has it."""
    offsets = np.cumsum([0, *(len(keys) for _, keys in held)]).astype(np.int64)
    flat = [(key, kind, slot) for slot, (_, keys) in enumerate(held) for key, kind in keys]
    keys = np.array([key for key, _, _ in flat], np.uint64)
    kinds = np.array([kind for _, kind, _ in flat], np.uint8)
    leaves = np.array([leaving for leaving, _ in held], np.uint8)
    position, packed = sort_keys(offsets, keys, kinds, leaves, LEFT_OUT)
    entries = [i for i, (_, kind, _) in enumerate(flat) if kind != int(KeyKind.DOCUMENT)]
    wanted = sorted(entries, key=lambda i: (flat[i][0], i))
    places = {origin: place for place, origin in enumerate(wanted)}
    many = {key for key in keys.tolist() if sum(flat[i][0] == key for i in entries) > 1}
    for i, (key, _, _) in enumerate(flat):
        assert position[i] == (places[i] if i in places and key in many else NONE)
    for place, origin in enumerate(wanted):
        key, kind, slot = flat[origin]
        entry = int(packed[place])
        assert entry & 0xFFFFFFFF == slot
        assert (entry >> KIND_AT) & 0xFF == kind
        assert (entry >> LEAVES_AT) & 1 == held[slot][0]
        assert (entry >> FIRST_AT) & 1 == (place == 0 or flat[wanted[place - 1]][0] != key)


def check_sieved(held: list[tuple[bool, list[tuple[int, int]]]], since: int) -> None:
    """Whoever asks finds the same who share a key, the nearest first, as if all were sorted."""
    offsets = np.cumsum([0, *(len(keys) for _, keys in held)]).astype(np.int64)
    flat = [(key, kind, slot) for slot, (_, keys) in enumerate(held) for key, kind in keys]
    keys = np.array([key for key, _, _ in flat], np.uint64)
    kinds = np.array([kind for _, kind, _ in flat], np.uint8)
    leaves = np.array([leaving for leaving, _ in held], np.uint8)
    position, packed = sort_keys(offsets, keys, kinds, leaves, LEFT_OUT, since)
    begin = int(offsets[since])
    assert position.size == len(flat) - begin
    for i in range(begin, len(flat)):
        key, kind, _ = flat[i]
        same = [n for n, (k, d, _) in enumerate(flat) if k == key and d != int(KeyKind.DOCUMENT)]
        if kind == int(KeyKind.DOCUMENT) or len(same) == 1:
            assert position[i - begin] == NONE
            continue
        place = int(position[i - begin])
        before = []
        while not (int(packed[place]) >> FIRST_AT) & 1:
            place -= 1
            before.append(int(packed[place]) & 0xFFFFFFFF)
        assert before == [flat[n][2] for n in reversed(same) if n < i]


@settings(max_examples=150, deadline=None)
@given(records, st.floats(0, 1))
def test_what_nobody_asks_for_is_left_out_and_nothing_else(
    held: list[tuple[bool, list[tuple[int, int]]]], share: float
) -> None:
    check_sieved(held, round(share * len(held)))


@settings(max_examples=150, deadline=None)
@given(records)
def test_keys_are_sorted_as_plainly_and_equal_ones_keep_their_order(
    held: list[tuple[bool, list[tuple[int, int]]]],
) -> None:
    check_sorted(held)


def test_many_keys_on_many_heaps_are_sorted_as_plainly() -> None:
    rng = np.random.default_rng(3)
    some = rng.integers(0, 2**64, 12_000, np.uint64)
    drawn = [
        (bool(rng.integers(2)), [(int(k), int(rng.integers(1, 10))) for k in rng.choice(some, 5)])
        for _ in range(12_000)
    ]
    offsets = np.arange(0, 60_001, 5).astype(np.int64)
    keys = np.array([k for _, held in drawn for k, _ in held], np.uint64)
    kinds = np.array([kind for _, held in drawn for _, kind in held], np.uint8)
    _, packed = sort_keys(offsets, keys, kinds, np.zeros(12_000, np.uint8), 0)
    order = np.argsort(keys, kind="stable")
    assert np.array_equal(packed & 0xFFFFFFFF, order // 5)
    assert np.array_equal((packed >> KIND_AT) & 0xFF, kinds[order])


def test_a_pattern_may_become_a_wanted_one_where_what_may_rise_rises() -> None:
    """Against every way in which a few patterns can rise."""
    rng = np.random.default_rng(5)
    wanted = rng.random(PATTERNS) < 0.0005
    hope = reachable(wanted)
    names = ["sounds", "pairs_year", "pairs_day", "names_sex", "sides", "birth"]
    kinds = [KeyKind.SOUND_DATE, KeyKind.PAIR_YEAR, KeyKind.PAIR_DAY, KeyKind.NAMES_SEX,
             KeyKind.SIDE_YEAR, KeyKind.BIRTH]  # fmt: skip
    sizes = {f.name: f.size for f in FIELDS}
    assert RISES[int(KeyKind.DOCUMENT)] == RISES[int(KeyKind.DOCUMENT_OCR)] == LIMIT
    for code in rng.integers(0, PATTERNS, 40):
        fields = {n: int(v[0]) for n, v in decode_patterns(np.array([code])).items()}
        for some in (0, 1, 0b100000, int(rng.integers(LIMIT)), LIMIT - 1):
            rising = [n for n, k in zip(names, kinds, strict=True) if some & RISES[int(k)]]
            ways = {n: range(fields[n], sizes[n]) for n in ["names", *rising]}
            if fields["document"] == Document.NEAR:
                ways["document"] = range(Document.NEAR, Document.SAME + 1)
            codes = [
                encode_patterns({n: np.array([v]) for n, v in {**fields, **way}.items()})[0]
                for way in (dict(zip(ways, w, strict=True)) for w in product(*ways.values()))
            ]
            assert bool((int(hope[code]) >> some) & 1) == bool(wanted[codes].any())


def test_where_all_are_wanted_nothing_is_hopeless() -> None:
    assert (reachable(np.ones(PATTERNS, np.bool_)) == 2**64 - 1).all()
