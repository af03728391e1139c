"""Published figures as Parquet, with what a reader must know in the file's own metadata.

In: FIGURES. Out: bytes: FIGURES with its own names and types, and key-value metadata ``sojourn``
(JSON: title, publisher, licence, note, vintages, what each column and quantity means).
"""

from __future__ import annotations

import json
from io import BytesIO

import polars as pl

from sojourn.release.formats.codes import CodeLists, code_figures
from sojourn.release.formats.publication import Publication, describe
from sojourn.schemas import FIGURES


def write_parquet(figures: pl.DataFrame, lists: CodeLists, publication: Publication) -> bytes:
    """Raises SchemaError where a code is outside its list."""
    code_figures(figures, lists)
    vintages = [str(v) for v in figures["vintage"].unique()]
    about = {
        **describe(publication, vintages),
        "columns": {c.name: c.note for c in FIGURES.columns},
        "quantities": {c.id: f"{c.name}. {c.description}" for c in lists.quantity.codes},
    }
    place = BytesIO()
    figures.sort(FIGURES.key).write_parquet(
        place, compression="zstd", metadata={"sojourn": json.dumps(about, sort_keys=True)}
    )
    return place.getvalue()
