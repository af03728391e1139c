"""What commands share: how they print, show progress and name their options."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from sojourn.errors import UsageError

out = Console(highlight=False)
say = Console(stderr=True, highlight=False)

Home = Annotated[Path, typer.Option("--home", envvar="SOJOURN_HOME", help="The office's folder.")]
Database = Annotated[
    str | None,
    typer.Option(
        "--database", envvar="SOJOURN_STATISTICS_URL",
        help="The ledger's address; default: SQLite in the home folder.",
    ),
]  # fmt: skip
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", help="A policy file; default: the one that ships.")
]
Seed = Annotated[
    int, typer.Option("--seed", min=0, help="From 0 on; the same seed gives the same result.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def progress_bar() -> Progress:
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(),
        TextColumn("{task.completed:,.0f}"), TimeElapsedColumn(), console=say, transient=True,
    )  # fmt: skip


def long_progress_bar() -> Progress:
    """For work of known size: set the task's field ``left`` to what is left of it."""
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(),
        TextColumn("{task.percentage:.0f} %"), TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"), console=say, transient=True,
    )  # fmt: skip


def print_json(found: object) -> None:
    out.print_json(json.dumps(found, default=str))


def print_table(
    title: str, names: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, words: int | None = None
) -> None:
    """The first ``words`` columns are words, the others numbers; all but the last unless given."""
    table = Table(title=title, title_justify="left")
    wordy = len(names) - 1 if words is None else words
    for at, name in enumerate(names):
        table.add_column(name, justify="left" if at < wordy else "right")
    for row in rows:
        table.add_row(*row)
    out.print(table)


def check_day(day: date, today: date) -> None:
    """Raise UsageError where a day to look back from has not come yet."""
    if day > today:
        raise UsageError(
            f"--known-at: expected today ({today}, UTC) or a day before, found {day}: nobody "
            "knows yet what will be recorded by then. Ask for an earlier day, or leave it out"
        )


def check_folder(file: Path) -> None:
    """Raise UsageError where a file that is to be written has no folder to stand in."""
    if not file.parent.is_dir():
        raise UsageError(f"{file}: expected a folder {file.parent}, found none; make it first")
    if file.is_dir():
        raise UsageError(f"{file}: expected the name of a file, found a folder")


def finite(number: float) -> float:
    """For options: raise BadParameter where it is no number (nan) or without end."""
    if not isfinite(number):
        raise typer.BadParameter("expected a number, found none or one without end")
    return number


def check_files(files: Iterable[Path]) -> None:
    """Raise UsageError where one is no file."""
    for file in files:
        if not file.is_file():
            raise UsageError(f"{file}: expected a file, found none")
