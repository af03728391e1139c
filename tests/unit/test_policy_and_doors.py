"""Policy: every wrong setting is named. Doors: a table is exactly what it says."""

from __future__ import annotations

from importlib.resources import files

import polars as pl
import pytest

from sojourn import errors
from sojourn.errors import PolicyError, SchemaError, SojournError
from sojourn.policy import build_policy, load_policy
from sojourn.schemas import LINKS, MERGES, Table, check_table, door

DEFAULT = files("sojourn").joinpath("policies/default.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "to", "says"),
    [
        ("smallest_cell = 10", "smallest_cell = 9", "smallest_cell"),
        ("smallest_cell = 10", 'smallest_cell = "10"', "expected int, found str"),
        ("smallest_cell = 10", "smallest_cells = 10", "unknown: smallest_cells"),
        ("[measure]", "[mesure]", "unknown: mesure"),
        ("version = 1", "version = 2", "version = 1"),
        ('originals = "remove"', 'originals = "keep"', "remove or return"),
        ("merge_hours = 12 ", "merge_hours = true ", "found bool"),
        ('"BIRTH"]', '"SHOE_SIZE"]', "SHOE_SIZE"),
        ("horizon_months = 12 ", "horizon_months = 0 ", "horizon_months"),
        ("version = 1", "version = = 1", "not TOML"),
    ],
)
def test_a_wrong_setting_is_named(change: str, to: str, says: str) -> None:
    assert change in DEFAULT
    with pytest.raises(PolicyError, match=says):
        build_policy(DEFAULT.replace(change, to), "test")


def test_the_same_settings_have_the_same_digest_whatever_the_comments() -> None:
    bare = "\n".join(line.split("  #")[0] for line in DEFAULT.splitlines())
    assert build_policy(bare, "test").digest == load_policy().digest
    other = build_policy(DEFAULT.replace("merge_hours = 12", "merge_hours = 13"), "test")
    assert other.digest != load_policy().digest
    assert other.encode.digest == load_policy().encode.digest


def frame(table: Table, rows: int = 2) -> pl.DataFrame:
    made = {"arrival_ref": [b"a", b"b"], "departure_ref": [b"c", b"d"], "pattern": [1, 2],
            "match_weight": [1.0, 2.0], "match_probability": [0.5, 0.6],
            "policy_digest": ["x", "x"]}  # fmt: skip
    return table.conform(pl.DataFrame(made)).head(rows)


def test_a_table_is_exactly_what_it_says() -> None:
    good = frame(LINKS)
    check_table(good, LINKS)
    wrong = {
        "missing: pattern": good.drop("pattern"),
        "unexpected: surname": good.with_columns(surname=pl.lit("X")),
        "expected UInt32": good.with_columns(pl.col("pattern").cast(pl.Int64)),
        "nulls": good.with_columns(policy_digest=pl.lit(None, pl.String)),
        "repeats": pl.concat([good, good]),
    }
    for says, table in wrong.items():
        with pytest.raises(SchemaError, match=says):
            check_table(table, LINKS)


def test_errors_of_doors_hold_no_values() -> None:
    table = pl.DataFrame({"report_ref": ["ZYXWVUTQ"], "crossing_ref": [b"x"]})
    with pytest.raises(SchemaError) as caught:
        check_table(table, MERGES)
    assert "ZYXWVUTQ" not in str(caught.value)


def test_a_door_checks_what_goes_in_and_what_comes_out() -> None:
    @door(MERGES, links=LINKS)
    def step(links: pl.DataFrame, *, honest: bool) -> pl.DataFrame:
        return MERGES.empty() if honest else links

    assert step(frame(LINKS), honest=True).height == 0
    with pytest.raises(SchemaError, match="merges"):
        step(frame(LINKS), honest=False)
    with pytest.raises(SchemaError, match="links"):
        step(MERGES.empty(), honest=True)


def test_the_error_tree_is_drawn_as_it_is() -> None:
    tree = {n: c for n, c in vars(errors).items()
            if isinstance(c, type) and issubclass(c, SojournError)}  # fmt: skip
    assert set(errors.__all__) == set(tree)
    drawn = errors.__doc__ or ""
    for name, cls in tree.items():
        line = next(x for x in drawn.splitlines() if name in x)
        assert str(cls.exit_code) in line
