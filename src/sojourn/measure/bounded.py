"""Intervals of what cannot be negative, from draws of an estimate that can.

In: draws of an estimate (cells x draws) and its value, both before they are cut at nought. Out:
lower and upper ends. The lower end is cut at nought, which costs no coverage. Where the estimate
lies below nought the upper end would shrink to nothing, a confident number from bad luck: it is
held up as by Feldman & Cousins (1998, table X), whose belt keeps its coverage; so is the lower end
where it is near nought, or 39 in 40 intervals would hold there, not 19 in 20. What is known to be
more than nought (``interval_above``) has its nought there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sojourn.measure.estimate import Z95

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

ENDS = (0.025, 0.975)
FURTHEST = 4.0  # standard errors: no draw is moved as if it lay further off
ASIDE = 0.1  # stays
LEAST_POSSIBLE = 0.03  # of draws: with fewer that could be true, their end is no guide
KERNEL, LEAST_KERNEL = 0.6, 0.3  # of a standard error; of a stay
# Upper end at 95% where the estimate lies so many standard errors below nought.
_BELOW = np.array([-3.0, -2.5, -2.0, -1.5, -1.0, -0.5, 0.0])
_UPPER = np.array([0.4228, 0.4999, 0.6180, 0.8095, 1.1021, 1.4928, 1.96])
# Lower end, so many standard errors above.
_ABOVE = np.array([1.645, 1.8, 2.0, 2.2, 2.5, 3.0, 3.5, 4.0])
_LOWER = np.array([0.0, 0.1551, 0.3548, 0.5344, 0.7611, 1.1407, 1.5621, 2.04])


def interval(draws: Array, value: Array) -> tuple[Array, Array]:
    """95% ends of rows of draws; ``value`` always lies within."""
    low, high = np.quantile(draws, ENDS, axis=1)
    return np.minimum(low, value), np.maximum(high, value)


def interval_from_nought(draws: Array, value: Array) -> tuple[Array, Array]:
    """95% ends of rows of draws of what is truly never negative; ``value`` may be."""
    low, high = interval(draws, value)
    # Each end by its own side's error: intervals may be lopsided.
    above = np.maximum((high - value) / Z95, 1e-12)
    below = np.maximum((value - low) / Z95, 1e-12)
    held = above * np.interp(value / above, _BELOW, _UPPER)
    high = np.where(value < 0, np.maximum(high, held), high)
    raised = below * np.interp(value / below, _ABOVE, _LOWER)
    low = np.where((value > 0) & (value < 4 * below), np.maximum(low, raised), low)
    return np.maximum(np.minimum(low, value), 0.0), np.maximum(high, 0.0)


def interval_above(draws: Array, value: Array, least: Array) -> tuple[Array, Array]:
    """The same of what is never below ``least``, a number for each row."""
    low, high = interval_from_nought(draws - least[:, None], value - least)
    return low + least, high + least


def interval_later(draws: Array, value: Array, possible: Flags) -> tuple[Array, Array]:
    """95% ends of what will be told later of what was cut at nought: ``draws`` of it.

    ``possible``: draws whose truth could be true. Where the value was cut the truth lies above it,
    and what will be estimated later follows the truth: the upper end is that of the draws which
    could be true, where it is higher. 5% lie outside. Where draws pile up at nought, or the value
    lies below the others, fewer lie below the interval: what these leave is left above it.
    """
    low = np.minimum(np.quantile(draws, ENDS[0], axis=1), value)
    high = np.maximum(_upper_beside(draws, low, np.ones_like(possible)), value)
    held = _upper_beside(draws, low, possible)
    return low, np.where(possible.mean(axis=1) >= LEAST_POSSIBLE, np.maximum(high, held), high)


def _upper_beside(draws: Array, low: Array, among: Flags) -> Array:
    """By row, the end that as many draws of those ``among`` lie above as make up 5% with those
    below ``low``, and at least 2.5%.
    """
    size, number = draws.shape[1], np.maximum(among.sum(axis=1), 1)
    below = (among & (draws < low[:, None] - 1e-9)).sum(axis=1) / number
    above = np.maximum(2 * ENDS[0] - below, ENDS[0])
    # The end of some is one further out of all, the others laid below.
    place = np.ceil(size - above * number - 1e-9).astype(np.int64)[:, None] - 1
    ordered = np.sort(np.where(among, draws, -np.inf), axis=1)
    return np.asarray(np.take_along_axis(ordered, place, axis=1)[:, 0])


def scored(draws: Array, value: Array, each: Array) -> Array:
    """Draws whose error below the value is as wide as it would be were they true (a score
    interval: Wilson 1927, for shares).

    ``each``: by row, how much more variance goes with one less of what is drawn: had fewer stayed,
    more would have left, and of more the unseen scatter more. So draws below the value lie further
    off; those above it stay. Of many stays nothing changes; of four, of which three have no
    departure, it is the difference between proof and chance.
    """
    off = value[:, None] - draws
    error = np.maximum(_error(draws), 1e-9)[:, None]
    lean = each[:, None] * np.minimum((off / error) ** 2, FURTHEST**2)
    further = (lean + np.hypot(lean, 2 * off)) / 2
    return np.asarray(value[:, None] - np.where(off > 0, further, off))


def lower_when_told(draws: Array, low: Array, room: Array) -> Array:
    """Lower ends of numbers that would not have been told, had less been recorded.

    ``low``: the ends as if each was told whatever it is; ``room``: by how much each number could
    have come out lower and still be told (infinite: always told). Rows that are told
    lie high on the mean, and the more so the nearer they are to the smallest that is told. So each
    end moves down by whole stays, to where what was found is as rare among what is told as it
    was among all (the conditional likelihood of Zhong & Prentice 2008, Biostatistics 9:621). No
    end moves where everything that could be is told; with no room it moves to nought.
    """
    size = draws.shape[1]
    out = low.copy()
    moving = np.flatnonzero((low > 0) & ((draws <= (low + room)[:, None]).sum(axis=1) < size))
    # The widths of a normal kernel: beyond the last draw rarity is still told apart.
    smooth = np.maximum(KERNEL * _error(draws[moving]), LEAST_KERNEL)
    rare = np.maximum(_reached(draws[moving], low[moving], smooth), ENDS[0])
    while len(moving):
        lower, space = np.maximum(out[moving] - 1, 0.0), room[moving]
        found = _reached(draws[moving], lower, smooth)
        told = _reached(draws[moving], lower + space, smooth)
        fine = (found > rare * told) | (space <= 0)
        out[moving[fine]] = lower[fine]
        fine &= lower > 0
        moving, smooth, rare = moving[fine], smooth[fine], rare[fine]
    return out


def _error(draws: Array) -> Array:
    """The standard error of each row, by its ends: one wild draw makes none."""
    low, high = np.quantile(draws, ENDS, axis=1)
    return np.asarray((high - low) / (2 * Z95))


def _reached(draws: Array, end: Array, smooth: Array) -> Array:
    """The share of each row's draws that lie at or under its end."""
    return np.asarray(ndtr((end[:, None] - draws) / smooth[:, None]).mean(axis=1))


def whole_ends(low: Array, high: Array, value: Array, exact: Flags) -> tuple[Array, Array]:
    """Stays are whole, unless counts are noisy: an interval holds the same whole numbers where its
    ends move inward to the next. Moved outward, or to the nearest, it would hold more of them than
    19 times in 20 asks for. Reports to come and false links shift ends by a little (ASIDE): an end
    so near to a whole number is that number. The value stays within.
    """
    down, up = np.ceil(low - ASIDE), np.floor(high + ASIDE)
    down = np.where(down <= value, down, np.floor(low + 1e-9))
    up = np.where(up >= value, up, np.ceil(high - 1e-9))
    # Nought rounded up from below it is -0.0, and would be printed so.
    return np.where(exact, down, low) + 0.0, np.where(exact, up, high) + 0.0
