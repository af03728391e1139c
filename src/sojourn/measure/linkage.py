"""How sure linking is, from counts alone: false links, missed links, departures not seen.

In: LINKAGE_QUALITY. Out: ``LinkageQuality`` for everything and for each group. No truth and no
review enters. What is assumed is said at each function; docs/explanation/how-sure.md tells it
in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from sojourn.measure.estimate import (
    Estimate,
    around,
    missed_by_both,
    partnerless,
    pulled,
    share_of,
    with_odds,
)
from sojourn.schemas import LINKAGE_QUALITY, check_table, doors_checked
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import LinkageGroup as Group

SMALLEST_SHOWN = 100  # groups with fewer departures or links are hidden
PULL = 20.0  # as many crossings as the whole's share counts for in a cell
DEPENDENCE = 3.0  # bounds: documents and names may fail together up to three times as often
UNLIKE = 3.0  # bounds: odds of a recorded departure, those who come back against the others
WORST_OF_MANY = 1.75  # z of 3.4 instead of 1.96: 5% in all over 80 groups (Bonferroni)
IN_TIME, LATE = "in time", "late"


@dataclass(frozen=True)
class Tally:
    """The counts of one group, all months together."""

    group_kind: Group
    group_name: str
    counts: tuple[int, ...]  # in the order of LinkageCount

    def of(self, what: What) -> int:
        return self.counts[_PLACE[what]]


_PLACE = {what: place for place, what in enumerate(What)}


@dataclass(frozen=True)
class LinkageQuality:
    """Of one group. ``coverage`` is the share of departures that were recorded and linked."""

    group_kind: Group
    group_name: str
    departures: int
    false_link_chance: Estimate  # of a departure whose arrival was not recorded
    decoy_chance: Estimate  # of a departure that belongs to nobody
    family_decoy_chance: Estimate  # of one that only looks like a companion's
    without_arrival: float  # departures
    false_links: Estimate
    sensitivity: Estimate  # of pairs recorded at both ends, the share that is linked
    sensitivity_bounds: Estimate
    missed_links: Estimate
    coverage: Estimate  # where those who come again are like the others
    coverage_bounds: Estimate


def tallies(counts: pl.DataFrame, kind: Group) -> tuple[Tally, ...]:
    """A tally for each group of a kind, in the order of their names."""
    if doors_checked():
        check_table(counts, LINKAGE_QUALITY)
    held = counts.filter(pl.col("group_kind") == kind.value)
    summed = held.group_by("group_name", "what").agg(pl.col("value").sum())
    found: dict[str, list[int]] = {}
    for name, what, value in summed.sort("group_name").rows():
        found.setdefault(name, [0] * len(_PLACE))[_PLACE[What(what)]] = value
    return tuple(Tally(kind, name, tuple(values)) for name, values in found.items())


def judge_linkage(counts: pl.DataFrame) -> LinkageQuality | None:
    """Of everything, by strata of mode and class; None where nothing was counted."""
    whole = tallies(counts, Group.ALL)
    if not whole or not whole[0].of(What.DEPARTURES):
        return None
    return _judge(
        whole[0], whole[0], tallies(counts, Group.MODE), tallies(counts, Group.MODE_CLASS)
    )


def judge_groups(counts: pl.DataFrame, kind: Group) -> tuple[LinkageQuality, ...]:
    """Of each group of a kind that is large enough to be shown.

    Where one group alone is too small, the smallest of the others is hidden with it: a total
    less its parts would give it away.
    """
    whole = tallies(counts, Group.ALL)
    if not whole:
        return ()
    held = sorted(tallies(counts, kind), key=lambda t: (_size(t), t.group_name))
    small = sum(_size(t) < SMALLEST_SHOWN for t in held)
    shown = held[2 if small == 1 else small :]
    return tuple(_judge(t, whole[0], (t,), (t,)) for t in sorted(shown, key=_name))


def _size(tally: Tally) -> int:
    return min(tally.of(What.DEPARTURES), tally.of(What.ARRIVALS_LINKED))


def _name(tally: Tally) -> str:
    return tally.group_name


def judge_timing(counts: pl.DataFrame) -> tuple[tuple[str, Estimate], ...]:
    """Link sensitivity of stays that ended late and in time, where there are enough."""
    return tuple(
        (t.group_name, _sensitivity(t)[0])
        for t in tallies(counts, Group.TIMING)
        if t.group_name in (IN_TIME, LATE) and _found(t) >= SMALLEST_SHOWN
    )


@dataclass(frozen=True)
class Gap:
    """How far a kind's worst group lies behind its others together, and is it more than chance?"""

    group_kind: Group
    group_name: str
    sensitivity: float
    elsewhere: float  # the other groups' together
    beyond_chance: bool  # the group's interval, widened for all comparisons, leaves it out


