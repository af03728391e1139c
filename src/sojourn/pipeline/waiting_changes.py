"""Status changes and their stays: those that are open, those that are closed, and none yet.

In: STATUS_ENCODINGS of a batch, the open stays in memory, the ledger. Out: ``Placed``. A change
looks among the open stays and among those that were under way on its day and are closed by now:
the likeliest is its own. One that finds none waits in the ledger, and is asked again when an
arrival comes that shares a match key with it; a reconcile asks all that wait among all stays. In
which order an arrival, a departure and a change are told so decides nothing in the end.

Not covered: a change keeps the stay that it has found. Where a traveller's earlier stay never was
closed, and what is told later (a nearer arrival; a departure before the change's day) would have
made it another's, it stays where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from sojourn.ledger import Ledger
from sojourn.ledger.waiting import dies_on
from sojourn.link import Linked, LiveLinker
from sojourn.pipeline.office import Office
from sojourn.schemas import ENCODINGS, LINKS, MERGES, STATUS_ENCODINGS, Direction

# What a change says; the same again is a repeat. In the words of STATUS_ENCODINGS and of EVENTS.
_SAYS = {"kind": "status_kind", "effective_date": "local_date", "new_class": "admission_class",
         "new_authorised_until": "authorised_until"}  # fmt: skip
_FOUND = pl.Schema({"status_ref": pl.Binary, "arrival_ref": pl.Binary})
_LEFT = pl.Schema({"arrival_ref": pl.Binary, "left": pl.Date})
FOUND_LATER = "status_found_later"  # for SOURCE_QUALITY
TOLD = pl.Schema(
    {n: STATUS_ENCODINGS.schema[n] for n in STATUS_ENCODINGS.names} | {"arrival_ref": pl.Binary}
)


def _none() -> pl.DataFrame:
    return STATUS_ENCODINGS.empty()


@dataclass(frozen=True)
class Placed:
    """What becomes of a batch's changes, and of those that waited for one of its arrivals."""

    told: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TOLD))
    waiting: pl.DataFrame = field(default_factory=_none)  # STATUS_ENCODINGS
    met: pl.Series = field(default_factory=lambda: _none()["status_ref"])  # wait no more
    issues: Mapping[str, pl.DataFrame] = field(default_factory=dict)  # for SOURCE_QUALITY


NOTHING = Placed()


