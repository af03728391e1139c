"""The results as Markdown: a table for each data set, and how they came about."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.peers.files import SEED, DataSet


@dataclass(frozen=True)
class Row:
    """One peer on one data set. ``failed`` says why there are no numbers."""

    peer: str
    version: str
    sees: str
    precision: float = 0.0
    recall: float = 0.0
    f1: float = 0.0
    seconds: float = 0.0
    runs: int = 0
    peak_gib: float = 0.0
    pairs: int = 0
    candidates_recall: float | None = None
    failed: str = ""


@dataclass(frozen=True)
class Result:
    data: DataSet
    crossings: int
    true_pairs: int
    rows: list[Row] = field(default_factory=list)


HEAD = """# Linking beside peers

<!-- Written by 'make bench-linkage'. Do not edit: run it again. -->

Made by `{command}` on {machine}, commit {commit}, {day}. Seed {seed}; peers' packages are pinned in
`requirements/peers.txt`. {busy}

All run on the same files, each in a process of its own, and see the same columns of a crossing.

- **Sojourn** gets match keys only and uses its shipped weights and **its own threshold**. It never
  sees the truth.
- **Peers** see what the column *sees* says. They are given cleaned names, Soundex codes and wide
  blocking (`benchmarks/peers/clean.py`: {kinds} kinds of key; *8 kinds* leaves out those that find
  little), arrivals before departures within 1,100 days. What they find goes through one common
  one-to-one assignment with a price on long gaps (`benchmarks/peers/assign.py`), whose threshold,
  price, cap and order are an **oracle's: the best F1 against the truth**, which no user has.
- `splink`: Jaro-Winkler levels, swapped names, look-alike documents, term frequencies, EM without
  truth; what EM takes for impossible among matches is lifted to 0.002, without which it lost those
  who leave on another passport. `recordlinkage`: the better of a weighted sum and its ECM
  classifier. `anonlink`: bigram keys of 1,024 bits from clkhash, blocked by keys that are made from
  plaintext.
- **crossings/s** is from the file to links: reading, keys or cleaning, training, pairs, assignment
  (one, not the oracle's search); without imports and compilation. Sojourn's weights are trained
  beforehand, Splink's on the spot. The seconds are the median of the runs given.
- **candidates hold**: the share of true pairs that were compared at all.

Peers' settings were chosen by hand for F1 on seeds like these: comparisons, blocking, the lift.
The simulator is Sojourn's own, and its weights were learned on other seeds of it, with truth: there
it is at home. {stranger} None of these is a border's accuracy: compare methods.
"""


def render(results: list[Result], facts: dict[str, str]) -> str:
    """The whole page."""
    strange = any(r.data.generator == "elsewhere" for r in results)
    stranger = (
        "The generator by somebody who did not know Sojourn's is the fairer judge."
        if strange
        else "No generator by somebody else was there to judge more fairly."
    )
    parts = [HEAD.format(seed=SEED, stranger=stranger, **facts)]
    for result in results:
        parts.append(
            f"## {result.data.title}{', large' if result.data.times > 1 else ''}\n\n"
            f"{result.crossings:,} crossings, {result.true_pairs:,} true pairs"
            f"{_made(result.data)}.\n\n{table(result)}"
        )
    return "\n".join(parts)


def _made(data: DataSet) -> str:
    if data.generator == "febrl":
        return "; 4a arrives on one day, 4b departs a week later; sex and addresses are left out"
    return f"; `stays={data.stays}`, `seed={SEED}`, `noise={data.noise:g}`"


def table(result: Result) -> str:
    """One line for each peer."""
    out = [
        "| peer | version | sees | P | R | F1 | crossings/s | s (runs) | peak GiB | pairs "
        "| candidates hold |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in result.rows:
        start = f"| {row.peer} | {row.version} | {row.sees} |"
        if row.failed:
            out.append(f"{start} – | – | – | – | – | – | – | {row.failed} |")
            continue
        held = "" if row.candidates_recall is None else f"{row.candidates_recall:.4f}"
        out.append(
            f"{start} {row.precision:.4f} | {row.recall:.4f} | **{row.f1:.4f}** "
            f"| {result.crossings / row.seconds:,.0f} | {row.seconds:.2f} ({row.runs}) "
            f"| {row.peak_gib:.2f} | {row.pairs:,} | {held} |"
        )
    return "\n".join(out) + "\n"
