"""recordlinkage on plaintext: wide blocking, Jaro-Winkler and Damerau-Levenshtein.

``python -m benchmarks.peers.with_recordlinkage CROSSINGS PAIRS [--fewer]``, in the peers'
environment. Weights: a sum by hand, and its own ECM classifier's log2 odds.
"""

from __future__ import annotations

import math
import time

import duckdb
import numpy as np
import pandas as pd
import recordlinkage

from benchmarks.peers import clean

# In bits, roughly what full agreement is worth beyond chance.
WORTH = {
    "surname": 8.0, "given": 8.0, "surname_swapped": 4.0, "given_swapped": 4.0,
    "birth_date": 12.0, "loose_date": 2.0, "birth_year": 4.0, "document": 14.0, "ocr": 4.0,
    "nationality": 4.0, "sex": 1.0,
}  # fmt: skip
MISSING = 0.3  # what a missing field counts as in the sum
FIELDS = ("surname", "given", "birth_date", "document", "nationality", "sex")  # for ECM
MOST_BITS = 40.0  # what ECM may give one field: it can find a chance of zero
AGREES = 0.9  # ECM takes agreement as yes or no


STRINGS = {"surname": "jarowinkler", "given": "jarowinkler", "document": "damerau_levenshtein"}
EXACT = {
    "surname_swapped": ("surname", "given"), "given_swapped": ("given", "surname"),
    "birth_date": ("birth_date", "birth_date"), "loose_date": ("loose_date", "loose_date"),
    "birth_year": ("birth_year", "birth_year"), "ocr": ("document_ocr", "document_ocr"),
    "nationality": ("nationality", "nationality"), "sex": ("sex", "sex"),
}  # fmt: skip


def _comparison() -> recordlinkage.Compare:
    compare = recordlinkage.Compare()
    for name, method in STRINGS.items():
        compare.string(name, name, method=method, missing_value=np.nan, label=name)
    for name, (one, other) in EXACT.items():
        compare.exact(one, other, missing_value=np.nan, label=name)
    return compare


def candidates(left: pd.DataFrame, right: pd.DataFrame, keys: tuple[str, ...]) -> pd.MultiIndex:
    """Pairs that share a key of wide blocking and lie in order of time, by its own indexer."""
    found = []
    for key in keys:
        one, other = left[left[key].notna()], right[right[key].notna()]
        indexer = recordlinkage.Index()
        indexer.block(key)
        pairs = indexer.index(one, other)
        gap = (
            right["at"].reindex(pairs.get_level_values(1)).to_numpy()
            - left["at"].reindex(pairs.get_level_values(0)).to_numpy()
        )
        found.append(pairs[(gap > 0) & (gap <= clean.LONGEST_STAY)].to_frame(index=False))
    frame = pd.concat(found, ignore_index=True).drop_duplicates()
    return pd.MultiIndex.from_frame(frame)


def _tables(db: duckdb.DuckDBPyConnection) -> tuple[pd.DataFrame, pd.DataFrame]:
    left = db.execute("SELECT * FROM arrivals").df().set_index("row")
    right = db.execute("SELECT * FROM departures").df().set_index("row")
    left.index.name, right.index.name = "arrival", "departure"
    return left, right


def weigh(features: pd.DataFrame) -> pd.DataFrame:
    """``arrival``, ``departure`` and both weights of each compared pair."""
    by_hand = sum(features[name].fillna(MISSING) * bits for name, bits in WORTH.items())
    agreed = (features[list(FIELDS)].fillna(0) >= AGREES).astype(int)
    classifier = recordlinkage.ECMClassifier()
    classifier.fit(agreed)
    log_odds = sum(
        (agreed[name].map(worth) / math.log(2)).clip(-MOST_BITS, MOST_BITS)
        for name, worth in classifier.log_weights.items()
    )
    pairs = features.index.to_frame(index=False)
    return pairs.assign(weight_sum=by_hand.to_numpy(), weight_ecm=log_odds.to_numpy())


def main() -> None:
    crossings, out, keys = clean.asked()
    started = time.perf_counter()
    left, right = _tables(clean.load(crossings))
    features = _comparison().compute(candidates(left, right, keys), left, right)
    pairs = weigh(features)
    clean.report(out, pairs, time.perf_counter() - started, ("recordlinkage", "pandas"))


if __name__ == "__main__":
    main()
