"""The fast linking says exactly what plain linking says, on small made-up borders."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.plain_linking import (
    DAY,
    START,
    Report,
    encodings,
    keys_of,
    link_plainly,
    shuffled,
)
from sojourn.link import LiveLinker, link, load_weights
from sojourn.policy import load_policy

POLICY = load_policy()
TABLE = load_weights()

# A traveller may lose the document, a name, the date; may carry another's document number.
traveller_keys = st.builds(
    keys_of,
    st.integers(0, 2),
    document=st.sampled_from([None, 0, 1, 2, 3]),
    names=st.integers(0, 3),
    dated=st.booleans(),
    bit=st.sampled_from([0, 0, 0, 0x80]),
)


@st.composite
def border(draw: st.DrawFn, *, most: int = 14) -> list[Report]:
    """Reports of few travellers at few moments, so that they meet, tie and overlap."""
    count = draw(st.integers(most // 3, most))
    out = []
    for number in range(count):
        source, evidence = draw(
            st.sampled_from(
                [("booth", "crossed"), ("booth", "crossed"), ("gate", "crossed"),
                 ("carrier", "boarded"), ("agent", "booked")]
            )
        )  # fmt: skip
        out.append(
            Report(
                ref=bytes([draw(st.integers(0, 255)), number, *range(14)]),
                time=START
                + timedelta(hours=draw(st.sampled_from([0, 1, 2, 9, 30, 31, 200, 2000]))),
                direction=draw(st.sampled_from(["arrival", "departure"])),
                source=source,
                evidence=evidence,
                keys=draw(traveller_keys),
                sex=draw(st.sampled_from([None, "F", "M"])),
                nationality=draw(st.sampled_from([None, "UTO", "XXK"])),
                admission_class=draw(st.sampled_from([None, "visitor", "nowhere"])),
                recorded=START + timedelta(hours=draw(st.integers(2000, 2003))),
                withdrawn=draw(st.sampled_from([False] * 9 + [True])),
            )
        )
    return out


def found(reports: list[Report]) -> tuple[set[tuple[bytes, bytes]], dict[bytes, bytes]]:
    linked = link(encodings(reports), TABLE, POLICY.linkage, POLICY.digest)
    links = set(linked.links.select("arrival_ref", "departure_ref").iter_rows())
    return links, dict(linked.merges.iter_rows())


@settings(max_examples=400, deadline=None)
@given(border())
def test_link_agrees_with_plain_linking(reports: list[Report]) -> None:
    links, merges = found(reports)
    plain = link_plainly(reports, TABLE, POLICY.linkage)
    assert merges == plain.merges
    assert links == plain.links


@settings(max_examples=100, deadline=None)
@given(border(), st.integers(0, 1000))
def test_the_order_of_rows_changes_nothing(reports: list[Report], seed: int) -> None:
    assert found(shuffled(reports, seed)) == found(reports)


@settings(max_examples=150, deadline=None)
@given(border(most=24))
def test_each_crossing_has_one_partner_and_no_booking_makes_a_stay(reports: list[Report]) -> None:
    links, merges = found(reports)
    by_ref = {r.ref: r for r in reports}
    ends = [ref for pair in links for ref in pair]
    assert len(ends) == len(set(ends))
    assert not any(ref in merges for ref in ends), "only standing reports are linked"
    for arrival, departure in links:
        assert by_ref[arrival].direction == "arrival"
        assert by_ref[departure].direction == "departure"
        assert by_ref[arrival].time <= by_ref[departure].time
        assert "booked" not in {by_ref[arrival].evidence, by_ref[departure].evidence}
        assert not by_ref[arrival].withdrawn
        assert not by_ref[departure].withdrawn


@settings(max_examples=150, deadline=None)
@given(border(most=24))
def test_a_crossing_holds_one_booth_record_and_each_list_once(reports: list[Report]) -> None:
    _, merges = found(reports)
    by_ref = {r.ref: r for r in reports}
    for standing in set(merges.values()):
        group = [by_ref[standing], *(by_ref[r] for r, into in merges.items() if into == standing)]
        assert sum(r.evidence == "crossed" for r in group) <= 1
        assert len({r.source for r in group}) == len(group)
        assert len({r.direction for r in group}) == 1


@settings(max_examples=200, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=16), st.integers(0, 3))
def test_stays_of_one_traveller_do_not_overlap(leaves: list[bool], seed: int) -> None:
    keys = keys_of(1, document=1)
    steps = [START + (n * (3 + seed) + n % 3) * DAY for n in range(len(leaves))]
    reports = [
        Report(
            bytes([n] * 16), at, "departure" if left else "arrival", keys=keys,
            sex="F", nationality="UTO",
        )
        for n, (at, left) in enumerate(zip(steps, leaves, strict=True))
    ]  # fmt: skip
    links, _ = found(reports)
    time = {r.ref: r.time for r in reports}
    stays = sorted((time[a], time[d]) for a, d in links)
    assert all(before[1] < after[0] for before, after in pairwise(stays))
    # Whoever came and was next seen leaving is linked.
    in_turn = [n for n in range(1, len(leaves)) if leaves[n] and not leaves[n - 1]]
    assert len(links) == len(in_turn)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 30), st.integers(0, 1000), st.data())
def test_live_finds_what_bulk_finds_however_records_are_batched(
    travellers: int, seed: int, data: st.DataObject
) -> None:
    """Travellers who are easily told apart, reported in time order: nothing waits, all agrees."""
    reports = []
    for who in range(travellers):
        keys = keys_of(who, document=who)
        for visit in range(2):
            came = START + (visit * 60 + (who * 7 + seed) % 23) * DAY
            left = came + timedelta(days=1 + (who + seed) % 9)
            for direction, at in (("arrival", came), ("departure", left)):
                ref = bytes([who, visit, direction == "arrival"] + [0] * 13)
                reports.append(Report(ref, at, direction, keys=keys, sex="M", nationality="UTO"))
    reports.sort(key=lambda r: (r.time, r.ref))
    links, _ = found(reports)
    linker = LiveLinker(TABLE, POLICY.linkage, POLICY.digest)
    got: set[tuple[bytes, bytes]] = set()
    while reports:
        size = data.draw(st.integers(1, 9))
        batch, reports = reports[:size], reports[size:]
        decision = linker.decide(encodings(batch))
        linker.settle(decision)
        got |= set(decision.linked.links.select("arrival_ref", "departure_ref").iter_rows())
    assert got == links
    assert len(got) == 2 * travellers


@settings(max_examples=100, deadline=None)
@given(border(most=24), st.integers(1, 5))
def test_live_keeps_the_rules_that_bulk_keeps(reports: list[Report], size: int) -> None:
    reports = [r for r in reports if not r.withdrawn]
    linker = LiveLinker(TABLE, POLICY.linkage, POLICY.digest)
    frames = []
    for start in range(0, len(reports), size):
        decision = linker.decide(encodings(reports[start : start + size]))
        linker.settle(decision)
        frames.append(decision.linked.links)
    if not frames:
        return
    links = pl.concat(frames)
    ends = pl.concat([links["arrival_ref"], links["departure_ref"]])
    assert ends.n_unique() == len(ends)
    by_ref = {r.ref: r for r in reports}
    for arrival, departure in links.select("arrival_ref", "departure_ref").iter_rows():
        assert by_ref[arrival].time <= by_ref[departure].time
        assert (by_ref[arrival].direction, by_ref[departure].direction) == ("arrival", "departure")
