"""Days of records, completed: what is in, what is still to come, and how sure that is.

In: ``Triangles`` of a direction, the trouble of its sources. Out: ``Days``.

Two things tell of a source's day. What is in, over the share that should be; and the source's
usual day: the same weekday of the eight weeks before, as known now (where there are fewer, the
28 days before). Each has the weight that its error leaves it (credibility: Bühlmann 1967; between
chain ladder and Bornhuetter & Ferguson 1972). Errors are learned from the office's own past: the
same question is asked on each of the last PAST days, of what was known then, and set beside what
these days have come to. By source: how days scatter about the usual one, and what was in about
its share; by age of the day: how far the sum over sources fell from the truth, against what was
said. No error is taken for smaller than chance makes it.

Records of a source that should have told and has not (``owed``) may come, or never were.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sojourn.measure.delays import LONGEST, Trouble
from sojourn.measure.taken_over import SILENT_SHARE
from sojourn.measure.triangles import EXPECTED, WEEKDAYS_FROM, WINDOW, Triangles

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]

AGES = 32  # days of which it is asked in the past
PAST = 91  # days on which it is asked
WEEKS, DAYS = 8, 28  # before the day, that make the usual one
LEAST_WEEKS = 4
LEAST_PAST = 14  # answers of the past, to learn an error from
UNLEARNED = 1.5  # dispersion of records to come, in days and sources of an office
UNKNOWN_DAY = 0.3  # how far a day may lie from the usual one where nothing has shown it
HALF, LEAST_HALF = 0.5, 7  # of a day's records; so many days
SETTLED = 0.1  # of what was to come then: more is not to come yet, or it tells nothing
TAIL_ERROR = 0.5  # of what comes later than any delay yet seen: it is guessed from the others
LEAST_RECORDS = 200  # of a source, from which delays are learned
FRESH = 7  # days: an older one with few records is believed
FEW = 0.25  # of the records that should be in
RARE = 0.05  # of days on which it was asked
LEAST_TO_COME = 0.25  # of what usually comes, however much is in
DOUBLED, LATE_PART, DOUBLED_DAYS = 1.5, 0.25, 3  # a clock that jumped back


@dataclass(frozen=True)
class Days:
    """By age of the day, 0 .. LONGEST."""

    seen: Array  # records in
    final: Array  # once all are in
    variance: Array  # of it, each day's own
    common: Array  # standard error of it that all days share
    owed: Array  # records of sources that should have told and did not
    short: bool  # little is known of the delays of SILENT_SHARE of records, or more
    jumped: bool  # a clock jumped back
    changed: bool  # delays of SILENT_SHARE of records, or more, are not what they were


def no_days() -> Days:
    """Nothing was told of any."""
    none = np.zeros(LONGEST + 1)
    return Days(none, none, none, none, none, short=False, jumped=False, changed=False)


@dataclass(frozen=True)
class _Asked:
    """Sources x ages x past days on which it was asked: what was known then."""

    seen: Array
    share: Array
    usual: Array  # nan where nothing tells
    final: Array  # as it is known now
    valid: Flags

    def without(self, days: Flags) -> _Asked:
        """``days``: sources x ages now."""
        now = np.arange(AGES)[:, None] + np.arange(1, PAST + 1)
        return replace(self, valid=self.valid & ~days[:, now])


@dataclass(frozen=True)
class _Learned:
    """Dispersions: variances over what chance alone would make them; and times the error."""

    days: Array  # by source: of days about the usual one
    share: Array  # by source and age: of what is in
    office: Array  # by age


def complete_days(triangles: Triangles, trouble: Trouble) -> Days:
    """Every day of the last LONGEST."""
    ages = np.broadcast_to(np.arange(LONGEST + 1), triangles.seen.shape)
    share, doubt = triangles.share_after(ages - triangles.quiet[:, None], ages)
    share = np.where(ages < triangles.stopped[:, None], 0.0, share)
    usual, asked = _usual_now(triangles), _ask(triangles)
    ended = ages < triangles.ended[:, None]
    overdue = _overdue(triangles, asked.without(ended), usual, share) & ~ended
    learned = _learn(triangles, asked.without(overdue | ended))
    by_age = learned.share[:, np.minimum(ages[0], AGES - 1)]
    final, variance, weight = _completed(
        triangles.seen, share, usual, learned.days[:, None], by_age
    )  # fmt: skip
    was = (ages <= _oldest(triangles)[:, None]) & ~ended
    final = np.where(was, final, triangles.seen)
    base = np.where(np.isnan(usual), final, usual)
    changed = np.array([s in trouble.changed for s in triangles.sources])[:, None]
    common = np.sqrt(
        (weight * base * share) ** 2 * doubt * by_age
        + (TAIL_ERROR * final * triangles.tail[:, None]) ** 2
        + (base * (1 - share) * changed * (trouble.slower - 1)) ** 2
    ) * was  # fmt: skip
    late = (triangles.quiet > 0)[:, None] | overdue
    come = final - triangles.seen
    owed = np.where(overdue, np.maximum(usual - triangles.seen, come), come) * late
    variance = np.where(late | ~was, 0.0, variance).sum(axis=0)
    scale = learned.office[np.minimum(ages[0], AGES - 1)]
    size = final[:, :AGES].sum(axis=1)
    young = (triangles.history < WEEKDAYS_FROM) | (triangles.records < LEAST_RECORDS)
    told = np.where(late, triangles.seen, final).sum(axis=0)
    return Days(
        triangles.seen.sum(axis=0), told, variance * scale**2,
        np.where(late, 0.0, common).sum(axis=0),
        owed.sum(axis=0) + _owed_long_ago(triangles, trouble, usual) * told,
        short=bool(size[young].sum() >= SILENT_SHARE * size.sum() > 0),
        jumped=_jumped_back(triangles, usual),
        changed=bool(size[changed[:, 0]].sum() >= SILENT_SHARE * size.sum() > 0),
    )  # fmt: skip


def _owed_long_ago(triangles: Triangles, trouble: Trouble, usual: Array) -> Array:
    """By age: the share of sources that have been silent for so long that no usual day tells."""
    owed = np.zeros(usual.shape[1])
    for silent in trouble.silent:
        if silent.source in triangles.sources:
            at = triangles.sources.index(silent.source)
            owed += np.where(np.isnan(usual[at]) & (triangles.seen[at] == 0), silent.share, 0.0)
        else:
            owed += silent.share
    return owed


def _completed(
    seen: Array, share: Array, usual: Array, days: Array, scatter: Array
) -> tuple[Array, Array, Array]:
    """Records once all are in, their variance, and the weight of what is in.

    Linear Bayes: a day is usual +- its dispersion, what is in is the share of it +- its own.
    """
    safe = np.maximum(share, 1e-9)
    alone = np.isnan(usual)  # nothing but what is in tells
    mean = np.maximum(np.where(alone, seen / safe, usual), 0.5)
    between = np.where(alone, 1e9, days) * mean
    within = scatter * mean * share * (1 - share)
    spread = share**2 * between + within
    weight = np.divide(share * between, spread, out=np.zeros_like(spread), where=spread > 0)
    final = mean + weight * (seen - share * mean)
    left = np.divide(between * within, spread, out=between.copy(), where=spread > 0)
    return seen + np.maximum(final - seen, LEAST_TO_COME * (1 - share) * mean), left, weight


def _oldest(triangles: Triangles) -> Whole:
    """Age of each source's oldest day."""
    had = triangles.seen > 0
    return np.where(had.any(axis=1), LONGEST - np.argmax(had[:, ::-1], axis=1), -1)


