"""The command calibrate: do the intervals of estimates hold the truth as often as they say?"""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sojourn.cli_printing import (
    AsJson,
    PolicyFile,
    Seed,
    long_progress_bar,
    out,
    print_json,
    print_table,
    say,
)
from sojourn.errors import UsageError
from sojourn.policy import load_policy

if TYPE_CHECKING:
    from sojourn.pipeline.calibrated import Line, Summary
    from sojourn.pipeline.calibrating import Progress


def calibrate(
    work: Annotated[
        Path, typer.Option(help="Where results go, chunk by chunk; a stopped run goes on there.")
    ] = Path("calibration"),
    countries: Annotated[int, typer.Option(min=1, help="Countries of each kind.")] = 200,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="plain, straight, unlike, drift, stops, delays, dependent, buses; "
                     "again for more than one; default: plain."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="All the way, names and links too; seconds a country.")
    ] = False,
    seed: Seed = 1,
    processes: Annotated[int, typer.Option(min=1, help="How many run at once.")] = 2,
    policy: PolicyFile = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Simulate small countries whose truth is known; tell how often intervals held it.

    Kinds: plain breaks no assumption of the estimates; the others break one each (straight: none,
    with 5% of air and 40% of land exits unrecorded). Told are the confidence interval for the
    truth, the prediction interval for the vintage of a year later, and the naive rate beside.
    With --full each country is encoded and linked as an office would; there is no later vintage.

    Example: sojourn calibrate --countries 4000 --work calibration --json
    """
    from sojourn.pipeline.calibrated import LEAST_CELLS, LEAST_EXPECTED
    from sojourn.pipeline.calibrating import FULL
    from sojourn.pipeline.calibrating import calibrate as run
    from sojourn.simulate.small_world import Kind

    known = [k.value for k in Kind]
    asked = kind or ([] if full else [Kind.PLAIN.value])
    if wrong := [k for k in asked if k not in known]:
        raise UsageError(f"--kind: expected {', '.join(known)}; found {', '.join(wrong)}")
    settings = load_policy(policy)
    with long_progress_bar() as bar:
        task = bar.add_task("simulating", total=1.0, left="")

        def tell(done: Progress) -> None:
            left = "" if done.seconds_left is None else f"{done.seconds_left / 60:.0f} min left"
            bar.update(task, completed=done.done / max(done.total, 1), left=left)

        found = run(
            [*asked, *([FULL] if full else [])], countries, seed, settings, work,
            processes=processes, tell=tell,
        )  # fmt: skip
    for name in found.countries:
        if not any(line.kind == name for line in found.lines):
            say.print(
                f"{name}: too few countries to tell anything. A line needs {LEAST_CELLS} cells of "
                f"{LEAST_EXPECTED:.0f} stays and more: take --countries {LEAST_CELLS} at least"
            )
    if as_json:
        print_json(found.as_dict())
        return
    _print(found)


def _print(found: Summary) -> None:
    for name, number in found.countries.items():
        lines = [
            line for line in found.lines
            if line.kind == name and line.quantity == "overstay_rate"
        ]  # fmt: skip
        if not lines:
            continue
        print_table(
            f"{number:,} countries, {name}: the overstay rate",
            ("cells", "truth", "held", "later held", "width", "bias", "naive bias", "bounds"),
            [_row(line) for line in lines], words=1,
        )  # fmt: skip
        worst = found.worst(name)
        if worst is not None:
            out.print(f"worst stratum: {worst.group}, {_share(worst.coverage)} held")
        others = [
            line for line in found.lines
            if line.kind == name and line.quantity != "overstay_rate"
            and line.group.startswith("total, ")
        ]  # fmt: skip
        if others:
            print_table(
                f"{name}: the parts of it", ("part", "cells", "held", "later held", "width"),
                [_part(line) for line in others], words=2,
            )  # fmt: skip


def _part(line: Line) -> tuple[str, ...]:
    return (
        line.quantity.replace("_", " "), line.group,
        _held(line.coverage, line.coverage_error),
        _held(line.later_coverage, line.later_coverage_error), f"{line.width:.2%}",
    )  # fmt: skip


def _row(line: Line) -> tuple[str, ...]:
    return (
        line.group, f"{line.truth:.2%}", _held(line.coverage, line.coverage_error),
        _held(line.later_coverage, line.later_coverage_error), f"{line.width:.2%}",
        f"{line.bias:+.0%} ± {line.bias_error:.0%}", f"{line.naive_bias:+.0%}",
        _share(line.in_bounds),
    )  # fmt: skip


def _held(share: float, error: float) -> str:
    """With its error, where there is any: all the way there is no final vintage."""
    return f"{_share(share)} ± {_share(error)}" if isfinite(share) else "-"


def _share(value: float) -> str:
    return f"{value:.1%}" if isfinite(value) else "-"
