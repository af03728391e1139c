"""What sources write down of what happens: coverage, lists, delays, and the errors they make.

Error kinds (rates at noise 1, per record unless said otherwise): another school's spelling, one
wrong letter, OCR confusions and missing or renewed document numbers, given names dropped or cut
to an initial, one of two surnames left out, names swapped, day and month swapped, 01-01 dates,
parts of dates unknown, a wrong year, sex or nationality missing or wrong; per stay: passports
renewed between arrival and departure, dual nationals who change passports, names changed by
marriage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.schemas import Mode
from sojourn.simulate.people import CUSTOMS
from sojourn.simulate.stays import DAY
from sojourn.simulate.world import AIR_PORTS, OTHER_PORTS, World

RENEWED, DUAL, MARRIED = 0.035, 0.006, 0.004  # per stay
SCHOOL = 0.12  # of records of those whose names have another school's spelling
RATES = {
    "surname_letter": 0.012,
    "given_letter": 0.012,
    "document_letter": 0.024,
    "document_missing": 0.023,
    "given_dropped": 0.060,  # of two given names
    "given_initial": 0.006,
    "surname_dropped": 0.045,  # of two surnames
    "swapped": 0.008,
    "day_month": 0.006,
    "first_january": 0.005,
    "date_partial": 0.003,
    "year_wrong": 0.004,
    "day_wrong": 0.005,
    "sex_wrong": 0.003,
    "sex_missing": 0.006,
    "nationality_missing": 0.008,
}
OCR = {"O": "0", "0": "O", "I": "1", "1": "I", "S": "5", "5": "S", "B": "8", "8": "B", "Z": "2",
       "2": "Z", "G": "6", "6": "G"}  # fmt: skip
CARRIERS = ("XA", "XB", "XC", "XD", "XE", "XF")


@dataclass(frozen=True)
class Seen:
    """Which ends of stays a list holds: row numbers of stays, and whether it is the departure."""

    stay_row: NDArray[np.int64]
    departure: NDArray[np.bool_]
    list_name: str  # booth, carrier or booking


def build_records(
    people: pl.DataFrame, stays: pl.DataFrame, world: World, rng: np.random.Generator
) -> pl.DataFrame:
    """Records as written (before typing), with traveller, stay and the list that has them."""
    records = seen_ends(stays, world, rng)
    records = records.join(people, on="traveller", how="left", maintain_order="left")
    return write_down(records, world, rng)


def seen_ends(stays: pl.DataFrame, world: World, rng: np.random.Generator) -> pl.DataFrame:
    """Ends of stays that a list holds, one row each: which, when, where, by whom."""
    ends = _lists(stays, world, rng)
    rows = np.concatenate([e.stay_row for e in ends])
    leaving = np.concatenate([e.departure for e in ends])
    lists = np.repeat([e.list_name for e in ends], [e.stay_row.size for e in ends])
    records = stays.select(
        "stay", "traveller", "arrived", "departed", "permitted_days", "admission_class",
        "arrival_mode", "departure_mode", "limit",
    )[rows].with_columns(pl.Series("leaving", leaving), pl.Series("list", lists))  # fmt: skip
    records = _times(records, world, rng)
    return records.filter(pl.col("time") < world.days * DAY)


def write_down(records: pl.DataFrame, world: World, rng: np.random.Generator) -> pl.DataFrame:
    """Ends with the traveller's names and papers as the source writes them, errors included."""
    records = _papers(records, world, rng)
    return _errors(_school(records, world, rng), world, rng)


def _lists(stays: pl.DataFrame, world: World, rng: np.random.Generator) -> list[Seen]:
    count = stays.height
    rows = np.arange(count)
    left = stays["departed"].is_not_null().to_numpy()
    exits = stays["departure_mode"].replace_strict(
        {m.value: c for m, c in world.exit_coverage.items()}, return_dtype=pl.Float64
    )
    out = [
        Seen(rows[rng.random(count) < world.entry_coverage], np.zeros(0, np.bool_), "booth"),
        Seen(rows[left & (rng.random(count) < exits.to_numpy())], np.ones(0, np.bool_), "booth"),
    ]
    if world.lists > 1:
        flown = [Mode.AIR.value, Mode.SEA.value]
        for column, leaving in (("arrival_mode", False), ("departure_mode", True)):
            carried = stays[column].is_in(flown).to_numpy() & (left | (not leaving))
            held = carried & (rng.random(count) < world.carrier_coverage)
            out.append(Seen(rows[held], np.full(0, leaving), "carrier"))
        booked = rng.random(count) < world.no_shows
        out.append(Seen(rows[booked], np.ones(0, np.bool_), "booking"))
    flags = (False, True, False, True, True)
    return [
        Seen(s.stay_row, np.full(s.stay_row.size, f), s.list_name)
        for s, f in zip(out, flags, strict=False)
    ]


