"""How well hard people are linked, case by case, and what is lost.

In: how many ordinary stays, how many of each case, a seed. Out: a ``HardResult``, and the page
docs/reference/hard-people.md. Everything is asked of the steps' own tables (encodings, merges,
links) and of the truth; nothing of linking's insides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from benchmarks.machine import describe_commit, describe_machine
from sojourn.encode import MemoryKeyProvider, encode
from sojourn.link import Linked, link, load_weights
from sojourn.pipeline import evaluate
from sojourn.pipeline.judging import Accuracy, Evaluation
from sojourn.policy import load_policy
from sojourn.schemas import HardCase
from sojourn.simulate import Country, World, build_country

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "hard-people.md"
ORDINARY = "ordinary"
NO_KEY, MIXED, IN_PIECES, RIVAL = "no key shared", "reports mixed", "in pieces", "rival or weight"
CAUSES = (NO_KEY, MIXED, IN_PIECES, RIVAL)
WHAT = {
    HardCase.TWINS_TOGETHER: "one surname and birth date, document numbers side by side; together",
    HardCase.TWINS_APART: "the same; one leaves before the other, some come later",
    HardCase.FAMILY: "one surname, together; of some, father and son share all names",
    HardCase.DUAL_NATIONAL: "leaves on another nation's passport, half in another spelling",
    HardCase.RENEWED: "a new document number in mid-stay",
    HardCase.NAME_CHANGED: "surname replaced or double-barrelled, half on a new passport",
    HardCase.COMMUTER: "some 230 stays a year by land, where a quarter of exits is not recorded",
    HardCase.WITHIN_MINUTES: "transit and crew, gone within ten minutes to two hours",
    HardCase.SAME_DAY: "two to four stays on one day",
    HardCase.BIRTH_DATE_MISSING: "wholly: half at both ends, half at one",
    HardCase.BIRTH_DAY_MISSING: "the day alone: half at both ends, half at one",
    HardCase.ONE_NAME: "a single name and nothing else",
    ORDINARY: "everybody else",
}


@dataclass(frozen=True)
class Case:
    """One row: how well, and the missed pairs by cause."""

    name: str
    scored: Accuracy
    missed: dict[str, int]


@dataclass(frozen=True)
class HardResult:
    ordinary: int
    each: int
    seed: int
    found: Evaluation
    cases: tuple[Case, ...]


def measure_hard(ordinary: int, each: int, seed: int) -> HardResult:
    """One country with a cast, linked under the shipped policy and weights, and judged."""
    policy, weights = load_policy(), load_weights()
    country = build_country(World(stays=ordinary, seed=seed, hard_stays=each))
    found = evaluate(country.crossings, country.truth, policy, weights)
    encodings = encode(country.crossings, MemoryKeyProvider(b"evaluation"), policy.encode)
    linked = link(encodings, weights, policy.linkage, policy.digest)
    missed = why_missed(country, encodings, linked)
    by_case = found.groups["case"]
    causes = {
        name: {c: missed.filter((missed["case"] == name) & (missed["cause"] == c)).height
               for c in CAUSES}
        for name in (*by_case, ORDINARY)
    }  # fmt: skip
    # Pairs that are in no case: the whole less the cases, as counts of what was right.
    named = [Case(n, s, causes[n]) for n, s in by_case.items()]
    named.append(Case(ORDINARY, _rest(found.overall, list(by_case.values())), causes[ORDINARY]))
    return HardResult(ordinary, each, seed, found, tuple(named))


def _rest(whole: Accuracy, parts: list[Accuracy]) -> Accuracy:
    """What is left of the whole without the parts."""

    def counts(a: Accuracy) -> tuple[int, int, int]:
        right = round(a.recall * a.pairs)
        return a.pairs, right, round(right / a.precision) if a.precision else 0

    pairs, right, links = (
        w - sum(p)
        for w, p in zip(counts(whole), zip(*map(counts, parts), strict=True), strict=True)
    )
    return Accuracy(pairs, right / links, right / pairs, 2 * right / (links + pairs))


def why_missed(country: Country, encodings: pl.DataFrame, linked: Linked) -> pl.DataFrame:
    """``case`` and ``cause`` of every true pair that is no link.

    no key shared: no report of the one end shares a key with one of the other, so that they were
    never compared (or the departure's only report is earlier than the arrival's: a manifest has
    the schedule). reports mixed: an end's crossing has a report of another stay in it. in pieces:
    this stay's departure was linked, but to a report of its arrival that was not merged with the
    others, or the other way round. rival or weight: compared, and another pair was preferred, or
    none.
    """
    reports = _reports(country, encodings, linked)
    real = _true_pairs(country, reports)
    links = linked.links.select(a="arrival_ref", d="departure_ref", hit=pl.lit(value=True))
    missed = real.join(links, on=["a", "d"], how="left").filter(pl.col("hit").is_null())
    compared = _compared(reports.join(missed.select("stay"), on="stay", how="semi"))
    mixed = reports.group_by("stands").agg(pl.col("stay").n_unique() > 1).filter("stay")["stands"]
    # A stay in pieces: some link joins a report of its arrival with one of its departure.
    whose = reports.select("stands", "stay").unique()
    pieces = (
        links.join(whose, left_on="a", right_on="stands")
        .join(whose, left_on="d", right_on="stands", suffix="_left")
        .filter(pl.col("stay") == pl.col("stay_left"))["stay"]
    )
    is_mixed = pl.col("a").is_in(mixed.implode()) | pl.col("d").is_in(mixed.implode())
    return missed.select(
        pl.col("case").cast(pl.String).fill_null(ORDINARY),
        cause=pl.when(is_mixed).then(pl.lit(MIXED))
        .when(pl.col("stay").is_in(pieces.implode())).then(pl.lit(IN_PIECES))
        .when(~pl.col("stay").is_in(compared.implode())).then(pl.lit(NO_KEY))
        .otherwise(pl.lit(RIVAL)),
    )  # fmt: skip


def _reports(country: Country, encodings: pl.DataFrame, linked: Linked) -> pl.DataFrame:
    """Every report: its stay, and the report that stands for its crossing."""
    refs = encodings.select("crossing_ref", "direction", "event_time", "match_keys")
    named = pl.concat([country.crossings.select("crossing_id"), refs], how="horizontal")
    merges = linked.merges.rename({"crossing_ref": "by"})
    return (
        named.join(country.travellers, on="crossing_id", how="left")
        .join(merges, left_on="crossing_ref", right_on="report_ref", how="left")
        .with_columns(stands=pl.coalesce("by", "crossing_ref"))
        .drop("by")
    )


def _true_pairs(country: Country, reports: pl.DataFrame) -> pl.DataFrame:
    ends = reports.select("crossing_id", "stands", "stay")
    return (
        country.truth.join(ends, left_on="arrival_id", right_on="crossing_id")
        .rename({"stands": "a"})
        .join(ends.drop("stay"), left_on="departure_id", right_on="crossing_id")
        .rename({"stands": "d"})
        .unique(["a", "d"])
    )


def _compared(reports: pl.DataFrame) -> pl.Series:
    """Stays of which some arrival's report shares a key with some later departure's."""
    keyed = reports.select("stay", "direction", "event_time", "match_keys").explode("match_keys")
    keyed = keyed.drop_nulls("match_keys")
    came = keyed.filter(pl.col("direction") == "arrival").drop("direction")
    left = keyed.filter(pl.col("direction") == "departure").drop("direction")
    both = came.join(left, on=["stay", "match_keys"], suffix="_left")
    return both.filter(pl.col("event_time_left") >= pl.col("event_time"))["stay"].unique()


HEAD = """# Hard people

