"""Which pairs of FEBRL 4 Sojourn loses, by what the two records still share.

``python -m benchmarks.peers.febrl_lost A B``: FEBRL's two files, Parquet (``raw_febrl``) or CSV as
published. Out: counts. The people are invented.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.peers.febrl import map_febrl
from sojourn.encode import MemoryKeyProvider, encode
from sojourn.link import link, load_weights
from sojourn.policy import load_policy

SHOWN = ["surname", "given_names", "birth_date", "document_number"]


def main() -> None:
    crossings, truth = map_febrl(*(_read(Path(name)) for name in sys.argv[1:3]))
    policy = load_policy()
    encodings = encode(crossings, MemoryKeyProvider(b"febrl"), policy.encode)
    linked = link(encodings, load_weights(), policy.linkage, policy.digest).links
    named = encodings.select("crossing_ref", "match_keys").with_columns(crossings["crossing_id"])
    ends = crossings.select("crossing_id", *SHOWN).join(named, on="crossing_id")
    pairs = truth
    for end in ("arrival", "departure"):
        theirs = ends.select(pl.all().name.suffix(f"_{end}"))
        pairs = pairs.join(theirs, left_on=f"{end}_id", right_on=f"crossing_id_{end}")
    pairs = pairs.rename({f"crossing_ref_{e}": f"{e}_ref" for e in ("arrival", "departure")})
    lost = pairs.join(linked, on=["arrival_ref", "departure_ref"], how="anti")
    right = truth.height - lost.height
    f1 = 2 * right / (truth.height + linked.height)
    sys.stdout.write(f"{lost.height} of {truth.height} pairs lost; F1 {f1:.4f}\n")
    told = pl.DataFrame([_shared(row) for row in lost.to_dicts()])
    for row in told.group_by(told.columns).len().sort("len", descending=True).to_dicts():
        sys.stdout.write(f"{row.pop('len'):5} {row}\n")


def _read(path: Path) -> pl.DataFrame:
    csv = path.suffix == ".csv"
    frame = pl.read_csv(path, infer_schema=False) if csv else pl.read_parquet(path)
    frame = frame.rename({name: name.strip() for name in frame.columns})
    return frame.with_columns(pl.all().str.strip_chars().replace("", None))


def _shared(pair: dict[str, Any]) -> dict[str, object]:
    """What two records have in common; ``half``: a half of the number and a first letter."""
    (one, other) = (
        {name: pair[f"{name}_{end}"] or "" for name in SHOWN} for end in ("arrival", "departure")
    )
    names, others = ({r["surname"], r["given_names"]} - {""} for r in (one, other))
    halves = [_halves(r["document_number"]) for r in (one, other)]
    same_half = any(a == b != "" for a, b in zip(*halves, strict=True))
    letters = {n[0] for n in names} & {n[0] for n in others}
    keys = set(pair["match_keys_arrival"]) & set(pair["match_keys_departure"])
    dates = (one["birth_date"], other["birth_date"])
    return {
        "key": bool(keys),
        "document": one["document_number"] == other["document_number"] != "",
        "date": "none" if "" in dates else "same" if dates[0] == dates[1] else "differs",
        "names": len(names & others),
        "half": same_half and bool(letters),
    }


def _halves(number: str) -> tuple[str, str]:
    middle = len(number) // 2
    return number[:middle], number[middle:]


if __name__ == "__main__":
    main()