def _usual_now(triangles: Triangles) -> Array:
    """Sources x ages: a silent source's usual day is that of the weeks before it fell silent."""
    quiet, oldest = triangles.quiet[:, None], _oldest(triangles)[:, None]
    ages = np.broadcast_to(np.arange(LONGEST + 1), triangles.seen.shape)
    each = np.arange(len(triangles.sources))[:, None]

    def over(steps: list[int], skipped: Whole) -> tuple[Array, Array]:
        top, bottom, number = np.zeros((3, *ages.shape))
        for step in steps:
            at = ages + skipped + step
            is_there = (at <= oldest) & (at <= LONGEST)
            share, _ = triangles.share_after(at - quiet, at)
            seen = triangles.seen[each, np.minimum(at, LONGEST)]
            top += np.where(is_there, seen, 0.0)
            bottom += np.where(is_there, share, 0.0)
            number += is_there
        return _over(top, bottom), number

    gone = np.maximum(np.maximum(quiet, triangles.stopped[:, None]) - ages, 0)
    weekly, weeks = over([7 * j for j in range(1, WEEKS + 1)], -(-gone // 7) * 7)
    if (weeks[:, :AGES] >= LEAST_WEEKS).all():
        return weekly
    daily, _ = over(list(range(1, DAYS + 1)), gone)
    return np.where(weeks >= LEAST_WEEKS, weekly, daily)


def _over(top: Array, bottom: Array) -> Array:
    """nan where less than half a day is in."""
    return np.where(bottom >= 0.5, top / np.maximum(bottom, 0.5), np.nan)


def _ask(triangles: Triangles) -> _Asked:
    """The past: on each of PAST days, of each age."""
    known, quiet = triangles.known, triangles.quiet[:, None]
    oldest = _oldest(triangles)[:, None]
    weekly = bool((_oldest(triangles) >= AGES + PAST + 7 * WEEKS).all())
    back, seeable = np.arange(1, PAST + 1), 1 - triangles.tail[:, None]

    def then(age: int, step: int) -> tuple[Array, Array]:
        """Records known of the day ``step`` days before, and the share, where it was."""
        at = back + age + step
        share, _ = triangles.share_after(
            np.full((len(known), PAST), age + step), np.broadcast_to(at, (len(known), PAST))
        )
        inside = at < WINDOW
        seen = np.where(inside, known[:, np.minimum(at, WINDOW - 1), age + step], 0.0)
        was = inside & (at <= oldest)
        return np.where(was, seen, 0.0), np.where(was, share, 0.0)

    def over(age: int, steps: list[int]) -> tuple[Array, Array]:
        """The usual day, and how many days made it."""
        parts = [np.stack(then(age, step)) for step in steps]
        whole = np.sum(parts, axis=0)
        return _over(whole[0], whole[1]), np.sum([p[1] > 0 for p in parts], axis=0)

    made: list[tuple[Array, ...]] = []
    for age in range(AGES):
        seen, share = then(age, 0)
        usual, weeks = over(age, [7 * j for j in range(1, WEEKS + 1)])
        if not weekly:
            daily, _ = over(age, list(range(1, DAYS + 1)))
            usual = np.where(weeks < LEAST_WEEKS, daily, usual)
        at = np.broadcast_to(back + age, seen.shape)
        by_now, _ = triangles.share_after(at - quiet, at)
        final = triangles.seen[:, back + age] / np.maximum(by_now, 1e-9)
        settled = seeable - by_now <= SETTLED * (seeable - share) + 1e-9
        valid = settled & (back >= quiet) & (at <= triangles.history[:, None])
        made.append((seen, share, usual, final, (valid & ~np.isnan(usual)).astype(np.float64)))
    seen, share, usual, final, valid = (np.stack(x, axis=1) for x in zip(*made, strict=True))
    return _Asked(seen, share, usual, final, valid > 0)


def _learn(triangles: Triangles, asked: _Asked) -> _Learned:
    usual = np.where(asked.valid, asked.usual, 0.0)
    off = np.where(asked.valid, (asked.final - usual) ** 2, 0.0)
    enough = asked.valid.sum(axis=2).max(axis=1) >= LEAST_PAST
    days = np.where(
        enough, off.sum(axis=(1, 2)) / np.maximum(usual.sum(axis=(1, 2)), 1.0), _scatter(triangles)
    )
    chance = np.where(asked.valid, asked.final * asked.share * (1 - asked.share), 0.0)
    apart = np.where(asked.valid, (asked.seen - asked.share * asked.final) ** 2, 0.0)
    told = (asked.valid.sum(axis=2) >= LEAST_PAST) & (chance.sum(axis=2) > 1)
    share = np.where(told, apart.sum(axis=2) / np.maximum(chance.sum(axis=2), 1.0), UNLEARNED)
    learned = _Learned(np.maximum(days, 1.0), np.maximum(share, 1.0), np.ones(AGES))
    final, variance, _ = _completed(
        asked.seen, asked.share, asked.usual, learned.days[:, None, None], learned.share[:, :, None]
    )  # fmt: skip
    missed = np.where(asked.valid, asked.final - final, 0.0).sum(axis=0)
    said = np.where(asked.valid, variance, 0.0).sum(axis=0)
    times = np.where(said > 0.5, missed**2 / np.maximum(said, 0.5), np.nan)
    number = np.isfinite(times).sum(axis=1)
    mean = np.nansum(times, axis=1) / np.maximum(number, 1)
    office = np.where(number >= LEAST_PAST, np.sqrt(np.maximum(mean, 1.0)), 1.0)
    return replace(learned, office=office)


def _scatter(triangles: Triangles) -> Array:
    """By source, where nothing can be asked of the past yet: of days that are half in, so what is
    still out of them scatters too.
    """
    ages = np.broadcast_to(np.arange(PAST), (len(triangles.sources), PAST))
    share, _ = triangles.share_after(ages - triangles.quiet[:, None], ages)
    half = (share >= HALF) & (ages < triangles.history[:, None])
    number = half.sum(axis=1)
    final = np.where(half, triangles.seen[:, :PAST] / np.maximum(share, HALF), 0.0)
    mean = final.sum(axis=1) / np.maximum(number, 1)
    off = np.where(half, (final - mean[:, None]) ** 2, 0.0).sum(axis=1)
    found = off / np.maximum((number - 1) * mean, 1.0)
    level = np.maximum(mean, triangles.seen[:, :PAST].max(axis=1))
    return np.asarray(np.where(number >= LEAST_HALF, found, 1 + UNKNOWN_DAY**2 * level))


def _overdue(triangles: Triangles, asked: _Asked, usual: Array, share: Array) -> Flags:
    """Sources x ages: far less of a day is in than nearly ever before. A day that is not fresh is
    believed where the source has told of a later one.
    """
    out = np.zeros(usual.shape, dtype=bool)
    should = asked.share * asked.final
    part = np.where(asked.valid & (should >= EXPECTED), asked.seen / np.maximum(should, 1), np.nan)
    watched = np.isfinite(part).sum(axis=2) >= LEAST_PAST
    usually = watched & ((part < 2 * FEW).sum(axis=2) <= RARE * np.isfinite(part).sum(axis=2))
    now = (share * np.nan_to_num(usual))[:, :AGES]
    judged = usually & (now >= EXPECTED)
    few = triangles.seen[:, :AGES] < FEW * now
    nothing_since = np.logical_and.accumulate(few | ~judged, axis=1)
    fresh = np.arange(AGES) <= FRESH
    out[:, :AGES] = judged & few & (fresh | nothing_since)
    return out


def _jumped_back(triangles: Triangles, usual: Array) -> bool:
    """Days that hold too many records, of which many came far too late: these are others'."""
    ages = np.arange(WINDOW)
    for at in range(len(triangles.sources)):
        slow = int(np.argmax(triangles.share[at].mean(axis=0) >= 0.9))
        limit = min(2 * slow + 7, WINDOW - 1)
        seen, day = triangles.seen[at, :WINDOW], np.nan_to_num(usual[at, :WINDOW])
        # Of late, for a clock that was put right long ago is no trouble any more.
        by_then = triangles.known[at, ages, np.maximum(limit, ages - AGES)]
        late = triangles.known[at, :, -1] - by_then
        odd = (day >= EXPECTED) & (seen > DOUBLED * day) & (late > LATE_PART * day)
        if odd.sum() >= DOUBLED_DAYS:
            return True
    return False
