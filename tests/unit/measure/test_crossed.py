"""Rows of what lists of crossings say: told with bounds, hidden where small, owned up to."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from lib.small_offices import evidence, office, world
from sojourn.measure.crossed import Seen, crossed
from sojourn.measure.estimating import estimate
from sojourn.measure.exits import seen_exits
from sojourn.policy import load_policy
from sojourn.schemas import ESTIMATES, LINKAGE_QUALITY, LISTS, check_table
from sojourn.vocabulary import LinkageCount, LinkageGroup, Quantity

POLICY = load_policy()
DAY = date(2026, 2, 10)
MONTHS = [date(2025, m, 1) for m in range(1, 13)]
OUT_OF_200 = {(True, True): 144, (True, False): 36, (False, True): 16}  # border .9, carrier .8
AIR = {(*k, True): n * 20 for k, n in OUT_OF_200.items()} | {(False, False, True): 200}


def lists(
    modes: dict[str, dict[tuple[bool, bool, bool], int]], months: list[date] = MONTHS
) -> pl.DataFrame:
    rows = [
        (month, direction, mode, *held, number)
        for month in months for direction in ("arrival", "departure")
        for mode, numbers in modes.items() for held, number in numbers.items()
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=LISTS.schema, orient="row")


def seen(coverage: dict[str, float], reentries: int = 4_000) -> Seen:
    """Re-entries of each mode, so many of which have their departure; as many exits seen."""
    counts = [
        (MONTHS[0], LinkageGroup.MODE_CLASS.value, f"{mode}/visit", what.value, int(number))
        for mode, share in coverage.items()
        for what, number in (
            (LinkageCount.REENTRIES, reentries), (LinkageCount.REENTRIES_CLOSED, share * reentries),
        )
    ]  # fmt: skip
    linkage = pl.DataFrame(counts, schema=LINKAGE_QUALITY.schema, orient="row")
    strata = tuple(f"{mode}/visit" for mode in coverage)
    exits = seen_exits(linkage, strata, POLICY.estimate.least_reentries)
    return Seen(exits, np.array([100_000.0 * s for s in coverage.values()]))


def rows(
    held: pl.DataFrame, known: Seen | None, smallest: int = 10, day: date = DAY
) -> dict[tuple[str, str, str], dict[str, object]]:
    made = crossed(held, known, day, POLICY.estimate, np.random.default_rng(1), smallest)
    check_table(made, ESTIMATES)
    return {
        (str(r["period"]), r["mode"], r["quantity"]): r for r in made.iter_rows(named=True)
    }  # fmt: skip


def of(row: dict[str, object], name: str) -> float:
    found = row[name]
    assert isinstance(found, float), name
    return found


def test_exits_by_mode_are_bounded_by_what_was_seen_and_every_unseen_one() -> None:
    """Two modes: all that is unseen left by land. Its bounds hold that, and air's do too."""
    land = {(True, False, False): 600, (True, True, False): 0}
    found = rows(lists({"air": AIR, "land": land}), seen({"air": 0.95, "land": 0.6}))
    by_air = found["2025-01-01", "air", Quantity.DEPARTURES_BY_MODE]
    by_land = found["2025-01-01", "land", Quantity.DEPARTURES_BY_MODE]
    seen_air, seen_land = 12 * 20 * 196.0, 12 * 600.0
    assert (of(by_air, "value"), of(by_land, "value")) == (seen_air, seen_land)
    assert of(by_land, "bound_lower") == seen_land
    # For each exit seen by those who came by air .05/.95 are not, by land .4/.6; weights as seen.
    odds = (0.95 * 0.05 / 0.95 + 0.6 * 0.4 / 0.6) / 1.55
    unseen = odds * (seen_air + seen_land)
    assert of(by_land, "bound_upper") > seen_land + unseen
    assert of(by_land, "bound_upper") < seen_land + 1.2 * unseen
    assert by_air["lower"] is by_air["upper"] is None, "there is no point between"


def test_two_lists_tell_who_is_in_neither_and_bounds_hold_where_they_go_together() -> None:
    found = rows(lists({"air": AIR}), None)
    row = found["2025-01-01", "air", Quantity.DEPARTURES_BY_LISTS]
    whole = 12 * 20 * 200.0
    assert of(row, "lower") <= whole <= of(row, "upper")
    assert of(row, "bound_lower") < of(row, "lower")
    assert of(row, "bound_upper") > of(row, "upper")
    # Of those that miss the border's list twice as many miss the carrier's: independence fails.
    together = {(True, True, True): 3_240, (True, False, True): 360, (False, True, True): 200}
    row = rows(lists({"air": together}), None)["2025-01-01", "air", Quantity.DEPARTURES_BY_LISTS]
    whole = 12 * (3_240 + 360 + 200 + 2.9 * 360 * 200 / 3_240)
    assert of(row, "upper") < whole <= of(row, "bound_upper")


