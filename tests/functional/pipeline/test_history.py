"""A history that memory does not hold: parts on disk, blocks in time order, stopped and gone on."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from sojourn.encode import MemoryKeyProvider, encode
from sojourn.errors import LinkageError, PrivacyError, ReadError
from sojourn.link import Settled, load_weights
from sojourn.pipeline import evaluate
from sojourn.pipeline.history import Pace, Part, Step, link_history
from sojourn.pipeline.judging_history import evaluate_history
from sojourn.pipeline.spool import Spool
from sojourn.policy import load_policy
from sojourn.simulate import World, build_country
from sojourn.simulate.files import INPUT_COLUMNS

POLICY, WEIGHTS = load_policy(), load_weights()
KEYS = MemoryKeyProvider(b"history")


@pytest.fixture(scope="module")
def country() -> tuple[pl.DataFrame, pl.DataFrame]:
    made = build_country(World(stays=9_000, seed=41))
    return made.crossings, made.truth


def parts_of(crossings: pl.DataFrame, rows: int) -> list[Part]:
    # In no order of time: each part spans the whole year.
    mixed = crossings.sort("crossing_id")
    return [
        Part(f"{n:05d}", lambda n=n: mixed.slice(n, rows))  # type: ignore[misc]
        for n in range(0, mixed.height, rows)
    ]


class StoppedError(Exception):
    pass


def run(spool: Spool, parts: list[Part], stop_after: int | None = None) -> dict[int, Settled]:
    found: dict[int, Settled] = {}

    def take(week: int, settled: Settled) -> None:
        found[week] = settled
        if stop_after is not None and len(found) > stop_after:
            raise StoppedError

    link_history(
        parts, spool, weights=WEIGHTS, policy=POLICY, keys=KEYS, total=1, take=take,
        rows_at_once=4_000,
    )  # fmt: skip
    return found


def links_of(found: dict[int, Settled]) -> pl.DataFrame:
    return pl.concat([s.linked.links for s in found.values()]).sort("arrival_ref")


def test_a_run_that_was_stopped_ends_like_one_that_was_not(
    country: tuple[pl.DataFrame, pl.DataFrame], tmp_path: Path
) -> None:
    parts = parts_of(country[0], 3_000)
    whole = run(Spool(tmp_path / "one", "x"), parts)
    with pytest.raises(StoppedError):
        run(Spool(tmp_path / "two", "x"), parts, stop_after=2)
    first = Spool(tmp_path / "two", "x")
    assert all(first.has(p.name) is not None for p in parts)

    def unread() -> pl.DataFrame:
        raise AssertionError("an encoded part is not read again")

    rest = run(first, [Part(p.name, unread) for p in parts])
    assert 0 < len(rest) < len(whole), "settled blocks are not linked again"
    kept = {w: s for w, s in whole.items() if w not in rest}
    assert links_of({**kept, **rest}).equals(links_of(whole))


def test_what_is_linked_with_another_policy_is_not_gone_on_with(tmp_path: Path) -> None:
    Spool(tmp_path, "one policy")
    with pytest.raises(LinkageError, match="another policy or other weights"):
        Spool(tmp_path, "another")


def test_scratch_files_hold_no_identity_and_are_private(
    country: tuple[pl.DataFrame, pl.DataFrame], tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool", "x")
    spool.put("a", encode(country[0].head(500), KEYS, POLICY.encode))
    files = list(tmp_path.rglob("*.arrow"))
    assert files
    for file in files:
        assert file.stat().st_mode & 0o077 == 0
        assert country[0]["surname"][0].encode() not in file.read_bytes()
    spool.clear()
    assert not list(tmp_path.rglob("*"))


def test_a_history_is_judged_like_a_set_that_fits(
    country: tuple[pl.DataFrame, pl.DataFrame], tmp_path: Path
) -> None:
    crossings, truth = country
    files = []
    for n, part in enumerate(crossings.sort("crossing_id").iter_slices(7_000)):
        files.append(tmp_path / f"{n}.parquet")
        part.select(INPUT_COLUMNS).write_parquet(files[-1])
    steps: list[Step] = []
    found = evaluate_history(
        files,
        truth.lazy(),
        POLICY,
        WEIGHTS,
        tmp_path / "work",
        rows_at_once=4_000,
        progress=steps.append,
    )
    whole = evaluate(crossings, truth, POLICY, WEIGHTS)
    assert found.crossings == crossings.height
    assert found.overall.pairs == whole.overall.pairs
    assert found.overall.f1 == pytest.approx(whole.overall.f1, abs=0.002)
    assert found.groups["nationality"].keys() == whole.groups["nationality"].keys()
    assert steps[-1].settled == steps[-1].encoded == crossings.height
    assert steps[-1].seconds_left == 0
    assert not list((tmp_path / "work").rglob("*"))


def test_a_sample_of_a_history_is_judged_alike(
    country: tuple[pl.DataFrame, pl.DataFrame], tmp_path: Path
) -> None:
    crossings, truth = country
    file = tmp_path / "all.parquet"
    crossings.select(INPUT_COLUMNS).write_parquet(file)
    found = evaluate_history(
        [file], truth.lazy(), POLICY, WEIGHTS, tmp_path / "work", judged=crossings.height // 3
    )
    assert found.overall.pairs == pytest.approx(truth.height / 3, rel=0.1)
    assert found.overall.f1 > 0.99
    with pytest.raises(PrivacyError, match="the sample holds"):
        evaluate_history([file], truth.lazy(), POLICY, WEIGHTS, tmp_path / "work", judged=1_000)


def test_nothing_that_names_anybody_is_written_while_a_history_is_judged(
    country: tuple[pl.DataFrame, pl.DataFrame], tmp_path: Path
) -> None:
    crossings, truth = country
    file = tmp_path / "all.parquet"
    crossings.select(INPUT_COLUMNS).write_parquet(file)
    names = [n.encode() for n in crossings["surname"].unique().to_list() if len(n) > 6]
    seen: list[Path] = []

    def look(step: Step) -> None:
        for folder, _, held in os.walk(tmp_path / "work"):
            for name in held:
                # What is settled is removed while the next block is linked.
                with suppress(FileNotFoundError):
                    inspect(Path(folder, name))

    def inspect(path: Path) -> None:
        assert path.stat().st_mode & 0o077 == 0
        raw = path.read_bytes()
        seen.append(path)
        if path.suffix == ".parquet":
            columns = set(pl.read_parquet_schema(raw))
            assert not columns & {"surname", "given_names", "birth_date", "document_number"}
        if path.suffix == ".arrow":
            assert not any(name in raw for name in names)

    evaluate_history([file], truth.lazy(), POLICY, WEIGHTS, tmp_path / "work", rows_at_once=4_000,
                     progress=look)  # fmt: skip
    assert {"ids", "links"} <= {p.parent.name for p in seen}


def test_other_files_of_the_same_name_are_not_gone_on_with(
    country: tuple[pl.DataFrame, pl.DataFrame], tmp_path: Path
) -> None:
    crossings, truth = country
    file = tmp_path / "all.parquet"
    crossings.select(INPUT_COLUMNS).write_parquet(file)

    def stop(step: Step) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        evaluate_history([file], truth.lazy(), POLICY, WEIGHTS, tmp_path / "w", progress=stop)
    crossings.head(20_000).select(INPUT_COLUMNS).write_parquet(file)
    with pytest.raises(LinkageError, match="begun with other files"):
        evaluate_history([file], truth.lazy(), POLICY, WEIGHTS, tmp_path / "w")


def test_only_parquet_can_be_read_in_slices(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("crossing_id\n1\n")
    with pytest.raises(ReadError, match="expected Parquet"):
        evaluate_history(
            [tmp_path / "a.csv"], pl.LazyFrame({"arrival_id": ["a"], "departure_id": ["b"]}),
            POLICY, WEIGHTS, tmp_path / "work",
        )  # fmt: skip


def test_the_time_left_is_what_each_stage_has_shown() -> None:
    now = [0.0]
    pace = Pace(100, lambda: now[0])
    now[0] = 10.0
    pace.did("encoding", 50)
    # 0.2 s a row: 50 rows to encode, and 100 to link, guessed to take as long.
    assert pace.step("encoding").seconds_left == pytest.approx(10 + 20)
    now[0] = 20.0
    pace.did("encoding", 50)
    now[0] = 21.0
    pace.did("linking", 50)
    assert pace.step("linking").seconds_left == pytest.approx(1.0)
