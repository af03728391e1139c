"""A custodian's own columns, mapped to ours by a small TOML file.

[columns]            # ours = "theirs"
crossing_id = "REC_NO"
[constants]          # for what their file does not say
mode = "air"
[values.direction]   # their word = ours
E = "arrival"
[formats]            # strptime formats of their times and dates; zone of naive times
event_time = "%d/%m/%Y %H:%M"
time_zone = "Europe/Lisbon"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from sojourn.errors import ReadError
from sojourn.schemas import CROSSINGS, STATUS_CHANGES

OURS = frozenset((*CROSSINGS.names, *STATUS_CHANGES.names, "mrz"))
SECTIONS = ("columns", "constants", "values", "formats")
TIMES = ("event_time", "recorded_at")


@dataclass(frozen=True)
class Mapping:
    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    formats: dict[str, str] = field(default_factory=dict)


def load_mapping(path: Path) -> Mapping:
    """Raises ReadError naming what is unknown and what exists."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ReadError(f"mapping {path.name}: expected readable TOML ({error})") from None
    if unknown := sorted(set(raw) - set(SECTIONS)):
        raise ReadError(
            f"mapping: unknown sections: {', '.join(unknown)}; known: {', '.join(SECTIONS)}"
        )
    _check_shape(raw)
    mapping = Mapping(**{name: raw.get(name, {}) for name in SECTIONS})
    named = {*mapping.columns, *mapping.constants, *mapping.values, *mapping.formats}
    if unknown := sorted(named - OURS - {"time_zone"}):
        raise ReadError(
            f"mapping: not columns of ours: {', '.join(unknown)}; ours: {', '.join(sorted(OURS))}"
        )
    try:
        ZoneInfo(mapping.formats.get("time_zone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ReadError("mapping: formats.time_zone: expected an IANA zone") from None
    return mapping


def _check_shape(raw: dict[str, Any]) -> None:
    """Sections are tables of text; ``values`` is one table a column."""
    for section, entries in raw.items():
        if not isinstance(entries, dict):
            raise ReadError(f"mapping: {section}: expected a section, [{section}]")
        for name, entry in entries.items():
            where = f"mapping: [{section}] {name}"
            if section != "values" and not isinstance(entry, str):
                raise ReadError(f"{where}: expected text in quotation marks")
            if section == "values" and not (
                isinstance(entry, dict) and all(isinstance(v, str) for v in entry.values())
            ):
                raise ReadError(f"{where}: expected a section, [values.{name}], of theirs = ours")


def apply_mapping(rows: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """Their columns as ours. Raises ReadError where a mapped column is not there."""
    missing = sorted(set(mapping.columns.values()) - set(rows.columns))
    if missing:
        raise ReadError(f"mapping: the file has no columns named: {', '.join(missing)}")
    taken = [pl.col(theirs).alias(ours) for ours, theirs in mapping.columns.items()]
    kept = [n for n in rows.columns if n in OURS | {"position"} and n not in mapping.columns]
    out = rows.select(*kept, *taken).with_columns(
        pl.lit(v).alias(n) for n, v in mapping.constants.items()
    )
    if absent := sorted(set(mapping.values) - set(out.columns)):
        raise ReadError(f"mapping: values for columns that are not mapped: {', '.join(absent)}")
    for name, table in mapping.values.items():
        out = out.with_columns(pl.col(name).replace(table))
    zone = mapping.formats.get("time_zone", "UTC")
    for name, pattern in mapping.formats.items():
        if name == "time_zone" or name not in out.columns or out.schema[name] != pl.String:
            continue
        if name in TIMES:
            naive = pl.col(name).str.to_datetime(pattern, strict=False, time_unit="us")
            moment = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
            parsed = moment.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        else:
            parsed = pl.col(name).str.to_date(pattern, strict=False).cast(pl.String)
        # What does not fit the format is left as it is: the check says what was expected.
        out = out.with_columns(pl.coalesce(parsed, pl.col(name)).alias(name))
    return out
