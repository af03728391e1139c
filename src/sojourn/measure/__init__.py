"""Counts of stays by outcome: exact, confidential, small cells hidden; and how sure they are.

In: STAYS as known on a day, or COUNTS of them. Out: MEASURES. What each outcome means:
``outcomes``. Which cells are made and which are hidden: ``cells``. How sure linking is, from
LINKAGE_QUALITY: ``linkage``, by the formulas in ``estimate``; ``corrected`` puts counts right.
What records cannot say: ``estimating`` (ESTIMATES), from ``exits``, ``unlike``, ``mislinked``,
``coming`` (``delays``, ``development``, ``leaving_late``), ``revisions``, ``remaining``; today
and this month: ``nowcast``, from ``triangles`` and ``daily``; two lists and bookings: ``dual``,
``bookings``. How figures were revised: ``revision_triangle``, of records alone
``recorded_months``.
"""

from sojourn.measure.cells import count_stays, measure
from sojourn.measure.corrected import Corrected, Ended, correct_ended
from sojourn.measure.estimate import Estimate
from sojourn.measure.linkage import (
    LEAST_TOLD,
    SMALLEST_SHOWN,
    Gap,
    LinkageQuality,
    judge_groups,
    judge_linkage,
    judge_timing,
    tell_number,
    worst_gaps,
)
from sojourn.measure.outcomes import assign_outcomes

__all__ = [
    "LEAST_TOLD",
    "SMALLEST_SHOWN",
    "Corrected",
    "Ended",
    "Estimate",
    "Gap",
    "LinkageQuality",
    "assign_outcomes",
    "correct_ended",
    "count_stays",
    "judge_groups",
    "judge_linkage",
    "judge_timing",
    "measure",
    "tell_number",
    "worst_gaps",
]
