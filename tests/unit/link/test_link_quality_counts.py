"""What is counted of links: withheld partners, kinds held out, re-entries. Counts alone."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from sojourn.encode import MemoryKeyProvider, encode
from sojourn.link import Linked, Trial, add_counts, count_quality, link, load_weights
from sojourn.link.ends import crossing_ends, without_crossings
from sojourn.link.held_out import DOCUMENT_KINDS, NAME_KINDS, find_by_kinds, keep_kinds
from sojourn.link.reentries import find_reentries
from sojourn.link.withheld import withhold
from sojourn.policy import load_policy
from sojourn.schemas import LINKAGE_QUALITY, KeyKind, check_table
from sojourn.scripts import script_of
from sojourn.simulate import Country, World, build_country
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import LinkageGroup as Group

POLICY = load_policy()
SETTINGS = (load_weights(), POLICY.linkage, POLICY.digest)
KNOWN_AT = date(2026, 1, 1)


@pytest.fixture(scope="module")
def country() -> Country:
    return build_country(World(stays=4_000, seed=6, lists=2, entry_coverage=0.95))


@pytest.fixture(scope="module")
def encodings(country: Country) -> pl.DataFrame:
    return encode(country.crossings, MemoryKeyProvider(b"counts"), POLICY.encode)


@pytest.fixture(scope="module")
def linked(encodings: pl.DataFrame) -> Linked:
    return link(encodings, *SETTINGS)


@pytest.fixture(scope="module")
def ends(encodings: pl.DataFrame, linked: Linked) -> pl.DataFrame:
    return crossing_ends(encodings, linked)


@pytest.fixture(scope="module")
def counts(encodings: pl.DataFrame) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    return count_quality(encodings, *SETTINGS, known_at=KNOWN_AT, trial=Trial(0.2, 1), rng=rng)


def total(counts: pl.DataFrame, what: What, kind: Group = Group.ALL) -> int:
    held = (pl.col("what") == what.value) & (pl.col("group_kind") == kind.value)
    return int(counts.filter(held)["value"].sum())


def test_several_reports_of_a_crossing_are_one_end(
    encodings: pl.DataFrame, linked: Linked, ends: pl.DataFrame
) -> None:
    booked = set(encodings.filter(pl.col("evidence") == "booked")["crossing_ref"])
    merged = set(linked.merges["report_ref"])
    standing = [r for r in encodings["crossing_ref"] if r not in merged and r not in booked]
    assert set(ends["crossing_ref"]) >= set(standing)
    assert ends["crossing_ref"].is_unique().all()
    assert ends["partner_ref"].is_not_null().sum() == 2 * linked.links.height


def test_a_crossing_goes_with_all_its_reports(encodings: pl.DataFrame, linked: Linked) -> None:
    refs = linked.merges["crossing_ref"].unique().head(50)
    rest = without_crossings(encodings, linked, refs)
    gone = refs.len() + linked.merges.filter(pl.col("crossing_ref").is_in(refs.implode())).height
    assert rest.height == encodings.height - gone
    assert not rest["crossing_ref"].is_in(refs.implode()).any()


def test_whose_arrival_is_withheld_never_gets_it_back(
    encodings: pl.DataFrame, linked: Linked
) -> None:
    held = withhold(encodings, linked, *SETTINGS, 0.3, np.random.default_rng(2))
    own = dict(linked.links.select("departure_ref", "arrival_ref").iter_rows())
    for ref, other in held.departures.select("crossing_ref", "other_ref").iter_rows():
        assert other != own[ref]
    assert 0.25 < held.departures.height / linked.links.height < 0.35
    assert held.departures["other_ref"].is_not_null().sum() > 0


def test_what_a_freed_arrival_takes_was_anothers(encodings: pl.DataFrame, linked: Linked) -> None:
    held = withhold(encodings, linked, *SETTINGS, 0.3, np.random.default_rng(3))
    own = dict(linked.links.select("departure_ref", "arrival_ref").iter_rows())
    taken = held.arrivals.drop_nulls("other_ref")
    for ref, other, lost in taken.select("crossing_ref", "other_ref", "lost_arrival").iter_rows():
        assert own[other] == lost != ref


def test_nothing_is_withheld_of_nothing(encodings: pl.DataFrame, linked: Linked) -> None:
    held = withhold(encodings, linked, *SETTINGS, 0.0, np.random.default_rng(4))
    assert held.departures.height == held.arrivals.height == 0


def test_kinds_that_are_held_out_are_gone_and_the_rest_is_as_it_was(
    encodings: pl.DataFrame,
) -> None:
    names = keep_kinds(encodings, NAME_KINDS)
    documents = keep_kinds(encodings, DOCUMENT_KINDS)
    assert names.schema == encodings.schema
    assert names["crossing_ref"].equals(encodings["crossing_ref"])
    kept = names["key_kinds"].list.len() + documents["key_kinds"].list.len()
    assert kept.equals(encodings["key_kinds"].list.len())
    left = {k & 0x7F for k in documents["key_kinds"].explode().drop_nulls().unique()}
    assert left == {int(KeyKind.DOCUMENT), int(KeyKind.DOCUMENT_OCR)}


def test_documents_and_names_each_find_most_links(encodings: pl.DataFrame, linked: Linked) -> None:
    found = find_by_kinds(encodings, *SETTINGS)
    full = linked.links.height
    assert found["by_names"].sum() > 0.95 * full
    assert found["by_documents"].sum() > 0.8 * full
    assert found.select(pl.any_horizontal("by_documents", "by_names")).to_series().all()


def test_reentries_are_of_one_traveller_and_in_order(
    country: Country, encodings: pl.DataFrame, ends: pl.DataFrame
) -> None:
    found = find_reentries(encodings, ends, *SETTINGS)
    who = pl.DataFrame(
        {"crossing_ref": encodings["crossing_ref"], "traveller": country.travellers["traveller"]}
    )
    came = ends.filter(pl.col("direction") == "arrival").join(who, on="crossing_ref")
    after = pl.col("event_time") - pl.duration(microseconds=1)
    right = found.join(who, on="crossing_ref").join(
        came.select("traveller", again_at=after), on=["traveller", "again_at"], how="semi"
    )
    assert (found["again_at"] >= found["event_time"]).all()
    assert right.height > 0.98 * found.height
    assert not (found["closed"] & found["contradicted"]).any()


def test_counts_pass_their_door_and_parts_add_up(counts: pl.DataFrame, linked: Linked) -> None:
    check_table(counts, LINKAGE_QUALITY)
    assert total(counts, What.DEPARTURES_LINKED) == linked.links.height
    for what in (What.DEPARTURES, What.ARRIVALS_WITHHELD, What.FOUND_BY_BOTH, What.REENTRIES):
        whole = total(counts, what)
        for kind in (Group.NATIONALITY, Group.SCRIPT, Group.MODE, Group.SEX):
            assert total(counts, what, kind) == whole


def test_re_arrivals_are_the_re_entries_by_the_month_of_the_second_arrival(
    encodings: pl.DataFrame, ends: pl.DataFrame, counts: pl.DataFrame
) -> None:
    kind = Group.MODE_CLASS
    assert total(counts, What.REARRIVALS, kind) == total(counts, What.REENTRIES, kind) > 0
    closed = total(counts, What.REARRIVALS_CLOSED, kind)
    assert closed == total(counts, What.REENTRIES_CLOSED, kind)
    found = find_reentries(encodings, ends, *SETTINGS).filter(~pl.col("contradicted"))
    months = found.group_by(pl.col("again_on").dt.month_start().alias("period")).len()
    held = counts.filter(pl.col("what") == What.REARRIVALS.value)
    by_month = held.group_by("period").agg(pl.col("value").sum())
    assert dict(by_month.iter_rows()) == dict(months.iter_rows())


def test_the_same_randomness_gives_the_same_counts(
    encodings: pl.DataFrame, counts: pl.DataFrame
) -> None:
    again = count_quality(
        encodings.sample(fraction=1.0, shuffle=True, seed=1), *SETTINGS, known_at=KNOWN_AT,
        trial=Trial(0.2, 1), rng=np.random.default_rng(1),
    )  # fmt: skip
    assert again.equals(counts)


def test_no_records_give_no_counts(encodings: pl.DataFrame) -> None:
    found = count_quality(
        encodings.clear(), *SETTINGS, known_at=KNOWN_AT, trial=Trial(),
        rng=np.random.default_rng(1),
    )  # fmt: skip
    assert not found.height
    assert add_counts([]).equals(LINKAGE_QUALITY.empty())


def test_counts_of_two_batches_are_added_up(counts: pl.DataFrame) -> None:
    twice = add_counts([counts, counts])
    assert twice.height == counts.height
    assert total(twice, What.DEPARTURES) == 2 * total(counts, What.DEPARTURES)


def test_scripts_are_known_by_nationality() -> None:
    assert [script_of(n) for n in ("RUS", "CHN", "EGY", "DEU")] == ["Cyrl", "Hans", "Arab", "Latn"]
