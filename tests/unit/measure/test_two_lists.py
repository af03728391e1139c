"""Two lists, bookings, manifests: right where the assumption holds, told or bounded where not."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from sojourn.measure.bookings import Held, held_in, never_flown, trim
from sojourn.measure.dual import dual_system, from_lists, missed_share
from sojourn.schemas import LISTS, Direction

CROSSED = 20_000


def lists_of(rng: np.random.Generator, together: float = 0.0) -> tuple[int, int, int]:
    """Border 90%, carrier 80%; ``together``: share of crossings where one follows the other."""
    first, second = rng.random(CROSSED), rng.random(CROSSED)
    second = np.where(rng.random(CROSSED) < together, first, second)
    border, carrier = first < 0.9, second < 0.8
    return (
        int((border & carrier).sum()), int((border & ~carrier).sum()),
        int((~border & carrier).sum()),
    )  # fmt: skip


def test_independent_lists_tell_how_many_crossed_19_times_in_20() -> None:
    rng, held = np.random.default_rng(1), 0
    for _ in range(300):
        found = dual_system(*lists_of(rng))
        assert found.independent is not None
        held += found.independent.lower <= CROSSED <= found.independent.upper
        assert found.bounds.lower <= found.independent.lower
    assert 0.91 < held / 300 < 0.99


def test_lists_that_go_together_miss_and_bounds_do_not() -> None:
    found = dual_system(*lists_of(np.random.default_rng(2), together=0.15))
    assert found.independent is not None
    assert found.independent.upper < CROSSED
    assert found.bounds.lower <= CROSSED <= found.bounds.upper


def test_too_few_in_both_give_no_point() -> None:
    assert dual_system(3, 50, 40).independent is None
    none = dual_system(0, 50, 40)
    assert none.independent is None
    assert none.bounds.upper == float("inf")
    assert missed_share(none) is None


def held(flown: int, never: int, false_boarded: int = 0, seed: int = 3) -> Held:
    """All booked four times in five; border 90%, carrier 80% of those who flew."""
    rng = np.random.default_rng(seed)
    border, carrier, booked = (rng.random(flown) < p for p in (0.9, 0.8, 0.8))
    numbers: dict[tuple[bool, bool, bool], int] = {}
    for key in zip(border.tolist(), carrier.tolist(), booked.tolist(), strict=True):
        numbers[key] = numbers.get(key, 0) + 1
    numbers[False, False, True] = numbers.get((False, False, True), 0) + never
    numbers[False, True, False] = numbers.get((False, True, False), 0) + false_boarded
    numbers.pop((False, False, False), None)
    return Held(numbers)


def test_bookings_never_flown_are_told_from_those_that_lists_missed() -> None:
    for seed in range(5):
        found = never_flown(held(20_000, 900, seed=seed))
        assert found is not None
        assert found.never_flown.lower <= 900 <= found.never_flown.upper
        assert found.never_flown.upper < 1_300


def test_where_every_booking_was_flown_none_is_told_to_be_false() -> None:
    found = never_flown(held(20_000, 0))
    assert found is not None
    assert found.never_flown.lower == 0


def test_without_bookings_nothing_is_said() -> None:
    assert never_flown(Held({(True, True, False): 500})) is None


def test_a_list_with_false_entries_steadies_once_they_are_left_out() -> None:
    clean, booked, manifest = (
        trim(held(20_000, 0)), trim(held(20_000, 3_000)), trim(held(20_000, 0, 1_500))
    )  # fmt: skip
    assert clean.steady == "nothing left out"
    assert booked.steady == "bookings left out"
    assert manifest.steady is None
    last = manifest.steps[-1][1].independent
    first = manifest.steps[0][1].independent
    assert last is not None
    assert first is not None
    assert abs(last.value - 20_000) < abs(first.value - 20_000)


def test_lists_are_read_by_direction_mode_and_month() -> None:
    rows = [
        (date(2025, 1, 1), "departure", "air", True, True, False, 90),
        (date(2025, 1, 1), "departure", "air", True, False, False, 10),
        (date(2025, 1, 1), "departure", "air", False, True, False, 5),
        (date(2025, 2, 1), "departure", "air", True, True, False, 1_000),
        (date(2025, 1, 1), "arrival", "air", True, True, False, 7_000),
        (date(2025, 1, 1), "departure", "sea", True, True, False, 7_000),
    ]
    lists = pl.DataFrame(rows, schema=LISTS.schema, orient="row")
    found = from_lists(lists, Direction.DEPARTURE, "air", date(2025, 1, 1), date(2025, 2, 1))
    assert (found.both, found.first_only, found.second_only) == (90, 10, 5)
    assert held_in(lists, Direction.DEPARTURE, "air").of(border=True) == 1_100
