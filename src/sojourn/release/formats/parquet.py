"""Published figures as Parquet, with what a reader must know in the file's own metadata.

In: FIGURES. Out: bytes: FIGURES with its own names and types, and key-value metadata ``sojourn``
(JSON: title, publisher, licence, note, vintages, what each column and quantity means).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from io import BytesIO
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

from sojourn.errors import SchemaError
from sojourn.release.formats.codes import CodeLists, code_figures
from sojourn.release.formats.publication import Publication, describe
from sojourn.schemas import FIGURES


def write_parquet(figures: pl.DataFrame, lists: CodeLists, publication: Publication) -> bytes:
    """Raises SchemaError where a code is outside its list."""
    code_figures(figures, lists)
    place = BytesIO()
    about = _about(lists, publication, [str(v) for v in figures["vintage"].unique()])
    figures.sort(FIGURES.key).write_parquet(place, compression="zstd", metadata=about)
    return place.getvalue()


def save_parquet(
    figures: Callable[[], Iterator[pl.DataFrame]], lists: CodeLists, publication: Publication,
    vintages: Sequence[date], path: Path,
) -> None:  # fmt: skip
    """The same of FIGURES in parts in the order of their key, written as they come."""
    failed: list[SchemaError] = []

    def parts(*_: object) -> Iterator[pl.DataFrame]:
        for part in figures():
            try:
                code_figures(part, lists)
            except SchemaError as refusal:  # the engine would hide it in an error of its own
                failed.append(refusal)
                return
            yield part

    frame = register_io_source(parts, schema=FIGURES.schema)
    about = _about(lists, publication, [v.isoformat() for v in vintages])
    frame.sink_parquet(path, compression="zstd", metadata=about)
    if failed:
        path.unlink()
        raise failed[0]


def _about(lists: CodeLists, publication: Publication, vintages: Sequence[str]) -> dict[str, str]:
    about = {
        **describe(publication, vintages),
        "columns": {c.name: c.note for c in FIGURES.columns},
        "quantities": {c.id: f"{c.name}. {c.description}" for c in lists.quantity.codes},
    }
    return {"sojourn": json.dumps(about, sort_keys=True)}
