"""Linking as anybody would write it who has all day: what ``sojourn.link.link`` must agree with.

Every pair of reports is looked at, pairs are sorted by the declared order, taken one by one.
Also makes small ENCODINGS of travellers whose keys are plain numbers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from sojourn.link import WeightTable
from sojourn.link.between import ASKED, ENOUGH_BITS, MOST_BITS, RETURN_BITS, SURE_BITS
from sojourn.link.patterns import FIELDS
from sojourn.policy import LinkagePolicy
from sojourn.schemas import ENCODINGS, KeyKind

START = datetime(2025, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
STRENGTH = {"booked": 0, "boarded": 1, "crossed": 2}


@dataclass(frozen=True)
class Report:
    ref: bytes
    time: datetime
    direction: str = "arrival"
    source: str = "booth"
    evidence: str = "crossed"
    keys: tuple[tuple[int, int], ...] = ()  # (kind with epoch bit, key)
    sex: str | None = None
    nationality: str | None = None
    admission_class: str | None = None
    recorded: datetime | None = None
    withdrawn: bool = False


def keys_of(
    traveller: int, *, document: int | None = None, names: int = 2, dated: bool = True, bit: int = 0
) -> tuple[tuple[int, int], ...]:
    """Keys such as the encoder gives, made of numbers: equal input, equal keys."""

    def key(kind: KeyKind, number: int) -> tuple[int, int]:
        # Spread like an HMAC's first bytes; kinds and travellers never collide.
        mixed = (int(kind) * 1_000_003 + number * 97 + bit * 7_919) * 0x9E3779B97F4A7C15
        return int(kind) | bit, mixed % (1 << 64)

    out = []
    if document is not None:
        out += [key(KeyKind.DOCUMENT, document), key(KeyKind.DOCUMENT_OCR, document)]
    for name in range(names):
        if dated:
            out.append(key(KeyKind.NAME_DATE, traveller * 10 + name))
            out.append(key(KeyKind.SOUND_DATE, traveller * 10 + name))
    if names > 1:
        out.append(key(KeyKind.PAIR_YEAR, traveller))
        out.append(key(KeyKind.PAIR_DAY, traveller))
    return tuple(out)


def encodings(reports: Iterable[Report]) -> pl.DataFrame:
    """ENCODINGS of reports, in their order."""
    rows = [
        {
            "crossing_ref": r.ref,
            "source": r.source,
            "direction": r.direction,
            "event_time": r.time,
            "recorded_at": r.recorded or r.time,
            "local_date": r.time.date(),
            "evidence": r.evidence,
            "mode": "air",
            "nationality": r.nationality,
            "sex": r.sex,
            "admission_class": r.admission_class,
            "stay_limit": "unknown",
            "withdrawn": r.withdrawn,
            "key_epoch": 2,
            "key_kinds": [k for k, _ in r.keys],
            "match_keys": [v for _, v in r.keys],
        }
        for r in reports
    ]
    schema = {c.name: c.dtype for c in ENCODINGS.columns if rows and c.name in rows[0]}
    return ENCODINGS.conform(pl.DataFrame(rows, schema=schema)) if rows else ENCODINGS.empty()


@dataclass
class _Crossing:
    """Reports that were brought together."""

    reports: list[Report] = field(default_factory=list)

    def standing(self) -> Report:
        return min(self.reports, key=lambda r: (-STRENGTH[r.evidence], r.recorded or r.time, r.ref))

    def boarded(self) -> bool:
        return max(STRENGTH[r.evidence] for r in self.reports) >= STRENGTH["boarded"]


def pattern_of_pair(a: Report, b: Report, *, even_of_nothing: bool = False) -> int | None:
    """Code of what agrees, or None where no key is shared (and nothing is no answer)."""
    shared: dict[int, Counter[int]] = {0: Counter(), 0x80: Counter()}
    have = {value for _, value in a.keys}
    for kind, value in b.keys:
        if value in have:
            shared[kind & 0x80][kind & 0x7F] += 1
    if not shared[0] and not shared[0x80] and not even_of_nothing:
        return None
    agree = {k: max(shared[0][k], shared[0x80][k]) for k in KeyKind}
    fields = {
        "document": _document(a, b, agree),
        "names": min(3, agree[KeyKind.NAME_DATE]),
        "sounds": min(3, agree[KeyKind.SOUND_DATE]),
        "pairs_year": min(3, agree[KeyKind.PAIR_YEAR]),
        "pairs_day": min(3, agree[KeyKind.PAIR_DAY]),
        "names_sex": min(1, agree[KeyKind.NAMES_SEX]),
        "sides": min(1, agree[KeyKind.SIDE_YEAR]),
        "birth": min(1, agree[KeyKind.BIRTH]),
        "sex": _trait(a.sex, b.sex),
        "nationality": _trait(a.nationality, b.nationality),
        "tokens": min(3, _tokens(a), _tokens(b)),
    }
    code = 0
    for f in FIELDS:
        code = code * f.size + fields[f.name]
    return code


def _document(a: Report, b: Report, agree: dict[KeyKind, int]) -> int:
    if not all(any(k & 0x7F == KeyKind.DOCUMENT for k, _ in r.keys) for r in (a, b)):
        return 0
    return 3 if agree[KeyKind.DOCUMENT] else 2 if agree[KeyKind.DOCUMENT_OCR] else 1


def _trait(a: str | None, b: str | None) -> int:
    return 0 if a is None or b is None else 2 if a == b else 1


def _tokens(r: Report) -> int:
    return max(sum(k == KeyKind.NAME_DATE | bit for k, _ in r.keys) for bit in (0, 0x80))


@dataclass(frozen=True)
class PlainLinked:
    links: set[tuple[bytes, bytes]]
    merges: dict[bytes, bytes]


def link_plainly(
    reports: Sequence[Report], table: WeightTable, policy: LinkagePolicy
) -> PlainLinked:
    """Merges, then links, pair by pair."""
    ordered = sorted((r for r in reports if not r.withdrawn), key=lambda r: (r.time, r.ref))
    crossing = _merge(ordered, table, policy)
    links = _link(ordered, crossing, table, policy)
    merges = {
        r.ref: crossing[r.ref].standing().ref
        for r in ordered
        if crossing[r.ref].standing().ref != r.ref
    }
    return PlainLinked(links, merges)


def _merge(
    ordered: list[Report], table: WeightTable, policy: LinkagePolicy
) -> dict[bytes, _Crossing]:
    window = policy.merge_hours * HOUR
    near = _nearby(ordered, window)
    found = []
    for at, first in enumerate(ordered):
        for second in ordered[at + 1 :]:
            apart = second.time - first.time
            booths = first.evidence == second.evidence == "crossed"
            same = first.direction == second.direction and first.source != second.source
            pattern = pattern_of_pair(first, second)
            if not same or booths or apart > window or pattern is None:
                continue
            bits = table.log2_odds[pattern] - np.log2(max(near, 1.0) / table.open_stays)
            if bits >= policy.threshold_log2_odds:
                worth = np.float32(bits - np.log2(1.0 + apart / HOUR))
                found.append((-worth, apart, first.ref, second.ref))
    crossing = {r.ref: _Crossing([r]) for r in ordered}
    for *_, one, other in sorted(found):
        a, b = crossing[one], crossing[other]
        together = a.reports + b.reports
        sources = [r.source for r in together]
        recorded_by_booths = sum(r.evidence == "crossed" for r in together)
        if a is b or len(set(sources)) < len(sources) or recorded_by_booths > 1:
            continue
        a.reports += b.reports
        for r in b.reports:
            crossing[r.ref] = a
    return crossing


def _nearby(ordered: list[Report], window: timedelta) -> float:
    if not ordered:
        return 1.0
    span = max(ordered[-1].time - ordered[0].time, HOUR)
    return max(1.0, len(ordered) / 2 * min(1.0, 2 * window / span))


def _open_stays(ordered: list[Report], crossing: dict[bytes, _Crossing]) -> float:
    level, levels, at_departures = 0, [0], []
    for r in ordered:
        if crossing[r.ref].standing() is r:
            level += 1 if r.direction == "arrival" else -1
            levels.append(level)
            if r.direction == "departure":
                at_departures.append(level)
    lowest = min(levels)
    if not at_departures:
        return 1.0
    return max(1.0, sum(x - lowest for x in at_departures) / len(at_departures))


def _link(
    ordered: list[Report], crossing: dict[bytes, _Crossing], table: WeightTable,
    policy: LinkagePolicy,
) -> set[tuple[bytes, bytes]]:  # fmt: skip
    open_stays = _open_stays(ordered, crossing)
    best: dict[tuple[bytes, bytes], tuple[np.float32, int]] = {}
    standing = {r.ref: crossing[r.ref].standing() for r in ordered}
    for a in (r for r in ordered if r.direction == "arrival"):
        for d in (r for r in ordered if r.direction == "departure"):
            pattern = pattern_of_pair(a, d)
            if pattern is None or not timedelta(0) <= d.time - a.time <= policy.max_stay_days * DAY:
                continue
            came, left = standing[a.ref], standing[d.ref]
            if left.time < came.time:
                continue
            if not (crossing[a.ref].boarded() and crossing[d.ref].boarded()):
                continue
            gap = np.array([(left.time - came.time) // timedelta(microseconds=1)])
            curve = np.array([table.curve_of(came.admission_class)])
            weight = table.weigh(np.array([pattern]), curve, gap, open_stays)[0]
            key = (came.ref, left.ref)
            if key not in best or weight > best[key][0]:
                best[key] = (weight, pattern)
    return _take_in_turn(_less_what_lies_between(best, ordered, table, open_stays), ordered, policy)


def _less_what_lies_between(
    best: dict[tuple[bytes, bytes], tuple[np.float32, int]], ordered: list[Report],
    table: WeightTable, open_stays: float,
) -> dict[tuple[bytes, bytes], tuple[np.float32, float]]:  # fmt: skip
    """Each pair's weight without what crossings of the same traveller in between take away."""
    report = {r.ref: r for r in ordered}

    def same(pattern: int | None) -> float:
        # Nothing shared is a pattern too, between two crossings of one candidate.
        odds = table.same_traveller(np.array([pattern]), open_stays)[0]
        return float(np.float32(odds + np.float32(RETURN_BITS)))

    def lost(pair: tuple[bytes, bytes], end: int) -> np.float32:
        far = 1 - end
        apart = abs(report[pair[far]].time - report[pair[end]].time)
        nearer = [
            (abs(report[q[far]].time - report[q[end]].time), slot[q[far]], q)
            for q in best
            if q[end] == pair[end]
        ]
        total, asked = 0.0, 0
        for gap, _, q in sorted(nearer):
            if gap >= apart:
                break
            odds = same(best[q][1])
            if odds < ENOUGH_BITS and asked < ASKED:
                asked += 1
                shared = pattern_of_pair(report[pair[far]], report[q[far]], even_of_nothing=True)
                odds = max(odds, same(shared))
            total += odds if odds > SURE_BITS else math.log2(1.0 + 2.0**odds)
            if total > MOST_BITS:
                break
        return np.float32(min(total, MOST_BITS))

    slot = {r.ref: at for at, r in enumerate(ordered)}
    out = {}
    for pair, (weight, pattern) in best.items():
        bits = np.float32(lost(pair, 1) + lost(pair, 0))
        out[pair] = (np.float32(weight - bits), float(table.log2_odds[pattern]))
    return out


