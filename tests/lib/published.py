"""A statistics database with releases in it, as the gate would leave it: for pages and formats.

Numbers are honest: true counts of an invented country by nationality, mode and class, each table
and span with noise of its own, drawn once per increment, vintages as running sums of increments.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import product

import numpy as np
import polars as pl
from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    insert,
)  # fmt: skip

from sojourn.release import published, store
from sojourn.release.nodes import write_figures
from sojourn.release.picking import Wanted
from sojourn.schemas import FIGURES

metadata = MetaData()
RELEASES = Table(
    "releases", metadata, Column("release_id", String, primary_key=True),
    Column("released_at", BigInteger), Column("vintage", String), Column("policy_digest", String),
    Column("method", String), Column("epsilon", Float), Column("asked_by", String),
    Column("approved_by", String), Column("note", String), Column("run", String),
)  # fmt: skip
SPENDS = Table(
    "spends", metadata,
    *(Column(n, String, primary_key=True)
      for n in ("release_table", "span", "period", "recorded", "event", "method")),
    Column("dimensions", String), Column("budget_year", Integer), Column("epsilon", Float),
    Column("unit_loss", Float), Column("contributions", Integer), Column("scale", Float),
    Column("spent_at", BigInteger), Column("release_id", String),
)  # fmt: skip

TABLES = ("total", "nationality", "nationality_mode_class")
EVENTS = ("arrived", "departed", "permission_ended", "left_in_time", "left_late", "status_changed")
COMPUTED = dict(zip(
    ("arrivals", "departures", "expected_departures", "departed_in_time", "departed_late"),
    EVENTS[:5], strict=True,
))  # fmt: skip
# Privacy loss of one increment, by table and span: each a power of two.
EPSILON = {
    ("total", "day"): 2**-5, ("total", "month"): 2**-5, ("total", "year"): 2**-6,
    ("nationality", "month"): 2**-3, ("nationality", "year"): 2**-4,
    ("nationality_mode_class", "month"): 2**-1,
}  # fmt: skip


@dataclass(frozen=True)
class Country:
    nationalities: tuple[str, ...] = ("FRA", "IND", "BRA", "NGA", "XXA", "D")
    modes: tuple[str, ...] = ("air", "land")
    classes: tuple[str, ...] = ("VISIT", "WORK", "STUDY")
    first: date = date(2026, 8, 1)
    vintages: tuple[date, ...] = (date(2026, 9, 30), date(2026, 10, 31), date(2026, 11, 24))
    daily: float = 600.0
    seed: int = 1
    known: tuple[float, ...] = field(default=(0.97, 0.025, 0.005))  # told at once, later, last


def fill(url: str, country: Country | None = None) -> Country:
    """Make the tables and put all releases of ``country`` in."""
    country = country or Country()
    engine = create_engine(url)
    metadata.create_all(engine)
    store.metadata.create_all(engine, tables=[store.figure_nodes, store.cell_lists])
    rng = np.random.default_rng(country.seed)
    cells = true_cells(country, rng)
    sums: dict[tuple[str, ...], tuple[float, float]] = {}
    with engine.begin() as connection:
        for number, vintage in enumerate(country.vintages):
            release = f"r{vintage:%Y%m%d}"
            rows = release_rows(cells, country, number, rng, sums, release)
            connection.execute(insert(RELEASES).values(release_row(release, vintage, number)))
            write_figures(connection, frame_of(rows))
            connection.execute(insert(SPENDS), [
                {"release_table": t, "span": s, "period": vintage.isoformat(), "event": "arrived",
                 "recorded": vintage.isoformat(), "method": "laplace", "dimensions": "",
                 "budget_year": vintage.year, "epsilon": 0.0 if number else e, "unit_loss": e,
                 "contributions": 1, "scale": 1 / e, "spent_at": micros(vintage),
                 "release_id": release}
                for (t, s), e in EPSILON.items()
            ])  # fmt: skip
    engine.dispose()
    return country


def release_row(release: str, vintage: date, number: int) -> dict[str, object]:
    return {
        "release_id": release, "released_at": micros(vintage + timedelta(days=1)),
        "vintage": vintage.isoformat(), "policy_digest": "0123456789abcdef", "method": "laplace",
        "epsilon": sum(EPSILON.values()), "asked_by": "stella", "approved_by": "stefan",
        "note": "" if number else "the first release",
        "run": json.dumps({"through": vintage.isoformat()}),
    }  # fmt: skip


def micros(day: date) -> int:
    return int(datetime.combine(day, time(9, 30), UTC).timestamp() * 1_000_000)


def true_cells(country: Country, rng: np.random.Generator) -> pl.DataFrame:
    """Counts by day and cell: departed etc. as columns of events; never published as they are."""
    days = pl.date_range(country.first, country.vintages[-1], eager=True).to_list()
    shares = rng.dirichlet(np.full(len(country.nationalities), 1.2))
    rows = []
    for (i, nation), mode, kind in product(
        enumerate(country.nationalities), country.modes, country.classes
    ):
        mean = country.daily * shares[i] * (0.8 if mode == "air" else 0.2)
        mean *= (0.8, 0.12, 0.08)[country.classes.index(kind) % 3]
        for day in days:
            ended = int(rng.poisson(mean))
            late = int(rng.binomial(ended, 0.04))
            changed = int(rng.binomial(ended - late, 0.05))
            unseen = int(rng.binomial(ended - late - changed, 0.06))
            season = 1 + 0.25 * np.sin(2 * np.pi * day.timetuple().tm_yday / 7)
            rows.append((
                day, nation, mode, kind, int(rng.poisson(mean * season)),
                int(rng.poisson(mean * season * 0.95)), ended, ended - late - changed - unseen,
                late, changed,
            ))  # fmt: skip
    names = ("day", "nationality", "mode", "admission_class", *EVENTS)
    return pl.DataFrame(rows, schema=names, orient="row")


def release_rows(
    cells: pl.DataFrame, country: Country, number: int, rng: np.random.Generator,
    sums: dict[tuple[str, ...], tuple[float, float]], release: str,
) -> list[dict[str, object]]:  # fmt: skip
    """One vintage: increments are drawn, running sums are published."""
    vintage = country.vintages[number]
    rows: list[dict[str, object]] = []
    for (table, span), epsilon in EPSILON.items():
        sd = float(np.sqrt(2 * np.exp(-epsilon)) / (1 - np.exp(-epsilon)))
        nodes = summed(cells.filter(pl.col("day") <= vintage), table, span)
        for node in nodes.iter_rows(named=True):
            key = (table, span, node["period"].isoformat(), node["nationality"], node["mode"],
                   node["admission_class"])  # fmt: skip
            values, variance = {}, 0.0
            for event in EVENTS:
                noise = rng.geometric(1 - np.exp(-epsilon)) - rng.geometric(1 - np.exp(-epsilon))
                _, before = sums.get((*key, event), (0.0, 0.0))
                noise_so_far = sums.get((*key, event, "noise"), (0.0, 0.0))[0] + noise
                variance = before + sd**2
                sums[(*key, event)] = (0.0, variance)
                sums[(*key, event, "noise")] = (noise_so_far, 0.0)
                values[event] = round(node[event] * min(1.0, 0.96 + 0.02 * number)) + noise_so_far
                rows.append(figure(key, event, vintage, values[event], variance, epsilon,
                                   "laplace", release))  # fmt: skip
            if span == "year":
                rows = rows[: -len(EVENTS)]  # years are computed
            left = values["permission_ended"] - sum(
                values[e] for e in ("left_in_time", "left_late", "status_changed")
            )
            computed = {q: (values[e], variance) for q, e in COMPUTED.items()}
            computed["no_departure_recorded"] = (left, 4 * variance)
            rows += [
                figure(key, q, vintage, value, spread, 0.0, "computed", release)
                for q, (value, spread) in computed.items()
            ]
    return rows


def frame_of(rows: list[dict[str, object]]) -> pl.DataFrame:
    """FIGURES of rows whose days are ISO text."""
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return FIGURES.conform(frame.with_columns(pl.col("period", "vintage").str.to_date()))


def summed(cells: pl.DataFrame, table: str, span: str) -> pl.DataFrame:
    every = {"day": "1d", "month": "1mo", "year": "1y"}[span]
    kept = {"total": (), "nationality": ("nationality",)}.get(
        table, ("nationality", "mode", "admission_class")
    )
    return cells.with_columns(
        period=pl.col("day").dt.truncate(every),
        **{n: pl.lit("") for n in ("nationality", "mode", "admission_class") if n not in kept},
    ).group_by("period", "nationality", "mode", "admission_class", maintain_order=True).agg(
        pl.col(*EVENTS).sum()
    )  # fmt: skip


def figure(
    key: tuple[str, ...], quantity: str, vintage: date, value: float, variance: float,
    epsilon: float, method: str, release: str,
) -> dict[str, object]:  # fmt: skip
    half = 1.96 * variance**0.5
    table, span, period, nationality, mode, kind = key
    return {
        "release_table": table, "span": span, "period": period, "nationality": nationality,
        "mode": mode, "admission_class": kind, "quantity": quantity,
        "vintage": vintage.isoformat(), "value": float(value), "lower": round(value - half, 1),
        "upper": round(value + half, 1), "level": 0.95, "noise_sd": round(variance**0.5, 3),
        "epsilon": epsilon, "method": method, "release_id": release,
    }  # fmt: skip


def all_figures(url: str) -> pl.DataFrame:
    """FIGURES, every vintage."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = published.read_figures(connection, Wanted())
    engine.dispose()
    return found


