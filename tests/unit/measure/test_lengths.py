"""Exits not seen by permitted length: put right where it decides, left alone where it does not."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from sojourn.measure.arrived import told_by_now
from sojourn.measure.exits import Exits, seen_exits
from sojourn.measure.lengths import by_length, length_ratios
from sojourn.schemas import LINKAGE_QUALITY
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import LinkageGroup as Group

SEEN = {"30": 0.98, "90": 0.80}  # of exits, by the most days permitted
RETURN = {"30": 0.6, "90": 0.15}  # of those who left
PERIODS = [date(2025, m, 1) for m in range(1, 13)]


def country(
    rng: np.random.Generator, seen: dict[str, float], stays: int = 20_000
) -> tuple[pl.DataFrame, float]:
    """LINKAGE_QUALITY of a class half of which may stay long; the true odds of an unseen exit."""
    rows: list[tuple[object, ...]] = []
    exits, unseen = 0, 0
    for band, share in seen.items():
        for month in PERIODS:
            left = stays // 24
            recorded = rng.random(left) < share
            again = rng.random(left) < RETURN[band]
            exits, unseen = exits + int(recorded.sum()), unseen + int((~recorded).sum())
            counts = {
                What.REENTRIES: again, What.REENTRIES_CLOSED: again & recorded,
                What.ARRIVALS_ENDED: np.ones(left, bool), What.ARRIVALS_ENDED_LINKED: recorded,
            }  # fmt: skip
            for what, flags in counts.items():
                number = int(flags.sum())
                rows += [
                    (month, Group.MODE_CLASS, "air/visit", what, number),
                    (month, Group.MODE_CLASS_DAYS, f"air/visit/{band}", what, number),
                ]
    plain = [(d, str(k), n, str(w), v) for d, k, n, w, v in rows]
    frame = pl.DataFrame(plain, schema=LINKAGE_QUALITY.schema, orient="row")
    summed = frame.group_by(list(LINKAGE_QUALITY.key)).agg(pl.col("value").sum())
    return LINKAGE_QUALITY.conform(summed), unseen / exits


def exits_of(linkage: pl.DataFrame) -> tuple[Exits, Exits]:
    plain = seen_exits(linkage, ("air/visit",), 30)
    return plain, by_length(plain, linkage)


def test_where_long_permissions_leave_unseen_and_seldom_return_the_odds_are_put_right() -> None:
    rng, held, naive, value = np.random.default_rng(1), 0, 0, []
    for _ in range(60):
        linkage, truth = country(rng, SEEN)
        plain, made = exits_of(linkage)
        draws = 1 / made.share_draws(rng, 400)[0] - 1
        before = 1 / plain.share_draws(rng, 400)[0] - 1
        low, high = np.quantile(draws, (0.025, 0.975))
        held += low <= truth <= high
        naive += before.min() <= truth <= np.quantile(before, 0.975)
        value.append(made.odds[0] / truth)
    assert np.mean(value) == pytest.approx(1.0, abs=0.03)
    assert naive == 0, "without the lengths it is wrong by half"
    assert held >= 54


def test_where_it_does_not_decide_nothing_is_changed() -> None:
    rng = np.random.default_rng(2)
    changed = 0
    for _ in range(100):
        linkage, truth = country(rng, {"30": 0.9, "90": 0.9}, stays=8_000)
        plain, made = exits_of(linkage)
        changed += made is not plain
        assert made.odds[0] == pytest.approx(truth, rel=0.35)
    assert changed <= 4


def test_of_one_length_alone_or_of_few_nothing_is_learned() -> None:
    rng = np.random.default_rng(3)
    one, _ = country(rng, {"90": 0.8})
    assert length_ratios(one) == {}
    few, _ = country(rng, SEEN, stays=96)
    plain, made = exits_of(few)
    assert made is plain
    assert length_ratios(LINKAGE_QUALITY.empty()) == {}


def test_months_that_are_left_out_are_left_out_by_length_as_well() -> None:
    """Departures of the youngest month are not reported yet: one band's are most of them."""
    linkage, _ = country(np.random.default_rng(4), {"30": 0.95, "90": 0.95})
    young = pl.DataFrame(
        [
            (date(2025, 12, 1), str(kind), name, str(What.REENTRIES), value)
            for kind, name, value in (
                (Group.MODE_CLASS, "air/visit", 2_200),
                (Group.MODE_CLASS_DAYS, "air/visit/30", 2_000),
                (Group.MODE_CLASS_DAYS, "air/visit/90", 200),
            )
        ],
        schema=LINKAGE_QUALITY.schema, orient="row",
    )  # fmt: skip
    key = list(LINKAGE_QUALITY.key)
    both = pl.concat([linkage, young]).group_by(key).agg(pl.col("value").sum())
    told = told_by_now(LINKAGE_QUALITY.conform(both), date(2026, 1, 5), 60)
    kept = set(told.filter(pl.col("what") == What.REENTRIES, pl.col("value") > 0)["period"])
    assert date(2025, 12, 1) not in kept
    assert length_ratios(told)["air/visit"].value == pytest.approx(1.0, abs=0.1)