def _take_in_turn(
    best: dict[tuple[bytes, bytes], tuple[np.float32, float]], ordered: list[Report],
    policy: LinkagePolicy,
) -> set[tuple[bytes, bytes]]:  # fmt: skip
    time = {r.ref: r.time for r in ordered}
    best = {p: w for p, w in best.items() if w[0] >= policy.threshold_log2_odds}

    def order(pair: tuple[bytes, bytes]) -> tuple[object, ...]:
        gap = time[pair[1]] - time[pair[0]]
        return -best[pair][0], gap, *pair

    left_at: dict[bytes, bytes] = {}
    came_at: dict[bytes, bytes] = {}
    for a, d in sorted(best, key=order):
        if a in left_at or d in came_at:
            continue
        # Stays that stand and share an end's traveller with this one, as surely as this one does.
        inside = [
            (came_at[y], y) for x, y in best
            if x == a and y in came_at and best[x, y][1] >= best[a, d][1]
        ] + [
            (x, left_at[x]) for x, y in best
            if y == d and x in left_at and best[x, y][1] >= best[a, d][1]
        ]  # fmt: skip
        if any(time[x] > time[a] and time[y] < time[d] for x, y in inside):
            continue
        left_at[a], came_at[d] = d, a
    return set(left_at.items())


def shuffled(reports: Sequence[Report], seed: int) -> list[Report]:
    order = np.random.default_rng(seed).permutation(len(reports))
    return [reports[i] for i in order]


def with_source(report: Report, source: str, evidence: str, ref: bytes) -> Report:
    """Another list's report of the same crossing."""
    return replace(report, source=source, evidence=evidence, ref=ref)
