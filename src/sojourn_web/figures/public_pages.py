"""What public pages show, built from FIGURES: no request and no database here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from django.urls import reverse

from sojourn_web.figures import public_words as words
from sojourn_web.figures.public_chart import Point
from sojourn_web.figures.public_reading import Key, Shelf

NOBODY_SEEN = "no_departure_recorded"
PARTS = (("expected_departures", ""), ("departed_in_time", "less"), ("departed_late", "less"),
         ("status_changed", "less"))  # fmt: skip
ESTIMATES = "estimates"
_LEFT_OVER = (*PARTS, ("left_unrecorded", "less"))
ESTIMATE_PARTS = {
    NOBODY_SEEN: PARTS,
    "left_unrecorded": ((NOBODY_SEEN, "of"), ("probably_still_here", "the others:")),
    "probably_still_here": _LEFT_OVER,
    "overstay_rate": (
        ("departed_late", ""), ("probably_still_here", "and"), ("expected_departures", "of"),
        ("recorded_rate", "instead of"),
    ),
    "recorded_rate": (
        ("departed_late", ""), (NOBODY_SEEN, "and"), ("expected_departures", "of"),
        ("overstay_rate", "better:"),
    ),
}  # fmt: skip
HEADLINES = ("departures", "expected_departures", "departed_late", NOBODY_SEEN)


@dataclass(frozen=True)
class Headline:
    label: str
    said: words.Said
    address: str
    definition: str


@dataclass(frozen=True)
class Cell:
    said: words.Said
    address: str


@dataclass(frozen=True)
class Row:
    """One row of a table: ``name`` in words, ``code`` as in files where it differs."""

    name: str
    code: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Vintage:
    """One line of a figure's history."""

    vintage: date
    released: datetime | None
    said: words.Said
    exact: str
    change: str
    noise: str
    address: str


@dataclass(frozen=True)
class Part:
    sign: str
    label: str
    said: words.Said
    address: str


def address_of(key: Key, vintage: date | None = None) -> str:
    """The figure's permanent address; with a vintage, what it shows never changes."""
    path = reverse("figure", args=key.parts)
    return f"{path}?vintage={vintage.isoformat()}" if vintage else path


def key_of(row: dict[str, Any]) -> Key:
    return Key(**{n: row[n] for n in Key.__dataclass_fields__})


def build_headlines(month: pl.DataFrame) -> list[Headline]:
    """Of one month in total, in the order of ``words.ORDER``; the ones a newspaper asks for."""
    rows = {r["quantity"]: r for r in month.iter_rows(named=True)}
    wanted = [q if q in rows else words.DRAWN.get(q, q) for q in HEADLINES]
    return [
        Headline(
            words.label_of(q), words.say_figure(rows[q]), address_of(key_of(rows[q])),
            words.definition_of(q),
        )
        for q in wanted
        if q in rows
    ]  # fmt: skip


def build_points(days: pl.DataFrame) -> list[Point]:
    """One quantity by day, oldest first."""
    points = []
    for row in days.sort("period").iter_rows(named=True):
        said = words.say_figure(row)
        told = f"{words.say_day(row['period'])}: {said.value}, range {said.interval}"
        points.append(Point(row["period"], row["value"], row["lower"], row["upper"], told, said))
    return points


def build_rows(
    figures: pl.DataFrame, quantities: list[str], by: tuple[str, ...], *,
    vintage: date | None = None, periods: Mapping[date, str] | None = None,
) -> list[Row]:  # fmt: skip
    """A table: one row for each cell by name, or for each period, newest first.

    ``by`` names the columns that tell rows apart: ``period``, or dimensions. ``vintage`` goes into
    the addresses where one was asked for. ``periods``: in words, where they have their own.
    """
    grouped: dict[tuple[Any, ...], dict[str, dict[str, Any]]] = {}
    for row in figures.iter_rows(named=True):
        grouped.setdefault(tuple(row[b] for b in by), {})[row["quantity"]] = row
    rows = []
    for group, found in grouped.items():
        cells = tuple(
            Cell(words.say_figure(found[q]), address_of(key_of(found[q]), vintage))
            if q in found
            else None
            for q in quantities
        )
        span = next(iter(found.values()))["span"]
        name = (periods or {}).get(group[0]) or _name(by, group, span)
        rows.append((group, Row(name, _code(by, group), cells)))
    if by == ("period",):
        return [row for _, row in sorted(rows, key=lambda r: r[0], reverse=True)]
    return sorted((row for _, row in rows), key=lambda r: r.name)


