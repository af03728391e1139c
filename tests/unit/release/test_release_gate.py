"""What the gate refuses, on both databases; the budget is as it was after each refusal."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from lib.releasing import (
    LAST,
    NOON,
    asked,
    contributed,
    gate_of,
    made_changes,
    opened,
    released,
    small_policy,
)
from sojourn.errors import AlreadyReleasedError, PrivacyError
from sojourn.policy import ReleasePolicy
from sojourn.release import gate as gates
from sojourn.release import plan_release, publish, read_figures, read_spent, store
from sojourn.release.calendar import due_periods
from sojourn.vocabulary import Span

POLICY = small_policy()
AIR = ("arrived", date(2026, 2, 20), "FRA", "air", "VISIT", 3)


@pytest.fixture
def engine(statistics_url: str) -> Any:
    engine = opened(statistics_url)
    yield engine
    engine.dispose()


def everything(engine: Engine) -> dict[str, list[Any]]:
    """All that a release could have changed."""
    with engine.connect() as connection:
        return {
            t: sorted(tuple(map(str, r)) for r in connection.execute(text(f"SELECT * FROM {t}")))
            for t in store.metadata.tables
        }


def refused(engine: Engine, what: str, ask: Callable[[], object]) -> None:
    before = everything(engine)
    with pytest.raises(PrivacyError, match=what):
        ask()
    assert everything(engine) == before


def test_migration_and_store_say_the_same_tables(engine: Engine) -> None:
    found = inspect(engine)
    for name, table in store.metadata.tables.items():
        columns = {c["name"]: c for c in found.get_columns(name)}
        assert list(columns) == [c.name for c in table.columns]
        assert all(columns[c.name]["nullable"] == c.nullable for c in table.columns)
        key = found.get_pk_constraint(name)["constrained_columns"]
        assert key == [c.name for c in table.primary_key.columns]
        assert {i["name"] for i in found.get_indexes(name)} == {i.name for i in table.indexes}


def test_one_release_draws_every_cell_of_every_node_there_or_not(engine: Engine) -> None:
    gate = gate_of(engine, POLICY)
    done = released(gate, engine, POLICY, changes=made_changes(AIR))
    assert done.epsilon <= POLICY.epsilon_per_year
    nodes = (30 + 3) * 3 * 6
    assert done.nodes == nodes
    figures = read_figures(engine, "method = 'laplace'")
    cells = {"total": 1, "nationality": 5, "nationality_mode_class": 5 * 4 * 4}
    for table, count in cells.items():
        assert figures.filter(pl.col("release_table") == table).height == count * 33 * 6
    assert figures["value"].null_count() == 0
    assert (figures["value"] < 0).any()
    # Nobody was counted here: noise all the same.
    nobody = figures.filter((pl.col("nationality") == "UTO") & (pl.col("mode") == "rail"))
    assert nobody["value"].n_unique() > 10
    with engine.connect() as connection:
        notes = connection.execute(text("SELECT note FROM releases")).scalars().all()
    assert notes == [gates.MADE]


def test_a_stays_whole_loss_is_spent_once_and_further_draws_cost_nothing(engine: Engine) -> None:
    gate = gate_of(engine, POLICY)
    first = released(gate, engine, POLICY, LAST - timedelta(days=3))
    second = released(gate, engine, POLICY, LAST)
    assert 0.99 < first.epsilon <= 1.0
    assert second.epsilon == 0.0
    with engine.connect() as connection:
        booked = connection.execute(text("SELECT SUM(epsilon) FROM spends")).scalar()
    assert booked == pytest.approx(first.epsilon)
    plan = plan_release(POLICY, read_spent(engine), [LAST])
    assert plan.cost == 0.0
    assert plan.left_before[2026] == pytest.approx(1.0 - first.epsilon)
    assert plan.affordable


def test_a_vintage_is_the_sum_of_its_increments(engine: Engine) -> None:
    """Noise as it was drawn stays; what comes later is added to it."""
    day = LAST - timedelta(days=7)
    tiny = small_policy(epsilon_per_year=8.0, max_contributions=8)
    gate = gate_of(engine, tiny)
    one = made_changes(("arrived", day, "FRA", "air", "VISIT", 5_000))
    two = made_changes(("arrived", day, "FRA", "air", "VISIT", 1_000))
    released(gate, engine, tiny, LAST - timedelta(days=7), one)
    released(gate, engine, tiny, LAST, two)
    found = read_figures(
        engine, "release_table = 'total' AND span = 'day' AND period = :day AND quantity = "
        "'arrived'", day=day.isoformat(),
    ).sort("vintage")  # fmt: skip
    assert found["value"].to_list() == pytest.approx([5_000, 6_000], abs=600)
    assert found["noise_sd"][1] == pytest.approx(found["noise_sd"][0] * 2**0.5)
    assert (found["lower"] <= found["value"]).all()
    draws = store.read(
        engine, "SELECT COUNT(*) FROM draws WHERE release_table = 'total' AND span = 'day' AND "
        "event = 'arrived' AND period = :day", day=day.isoformat(),
    )  # fmt: skip
    assert draws == [(2,)]


def test_what_is_not_yet_due_waits_and_is_drawn_once(engine: Engine) -> None:
    loud = small_policy(epsilon_per_year=8.0)
    gate = gate_of(engine, loud)
    released(gate, engine, loud, LAST - timedelta(days=1))
    late = ("arrived", LAST - timedelta(days=5), "FRA", "air", "VISIT", 9_000)
    released(gate, engine, loud, LAST, made_changes(late))
    with engine.connect() as connection:
        waiting = connection.execute(text("SELECT span, count FROM waiting")).fetchall()
    assert sorted(map(tuple, waiting)) == [("day", 9_000)]  # February was due: it is over today
    later = gate_of(engine, loud, lambda: NOON + timedelta(days=9))
    released(later, engine, loud, LAST + timedelta(days=2))
    found = read_figures(
        engine, "release_table = 'total' AND span = 'day' AND quantity = 'arrived' AND "
        "period = :day", day=(LAST - timedelta(days=5)).isoformat(),
    ).sort("vintage")  # fmt: skip
    assert found["value"][-1] == pytest.approx(9_000, abs=600)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM waiting")).scalar() == 0


def test_nothing_is_drawn_twice_by_any_path(engine: Engine) -> None:
    gate = gate_of(engine, POLICY)
    released(gate, engine, POLICY)
    same = contributed(made_changes(AIR))
    for since in (LAST, None, LAST - timedelta(days=1)):
        before = "have been released"
        refused(engine, before, lambda s=since: gate.release(asked(), same, since=s))
    earlier = asked(LAST - timedelta(days=8))
    refused(engine, "have been released", lambda: gate.release(earlier, same, since=LAST))
    with pytest.raises(AlreadyReleasedError):
        gate.check_day(LAST, LAST)
    other = gate_of(engine, replace(POLICY, table_shares=(0.3, 0.3, 0.4)))
    refused(engine, "released|came in between", lambda: other.release(asked(), same, since=LAST))
    # Somebody who takes the release's own row away still meets the nodes' keys.
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM releases"))
    refused(engine, "drawn already", lambda: gate.release(asked(), same, since=None))
    # And figures are not written over: the release is not drawn anew to write them.
    refused(engine, "given up", lambda: publish(engine, gate.tables, POLICY, LAST, "laplace-x"))
    with engine.begin() as connection, pytest.raises(IntegrityError):
        connection.execute(text("INSERT INTO spends SELECT * FROM spends LIMIT 1"))


def overspends() -> list[ReleasePolicy]:
    return [
        replace(POLICY, table_shares=(0.3, 0.3, 0.4)),  # another table gets more
        replace(POLICY, span_shares=(0.4, 0.6)),
        replace(POLICY, max_contributions=12, max_corrections=2),  # a stay may do more than then
        replace(POLICY, epsilon_per_year=0.5),
    ]


@pytest.mark.parametrize("later", overspends())
def test_a_policy_that_changes_within_the_year_cannot_overspend(
    engine: Engine, later: ReleasePolicy
) -> None:
    released(gate_of(engine, POLICY), engine, POLICY, LAST - timedelta(days=1))
    other = gate_of(engine, later)
    refused(
        engine,
        "privacy loss",
        lambda: other.release(asked(), contributed(), since=other.last_through()),
    )
    assert not plan_release(later, read_spent(engine), [LAST]).affordable
    # Another year has its own budget, and a quieter policy always fits.
    quiet = replace(POLICY, table_shares=(0.05, 0.2, 0.5))
    assert released(gate_of(engine, quiet), engine, quiet).epsilon == 0.0


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({2: "NEVERLAND"}, "nationality"), ({3: "rocket"}, "mode"), ({4: "SPY"}, "admission_class"),
        ({0: "vanished"}, "event"), ({1: LAST + timedelta(days=1)}, "day"), ({2: None}, "empty"),
    ],
)  # fmt: skip
def test_cells_outside_the_code_lists_are_refused_without_their_value(
    engine: Engine, changed: dict[int, object], what: str
) -> None:
    row = tuple(changed.get(n, value) for n, value in enumerate(AIR))
    gate = gate_of(engine, POLICY)
    refused(engine, what, lambda: gate.release(asked(), contributed(made_changes(row)), since=None))
    with pytest.raises(PrivacyError) as caught:
        gate.release(asked(), contributed(made_changes(row)), since=None)
    assert "NEVERLAND" not in str(caught.value)
    assert not read_spent(engine)


def test_changes_of_another_shape_are_refused(engine: Engine) -> None:
    gate = gate_of(engine, POLICY)
    wide = made_changes(AIR).with_columns(sex=pl.lit("F"))
    half = made_changes(AIR).with_columns(pl.col("count") * 0.5)
    twice = made_changes(AIR, AIR)
    for wrong in (wide, half, twice):
        refused(
            engine, "changes", lambda w=wrong: gate.release(asked(), contributed(w), since=None)
        )


@pytest.mark.parametrize("tables", [("sex",), ("total", "nationality_sex"), ("total",)])
def test_tables_that_policy_does_not_have_or_a_part_alone_are_refused(
    engine: Engine, tables: tuple[str, ...]
) -> None:
    gate = gate_of(engine, POLICY)
    request = asked(tables=tables)
    refused(engine, "tables", lambda: gate.release(request, contributed(), since=None))


def test_a_clock_that_went_back_and_a_day_that_is_not_over_are_refused(engine: Engine) -> None:
    gate = gate_of(engine, POLICY)
    refused(engine, "not over", lambda: gate.release(asked(NOON.date()), contributed(), since=None))
    released(gate, engine, POLICY, LAST - timedelta(days=2))
    back = gate_of(engine, POLICY, lambda: NOON - timedelta(hours=1))
    since = LAST - timedelta(days=2)
    refused(engine, "clock", lambda: back.release(asked(), contributed(), since=since))


@pytest.mark.parametrize("people", [("Ann", "Ann"), ("Ann", " ann "), ("", "Bob"), ("Ann", " ")])
def test_one_person_alone_makes_no_release(engine: Engine, people: tuple[str, str]) -> None:
    request = asked(asked_by=people[0], approved_by=people[1])
    gate = gate_of(engine, POLICY)
    refused(engine, "another", lambda: gate.release(request, contributed(), since=None))


def test_a_crash_after_the_spend_loses_counts_and_no_privacy(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node stays spent, is told as lost, and can never be drawn."""
    gate = gate_of(engine, POLICY)
    first = LAST - timedelta(days=1)

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(gates.Gate, "_draw", cut)
        with pytest.raises(KeyboardInterrupt):
            gate.release(asked(first), contributed(made_changes(AIR)), since=None)
    assert read_spent(engine)
    refused(engine, "being made", lambda: gate.release(asked(), contributed(), since=first))
    refused(engine, "have been", lambda: gate.release(asked(first), contributed(), since=first))
    after = gate_of(engine, POLICY, lambda: NOON + timedelta(minutes=11))
    released(after, engine, POLICY, LAST)
    with engine.connect() as connection:
        notes = dict(connection.execute(text("SELECT release_id, note FROM releases")).fetchall())
    assert notes == {f"laplace-{first}": gates.LOST, f"laplace-{LAST}": gates.MADE}
    lost = read_figures(engine, "method = 'lost'")
    assert lost.height
    assert lost["value"].null_count() == lost.height
    assert set(lost["period"]) >= {LAST - timedelta(days=7), LAST - timedelta(days=28)}
    fresh = read_figures(engine, "span = 'day' AND period = :day", day=LAST.isoformat())
    assert fresh["value"].null_count() == 0


