"""One batch, from checked records to committed events. The live path and bulk loads share it.

A ``Desk`` is the one writer of a ledger: it holds the open stays in memory, turns what a source
sent into events and commits them with everything that belongs to them in one transaction.
Repeats change nothing; a record that differs from the one held corrects it; a withdrawal takes
it back and sets its partner free.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import TracebackType

import polars as pl

from sojourn.encode import Purpose, encodable, encode_status
from sojourn.encode.keys import epoch_start
from sojourn.errors import OvertakenError
from sojourn.ledger import Batch, Delivery, Ledger, Purged, Receipt, Turn
from sojourn.link import Decision, LiveLinker
from sojourn.pipeline.corrections import Sorted, sort_reports
from sojourn.pipeline.events import link_events, merge_events, report_events, status_events
from sojourn.pipeline.measuring import purge_with
from sojourn.pipeline.office import Office
from sojourn.pipeline.probing import ask_decoys, encode_with_decoys
from sojourn.pipeline.waiting_changes import Changes, Placed
from sojourn.read import Reading
from sojourn.schemas import (
    DECOYS,
    ENCODINGS,
    LINKAGE_QUALITY,
    REJECTS,
    SOURCE_QUALITY,
    STATUS_ENCODINGS,
    Direction,
    EventKind,
)

TOO_OLD = "key_destroyed"
OLD_STAYS = "stays_of_destroyed_epoch"  # departures that cannot be keyed as such stays were
TURNS = 5  # so often is a batch decided anew where others write
LINKING = "linking"  # whose quality rows are about pairs, not about one source


@dataclass(frozen=True)
class Asked:
    """DECOYS that an edge made, a file of them or a part of one: counted, never taken in."""

    digest: str
    source: str
    decoys: pl.DataFrame


@dataclass(frozen=True)
class Intake:
    """What one source handed over, encoded: at the edge or just now."""

    digest: str  # of the file, or of the part of it: the same digest is taken in once
    source: str
    encodings: pl.DataFrame
    status_encodings: pl.DataFrame
    rejects: pl.DataFrame
    quality: pl.DataFrame
    decoys: pl.DataFrame = field(default_factory=DECOYS.empty)  # gone with the batch

    @property
    def records(self) -> int:
        return self.encodings.height + self.status_encodings.height

    def delivered(self, now: datetime) -> Delivery:
        return Delivery(self.digest, self.source, now, self.records, self.rejects)


class Desk:
    """Takes batches in. One per ledger; not shared between threads. A context manager."""

    def __init__(self, office: Office, ledger: Ledger | None = None) -> None:
        self._office = office
        self.ledger = ledger or office.open_ledger()
        self._seen = self.ledger.mark()
        self._linker = self._restored()
        self._changes = Changes(office, self.ledger)
        self._probed: tuple[pl.DataFrame, ...] = ()  # counts that the next commit takes along

    def __enter__(self) -> Desk:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._probed and error is None:
                self.ledger.add_linkage(pl.concat(self._probed))
                self._probed = ()
        finally:
            self.ledger.close()

    @property
    def open_reports(self) -> int:
        return self._linker.index.reports

    def follow(self) -> None:
        """Where another process has written, memory holds what the ledger holds now."""
        if self.ledger.mark() != self._seen:
            self._restore()

    def _restore(self) -> None:
        self._seen = self.ledger.mark()  # before the rows: what comes in between is seen later
        self._linker = self._restored()
        self._changes.restore()

    def _restored(self) -> LiveLinker:
        office = self._office
        linker = LiveLinker(office.weights, office.policy.linkage, office.policy.digest)
        kept = timedelta(days=office.policy.linkage.merge_retention_days)
        linker.restore(self.ledger.open_reports(office.clock() - kept))
        return linker

    def purge(self, today: date) -> Purged:
        """The horizon, in the ledger and in memory."""
        done = purge_with(self.ledger, self._office, today)
        self.follow()
        return done

    def take(self, intake: Intake, *, as_recorded: bool = False) -> Receipt:
        """Link and commit one intake. The same digest again changes nothing."""
        return self.take_together([intake], as_recorded=as_recorded)[0]

    def take_together(
        self, intakes: Sequence[Intake], *, as_recorded: bool = False
    ) -> tuple[Receipt, ...]:
        """Link and commit intakes in one transaction, a receipt for each.

        ``as_recorded``: history; events are dated by what the records say, not by the clock.
        """
        done = {i.digest: self.ledger.committed(i.digest) for i in intakes}
        waiting = [i for i in intakes if done[i.digest] is None]
        if waiting:
            made = self._in_turn(waiting, None if as_recorded else self._office.clock())
            done |= {receipt.digest: receipt for receipt in made}
        return tuple(r for i in intakes if (r := done[i.digest]) is not None)

    def ask(self, asked: Asked) -> Receipt:
        """Ask an edge's decoys among the open stays and keep the counts, once for each digest."""
        if done := self.ledger.committed(asked.digest):
            return done
        self.follow()
        counts = pl.concat([*self._probed, ask_decoys(asked.decoys, self._linker)])
        now = self._office.clock()
        delivery = Delivery(asked.digest, asked.source, now, 0, REJECTS.empty())
        receipt = self.ledger.count_decoys(delivery, counts)
        self._probed = ()
        return receipt

    def _in_turn(self, intakes: Sequence[Intake], at: datetime | None) -> tuple[Receipt, ...]:
        """Decide anew where another process wrote between the look and the commit."""
        for _ in range(TURNS - 1):
            self.follow()
            with suppress(OvertakenError):
                return self._take(intakes, at)
        self.follow()
        return self._take(intakes, at)

    def _take(self, intakes: Sequence[Intake], at: datetime | None) -> tuple[Receipt, ...]:
        now = at or self._office.clock()
        turn = Turn(self._seen)
        encodings = pl.concat([i.encodings for i in intakes])
        changes = pl.concat([i.status_encodings for i in intakes])
        sorted_ = sort_reports(encodings, self.ledger)
        undone = self._undo_events(sorted_, at)
        asked = pl.concat([sorted_.fresh, sorted_.asked_again])
        self._reopen(sorted_)
        decision = self._linker.decide(asked)
        try:
            times = self._with_others(pl.concat([asked, sorted_.known]), decision)
            placed = self._changes.place(
                changes, asked, self._linker, lambda: _ending(decision, times)
            )
            events = pl.concat(
                [undone, _found_events(sorted_, decision, times, at),
                 status_events(placed.told, at)]
            )  # fmt: skip
            receipts = self.ledger.append(
                Batch(
                    deliveries=tuple(i.delivered(now) for i in intakes),
                    encodings=pl.concat([sorted_.fresh, sorted_.corrected]),
                    events=events,
                    quality=_with_counts(
                        [i.quality for i in intakes], sorted_, decision, asked, placed
                    ),
                    linkage=pl.concat([LINKAGE_QUALITY.empty(), *self._probed]),
                    waiting=placed.waiting,
                    met=placed.met,
                    turn=turn,
                )
            )
        except BaseException:
            # What is in memory no longer agrees with the ledger: start from the ledger again.
            self._restore()
            raise
        self._seen = turn.leaves
        self._probed = ()  # the commit took them
        self._linker.settle(decision)
        self._changes.settle(placed)
        self._linker.forget_closed(now)
        self._probed = tuple(ask_decoys(i.decoys, self._linker) for i in intakes if i.decoys.height)
        return receipts

    def _undo_events(self, sorted_: Sorted, at: datetime | None) -> pl.DataFrame:
        """Links and merges that corrections and withdrawals take back; then those themselves.

        A correction that turns an arrival into a departure is a withdrawal and a new report: a
        corrected event names no direction.
        """
        was = sorted_.known.select("crossing_ref", was="direction")
        held = sorted_.corrected.join(was, on="crossing_ref", how="left", maintain_order="left")
        turns = held["direction"] != held["was"]
        turned, corrected = sorted_.corrected.filter(turns), sorted_.corrected.filter(~turns)
        return pl.concat(
            [
                link_events(sorted_.unlinked, sorted_.known, EventKind.LINK_WITHDRAWN, at),
                merge_events(sorted_.separated, sorted_.known, EventKind.REPORT_SEPARATED, at),
                report_events(corrected, at, EventKind.CROSSING_CORRECTED),
                report_events(pl.concat([sorted_.withdrawn, turned]), at,
                              EventKind.CROSSING_WITHDRAWN),
                report_events(turned, at),
            ]
        )  # fmt: skip

    def _reopen(self, sorted_: Sorted) -> None:
        """Memory follows: changed reports go out, the partners they leave come back in."""
        gone = pl.concat(
            [sorted_.asked_again["crossing_ref"], sorted_.withdrawn["crossing_ref"],
             sorted_.freed["crossing_ref"]]
        )  # fmt: skip
        if gone.len():
            self._linker.forget(gone)

    def _with_others(self, known: pl.DataFrame, decision: Decision) -> pl.DataFrame:
        """``known`` and the reports that are not of this batch but were linked because of it.

        A new report can strengthen a crossing that was only booked, and so link two older ones.
        """
        links, merges = decision.linked.links, decision.linked.merges
        ends = [links["arrival_ref"], links["departure_ref"], *merges.get_columns()]
        refs = pl.concat([e.alias("ref") for e in ends]).unique()
        others = refs.filter(~refs.is_in(known["crossing_ref"].implode()))
        if not others.len():
            return known
        return pl.concat([known, self.ledger.reports(others).select(ENCODINGS.names)])


