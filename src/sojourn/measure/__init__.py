"""Counts of stays by outcome: exact, confidential, small cells hidden.

In: STAYS as known on a day. Out: MEASURES. What each outcome means: ``outcomes``. Which cells
are made and which are hidden: ``cells``. How sure a count is, is not said here yet: estimation
has rooms of its own to come.
"""

from sojourn.measure.cells import measure
from sojourn.measure.outcomes import assign_outcomes

__all__ = ["assign_outcomes", "measure"]
