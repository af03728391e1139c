"""Published figures as CSV with CSVW metadata (W3C, Tabular Data on the Web), codes beside them.

In: FIGURES. Out: files by name: ``figures.csv``, a CSV for each code list, and
``figures.csv-metadata.json`` with types, keys, foreign keys to the code lists, licence and notes.
Columns bear FIGURES' own names; totals are ``all``.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterable, Iterator
from io import BytesIO, StringIO
from typing import IO

import polars as pl

from sojourn.release.formats.codes import CodeList, CodeLists, code_figures, say_number
from sojourn.release.formats.publication import Publication, describe
from sojourn.schemas import FIGURES

DATA, METADATA = "figures.csv", "figures.csv-metadata.json"
_CODED = ("release_table", "nationality", "mode", "admission_class", "quantity", "method")
_DATES = ("period", "vintage")
_NUMBERS = ("value", "lower", "upper", "level", "noise_sd", "epsilon")
_PLAIN = {"_T": "all", "_U": "unknown"}
# No zip keeps a date before 1980; one date for all gives the same bytes for the same figures.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def write_csvw(
    figures: pl.DataFrame, lists: CodeLists, publication: Publication
) -> dict[str, bytes]:
    """Raises SchemaError where a code is outside its list."""
    return {name: b"".join(parts) for name, parts in stream_csvw([figures], lists, publication)}


def stream_csvw(
    figures: Iterable[pl.DataFrame], lists: CodeLists, publication: Publication
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Files by name, each in pieces, of FIGURES in parts that follow one another. Take the pieces
    of one before the next: the last says what was in the first. Raises as ``write_csvw``."""
    vintages: set[str] = set()
    yield DATA, _data(figures, lists, vintages)
    for column in _CODED:
        yield f"{column}.csv", [_code_file(getattr(lists, column))]
    about = _metadata(publication, describe(publication, tuple(vintages)))
    yield METADATA, [(json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode()]


def _data(figures: Iterable[pl.DataFrame], lists: CodeLists, vintages: set[str]) -> Iterator[bytes]:
    first = True
    for part in figures:
        code_figures(part, lists)
        vintages |= {str(v) for v in part["vintage"].unique()}
        rows = part.sort(FIGURES.key).with_columns(
            pl.col("nationality", "mode", "admission_class").replace({"": "all"}),
            *(say_number(n).alias(n) for n in _NUMBERS),
        )
        yield rows.write_csv(include_header=first).encode()
        first = False


def zip_files(files: dict[str, bytes]) -> bytes:
    """One archive; the same files give the same bytes."""
    place = BytesIO()
    save_zip(((name, [data]) for name, data in files.items()), place)
    return place.getvalue()


def save_zip(files: Iterable[tuple[str, Iterable[bytes]]], place: IO[bytes]) -> None:
    """The same of files in pieces, written as they come."""
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, pieces in files:
            entry = zipfile.ZipInfo(name, _ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as opened:
                for piece in pieces:
                    opened.write(piece)


def _code_file(found: CodeList) -> bytes:
    place = StringIO()
    writer = csv.writer(place, lineterminator="\n")
    writer.writerow(("code", "name", "description"))
    writer.writerows((_PLAIN.get(c.id, c.id), c.name, c.description) for c in found.codes)
    return place.getvalue().encode()


def _metadata(publication: Publication, about: dict[str, str]) -> dict[str, object]:
    figures = {
        "url": DATA,
        "dc:title": about["title"],
        "dc:description": about["note"],
        "tableSchema": {
            "columns": [_column(c.name, c.note, required=not c.nullable) for c in FIGURES.columns],
            "primaryKey": list(FIGURES.key),
            "foreignKeys": [
                {
                    "columnReference": column,
                    "reference": {"resource": f"{column}.csv", "columnReference": "code"},
                }
                for column in _CODED
            ],
        },
    }
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "dc:title": about["title"],
        "dc:publisher": publication.publisher,
        "dc:license": {"@id": publication.licence_address},
        "dc:rights": f"{publication.licence}. Vintages: {about['vintages']}.",
        "tables": [figures, *(_code_table(column) for column in _CODED)],
    }


def _column(name: str, note: str, *, required: bool) -> dict[str, object]:
    made: dict[str, object] = {"name": name, "titles": name, "required": required}
    if note:
        made["dc:description"] = note
    if name in _DATES:
        made["datatype"] = {"base": "date", "format": "yyyy-MM-dd"}
    else:
        made["datatype"] = "number" if name in _NUMBERS else "string"
    return made


def _code_table(column: str) -> dict[str, object]:
    columns = [
        {"name": n, "titles": n, "datatype": "string", "required": n != "description"}
        for n in ("code", "name", "description")
    ]
    return {"url": f"{column}.csv", "tableSchema": {"columns": columns, "primaryKey": "code"}}