def worst_gaps(groups: Sequence[LinkageQuality]) -> tuple[Gap, ...]:
    """For each kind of group with two groups or more, the one that linking serves worst.

    The worst of many groups looks bad by chance alone: ``beyond_chance`` asks for a distance of
    WORST_OF_MANY half-widths of its interval, not one.
    """
    gaps = []
    for kind in dict.fromkeys(q.group_kind for q in groups):
        those = [q for q in groups if q.group_kind == kind and q.sensitivity.value]
        if len(those) < 2:
            continue
        worst = min(those, key=lambda q: (q.sensitivity.value, q.group_name))
        others = [q for q in those if q is not worst]
        missed = sum(q.departures * (1 - q.sensitivity.value) for q in others)
        elsewhere = 1 - missed / sum(q.departures for q in others)
        reach = WORST_OF_MANY * (worst.sensitivity.upper - worst.sensitivity.value)
        gaps.append(
            Gap(
                kind, worst.group_name, worst.sensitivity.value, elsewhere,
                worst.sensitivity.value + reach < elsewhere,
            )
        )  # fmt: skip
    return tuple(gaps)


def _judge(
    tally: Tally, whole: Tally, leaving: Sequence[Tally], coming: Sequence[Tally]
) -> LinkageQuality:
    sensitivity, bounds = _sensitivity(tally)
    missed = _missed(tally)
    false = _false_links(whole, leaving, coming, sensitivity.value, missed)
    # A false link may close a stay before the next arrival: it saw no departure of that stay.
    rightly = 1.0 - min(1.0, false.value / max(tally.of(What.ARRIVALS_LINKED), 1))
    return LinkageQuality(
        tally.group_kind,
        tally.group_name,
        tally.of(What.DEPARTURES),
        share_of(tally.of(What.ARRIVALS_WITHHELD_LINKED), tally.of(What.ARRIVALS_WITHHELD)),
        share_of(tally.of(What.DECOYS_LINKED), tally.of(What.DECOYS)),
        share_of(tally.of(What.FAMILY_DECOYS_LINKED), tally.of(What.FAMILY_DECOYS)),
        sum(_without_arrival(t, whole, sensitivity.value) for t in leaving),
        false,
        sensitivity,
        bounds,
        missed,
        _coverage(whole, coming).scaled(rightly),
        _coverage_bounds(whole, coming, rightly),
    )


def _found(tally: Tally) -> int:
    """Links that documents or names find by themselves: all but a handful."""
    either = tally.of(What.FOUND_BY_DOCUMENTS) + tally.of(What.FOUND_BY_NAMES)
    return either - tally.of(What.FOUND_BY_BOTH)


def _missed(tally: Tally) -> Estimate:
    both = tally.of(What.FOUND_BY_BOTH)
    return missed_by_both(
        both, tally.of(What.FOUND_BY_DOCUMENTS) - both, tally.of(What.FOUND_BY_NAMES) - both
    )


def _sensitivity(tally: Tally) -> tuple[Estimate, Estimate]:
    """With its interval where errors of documents and names are independent, and with bounds."""
    found, missed = _found(tally), _missed(tally)
    if not found:
        return Estimate(0.0, 0.0, 1.0), Estimate(0.0, 0.0, 1.0)
    value = found / (found + missed.value)
    interval = Estimate(value, found / (found + missed.upper), found / (found + missed.lower))
    bounds = Estimate(
        value,
        found / (found + missed.upper * DEPENDENCE),
        found / (found + missed.lower / DEPENDENCE),
    )
    return interval, bounds


def _chance(tally: Tally, whole: Tally, hits: What, asked: What) -> float:
    pooled = whole.of(hits) / whole.of(asked) if whole.of(asked) else 0.0
    return pulled(tally.of(hits), tally.of(asked), pooled, PULL)


def _false_link_chance(tally: Tally, whole: Tally) -> float:
    return _chance(tally, whole, What.ARRIVALS_WITHHELD_LINKED, What.ARRIVALS_WITHHELD)


