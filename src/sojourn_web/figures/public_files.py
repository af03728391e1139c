"""Downloads: each vintage as SDMX-CSV, SDMX structures, CSV with metadata, Parquet.

In: a vintage that was released and a kind. Out: a file, made at the first ask, kept beside the
office's web files and given with its digest as ETag. A vintage never changes: caches may keep it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from sojourn.errors import SojournError
from sojourn.release.formats import (
    write_csvw,
    write_data,
    write_parquet,
    write_structures,
    zip_files,
)
from sojourn.release.published import Wanted
from sojourn_web.figures import public_reading
from sojourn_web.figures.public_caching import FOR_EVER, matches
from sojourn_web.figures.public_reading import Shelf


@dataclass(frozen=True)
class Kind:
    """One download; ``name`` is the address's ending."""

    name: str
    label: str
    media_type: str
    about: str


KINDS = (
    Kind("figures.csv.zip", "CSV with metadata (CSVW)", "application/zip",
         "For a spreadsheet or a script: the figures, every code list, and what each column is."),
    Kind("figures.parquet", "Parquet", "application/vnd.apache.parquet",
         "For data tools: typed, small, with the metadata inside."),
    Kind("figures.sdmx.csv", "SDMX-CSV 2.0", "application/vnd.sdmx.data+csv;version=2.0.0",
         "For statistical offices: data."),
    Kind("structures.sdmx.json", "SDMX 3.0 structures", "application/vnd.sdmx.structure+json",
         "For statistical offices: code lists, concepts, data structure, as SDMX-JSON 2.0."),
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
    response["Cache-Control"] = FOR_EVER
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
    release = shelf.release_of(vintage)
    made_of = f"{url} {release.release_id if release else ''}"
    folder = Path(settings.DOWNLOADS) / hashlib.sha256(made_of.encode()).hexdigest()[:16]
    ending = f"-{kind.name}"
    with _building:
        if found := next(iter(sorted(folder.glob(f"*{ending}"))), None):
            return found
        data = _make(url, shelf, vintage, kind)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{hashlib.sha256(data).hexdigest()[:32]}{ending}"
        part = folder / f".{kind.name}.part"
        part.write_bytes(data)
        return part.replace(path)


def _make(url: str, shelf: Shelf, vintage: date, kind: Kind) -> bytes:
    lists = public_reading.code_lists(shelf)
    about = public_reading.publication()
    release = shelf.release_of(vintage)
    if kind.name == "structures.sdmx.json" and release is not None:
        return write_structures(lists, about, release.released_at).encode()
    figures = public_reading.read_figures(url, Wanted(), as_of=vintage)
    writers: dict[str, Callable[[], bytes]] = {
        "figures.csv.zip": lambda: zip_files(write_csvw(figures, lists, about)),
        "figures.parquet": lambda: write_parquet(figures, lists, about),
        "figures.sdmx.csv": lambda: write_data(figures, lists, about).encode(),
    }
    return writers[kind.name]()
