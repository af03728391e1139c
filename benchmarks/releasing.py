"""How long a release takes: a day with 2,400 cells, changes of 60 open event days.

``python -m benchmarks.releasing [DATABASE]``; the default is SQLite in a scratch folder. Rows: the
policy's schedule (a day is drawn at 0, 7, 28 and 60 days of age: what changed on the others waits);
all 60 days drawn at once, which no schedule asks for after the first release; and a country's first
release under the policy that ships, all nationalities told apart, of which three in four figures
are of the finest table's months.
Storage of draws and figures is in it; the time of the processor is told besides, since
others may share the machine.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from sojourn.ledger.engine import migrate, open_engine
from sojourn.policy import ReleasePolicy, load_policy
from sojourn.read.nations import KNOWN
from sojourn.release import CodeLists, Contributions, Gate, Request, empty_state, publish
from sojourn.release.contributions import CELL, CHANGES
from sojourn.vocabulary import StayEvent

CHANGED = 50_000  # counts that change in a day
LAST = date(2026, 4, 14)  # no month is due on the day after the first release
# 150 nationalities by 4 modes by 4 classes.
NATIONALITIES = tuple(f"N{n:02d}" for n in range(148))


def policy_of(ages: tuple[int, ...]) -> ReleasePolicy:
    return replace(
        load_policy().release, nationalities=NATIONALITIES, admission_classes=("VISIT", "WORK"),
        table_spans=("day month",) * 3, day_ages=ages, first_days=60, first_months=1,
    )  # fmt: skip


def changes_of(lists: CodeLists, through: date, rng: np.random.Generator) -> pl.DataFrame:
    days = [through - timedelta(days=int(d)) for d in rng.integers(0, 60, CHANGED)]
    drawn = {
        "event": rng.choice([e.value for e in StayEvent], CHANGED), "day": days,
        **{d: rng.choice(lists.of(d), CHANGED) for d in CELL[2:]},
    }  # fmt: skip
    summed = pl.DataFrame(drawn).group_by(CELL).agg(pl.len().cast(pl.Int64).alias("count"))
    return summed.select(list(CHANGES))


def release_day(url: str, policy: ReleasePolicy, *, first: bool) -> tuple[int, int, float, float]:
    """Cells drawn, figures written, seconds, processor seconds of the first or second release."""
    engine = open_engine(url)
    migrate(engine)
    lists = CodeLists.build(tuple(KNOWN), policy)
    rng, now = np.random.default_rng(1), datetime(2026, 5, 1, tzinfo=UTC)
    gate = Gate(engine, policy, lists, lambda: now)

    def once(through: date) -> tuple[int, int]:
        made = Contributions(changes_of(lists, through, rng), empty_state(), 0)
        wanted = Request(through, "one", "another", "a benchmark", policy.digest)
        done = gate.release(wanted, made, since=gate.last_through())
        return done.cells, publish(engine, gate.tables, policy, through, done.release_id)

    if not first:
        once(LAST - timedelta(days=1))
    started, used = time.perf_counter(), time.process_time()
    cells, figures = once(LAST)
    taken = time.perf_counter() - started, time.process_time() - used
    engine.dispose()
    return cells, figures, *taken


@contextmanager
def scratch(argument: list[str]):  # type: ignore[no-untyped-def]
    if argument:
        yield argument[0]
        return
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'statistics.sqlite3'}"


def main(say: Callable[[str], None] = print) -> None:
    shipped = load_policy().release
    for name, policy, first in (
        ("on schedule", policy_of(shipped.day_ages), False),
        ("all 60 days at once", policy_of(tuple(range(60))), False),
        ("a first release", shipped, True),
    ):
        with scratch(sys.argv[1:]) as url:
            cells, figures, wall, used = release_day(url, policy, first=first)
        say(f"{name}: {cells:,} cells drawn, {figures:,} figures, {wall:.1f} s "
            f"({used:.1f} s of processor); wanted under 5 s")  # fmt: skip


if __name__ == "__main__":
    main()
