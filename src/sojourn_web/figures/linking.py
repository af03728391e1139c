"""How sure linking is, in words: built from counts, no request and no database here.

In: rows of counts (LINKAGE_QUALITY). Out: what the page shows. Groups under 100 are hidden by the
library; estimates under the smallest number told are said as "fewer than".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from sojourn.measure import (
    LEAST_TOLD,
    SMALLEST_SHOWN,
    Estimate,
    Gap,
    LinkageQuality,
    judge_groups,
    judge_linkage,
    judge_timing,
    tell_number,
    worst_gaps,
)
from sojourn.schemas import LINKAGE_QUALITY
from sojourn.vocabulary import LinkageGroup

KINDS = {
    LinkageGroup.NATIONALITY: "Nationality",
    LinkageGroup.SCRIPT: "Script of names",
    LinkageGroup.MODE: "Mode of travel",
    LinkageGroup.SEX: "Sex",
}
# ISO 15924 codes in words; a script that is not here shows its code.
SCRIPTS = {
    "Arab": "Arabic", "Armn": "Armenian", "Beng": "Bengali", "Cyrl": "Cyrillic",
    "Deva": "Devanagari", "Ethi": "Ethiopic", "Geor": "Georgian", "Grek": "Greek",
    "Hans": "Chinese, simplified", "Hant": "Chinese, traditional", "Hebr": "Hebrew",
    "Jpan": "Japanese", "Khmr": "Khmer", "Kore": "Korean", "Laoo": "Lao", "Latn": "Latin",
    "Mymr": "Burmese", "Sinh": "Sinhala", "Thai": "Thai",
}  # fmt: skip
SEXES = {"F": "Female", "M": "Male", "X": "Unspecified"}
OUT_OF = 10_000


@dataclass(frozen=True)
class Said:
    """One number with its range and what it means."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class GroupRow:
    name: str
    departures: int
    found: str
    false_links: str
    seen: str


@dataclass(frozen=True)
class Linking:
    """What the page shows; ``headlines`` is empty before the first assessment."""

    headlines: tuple[Said, ...]
    timing: tuple[Said, ...]
    gaps: tuple[str, ...]
    tables: tuple[tuple[str, tuple[GroupRow, ...]], ...]
    smallest: int = SMALLEST_SHOWN


def build_linking(rows: Sequence[tuple[Any, ...]]) -> Linking:
    """``rows``: period (ISO), group_kind, group_name, what, value."""
    dated = [(date.fromisoformat(period), *rest) for period, *rest in rows]
    counts = pl.DataFrame(dated, schema=LINKAGE_QUALITY.schema, orient="row")
    whole = judge_linkage(counts)
    if whole is None or whole.departures < SMALLEST_SHOWN:
        return Linking((), (), (), ())
    groups = {kind: judge_groups(counts, kind) for kind in KINDS}
    tables = tuple((label, tuple(_row(q) for q in groups[kind])) for kind, label in KINDS.items())
    gaps = worst_gaps([q for found in groups.values() for q in found])
    timing = tuple(
        Said(f"Of stays that ended {name}", f"{e.value:.2%}", f"{e.lower:.2%} to {e.upper:.2%}")
        for name, e in judge_timing(counts)
    )
    return Linking(
        _headlines(whole), timing, tuple(_say_gap(g) for g in gaps if g.beyond_chance), tables
    )


def _headlines(whole: LinkageQuality) -> tuple[Said, ...]:
    decoys = Estimate(*(100 * getattr(whole.decoy_chance, n) for n in ("value", "lower", "upper")))
    kin = whole.family_decoy_chance
    bounds = whole.coverage_bounds
    said = [
        Said(
            f"Missed, of {OUT_OF:,} stays recorded at both ends",
            f"{OUT_OF * (1 - whole.sensitivity.value):,.0f}",
            f"between {OUT_OF * (1 - whole.sensitivity_bounds.upper):,.0f} and "
            f"{OUT_OF * (1 - whole.sensitivity_bounds.lower):,.0f}",
        ),
        Said(
            "Wrong links, estimated",
            tell_number(whole.false_links.value),
            f"{_range(whole.false_links)}, of {whole.departures:,} departures",
        ),
        Said(
            "Of 100 departures, recorded and linked",
            f"{100 * whole.coverage.value:.1f}",
            f"between {100 * bounds.lower:.1f} and {100 * bounds.upper:.1f} if travellers who "
            "do not come back differ from those who do",
        ),
    ]
    if whole.decoy_chance.upper < 1.0:
        said.append(
            Said(
                "Of 100 invented departures, linked to somebody",
                f"{decoys.value:.1f}",
                f"{decoys.lower:.1f} to {decoys.upper:.1f}; made to look like a companion's: "
                f"{100 * kin.value:.1f}",
            )
        )
    return tuple(said)


def _row(quality: LinkageQuality) -> GroupRow:
    return GroupRow(
        _name(quality.group_kind, quality.group_name),
        quality.departures,
        f"{quality.sensitivity.value:.2%}",
        tell_number(quality.false_links.value),
        f"{quality.coverage.value:.1%}",
    )


def _name(kind: LinkageGroup, name: str) -> str:
    if kind == LinkageGroup.SCRIPT:
        return SCRIPTS.get(name, name)
    if kind == LinkageGroup.SEX:
        return SEXES.get(name, name.capitalize())
    return name.capitalize() if kind == LinkageGroup.MODE else name


def _range(e: Estimate) -> str:
    """The interval; what lies under LEAST_TOLD is not told."""
    if e.lower >= LEAST_TOLD:
        return f"{e.lower:,.0f} to {e.upper:,.0f}"
    return f"at most {max(e.upper, LEAST_TOLD):,.0f}"


def _say_gap(gap: Gap) -> str:
    group = f"{KINDS[gap.group_kind]} {_name(gap.group_kind, gap.group_name)}"
    return (
        f"{group}: {gap.sensitivity:.2%} of stays recorded at both ends are "
        f"put together, against {gap.elsewhere:.2%} elsewhere. More of this "
        "group's stays wrongly look open."
    )
