"""Those who never return may leave unseen more often, or less: a model of it, and bounds.

In: LINKAGE_QUALITY. Out: ``Trend``; odds put right for it.

The model: a logistic line of *was the exit seen* on log days until the traveller returned
(LinkageGroup.RETURN_AFTER), drawn out to NEVER_DAYS. Stays that return within a week are left
out: they are commuters', of other modes than the rest, and the table does not say which. What is
left of the mix of modes can still make a trend, so a trend widens an interval and never moves a
value. Assumes that those who never return continue the line (Little & Rubin 2002, ch. 15: the
like device for non-response by the number of calls).

The bound: the odds of a seen exit, of those who never return against the returning, lie within
1 / UNLIKE and UNLIKE (policy's ``unlike_odds``), or as far as the trend says (Rosenbaum 2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.measure.estimate import Z95
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import LinkageGroup as Group

# The names that sojourn.link.quality gives, and a day in the middle of each.
MIDDLES = {"7 to 30 days": 14.5, "30 to 90 days": 52.0, "90 days or more": 160.0}
NEVER_DAYS = 730.0
CLEAR = 2.5  # standard errors: one or two offices in a hundred are told of a trend that is none
# The line is too flat: it goes through all modes together (a mixture's logits are closer than its
# parts': Neuhaus & Jewell 1993), and those who were back within a week, who are seen best, are not
# in it. In 107 countries of sojourn.simulate.small it was 0.56 to 1.02 of the truth (0.1 and 0.9
# quantiles). So who never returns may be by so much further off.
FURTHER = 1.8
MOST_UNLIKE = 10.0


@dataclass(frozen=True)
class Trend:
    """``shift``: log odds of a seen exit, those who never return less those who do."""

    shift: float
    error: float

    @property
    def clear(self) -> bool:
        return abs(self.shift) > CLEAR * self.error

    def odds_ratio(self) -> float:
        """By how much unseen exits of the others differ: 1 where no trend is clear."""
        return float(self.further(np.ones(1))[0])

    def further(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same, were the shift so many times as large."""
        if not self.clear:
            return np.ones_like(times)
        return np.clip(np.exp(-self.shift * times), 1 / MOST_UNLIKE, MOST_UNLIKE)

    def bound(self, unlike: float) -> float:
        """The policy's ratio, or the trend's with its error where that is wider."""
        if not self.clear:
            return unlike
        reach = float(np.exp(FURTHER * abs(self.shift) + Z95 * self.error))
        return max(unlike, min(reach, MOST_UNLIKE))


def return_trend(linkage: pl.DataFrame) -> Trend:
    """Weighted least squares of empirical logits; no trend where fewer than two bands are held."""
    held = linkage.filter(pl.col("group_kind") == Group.RETURN_AFTER.value)
    days, logits, weights, asked = [], [], [], []
    for name, middle in MIDDLES.items():
        of = held.filter(pl.col("group_name") == name)
        every = int(of.filter(pl.col("what") == What.REENTRIES.value)["value"].sum())
        shut = int(of.filter(pl.col("what") == What.REENTRIES_CLOSED.value)["value"].sum())
        if every < 20:
            continue
        days.append(np.log(middle))
        logits.append(np.log((shut + 0.5) / (every - shut + 0.5)))
        weights.append(1.0 / (1.0 / (shut + 0.5) + 1.0 / (every - shut + 0.5)))
        asked.append(every)
    if len(days) < 2:
        return Trend(0.0, float("inf"))
    x, y, w = np.array(days), np.array(logits), np.array(weights)
    middle = float((w * x).sum() / w.sum())
    spread = float((w * (x - middle) ** 2).sum())
    slope = float((w * (x - middle) * y).sum() / spread)
    reach = float(np.log(NEVER_DAYS) - np.average(x, weights=asked))
    return Trend(slope * reach, reach / float(np.sqrt(spread)))
