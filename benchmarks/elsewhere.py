"""Border data of a stranger: made without knowledge of Sojourn's own simulator, to judge linkage.

In: how many stays, a seed, a multiple of all noise. Out: crossings (``CROSSINGS``) and the truth.
``python -m benchmarks.elsewhere DIR --stays N --seed S --noise X`` writes both as Parquet.
The noise is invented: compare methods by it; it is no measurement of any border.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.elsewhere_names import POOLS, build_names
from benchmarks.elsewhere_noise import CAP, blur
from sojourn.schemas import CROSSINGS

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

START = np.datetime64("2023-01-01T00:00:00", "us")
WINDOW = 540.0  # days that are recorded
BEFORE = 4.0  # days before: stays begun then have no arrival recorded
DAY = 86_400_000_000
# Rates at noise 1, each multiplied by noise and capped.
NEVER_LEFT, UNRECORDED_OUT, UNRECORDED_IN = 0.01, 0.02, 0.008
RENEWED, RENEWED_BETWEEN, MARRIED, SECOND_PASSPORT = 0.05, 0.04, 0.004, 0.25
DUAL = 0.04  # share of people with two nationalities
PORTS = {
    "air": ["NBO", "MBA", "KIS", "EDL"],
    "sea": ["KEMBA", "KELAU"],
    "land": ["KEBUA", "KEMLB"],
}
MODES = ["air", "sea", "land"]
# purpose: share, mean further visits, median days, spread, mean days between, permitted, by land
PURPOSES = {
    "tourist": (0.72, 0.22, 9, 0.6, 130, 90, 0.1),
    "business": (0.11, 2.2, 3, 0.6, 60, 30, 0.05),
    "family": (0.11, 0.7, 28, 0.7, 120, 90, 0.3),
    "worker": (0.025, 0.9, 110, 0.6, 30, 365, 0.3),
    "student": (0.022, 0.9, 150, 0.5, 25, 365, 0.1),
    "commuter": (0.013, 24.0, 1.4, 0.8, 5, 30, 0.97),
}


@dataclass(frozen=True)
class People:
    """Numbers into the lists of names and countries; births as days since 1970."""

    surnames: Ints  # three columns: first, second, after marriage
    givens: Ints  # two columns
    doubled: Flags
    middled: Flags
    woman: Flags
    birth: Ints
    country: Ints
    second_country: Ints
    document: Ints
    dual: Flags
    pool: Ints


@dataclass(frozen=True)
class Visits:
    """One row per person and stay, by person then time; times in days from the start."""

    party: Ints
    member: Ints
    trip: Ints
    arrive: NDArray[np.float64]
    depart: NDArray[np.float64]
    purpose: Ints
    first: Flags  # the person's first row
    last: Flags


def build(stays: int, seed: int, noise: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Crossings and truth of about ``stays`` stays; the same for the same arguments."""
    rng = np.random.default_rng([seed, 0xE15E])
    visits = _visits(rng, stays)
    people = _people(rng, visits, noise)
    rows, truth = _crossings(rng, visits, people, noise)
    rows = blur(rows, rng, noise)
    rows = rows.sort("event_time", "crossing_id")
    return CROSSINGS.conform(rows), truth


def _rate(rate: float, noise: float) -> float:
    return min(rate * noise, CAP)


def _visits(rng: np.random.Generator, stays: int) -> Visits:
    """Parties travel: each trip of a party is a stay for nearly each of its members."""
    parties = int(stays * 0.5) + 200
    table = np.array(list(PURPOSES.values()))
    kind = rng.choice(len(table), parties, p=table[:, 0] / table[:, 0].sum())
    trips = rng.geometric(1 / (1 + table[kind, 1]))
    size = np.where(
        kind == 0,
        rng.choice([1, 2, 3, 4, 5], parties, p=[0.58, 0.22, 0.08, 0.09, 0.03]),
        np.where(kind == 2, rng.choice([1, 2, 3, 4], parties, p=[0.6, 0.2, 0.1, 0.1]), 1),
    )
    party = np.repeat(np.arange(parties), trips)
    arrive, depart = _times(rng, table, kind, trips, party)
    return _members(rng, stays, kind, trips, size, arrive, depart)


