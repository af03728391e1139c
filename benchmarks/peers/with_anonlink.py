"""clkhash and anonlink on cryptographic long-term keys: bigrams, 1024 bits, Dice coefficient.

``python -m benchmarks.peers.with_anonlink CROSSINGS PAIRS [--full]``, in the peers' environment.
Blocked, it compares whom eight of the keys for blocking bring together (a block costs it more than
a pair): those keys are made from plaintext, so this is more than anonlink alone would see.
``--full`` compares everybody with everybody.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

import anonlink
import clkhash.clk
import duckdb
import pandas as pd
from clkhash.comparators import ExactComparison, NgramComparison
from clkhash.field_formats import BitsPerFeatureStrategy, FieldHashingProperties, StringSpec
from clkhash.schema import Schema

from benchmarks.peers import clean
from benchmarks.peers.kinds import FEWER

SECRET = "a secret for a benchmark"
BITS = {"surname": 200, "given": 200, "birth_date": 200, "document": 220}
EXACT_BITS = {"nationality": 40, "sex": 20}
LEAST_DICE = {"blocked": 0.55, "full": 0.70}
MOST_EACH = 30  # pairs for a record, when everybody is compared


def _schema() -> Schema:
    fields = [
        StringSpec(name, FieldHashingProperties(NgramComparison(2), BitsPerFeatureStrategy(bits)))
        for name, bits in BITS.items()
    ] + [
        StringSpec(name, FieldHashingProperties(ExactComparison(), BitsPerFeatureStrategy(bits)))
        for name, bits in EXACT_BITS.items()
    ]
    return Schema(fields, 1024)


def encode(db: duckdb.DuckDBPyConnection, table: str) -> list[object]:
    """A key for each row of ``table``, in its order."""
    fields = ", ".join(f"coalesce({name}, '')" for name in (*BITS, *EXACT_BITS))
    rows = db.execute(f"SELECT {fields} FROM {table} ORDER BY row").fetchall()
    found: list[object] = clkhash.clk.generate_clks(rows, _schema(), SECRET, validate=False)
    return found


def _blocks(db: duckdb.DuckDBPyConnection, table: str) -> list[list[tuple[int, str]]]:
    """The block ids of each row: which kind of key, and the key."""
    rows = db.execute(f"SELECT {', '.join(FEWER)} FROM {table} ORDER BY row").fetchall()
    return [[(i, key) for i, key in enumerate(row) if key is not None] for row in rows]


def _shared(sides: list[list[list[tuple[int, str]]]]) -> list[list[list[tuple[int, str]]]]:
    """Without the blocks that one side alone has."""
    common = set.intersection(*({b for row in side for b in row} for side in sides))
    return [[[b for b in row if b in common] for row in side] for side in sides]


def compare(db: duckdb.DuckDBPyConnection, full: bool) -> pd.DataFrame:
    """``arrival``, ``departure`` and the Dice coefficient of their keys."""
    sides = ("arrivals", "departures")
    clks = [encode(db, side) for side in sides]
    blocks = None if full else _shared([_blocks(db, side) for side in sides])

    def ids(dataset: int, record: int, _: object) -> Iterable[tuple[int, str]]:
        return blocks[dataset][record] if blocks is not None else [(0, "")]

    weight, _, (one, other) = anonlink.candidate_generation.find_candidate_pairs(
        clks, anonlink.similarities.dice_coefficient_accelerated,
        LEAST_DICE["full" if full else "blocked"], k=MOST_EACH if full else None, blocking_f=ids,
    )  # fmt: skip
    rows = [db.execute(f"SELECT row FROM {side} ORDER BY row").df()["row"] for side in sides]
    return pd.DataFrame(
        {
            "arrival": rows[0].to_numpy()[list(one)],
            "departure": rows[1].to_numpy()[list(other)],
            "weight_dice": list(weight),
        }
    )


def main() -> None:
    crossings, out, _ = clean.asked()
    started = time.perf_counter()
    pairs = compare(clean.load(crossings), "--full" in sys.argv)
    clean.report(out, pairs, time.perf_counter() - started, ("anonlink", "clkhash"))


if __name__ == "__main__":
    main()