def _name(by: tuple[str, ...], group: tuple[Any, ...], span: str) -> str:
    if by == ("period",):
        return words.period_of(span, group[0])
    return ", ".join(words.place_of(b, g) for b, g in zip(by, group, strict=True))


def _code(by: tuple[str, ...], group: tuple[Any, ...]) -> str:
    return group[0] if by == ("nationality",) and len(group[0]) <= 3 else ""


def build_history(history: pl.DataFrame, shelf: Shelf) -> list[Vintage]:
    """Newest first, each with its change against the one before it in time."""
    rows = history.rows(named=True)
    out = []
    for at, row in enumerate(rows):
        before = rows[at + 1]["value"] if at + 1 < len(rows) else None
        release = next((r for r in shelf.releases if r.release_id == row["release_id"]), None)
        share = words.is_share(row["quantity"])
        change = "first" if at + 1 == len(rows) else words.say_change(row["value"], before, share)
        out.append(
            Vintage(
                row["vintage"], release.released_at if release else None, words.say_figure(row),
                words.say_exact(row["value"]), change,
                "" if row["noise_sd"] is None else f"{row['noise_sd']:,.1f}",
                address_of(key_of(row), row["vintage"]),
            )
        )  # fmt: skip
    return out


def build_parts(row: dict[str, Any], beside: pl.DataFrame, vintage: date) -> list[Part]:
    """What a computed figure is made of: the figures beside it, in the same cell and vintage."""
    found = {r["quantity"]: r for r in beside.iter_rows(named=True)}
    if row["release_table"] == ESTIMATES:
        made_of = list(ESTIMATE_PARTS.get(row["quantity"], ()))
    elif row["quantity"] == NOBODY_SEEN:
        made_of = [(q if q in found else words.DRAWN.get(q, q), sign) for q, sign in PARTS]
    else:
        made_of = [(words.DRAWN[row["quantity"]], "")] if row["quantity"] in words.DRAWN else []
    return [
        Part(sign, words.label_of(q), words.say_figure(found[q]),
             address_of(key_of(found[q]), vintage))
        for q, sign in made_of
        if q in found
    ]  # fmt: skip


def name_of(key: Key, vintage: date) -> str:
    """As ``sojourn explain`` takes it."""
    head = (key.release_table, key.span, key.period.isoformat(), key.quantity)
    places = [p or "-" for p in (key.nationality, key.mode, key.admission_class)]
    return "/".join([*head, *(places if set(places) != {"-"} else [])]) + f"@{vintage}"


def title_of(key: Key, period: str) -> str:
    """What a figure is, in one line; ``period`` in words."""
    places = [words.place_of(n, getattr(key, n)) for n in words.DIMENSIONS if getattr(key, n)]
    return ", ".join((words.label_of(key.quantity), period, *places))


def cells_of(figures: pl.DataFrame, dimensions: tuple[str, ...]) -> pl.DataFrame:
    """Cells that are told apart by just these dimensions."""
    return figures.filter(
        pl.all_horizontal((pl.col(n) != "") == (n in dimensions) for n in words.DIMENSIONS)
    )


def dimensions_of(figures: pl.DataFrame) -> tuple[str, ...]:
    """The dimensions in which a table's rows differ from the total."""
    return tuple(n for n in words.DIMENSIONS if (figures[n] != "").any())
