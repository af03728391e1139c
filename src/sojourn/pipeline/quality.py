"""How sure linking is, for an office: counts made anew from the ledger, and what they say.

In: an office, randomness. Out: LINKAGE_QUALITY in the ledger; a ``LinkageReport`` from it. Counts
of decoys come with each batch (``probing``); the rest needs everything that is held, linked a
few times over, and is made when it is asked for: nightly, after a reconcile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sojourn.ledger import Ledger
from sojourn.link import Trial, count_quality
from sojourn.measure import (
    Corrected,
    Ended,
    Estimate,
    Gap,
    LinkageQuality,
    correct_ended,
    judge_groups,
    judge_linkage,
    judge_timing,
    worst_gaps,
)
from sojourn.pipeline.office import Office
from sojourn.schemas import ENCODINGS, LINKAGE_QUALITY, Outcome
from sojourn.vocabulary import LinkageGroup

GROUPS = (LinkageGroup.NATIONALITY, LinkageGroup.SCRIPT, LinkageGroup.MODE, LinkageGroup.SEX)
_OVER = (Outcome.DEPARTED_IN_TIME, Outcome.DEPARTED_LATE, Outcome.NO_DEPARTURE_RECORDED)


@dataclass(frozen=True)
class LinkageReport:
    """Of everything held, by group, late against in time, and the numbers put right.

    Groups under 100 are left out. ``whole`` is None before the first ``assess``, ``corrected`` also
    where so few stays ended late, or have no departure, that policy would hide their number.
    """

    whole: LinkageQuality | None
    groups: tuple[LinkageQuality, ...]
    timing: tuple[tuple[str, Estimate], ...]
    gaps: tuple[Gap, ...]
    corrected: Corrected | None


def assess(office: Office, rng: np.random.Generator, *, trial: Trial | None = None) -> int:
    """Count linkage quality anew over all that is held; returns how many counts were written.

    Links everything ``4 + 2 * rounds`` times. The ledger's own links are not changed.
    """
    with office.open_ledger() as ledger:
        return assess_with(ledger, office, rng, trial=trial)


def assess_with(
    ledger: Ledger, office: Office, rng: np.random.Generator, *, trial: Trial | None = None
) -> int:
    """The same with an open ledger."""
    frames = [f.select(ENCODINGS.names) for f in ledger.all_reports()]
    if not frames:
        ledger.replace_linkage(LINKAGE_QUALITY.empty())
        return 0
    counts = count_quality(
        pl.concat(frames), office.weights, office.policy.linkage, office.policy.digest,
        known_at=office.clock().date(), trial=trial or Trial(), rng=rng,
    )  # fmt: skip
    ledger.replace_linkage(counts)
    return counts.height


def report_linkage(office: Office) -> LinkageReport:
    """What the counts in the ledger say."""
    with office.open_ledger() as ledger:
        counts = ledger.linkage()
        observed = _ended(ledger, office)
    groups = tuple(q for kind in GROUPS for q in judge_groups(counts, kind))
    whole = judge_linkage(counts)
    least = office.policy.measure.smallest_cell
    few = min(observed.late, observed.no_departure) < least
    corrected = None if few else correct_ended(counts, observed)
    return LinkageReport(whole, groups, judge_timing(counts), worst_gaps(groups), corrected)


def _ended(ledger: Ledger, office: Office) -> Ended:
    counts = ledger.counts(office.clock().date())
    counted = {o: int(counts.filter(pl.col("outcome") == o.value)["value"].sum()) for o in _OVER}
    late = counted[Outcome.DEPARTED_LATE]
    return Ended(sum(counted.values()), late, counted[Outcome.NO_DEPARTURE_RECORDED])