<!-- Written by 'python -m benchmarks hard'. Do not edit: run it again. -->

Made by `python -m benchmarks hard` on {machine}, commit {commit}, {day}. A simulated country of
{ordinary:,} ordinary stays and {each:,} of each case among them (`seed={seed}`, ordinary noise,
{crossings:,} crossings): every case has the ordinary errors besides its own. Shipped weights,
shipped policy. Pairs are the stays that were recorded at both ends.

| case | what makes it hard | pairs | precision | recall | F1 | {causes} |
|---|---|---|---|---|---{lines}|
"""
TAIL = """
All: precision {p:.4f}, recall {r:.4f}, F1 {f1:.4f}.{gap}

The last columns say why pairs were missed:

- **{no_key}**: the two ends share no match key, so they were never compared. Without a birth date
  only the document and three names with the sex are left; a new surname on a new passport leaves
  nothing but a given name with the date. A manifest has the schedule: an exit that no booth
  recorded can lie before its own entry.
- **{mixed}**: a report was taken for another crossing's: a carrier's of a twin, or of the day's
  other turn, where the booth's own is missing.
- **{pieces}**: booth's and carrier's reports of one crossing were not brought together, and the
  link went to the other one. The stay is closed all the same, but a crossing is counted twice.
- **{rival}**: compared, and another arrival was preferred, or none was good enough.

A false pair counts in the case of its arrival; where the truth does not have that, of its
departure. These are invented people: compare cases and versions, not borders. Floors for each
case are in `tests/functional/pipeline/test_hard_people_linked.py`.
"""


def render(result: HardResult) -> str:
    """The page."""
    overall, gap = result.found.overall, result.found.worst_gap
    head = HEAD.format(
        machine=describe_machine(), commit=describe_commit(), day=f"{datetime.now(UTC):%Y-%m-%d}",
        ordinary=result.ordinary, each=result.each, seed=result.seed,
        crossings=result.found.crossings, causes=" | ".join(CAUSES), lines="|---" * len(CAUSES),
    )  # fmt: skip
    lines = [
        f"| {c.name.replace('_', ' ')} | {WHAT[c.name]} | {c.scored.pairs:,} "
        f"| {c.scored.precision:.4f} | {c.scored.recall:.4f} | **{c.scored.f1:.4f}** | "
        + " | ".join(str(c.missed[cause] or "") for cause in CAUSES) + " |"
        for c in result.cases
    ]  # fmt: skip
    worst = (
        f" Worst {gap.group} of 1,000 pairs or more: {gap.name}, F1 {gap.f1:.4f}, {gap.below:.4f} "
        "below the whole."
        if gap
        else ""
    )
    tail = TAIL.format(
        p=overall.precision, r=overall.recall, f1=overall.f1, gap=worst, no_key=NO_KEY,
        mixed=MIXED, pieces=IN_PIECES, rival=RIVAL,
    )  # fmt: skip
    return head + "\n".join(lines) + "\n" + tail