def _found_events(
    sorted_: Sorted, decision: Decision, times: pl.DataFrame, at: datetime | None
) -> pl.DataFrame:
    """``times``: ENCODINGS of whatever was merged or linked."""
    found = decision.linked
    return pl.concat(
        [
            report_events(sorted_.fresh, at),
            merge_events(found.merges, times, EventKind.REPORT_MERGED, at),
            link_events(found.links, times, EventKind.LINK_ASSERTED, at),
        ]
    )


def _ending(decision: Decision, known: pl.DataFrame) -> pl.DataFrame:
    """arrival_ref and left (date) of the stays that a decision closes."""
    days = known.select(departure_ref="crossing_ref", left="local_date").unique("departure_ref")
    links = decision.linked.links.select("arrival_ref", "departure_ref")
    return links.join(days, on="departure_ref", how="inner").select("arrival_ref", "left")


def _too_old(digest: str, count: int) -> pl.DataFrame:
    return REJECTS.conform(
        pl.DataFrame(
            {
                "file_digest": [digest] * count,
                "position": ["not told: the record is older than the correction window"] * count,
                "reason": [TOO_OLD] * count,
                "expected": ["a record within the correction window of the policy"] * count,
            },
            schema=REJECTS.schema,
        )
    )


def _with_counts(
    quality: Sequence[pl.DataFrame], sorted_: Sorted, decision: Decision, asked: pl.DataFrame,
    placed: Placed,
) -> pl.DataFrame:  # fmt: skip
    """The sources' quality rows, with what became of their records here."""
    found = {
        "repeated": sorted_.repeated,
        "corrected": sorted_.corrected,
        "withdrawn": sorted_.withdrawn,
        "withdrawal_of_unknown": sorted_.unknown_withdrawals,
        "without_usable_key": asked.filter(pl.col("match_keys").list.len() == 0),
    }
    told = [*found.items(), *placed.issues.items()]
    counts = [
        frame.group_by("source").agg(pl.len().cast(pl.Int64).alias("records"))
        .select("source", issue=pl.lit(issue), records="records")
        for issue, frame in told if frame.height
    ]  # fmt: skip
    pairs = {"pairs_capped": decision.linked.capped, "ambiguous_waiting": decision.linked.waiting}
    rows = [(LINKING, issue, n) for issue, n in pairs.items() if n]
    counts.append(pl.DataFrame(rows, schema=SOURCE_QUALITY.schema, orient="row"))
    return (
        pl.concat([*quality, *counts])
        .group_by("source", "issue", maintain_order=True)
        .agg(pl.col("records").sum())
        .select(SOURCE_QUALITY.names)
    )


