"""The index finds what a dict of sets finds, whatever is put in, taken out and in which order."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lib.plain_linking import DAY, START, Report, encodings, keys_of, pattern_of_pair
from sojourn.errors import LinkageError
from sojourn.link import LiveLinker, load_weights
from sojourn.link import slots as sl
from sojourn.link import table as tb
from sojourn.link.keyroom import MOST_KEYS, KeyRoom
from sojourn.link.linker import LinkIndex, Pairs
from sojourn.policy import load_policy
from sojourn.schemas import KeyKind

POLICY = load_policy()
TABLE = load_weights()
# Few homes, so that they are crowded: keys that differ in their upper half alone, or below it.
crowded_keys = st.builds(
    lambda high, low: (high << 40) | low, st.integers(0, 12), st.integers(0, 2)
)
spread_keys = st.integers(0, 2**64 - 1)
any_key = st.one_of(crowded_keys, spread_keys, st.just(2**64 - 1))


def found_under(table: tb.Table, key: int) -> list[int]:
    """Every entry that a search for ``key`` meets."""
    asked = np.uint64(key)
    home = tb.home_of(asked, table)
    p, out = tb.run_of(home, table), []
    while tb.at_home(p, home, table):
        out.append(int(table.slot[p]))
        p += 1
    e = tb.crowd_of(asked, table)
    while e != tb.NONE:
        if table.key[e] == asked:
            out.append(int(table.owner[e]))
        e = int(table.next[e])
    return out


def home_under(table: tb.Table, key: int) -> int:
    return int(tb.home_of(np.uint64(key), table))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.booleans(), any_key, st.integers(0, 40)), max_size=300))
def test_a_table_holds_the_entries_that_were_put_in_and_not_taken_out(
    steps: list[tuple[bool, int, int]],
) -> None:
    table = tb.new_table(0)
    held: list[tuple[int, int]] = []
    for puts, key, slot in steps:
        if puts:
            tb.insert(table, np.uint64(key), slot)
            held.append((key, slot))
        else:
            # A table does not hold keys: one that has this home and slot may go in its place.
            homes = [(home_under(table, k), s) for k, s in held]
            there = (home_under(table, key), slot) in homes
            if (key, slot) in held:
                assert tb.delete(table, np.uint64(key), slot)
                held.remove((key, slot))
            elif not there:
                assert not tb.delete(table, np.uint64(key), slot)
    assert table.entries + int(table.counts[1]) == len(held)
    for key in {k for k, _ in held}:
        wanted = sorted(s for k, s in held if k == key)
        got = sorted(found_under(table, key))
        at_this_home = sorted(s for k, s in held if home_under(table, k) == home_under(table, key))
        assert set(wanted) <= set(got), "nobody is missed"
        assert set(got) <= set(at_this_home), "and only of this home is anybody met"
    assert int((table.far != 0).sum()) == table.entries


@pytest.mark.parametrize("copies", [200, 254, 255, 256, 3000])
def test_a_key_that_thousands_share_crowds_out_nobody(copies: int) -> None:
    table = tb.new_table(0)
    others = [(5 * n << 52) | 7 for n in range(800)]
    for slot, key in enumerate(others):
        tb.insert(table, np.uint64(key), slot)
    for slot in range(copies):
        table = tb.with_crowd_room(table, 1)
        tb.insert(table, np.uint64(5 << 52), 10_000 + slot)
    assert int(table.counts[1]) >= copies - tb.FARTHEST
    assert sorted(found_under(table, 5 << 52))[-copies:] == [10_000 + n for n in range(copies)]
    for slot in range(3):  # of the home before: what lies farthest cannot be moved any farther
        table = tb.with_crowd_room(table, 1)
        tb.insert(table, np.uint64(1 << 50), 20_000 + slot)
    assert {20_000, 20_001, 20_002} <= set(found_under(table, 1 << 50))
    for slot, key in enumerate(others):
        assert slot in found_under(table, key)
    for slot in range(3):
        assert tb.delete(table, np.uint64(1 << 50), 20_000 + slot)
    for slot in range(copies):
        assert tb.delete(table, np.uint64(5 << 52), 10_000 + slot)
    assert (table.entries, int(table.counts[1])) == (800, 0)


@dataclass
class Twin:
    """The index as anybody would write it: reports by reference, keys by value."""

    reports: dict[bytes, Report] = field(default_factory=dict)

    def partners(self, asked: Report) -> set[tuple[bytes, int]]:
        """Who of the arrivals held shares a key with a departure, and in which pattern."""
        by_key: dict[int, set[bytes]] = defaultdict(set)
        for ref, report in self.reports.items():
            for _, key in report.keys:
                by_key[key].add(ref)
        shared: set[bytes] = set().union(*(by_key[key] for _, key in asked.keys))
        out = set()
        for ref in shared:
            if self.reports[ref].direction == "arrival" and self.reports[ref].time <= asked.time:
                out.add((ref, pattern_of_pair(self.reports[ref], asked) or 0))
        return out


def refs_of(index: LinkIndex, slots: NDArray[np.int32]) -> list[bytes]:
    held = index.slots
    pairs = zip(held.ref_high[slots].tolist(), held.ref_low[slots].tolist(), strict=True)
    return [h.to_bytes(8, "big") + low.to_bytes(8, "big") for h, low in pairs]


def asked_of(index: LinkIndex, report: Report) -> set[tuple[bytes, int]]:
    slots = index.add(encodings([report]))
    links = index.propose(slots).links
    out = set(zip(refs_of(index, links.one), links.pattern.tolist(), strict=True))
    index.remove(slots)
    return out


@st.composite
def keys_of_some(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    """Keys as the encoder makes them, or those of a policy without a coarser kind."""
    keys = keys_of(
        draw(st.integers(0, 5)),
        document=draw(st.sampled_from([None, 0, 1, 2])),
        names=draw(st.integers(0, 3)),
        dated=draw(st.booleans()),
        bit=draw(st.sampled_from([0, 0, 0x80])),
    )
    without = draw(st.sampled_from([None] * 4 + [KeyKind.SOUND_DATE, KeyKind.DOCUMENT_OCR]))
    return tuple((kind, key) for kind, key in keys if kind & 0x7F != without)


moves = st.lists(
    st.tuples(st.sampled_from(["add", "add", "add", "remove", "ask"]), st.integers(0, 11),
              keys_of_some(), st.integers(0, 4)),
    max_size=40,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(moves)
def test_the_index_proposes_what_a_dict_of_sets_proposes(
    steps: list[tuple[str, int, tuple[tuple[int, int], ...], int]],
) -> None:
    """From next to no room on, so that slots, keys and tables grow and are moved together."""
    index, twin = LinkIndex(TABLE, POLICY.linkage, room=1, keys=1), Twin()
    for what, number, keys, day in steps:
        ref = number.to_bytes(16, "big")
        report = Report(ref, START + day * DAY, keys=keys, sex="F", nationality="UTO")
        if what == "ask":
            leaving = replace(report, ref=b"?" * 16, direction="departure")
            assert asked_of(index, leaving) == twin.partners(leaving)
            continue
        if ref in twin.reports:
            index.remove(index.find(pl.Series([ref])))
            del twin.reports[ref]
        if what == "add":
            index.add(encodings([report]))
            twin.reports[ref] = report
    assert index.reports == len(twin.reports)
    held = index.find(pl.Series([n.to_bytes(16, "big") for n in range(12)], dtype=pl.Binary))
    assert [s != sl.NONE for s in held.tolist()] == [
        n.to_bytes(16, "big") in twin.reports for n in range(12)
    ]


def pairs_and_patterns(index: LinkIndex, links: Pairs) -> dict[tuple[bytes, bytes], int]:
    ends = zip(refs_of(index, links.one), refs_of(index, links.other), strict=True)
    return dict(zip(ends, links.pattern.tolist(), strict=True))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 3), keys_of_some()), max_size=14),
    st.sampled_from([1, 2, 48]),
)
def test_bulk_and_live_give_each_pair_the_pattern_of_all_that_it_shares(
    drawn: list[tuple[bool, int, tuple[tuple[int, int], ...]]], per_key: int
) -> None:
    reports = [
        Report(bytes([day, n] * 8), START + day * DAY, "departure" if leaves else "arrival",
               keys=keys, sex="F")
        for n, (leaves, day, keys) in enumerate(drawn)
    ]  # fmt: skip
    reports.sort(key=lambda r: (r.time, r.ref))
    plain = {
        (a.ref, d.ref): pattern
        for a in reports if a.direction == "arrival"
        for d in reports if d.direction == "departure" and a.time <= d.time
        if (pattern := pattern_of_pair(a, d)) is not None
    }  # fmt: skip
    policy = replace(POLICY.linkage, candidates_per_key=per_key)
    bulk, live = LinkIndex(TABLE, policy), LinkIndex(TABLE, policy)
    at_once = bulk.add_at_once(bulk.words.read(encodings(reports)))
    asked = live.propose(live.add(encodings(reports)))
    for index, proposal in ((bulk, at_once), (live, asked)):
        found = pairs_and_patterns(index, proposal.links)
        assert len(found) == proposal.links.one.size, "each pair once"
        assert found.items() <= plain.items()
        if not proposal.capped:
            assert found == plain
    assert per_key < 48 or not (at_once.capped or asked.capped)


def test_a_key_that_was_cut_short_still_counts_for_a_pair_that_another_key_found() -> None:
    year, day = (int(KeyKind.PAIR_YEAR), 3 << 60), (int(KeyKind.PAIR_DAY), 9 << 60)
    farther, nearer = (
        Report(b"a" * 16, START, keys=(year, day)),
        Report(b"b" * 16, START + DAY, keys=(day,)),
    )
    leaving = Report(b"c" * 16, START + 2 * DAY, "departure", keys=(year, day))
    reports = [farther, nearer, leaving]
    one_each = replace(POLICY.linkage, candidates_per_key=1)
    bulk, live = LinkIndex(TABLE, one_each), LinkIndex(TABLE, one_each)
    at_once = bulk.add_at_once(bulk.words.read(encodings(reports)))
    asked = live.propose(live.add(encodings(reports)))
    for index, proposal in ((bulk, at_once), (live, asked)):
        assert proposal.capped == 1
        found = pairs_and_patterns(index, proposal.links)
        assert found == {
            (came.ref, leaving.ref): pattern_of_pair(came, leaving) for came in (farther, nearer)
        }


def test_a_slot_that_lies_twice_at_one_home_is_met_once() -> None:
    """Two keys of one record, side by side in the table: one of them is asked about."""
    one_each = replace(POLICY.linkage, candidates_per_key=1)
    index = LinkIndex(TABLE, one_each)
    keys = ((int(KeyKind.PAIR_YEAR), 7 << 50), (int(KeyKind.PAIR_DAY), (7 << 50) | 1))
    index.add(encodings([Report(b"a" * 16, START, keys=keys)]))
    leaving = Report(b"b" * 16, START + DAY, "departure", keys=keys[:1])
    assert found_under(index.table, 7 << 50) == [0, 0]
    proposal = index.propose(index.add(encodings([leaving])))
    assert proposal.links.one.tolist() == [0]
    assert proposal.capped == 0


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 6)), max_size=80),
    st.integers(1, 40),
)
def test_blocks_of_keys_stay_whole_while_room_is_moved_and_grown(
    steps: list[tuple[bool, int, int]], first_room: int
) -> None:
    slots = sl.new_slots(10)
    room = KeyRoom(slots.at, slots.held, first_room)
    held: dict[int, list[int]] = {}
    for number, (puts, slot, count) in enumerate(steps):
        at = np.array([slot], np.int32)
        if slot in held:
            room.drop(at)
            del held[slot]
        if puts:
            keys = [number * 100 + k + 1 for k in range(count)]
            ends = np.array([0, count], np.int64)
            room.put(at, ends, np.array(keys, np.uint64), np.full(count, count, np.uint8))
            held[slot] = keys
        for s, wanted in held.items():
            start = int(slots.at[s])
            assert room.keys.key[start : start + int(slots.held[s])].tolist() == wanted
            assert (room.keys.kind[start : start + len(wanted)] == len(wanted)).all()
    most = max([6 * 10, first_room])
    assert room.keys.key.size <= 2 * most + 8, "what lies idle is used again"


def open_stays_counted_again(linker: LiveLinker) -> int:
    held = linker.index.slots
    standing = held.standing == np.arange(held.standing.size)
    wanted = (held.state == sl.OPEN) & (held.direction == 0) & standing
    return int((wanted & (held.strength >= sl.BOARDED)).sum())


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_running_count_of_open_stays_is_what_a_pass_over_all_slots_counts(
    data: st.DataObject,
) -> None:
    linker = LiveLinker(TABLE, POLICY.linkage, POLICY.digest)
    known: list[bytes] = []
    for number in range(data.draw(st.integers(1, 14))):
        source, evidence = data.draw(
            st.sampled_from([("booth", "crossed"), ("carrier", "boarded"), ("agent", "booked")])
        )
        report = Report(
            number.to_bytes(16, "big"),
            START + timedelta(hours=data.draw(st.sampled_from([0, 1, 2, 30, 400]))),
            data.draw(st.sampled_from(["arrival", "arrival", "departure"])), source, evidence,
            keys_of(data.draw(st.integers(0, 1)), document=1), "F", "UTO",
        )  # fmt: skip
        linker.settle(linker.decide(encodings([report])))
        known.append(report.ref)
        move = data.draw(st.sampled_from(["nothing", "forget", "reopen", "let go"]))
        some = pl.Series([data.draw(st.sampled_from(known))], dtype=pl.Binary)
        if move == "forget":
            linker.forget(some)
        elif move == "reopen":
            linker.reopen(some)
        elif move == "let go":
            linker.forget_closed(START + timedelta(days=data.draw(st.integers(10, 40))))
        assert linker.index.open_stays() == open_stays_counted_again(linker)
        assert linker.index.reports == int((linker.index.slots.state != sl.FREE).sum())


def test_a_record_with_more_keys_than_a_block_holds_is_refused_without_its_values() -> None:
    keys = tuple((int(KeyKind.PAIR_YEAR), 1000 + n) for n in range(MOST_KEYS + 1))
    with pytest.raises(LinkageError, match=r"expected at most 255 keys in a record$"):
        LinkIndex(TABLE, POLICY.linkage).add(encodings([Report(b"a" * 16, START, keys=keys)]))


def test_a_kind_of_key_that_nobody_knows_is_refused() -> None:
    report = Report(b"a" * 16, START, keys=((max(KeyKind) + 1, 5),))
    with pytest.raises(LinkageError, match="kinds of key that this Sojourn knows"):
        LinkIndex(TABLE, POLICY.linkage).add(encodings([report]))
