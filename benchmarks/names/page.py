"""The figures as a page: a table by script, and one beside the libraries."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.names.measure import NAMES, TRAVELLERS, Price, Recall


@dataclass(frozen=True)
class Figures:
    """One script: ours, the encoder's own keys, and each library's by title."""

    script: str
    recall: Recall
    sound_date: float
    any_key: float
    price: Price
    libraries: dict[str, tuple[Recall, Price]] = field(default_factory=dict)


HEAD = """# Names by script

<!-- Written by 'python -m benchmarks.names'. Do not edit: run it again. -->

Made by `{command}`, seed {seed}: {travellers} invented travellers a script, each written in
several ways (`benchmarks/names/`: standards' transliteration tables and public rules of each
language; no list of people's names). A **pair** is two ways of writing one traveller that differ in
A-Z, with the same birth date and sex and other documents.

- **sound and date**: share of pairs that have a SOUND_DATE key in common; **any**: any name's key.
- **tokens**: mean share of the shorter spelling's skeletons that the other has as well.
- **price**: of two *different* names of the script (up to {names:,}), how many pairs in 10,000
  share a skeleton; **distinct**: skeletons for 1,000 names.

The sounds are drawn evenly, so that rare ones count as much as common ones, and every pair of ways
counts alike, though some are rarer than others in documents. Compare methods and scripts with it;
it is no rate of a border.

"""
BESIDE = """
## Beside phonetic libraries

Each coder is given the same tokens, after our transliteration and our rules for articles: the
figures are *sound · tokens · price*. Versions: {versions}. {absent}

"""


def render(rows: list[Figures], versions: dict[str, str], absent: list[str], command: str,
           seed: int) -> str:  # fmt: skip
    """The whole page. ``versions``: what each library's coder came from."""
    head = HEAD.format(command=command, seed=seed, travellers=TRAVELLERS, names=NAMES)
    out = [head, table(rows)]
    said = "; ".join(f"{title}: {came}" for title, came in versions.items()) or "none"
    gone = f"Not installed, so not measured: {', '.join(absent)}." if absent else ""
    out.append(BESIDE.format(versions=said, absent=gone).replace(" \n", "\n"))
    out.append(beside(rows, list(versions), absent))
    return "".join(out)


def table(rows: list[Figures]) -> str:
    """A line for each script, and their mean."""
    lines = ["| script | pairs | sound and date | any | tokens | price | distinct |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    for r in rows:
        lines.append(
            f"| {r.script} | {r.recall.pairs:,} | {r.sound_date:.3f} | {r.any_key:.3f} "
            f"| {r.recall.tokens:.3f} | {r.price.collisions:.0f} | {r.price.distinct:.0f} |"
        )
    lines.append(
        f"| **mean** | | {_mean([r.sound_date for r in rows]):.3f} "
        f"| {_mean([r.any_key for r in rows]):.3f} | {_mean([r.recall.tokens for r in rows]):.3f} "
        f"| {_mean([r.price.collisions for r in rows]):.0f} "
        f"| {_mean([r.price.distinct for r in rows]):.0f} |"
    )
    return "\n".join(lines) + "\n"


def beside(rows: list[Figures], titles: list[str], absent: list[str]) -> str:
    """Ours first, then every library; those that are absent say so."""
    columns = ["ours", *titles, *absent]
    lines = [f"| script | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for r in rows:
        cells = [_cell(r.recall, r.price), *(_cell(*r.libraries[t]) for t in titles)]
        cells += ["not installed"] * len(absent)
        lines.append(f"| {r.script} | {' | '.join(cells)} |")
    means = [_means([(r.recall, r.price) for r in rows])]
    means += [_means([r.libraries[t] for r in rows]) for t in titles]
    lines.append(f"| **mean** | {' | '.join(means + ['not installed'] * len(absent))} |")
    return "\n".join(lines) + "\n"


def _cell(recall: Recall, price: Price) -> str:
    return f"{recall.sound:.3f} · {recall.tokens:.3f} · {price.collisions:.0f}"


def _means(found: list[tuple[Recall, Price]]) -> str:
    sound = _mean([r.sound for r, _ in found])
    tokens = _mean([r.tokens for r, _ in found])
    return f"{sound:.3f} · {tokens:.3f} · {_mean([p.collisions for _, p in found]):.0f}"


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
