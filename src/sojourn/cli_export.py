"""The command export: published figures as files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli_printing import Database, Home, out, say
from sojourn.errors import UsageError


def export_command(
    folder: Annotated[Path, typer.Option("--out", help="Where the files go; made if missing.")],
    home: Home = Path("office"),
    database: Database = None,
    vintage: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="As released with this day; default: the newest."),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Every vintage up to it, not only the newest of each.")
    ] = False,
    wanted: Annotated[str, typer.Option("--format", help="sdmx, csv, parquet or all")] = "all",
) -> None:
    """Write published figures as files: SDMX 3.0, CSV with metadata, Parquet. Spends no budget.

    Every file says its licence, vintages, noise and method. Figures that were not released are in
    none of them.

    Example: sojourn export --home office --out published --format all
    """
    from sojourn.pipeline import find_office
    from sojourn.pipeline.exporting import Format, export

    if wanted not in {*Format, "all"}:
        raise UsageError(f"--format: expected {', '.join(Format)} or all, found {wanted}")
    formats = tuple(Format) if wanted == "all" else (Format(wanted),)
    with say.status("writing"):
        done = export(
            find_office(home, statistics_url=database), folder, formats,
            vintage=vintage.date() if vintage else None, history=history,
        )  # fmt: skip
    for path in done.files:
        out.print(f"{path}  {path.stat().st_size:,} bytes", markup=False)
    for said in done.left_out:
        out.print(f"left out: {said}", markup=False)
    out.print(f"{done.figures:,} figures as released with {done.vintage}")