def _times(
    rng: np.random.Generator, table: NDArray[np.float64], kind: Ints, trips: Ints, party: Ints
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Trips of a party follow one another, fitted into the window, the last one excepted."""
    k = kind[party]
    length = table[k, 2] * np.exp(rng.normal(0, 1, len(party)) * table[k, 3]) + 0.05
    gap = rng.exponential(table[k, 4]) + 0.2
    starts = np.cumsum(trips) - trips
    before = np.cumsum(length + gap) - (length + gap)
    offset = before - before[starts][party]
    span = offset[starts + trips - 1]
    squeeze = np.minimum(1.0, 0.93 * WINDOW / np.maximum(span, 1e-9))[party]
    room = WINDOW + BEFORE - span * squeeze[starts]
    arrive = rng.random(len(trips))[party] * room[party] - BEFORE + offset * squeeze
    return arrive, arrive + length * np.where(trips[party] > 1, squeeze, 1.0)


def _members(
    rng: np.random.Generator, stays: int, kind: Ints, trips: Ints, size: Ints,
    arrive: NDArray[np.float64], depart: NDArray[np.float64],
) -> Visits:  # fmt: skip
    """Every member on every trip, a tenth of the companions' further trips left out."""
    people = np.repeat(np.arange(len(size)), size)
    member = np.arange(len(people)) - np.repeat(np.cumsum(size) - size, size)
    rows = np.repeat(np.arange(len(people)), trips[people])
    starts = (np.cumsum(trips) - trips)[people]
    own = np.arange(len(rows)) - np.repeat(np.cumsum(trips[people]) - trips[people], trips[people])
    trip = np.repeat(starts, trips[people]) + own
    keep = np.flatnonzero((own == 0) | (member[rows] == 0) | (rng.random(len(rows)) > 0.1))[:stays]
    rows, trip = rows[keep], trip[keep]
    first = np.diff(rows, prepend=-1) != 0
    late = member[rows] * (20 / 86400)
    return Visits(people[rows], member[rows], trip, arrive[trip] + late, depart[trip] + late,
                  kind[people[rows]], first, np.append(first[1:], True))  # fmt: skip


def _countries() -> tuple[list[str], list[Ints], list[NDArray[np.float64]]]:
    codes: list[str] = []
    places, shares = [], []
    for pool in POOLS:
        words = pool.countries.split()
        weights = np.array([float(w) for w in words[1::2]])
        places.append(np.arange(len(codes), len(codes) + len(weights)))
        shares.append(weights / weights.sum())
        codes += words[::2]
    return codes, places, shares


def _people(rng: np.random.Generator, visits: Visits, noise: float) -> People:
    """One person per first row: a party shares pool, country and surname; some are twins."""
    party, member = visits.party[visits.first], visits.member[visits.first]
    kind = visits.purpose[visits.first]
    n = len(party)
    lead = np.flatnonzero(member == 0)[np.cumsum(member == 0) - 1]  # each person's party's first
    weights = np.array([p.weight for p in POOLS])
    pool = rng.choice(len(POOLS), n, p=weights / weights.sum())[lead]
    _, places, shares = _countries()
    country = np.zeros(n, np.int64)
    for number, (place, share) in enumerate(zip(places, shares, strict=True)):
        rows = np.flatnonzero(pool == number)
        country[rows] = rng.choice(place, len(rows), p=share)
    country = country[lead]
    woman = rng.random(n) < 0.47
    woman = np.where(member == 1, ~woman[lead], woman)
    surnames_of, men, women = build_names(np.random.default_rng(20260101))
    surnames = np.stack([surnames_of.draw(rng, pool) for _ in range(3)], axis=1)
    shares_name = (member > 0) & (rng.random(n) < np.where(member == 1, 0.7, 0.97))
    surnames[shares_name, :2] = surnames[lead[shares_name], :2]
    offset = len(men.words)
    givens = np.stack([np.where(woman, women.draw(rng, pool) + offset, men.draw(rng, pool))
                       for _ in range(2)], axis=1)  # fmt: skip
    birth = _births(rng, member, kind)
    document = rng.integers(10**6, 10**9, n)
    twin = np.flatnonzero((member == 3) & (rng.random(n) < 0.12))
    twin = np.concatenate([twin, np.flatnonzero((member == 1) & (rng.random(n) < 0.01))])
    birth[twin], document[twin] = birth[twin - 1], document[twin - 1] + 1
    surnames[twin] = surnames[twin - 1]
    double = np.array([p.double for p in POOLS])[pool]
    middle = np.array([p.middle for p in POOLS])[pool]
    return People(
        surnames, givens, (rng.random(n) < double)[lead], rng.random(n) < middle, woman, birth,
        country, rng.integers(0, len(_countries()[0]), n), document, rng.random(n) < DUAL, pool,
    )  # fmt: skip


def _births(rng: np.random.Generator, member: Ints, kind: Ints) -> Ints:
    """Grown-ups by purpose, third and later members of a party children; for some a year only."""
    n = len(member)
    age = np.clip(rng.gamma(6.0, 6.5, n) + 10, 18, 92)
    age = np.where(kind == 4, rng.uniform(18, 29, n), age)
    age = np.where(member >= 2, rng.uniform(0.2, 17, n), age)
    birth = (START.astype("datetime64[D]").astype(np.int64) - age * 365.25).astype(np.int64)
    first = birth.astype("datetime64[D]").astype("datetime64[Y]").astype("datetime64[D]")
    born: Ints = np.where(rng.random(n) < 0.012, first.astype(np.int64), birth)
    return born


def _versions(rng: np.random.Generator, visits: Visits, rate: float, between: float) -> Ints:
    """How often something was renewed, at each stay's arrival and departure (two columns)."""
    n = len(visits.trip)
    during = (rng.random(n) < rate).astype(np.int64)
    prior = ((rng.random(n) < between) & ~visits.first).astype(np.int64)
    at_arrival = np.cumsum(prior + during) - during
    rows = np.flatnonzero(visits.first)
    person = np.cumsum(visits.first) - 1
    at_arrival -= (at_arrival[rows])[person]
    return np.stack([at_arrival, at_arrival + during], axis=1)


def _recorded(rng: np.random.Generator, visits: Visits, noise: float) -> tuple[Flags, Flags]:
    n = len(visits.trip)
    never = visits.last & (rng.random(n) < NEVER_LEFT / max(visits.last.mean(), 0.01))
    out = ~never & (visits.depart < WINDOW) & (rng.random(n) >= _rate(UNRECORDED_OUT, noise))
    into = (visits.arrive >= 0) & (rng.random(n) >= _rate(UNRECORDED_IN, noise))
    return into, out & (visits.depart >= 0)


def _crossings(
    rng: np.random.Generator, visits: Visits, people: People, noise: float
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Clean rows, arrivals then departures, with the true pairs' ids."""
    n = len(visits.trip)
    into, out = _recorded(rng, visits, noise)
    row = np.concatenate([np.flatnonzero(into), np.flatnonzero(out)])
    leaving = np.arange(len(row)) >= int(into.sum())
    ids = np.full((n, 2), -1, np.int64)
    numbers = rng.permutation(len(row))
    ids[row, leaving.astype(np.int64)] = numbers
    versions = _versions(rng, visits, _rate(RENEWED, noise), RENEWED_BETWEEN)
    names = _versions(rng, visits, _rate(MARRIED, noise), 0.006)
    person = (np.cumsum(visits.first) - 1)[row]
    ends = leaving.astype(np.int64)
    rows = pl.DataFrame({"number": numbers, "leaving": leaving}).with_columns(
        ("c" + pl.col("number").cast(pl.String).str.zfill(8)).alias("crossing_id"),
        *_circumstances(rng, visits, row, leaving),
        *_identity(rng, people, person, versions[row, ends], names[row, ends], noise),
    )
    both = ids[(ids >= 0).all(axis=1)]
    truth = pl.DataFrame({"arrival_id": both[:, 0], "departure_id": both[:, 1]}).select(
        ("c" + pl.col(c).cast(pl.String).str.zfill(8)).alias(c)
        for c in ("arrival_id", "departure_id")
    )
    return rows, truth


def _circumstances(
    rng: np.random.Generator, visits: Visits, row: Ints, leaving: Flags
) -> list[pl.Series]:
    """When, where and for how long allowed: shared by those who travel together."""
    at = np.where(leaving, visits.depart[row], visits.arrive[row])
    time = START.astype(np.int64) + (at * DAY).astype(np.int64)
    trip, purpose, n = visits.trip[row], visits.purpose[row], len(row)
    table = np.array(list(PURPOSES.values()))
    trips = int(visits.trip.max()) + 1
    draws = rng.random((trips, 3))[trip]
    land = table[purpose, 6]
    by_land = rng.random(int(visits.party.max()) + 1)[visits.party[row]] < land
    mode = np.where(by_land, 2, np.where(draws[:, 0] < 0.04, 1, 0))
    other = leaving & (draws[:, 1] < 0.1)
    port = _ports(rng, mode, draws[:, 2], other)
    flight = (draws[:, 2] * 400).astype(np.int64) + 100 + leaving
    days = np.where(rng.random(n) < 0.1, 180, table[purpose, 5].astype(np.int64))
    events = pl.Series("event_time", time).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    local = events.dt.offset_by("3h")
    dated = ~leaving & (rng.random(n) > 0.06)
    until = local.dt.date().cast(pl.Int32).to_numpy() + days
    words = pl.Series(list(PURPOSES))
    limited = pl.Series(dated)
    return [
        pl.repeat("gate", n, eager=True).alias("source"),
        pl.Series(["arrival", "departure"])[leaving.astype(np.int64)].alias("direction"),
        events,
        events.dt.offset_by("40s").alias("recorded_at"),
        local.dt.date().alias("local_date"),
        pl.repeat("crossed", n, eager=True).alias("evidence"),
        pl.Series(MODES)[mode].alias("mode"),
        port.alias("port"),
        ("Q" + pl.Series(flight).cast(pl.String)).set(pl.Series(mode == 2), None).alias("service"),
        words[purpose].set(pl.Series(leaving), None).alias("admission_class"),
        pl.Series(until).cast(pl.Int32).cast(pl.Date).set(~limited, None).alias("authorised_until"),
        pl.Series(["unknown", "none", "dated"])[np.where(leaving, 0, np.where(dated, 2, 1))].alias(
            "stay_limit"
        ),
        pl.repeat(False, n, eager=True).alias("withdrawn"),
    ]


def _ports(
    rng: np.random.Generator, mode: Ints, draw: NDArray[np.float64], other: Flags
) -> pl.Series:
    flat = [port for m in MODES for port in PORTS[m]]
    sizes = np.array([len(PORTS[m]) for m in MODES])
    begin = np.cumsum(sizes) - sizes
    place = (draw**2.5 * sizes[mode]).astype(np.int64)
    place = np.where(other, (place + 1) % sizes[mode], place)
    ports: pl.Series = pl.Series(flat)[begin[mode] + place]
    return ports


def _identity(
    rng: np.random.Generator, people: People, person: Ints, version: Ints, married: Ints,
    noise: float,
) -> list[pl.Series]:  # fmt: skip
    """The fields as the passport in hand says them, before any fault of recording."""
    surnames_of, men, women = build_names(np.random.default_rng(20260101))
    words, given = pl.Series(surnames_of.words), pl.Series(men.words + women.words)
    changed = (married > 0) & people.woman[person]
    surname = words[np.where(changed, people.surnames[person, 2], people.surnames[person, 0])]
    second = words[people.surnames[person, 1]]
    doubled = people.doubled[person]
    middled = people.middled[person]
    name = given[people.givens[person, 0]]
    middle = given[people.givens[person, 1]]
    codes = pl.Series(_countries()[0])
    alternate = people.dual[person] & (rng.random(len(person)) < _rate(SECOND_PASSPORT, noise))
    country = np.where(alternate, people.second_country[person], people.country[person])
    number = people.document[person] + version * 48_271_733 + alternate * 613_651_351
    issuer = codes[country]
    return [
        pl.select(pl.when(pl.Series(doubled)).then(surname + " " + second).otherwise(surname))
        .to_series().alias("surname"),
        pl.select(pl.when(pl.Series(middled)).then(name + " " + middle).otherwise(name))
        .to_series().alias("given_names"),
        pl.Series(["M", "F"])[people.woman[person].astype(np.int64)].alias("sex"),
        pl.Series(people.birth[person]).cast(pl.Int32).cast(pl.Date).cast(pl.String)
        .alias("birth_date"),
        issuer.alias("nationality"),
        pl.repeat("P", len(person), eager=True).alias("document_type"),
        issuer.alias("document_issuer"),
        _numbers(number, country).alias("document_number"),
        pl.Series([p.variants for p in POOLS])[people.pool[person]].alias("variants"),
    ]  # fmt: skip


def _numbers(number: Ints, country: Ints) -> pl.Series:
    """Each country's own form: none, one or two letters before seven to nine digits."""
    letters = [""] + [chr(65 + i) for i in range(26)]
    prefixes = pl.Series([a + b for a in letters for b in letters])
    form = (country * 7 + 3) % 3
    series = number // 10**7 % 26 + 1  # the letters belong to the number: it stays unique
    one = (country * 11 % 26 + 1) * 27
    prefix = np.where(form == 0, 0, np.where(form == 1, one, one + series))
    digits = np.where(form == 2, number % 10**7, number % 10**9)
    width = pl.Series(np.where(form == 2, 7, 9))
    text = pl.Series("d", digits).cast(pl.String)
    padded = pl.select(pl.lit(text).str.zfill(pl.lit(width))).to_series()
    written: pl.Series = prefixes[prefix] + padded
    return written


def main() -> None:
    """Write DIR/crossings.parquet and DIR/truth.parquet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stays", type=int, default=55_800)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--noise", type=float, default=1.0)
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    crossings, truth = build(chosen.stays, chosen.seed, chosen.noise)
    crossings.write_parquet(chosen.folder / "crossings.parquet")
    truth.write_parquet(chosen.folder / "truth.parquet")
    print(f"{crossings.height:,} crossings, {truth.height:,} true pairs")


if __name__ == "__main__":
    main()