def test_figures_that_were_not_written_are_written_later_from_the_same_draws(
    engine: Engine,
) -> None:
    gate = gate_of(engine, POLICY)
    done = gate.release(asked(), contributed(made_changes(AIR)), since=None)
    with engine.connect() as connection:
        before = connection.execute(text("SELECT COUNT(*) FROM draws")).scalar()
    assert publish(engine, gate.tables, POLICY, LAST, done.release_id)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM draws")).scalar() == before
    refused(engine, "given up", lambda: publish(engine, gate.tables, POLICY, LAST, done.release_id))


def _compete(url: str, ready: Any, answers: Any) -> None:
    engine = opened(url)
    gate = gate_of(engine, POLICY)
    ready.wait()
    try:
        gate.release(asked(), contributed(made_changes(AIR)), since=None)
        answers.put("drawn")
    except PrivacyError:
        answers.put("refused")
    engine.dispose()


def test_of_eight_processes_that_release_at_once_one_draws(statistics_url: str) -> None:
    engine = opened(statistics_url)
    spawn = multiprocessing.get_context("spawn")
    ready, answers = spawn.Barrier(8), spawn.Queue()
    crowd = [
        spawn.Process(target=_compete, args=(statistics_url, ready, answers)) for _ in range(8)
    ]
    for one in crowd:
        one.start()
    said = sorted(answers.get(timeout=240) for _ in crowd)
    for one in crowd:
        one.join()
    assert said == ["drawn", *["refused"] * 7]
    nodes = (30 + 3) * 3 * 6
    with engine.connect() as connection:
        for table in ("spends", "draws"):
            assert connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar() == nodes
    assert float(sum(s.loss for s in read_spent(engine))) <= 1.0
    engine.dispose()


