"""The whole ledger linked again in bulk, and put right where the live path decided otherwise.

What the live path could not know (a better pair that came later, a report that arrived after
its crossing was closed, an ambiguity that has gone) is seen here. The difference is appended as
``link_withdrawn``, ``report_separated``, ``report_merged`` and ``link_asserted``. Status changes
that wait are then asked among all stays, open and closed.

Reports are read block by block in time order, and linked as a long history is (``link.blocks``):
memory follows the open stays, not the ledger. A ledger that fits one block is linked at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from sojourn.errors import OvertakenError
from sojourn.ledger import Batch, Delivery, Ledger, Turn
from sojourn.ledger.store import HELD
from sojourn.link import BlockLinker
from sojourn.pipeline.events import link_events, merge_events, status_events
from sojourn.pipeline.history import ROWS_AT_ONCE
from sojourn.pipeline.office import Office
from sojourn.pipeline.overtaken import LINK, MERGE, Changes, still_true
from sojourn.pipeline.spool import in_blocks
from sojourn.pipeline.waiting_changes import FOUND_LATER, NearStays
from sojourn.schemas import (
    ENCODINGS,
    REJECTS,
    STATUS_ENCODINGS,
    Direction,
    EventKind,
)

SOURCE = "reconcile"
TURNS = 20  # so often is it tried between the commits of others


@dataclass(frozen=True)
class Reconciled:
    reports: int
    asserted: int
    withdrawn: int
    merged: int
    separated: int
    met: int = 0  # status changes that waited and have found their stay


def reconcile(
    office: Office,
    *,
    rows_at_once: int = ROWS_AT_ONCE,
    progress: Callable[[int], None] = lambda _: None,
) -> Reconciled:
    """Link everything before its horizon in bulk and append what differs. Idempotent.

    ``rows_at_once``: reports of a block. ``progress`` gets how many are linked so far.
    """
    with office.open_ledger() as ledger:
        return reconcile_with(ledger, office, rows_at_once=rows_at_once, progress=progress)


def reconcile_with(
    ledger: Ledger,
    office: Office,
    *,
    rows_at_once: int = ROWS_AT_ONCE,
    progress: Callable[[int], None] = lambda _: None,
) -> Reconciled:
    reports, mark = 0, ledger.mark()
    linker = BlockLinker(office.weights, office.policy.linkage, office.policy.digest)
    links, merges = _Difference(LINK), _Difference(MERGE)
    near = NearStays(STATUS_ENCODINGS.conform(ledger.waiting_changes()))
    blocks = in_blocks(ledger.weeks(), rows_at_once)
    for weeks, _ in blocks:
        block = [_read(ledger, weeks[0], weeks[-1] + 1)]
        reports += block[0].height
        links.holds(_held_links(block[0]))
        merges.holds(_held_merges(block[0]))
        near.look(block[0])
        block[0] = block[0].select(ENCODINGS.names)
        settled = linker.take(block.pop(), last=weeks == blocks[-1][0])
        links.finds(settled.linked.links)
        merges.finds(settled.linked.merges)
        near.settle(settled.linked)
        progress(reports)
    changes = Changes(links.found, links.held, merges.found, merges.held)
    told = near.told(ledger, office)
    changes, told = _append_in_turn(ledger, office, mark, changes, told)
    return Reconciled(
        reports, changes.asserted.height, changes.withdrawn.height,
        changes.merged.height, changes.separated.height, told.height,
    )  # fmt: skip


def _read(ledger: Ledger, since: int, until: int) -> pl.DataFrame:
    """A question of its own for each block: nobody who writes waits until all are linked."""
    nobody = ENCODINGS.empty().with_columns(pl.lit(None, pl.Binary).alias(name) for name in HELD)
    return pl.concat([nobody, *ledger.all_reports(since, until)])


def _held_links(block: pl.DataFrame) -> pl.DataFrame:
    arrives = pl.col("direction") == Direction.ARRIVAL.value
    return block.filter(arrives & pl.col("partner_ref").is_not_null()).select(
        arrival_ref="crossing_ref", departure_ref="partner_ref"
    )


def _held_merges(block: pl.DataFrame) -> pl.DataFrame:
    return block.filter(pl.col("merged_into").is_not_null()).select(
        report_ref="crossing_ref", crossing_ref="merged_into"
    )


class _Difference:
    """Pairs that the ledger holds against pairs that are found, told apart as they come.

    A pair is found when both its reports were read, so what the ledger held of it came before.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self.held = pl.DataFrame(schema=dict.fromkeys(names, pl.Binary))  # and not found so far
        self._found = [self.held]

    @property
    def found(self) -> pl.DataFrame:
        """What the ledger does not hold."""
        return pl.concat(self._found)

    def holds(self, pairs: pl.DataFrame) -> None:
        self.held = pl.concat([self.held, pairs])

    def finds(self, pairs: pl.DataFrame) -> None:
        pairs = pairs.select(self._names)
        self._found.append(pairs.join(self.held, on=self._names, how="anti"))
        self.held = self.held.join(pairs, on=self._names, how="anti")


def _append_in_turn(
    ledger: Ledger, office: Office, mark: str, changes: Changes, told: pl.DataFrame
) -> tuple[Changes, pl.DataFrame]:
    """Append what differs; returns what of it was appended.

    Reading takes minutes in which a watcher may write: what that has overtaken is left to the next
    reconcile.
    """
    for _ in range(TURNS):
        try:
            _append(ledger, office, Turn(mark), changes, told)
        except OvertakenError:
            mark = ledger.mark()
            changes = still_true(changes, ledger.reports(changes.refs))
            waiting = ledger.waiting_changes().select("status_ref")
            told = told.join(waiting, on="status_ref", how="semi", maintain_order="left")
        else:
            return changes, told
    raise OvertakenError(
        "other processes write to the ledger without a pause: nothing was put right; reconcile "
        "when fewer records come in"
    )


def _append(
    ledger: Ledger, office: Office, turn: Turn, changes: Changes, told: pl.DataFrame
) -> None:
    now = office.clock()
    reports = ledger.reports(changes.refs)
    events = pl.concat(
        [
            link_events(changes.withdrawn, reports, EventKind.LINK_WITHDRAWN, now),
            merge_events(changes.separated, reports, EventKind.REPORT_SEPARATED, now),
            merge_events(changes.merged, reports, EventKind.REPORT_MERGED, now),
            link_events(changes.asserted, reports, EventKind.LINK_ASSERTED, now),
            status_events(told, now),
        ]
    )
    if not events.height:
        return
    digest = hashlib.sha256(f"{SOURCE} {now.isoformat()} {turn.leaves}".encode()).hexdigest()
    ledger.append(
        Batch(
            deliveries=(Delivery(digest, SOURCE, now, 0, REJECTS.empty()),),
            encodings=ENCODINGS.empty(),
            events=events,
            quality=_counted(told),
            met=told["status_ref"],
            turn=turn,
        )
    )


def _counted(told: pl.DataFrame) -> pl.DataFrame:
    """SOURCE_QUALITY of changes that have found their stay."""
    counted = told.group_by("source").agg(pl.len().cast(pl.Int64).alias("records"))
    return counted.select("source", issue=pl.lit(FOUND_LATER), records="records")
