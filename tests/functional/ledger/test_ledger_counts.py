"""Counts kept by differences are what counting everything anew gives, whatever came in."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from alembic import command
from alembic.config import Config
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from lib.offices import NOW, ClockedOffice, hand_in, small_country, small_office
from lib.slow_counts import check_counts, check_lists_and_reporting
from sojourn.ledger import Ledger, counts
from sojourn.ledger import engine as ledger_engine
from sojourn.ledger.reporting import KEPT_DAYS
from sojourn.measure import assign_outcomes, count_stays, measure
from sojourn.pipeline import Desk, Office, refresh_measures
from sojourn.pipeline.measuring import refresh_with
from sojourn.pipeline.reconciling import reconcile_with
from sojourn.schemas import COUNTS, STAYS, StatusKind, StayLimit

DAYS = tuple(NOW.date() + timedelta(days=n) for n in (-90, -1, 0, 1, 45))
HORIZON = timedelta(days=420)


def changed(rows: pl.DataFrame, how: int) -> pl.DataFrame:
    """Records as a source sends them again: moved, renamed, taken back, turned, or not flown."""
    if how == 0:
        return rows.with_columns(event_time=pl.col("event_time") + pl.duration(hours=30))
    if how == 1:
        return rows.with_columns(surname=pl.lit("ZZYZX"), birth_date=None)
    if how == 2:
        return rows.with_columns(withdrawn=pl.lit(value=True))
    if how == 5:
        turned = pl.when(pl.col("direction").cast(pl.String) == "arrival").then(
            pl.lit("departure")
        ).otherwise(pl.lit("arrival"))  # fmt: skip
        return rows.with_columns(turned.cast(rows.schema["direction"]).alias("direction"))
    evidence = pl.lit("booked" if how == 3 else "boarded").cast(rows.schema["evidence"])
    return rows.with_columns(evidence=evidence)


def run_steps(desk: Desk, clocked: ClockedOffice, steps: list[tuple[int, int]], seed: int) -> None:
    """Hand a country in, some of it again and changed, over days; ``steps``: what, how much."""
    country = small_country(stays=160, seed=seed, extensions=0.3)
    waiting = country.crossings.sort("recorded_at", "crossing_id")
    parts = list(waiting.iter_slices(-(-waiting.height // max(1, len(steps)))))
    given_so_far = parts[0].clear()
    rng = np.random.default_rng(seed)
    for number, (what, much) in enumerate(steps):
        fresh = parts[number] if number < len(parts) else parts[0].clear()
        again = given_so_far.sample(min(much, given_so_far.height), seed=int(rng.integers(1e6)))
        rows = pl.concat([fresh, changed(again, what % 6)])
        rows = rows.unique(["source", "crossing_id"], keep="last", maintain_order=True)
        changes = country.status_changes.slice(number * 9, 9) if what % 2 else None
        hand_in(desk, clocked.office, rows, f"step {number}", changes, as_recorded=what == 6)
        given_so_far = pl.concat([given_so_far, fresh])
        if what == 5:
            reconcile_with(desk.ledger, clocked.office)
        clocked.now += timedelta(hours=7 * what)


def check_everything(ledger: Ledger, clocked: ClockedOffice) -> None:
    # History may hold records of later than now: asked for at the end of all of them.
    known = clocked.now.date() + timedelta(days=400)
    check_counts(ledger, known, DAYS)
    check_lists_and_reporting(ledger)


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_agree_after_every_batch(tmp_path: Path, statistics_url: str, seed: int) -> None:
    clocked = ClockedOffice(tmp_path, statistics_url)
    steps = [(n % 7, 12) for n in range(8)]
    with Desk(clocked.office) as desk:
        for at in range(1, len(steps), 3):
            run_steps(desk, clocked, steps[at - 1 : at + 2], seed + at)
            check_everything(desk.ledger, clocked)
        reconcile_with(desk.ledger, clocked.office)
        check_everything(desk.ledger, clocked)


# Not shrunk: each example is an office of its own, and a smaller one would take minutes.
@settings(max_examples=10, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 25)), min_size=1, max_size=5),
    st.integers(1, 10_000),
)
def test_counts_agree_after_any_mix(steps: list[tuple[int, int]], seed: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        clocked = ClockedOffice(Path(folder))
        with Desk(clocked.office) as desk:
            run_steps(desk, clocked, steps, seed)
            check_everything(desk.ledger, clocked)


def test_a_purge_takes_its_stays_out_of_the_counts(tmp_path: Path, statistics_url: str) -> None:
    clocked = ClockedOffice(tmp_path, statistics_url)
    after = NOW.date() + HORIZON
    with Desk(clocked.office) as desk:
        run_steps(desk, clocked, [(1, 20), (0, 20), (5, 10), (2, 9)], seed=4)
        lists, reporting = desk.ledger.lists(), desk.ledger.reporting()
        stays = desk.ledger.counts(after)["value"].sum()
        clocked.now = NOW + HORIZON
        done = desk.purge(after)
        assert done.stays > 50
        left = desk.ledger.counts(after)
        assert 0 < left["value"].sum() == stays - done.stays
        wanted = count_stays(desk.ledger.stays(), after)
        assert_frame_equal(left.sort(COUNTS.key), wanted.sort(COUNTS.key))
        # What happened, happened: how late sources told, and which lists held a crossing.
        assert_frame_equal(desk.ledger.lists(), lists)
        assert desk.ledger.reporting()["records"].sum() == reporting["records"].sum()


def test_measures_from_counts_are_those_from_stays(tmp_path: Path) -> None:
    clocked = ClockedOffice(tmp_path)
    with Desk(clocked.office) as desk:
        run_steps(desk, clocked, [(1, 20), (3, 20)], seed=6)
        today, policy = clocked.now.date(), clocked.office.policy.measure
        closed = desk.ledger.closed_cells()
        found = measure(desk.ledger.counts(today), closed, today, policy)
        assert_frame_equal(
            found, measure(count_stays(desk.ledger.stays(), today), closed, today, policy)
        )


@st.composite
def any_stays(draw: st.DrawFn) -> pl.DataFrame:
    day = st.dates(date(2025, 11, 1), date(2026, 4, 1))
    some_day = st.none() | day
    rows = []
    for number in range(draw(st.integers(1, 12))):
        arrived = draw(st.booleans())
        left = draw(some_day) if arrived else draw(day)
        rows.append(
            {
                "arrival_ref": bytes([number]) if arrived else None,
                "departure_ref": bytes([99, number]) if left else None,
                "arrival_date": draw(day) if arrived else None,
                "departure_date": left, "mode": "air",
                "nationality": draw(st.none() | st.just("X")),
                "authorised_until": draw(some_day),
                "stay_limit": draw(st.sampled_from(list(StayLimit))).value,
                "status_kind": draw(st.none() | st.sampled_from([k.value for k in StatusKind])),
                "arrival_lists": 1, "departure_lists": 1,
            }
        )  # fmt: skip
    return STAYS.conform(pl.DataFrame(rows, schema_overrides=STAYS.schema))


@given(any_stays(), st.dates(date(2025, 10, 1), date(2026, 5, 1)))
def test_an_outcome_asks_for_the_day_in_one_way_alone(stays: pl.DataFrame, day: date) -> None:
    """What lets a state be kept: until the day it counts on is over it is one, then another."""
    states = counts.count_states(stays, assign_outcomes)
    assert_frame_equal(
        counts.counts_at(states, day).sort(COUNTS.key), count_stays(stays, day).sort(COUNTS.key)
    )


def test_an_older_ledger_gets_its_counts_when_it_is_opened(
    tmp_path: Path, statistics_url: str
) -> None:
    clocked = ClockedOffice(tmp_path, statistics_url)
    with Desk(clocked.office) as desk:
        run_steps(desk, clocked, [(1, 20), (4, 20), (2, 20), (3, 5)], seed=3)
        before = [desk.ledger.counts(NOW.date()), desk.ledger.lists(), desk.ledger.reporting()]
    config = Config()
    migrations = Path(ledger_engine.__file__).parent / "migrations"
    config.set_main_option("script_location", str(migrations))
    opened = ledger_engine.open_engine(statistics_url)
    with opened.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")
    opened.dispose()
    with clocked.office.open_ledger() as ledger:
        after = [ledger.counts(NOW.date()), ledger.lists(), ledger.reporting()]
        for was, now in zip(before, after, strict=True):
            assert_frame_equal(was.sort(pl.all()), now.sort(pl.all()))
    with Desk(clocked.office) as desk:
        run_steps(desk, clocked, [(0, 20), (2, 20)], seed=3)
        check_everything(desk.ledger, clocked)


def test_counts_made_by_other_rules_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocked = ClockedOffice(tmp_path)
    with Desk(clocked.office) as desk:
        run_steps(desk, clocked, [(1, 20), (0, 9)], seed=8)
        with desk.ledger._noting() as connection:
            connection.exec_driver_sql("UPDATE stay_counts SET value = value + 7")
    with clocked.office.open_ledger() as ledger:
        wrong = ledger.counts(NOW.date())["value"].sum()
        assert wrong != ledger.stays().height
    monkeypatch.setattr(counts, "rules_digest", lambda _: "other rules")
    with clocked.office.open_ledger() as ledger:
        check_counts(ledger, clocked.now.date() + timedelta(days=400), DAYS)


def test_old_days_of_reporting_are_summed_and_still_corrected(
    tmp_path: Path, statistics_url: str
) -> None:
    clocked = ClockedOffice(tmp_path, statistics_url)
    crossings = small_country(stays=200, seed=9).crossings
    with Desk(clocked.office) as desk:
        hand_in(desk, clocked.office, crossings, "all")
        by_day = desk.ledger.reporting()
        clocked.now = NOW + timedelta(days=KEPT_DAYS - 40)
        refresh_with(desk.ledger, clocked.office)
        summed = desk.ledger.reporting()
        limit = (clocked.now.date() - timedelta(days=KEPT_DAYS)).replace(day=1)
        old = summed.filter(pl.col("event_day") < limit)
        assert old.height > 50
        assert (old["event_day"].dt.day() == 1).all()
        days = by_day.with_columns(
            pl.when(pl.col("event_day") < limit).then(pl.col("event_day").dt.month_start())
            .otherwise("event_day").alias("event_day")
        )  # fmt: skip
        wanted = days.group_by(by_day.columns[:-1]).agg(pl.col("records").sum())
        assert_frame_equal(summed.sort(pl.all()), wanted.sort(pl.all()))
        taken_back = crossings.sort("event_time").head(40).with_columns(
            withdrawn=pl.lit(value=True)
        )  # fmt: skip
        booked = (taken_back["evidence"] == "booked").sum()
        hand_in(desk, clocked.office, taken_back, "taken back")
        left = desk.ledger.reporting()["records"].sum()
        assert left == summed["records"].sum() - (40 - booked)
        assert desk.ledger.reporting()["records"].min() > 0  # type: ignore[operator]


def test_pages_cells_are_written_by_what_differs(tmp_path: Path, statistics_url: str) -> None:
    office = small_office(tmp_path, statistics_url)
    crossings = small_country(stays=300, seed=12).crossings.sort("recorded_at")
    with Desk(office) as desk:
        hand_in(desk, office, crossings.head(400), "one")
        cells = refresh_with(desk.ledger, office)
        first = _stored(statistics_url)
        assert first.height == cells
        assert desk.ledger.write_measures(_cells(desk.ledger, office)) == 0
        hand_in(desk, office, crossings.slice(400, 5), "two")
        assert 0 < desk.ledger.write_measures(_cells(desk.ledger, office)) < 200
        assert_frame_equal(_stored(statistics_url), _wanted(desk.ledger, office))
        # Another process writes: what is remembered no longer counts.
        refresh_measures(office)
        with desk.ledger._noting() as connection:
            connection.exec_driver_sql("UPDATE measures SET value = 1")
        hand_in(desk, office, crossings.slice(405, 5), "three")
        refresh_with(desk.ledger, office)
        assert_frame_equal(_stored(statistics_url), _wanted(desk.ledger, office))


def _cells(ledger: Ledger, office: Office) -> pl.DataFrame:
    today = office.clock().date()
    return measure(ledger.counts(today), ledger.closed_cells(), today, office.policy.measure)


def _wanted(ledger: Ledger, office: Office) -> pl.DataFrame:
    return _cells(ledger, office).select(pl.all().cast(pl.String)).sort(pl.all())


def _stored(url: str) -> pl.DataFrame:
    names = "span, period, nationality, mode, admission_class, outcome, value, hidden, known_at"
    opened = ledger_engine.open_engine(url)
    with opened.connect() as connection:
        rows = ledger_engine.fetch(connection, f"SELECT {names} FROM measures")
    opened.dispose()
    frame = pl.DataFrame([tuple(r) for r in rows], schema=names.split(", "), orient="row",
                         infer_schema_length=None)  # fmt: skip
    hidden = pl.col("hidden").cast(pl.Boolean)
    return frame.with_columns(hidden).select(pl.all().cast(pl.String)).sort(pl.all())