def _times(records: pl.DataFrame, world: World, rng: np.random.Generator) -> pl.DataFrame:
    """Event time, mode, port, source, and when the source wrote it down (microseconds)."""
    count = records.height
    carrier = (records["list"] == "carrier").to_numpy()
    booking = (records["list"] == "booking").to_numpy()
    # A manifest has the schedule, the booth the clock; a booking is days off.
    slip = np.where(carrier, rng.normal(0.0, 0.02, count), 0.0)
    slip = np.where(booking, -rng.uniform(0.5, 3.0, count), slip)
    happened = pl.when("leaving").then(
        pl.coalesce("departed", pl.col("arrived") + pl.col("permitted_days") * DAY)
    ).otherwise("arrived")  # fmt: skip
    mode = pl.when("leaving").then("departure_mode").otherwise("arrival_mode")
    median = np.where(carrier, 1200.0, 90.0)
    delay = median * np.exp(1.1 * rng.standard_normal(count)) * world.delay_scale
    delay = np.where(rng.random(count) < 0.01, rng.exponential(2.0 * 86400, count), delay)
    port_air = pl.Series(AIR_PORTS)[rng.integers(0, len(AIR_PORTS), count)]
    ports = {m: pl.Series(OTHER_PORTS[m])[rng.integers(0, len(OTHER_PORTS[m]), count)]
             for m in OTHER_PORTS}  # fmt: skip
    carriers = pl.Series(CARRIERS)[rng.integers(0, len(CARRIERS), count)]
    records = records.with_columns(
        (happened + pl.Series((slip * DAY).astype(np.int64))).clip(lower_bound=0).alias("time"),
        mode.alias("mode"),
        pl.Series("delay", (delay * 1e6).astype(np.int64)),
        carriers.alias("carrier"),
    )
    port: pl.Expr = pl.when(pl.col("mode") == Mode.AIR.value).then(port_air)
    for mode_name, series in ports.items():
        port = pl.when(pl.col("mode") == mode_name.value).then(series).otherwise(port)
    source = (
        pl.when(pl.col("list") == "booth").then(pl.concat_str(pl.lit("booth-"), "mode"))
        .when(pl.col("list") == "carrier").then(pl.concat_str(pl.lit("carrier-"), "carrier"))
        .otherwise(pl.lit("bookings"))
    )  # fmt: skip
    return records.with_columns(port.alias("port"), source.alias("source"))


def _papers(records: pl.DataFrame, world: World, rng: np.random.Generator) -> pl.DataFrame:
    """Which passport and name a traveller shows at each end of a stay."""
    last = int(records["stay"].to_numpy().max(initial=-1)) + 1
    draws = {
        name: pl.Series(name, rng.random(last) < rate * min(world.noise, 3.0))
        for name, rate in (("renewed", RENEWED), ("dual", DUAL), ("married", MARRIED))
    }
    by_stay = pl.DataFrame(draws).with_columns(
        stay=pl.arange(last, eager=True),
        other_nation=pl.Series([c.nationality for c in CUSTOMS])[
            rng.integers(0, len(CUSTOMS), last)
        ],
        new_number=pl.Series(rng.integers(1_000_000, 99_999_999, last)),
    ).with_columns(
        # A renewed passport stays renewed: each stay's number follows from those before.
        pl.col("stay").cast(pl.Int64)
    )  # fmt: skip
    records = records.join(by_stay, on="stay", how="left", maintain_order="left")
    changed = pl.col("leaving") & (pl.col("renewed") | pl.col("dual"))
    number = pl.when(changed).then("new_number").otherwise("number")
    document = pl.concat_str(
        pl.col("letter").replace_strict({i: chr(i) for i in range(65, 91)}),
        number.cast(pl.String).str.zfill(8),
    )
    married = pl.col("leaving") & pl.col("married") & (pl.col("sex") == "F")
    return records.with_columns(
        document.alias("document_number"),
        pl.when(pl.col("leaving") & pl.col("dual")).then("other_nation")
        .otherwise("nationality").alias("nationality"),
        pl.when(married).then(pl.col("surname").shift(7)).otherwise("surname").alias("surname"),
    )  # fmt: skip


