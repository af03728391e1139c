"""Carriers' records as PAXLST manifests: one file a flight, with the quirks of real senders.

In: CROSSINGS of carrier sources. Out: bytes per flight. Written apart from the reader and from
the guide alone, so that the two check each other. Quirks go by the flight's number: telex
headers, unusual separators, lines broken in mid-segment, false counts, two-digit years, Latin-1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zlib import crc32
from zoneinfo import ZoneInfo

import polars as pl

# A real airport in the country a traveller comes from or goes to, with its zone.
ABROAD = {
    "DEU": ("FRA", "Europe/Berlin"), "FRA": ("CDG", "Europe/Paris"),
    "GBR": ("LHR", "Europe/London"), "USA": ("JFK", "America/New_York"),
    "IND": ("DEL", "Asia/Kolkata"), "CHN": ("PEK", "Asia/Shanghai"),
    "BRA": ("GRU", "America/Sao_Paulo"), "JPN": ("HND", "Asia/Tokyo"),
}  # fmt: skip
ELSEWHERE = ("DXB", "Asia/Dubai")
HOURS_ALOFT = 7
PLAIN, DOLLARS = (":", "+", ".", "?", " ", "'"), ("*", "$", ".", "#", " ", "-")


@dataclass(frozen=True)
class ManifestFile:
    source: str
    file_name: str
    data: bytes
    travellers: int


def write_manifests(crossings: pl.DataFrame) -> Iterator[ManifestFile]:
    """Group carriers' air records by flight, direction, port and day; one file each."""
    flown = crossings.filter(
        pl.col("source").str.starts_with("carrier-") & (pl.col("mode") == "air")
    ).with_columns(hour=pl.col("event_time").dt.truncate("6h"))
    keys = ["source", "direction", "port", "hour"]
    for number, (_, flight) in enumerate(flown.group_by(keys, maintain_order=True)):
        yield write_manifest(flight, number)


def write_manifest(flight: pl.DataFrame, number: int) -> ManifestFile:
    """One flight's travellers as a PAXLST file."""
    first = flight.row(0, named=True)
    separators = DOLLARS if number % 11 == 5 else PLAIN
    code = first["source"].removeprefix("carrier-")
    name = f"{code}{100 + crc32(first['port'].encode()) % 800}"
    when = first["event_time"].replace(second=0, microsecond=0)
    segments = [*_opening(first, name, when, number, separators)]
    for row in flight.iter_rows(named=True):
        segments += _person(row, separators)
    declared = flight.height + (3 if number % 13 == 4 else 0)
    segments += [_join(separators, "CNT", ("42", str(declared)))]
    body = [s for s in segments if not s.startswith(("UNB", "UNG"))]
    wrong = 99 if number % 17 == 3 else len(body) + 1
    segments += [
        _join(separators, "UNT", str(wrong), "PAX1"),
        _join(separators, "UNE", "1", "1"),
        _join(separators, "UNZ", "1", f"{number:09d}"),
    ]
    text = _quirks(segments, separators, number)
    latin = number % 7 == 2
    data = text.encode("latin-1", "replace") if latin else text.encode("utf-8")
    return ManifestFile(first["source"], f"{name}-{number:06d}.edi", data, flight.height)


def _join(separators: tuple[str, ...], tag: str, *elements: str | tuple[str, ...]) -> str:
    component, element, _, release, _, terminator = separators
    special = {component, element, release, terminator}

    def safe(text: str) -> str:
        return "".join(release + c if c in special else c for c in text)

    parts = [
        component.join(safe(p) for p in e) if isinstance(e, tuple) else safe(e) for e in elements
    ]
    return element.join([tag, *parts])


def _opening(
    first: dict[str, object], name: str, when: datetime, number: int, s: tuple[str, ...]
) -> Iterator[str]:
    stamp = (f"{when:%y%m%d}", f"{when:%H%M}")
    sender = str(first["source"]).upper().replace("-", "")
    yield _join(s, "UNB", ("UNOA", "4"), sender, "UTOCUSTOMS", stamp, f"{number:09d}")
    yield _join(s, "UNG", "PAXLST", sender, "UTOCUSTOMS", stamp, "1", "UN", ("D", "05B"))
    yield _join(s, "UNH", "PAX1", ("PAXLST", "D", "05B", "UN", "IATA"))
    yield _join(s, "BGM", "745")
    yield _join(s, "NAD", "MS", "", "", "OPERATIONS DESK")
    yield _join(s, "TDT", "20", name, "", "", name[:2])
    abroad, zone = ABROAD.get(str(first["nationality"]), ELSEWHERE)
    leaving = first["direction"] == "departure"
    here = (str(first["port"]), when)
    away = when + timedelta(hours=HOURS_ALOFT if leaving else -HOURS_ALOFT)
    there = (abroad, away.astimezone(ZoneInfo(zone)))
    stops = (here, there) if leaving else (there, here)
    for (port, moment), place, time in zip(stops, ("125", "87"), ("189", "232"), strict=True):
        yield _join(s, "LOC", place, port)
        yield _join(s, "DTM", (time, f"{moment:%y%m%d%H%M}", "201"))


def _person(row: dict[str, object], s: tuple[str, ...]) -> Iterator[str]:
    given = str(row["given_names"]).split(" ", 1)
    yield _join(s, "NAD", "FL", "", "", (str(row["surname"]), *given))
    if row["sex"]:
        yield _join(s, "ATT", "2", "", str(row["sex"]))
    if row["birth_date"]:
        digits = str(row["birth_date"]).replace("-", "")
        yield _join(s, "DTM", ("329", digits[2:]))
    if row["nationality"]:
        yield _join(s, "NAT", "2", str(row["nationality"]))
    yield _join(s, "RFF", ("ABO", str(row["crossing_id"])))
    if row["document_number"]:
        yield _join(s, "DOC", ("P", "110", "111"), str(row["document_number"]))
        if row["nationality"]:
            yield _join(s, "LOC", "91", str(row["nationality"]))


def _quirks(segments: list[str], separators: tuple[str, ...], number: int) -> str:
    terminator = separators[5]
    line = "\r\n" if number % 3 else ""
    text = line.join(segment + terminator for segment in segments) + line
    if separators is not PLAIN or number % 2:
        text = "UNA" + "".join(separators) + line + text
    if number % 5 == 1:
        text = text.replace("NAD", "N\r\nAD", 3)
    if number % 9 == 7:
        text = f"QU UTOXXCR\r\n.{segments[0][:3]}OPS 010000\r\n\x02" + text + "\r\n\x03NNNN\r\n"
        text = text.replace(".UNBOPS", ".DESKOPS")
    return text
