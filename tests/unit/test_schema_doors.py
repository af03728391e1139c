"""Every table of the platform at its door: one fault at a time, in each of its columns."""

from __future__ import annotations

import traceback
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from sojourn.errors import SchemaError
from sojourn.schemas import (
    CLOSED_CELLS,
    CROSSINGS,
    REJECTS,
    TABLES,
    TRUTH,
    Column,
    Privacy,
    Table,
    check_table,
    door,
)

EVERY = [*TABLES.values(), CLOSED_CELLS]
COLUMNS = [(t, c) for t in EVERY for c in t.columns]
SECRET = "ZYXWVUTQ"


def some(column: Column) -> list[Any]:
    """Two unlike values that fit a column, where it has two."""
    dtype = column.dtype
    if isinstance(dtype, pl.Enum):
        return [dtype.categories[0], dtype.categories[-1]]
    if isinstance(dtype, pl.List):
        return [[1, 2], [3]]
    if isinstance(dtype, pl.Datetime):
        return [datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 2, tzinfo=UTC)]
    simple: dict[Any, list[Any]] = {
        pl.String: ["a", "b"], pl.Binary: [b"a", b"b"], pl.Boolean: [True, False],
        pl.Date: [date(2025, 1, 1), date(2025, 1, 2)],
    }  # fmt: skip
    return simple.get(dtype, [1, 2])


def filled(table: Table) -> pl.DataFrame:
    return pl.DataFrame({c.name: some(c) for c in table.columns}, schema=table.schema)


def columns_named(found: tuple[Table, Column]) -> str:
    return f"{found[0].name}.{found[1].name}"


each_table = pytest.mark.parametrize("table", EVERY, ids=lambda t: t.name)
each_column = pytest.mark.parametrize(
    ("table", "column"), COLUMNS, ids=[columns_named(f) for f in COLUMNS]
)


@each_table
def test_rows_that_fit_pass_and_so_does_a_table_without_rows(table: Table) -> None:
    check_table(filled(table), table)
    check_table(table.empty(), table)
    assert set(table.key) <= set(table.names)
    assert set(table.order) <= set(table.names)
    assert isinstance(table.privacy, Privacy)


@each_column
def test_a_missing_column_is_named(table: Table, column: Column) -> None:
    with pytest.raises(SchemaError, match=f"^{table.name}: .*missing: {column.name};"):
        check_table(filled(table).drop(column.name), table)


@each_column
def test_a_column_of_another_type_is_named(table: Table, column: Column) -> None:
    other = pl.Boolean if column.dtype == pl.Float64 else pl.Float64
    wrong = filled(table).with_columns(pl.lit(1.0).cast(other).alias(column.name))
    with pytest.raises(SchemaError, match=rf"^{table.name}\.{column.name}: expected .*{other}"):
        check_table(wrong, table)


@each_column
def test_nulls_pass_only_where_they_may_be(table: Table, column: Column) -> None:
    holed = filled(table).with_columns(
        pl.when(pl.int_range(pl.len()) == 0).then(column.name).alias(column.name)
    )
    if column.nullable:
        check_table(holed, table)
        return
    with pytest.raises(SchemaError, match=rf"^{table.name}\.{column.name}: nulls"):
        check_table(holed, table)


@each_table
def test_a_further_column_and_another_order_are_refused(table: Table) -> None:
    with pytest.raises(SchemaError, match="unexpected: surname_of_all"):
        check_table(filled(table).with_columns(surname_of_all=pl.lit(SECRET)), table)
    with pytest.raises(SchemaError, match=f"{table.name}: expected columns"):
        check_table(filled(table).select(table.names[::-1]), table)


@each_table
def test_a_key_repeats_only_where_there_is_none(table: Table) -> None:
    twice = pl.concat([filled(table)] * 2)
    if not table.key:
        check_table(twice, table)
        return
    with pytest.raises(SchemaError, match=rf"{table.name}: the key \({', '.join(table.key)}\)"):
        check_table(twice, table)


def test_a_part_of_the_key_may_repeat() -> None:
    two = filled(CROSSINGS).with_columns(source=pl.lit("booth-air"))
    check_table(two, CROSSINGS)
    with pytest.raises(SchemaError, match="repeats"):
        check_table(two.with_columns(crossing_id=pl.lit("1")), CROSSINGS)


def test_times_of_another_zone_or_precision_are_refused() -> None:
    for dtype in (pl.Datetime("us"), pl.Datetime("ms", "UTC"), pl.Datetime("us", "Europe/Paris")):
        wrong = filled(CROSSINGS).with_columns(
            pl.lit(datetime(2025, 1, 1)).cast(pl.Datetime("us")).alias("event_time")  # noqa: DTZ001
            if dtype.time_zone is None
            else pl.col("event_time").cast(dtype)
        )
        with pytest.raises(SchemaError, match=r"crossings\.event_time: expected"):
            check_table(wrong, CROSSINGS)


def test_a_frame_is_made_to_fit_in_its_order_with_nulls_for_what_may_lack() -> None:
    needed = [c.name for c in CROSSINGS.columns if not c.nullable]
    loose = filled(CROSSINGS).select(reversed(needed)).with_columns(
        pl.col("direction").cast(pl.String), further=pl.lit(1)
    )  # fmt: skip
    fitted = CROSSINGS.conform(loose)
    check_table(fitted, CROSSINGS)
    assert fitted["nationality"].null_count() == 2
    with pytest.raises(SchemaError, match="columns missing: source"):
        CROSSINGS.conform(loose.drop("source"))


@pytest.mark.parametrize("column", ["direction", "event_time", "authorised_until", "withdrawn"])
def test_what_cannot_be_made_to_fit_names_its_column_and_not_its_value(column: str) -> None:
    wrong = filled(CROSSINGS).with_columns(pl.lit(SECRET).alias(column))
    with pytest.raises(SchemaError, match=column) as caught:
        CROSSINGS.conform(wrong)
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told


def test_a_door_knows_its_tables_by_name_or_by_place() -> None:
    @door(TRUTH, crossings=CROSSINGS, rejects=REJECTS)
    def step(crossings: pl.DataFrame, days: int, rejects: pl.DataFrame) -> pl.DataFrame:
        """What it does."""
        return TRUTH.empty().head(days)

    good, refused = filled(CROSSINGS), REJECTS.empty()
    assert step(good, 1, refused).equals(step(rejects=refused, days=1, crossings=good))
    with pytest.raises(SchemaError, match=r"^rejects: expected columns"):
        step(good, 1, good)
    with pytest.raises(SchemaError, match=r"^crossings: expected a table"):
        step("crossings.csv", 1, refused)  # type: ignore[arg-type]
    assert (step.__name__, step.__doc__) == ("step", "What it does.")


def test_a_step_does_not_run_on_a_table_that_its_door_refuses() -> None:
    ran = []

    @door(TRUTH, crossings=CROSSINGS)
    def step(crossings: pl.DataFrame) -> pl.DataFrame:
        ran.append(crossings.height)
        return TRUTH.empty()

    with pytest.raises(SchemaError):
        step(TRUTH.empty())
    assert ran == []


def test_doors_stand_open_where_they_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    @door(TRUTH, crossings=CROSSINGS)
    def step(crossings: pl.DataFrame) -> pl.DataFrame:
        return crossings

    monkeypatch.delenv("SOJOURN_CHECK_TABLES")
    assert step(REJECTS.empty()).equals(REJECTS.empty())
    monkeypatch.setenv("SOJOURN_CHECK_TABLES", "1")
    with pytest.raises(SchemaError):
        step(REJECTS.empty())