def _without_arrival(tally: Tally, whole: Tally, sensitivity: float) -> float:
    """Departures whose link was missed are linked to something else by the same chance."""
    chance = _false_link_chance(tally, whole)
    rightly_or_not = sensitivity + chance * (1 - sensitivity)
    return partnerless(
        tally.of(What.DEPARTURES), tally.of(What.DEPARTURES_LINKED), rightly_or_not, chance
    )


def _seen(tally: Tally, whole: Tally) -> float:
    """Coverage times sensitivity in a cell, from those who came again; pulled to the whole."""
    return _chance(tally, whole, What.REENTRIES_CLOSED, What.REENTRIES)


def _unseen_departures(tally: Tally, whole: Tally) -> float:
    seen = _seen(tally, whole)
    return tally.of(What.ARRIVALS_LINKED) * (1 - seen) / seen if seen else 0.0


def _false_links(
    whole: Tally,
    leaving: Sequence[Tally],
    coming: Sequence[Tally],
    sensitivity: float,
    missed: Estimate,
) -> Estimate:
    """Two sorts, each a chance times a number of crossings, cell by cell.

    A departure whose arrival is not recorded, or was missed, is linked to something else; an
    arrival whose departure is not recorded takes the departure of another stay. The interval
    holds the error of the chances, of the estimated numbers, and of the count itself (Poisson).
    """
    value, variance = 0.0, 0.0
    departures = sum(t.of(What.DEPARTURES) for t in leaving) or 1
    missed_variance = (missed.upper - missed.value) ** 2 / 3.84
    for t in leaving:
        chance = _false_link_chance(t, whole)
        number = _without_arrival(t, whole, sensitivity)
        number += (1 - sensitivity) * (t.of(What.DEPARTURES) - number)
        share = t.of(What.DEPARTURES) / departures
        value += chance * number
        variance += _variance(chance, number, t.of(What.ARRIVALS_WITHHELD))
        variance += chance**2 * (number + missed_variance * share**2)
    for t in coming:
        chance = _chance(t, whole, What.DEPARTURES_WITHHELD_TAKEN, What.DEPARTURES_WITHHELD)
        number = _unseen_departures(t, whole)
        value += chance * number
        variance += _variance(chance, number, t.of(What.DEPARTURES_WITHHELD))
    return around(value, value + variance)


def _variance(chance: float, number: float, asked: float) -> float:
    return number**2 * chance * (1 - chance) / (asked + PULL)


def _coverage(whole: Tally, cells: Sequence[Tally]) -> Estimate:
    """Cells weigh by the stays that ended in them: linked ones over the cell's share.

    A stay weighs the same whoever made it: the many re-entries of commuters count in their own
    cell alone.
    """
    linked = sum(t.of(What.ARRIVALS_LINKED) for t in cells)
    if not linked:
        return Estimate(0.0, 0.0, 1.0)
    ended, variance = 0.0, 0.0
    for t in cells:
        seen = _seen(t, whole)
        if not seen:
            continue
        ended += t.of(What.ARRIVALS_LINKED) / seen
        spread = seen * (1 - seen) / (t.of(What.REENTRIES) + PULL)
        variance += (t.of(What.ARRIVALS_LINKED) / seen**2) ** 2 * spread
    value = linked / ended if ended else 0.0
    return around(value, variance * (value**2 / linked) ** 2, most=1.0)


def _coverage_bounds(whole: Tally, cells: Sequence[Tally], rightly: float) -> Estimate:
    """Where those who do not come again may differ, within stays whose period is over.

    Lower: as if everybody without a linked departure had left (no assumption). Upper: the odds
    that a departure of the others is seen are at most UNLIKE times those of the returning.
    """
    middle = _coverage(whole, cells)
    over = sum(t.of(What.ARRIVALS_ENDED) for t in cells)
    linked = sum(t.of(What.ARRIVALS_ENDED_LINKED) for t in cells)
    if not linked:
        return Estimate(middle.value, 0.0, 1.0)
    most = 0.0
    for t in cells:
        seen = _seen(t, whole)
        if not seen:
            continue
        came_again = t.of(What.ARRIVALS_RETURNED_LINKED)
        others = t.of(What.ARRIVALS_ENDED_LINKED) - came_again
        most += came_again / seen + others / with_odds(seen, UNLIKE)
    slack = middle.upper - middle.value
    upper = min(1.0, linked / most + slack) if most else 1.0
    lower = min(share_of(linked, over).lower, middle.lower)
    return Estimate(middle.value * rightly, lower * rightly, upper)
