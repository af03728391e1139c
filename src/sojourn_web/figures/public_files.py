"""Downloads: each vintage as SDMX-CSV, SDMX structures, CSV with metadata, Parquet.

In: a vintage that was released and a kind. Out: a file, made at the first ask piece by piece, kept
in a folder of its own (0700, files 0600: settings.DOWNLOADS) and given with its digest as ETag. A
vintage never changes: caches may keep it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import polars as pl
from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe
from sqlalchemy import Connection

from sojourn.errors import SojournError
from sojourn.release import published
from sojourn.release.formats import (
    CodeLists,
    Publication,
    build_code_lists,
    can_write_ml,
    save_parquet,
    save_zip,
    stream_csvw,
    stream_data,
    write_structures,
    write_structures_ml,
)
from sojourn.release.picking import Wanted
from sojourn.schemas import FIGURES
from sojourn_web.figures import public_reading
from sojourn_web.figures.public_caching import FOR_A_MINUTE, FOR_EVER, matches
from sojourn_web.figures.public_reading import Shelf
from sojourn_web.figures.statistics import open_statistics


@dataclass(frozen=True)
class Kind:
    """One download; ``name`` is the address's ending."""

    name: str
    label: str
    media_type: str
    about: str


_ML = Kind(
    "structures.sdmx.xml", "The same as SDMX-ML",
    "application/vnd.sdmx.structure+xml;version=3.0.0",
    "For statistical offices whose tools want XML: the same structures, SDMX-ML 3.0.",
)  # fmt: skip
KINDS = (
    Kind("figures.csv.zip", "CSV with metadata (CSVW)", "application/zip",
         "For a spreadsheet or a script: the figures, every code list, and what each column is."),
    Kind("figures.parquet", "Parquet", "application/vnd.apache.parquet",
         "For data tools: typed, small, with the metadata inside."),
    Kind("figures.sdmx.csv", "SDMX-CSV 2.0", "application/vnd.sdmx.data+csv;version=2.0.0",
         "For statistical offices: data."),
    Kind("structures.sdmx.json", "SDMX 3.0 structures", "application/vnd.sdmx.structure+json",
         "For statistical offices: code lists, concepts, data structure, as SDMX-JSON 2.0."),
    *([_ML] if can_write_ml() else []),
)  # fmt: skip
_building = threading.Lock()


@require_safe
def download(request: HttpRequest, vintage: str, name: str) -> HttpResponseBase:
    kind = next((k for k in KINDS if k.name == name), None)
    url = settings.STATISTICS_URL
    shelf = public_reading.read_shelf(url)
    known = {v.isoformat(): v for v in shelf.vintages}
    if kind is None or vintage not in known:
        raise Http404("expected a file of a released vintage: see the downloads page")
    try:
        path = _keep(url, shelf, known[vintage], kind)
    except SojournError:
        return HttpResponse("This file cannot be made here.", status=503, content_type="text/plain")
    etag = f'"{path.name.split("-")[0]}"'
    if matches(request, etag):
        response: HttpResponseBase = HttpResponse(status=304)
    else:
        saved_as = f"sojourn-{vintage}-{kind.name}"
        response = FileResponse(
            path.open("rb"), content_type=kind.media_type, as_attachment=True, filename=saved_as
        )
    response["ETag"] = etag
    settled = shelf.is_settled(known[vintage])
    response["Cache-Control"] = FOR_EVER if settled else FOR_A_MINUTE
    response["Access-Control-Allow-Origin"] = "*"
    return response


def make_ready(url: str) -> None:
    """The newest vintage's files, made before anybody asks. What cannot be made here is left out:
    whoever asks for it is told."""
    shelf = public_reading.read_shelf(url)
    for kind in KINDS if shelf.newest else ():
        with suppress(SojournError):
            _keep(url, shelf, shelf.vintages[0], kind)


def _keep(url: str, shelf: Shelf, vintage: date, kind: Kind) -> Path:
    """The kept file, made where it is not there; its name begins with its digest."""
    folder = _folder(shelf, vintage)
    ending = f"-{kind.name}"
    with _building:
        if found := next(iter(sorted(folder.glob(f"*{ending}"))), None):
            return found
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Another process of this server may make the same at this moment.
        part = folder / f".{kind.name}.{os.getpid()}-{secrets.token_hex(4)}.part"
        part.touch(mode=0o600, exist_ok=False)
        try:
            _make(url, shelf, vintage, kind, part)
            with part.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            return part.replace(folder / f"{digest[:32]}{ending}")
        finally:
            part.unlink(missing_ok=True)


def _folder(shelf: Shelf, vintage: date) -> Path:
    """By all that a file is made of: the releases in it, who publishes, which Sojourn writes it.
    Another database's releases, of the same names, have another."""
    mark, about = shelf.marks[vintage.isoformat()], public_reading.publication()
    made_of = " ".join([mark, repr(about), *FIGURES.names, _own_version()])
    return Path(settings.DOWNLOADS) / hashlib.sha256(made_of.encode()).hexdigest()[:16]


def _own_version() -> str:
    try:
        return version("sojourn")
    except PackageNotFoundError:
        return "from source"


def _make(url: str, shelf: Shelf, vintage: date, kind: Kind, path: Path) -> None:
    """Write the file, piece by piece. Its code lists are those of its vintage."""
    about = public_reading.publication()
    release = shelf.release_of(vintage)
    made = release.released_at if release else datetime(vintage.year, 1, 1, tzinfo=UTC)
    with open_statistics(url).connect() as connection:
        lists = build_code_lists(*published.read_lists(connection, vintage))
        if kind.name == "structures.sdmx.json":
            path.write_text(write_structures(lists, about, made), "utf-8")
        elif kind.name == "structures.sdmx.xml":
            path.write_text(write_structures_ml(lists, about, made), "utf-8")
        else:
            _make_data(connection, lists, about, vintage, kind, path)


def _make_data(
    connection: Connection, lists: CodeLists, about: Publication, vintage: date, kind: Kind,
    path: Path,
) -> None:  # fmt: skip
    def figures() -> Iterator[pl.DataFrame]:
        return published.iter_figures(connection, Wanted(), as_of=vintage)

    if kind.name == "figures.parquet":
        vintages = published.read_vintages(connection, Wanted(), as_of=vintage)
        save_parquet(figures, lists, about, vintages, path)
        return
    with path.open("wb") as file:
        if kind.name == "figures.csv.zip":
            save_zip(stream_csvw(figures(), lists, about), file)
        else:
            file.writelines(text.encode() for text in stream_data(figures(), lists, about))