def test_bookings_never_flown_are_told_by_mode_and_year() -> None:
    row = rows(lists({"air": AIR}), None)["2025-01-01", "air", Quantity.BOOKINGS_NEVER_FLOWN]
    # Of 4,000 booked who flew, 3,920 are seen; 200 are booked alone, so 120 never flew.
    assert of(row, "lower") <= 12 * 120 <= of(row, "upper")
    assert of(row, "value") == pytest.approx(12 * 120, rel=0.05)


def test_where_evidence_is_missing_no_number_is_made_and_it_says_why() -> None:
    border_alone = {(True, False, False): 500}
    apart = {(True, False, True): 500, (False, True, True): 400}
    found = rows(lists({"land": border_alone, "sea": apart}), None)
    said = {
        (mode, quantity): (row["standing"], row["why"], row["value"])
        for (_, mode, quantity), row in found.items()
    }  # fmt: skip
    none = ("cannot", None)
    assert said["land", Quantity.BOOKINGS_NEVER_FLOWN] == (none[0], "no_bookings", None)
    assert said["land", Quantity.DEPARTURES_BY_LISTS] == (none[0], "one_list", None)
    assert said["sea", Quantity.DEPARTURES_BY_LISTS] == (none[0], "few_in_both", None)
    assert said["sea", Quantity.BOOKINGS_NEVER_FLOWN] == (none[0], "few_in_both", None)
    assert said["sea", Quantity.DEPARTURES_BY_MODE] == (none[0], "no_reentries", None)


def test_few_returns_are_said_and_widen() -> None:
    few = rows(lists({"air": AIR}), seen({"air": 0.95}, reentries=20))
    many = rows(lists({"air": AIR}), seen({"air": 0.95}))
    key = ("2025-01-01", "air", Quantity.DEPARTURES_BY_MODE)
    assert many[key]["standing"] == "made"
    assert few[key]["why"] in ("no_reentries", "few_reentries")


def test_small_cells_are_hidden_and_cannot_be_had_from_the_year() -> None:
    """A month of nine by sea: the year by sea is not told, nor is one mode alone left out."""
    modes = {"air": AIR, "sea": {(True, False, False): 40}, "land": {(True, False, False): 700}}
    held = lists(modes, MONTHS[:11])
    last = lists({**modes, "sea": {(True, False, False): 9}}, MONTHS[11:])
    found = rows(pl.concat([held, last]), seen({"air": 0.95}))
    told = {m: found["2025-01-01", m, Quantity.DEPARTURES_BY_MODE]["why"] for m in modes}
    assert told == {"air": "", "sea": "small", "land": "small"}
    few = {(True, True, True): 900, (True, False, True): 200, (False, True, True): 5}
    row = rows(lists({"air": few}, MONTHS[:1]), None)
    assert {r["why"] for q, r in row.items() if q[2] != Quantity.DEPARTURES_BY_MODE} == {"small"}


def test_a_year_that_runs_is_told_to_date_and_days_to_come_are_not() -> None:
    held = lists({"air": AIR}, [*MONTHS, date(2026, 1, 1), date(2026, 3, 1)])
    found = rows(held, seen({"air": 0.95}))
    row = found["2026-01-01", "air", Quantity.DEPARTURES_BY_MODE]
    assert (row["why"], row["value"]) == ("to_date", 20 * 196.0)


def test_they_are_rows_of_the_table_and_change_no_other(tmp_path: object) -> None:
    found, day = evidence(office(world(stays=20_000)))
    made = estimate(found, day, POLICY, np.random.default_rng(3))
    check_table(made, ESTIMATES)
    told = set(made["quantity"].unique().to_list())
    assert {"departures_by_mode", "departures_by_lists", "bookings_never_flown"} <= told


def test_a_hidden_mode_cannot_be_solved_from_its_other_rows() -> None:
    """Value, interval and bounds of two lists give what was seen by a mode: none of them is told.

    The year's own numbers are large: a month of nine hides sea, and land beside it.
    """
    modes = {"air": AIR, "sea": AIR, "land": {k: 2 * n for k, n in AIR.items()}}
    held = lists(modes, MONTHS[:11])
    last = lists({**modes, "sea": {(True, True, True): 9}}, MONTHS[11:])
    found = rows(pl.concat([held, last]), seen({"air": 0.95}))
    why: dict[str, set[object]] = {}
    for (_, mode, _), row in found.items():
        why.setdefault(mode, set()).add(row["why"])
    small, others = {m for m, w in why.items() if w == {"small"}}, {m for m in why if "" in why[m]}
    assert "sea" in small
    assert len(small) == 2
    assert len(others) == 1
    ends = ("value", "lower", "upper", "bound_lower", "bound_upper")
    assert not [r for (_, m, _), r in found.items() if m in small and any(r[n] for n in ends)]