class Changes:
    """Places changes; holds those that wait, so that an arrival costs no question."""

    def __init__(self, office: Office, ledger: Ledger) -> None:
        self._office, self._ledger = office, ledger
        self.restore()

    def restore(self) -> None:
        """Hold what waits in the ledger."""
        self._hold(STATUS_ENCODINGS.conform(self._ledger.waiting_changes()))

    def _hold(self, waiting: pl.DataFrame) -> None:
        self._waiting = waiting
        self._keys = np.unique(waiting["match_keys"].explode(empty_as_null=False).to_numpy())
        latest = waiting["effective_date"].max()
        self._latest = latest if isinstance(latest, date) else date.min

    def settle(self, placed: Placed) -> None:
        """The ledger has it."""
        if placed.met.len() or placed.waiting.height:
            gone = pl.concat([placed.met, placed.waiting["status_ref"]])
            kept = self._waiting.filter(~pl.col("status_ref").is_in(gone.implode()))
            self._hold(pl.concat([kept, placed.waiting]))

    def place(
        self, changes: pl.DataFrame, asked: pl.DataFrame, linker: LiveLinker,
        ending: Callable[[], pl.DataFrame],
    ) -> Placed:  # fmt: skip
        """``asked``: reports that the linker has just been asked about, and holds as open.

        ``ending``: gives arrival_ref and left (date) of stays that this batch closes.
        """
        came = self._meeting(asked)
        if not changes.height and not came.height:
            return NOTHING
        last = changes["status_ref"].is_last_distinct()
        latest, repeated = changes.filter(last), changes.filter(~last)
        refs = pl.concat([latest["status_ref"], came["status_ref"]])
        before = self._ledger.told_changes(refs).select(
            status_ref="other_ref", arrival_ref="crossing_ref",
            **{f"was_{n}": pl.col(e) for n, e in _SAYS.items()},
        )  # fmt: skip
        again = latest.join(before, on="status_ref", how="inner", maintain_order="left")
        same = _same(again, "was_")
        waits = latest.join(before, on="status_ref", how="anti", maintain_order="left")
        waits, as_before = self._waits_already(waits)
        came = came.join(before, on="status_ref", how="anti", maintain_order="left").join(
            waits, on="status_ref", how="anti", maintain_order="left"
        )
        found = self._find(waits, came, linker, ending())
        parted = pl.concat([waits, came]).join(found, on="status_ref", how="left",
                                               maintain_order="left")  # fmt: skip
        told = pl.concat([parted.drop_nulls("arrival_ref"), again.filter(~same).select(list(TOLD))])
        alone = waits.join(found, on="status_ref", how="anti", maintain_order="left")
        past = self._past(alone)
        held = self._waiting.select("status_ref")
        return Placed(
            told.select(list(TOLD)),
            alone.filter(~past),
            # Corrected and past its horizon: the version that waits goes too.
            pl.concat([told.select("status_ref"), alone.filter(past).select("status_ref")]).join(
                held, on="status_ref", how="semi"
            )["status_ref"],
            {
                "repeated": pl.concat(
                    [f.select("source") for f in (repeated, again.filter(same), as_before)]
                ),
                "corrected": again.filter(~same),
                "status_waits": alone.filter(~past),
                FOUND_LATER: told.join(held, on="status_ref", how="semi"),
                "status_past_horizon": alone.filter(past),
            },
        )

    def _meeting(self, asked: pl.DataFrame) -> pl.DataFrame:
        """Of those that wait, whoever shares a key with an arrival of ``asked``."""
        if not self._keys.size:
            return _none()
        arrivals = asked.filter(
            (pl.col("direction") == Direction.ARRIVAL.value)
            & (pl.col("local_date") <= self._latest)
        )
        if not arrivals.height:
            return _none()
        keys = arrivals["match_keys"].explode(empty_as_null=False).to_numpy()
        place = np.minimum(np.searchsorted(self._keys, keys), self._keys.size - 1)
        shared = keys[self._keys[place] == keys]
        if not shared.size:
            return _none()
        return sharing(self._waiting, pl.Series(shared))

    def _waits_already(self, changes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Changes that are new or say something else, and those that wait as they are."""
        held = self._waiting.select(
            "status_ref", *(pl.col(n).alias(f"was_{n}") for n in (*_SAYS, "match_keys"))
        )
        both = changes.join(held, on="status_ref", how="inner", maintain_order="left")
        keys = both["match_keys"].ne_missing(both["was_match_keys"])
        as_before = both.filter(_same(both, "was_") & ~keys)
        return changes.join(
            as_before, on="status_ref", how="anti", maintain_order="left"
        ), as_before

    def _past(self, changes: pl.DataFrame) -> pl.Series:
        """Whose horizon is over: their stay's row is gone, or ought to be."""
        today = self._office.clock().date()
        return changes.select(dies_on(self._office.policy.ledger) <= today).to_series()

    def _find(
        self, fresh: pl.DataFrame, came: pl.DataFrame, linker: LiveLinker, ending: pl.DataFrame
    ) -> pl.DataFrame:
        """status_ref, arrival_ref of those that find a stay, open or closed.

        What waited was asked among the closed ones before.
        """
        both = pl.concat([fresh, came])
        if not both.height:
            return pl.DataFrame(schema=_FOUND)
        young = fresh.filter(~self._past(fresh))
        closed = self._closed(young)
        among = linker.index.open_stays() + closed.searched
        likely = linker.likely_stays(both, among=among)
        if closed.reports.height:
            office = self._office
            likely = pl.concat([likely, _likely_among(young, closed.reports, office, among)])
        return _nearest(likely, both, pl.concat([ending, closed.ended]))

    def _closed(self, changes: pl.DataFrame) -> _Closed:
        """Stays of the ledger that somebody has left since, and that share a key with a change."""
        since = changes["effective_date"].min()
        if not isinstance(since, date):
            return _Closed()
        keys = changes["match_keys"].explode(empty_as_null=False)
        searched, parts = 0, [pl.Series("crossing_ref", [], pl.Binary)]
        for frame in self._ledger.ended_stays(since):
            searched += frame.height
            parts.append(sharing(frame, keys)["crossing_ref"])
        refs = pl.concat(parts).unique()
        if not refs.len():
            return _Closed(searched)
        reports = self._ledger.together(refs)
        ends = reports.drop_nulls("partner_ref").select(
            "partner_ref", arrival_ref=pl.coalesce("merged_into", "crossing_ref")
        )
        left = self._ledger.reports(ends["partner_ref"]).select(
            partner_ref="crossing_ref", left="local_date"
        )
        ended = ends.join(left, on="partner_ref", how="inner").select(list(_LEFT))
        return _Closed(searched, reports, ended)


@dataclass(frozen=True)
class _Closed:
    """How many reports were looked through; those that share a key; when their stays ended."""

    searched: int = 0
    reports: pl.DataFrame = field(default_factory=pl.DataFrame)
    ended: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_LEFT))


