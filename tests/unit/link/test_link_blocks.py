"""A long history, block by block, against linking everything at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lib.plain_linking import DAY, START, Report, encodings, keys_of
from sojourn.encode import MemoryKeyProvider, encode
from sojourn.errors import LinkageError
from sojourn.link import blocks, link, load_weights
from sojourn.link.between import may_matter
from sojourn.link.blocks import CAME_AGAIN_BITS, BlockLinker, Carried
from sojourn.link.patterns import PATTERNS
from sojourn.policy import load_policy
from sojourn.references import join_refs
from sojourn.simulate import World, build_country

POLICY = load_policy()
WEIGHTS = load_weights()
PAIR = ["arrival_ref", "departure_ref"]


def in_blocks(reports: pl.DataFrame, days: int) -> tuple[pl.DataFrame, list[int]]:
    """Links of all blocks of so many days, and how many reports were carried on after each."""
    linker = BlockLinker(WEIGHTS, POLICY.linkage, POLICY.digest)
    ordered = reports.sort("event_time", "crossing_ref")
    parts = ordered.with_columns(
        block=(pl.col("event_time") - pl.col("event_time").min()).dt.total_days() // days
    ).partition_by("block", include_key=False, maintain_order=True)
    settled = [linker.take(part, last=n == len(parts) - 1) for n, part in enumerate(parts)]
    return pl.concat([s.linked.links for s in settled]), [s.carried for s in settled]


def simulated(stays: int, lists: int) -> pl.DataFrame:
    country = build_country(World(stays=stays, seed=31, lists=lists))
    return encode(country.crossings, MemoryKeyProvider(b"blocks"), POLICY.encode)


@pytest.mark.parametrize("lists", [1, 2])
def test_blocks_find_what_the_bulk_finds(lists: int) -> None:
    reports = simulated(12_000, lists)
    whole = link(reports, WEIGHTS, POLICY.linkage, POLICY.digest).links.select(PAIR)
    links, carried = in_blocks(reports, 30)
    parts = links.select(PAIR)
    assert not parts.select("arrival_ref").is_duplicated().any()
    assert not parts.select("departure_ref").is_duplicated().any()
    both = whole.join(parts, on=PAIR).height
    assert both > 0.998 * max(whole.height, parts.height)
    assert max(carried) < 0.4 * reports.height, "memory follows open stays, not history"
    assert carried[-1] == 0


def test_pairs_that_could_never_be_linked_are_left_out_and_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reports = simulated(12_000, 1)
    links, _ = in_blocks(reports, 30)
    monkeypatch.setattr(blocks, "may_matter", lambda *_: np.ones(PATTERNS, np.bool_))
    every, _ = in_blocks(reports, 30)
    assert links.select(PAIR).sort(PAIR).equals(every.select(PAIR).sort(PAIR))


def test_who_is_carried_on_need_not_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pairs that are carried with them are those that asking everybody again would find."""
    reports = simulated(12_000, 2)
    links, _ = in_blocks(reports, 20)
    monkeypatch.setattr(BlockLinker, "_known_before", lambda *_: 0)
    again, _ = in_blocks(reports, 20)
    assert links.select(PAIR).sort(PAIR).equals(again.select(PAIR).sort(PAIR))


def test_a_block_may_begin_at_the_moment_at_which_the_one_before_ended() -> None:
    """An exit, and in the next block an entry of the very same moment: one stay, as in bulk."""
    keys = keys_of(1, document=7)
    reports = encodings([
        Report(b"1" * 16, START, "departure", keys=keys, sex="F", nationality="UTO"),
        Report(b"2" * 16, START, keys=keys, sex="F", nationality="UTO"),
        Report(b"x" * 16, START + 80 * DAY, keys=keys_of(9, document=99)),
    ])  # fmt: skip
    whole = link(reports, WEIGHTS, POLICY.linkage, POLICY.digest).links
    assert whole["departure_ref"].to_list() == [b"1" * 16]
    linker = BlockLinker(WEIGHTS, POLICY.linkage, POLICY.digest)
    parts = [linker.take(reports[:1]), linker.take(reports[1:], last=True)]
    assert pl.concat([p.linked.links for p in parts]).select(PAIR).equals(whole.select(PAIR))


def test_more_open_stays_leave_more_strangers_out() -> None:
    few, many = (may_matter(WEIGHTS, n, 0.0).sum() for n in (1_000.0, 5_000_000.0))
    assert 0 < many < few


def test_one_block_is_the_bulk() -> None:
    reports = simulated(3_000, 2)
    whole = link(reports, WEIGHTS, POLICY.linkage, POLICY.digest)
    settled = BlockLinker(WEIGHTS, POLICY.linkage, POLICY.digest).take(reports, last=True)
    assert settled.linked.links.sort(PAIR).equals(whole.links.sort(PAIR))
    assert settled.linked.merges.sort("report_ref").equals(whole.merges.sort("report_ref"))


def test_a_history_that_stopped_goes_on_where_it_stopped(tmp_path: Path) -> None:
    reports = simulated(4_000, 1).sort("event_time", "crossing_ref")
    half = reports.height // 2
    through = BlockLinker(WEIGHTS, POLICY.linkage, POLICY.digest)
    through.take(reports[:half])
    kept = tmp_path / "carried.arrays"
    through.carried.write(kept)
    assert kept.stat().st_mode & 0o077 == 0
    stopped = BlockLinker(WEIGHTS, POLICY.linkage, POLICY.digest, carried=Carried.read(kept))
    one = through.take(reports[half:], last=True).linked.links.sort(PAIR)
    other = stopped.take(reports[half:], last=True).linked.links.sort(PAIR)
    assert one.equals(other)


def test_a_block_out_of_order_is_refused() -> None:
    linker = BlockLinker(WEIGHTS, POLICY.linkage, POLICY.digest)
    keys = keys_of(1, document=7)
    linker.take(encodings([Report(b"a" * 16, START, keys=keys)]))
    with pytest.raises(LinkageError, match="in time order"):
        linker.take(encodings([Report(b"b" * 16, START - timedelta(hours=1), keys=keys)]))


def test_who_came_and_left_again_is_not_waited_for() -> None:
    """An exit nobody recorded, then a whole stay: the first arrival is not carried on."""
    keys = keys_of(1, document=7)
    linker = BlockLinker(WEIGHTS, POLICY.linkage, POLICY.digest)
    first = [
        Report(b"1" * 16, START, keys=keys, sex="F", nationality="UTO"),
        Report(b"2" * 16, START + 40 * DAY, keys=keys, sex="F", nationality="UTO"),
        Report(b"3" * 16, START + 45 * DAY, "departure", keys=keys, sex="F", nationality="UTO"),
        Report(b"x" * 16, START + 80 * DAY, keys=keys_of(9, document=99)),
    ]
    settled = linker.take(encodings(first))
    assert settled.linked.links["arrival_ref"].to_list() == [b"2" * 16]
    carried = linker.carried.reports
    assert join_refs(carried.ref_high, carried.ref_low).to_list() == [b"x" * 16]


def test_it_is_known_of_a_traveller_among_five_million_open_stays() -> None:
    """The table's surest pattern must stay above what is asked, or nobody is ever let go."""
    surest = float(WEIGHTS.log2_same.max()) - float(WEIGHTS.prior_of(5_000_000))
    assert surest > CAME_AGAIN_BITS
