"""A country into files: crossings, status changes, truth, manifests."""

from __future__ import annotations

from pathlib import Path

from sojourn.schemas import CROSSINGS
from sojourn.simulate.manifests import write_manifests
from sojourn.simulate.world import Country

INPUT_COLUMNS = tuple(n for n in CROSSINGS.names if n != "local_date")


def write_country(country: Country, directory: Path, *, manifests: bool = True) -> None:
    """Write crossings.parquet, status_changes.parquet, truth.parquet and manifests/*.edi.

    Who travelled (``travellers``) and what truly happened (``stays``) are not written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    country.crossings.select(INPUT_COLUMNS).write_parquet(directory / "crossings.parquet")
    country.status_changes.write_parquet(directory / "status_changes.parquet")
    country.truth.write_parquet(directory / "truth.parquet")
    if not manifests:
        return
    folder = directory / "manifests"
    folder.mkdir(exist_ok=True)
    for manifest in write_manifests(country.crossings):
        (folder / manifest.file_name).write_bytes(manifest.data)
