"""Re-entries of a small country as an office would release them: by month of the second arrival.

In: ``SmallCountry``, how many days after a month it is counted, a day. Out: months, and counts by
month and stratum, seen and not seen, each month as it was known when it was due.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from sojourn.simulate.small import NEVER, SmallCountry
from sojourn.simulate.small_world import CLASSES, MODES

Counts = NDArray[np.int64]


def count_rearrivals(
    country: SmallCountry, due_days: int, day: int
) -> tuple[tuple[date, ...], Counts]:
    """(months that are due by ``day``; counts, months x (seen, not seen) x modes x classes)."""
    start = country.world.start
    again = country.again < NEVER
    when = np.where(again, country.again, 0)
    days = [start + timedelta(days=int(d)) for d in range(int(when.max()) + 1)]
    number = np.array([12 * d.year + d.month - 1 for d in days])
    ends = {n: _end(n, start) for n in np.unique(number)}
    due = sorted(n for n, end in ends.items() if end + due_days <= day)
    at = {n: place for place, n in enumerate(due)}
    month = number[when]
    kept = again & np.isin(month, due)
    told = np.array([ends[n] + due_days for n in month[kept]])
    seen = country.seen[kept] & (country.reported[kept] <= told)
    false = country.false_on[kept]
    left = np.where(seen, country.left[kept], false)
    closed = (seen | (false <= told)) & (left <= country.again[kept])
    out = np.zeros((len(due), 2, len(MODES), len(CLASSES)), np.int64)
    place = np.array([at[n] for n in month[kept]], np.int64)
    np.add.at(out, (place, np.where(closed, 0, 1), country.mode[kept], country.kind[kept]), 1)
    return tuple(date(n // 12, n % 12 + 1, 1) for n in due), out


def _end(number: int, start: date) -> int:
    """The last day of a month (numbered from year nought), in days since the start."""
    following = number + 1
    return (date(following // 12, following % 12 + 1, 1) - start).days - 1
