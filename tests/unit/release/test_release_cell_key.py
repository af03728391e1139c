"""The second method: against a slow reference, and what keeps it to closed periods.

The reference is written from the office's public description alone (record keys 0 to 255, their
sum modulo 256, rows 501 to 750 used again for larger counts, a table that is looked up, a
threshold), in plain Python. Its own package: ``test_cell_key_beside_the_office.py``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from lib.releasing import LAST, NOON, gate_of, lists_of, opened, released, small_policy
from sojourn.errors import PrivacyError
from sojourn.release import CellKeyRequest, read_figures, read_spent
from sojourn.release.cells import cell_key_tables_of
from sojourn.release.closed import tally
from sojourn.release.mechanisms import perturb, perturbation_table, record_key
from sojourn.vocabulary import Span

POLICY = small_policy(
    tables=("total", "nationality"), table_dimensions=("", "nationality"),
    table_spans=("day month", "day month"), table_shares=(0.25, 0.75),
    cell_key_tables=("mode_class",), cell_key_dimensions=("mode admission_class",),
)  # fmt: skip
PERIOD = date(2025, 11, 1)
WANTED = CellKeyRequest("mode_class", Span.MONTH, PERIOD, "Ann", "Bob", "a run", "a policy")


def slow(records: list[tuple[str, str, int]], table: Any, threshold: int) -> dict[Any, int]:
    """(mode, class, record key) rows into changed counts; -1 under the threshold."""
    counts: dict[Any, int] = defaultdict(int)
    keys: dict[Any, int] = defaultdict(int)
    for mode, name, key in records:
        counts[mode, name] += 1
        keys[mode, name] += key
    out = {}
    for cell, count in counts.items():
        cell_key = keys[cell] % 256
        row = count if count <= 750 else (count - 1) % 250 + 501
        changed = count + int(table[row][cell_key])
        out[cell] = -1 if count < threshold or changed < threshold else changed
    return out


def records_of(rows: list[tuple[str, str, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "crossing_ref": [n.to_bytes(16, "big") for *_, n in rows],
            "event": ["arrived"] * len(rows),
            "day": [PERIOD] * len(rows),
            "nationality": ["FRA"] * len(rows),
            "mode": [r[0] for r in rows],
            "admission_class": [r[1] for r in rows],
        },
        schema={"crossing_ref": pl.Binary, "event": pl.String, "day": pl.Date}
        | dict.fromkeys(("nationality", "mode", "admission_class"), pl.String),
    )


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["air", "sea"]), st.sampled_from(["VISIT", "WORK"])),
        st.sampled_from([1, 9, 10, 11, 12, 40, 749, 750, 751, 1_000, 1_001, 1_251]),
    ),
    st.integers(1, 9),
    st.integers(0, 2**60),
)
def test_cells_are_those_of_the_slow_reference(
    sizes: dict[tuple[str, str], int], reach: int, seed: int
) -> None:
    rows = [(m, c, seed + n) for (m, c), size in sizes.items() for n in range(size)]
    table = perturbation_table(reach)
    (released_table,) = cell_key_tables_of(POLICY, lists_of(POLICY))
    counts, keys = tally(released_table, records_of(rows), record_key)
    made = perturb(counts, keys, table, 10)[0]
    expected = slow(
        [(m, c, record_key(n.to_bytes(16, "big"))) for m, c, n in rows], table.tolist(), 10
    )
    cells = released_table.cells
    found = {
        (mode, name): int(made[cell])
        for mode, name, cell in cells.select("mode", "admission_class", "cell").iter_rows()
    }
    for cell, value in found.items():
        assert value == expected.get(cell, -1)


@pytest.mark.parametrize("reach", [1, 2, 5, 9])
def test_changes_are_bounded_even_on_average_and_the_same_each_time(reach: int) -> None:
    table = perturbation_table(reach)
    assert table.shape == (751, 256)
    assert np.abs(table).max() == reach
    assert (table[1:].sum(axis=1) == 0).all()
    assert (table[0] == 0).all()
    assert (table == perturbation_table(reach)).all()
    # The rows differ: one key does not change all counts alike.
    assert np.unique(table[1:], axis=0).shape[0] > 100


def test_record_keys_are_even_and_depend_on_the_whole_reference() -> None:
    keys = np.array([record_key(n.to_bytes(16, "big")) for n in range(51_200)])
    counted = np.bincount(keys, minlength=256)
    assert ((counted - 200) ** 2 / 200).sum() < 400  # 256 cells; fixed, so no false alarm
    assert record_key(b"\0" * 15 + b"\1") != record_key(b"\1" + b"\0" * 15)


@pytest.fixture
def engine(statistics_url: str) -> Any:
    engine = opened(statistics_url)
    yield engine
    engine.dispose()


def crowd(count: int = 40) -> pl.DataFrame:
    return records_of([("air", "VISIT", n) for n in range(count)])


def test_a_closed_period_is_released_once_outside_the_budget(engine: Engine) -> None:
    gate = gate_of(engine, POLICY)
    assert gate.release_cell_key(WANTED, crowd()) == 6 * 4 * 4
    found = read_figures(engine, "method = 'cell_key' AND quantity = 'arrived'")
    shown = found.filter(pl.col("value").is_not_null())
    assert shown.height == 1
    assert abs(shown["value"][0] - 40) <= POLICY.cell_key_reach
    small = found.filter(pl.col("value").is_null())
    assert (small["lower"] == 0).all()
    assert (small["upper"] == 11).all()
    assert not read_spent(engine)
    with pytest.raises(PrivacyError, match="already"):
        gate.release_cell_key(WANTED, crowd(41))


def test_what_is_open_unknown_or_touched_by_noise_is_refused(engine: Engine) -> None:
    gate = gate_of(engine, POLICY)
    for period in (date(2026, 2, 1), date(2026, 1, 1)):
        with pytest.raises(PrivacyError, match="open until"):
            gate.release_cell_key(replace(WANTED, period=period), crowd(0))
    with pytest.raises(PrivacyError, match="first day"):
        gate.release_cell_key(replace(WANTED, period=date(2025, 11, 3)), crowd(0))
    for other in (replace(WANTED, table="total"), replace(WANTED, span=Span.DAY)):
        with pytest.raises(PrivacyError, match="none"):
            gate.release_cell_key(other, crowd())
    with pytest.raises(PrivacyError, match="mode"):
        gate.release_cell_key(WANTED, crowd().with_columns(mode=pl.lit("rocket")))
    with pytest.raises(PrivacyError, match="another"):
        gate.release_cell_key(replace(WANTED, approved_by="Ann"), crowd())
    noisy = replace(
        POLICY, tables=("total", "by_mode_class"),
        table_dimensions=("", "admission_class mode"), cell_key_tables=(), cell_key_dimensions=(),
    )  # fmt: skip
    released(gate_of(engine, noisy), engine, noisy)
    with pytest.raises(PrivacyError, match="laplace before"):
        gate.release_cell_key(WANTED, crowd())


def test_a_table_that_a_cell_key_released_gets_no_noise_after_it(engine: Engine) -> None:
    gate_of(engine, POLICY).release_cell_key(WANTED, crowd())
    noisy = replace(
        POLICY, tables=("total", "other_name"), table_dimensions=("", "mode admission_class"),
        cell_key_tables=(), cell_key_dimensions=(),
    )  # fmt: skip
    with pytest.raises(PrivacyError, match="cell_key before"):
        released(gate_of(engine, noisy), engine, noisy, LAST)


def test_a_clock_that_went_back_is_refused(engine: Engine) -> None:
    gate_of(engine, POLICY).release_cell_key(WANTED, crowd())
    back = gate_of(engine, POLICY, lambda: datetime(2026, 2, 20, tzinfo=UTC))
    assert back._clock() < NOON - timedelta(days=1)
    with pytest.raises(PrivacyError, match="clock"):
        back.release_cell_key(replace(WANTED, period=date(2025, 10, 1)), crowd())
