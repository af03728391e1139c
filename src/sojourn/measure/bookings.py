"""Bookings that were never flown, and manifests that list who was not aboard.

In: LISTS of one direction and mode, as counts by which lists hold a crossing. Out: ``Bookings``;
``Trimmed``. A booking alone is never a departure here; how many such there are is told, so that
systems which take it for one (an *implied departure*) can be judged.

- ``never_flown``: of bookings that were flown, a share is seen by the border or the carrier. That
  share is a dual-system estimate among booked crossings; what is booked alone beyond it never flew.
  Assumes that the two lists miss booked travellers independently of each other.
- ``trim``: a list with false entries makes the dual-system estimate too high. Entries that are
  likelier false are left out in turn, bookings first, then boardings without a booking, and the
  estimate is made again (trimmed dual system: Zhang & Dunne 2017). Where it falls and then stays,
  what was left out was false; where it never stays, it cannot be told.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from sojourn.measure.dual import Dual, dual_system
from sojourn.measure.estimate import Z95, Estimate, share_of
from sojourn.vocabulary import Direction

STEADY = 1.0  # half-widths: estimates nearer than this are the same


@dataclass(frozen=True)
class Held:
    """Crossings by the lists that hold them: (border, carrier, booked) -> number."""

    numbers: dict[tuple[bool, bool, bool], int]

    def of(
        self, *, border: bool | None = None, carrier: bool | None = None, booked: bool | None = None
    ) -> int:
        asked = (border, carrier, booked)
        return sum(
            n for key, n in self.numbers.items()
            if all(a is None or a == k for a, k in zip(asked, key, strict=True))
        )  # fmt: skip


@dataclass(frozen=True)
class Bookings:
    booked: int
    seen: int  # of these, held by the border or a carrier
    never_flown: Estimate  # a number
    share: Estimate  # of bookings


@dataclass(frozen=True)
class Trimmed:
    """Estimates with ever more left out; ``steady``: the first that later ones agree with."""

    steps: tuple[tuple[str, Dual], ...]
    steady: str | None


def held_in(lists: pl.DataFrame, direction: Direction, mode: str) -> Held:
    """LISTS of a direction and mode, all months together."""
    of = lists.filter((pl.col("direction") == direction.value) & (pl.col("mode") == mode))
    summed = of.group_by("in_border", "in_carrier", "booked").agg(pl.col("value").sum())
    return Held({(b, c, k): int(n) for b, c, k, n in summed.rows()})


def never_flown(held: Held) -> Bookings | None:
    """None where there are no bookings, or nothing says how many of them lists miss."""
    booked = held.of(booked=True)
    alone = held.of(border=False, carrier=False, booked=True)
    seen = booked - alone
    dual = dual_system(
        held.of(border=True, carrier=True, booked=True),
        held.of(border=True, carrier=False, booked=True),
        held.of(border=False, carrier=True, booked=True),
    )
    if not booked or dual.independent is None:
        return None
    missed = [max(0.0, n - seen) for n in (dual.independent.value, dual.bounds.lower,
                                           dual.bounds.upper)]  # fmt: skip
    chance = Z95 * max(alone, 1) ** 0.5
    value = max(0.0, alone - missed[0])
    number = Estimate(
        value, max(0.0, alone - missed[2] - chance), min(float(alone), alone - missed[1] + chance)
    )
    wilson = share_of(value, booked)
    return Bookings(
        booked, seen, number,
        Estimate(value / booked, min(wilson.lower, number.lower / booked),
                 max(wilson.upper, number.upper / booked)),
    )  # fmt: skip


def trim(held: Held) -> Trimmed:
    """The border's list against the other, whose entries are left out in turn."""
    steps = (
        ("nothing left out", _against(held, booked_alone=True, unbooked=True)),
        ("bookings left out", _against(held, booked_alone=False, unbooked=True)),
        ("boardings without booking left out", _against(held, booked_alone=False, unbooked=False)),
    )
    for at, (name, dual) in enumerate(steps[:-1]):
        rest = [d.independent for _, d in steps[at + 1 :]]
        mine = dual.independent
        if mine is not None and all(
            r is not None and abs(r.value - mine.value)
            <= STEADY * max(r.upper - r.value, mine.upper - mine.value)
            for r in rest
        ):  # fmt: skip
            return Trimmed(steps, name)
    return Trimmed(steps, None)


def _against(held: Held, *, booked_alone: bool, unbooked: bool) -> Dual:
    """Second list: boardings; with bookings that nobody saw board, without unbooked boardings."""

    def number(border: bool) -> int:
        boarded = held.of(border=border, carrier=True, booked=True)
        boarded += held.of(border=border, carrier=True, booked=False) if unbooked else 0
        return boarded + (held.of(border=border, carrier=False, booked=True) if booked_alone else 0)

    both = number(border=True)
    return dual_system(both, held.of(border=True) - both, number(border=False))
