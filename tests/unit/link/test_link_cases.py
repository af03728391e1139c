"""Cases that linking must get right, one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from lib.plain_linking import DAY, HOUR, START, Report, encodings, keys_of
from sojourn.errors import LinkageError
from sojourn.link import Linked, LiveLinker, link, load_weights
from sojourn.policy import LinkagePolicy, load_policy
from sojourn.schemas import COARSER, KeyKind

POLICY = load_policy()
TABLE = load_weights()


def ref(number: int) -> bytes:
    return number.to_bytes(16, "big")


def person(
    number: int, traveller: int, day: float, *, leaves: bool = False, **more: object
) -> Report:
    made = Report(
        ref(number), START + day * DAY, "departure" if leaves else "arrival",
        keys=keys_of(traveller, document=traveller), sex="F", nationality="UTO",
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def linked(*reports: Report, policy: LinkagePolicy = POLICY.linkage) -> Linked:
    return link(encodings(reports), TABLE, policy, POLICY.digest)


def pairs(found: Linked) -> set[tuple[int, int]]:
    rows = found.links.select("arrival_ref", "departure_ref").iter_rows()
    return {(int.from_bytes(a), int.from_bytes(d)) for a, d in rows}


def merged(found: Linked) -> dict[int, int]:
    return {int.from_bytes(r): int.from_bytes(by) for r, by in found.merges.iter_rows()}


def searched_by(traveller: int) -> int:
    """Keys that a search goes by: a finer kind is compared when two have met."""
    return sum(kind not in COARSER for kind, _ in keys_of(traveller, document=traveller))


def test_nothing_in_gives_nothing_out() -> None:
    found = linked()
    assert found.links.is_empty()
    assert found.merges.is_empty()


def test_a_departure_finds_its_arrival_and_says_under_which_policy() -> None:
    found = linked(person(1, 1, 0), person(2, 1, 9, leaves=True), person(3, 2, 8, leaves=True))
    assert pairs(found) == {(1, 2)}
    assert found.links["policy_digest"].to_list() == [POLICY.digest]
    assert 0.5 < found.links["match_probability"][0] <= 1


def test_a_departure_before_the_arrival_is_not_its_end() -> None:
    assert pairs(linked(person(1, 1, 9), person(2, 1, 0, leaves=True))) == set()


def test_of_two_arrivals_the_nearer_one_is_meant() -> None:
    found = linked(person(1, 1, 0), person(2, 1, 30), person(3, 1, 35, leaves=True))
    assert pairs(found) == {(2, 3)}


def test_a_departure_nobody_recorded_does_not_make_one_long_stay() -> None:
    """Came, came again, left, left again: a departure and an arrival between are missing."""
    found = linked(
        person(1, 1, 0), person(2, 1, 30), person(3, 1, 35, leaves=True),
        person(4, 1, 60, leaves=True),
    )  # fmt: skip
    assert pairs(found) == {(2, 3)}


def test_a_twin_inside_a_twins_stay_keeps_a_stay_of_their_own() -> None:
    """Same surname and birth date, numbers side by side; the one who came first left last."""
    shared = keys_of(1, names=1)
    first = (*shared, *keys_of(2, document=2, names=2))
    second = (*shared, *keys_of(3, document=3, names=2))
    found = linked(
        person(1, 0, 0, keys=first), person(2, 0, 0.01, keys=second),
        person(3, 0, 9, leaves=True, keys=second), person(4, 0, 9.01, leaves=True, keys=first),
    )  # fmt: skip
    assert pairs(found) == {(1, 4), (2, 3)}


def test_a_stay_longer_than_the_policy_allows_is_no_candidate() -> None:
    limit = POLICY.linkage.max_stay_days
    found = linked(person(1, 1, 0), person(2, 1, limit + 1, leaves=True))
    assert found.candidates == 0


def test_a_booking_makes_no_stay_until_somebody_boards() -> None:
    booked = person(2, 1, 9, leaves=True, source="agent", evidence="booked")
    assert pairs(linked(person(1, 1, 0), booked)) == set()
    boarded = person(3, 1, 9.1, leaves=True, source="carrier", evidence="boarded")
    found = linked(person(1, 1, 0), booked, boarded)
    assert merged(found) == {2: 3}
    assert pairs(found) == {(1, 3)}


def test_the_strongest_evidence_stands_for_a_crossing() -> None:
    found = linked(
        person(1, 1, 0, source="carrier", evidence="boarded"),
        person(2, 1, 0.05),
        person(3, 1, 7, leaves=True),
    )
    assert merged(found) == {1: 2}
    assert pairs(found) == {(2, 3)}


def test_two_booths_never_record_one_crossing_even_through_a_carrier() -> None:
    found = linked(
        person(1, 1, 0.00, source="booth"),
        person(2, 1, 0.05, source="carrier", evidence="boarded"),
        person(3, 1, 0.10, source="gate"),
    )
    assert merged(found) in ({2: 1}, {2: 3})


def test_reports_further_apart_than_the_policy_says_are_two_crossings() -> None:
    hours = POLICY.linkage.merge_hours
    carrier = person(1, 1, 0, source="carrier", evidence="boarded")
    at = carrier.time + hours * HOUR
    assert merged(linked(carrier, person(2, 1, 0, time=at))) == {1: 2}
    assert merged(linked(carrier, person(2, 1, 0, time=at + timedelta(microseconds=1)))) == {}


def test_a_withdrawn_report_takes_no_part() -> None:
    found = linked(person(1, 1, 0, withdrawn=True), person(2, 1, 9, leaves=True))
    assert pairs(found) == set()


def test_a_report_without_any_key_is_counted_not_lost_in_silence() -> None:
    found = linked(person(1, 1, 0, keys=()), person(2, 1, 9, leaves=True))
    assert found.without_keys == 1
    assert pairs(found) == set()


def test_two_travellers_without_any_key_are_not_one() -> None:
    assert linked(person(1, 1, 0, keys=()), person(2, 2, 9, leaves=True, keys=())).candidates == 0


def test_a_key_shared_by_more_than_the_cap_keeps_the_nearest_and_is_counted() -> None:
    capped = replace(POLICY.linkage, candidates_per_key=3)
    crowd = [person(n, 1, n) for n in range(10)]
    found = linked(*crowd, person(99, 1, 20, leaves=True), policy=capped)
    assert found.candidates == 3
    assert found.capped == searched_by(1), "one for each key asked about"
    assert pairs(found) == {(9, 99)}
    assert linked(*crowd, person(99, 1, 20, leaves=True)).capped == 0


def test_live_counts_what_the_cap_dropped_too() -> None:
    capped = replace(POLICY.linkage, candidates_per_key=3)
    linker = LiveLinker(TABLE, capped, POLICY.digest)
    for n in range(10):
        linker.settle(linker.decide(encodings([person(n, 1, n)])))
    decision = linker.decide(encodings([person(99, 1, 20, leaves=True)]))
    assert decision.linked.candidates == 3
    assert decision.linked.capped == searched_by(1)
    assert pairs(decision.linked) == {(9, 99)}


def test_an_ambiguous_departure_waits_live_and_is_settled_in_bulk() -> None:
    """Two arrivals of one moment that agree as well with the departure: which, bulk decides."""
    came = [person(1, 1, 0), person(2, 1, 0, source="gate")]
    left = person(3, 1, 9, leaves=True)
    linker = LiveLinker(TABLE, POLICY.linkage, POLICY.digest)
    linker.settle(linker.decide(encodings(came)))
    decision = linker.decide(encodings([left]))
    assert decision.chosen.waiting == 1
    assert pairs(decision.linked) == set()
    assert pairs(linked(*came, left)) == {(1, 3)}


def test_a_linked_stay_looks_for_nobody_until_it_is_reopened() -> None:
    linker = LiveLinker(TABLE, POLICY.linkage, POLICY.digest)
    came, left = encodings([person(1, 1, 0)]), encodings([person(2, 1, 9, leaves=True)])
    linker.settle(linker.decide(came))
    linker.settle(linker.decide(left))
    again = encodings([person(3, 1, 10, leaves=True)])
    assert linker.index.open_stays() == 0
    assert pairs(linker.decide(again).linked) == set()
    assert linker.reopen(came["crossing_ref"]).tolist() == [True]
    linker.forget(left["crossing_ref"])
    assert pairs(linker.decide(encodings([person(4, 1, 8, leaves=True)])).linked) == {(1, 4)}


def test_what_is_forgotten_cannot_be_found_and_gives_its_room_back() -> None:
    linker = LiveLinker(TABLE, POLICY.linkage, POLICY.digest)
    came = encodings([person(n, n, 0) for n in range(50)])
    linker.settle(linker.decide(came))
    before = linker.index.bytes_used
    for _ in range(20):
        linker.forget(came["crossing_ref"])
        assert linker.index.reports == 0
        left = linker.decide(encodings([person(99, 7, 9, leaves=True)]))
        assert pairs(left.linked) == set()
        linker.forget(encodings([person(99, 7, 9, leaves=True)])["crossing_ref"])
        linker.settle(linker.decide(came))
    assert linker.index.bytes_used == before


def test_closed_crossings_are_let_go_after_the_retention_open_ones_never() -> None:
    linker = LiveLinker(TABLE, POLICY.linkage, POLICY.digest)
    linker.settle(linker.decide(encodings([person(1, 1, 0), person(2, 2, 0)])))
    linker.settle(linker.decide(encodings([person(3, 1, 9, leaves=True)])))
    late = START + (9 + POLICY.linkage.merge_retention_days + 1) * DAY
    assert linker.forget_closed(late) == 2
    assert linker.index.open_stays() == 1


def only(*kinds: KeyKind, traveller: int = 1) -> tuple[tuple[int, int], ...]:
    return tuple((k, v) for k, v in keys_of(traveller, document=traveller) if k in kinds)


@pytest.mark.parametrize("finer", COARSER)
def test_a_finer_kind_is_searched_by_where_its_coarser_kind_is_not_made(finer: KeyKind) -> None:
    came, left = person(1, 1, 0, keys=only(finer)), person(2, 1, 9, leaves=True, keys=only(finer))
    assert linked(came, left).candidates == 1
    linker = LiveLinker(TABLE, POLICY.linkage, POLICY.digest)
    linker.settle(linker.decide(encodings([came])))
    assert linker.decide(encodings([left])).linked.candidates == 1


@pytest.mark.parametrize("finer", COARSER)
def test_records_of_two_policies_still_meet_by_the_finer_kind(finer: KeyKind) -> None:
    """Those that are held have both kinds; then one comes that has the finer kind alone."""
    both = only(finer, COARSER[finer])
    came, left = person(1, 1, 0, keys=both), person(2, 1, 9, leaves=True, keys=only(finer))
    linker = LiveLinker(TABLE, POLICY.linkage, POLICY.digest)
    linker.settle(linker.decide(encodings([came])))
    assert linker.decide(encodings([left])).linked.candidates == 1
    linker.forget(encodings([came, left])["crossing_ref"])
    assert linker.index.table.entries == 0


def test_a_reference_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(LinkageError, match="expected 16 bytes"):
        linked(replace(person(1, 1, 0), ref=b"short"), person(2, 1, 1))


def test_many_travellers_on_one_key_stay_exact_over_growing_rooms() -> None:
    """More reports than the index starts with: it grows, nothing is lost."""
    rng = np.random.default_rng(5)
    days: NDArray[np.float64] = rng.uniform(0, 300, 1500)
    linker = LiveLinker(TABLE, POLICY.linkage, POLICY.digest)
    came = [person(n, n, float(day)) for n, day in enumerate(days)]
    linker.settle(linker.decide(encodings(came[:700])))
    linker.settle(linker.decide(encodings(came[700:])))
    left = [person(5000 + n, n, float(day) + 5, leaves=True) for n, day in enumerate(days)]
    found = linker.decide(encodings(left)).linked
    assert pairs(found) == {(n, 5000 + n) for n in range(1500)}
