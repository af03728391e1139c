"""Re-entries leave once a month, bounded, through the one gate; on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from lib.releasing import LAST, NOON, asked, contributed, gate_of, lists_of, opened, small_policy
from sojourn.errors import LedgerError, PrivacyError
from sojourn.link.quality import add_counts, count_rearrivals
from sojourn.policy import REENTRY_BOUND, load_policy
from sojourn.release import Recount, explain, plan_release, publish, read_figures, read_spent
from sojourn.release import gate as gates
from sojourn.release.again import RECOUNT, REENTRY_EVENTS, due_months, read_reentries, recount_of
from sojourn.release.budget import asked_by
from sojourn.release.cells import REENTRIES, reentry_table
from sojourn.release.noise import bound_of, expected_noise, scale_of, share_of_budget
from sojourn.vocabulary import Span

POLICY = small_policy(
    table_shares=(0.1, 0.3, 0.4), reentry_share=0.2, epsilon_per_year=8.0, first_months=4,
    reentry_days=28,
)  # fmt: skip
MONTHS = (date(2025, 10, 1), date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1))
BIG = 50_000
TODAY = NOON.date()


# -- what one stay can change ----------------------------------------------------------------------

CELLS = (("air", "VISIT"), ("air", "WORK"), ("land", "VISIT"))


class Travellers:
    """A simulated country whose travellers are known: links held fixed, whoever is taken out."""

    def __init__(self, rng: np.random.Generator, stays: int) -> None:
        days = np.sort(rng.choice(np.arange(700), stays, replace=stays > 700))
        self.stays = [
            (i, int(rng.integers(0, stays // 3)), int(day), int(rng.integers(0, len(CELLS))),
             # The departure: none, after some days, or wrongly after the next arrival.
             None if rng.random() < 0.3 else int(day + rng.integers(0, 90)))
            for i, day in enumerate(days)
        ]  # fmt: skip

    def recount(self, without: int | None = None) -> dict[tuple[Any, ...], int]:
        """By the counting of linkage's own assessment, with the travellers for its links."""
        held = [s for s in self.stays if s[0] != without]
        following: dict[int, int] = {}
        last: dict[int, int] = {}
        for place, stay in enumerate(held):
            if stay[1] in last:
                following[last[stay[1]]] = place
            last[stay[1]] = place
        start = datetime(2024, 1, 1, 8, tzinfo=UTC)
        ends = pl.DataFrame(
            {
                "crossing_ref": [bytes([1, s[0] // 256, s[0] % 256]) for s in held],
                "by_mode_class": ["/".join(CELLS[s[3]]) for s in held],
                "event_time": [start + timedelta(days=s[2]) for s in held],
            }
        )
        again = pl.DataFrame(
            [
                (
                    bytes([1, held[a][0] // 256, held[a][0] % 256]), start,
                    (start + timedelta(days=held[b][2])).date(),
                    held[a][4] is not None and held[a][4] <= held[b][2],
                    held[a][4] is not None and held[a][4] > held[b][2],
                )
                for a, b in following.items()
            ],
            schema={"crossing_ref": pl.Binary, "event_time": pl.Datetime("us", "UTC"),
                    "again_on": pl.Date, "closed": pl.Boolean, "contradicted": pl.Boolean},
            orient="row",
        )  # fmt: skip
        linkage = add_counts(count_rearrivals(ends, again))
        counts = recount_of(linkage, LAST, lists_of(POLICY)).counts
        return {tuple(row[:4]): row[4] for row in counts.iter_rows()}


def test_taking_one_stay_out_changes_three_counts_at_most() -> None:
    """And three it is: the bound is no larger than it must be."""
    worst = 0
    for seed in range(12):
        country = Travellers(np.random.default_rng(seed), 90)
        whole = country.recount()
        assert sum(whole.values()) > 20
        for stay in range(len(country.stays)):
            less = country.recount(without=stay)
            apart = sum(abs(whole.get(c, 0) - less.get(c, 0)) for c in {*whole, *less})
            worst = max(worst, apart)
            assert apart <= REENTRY_BOUND
    assert worst == REENTRY_BOUND


def test_each_re_entry_is_one_count_in_the_month_of_the_second_arrival() -> None:
    country = Travellers(np.random.default_rng(5), 120)
    second: dict[int, int] = {}
    expected: dict[tuple[Any, ...], int] = {}
    for _, person, day, cell, left in country.stays:
        if person in second:
            a_cell, a_left = second[person]  # type: ignore[misc]
            month = (date(2024, 1, 1) + timedelta(days=day)).replace(day=1)
            if a_left is None or a_left <= day:
                event = REENTRY_EVENTS[0 if a_left is not None else 1]
                key = (month, *CELLS[a_cell], event)
                expected[key] = expected.get(key, 0) + 1
        second[person] = (cell, left)  # type: ignore[assignment]
    assert country.recount() == expected


# -- the gate ------------------------------------------------------------------------------------


@pytest.fixture
def engine(statistics_url: str) -> Any:
    engine = opened(statistics_url)
    yield engine
    engine.dispose()


def recounted(*rows: tuple[date, str, str, str, int], on: date | None = TODAY) -> Recount:
    return Recount(pl.DataFrame(list(rows), schema=RECOUNT, orient="row"), on)


FULL = [(m, "air", "VISIT", "reentry_seen", BIG + 1_000 * n) for n, m in enumerate(MONTHS)]


def release(
    engine: Engine, recount: Recount | None, through: date = LAST, policy: Any = POLICY,
    clock: Callable[[], datetime] = lambda: NOON,
) -> Any:  # fmt: skip
    gate = gate_of(engine, policy, clock)
    done = gate.release(asked(through), contributed(), since=gate.last_through(), recount=recount)
    publish(engine, gate.tables, policy, through, done.release_id)
    return done


def told(engine: Engine) -> dict[date, float]:
    found = read_figures(
        engine, "release_table = 'reentries' AND quantity = 'reentry_seen' AND mode = 'air' AND "
        "admission_class = 'VISIT' AND method = 'laplace'",
    )  # fmt: skip
    return dict(found.select("period", "value").iter_rows())


def nodes(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(
            text("SELECT COUNT(*) FROM spends WHERE release_table = 'reentries'")
        ).scalar_one())  # fmt: skip


def test_months_are_drawn_once_in_every_cell_and_later_counts_of_them_are_not(
    engine: Engine,
) -> None:
    done = release(engine, recounted(*FULL))
    assert done.epsilon <= 8.0
    first = told(engine)
    assert set(first) == set(MONTHS)
    for n, month in enumerate(MONTHS):
        assert first[month] == pytest.approx(BIG + 1_000 * n, abs=200)
    figures = read_figures(engine, "release_table = 'reentries'")
    assert figures.height == len(MONTHS) * 2 * 4 * 4  # modes; VISIT, WORK, other, unknown
    assert (figures["value"] < 0).any()
    # A later assessment says something else of them, and of a month that is due by now.
    moved = [(m, *rest, 9) for m, *rest, _ in FULL]
    later = date(2026, 3, 28)
    new = (date(2026, 2, 1), "air", "VISIT", "reentry_seen", 7_000)
    clock = NOON + timedelta(days=40)
    again = release(
        engine, recounted(*moved, new, on=clock.date()), later, clock=lambda: clock
    )  # fmt: skip
    assert again.epsilon == 0.0
    now = told(engine)
    assert {m: now[m] for m in MONTHS} == first
    assert now[date(2026, 2, 1)] == pytest.approx(7_000, abs=200)
    assert nodes(engine) == 2 * (len(MONTHS) + 1)


def test_a_second_draw_is_forbidden_by_the_key_itself(engine: Engine) -> None:
    release(engine, recounted(*FULL))
    before = nodes(engine)
    with engine.begin() as connection, pytest.raises(IntegrityError):
        connection.execute(
            text("INSERT INTO spends SELECT * FROM spends WHERE release_table = 'reentries'")
        )
    # The months are known to be drawn though the log of releases be gone.
    gate = gate_of(engine, POLICY)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM releases"))
        for table in ("spends", "draws"):
            connection.execute(text(f"DELETE FROM {table} WHERE release_table <> 'reentries'"))
    assert due_months(POLICY, NOON.date(), LAST, set()) == MONTHS
    gate.release(asked(), contributed(), since=None, recount=recounted(*FULL))
    assert nodes(engine) == before


def test_a_month_waits_for_an_assessment_that_came_after_it(engine: Engine) -> None:
    release(engine, None, LAST - timedelta(days=3))
    assert nodes(engine) == 0
    early = recounted(*FULL, on=date(2026, 1, 30))  # December was 28 days old on 28 January
    release(engine, early, LAST - timedelta(days=2))
    assert set(told(engine)) == {date(2025, 9, 1), *MONTHS[:3]}
    release(engine, recounted(*FULL), LAST)
    assert set(told(engine)) == {date(2025, 9, 1), *MONTHS}


def test_months_due_hang_on_days_alone() -> None:
    assert due_months(POLICY, NOON.date(), LAST, set()) == MONTHS
    assert due_months(POLICY, NOON.date(), LAST, set(MONTHS[:2])) == MONTHS[2:]
    assert due_months(POLICY, None, LAST, set()) == ()
    assert due_months(replace(POLICY, reentry_share=0.0), NOON.date(), LAST, set()) == ()


def test_the_lane_has_its_own_share_and_the_year_is_never_overspent(engine: Engine) -> None:
    share = share_of_budget(POLICY, REENTRIES, Span.MONTH)
    scale = scale_of(POLICY, REENTRIES, Span.MONTH)
    assert bound_of(POLICY, REENTRIES) / scale <= share
    assert float(share) == pytest.approx(1.6)
    row = next(n for n in expected_noise(POLICY) if n.release_table == REENTRIES)
    assert (row.contributions, row.increments, row.scale) == (REENTRY_BOUND, 1, scale)
    done = release(engine, recounted(*FULL))
    assert 7.9 < done.epsilon <= 8.0
    assert float(sum(s.loss for s in read_spent(engine))) <= 8.0
    assert plan_release(POLICY, read_spent(engine), [LAST]).cost == 0.0
    # Under another policy of the same year the lane would cost more than is left.
    with engine.connect() as connection:
        before = connection.execute(text("SELECT COUNT(*) FROM spends")).scalar()
    for wider in (
        replace(POLICY, table_shares=(0.1, 0.3, 0.3), reentry_share=0.3),
        replace(POLICY, reentry_contributions=6, reentry_share=0.4),
    ):
        clock = NOON + timedelta(days=40)
        with pytest.raises(PrivacyError, match="privacy loss"):
            release(engine, recounted(*FULL, on=clock.date()), date(2026, 3, 29), wider,
                    lambda: NOON + timedelta(days=40))  # fmt: skip
        with engine.connect() as connection:
            assert connection.execute(text("SELECT COUNT(*) FROM spends")).scalar() == before


def test_the_default_policy_gives_re_entries_their_share() -> None:
    policy = load_policy().release
    assert policy.reentry_share > 0
    planned = {(s.release_table, s.span): s.loss for s in asked_by(policy, 2026)}
    assert float(sum(planned.values())) <= policy.epsilon_per_year
    assert (REENTRIES, "month") in planned


def test_a_crash_after_the_spend_loses_months_for_good(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = gate_of(engine, POLICY)

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(gates.Gate, "_draw", cut)
        with pytest.raises(KeyboardInterrupt):
            gate.release(asked(), contributed(), since=None, recount=recounted(*FULL))
    assert nodes(engine) == 2 * len(MONTHS)
    clock = NOON + timedelta(days=1)
    release(engine, recounted(*FULL), LAST + timedelta(days=1), clock=lambda: clock)
    assert nodes(engine) == 2 * len(MONTHS)
    assert not told(engine)
    lost = read_figures(engine, "release_table = 'reentries'")
    assert set(lost["method"]) == {"lost"}
    assert set(lost["period"]) == set(MONTHS)
    assert lost["value"].null_count() == lost.height
    row = lost.row(0, named=True)
    name = "/".join(str(row[n]) for n in ("release_table", "span", "period", "quantity",
                                          "nationality", "mode", "admission_class"))  # fmt: skip
    why = dict(explain(engine, POLICY, name).lines)["noise"]
    assert "cut off" in why
    assert "joined the releases later" in why
    assert read_reentries(engine, reentry_table(gate.tables[0].lists), LAST).lost == MONTHS


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (("rocket", "VISIT", "reentry_seen", 1), "mode"),
        (("air", "SPY", "reentry_seen", 1), "admission_class"),
        (("air", "VISIT", "reentry", 1), "event"), (("air", "VISIT", "reentry_seen", -1), "none"),
    ],
)  # fmt: skip
def test_counts_outside_the_lists_are_refused_and_nothing_is_spent(
    engine: Engine, wrong: tuple[str, str, str, int], what: str
) -> None:
    gate = gate_of(engine, POLICY)
    recount = recounted((MONTHS[0], *wrong))
    with pytest.raises(PrivacyError, match=what) as caught:
        gate.release(asked(), contributed(), since=None, recount=recount)
    assert "rocket" not in str(caught.value)
    assert "SPY" not in str(caught.value)
    assert not read_spent(engine)


def test_a_count_of_re_entries_is_explained(engine: Engine) -> None:
    release(engine, recounted(*FULL))
    found = explain(engine, POLICY, "reentries/month/2026-01-01/reentry_seen/-/air/VISIT")
    lines = dict(found.lines)
    assert "came" in lines["definition"] or "arrived before" in lines["definition"]
    assert "1 draw in it" in lines["noise"]
    assert "3 of them" in lines["budget"]
    with pytest.raises(LedgerError, match="no figure"):
        explain(engine, POLICY, "reentries/month/1999-01-01/reentry_seen/-/air/VISIT")


def test_words_of_no_list_are_other_or_unknown() -> None:
    linkage = pl.DataFrame(
        [
            (MONTHS[0], "mode_class", name, what, value)
            for name, what, value in (
                ("air/VISIT", "rearrivals", 10), ("air/VISIT", "rearrivals_closed", 8),
                ("air/CREW", "rearrivals", 3), ("air/unknown", "rearrivals", 2),
                ("unknown", "rearrivals", 9), ("air/VISIT", "reentries", 99),
            )
        ],
        schema=["period", "group_kind", "group_name", "what", "value"], orient="row",
    )  # fmt: skip
    found = recount_of(linkage, LAST, lists_of(POLICY)).counts
    assert {tuple(r[1:]) for r in found.iter_rows()} == {
        ("air", "VISIT", "reentry_seen", 8), ("air", "VISIT", "reentry_not_seen", 2),
        ("air", "other", "reentry_not_seen", 3), ("air", "unknown", "reentry_not_seen", 2),
    }  # fmt: skip


def test_a_class_may_have_a_stroke_in_its_name() -> None:
    policy = replace(POLICY, admission_classes=("VISIT", "B1/B2"))
    linkage = pl.DataFrame(
        [(MONTHS[0], "mode_class", "air/B1/B2", "rearrivals", 10)],
        schema=["period", "group_kind", "group_name", "what", "value"], orient="row",
    )  # fmt: skip
    found = recount_of(linkage, LAST, lists_of(policy)).counts
    assert set(found["admission_class"]) == {"B1/B2"}
