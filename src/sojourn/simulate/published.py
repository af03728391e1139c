"""Countries of counts whose records look like what two offices have published.

In: a ``Published`` office-year, a scale, randomness. Out: COUNTS as an office would hold them,
LINKAGE_QUALITY with re-entries, and the truth that no office knows. No stay, nobody's row.

Totals: US FY2024, 46,657,108 expected departures, 55,594 out-of-country and 482,954 suspected
in-country overstays; by class visa waiver 0.43% suspected in-country and 0.49% in all, other
visitors 2.22 and 2.33, students and exchange visitors 2.45 and 3.23. UK 2019/20, 1.9 million:
95.2% in time, 0.4% late, 4.4% no evidence; in time: study 97.5, visit 96.2, work 94.9.

Assumed, for it was not published or not found: the US mix of classes is that of FY2017 (22,472,710
visa waiver, 14,659,249 other visitors, 1,662,369 students, of 52.7 million); the UK mix is 70%
visit, 15% study, 8% work; whatever is left over has the rates that make the totals come out. Of
those without a departure record, 54% have left: so many of the US backlog were closed on review
(US Government Accountability Office, 2013). Three in ten who leave come again within reach. Of a
hundred whose permission ends two have another status by then: among the US's expected departures,
beside the UK's, which tell those without further leave.
Countries are invented; no published number is given to any.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from sojourn.schemas import COUNTS, LINKAGE_QUALITY, Outcome
from sojourn.vocabulary import LinkageCount, LinkageGroup, Mode

COUNTRIES = {f"QM{letter}": f"Country {letter} (invented)" for letter in "ABCDEFGH"}
_WEIGHT = 0.8  # each country sends so many, against the one before
GAO_LEFT = 0.54
RETURNING = 0.3
CHANGED = 0.02
_PLAIN = LinkageGroup.ALL, LinkageGroup.MODE_CLASS


@dataclass(frozen=True)
class PublishedClass:
    """Of one class: expected departures, and the shares of them that the office published."""

    name: str
    expected: float
    late: float
    no_departure: float


@dataclass(frozen=True)
class Published:
    key: str
    year: date  # its first day
    classes: tuple[PublishedClass, ...]
    left_unrecorded: float = GAO_LEFT  # of those without a departure record
    returning: float = RETURNING
    changed: float = CHANGED  # of expected departures
    tells_changed: bool = True  # whether ``expected`` holds them

    @property
    def expected(self) -> float:
        return sum(c.expected for c in self.classes)

    def share(self, what: str) -> float:
        """Of all expected departures: ``late`` or ``no_departure``."""
        return sum(c.expected * float(getattr(c, what)) for c in self.classes) / self.expected


@dataclass(frozen=True)
class Drawn:
    """``truth``: nationality, admission_class, late, still_here (stays), of the whole year."""

    counts: pl.DataFrame  # COUNTS, a row's day is the first of its month
    linkage: pl.DataFrame  # LINKAGE_QUALITY
    truth: pl.DataFrame


def _with_rest(
    known: tuple[PublishedClass, ...], rest: str, expected: float, late: float, no_departure: float
) -> tuple[PublishedClass, ...]:
    """The known classes, and one more that makes the totals (numbers) come out."""
    left = expected - sum(c.expected for c in known)
    left_late = late - sum(c.expected * c.late for c in known)
    left_open = no_departure - sum(c.expected * c.no_departure for c in known)
    return (*known, PublishedClass(rest, left, left_late / left, left_open / left))


_US_ALL, _MIX_ALL = 46_657_108.0, 52_700_000.0
US_FY2024 = Published(
    "us",
    date(2023, 10, 1),
    _with_rest(
        (
            PublishedClass("VWP", _US_ALL * 22_472_710 / _MIX_ALL, 0.0006, 0.0043),
            PublishedClass("B1/B2", _US_ALL * 14_659_249 / _MIX_ALL, 0.0011, 0.0222),
            PublishedClass("F/M/J", _US_ALL * 1_662_369 / _MIX_ALL, 0.0078, 0.0245),
        ),
        "REST", _US_ALL, 55_594.0, 482_954.0,
    ),
)  # fmt: skip
_UK_ALL = 1_900_000.0
UK_2019_20 = Published(
    "uk",
    date(2019, 4, 1),
    _with_rest(
        (
            PublishedClass("VISIT", _UK_ALL * 0.70, 0.004, 1 - 0.962 - 0.004),
            PublishedClass("STUDY", _UK_ALL * 0.15, 0.004, 1 - 0.975 - 0.004),
            PublishedClass("WORK", _UK_ALL * 0.08, 0.004, 1 - 0.949 - 0.004),
        ),
        "REST", _UK_ALL, _UK_ALL * 0.004, _UK_ALL * 0.044,
    ),
    tells_changed=False,
)  # fmt: skip


def draw_published(office: Published, scale: float, rng: np.random.Generator) -> Drawn:
    """An office-year at ``scale`` (0.01: one stay for a hundred), spread over twelve months.

    The same rng gives the same country. Expected departures are fixed, what becomes of them is
    drawn; coverage of exits follows from ``left_unrecorded``; who returns is like the others.
    """
    weights = _WEIGHT ** np.arange(len(COUNTRIES))
    counts, linkage, truth = [], [], []
    changed = office.changed
    for told in office.classes:
        group = _apart(told, changed) if office.tells_changed else told
        here, late, seen = _process(group, office.left_unrecorded)
        for place, nationality in enumerate(COUNTRIES):
            share = weights[place] / weights.sum() / 12
            size = round(group.expected * scale * share)
            # Drawn month by month: recorded in time, late; unrecorded in time, late; still here.
            chances = np.array(
                [(1 - late) * seen, late * seen, (1 - late) * (1 - seen), late * (1 - seen)]
            )
            months = rng.multinomial(size, [*(chances * (1 - here)), here], size=12)
            again = rng.binomial(months[:, :4], office.returning)
            others = round(size * changed / (1 - changed))
            for month, (row, back) in enumerate(zip(months, again, strict=True)):
                first = _month(office.year, month)
                counts += _counted(first, nationality, group.name, row, others)
                linkage += _returned(first, group.name, back)
            truth.append(
                {"nationality": nationality, "admission_class": group.name,
                 "late": int(months[:, [1, 3]].sum()), "still_here": int(months[:, 4].sum())}
            )  # fmt: skip
    key = list(LINKAGE_QUALITY.key)
    quality = pl.DataFrame(linkage).group_by(key).agg(pl.col("value").sum())
    return Drawn(
        COUNTS.conform(pl.DataFrame(counts)).sort(COUNTS.key),
        LINKAGE_QUALITY.conform(quality).sort(key),
        pl.DataFrame(truth),
    )


def _apart(group: PublishedClass, changed: float) -> PublishedClass:
    """The same class without those whose status changed; nobody of these has overstayed."""
    kept = 1 - changed
    return PublishedClass(
        group.name, group.expected * kept, group.late / kept, group.no_departure / kept
    )


def _process(group: PublishedClass, left: float) -> tuple[float, float, float]:
    """Chances: still here; late, of who leaves; recorded, of who leaves."""
    here = group.no_departure * (1 - left)
    seen = 1 - group.no_departure * left / (1 - here)
    return here, group.late / ((1 - here) * seen), seen


def _month(year: date, month: int) -> date:
    at = year.month - 1 + month
    return date(year.year + at // 12, at % 12 + 1, 1)


def _counted(
    first: date, nationality: str, admission_class: str, row: np.ndarray, changed: int
) -> list[dict[str, object]]:
    values = {
        Outcome.DEPARTED_IN_TIME: row[0],
        Outcome.DEPARTED_LATE: row[1],
        Outcome.NO_DEPARTURE_RECORDED: row[2] + row[3] + row[4],
        Outcome.STATUS_CHANGED: changed,
    }
    return [
        {
            "counts_on": first, "nationality": nationality, "mode": Mode.AIR.value,
            "admission_class": admission_class, "outcome": outcome.value,
            "value": float(value), "noise_variance": 0.0,
        }
        for outcome, value in values.items() if value
    ]  # fmt: skip


def _returned(first: date, admission_class: str, back: np.ndarray) -> list[dict[str, object]]:
    """Re-entries, and those with a recorded departure between; in all and by mode and class."""
    values = {
        LinkageCount.REENTRIES: int(back.sum()),
        LinkageCount.REENTRIES_CLOSED: int(back[:2].sum()),
    }
    names = ("", f"{Mode.AIR.value}/{admission_class}")
    return [
        {"period": first, "group_kind": kind.value, "group_name": name, "what": what.value,
         "value": value}
        for kind, name in zip(_PLAIN, names, strict=True)
        for what, value in values.items()
    ]  # fmt: skip