def _school(records: pl.DataFrame, world: World, rng: np.random.Generator) -> pl.DataFrame:
    """Some records follow another school of spelling; some carriers keep the original script."""
    other = pl.Series(rng.random(records.height) < min(0.5, SCHOOL * world.noise))
    native = pl.Series(rng.random(records.height) < 0.03) & (records["list"] == "carrier")
    return records.with_columns(
        pl.when(native).then(f"{n}_native").when(other).then(f"{n}_other").otherwise(n).alias(n)
        for n in ("surname", "given")
    )


def _errors(records: pl.DataFrame, world: World, rng: np.random.Generator) -> pl.DataFrame:
    """Write the identity columns with errors; only the rows that have one are touched."""
    count = records.height
    hit = {k: rng.random(count) < min(0.6, r * world.noise) for k, r in RATES.items()}
    surname, given = records["surname"].to_list(), records["given"].to_list()
    document = records["document_number"].to_list()
    for row in np.flatnonzero(hit["given_dropped"]):
        given[row] = given[row].split(" ")[0]
    for row in np.flatnonzero(hit["surname_dropped"]):
        parts = surname[row].split(" ")
        surname[row] = parts[0] if rng.random() < 0.8 else parts[-1]
    for row in np.flatnonzero(hit["given_initial"]):
        given[row] = given[row][:1]
    for row in np.flatnonzero(hit["surname_letter"]):
        surname[row] = _wrong_letter(surname[row], rng)
    for row in np.flatnonzero(hit["given_letter"]):
        given[row] = _wrong_letter(given[row], rng)
    for row in np.flatnonzero(hit["swapped"]):
        surname[row], given[row] = given[row] or surname[row], surname[row]
    for row in np.flatnonzero(hit["document_letter"]):
        document[row] = _misread(document[row], rng)
    missing = pl.Series(hit["document_missing"])
    sex = pl.when(pl.Series(hit["sex_missing"])).then(None).when(pl.Series(hit["sex_wrong"])).then(
        pl.when(pl.col("sex") == "M").then(pl.lit("F")).otherwise(pl.lit("M"))
    ).otherwise("sex")  # fmt: skip
    return records.with_columns(
        pl.Series("surname", surname),
        pl.Series("given_names", given),
        pl.Series("document_number", document).set(missing, None),
        sex.alias("sex"),
        pl.when(pl.Series(hit["nationality_missing"])).then(None).otherwise("nationality")
        .alias("nationality"),
        _birth_dates(records, hit, rng),
    )  # fmt: skip


def _birth_dates(
    records: pl.DataFrame, hit: dict[str, NDArray[np.bool_]], rng: np.random.Generator
) -> pl.Series:
    year, month, day = (records[n].to_numpy().copy() for n in ("year", "month", "day"))
    swap = hit["day_month"] & (day <= 12)
    month[swap], day[swap] = day[swap], month[swap]
    wrong = hit["day_wrong"]
    day[wrong] = rng.integers(1, 29, int(wrong.sum()))
    off = hit["year_wrong"]
    year[off] += rng.choice([-10, -1, 1, 10], int(off.sum()))
    month[hit["first_january"]] = day[hit["first_january"]] = 1
    partial = hit["date_partial"]
    day[partial] = 0
    none = partial & (rng.random(year.size) < 0.6)
    month[none] = 0
    parts = pl.DataFrame({"y": year, "m": month, "d": day}).select(
        pl.concat_str(
            pl.col("y").cast(pl.String), pl.col("m").cast(pl.String).str.zfill(2),
            pl.col("d").cast(pl.String).str.zfill(2), separator="-",
        )
    )  # fmt: skip
    return parts.to_series().alias("birth_date")


def _wrong_letter(name: str, rng: np.random.Generator) -> str:
    """One letter dropped, doubled, changed or swapped with its neighbour."""
    if len(name) < 2:
        return name
    at, what = int(rng.integers(len(name))), int(rng.integers(4))
    if what == 0:
        return name[:at] + name[at + 1 :]
    if what == 1:
        return name[:at] + name[at] + name[at:]
    if what == 2 and at + 1 < len(name):
        return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    return name[:at] + chr(65 + int(rng.integers(26))) + name[at + 1 :]


def _misread(document: str, rng: np.random.Generator) -> str:
    """An OCR confusion where the number has a letter for it, else one digit wrong."""
    confusable = [i for i, c in enumerate(document) if c in OCR]
    if confusable and rng.random() < 0.7:
        at = confusable[int(rng.integers(len(confusable)))]
        return document[:at] + OCR[document[at]] + document[at + 1 :]
    at = int(rng.integers(len(document)))
    return document[:at] + str(int(rng.integers(10))) + document[at + 1 :]