def _stop(url: str) -> None:
    gates.Gate._draw = lambda *_: os._exit(9)  # type: ignore[method-assign]
    gate_of(opened(url), POLICY).release(asked(), contributed(made_changes(AIR)), since=None)


def test_a_machine_that_stops_between_spend_and_draw_loses_budget_and_no_privacy(
    statistics_url: str,
) -> None:
    """A process that is gone at once, as by loss of power."""
    stopped = multiprocessing.get_context("spawn").Process(target=_stop, args=(statistics_url,))
    stopped.start()
    stopped.join(timeout=240)
    assert stopped.exitcode == 9
    engine = opened(statistics_url)
    with engine.connect() as connection:
        rows = {t: connection.execute(text(f"SELECT COUNT(*) FROM {t}")).scalar()
                for t in ("spends", "draws", "figure_nodes")}  # fmt: skip
    assert rows == {"spends": (30 + 3) * 3 * 6, "draws": 0, "figure_nodes": 0}
    after = gate_of(engine, POLICY, lambda: NOON + timedelta(minutes=11))
    for since in (None, LAST):
        again = contributed(made_changes(AIR))
        refused(engine, "have been", lambda s=since, c=again: after.release(asked(), c, since=s))
    assert 0.99 < float(sum(s.loss for s in read_spent(engine))) <= 1.0
    engine.dispose()


