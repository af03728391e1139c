"""Departures of nobody: what is linked to one is linked by chance.

In: CROSSINGS of a batch, a share, randomness. Out: CROSSINGS of travellers who do not exist, put
together from parts of real records, with a flag for those made within families. They are encoded
like anybody and asked for; only how many were linked is kept. They never enter the ledger, nor
any file with real records.

A decoy takes time, mode, port and nationality from a real departure. At random: surname, given
names with sex, and birth date each of another record of the nationality, a document number that
nobody in the batch has. Within a family: the departing traveller's own surname and a near
neighbour of their document number, with somebody else's given names and birth date.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.schemas import CROSSINGS, Direction, Evidence, StayLimit

SOURCE = "decoy"
LEAST_DONORS = 20  # records of a nationality; with fewer, parts come from the whole batch
NEAR = 9  # a family decoy's number differs by so much at most
_SOMEBODY = ["surname", "given_names", "birth_date"]
_PARTS = ("surname", "given", "birth", "document")


@dataclass(frozen=True)
class Decoys:
    """CROSSINGS of nobody, and row for row whether made within a family."""

    crossings: pl.DataFrame
    family: pl.Series


def make_decoys(crossings: pl.DataFrame, share: float, rng: np.random.Generator) -> Decoys:
    """Two decoys, one of each sort, for about ``share`` of the departures.

    Fewer where a combination would repeat somebody's: a birth date that belongs to a donor of
    another part, a document number or whole identity that the batch has. Batches under
    LEAST_DONORS give none.
    """
    solid = crossings.filter(~pl.col("withdrawn"))
    leaving = (solid["direction"] == Direction.DEPARTURE) & (solid["evidence"] != Evidence.BOOKED)
    rows = np.flatnonzero(leaving.to_numpy() & (rng.random(solid.height) < share))
    if solid.height < LEAST_DONORS or not rows.size:
        return Decoys(CROSSINGS.empty(), pl.Series("family", [], dtype=pl.Boolean))
    made = [_made(solid, rows, rng, family=family) for family in (False, True)]
    both = pl.concat(made)
    named = both.with_columns(
        source=pl.lit(SOURCE),
        crossing_id=pl.concat_str(
            pl.lit(f"{rng.integers(1 << 62):x}"), pl.int_range(pl.len()).cast(pl.String),
            separator="-",
        ),
    )  # fmt: skip
    return Decoys(CROSSINGS.conform(named), both["family"])


def _made(
    records: pl.DataFrame, rows: NDArray[np.int64], rng: np.random.Generator, *, family: bool
) -> pl.DataFrame:
    donors = dict(zip(_PARTS, _donors(records["nationality"], rows, rng), strict=True))
    if family:
        donors["surname"] = donors["document"] = rows
    given, birth = donors["given"], donors["birth"]
    surname = donors["surname"]
    born = records["birth_date"]
    low, high = (1, NEAR + 1) if family else (1_000, 1_000_000)
    step = pl.Series(rng.integers(low, high, rows.size))
    parts = records[rows].with_columns(
        surname=records["surname"][surname],
        given_names=records["given_names"][given],
        sex=records["sex"][given],
        birth_date=born[birth],
        document_number=_neighbours(records["document_number"][donors["document"]], step),
        admission_class=pl.lit(None, pl.String),
        authorised_until=pl.lit(None, pl.Date),
        stay_limit=pl.lit(StayLimit.UNKNOWN.value),
        family=pl.lit(family),
    )
    owners = [surname, given, rows] if family else [surname, given]
    strange = pl.Series(np.ones(rows.size, np.bool_))
    for owner in owners:
        strange &= born[birth].ne_missing(born[owner])
    if family:
        strange &= records["given_names"][given].ne_missing(records["given_names"][rows])
    taken = parts["document_number"].is_in(records["document_number"].drop_nulls().implode())
    made = parts.filter(strange & ~taken.fill_null(value=False))
    return made.join(records, on=_SOMEBODY, how="anti", maintain_order="left")


def _donors(
    nationality: pl.Series, rows: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], ...]:
    """For each part and each of ``rows``, a record of the same nationality."""
    codes = nationality.fill_null("").cast(pl.Categorical).to_physical().to_numpy()
    order = np.argsort(codes, kind="stable")
    first = np.searchsorted(codes[order], codes[rows], side="left")
    last = np.searchsorted(codes[order], codes[rows], side="right")
    few = last - first < LEAST_DONORS
    first, last = np.where(few, 0, first), np.where(few, codes.size, last)
    return tuple(order[rng.integers(first, last)] for _ in _PARTS)


def _neighbours(numbers: pl.Series, step: pl.Series) -> pl.Series:
    """Each number with its last digits counted up by ``step``; null where it has none."""
    frame = pl.DataFrame({"number": numbers, "step": step}).with_columns(
        digits=pl.col("number").str.extract(r"(\d{1,9})$"),
    )
    width = pl.col("digits").str.len_chars()
    most = pl.lit(10, pl.Int64).pow(width.cast(pl.Int64))
    counted = (pl.col("digits").cast(pl.Int64) + pl.col("step")) % most
    # One zero-padded text per width would be simpler, but numbers keep their own lengths.
    padded = pl.concat_str(pl.lit("0" * 9), counted.cast(pl.String)).str.tail(width)
    head = pl.col("number").str.head(pl.col("number").str.len_chars() - width)
    return frame.select(pl.concat_str(head, padded)).to_series()
