"""The command evaluate: how well linking does on invented people, whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sojourn.cli_printing import (
    AsJson,
    PolicyFile,
    check_files,
    long_progress_bar,
    out,
    print_json,
    print_table,
    progress_bar,
)
from sojourn.errors import UsageError
from sojourn.policy import Policy, load_policy

if TYPE_CHECKING:
    from sojourn.link import WeightTable
    from sojourn.pipeline import Evaluation
    from sojourn.pipeline.history import Step


def evaluate(
    crossings: Annotated[
        Path,
        typer.Argument(help="Crossings of invented people: a file; with --work a folder as well."),
    ],
    truth: Annotated[
        Path, typer.Argument(help="Parquet or CSV: arrival_id, departure_id, maybe case.")
    ],
    policy: PolicyFile = None,
    weights: Annotated[
        Path | None, typer.Option(help="A table that 'sojourn train' made; default: the shipped.")
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(help="Scratch folder: Parquet larger than memory is linked in blocks there."),
    ] = None,
    adapt: Annotated[
        bool, typer.Option("--adapt", help="Fit the weights to these records first, without truth.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """How well linking does on synthetic truth: precision, recall, F1, in total and by group.

    Groups are nationality, mode, script, sex, case (what makes a stay hard) and timing (left late
    or in time); none under 100 pairs is shown. A group that fares worse than the whole is told.
    With --work, crossings and truth may be folders of Parquet files of any size; a run that was
    stopped goes on when it is started again, and the folder is emptied at the end.

    Example: sojourn evaluate country/crossings.parquet country/truth.parquet --json
    """
    from sojourn.link import load_weights
    from sojourn.pipeline import evaluate as judge
    from sojourn.pipeline.judging import read_crossings, read_truth

    settings, table = load_policy(policy), load_weights(weights)
    if work is not None and adapt:
        raise UsageError("--adapt needs all records in memory: leave --work out")
    if work is not None:
        found = _evaluate_history(crossings, truth, work, settings, table)
    else:
        check_files([crossings, truth])
        with progress_bar() as bar:
            task = bar.add_task("reading", total=None)
            found = judge(
                read_crossings(crossings, settings), read_truth(truth), settings, table,
                adapt=adapt, progress=lambda step: bar.update(task, description=step),
            )  # fmt: skip
    if as_json:
        print_json(found.as_dict())
    else:
        _print_evaluation(found)


def _print_evaluation(found: Evaluation) -> None:
    overall = found.overall
    out.print(
        f"precision {overall.precision:.4f}  recall {overall.recall:.4f}  F1 {overall.f1:.4f}\n"
        f"{found.crossings:,} crossings in {found.seconds:.1f} s, keys included"
    )
    for line in found.remarks():
        out.print(line)
    for group, accuracies in found.groups.items():
        rows = [
            (k, f"{a.pairs:,}", f"{a.precision:.4f}", f"{a.recall:.4f}", f"{a.f1:.4f}")
            for k, a in accuracies.items()
        ]
        if rows:
            print_table(f"by {group}", ("", "pairs", "precision", "recall", "F1"), rows)


def _evaluate_history(
    crossings: Path, truth: Path, work: Path, policy: Policy, weights: WeightTable
) -> Evaluation:
    import polars as pl

    from sojourn.pipeline.judging_history import evaluate_history

    def files(of: Path) -> list[Path]:
        found = sorted(of.glob("*.parquet")) if of.is_dir() else [of]
        if not found or not found[0].is_file():
            raise UsageError(f"{of}: expected a Parquet file, or a folder of them, found none")
        return found

    with long_progress_bar() as bar:
        task = bar.add_task("encoding", total=1.0, left="")

        def tell(step: Step) -> None:
            left = step.seconds_left
            said = (
                ""
                if left is None
                else f"{left / 60:.0f} min left"
                if left > 90
                else (f"{left:.0f} s left")
            )
            done = (step.encoded + step.settled) / (2 * step.total)
            bar.update(task, description=step.stage, completed=done, left=said)

        return evaluate_history(
            files(crossings), pl.scan_parquet(files(truth)), policy, weights, work, progress=tell
        )