def estimates_of(vintage: date, release: str, *, told: bool) -> list[dict[str, object]]:
    """FIGURES of the table estimates: a year and three months, in total and by mode."""
    out: list[dict[str, object]] = []
    year = date(2026, 1, 1)
    cells = [("year", year, ""), ("year", year, "air")]
    cells += [("month", date(2026, n, 1), "") for n in (8, 9, 10)]
    for span, period, mode in cells:
        young = period == date(2026, 10, 1)
        numbers = {
            "expected_departures": (54_321.0, 54_000.0, 54_642.0),
            "overstay_rate": (0.0134, 0.0, 0.0291), "recorded_rate": (0.112, 0.1, 0.124),
            "probably_still_here": (612.0, 0.0, 1_490.0),
        }  # fmt: skip
        for quantity, (value, low, high) in numbers.items():
            none = young or (not told and quantity != "expected_departures")
            method = "too_young" if young else "too_noisy" if none else "estimated"
            out.append({
                "release_table": "estimates", "span": span, "period": period.isoformat(),
                "nationality": "", "mode": mode, "admission_class": "", "quantity": quantity,
                "vintage": vintage.isoformat(), "value": None if none else value,
                "lower": None if none else low, "upper": None if none else high, "level": 0.95,
                "noise_sd": None, "epsilon": 0.0, "method": method, "release_id": release,
            })  # fmt: skip
    return out


def put_estimates(url: str, country: Country, *, told: bool = True) -> None:
    """Estimates of the newest vintage, as a release would add them."""
    vintage = country.vintages[-1]
    engine = create_engine(url)
    with engine.begin() as connection:
        rows = estimates_of(vintage, f"r{vintage:%Y%m%d}", told=told)
        write_figures(connection, frame_of(rows))
    engine.dispose()