class NearStays:
    """Stays that share a match key with a change that waits, gathered while all are linked anew.

    In: reports as they are read, links and merges as they are settled. A link and the merges of
    its crossings are settled together, after their reports were read.
    """

    def __init__(self, waiting: pl.DataFrame) -> None:
        self._waiting = waiting
        self._keys = waiting["match_keys"].explode(empty_as_null=False)
        self._near = pl.DataFrame(schema={"ref": pl.Binary})  # of arrivals' reports
        self._merges, self._links = [MERGES.empty()], [LINKS.empty()]
        self._searched = 0

    def look(self, reports: pl.DataFrame) -> None:
        """ENCODINGS."""
        if not self._waiting.height:
            return
        arrivals = reports.filter(pl.col("direction") == Direction.ARRIVAL.value)
        self._searched += arrivals.height
        self._near = pl.concat(
            [self._near, sharing(arrivals, self._keys).select(ref="crossing_ref")]
        )

    def settle(self, linked: Linked) -> None:
        if not self._near.height:
            return
        merges = linked.merges
        by = merges.join(self._near, left_on="report_ref", right_on="ref", how="semi")
        stands = pl.concat([self._near, by.select(ref="crossing_ref")])
        self._merges.append(merges.join(stands, left_on="crossing_ref", right_on="ref", how="semi"))
        self._links.append(
            linked.links.join(stands, left_on="arrival_ref", right_on="ref", how="semi")
        )

    def told(self, ledger: Ledger, office: Office) -> pl.DataFrame:
        """Changes that find their stay now: STATUS_ENCODINGS and ``arrival_ref``."""
        if not self._near.height:
            return pl.DataFrame(schema=TOLD)
        merges = pl.concat(self._merges).select("report_ref", merged_into="crossing_ref")
        links = pl.concat(self._links).select("arrival_ref", "departure_ref")
        refs = pl.concat([self._near["ref"], *(c.alias("ref") for c in merges.get_columns())])
        arrivals = ledger.reports(refs.unique()).drop("merged_into", "partner_ref")
        whole = arrivals.join(merges, left_on="crossing_ref", right_on="report_ref", how="left")
        left = ledger.reports(links["departure_ref"]).select(
            departure_ref="crossing_ref", left="local_date"
        )
        ended = links.join(left, on="departure_ref", how="inner").select(list(_LEFT))
        likely = _likely_among(self._waiting, whole, office, self._searched)
        found = _nearest(likely, self._waiting, ended)
        return self._waiting.join(found, on="status_ref", how="inner", maintain_order="left")


def _likely_among(
    changes: pl.DataFrame, reports: pl.DataFrame, office: Office, among: int
) -> pl.DataFrame:
    policy = office.policy
    linker = LiveLinker(office.weights, policy.linkage, policy.digest)
    nobody = pl.lit(None, pl.Binary)  # as if none had left
    held = reports.select(*ENCODINGS.names, "merged_into").with_columns(partner_ref=nobody)
    linker.restore([held])
    return linker.likely_stays(changes, among=among)


def _nearest(likely: pl.DataFrame, changes: pl.DataFrame, ended: pl.DataFrame) -> pl.DataFrame:
    """The likeliest stay of each change, of those that were not over before its day."""
    day = changes.select("status_ref", "effective_date")
    left = pl.col("left")
    return (
        likely.join(ended, on="arrival_ref", how="left")
        .join(day, on="status_ref", how="left")
        .filter(left.is_null() | (pl.col("effective_date") <= left))
        .sort(["weight", "gap", "arrival_ref"], descending=[True, False, False])
        .unique("status_ref", keep="first", maintain_order=True)
        .select(list(_FOUND))
    )


def sharing(frame: pl.DataFrame, keys: pl.Series) -> pl.DataFrame:
    """Rows that hold one of ``keys`` among their match_keys."""
    return frame.filter(_rows_sharing(frame["match_keys"], keys))


def _rows_sharing(lists: pl.Series, keys: pl.Series) -> pl.Series:
    held = pl.DataFrame({"key": lists}).with_row_index("row").explode("key")
    wanted = pl.DataFrame({"key": keys.cast(pl.UInt64)}).unique()
    rows = held.join(wanted, on="key", how="semi")["row"].unique()
    return pl.int_range(lists.len(), dtype=pl.UInt32, eager=True).is_in(rows.implode())


def _same(frame: pl.DataFrame, prefix: str) -> pl.Series:
    """Whether a change says what was said before."""
    out = pl.Series([True] * frame.height, dtype=pl.Boolean)
    for name in _SAYS:
        one, other = frame[name].cast(pl.String), frame[prefix + name].cast(pl.String)
        out &= one.eq_missing(other)
    return out
