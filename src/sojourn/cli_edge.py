"""The edge's two commands, read and encode: where plaintext is seen, and where it ends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from sojourn.cli_printing import PolicyFile, check_files, check_folder, say
from sojourn.errors import UsageError
from sojourn.policy import load_policy

Files = Annotated[list[Path], typer.Argument(help="CSV, NDJSON, Parquet or PAXLST.")]
Source = Annotated[str | None, typer.Option(help="The feed, where files do not say.")]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", help="TOML that names your columns.")
]


def read_command(
    files: Files,
    out: Annotated[Path, typer.Option(help="Checked crossings, Parquet, mode 0600.")],
    rejects: Annotated[
        Path | None, typer.Option(help="NDJSON: position, reason, expected.")
    ] = None,
    refused: Annotated[
        Path | None, typer.Option(help="The refused records themselves, to mend and send again.")
    ] = None,
    status_out: Annotated[Path | None, typer.Option(help="Checked status changes.")] = None,
    source: Source = None,
    mapping: MappingFile = None,
    policy: PolicyFile = None,
) -> None:
    """Convert and check files at the edge. The output identifies people: it stays there.

    Example: sojourn read manifest.edi --out crossings.parquet --rejects rejects.ndjson
    """
    from sojourn.pipeline.edge import read_all

    check_files(files)
    for file in (out, rejects, refused, status_out):
        if file:
            check_folder(file)
    if refused and len(files) != 1:
        raise UsageError("--refused takes one file at a time")
    reading = read_all(files, load_policy(policy), source=source, mapping=mapping)
    _write_private(reading.crossings, out)
    if status_out:
        _write_private(reading.status_changes, status_out)
    if rejects:
        reading.rejects.write_ndjson(rejects)
    if refused:
        from sojourn.read import write_rejected

        write_rejected(files[0], reading.rejects, refused)
    say.print(f"{reading.crossings.height:,} crossings, {reading.status_changes.height:,} status "
              f"changes, {reading.rejects.height:,} rejects")  # fmt: skip
    for row in reading.quality.rows():
        say.print(f"  {row[0]}: {row[1].replace('_', ' ')} {row[2]:,}", markup=False)


def encode_command(
    files: Files,
    out: Annotated[Path, typer.Option(help="Encodings, Parquet.")],
    home: Annotated[
        Path, typer.Option(envvar="SOJOURN_HOME", help="The folder that holds keys/.")
    ] = Path("office"),
    source: Source = None,
    mapping: MappingFile = None,
    policy: PolicyFile = None,
    decoys: Annotated[
        Path | None,
        typer.Option(help="Departures of nobody. Default: NAME.decoys.parquet beside --out."),
    ] = None,
) -> None:
    """Encode at the edge: identity leaves here. Both files go to 'sojourn load' at the centre.

    The second holds departures of nobody: the centre asks for them, counts what is found by chance
    and keeps the counts alone. Hand it over after the first.

    Example: sojourn encode crossings.parquet --out encodings.parquet --home office
    """
    from sojourn.pipeline.edge import encode_all
    from sojourn.pipeline.edge_files import (
        DECOYS_ENDING,
        decoys_beside,
        meant_as_decoys,
        write_decoys,
    )

    check_files(files)
    beside = decoys or decoys_beside(out)
    if not meant_as_decoys(beside):
        raise UsageError(f"--decoys: expected a name that ends in {DECOYS_ENDING}, found another")
    if meant_as_decoys(out):
        raise UsageError(f"--out: {DECOYS_ENDING} is the ending of decoys; take another")
    check_folder(out)
    check_folder(beside)
    made = encode_all(files, home, load_policy(policy), source=source, mapping=mapping)
    _write_private(made.encodings, out)
    write_decoys(made.decoys, beside)
    say.print(f"{made.encodings.height:,} encodings")
    say.print(f"{made.decoys.height:,} decoys of nobody in {beside}", markup=False)
    for count, what in (
        (made.rejects, "records rejected: 'sojourn read' says why"),
        (made.key_destroyed, "crossings left out: the key of their day is destroyed"),
        (made.without_keys, "crossings without a usable key: no partner can be found"),
    ):
        if count:
            say.print(f"  {count:,} {what}")


def _write_private(frame: pl.DataFrame, path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        frame.write_parquet(file)