@dataclass(frozen=True)
class Delivered:
    """What one file, or one part of one, held: read, not yet encoded."""

    digest: str
    source: str
    reading: Reading


def encode_readings(delivered: Sequence[Delivered], office: Office) -> list[Intake]:
    """What was read, encoded in one go; records whose key is destroyed become rejects."""
    settings = office.policy.encode
    crossings = pl.concat([d.reading.crossings for d in delivered])
    changes = pl.concat([d.reading.status_changes for d in delivered])
    held = encodable(crossings["local_date"], office.keys, settings)
    kept = encodable(changes["effective_date"], office.keys, settings)
    real = crossings.filter(held)
    encodings, decoys = encode_with_decoys(real, delivered[0].digest, office.keys, settings)
    statuses = encode_status(changes.filter(kept), office.keys, settings)
    out: list[Intake] = []
    at, status_at, done, status_done = 0, 0, 0, 0
    for one in delivered:
        records, asked = one.reading.crossings.height, one.reading.status_changes.height
        n, m = int(held[at : at + records].sum()), int(kept[status_at : status_at + asked].sum())
        late = records - n + asked - m
        rejects = one.reading.rejects
        quality = pl.concat([one.reading.quality, _half_keyed(one.reading.crossings, office)])
        out.append(
            Intake(
                one.digest, one.source, encodings.slice(done, n), statuses.slice(status_done, m),
                pl.concat([rejects, _too_old(one.digest, late)]) if late else rejects,
                quality, DECOYS.empty() if out else decoys,
            )
        )  # fmt: skip
        at, status_at, done, status_done = (
            at + records,
            status_at + asked,
            done + n,
            status_done + m,
        )
    return out