def test_code_lists_that_grow_keep_what_was_drawn(engine: Engine) -> None:
    loud = small_policy(epsilon_per_year=8.0)
    day = LAST - timedelta(days=7)
    released(gate_of(engine, loud), engine, loud, day,
             made_changes(("arrived", day, "UTO", "sea", "WORK", 20_000)))  # fmt: skip
    wider = replace(loud, admission_classes=("CREW", "VISIT", "WORK"))
    released(gate_of(engine, wider), engine, wider, LAST)
    found = read_figures(
        engine, "release_table = 'nationality_mode_class' AND span = :span AND period = :day AND "
        "quantity = 'arrived' AND vintage = :last AND nationality = 'UTO' AND mode = 'sea'",
        span=Span.DAY.value, day=day.isoformat(), last=LAST.isoformat(),
    )  # fmt: skip
    by_class = dict(zip(found["admission_class"], found["value"], strict=True))
    assert by_class["WORK"] == pytest.approx(20_000, abs=600)
    assert by_class["CREW"] == pytest.approx(0, abs=600)


def test_a_table_that_joins_late_tells_no_period_that_it_has_only_a_part_of(
    engine: Engine,
) -> None:
    few = small_policy(
        tables=("total",), table_dimensions=("",), table_spans=("day month",), table_shares=(0.1,)
    )
    released(gate_of(engine, few), engine, few, LAST - timedelta(days=7))
    released(gate_of(engine, POLICY), engine, POLICY, LAST)
    late = read_figures(
        engine, "release_table = 'nationality' AND vintage = :last AND method <> 'computed'",
        last=LAST.isoformat(),
    )  # fmt: skip
    known = late.filter(pl.col("value").is_not_null())
    before = due_periods(few, Span.DAY, None, LAST - timedelta(days=7))
    now = due_periods(POLICY, Span.DAY, LAST - timedelta(days=7), LAST)
    # What nobody had drawn yet had waited whole.
    assert set(known.filter(pl.col("span") == "day")["period"]) == set(now) - set(before)
    assert (late.filter(pl.col("value").is_null())["method"] == "lost").all()
    total = read_figures(engine, "release_table = 'total' AND method = 'laplace'")
    assert total["value"].null_count() == 0


def test_time_is_utc(engine: Engine) -> None:
    late = datetime.fromisoformat("2026-03-02T00:30:00+02:00")
    gate = gate_of(engine, POLICY, lambda: late)
    refused(
        engine, "not over", lambda: gate.release(asked(date(2026, 3, 1)), contributed(), since=None)
    )
