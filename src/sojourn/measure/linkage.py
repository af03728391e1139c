"""How sure linking is, from counts alone: false links, missed links, departures not seen.

In: LINKAGE_QUALITY. Out: ``LinkageQuality`` for everything and for each group. No truth and no
review enters. What is assumed is said at each function; docs/explanation/how-sure.md tells it
in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

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

SMALLEST_SHOWN = 100  # groups with fewer departures, links, or links found twice are hidden
LEAST_TOLD = 10  # numbers of crossings under it are not told
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


def tell_number(value: float) -> str:
    """A number of crossings in words that show nobody; for the page and the command alike."""
    return f"fewer than {LEAST_TOLD}" if value < LEAST_TOLD else f"{value:,.0f}"


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
    false_without_arrival: Estimate  # of these: the departure's own arrival is not recorded
    false_without_departure: Estimate  # ... the arrival's own departure is not
    sensitivity: Estimate  # of pairs recorded at both ends, the share that is linked
    sensitivity_bounds: Estimate
    missed_links: Estimate
    missed_by_rivals: Estimate  # of these, pairs whose partner a false link took
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
    """Of everything, by strata of mode and class; None where nothing can be said."""
    whole = tallies(counts, Group.ALL)
    if not whole or not _size(whole[0]):
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
    """The least that is known of a group. Where documents and names never find the same link (as
    where records bear no document number), nothing says how many neither finds.
    """
    whats = (What.DEPARTURES, What.ARRIVALS_LINKED, What.FOUND_BY_BOTH)
    return min(tally.of(what) for what in whats)


def _name(tally: Tally) -> str:
    return tally.group_name


def judge_timing(counts: pl.DataFrame) -> tuple[tuple[str, Estimate], ...]:
    """Link sensitivity of stays that ended late and in time, where there are enough."""
    return tuple(
        (t.group_name, _share_linked(_found(t), missed_of(t, counts)))
        for t in tallies(counts, Group.TIMING)
        if t.group_name in (IN_TIME, LATE) and t.of(What.FOUND_BY_BOTH) >= SMALLEST_SHOWN
    )


def missed_of(timed: Tally, counts: pl.DataFrame) -> Estimate:
    """Links missed of stays that ended late, or in time: ``timed`` is of LinkageGroup.TIMING."""
    costs = (What.ARRIVALS_WITHHELD_COSTING, What.DEPARTURES_WITHHELD_COSTING)
    whole, quality = tallies(counts, Group.ALL), judge_linkage(counts)
    neither = _found_by_neither(timed)
    every = sum(whole[0].of(w) for w in costs) if whole else 0
    if quality is None or not every:
        return neither
    share = sum(timed.of(w) for w in costs) / every
    displaced = quality.missed_by_rivals
    return _plus(neither, displaced.scaled(share))


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
    neither = _found_by_neither(tally)
    alone = _found(tally) / (_found(tally) + neither.value) if _found(tally) else 0.0
    left, came = _leaving(whole, leaving, alone, neither), _coming(whole, coming)
    false, costing = _total([*left, *came], "wrong"), _total([*left, *came], "costs")
    missed = _plus(neither, costing)
    right = max(0.0, _found(tally) - false.value)
    # A false link may close a stay before the next arrival: it saw no departure of that stay.
    rightly = 1.0 - min(1.0, false.value / max(tally.of(What.ARRIVALS_LINKED), 1))
    together = Estimate(
        missed.value, neither.lower / DEPENDENCE + costing.lower,
        neither.upper * DEPENDENCE + costing.upper,
    )  # fmt: skip
    return LinkageQuality(
        tally.group_kind,
        tally.group_name,
        tally.of(What.DEPARTURES),
        share_of(tally.of(What.ARRIVALS_WITHHELD_LINKED), tally.of(What.ARRIVALS_WITHHELD)),
        share_of(tally.of(What.DECOYS_LINKED), tally.of(What.DECOYS)),
        share_of(tally.of(What.FAMILY_DECOYS_LINKED), tally.of(What.FAMILY_DECOYS)),
        sum(_without_arrival(t, whole, alone) for t in leaving),
        false,
        _total(left, "wrong"),
        _total(came, "wrong"),
        _share_linked(right, missed),
        _share_linked(right, together),
        missed,
        costing,
        _coverage(whole, coming).scaled(rightly),
        _coverage_bounds(whole, coming, rightly),
    )


def _found(tally: Tally) -> int:
    """Links that documents or names find by themselves: all but a handful."""
    either = tally.of(What.FOUND_BY_DOCUMENTS) + tally.of(What.FOUND_BY_NAMES)
    return either - tally.of(What.FOUND_BY_BOTH)


def _found_by_neither(tally: Tally) -> Estimate:
    """Pairs that neither documents nor names would find, were errors of the two independent."""
    both = tally.of(What.FOUND_BY_BOTH)
    return missed_by_both(
        both, tally.of(What.FOUND_BY_DOCUMENTS) - both, tally.of(What.FOUND_BY_NAMES) - both
    )


def _share_linked(right: float, missed: Estimate) -> Estimate:
    if not right:
        return Estimate(0.0, 0.0, 1.0)
    low, high = right / (right + missed.upper), right / (right + missed.lower)
    return Estimate(right / (right + missed.value), low, high)


def _plus(one: Estimate, other: Estimate) -> Estimate:
    """The sum of two that err independently."""
    return around(one.value + other.value, one.spread**2 + other.spread**2)


def _chance(tally: Tally, whole: Tally, counted: What, asked: What) -> float:
    pooled = whole.of(counted) / whole.of(asked) if whole.of(asked) else 0.0
    return pulled(tally.of(counted), tally.of(asked), pooled, PULL)


@dataclass(frozen=True)
class _Asked:
    """A stratum's crossings without a partner, and what happens to one of them.

    ``wrong``: the chance of a false link; ``costs``: of one that takes a partner from a pair
    which documents or names find. (Pairs that neither finds are counted as such already.)
    """

    number: float
    variance: float  # of the number
    wrong: float
    costs: float
    trials: int
    of_all: int  # trials in all strata together


def _total(asked: Sequence[_Asked], what: Literal["wrong", "costs"]) -> Estimate:
    """Chances times numbers, summed. The interval holds the error of the chances, of the
    numbers, and of the count itself (Poisson). All trials together may have met half a false
    link more: what few never met is not thereby impossible.
    """
    value, variance = 0.0, 0.0
    for a in asked:
        chance = a.wrong if what == "wrong" else a.costs
        value += chance * a.number
        variance += a.number**2 * chance * (1 - chance) / (a.trials + PULL)
        variance += chance**2 * a.variance
    variance += 0.5 * sum(a.number / (a.of_all + PULL) for a in asked) ** 2
    return around(value, value + variance)


def _leaving(
    whole: Tally, strata: Sequence[Tally], alone: float, neither: Estimate
) -> list[_Asked]:
    """Departures whose arrival was not recorded, or whose pair neither kind of key finds."""
    departures = sum(t.of(What.DEPARTURES) for t in strata) or 1
    spread = neither.spread if neither.value else 0.0
    out = []
    for t in strata:
        number = _without_arrival(t, whole, alone)
        number += (1 - alone) * (t.of(What.DEPARTURES) - number)
        share = t.of(What.DEPARTURES) / departures
        out.append(
            _Asked(
                number,
                number + (spread * share) ** 2,
                _chance(t, whole, What.ARRIVALS_WITHHELD_LINKED, What.ARRIVALS_WITHHELD),
                _chance(t, whole, What.ARRIVALS_WITHHELD_COSTING, What.ARRIVALS_WITHHELD),
                t.of(What.ARRIVALS_WITHHELD),
                whole.of(What.ARRIVALS_WITHHELD),
            )
        )
    return out


def _coming(whole: Tally, strata: Sequence[Tally]) -> list[_Asked]:
    """Arrivals whose traveller has left unseen: from those who came again, cell by cell."""
    return [
        _Asked(
            t.of(What.ARRIVALS_LINKED) * (1 - seen) / seen,
            0.0,
            _chance(t, whole, What.DEPARTURES_WITHHELD_TAKEN, What.DEPARTURES_WITHHELD),
            _chance(t, whole, What.DEPARTURES_WITHHELD_COSTING, What.DEPARTURES_WITHHELD),
            t.of(What.DEPARTURES_WITHHELD),
            whole.of(What.DEPARTURES_WITHHELD),
        )
        for t in strata
        if (seen := _seen(t, whole))
    ]


def _without_arrival(tally: Tally, whole: Tally, alone: float) -> float:
    """Departures whose arrival was not recorded.

    Departures whose pair neither kind finds are linked to something else by the same chance;
    links that cost another pair its own add nothing to their number.
    """
    chance = _chance(tally, whole, What.ARRIVALS_WITHHELD_LINKED, What.ARRIVALS_WITHHELD)
    chance -= _chance(tally, whole, What.ARRIVALS_WITHHELD_COSTING, What.ARRIVALS_WITHHELD)
    return partnerless(
        tally.of(What.DEPARTURES), tally.of(What.DEPARTURES_LINKED),
        alone + chance * (1 - alone), chance,
    )  # fmt: skip


def _seen(tally: Tally, whole: Tally) -> float:
    """Coverage times sensitivity in a cell, from those who came again; pulled to the whole."""
    return _chance(tally, whole, What.REENTRIES_CLOSED, What.REENTRIES)


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
