"""A weight table fitted to the records at hand, without truth: how noisy are they?

In: links that the table found, by their patterns. Out: the table for the mixture of its levels
of noise under which those patterns are likeliest, by expectation and maximisation (Dempster,
Laird and Rubin 1977) started from the table's own mixture. Levels were learned with truth; only
their shares are fitted, one number, so that little data cannot lead it astray. With few links,
or where the fit explains them no better, the table stays as it is.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.link.bulk import link
from sojourn.link.patterns import COARSE, coarse_patterns
from sojourn.link.weights import WeightTable
from sojourn.policy import LinkagePolicy

LEAST_LINKS = 1_000
LEAST_GAIN = 10.0  # bits that all links together must gain
ROUNDS = 100


def adapt_weights(
    encodings: pl.DataFrame, weights: WeightTable, policy: LinkagePolicy, policy_digest: str
) -> WeightTable:
    """Link ENCODINGS with the table and fit it to what was found; links are not handed on."""
    found = link(encodings, weights, policy, policy_digest).links["pattern"].to_numpy()
    return fit_levels(found, weights)


def fit_levels(patterns: NDArray[np.integer], weights: WeightTable) -> WeightTable:
    """The table under the likeliest shares of its levels; the same one where nothing is gained.

    ``patterns`` are of links that are taken for true.
    """
    if weights.levels is None or patterns.size < LEAST_LINKS:
        return weights
    counts = np.bincount(coarse_patterns(patterns), minlength=COARSE).astype(np.float64)
    met = counts > 0
    counts, seen = counts[met], weights.levels.seen[:, met].astype(np.float64)
    start = np.asarray(weights.levels.shares)
    shares = start.copy()
    for _ in range(ROUNDS):
        parts = shares[:, None] * seen
        shares = (parts / parts.sum(axis=0)) @ counts / counts.sum()
    gain = counts @ (np.log2(shares @ seen) - np.log2(start @ seen))
    if gain < LEAST_GAIN:
        return weights
    return weights.with_shares(tuple(float(s) for s in shares))