def _half_keyed(crossings: pl.DataFrame, office: Office) -> pl.DataFrame:
    """SOURCE_QUALITY: departures that ended stays of an epoch whose key is destroyed, maybe.

    Early in an epoch departures are keyed under the one before as well. Where that key is gone,
    stays that began under it can no longer be found: that must not pass for nobody's departure.
    """
    first = office.keys.first_epoch(Purpose.MATCH)
    if first == 0:
        return SOURCE_QUALITY.empty()
    settings = office.policy.encode
    start = epoch_start(first, settings.epoch_days)
    until = start + timedelta(days=settings.overlap_days)
    day = pl.col("local_date")
    young = crossings.filter(
        (pl.col("direction") == Direction.DEPARTURE.value) & (day >= start) & (day < until)
    )
    counted = young.group_by("source", maintain_order=True).agg(records=pl.len().cast(pl.Int64))
    return counted.select("source", issue=pl.lit(OLD_STAYS), records="records")


def encoded_intake(
    digest: str, source: str, encodings: pl.DataFrame | None = None,
    status: pl.DataFrame | None = None,
) -> Intake:  # fmt: skip
    """An intake of encodings that an edge made elsewhere."""
    frame = ENCODINGS.empty() if encodings is None else encodings
    counted = frame["source"].value_counts().rename({"count": "records"})
    quality = counted.with_columns(issue=pl.lit("read"), records=pl.col("records").cast(pl.Int64))
    return Intake(
        digest,
        source,
        frame,
        STATUS_ENCODINGS.empty() if status is None else status,
        REJECTS.empty(),
        quality.select(SOURCE_QUALITY.names),
    )
