"""What a small country's counts are on a day, and what is true: the tables an office would have.

In: ``SmallCountry``, a day. Out: COUNTS (by month), VINTAGES, REPORTING, LISTS, LINKAGE_QUALITY as
known at its end; the truth by cell. The same tables that the ledger keeps, drawn from arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from sojourn.schemas import COUNTS, LINKAGE_QUALITY, LISTS, REPORTING, VINTAGES
from sojourn.simulate.small import NEVER, Days, Flags, SmallCountry, known_by
from sojourn.simulate.small_world import CLASSES, MODES
from sojourn.vocabulary import Direction, Outcome
from sojourn.vocabulary import LinkageCount as What
from sojourn.vocabulary import LinkageGroup as Group

NATIONALITIES = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")
RETURN_BANDS = (
    (0, 7, "under 7 days"), (7, 30, "7 to 30 days"), (30, 90, "30 to 90 days"),
    (90, NEVER, "90 days or more"),
)  # fmt: skip
WITHHELD_SHARE = 0.2
TRUE = ("expected", "overstays", "still_here", "unrecorded", "in_time", "late")
_CELL = ("period", "nationality", "mode", "admission_class")


@dataclass(frozen=True)
class SmallTables:
    counts: pl.DataFrame
    vintages: pl.DataFrame
    reporting: pl.DataFrame
    lists: pl.DataFrame
    linkage: pl.DataFrame


class SmallOffice:
    """A country's stays laid out once, asked for its tables on several days."""

    def __init__(self, country: SmallCountry) -> None:
        self.country = country
        start = country.world.start
        self._base = pl.DataFrame(
            {
                "until": _dates(country.until, start),
                "arrived": _dates(country.arrived, start),
                "nationality": pl.Series(NATIONALITIES).gather(country.nation),
                "mode": pl.Series(MODES).gather(country.mode),
                "admission_class": pl.Series(CLASSES).gather(country.kind),
            }
        ).with_columns(
            period=pl.col("until").dt.truncate("1mo"),
            came=pl.col("arrived").dt.truncate("1mo"),
            stratum=pl.concat_str("mode", "admission_class", separator="/"),
        )
        self._steps = self._all_steps()

    def date_of(self, day: int) -> date:
        return self.country.world.start + timedelta(days=day)

    def tables(self, day: int, rng: np.random.Generator) -> SmallTables:
        """As known at the end of ``day``; ``rng`` draws what is withheld in linkage's trials."""
        vintages = self.vintages(day)
        counts = vintages.group_by(*_CELL, "outcome").agg(pl.col("value").last())
        return SmallTables(
            COUNTS.conform(
                counts.filter(pl.col("value") != 0)
                .rename({"period": "counts_on"}).with_columns(noise_variance=pl.lit(0.0))
            ),
            VINTAGES.conform(vintages),
            self._reporting(day), self._lists(day), self._linkage(day, rng),
        )  # fmt: skip

    def vintages(self, day: int) -> pl.DataFrame:
        """VINTAGES and what is new (``new``), as known at the end of ``day``."""
        held = self._steps.filter(pl.col("known_at") <= self.date_of(day))
        return held.with_columns(value=pl.col("new").cum_sum().over(*_CELL, "outcome"))

    def truth(self, day: int) -> pl.DataFrame:
        """By cell (months): expected, overstays, still_here, unrecorded, and left in time or
        late with a record, sooner or later: as on ``day``.
        """
        c = self.country
        stays = c.changed == NEVER
        gone = c.left <= day
        return self._base.with_columns(
            expected=pl.lit(1),
            overstays=pl.Series(stays & c.late), still_here=pl.Series(stays & c.late & ~gone),
            unrecorded=pl.Series(stays & gone & ~c.seen),
            in_time=pl.Series(stays & gone & c.seen & ~c.late),
            late=pl.Series(stays & gone & c.seen & c.late),
        ).filter(pl.Series(c.until < day)).group_by(_CELL).agg(
            pl.col(TRUE).cast(pl.Int64).sum()
        )  # fmt: skip

    def _all_steps(self) -> pl.DataFrame:
        """When each stay enters an outcome and leaves it: a row with what is new on a day."""
        c = self.country
        close = np.minimum(np.where(c.seen, c.reported, NEVER), c.false_on)
        gone_on = np.where(c.seen & (c.reported <= c.false_on), c.left, c.false_on)
        late = gone_on > c.until
        over = c.until + 1
        settled = np.minimum(close, c.changed)
        place = np.arange(len(over))
        opened, shut = settled > over, settled < NEVER
        names = np.array([Outcome.DEPARTED_IN_TIME, Outcome.DEPARTED_LATE,
                          Outcome.STATUS_CHANGED])  # fmt: skip
        final = np.where(c.changed < close, 2, late.astype(np.int64))
        parts = [
            (place[opened], over[opened], np.full(opened.sum(), Outcome.NO_DEPARTURE_RECORDED), 1),
            (place[opened & shut], settled[opened & shut],
             np.full((opened & shut).sum(), Outcome.NO_DEPARTURE_RECORDED), -1),
            (place[shut], settled[shut], names[final[shut]], 1),
        ]  # fmt: skip
        rows = pl.concat(
            [
                self._base[stay].select(_CELL).with_columns(
                    known_at=_dates(day, c.world.start),
                    outcome=pl.Series([str(n) for n in name], dtype=pl.String),
                    new=pl.lit(sign, pl.Int64),
                )
                for stay, day, name, sign in parts
            ]
        )  # fmt: skip
        summed = rows.group_by("known_at", *_CELL, "outcome").agg(pl.col("new").sum())
        return summed.filter(pl.col("new") != 0).sort("known_at", *_CELL, "outcome")

    def _reporting(self, day: int) -> pl.DataFrame:
        c = self.country
        told = c.recorded & (c.reported <= day)
        frame = pl.DataFrame(
            {
                "source": pl.Series(MODES).gather(c.mode[told]) + " posts",
                "event_day": _dates(c.left[told], c.world.start),
                "delay_days": np.minimum(c.reported - c.left, 400)[told],
            }
        ).with_columns(direction=pl.lit(Direction.DEPARTURE.value))
        came = c.arrived <= day
        arrivals = pl.DataFrame(
            {
                "source": pl.Series(MODES).gather(c.mode[came]) + " posts",
                "event_day": _dates(c.arrived[came], c.world.start),
                "delay_days": np.zeros(came.sum(), dtype=np.int64),
            }
        ).with_columns(direction=pl.lit(Direction.ARRIVAL.value))
        key = list(REPORTING.key)
        return REPORTING.conform(
            pl.concat([frame, arrivals]).group_by(key).agg(pl.len().alias("records"))
        )

    def _lists(self, day: int) -> pl.DataFrame:
        c = self.country
        parts = []
        for direction, when, told in (
            (Direction.ARRIVAL, c.arrived, c.arrived <= day),
            (Direction.DEPARTURE, c.left, c.recorded & (c.reported <= day)),
        ):
            parts.append(
                pl.DataFrame(
                    {
                        "period": _dates(when[told], c.world.start).dt.truncate("1mo"),
                        "mode": pl.Series(MODES).gather(c.mode[told]),
                    }
                ).with_columns(direction=pl.lit(direction.value))
            )
        frame = pl.concat(parts).group_by("period", "direction", "mode").agg(value=pl.len())
        return LISTS.conform(
            frame.with_columns(
                in_border=pl.lit(value=True),
                in_carrier=pl.lit(value=False),
                booked=pl.lit(value=False),
            )
        )

    def _linkage(self, day: int, rng: np.random.Generator) -> pl.DataFrame:
        c = self.country
        came, closed = c.arrived <= day, known_by(c, day)
        right = c.seen & (c.reported <= day)
        ended = came & (c.until < day)
        again = came & (c.again <= day)
        gone_on = np.where(right, c.left, c.false_on)
        shut = again & closed & (gone_on <= c.again)
        counted = {
            What.ARRIVALS: came, What.ARRIVALS_LINKED: came & closed,
            What.ARRIVALS_ENDED: ended, What.ARRIVALS_ENDED_LINKED: ended & closed,
            What.ARRIVALS_RETURNED_ENDED: ended & again,
            What.ARRIVALS_RETURNED_LINKED: ended & again & closed,
            What.REENTRIES: again, What.REENTRIES_CLOSED: shut,
            What.DEPARTURES: came & c.recorded & (c.reported <= day),
            What.DEPARTURES_LINKED: came & closed,
            What.FOUND_BY_DOCUMENTS: right & c.by_documents,
            What.FOUND_BY_NAMES: right & c.by_names,
            What.FOUND_BY_BOTH: right & c.by_documents & c.by_names,
        }  # fmt: skip
        by_cell = self._base.with_columns(
            **{w.value: pl.Series(f) for w, f in counted.items()}
        ).group_by(period="came", stratum="stratum", mode="mode").agg(
            pl.col(*(w.value for w in counted)).cast(pl.Int64).sum()
        )  # fmt: skip
        long = by_cell.unpivot(
            index=["period", "stratum", "mode"], variable_name="what", value_name="value"
        )
        parts = [
            _grouped(long, Group.MODE_CLASS, pl.col("stratum")),
            _grouped(long, Group.MODE, pl.col("mode")), _grouped(long, Group.ALL, pl.lit("")),
            *self._by_return(again, shut), *self._timed(right, ended, closed, rng),
        ]  # fmt: skip
        summed = pl.concat(parts).group_by(list(LINKAGE_QUALITY.key)).agg(pl.col("value").sum())
        return LINKAGE_QUALITY.conform(summed).filter(pl.col("value") > 0)

    def _by_return(self, again: Flags, shut: Flags) -> list[pl.DataFrame]:
        c = self.country
        days = c.again - c.arrived
        out = []
        for low, high, name in RETURN_BANDS:
            of = again & (days >= low) & (days < high)
            out += _one(
                self._first(), Group.RETURN_AFTER, name,
                {What.REENTRIES: of.sum(), What.REENTRIES_CLOSED: (of & shut).sum()},
            )  # fmt: skip
        return out

    def _first(self) -> date:
        return self.country.world.start.replace(day=1)

    def _timed(
        self, right: Flags, ended: Flags, closed: Flags, rng: np.random.Generator
    ) -> list[pl.DataFrame]:
        """Links found twice by timing, and the trials in which arrivals were withheld."""
        c = self.country
        wrong = closed & ~right
        tried = int(WITHHELD_SHARE * right.sum()) + 1
        linked = int(rng.binomial(tried, c.world.false_chance))
        tardy = (wrong & (c.false_on > c.until)).sum() + 0.5
        late = int(rng.binomial(linked, tardy / (wrong.sum() + 1.0)))
        orphans = c.orphans * len(right[right]) // max(int(c.seen.sum()), 1)
        whole = {
            What.ARRIVALS_WITHHELD: tried, What.ARRIVALS_WITHHELD_LINKED: linked,
            What.DEPARTURES_WITHHELD: tried, What.DEPARTURES: orphans,
        }  # fmt: skip
        out = _one(self._first(), Group.ALL, "", whole)
        for at, mode in enumerate(MODES):
            share = float((c.mode[right] == at).mean()) if right.any() else 0.0
            out += _one(self._first(), Group.MODE, mode,
                        {w: round(n * share) for w, n in whole.items()})  # fmt: skip
        for name, of, number in (
            ("in time", right & ~c.late & ended, linked - late), ("late", right & c.late, late),
        ):  # fmt: skip
            out += _one(
                self._first(), Group.TIMING, name,
                {
                    What.FOUND_BY_DOCUMENTS: (of & c.by_documents).sum(),
                    What.FOUND_BY_NAMES: (of & c.by_names).sum(),
                    What.FOUND_BY_BOTH: (of & c.by_documents & c.by_names).sum(),
                    What.ARRIVALS_WITHHELD_LINKED: number,
                },
            )  # fmt: skip
        return out


def _dates(days: Days, start: date) -> pl.Series:
    first = (start - date(1970, 1, 1)).days
    return pl.Series(np.asarray(days, dtype=np.int64) + first).cast(pl.Int32).cast(pl.Date)


def _grouped(long: pl.DataFrame, kind: Group, name: pl.Expr) -> pl.DataFrame:
    return (
        long.group_by("period", name.alias("group_name"), "what").agg(pl.col("value").sum())
        .select("period", pl.lit(kind.value).alias("group_kind"), "group_name", "what", "value")
    )  # fmt: skip


def _one(period: date, kind: Group, name: str, numbers: dict[What, int]) -> list[pl.DataFrame]:
    rows: Sequence[tuple[date, str, str, str, int]] = [
        (period, kind.value, name, what.value, int(n)) for what, n in numbers.items()
    ]
    schema = ["period", "group_kind", "group_name", "what", "value"]
    return [pl.DataFrame(rows, schema=schema, orient="row")]
