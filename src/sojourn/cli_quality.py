"""The command quality: what each source sent, and how sure linking is."""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from sojourn.cli_printing import AsJson, Database, Home, Seed, out, print_json, print_table, say
from sojourn.measure import LEAST_TOLD, tell_number

if TYPE_CHECKING:
    from sojourn.measure import Estimate
    from sojourn.pipeline import LinkageReport


# Numbers of crossings among what is estimated; all else is a share.
_NUMBERS = (
    "without_arrival", "false_links", "false_without_arrival", "false_without_departure",
    "missed_links", "missed_by_rivals", "late", "no_departure", "late_or_open",
)  # fmt: skip


def quality_command(
    home: Home = Path("office"),
    database: Database = None,
    assess: Annotated[
        bool, typer.Option("--assess", help="Count anew how sure linking is: links all 8 times.")
    ] = False,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:
    """What each source sent, and how sure linking is: false links, missed links, by group.

    No record is reviewed and no truth is needed. Groups under 100 are hidden.

    Example: sojourn quality --home office --assess
    """
    from sojourn.pipeline import assess as count_anew
    from sojourn.pipeline import find_office, report_linkage

    office = find_office(home, statistics_url=database)
    if assess:
        with say.status("linking again, with partners withheld"):
            count_anew(office, np.random.default_rng(seed))
    with office.open_ledger() as ledger:
        found = ledger.quality()
    report = report_linkage(office)
    if as_json:
        told = {"sources": found.to_dicts(), "linkage": _told(asdict(report))}
        print_json(told)
        return
    rows = [(s, i.replace("_", " "), f"{n:,}") for s, i, n in found.rows()]
    print_table("by source", ("source", "what", "records"), rows)
    _print_linkage(report)


def _told(said: Any, name: str = "") -> Any:
    """For JSON: numbers of crossings under LEAST_TOLD as null, and what is not finite."""
    if isinstance(said, dict):
        few = name in _NUMBERS and said["value"] < LEAST_TOLD
        return {k: None if few else _told(v, k) for k, v in said.items()}
    if isinstance(said, list | tuple):
        return [_told(v, name) for v in said]
    if isinstance(said, float):
        few = name in _NUMBERS and said < LEAST_TOLD
        return None if few or not isfinite(said) else said
    return said


def _print_linkage(report: LinkageReport) -> None:
    if report.whole is None:
        out.print("How sure linking is has not been counted yet: sojourn quality --assess")
        return
    print_table(
        "how sure linking is", ("what", "estimate", "95% or bounds"), _whole(report), words=2
    )
    rows = [
        (
            q.group_kind.value, q.group_name, f"{q.departures:,}", _share(q.sensitivity.value),
            tell_number(q.false_links.value), _share(q.coverage.value),
        )
        for q in report.groups
    ]  # fmt: skip
    names = ("", "group", "departures", "links found", "false links", "seen to leave")
    print_table("by group (under 100: hidden)", names, rows, words=2)
    for gap in report.gaps:
        note = "" if gap.beyond_chance else " (no more than chance)"
        out.print(
            f"worst {gap.group_kind.value}: {gap.group_name}, links found "
            f"{_share(gap.sensitivity)} against {_share(gap.elsewhere)} elsewhere{note}"
        )


def _whole(report: LinkageReport) -> list[tuple[str, str, str]]:
    whole = report.whole
    if whole is None:
        return []
    rows = [
        _shares("false link, departure without recorded arrival", whole.false_link_chance),
        _shares("false link, departure of nobody (decoy)", whole.decoy_chance),
        _shares("false link, companion of nobody (decoy)", whole.family_decoy_chance),
        ("departures without recorded arrival", tell_number(whole.without_arrival), ""),
        _numbers("false links", whole.false_links),
        _shares("recorded pairs that are linked", whole.sensitivity),
        _bounds("... if names and documents fail together", whole.sensitivity_bounds),
        _shares("departures recorded and linked, if all are like those who return", whole.coverage),
        _bounds("... if others differ", whole.coverage_bounds),
        *(_shares(f"recorded pairs that are linked, {name}", e) for name, e in report.timing),
    ]
    if report.corrected is not None:
        rows += [
            _numbers("departed late, put right for linking", report.corrected.late),
            _numbers("no departure recorded, put right", report.corrected.no_departure),
        ]
    return rows


def _share(value: float) -> str:
    return f"{value:.2%}"


def _shares(what: str, e: Estimate) -> tuple[str, str, str]:
    return what, _share(e.value), f"{_share(e.lower)} to {_share(e.upper)}"


def _bounds(what: str, e: Estimate) -> tuple[str, str, str]:
    return what, "", f"{_share(e.lower)} to {_share(e.upper)}"


def _numbers(what: str, e: Estimate) -> tuple[str, str, str]:
    return what, tell_number(e.value), f"{tell_number(e.lower)} to {tell_number(e.upper)}"
