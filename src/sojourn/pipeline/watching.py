"""An inbox folder: files land, are taken in, and are gone again.

``<inbox>/<source>/<file>``. A file is handed over by renaming it into place: names that start
with a dot or end in .part or .tmp are left alone. After its commit a file is removed, or moved
to ``.returned/`` where policy says so, and ``.receipts/<digest>.json`` says that it was taken.
A file that cannot be read at all is moved to ``.refused/`` with a receipt that says why. Nothing
here remembers anything: what is committed is in the ledger, and a file found again after a
crash is known by its digest.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

import polars as pl
from watchfiles import watch

from sojourn.errors import LedgerError, SojournError
from sojourn.ledger import Receipt
from sojourn.pipeline.edge_files import meant_as_decoys
from sojourn.pipeline.intake import Delivered, Desk, Intake
from sojourn.pipeline.loading import encode_parts, read_decoys, read_parts
from sojourn.pipeline.measuring import refresh_with
from sojourn.pipeline.office import Office
from sojourn.policy import Originals
from sojourn.read import file_digest

log = logging.getLogger(__name__)
STILL_THERE = (
    "purged, but another process reads the ledger: deleted bytes are still in its files; "
    "run sojourn purge when it has ended"
)
RECEIPTS, RETURNED, REFUSED = ".receipts", ".returned", ".refused"
UNFINISHED = (".part", ".tmp")
UNFINISHED_SECONDS = 86_400
LOOK_MS = 50  # how long a burst of files is gathered before it is looked at
TOGETHER_RECORDS = 2_000  # files that wait share a commit up to so many records
LOOK_AGAIN_MS = 1000  # without news from the system, look anyway


@dataclass(frozen=True)
class Taken:
    """One file's fate: its receipts, or why it was refused."""

    digest: str
    source: str
    receipts: tuple[Receipt, ...]
    refusal: str | None


def watch_inbox(
    office: Office,
    stop: threading.Event,
    on_commit: Callable[[Taken], None] | None = None,
    *,
    inbox: Path | None = None,
) -> None:
    """Take files in as they land until ``stop`` is set. Blocks; one watcher per ledger.

    Cells are refreshed as often as policy says. Raises LedgerError where the ledger stays away.
    """
    inbox = inbox or office.inbox
    inbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    with Desk(office) as desk:
        refreshed = office.clock()
        purged = desk.ledger.purged_until()
        changed = True
        for _ in _ticks(inbox, stop):
            if purged != office.clock().date():
                purged = office.clock().date()
                if not desk.purge(purged).rewritten:
                    log.warning(STILL_THERE)
                sweep_unfinished(inbox, office.clock())
            desk.follow()  # a purge by another process has emptied the ledger, not this memory
            for taken in take_waiting(desk, office, inbox, stop):
                changed = True
                if on_commit:
                    on_commit(taken)
            due = (office.clock() - refreshed).total_seconds()
            if changed and due >= office.policy.measure.refresh_seconds:
                refresh_with(desk.ledger, office)
                refreshed, changed = office.clock(), False


def _ticks(inbox: Path, stop: threading.Event) -> Iterator[None]:
    """Now, then whenever something changes, and once a second in any case."""
    yield None
    for _ in watch(
        inbox, stop_event=stop, debounce=LOOK_MS, step=10, rust_timeout=LOOK_AGAIN_MS,
        yield_on_timeout=True, raise_interrupt=False,
    ):  # fmt: skip
        yield None


def sweep_unfinished(inbox: Path, now: datetime) -> int:
    """Remove hand-overs that were begun a day ago or longer and never finished."""
    removed = 0
    for folder in [inbox, *_sources(inbox)]:
        for path in folder.iterdir():
            begun = path.name.startswith(".") or path.suffix in UNFINISHED
            if not (begun and path.is_file()):
                continue
            if now.timestamp() - path.stat().st_mtime > UNFINISHED_SECONDS:
                path.unlink(missing_ok=True)
                removed += 1
    return removed


def take_waiting(
    desk: Desk, office: Office, inbox: Path, stop: threading.Event | None = None
) -> Iterator[Taken]:
    """Take in every file that waits now, oldest first; small ones together, in one commit."""
    together: list[_Prepared] = []
    for path in waiting_files(inbox):
        if stop is not None and stop.is_set():
            break
        if meant_as_decoys(path):
            yield from _commit(desk, office, inbox, together)
            together = []
            yield from _ask(desk, office, inbox, path)
            continue
        prepared = _prepare(office, path, inbox)
        if isinstance(prepared, Taken):
            yield prepared
            continue
        if prepared is None:
            continue
        if together and not _fits(together, prepared):
            yield from _commit(desk, office, inbox, together)
            together = []
        together.append(prepared)
    yield from _commit(desk, office, inbox, together)


def _ask(desk: Desk, office: Office, inbox: Path, path: Path) -> Iterator[Taken]:
    """One file of an edge's decoys: asked for, counted, and gone like any other."""
    source = None if path.parent == inbox else path.parent.name
    digest, refusal = "", None
    receipts: list[Receipt] = []
    try:
        digest = file_digest(path)
        for asked in read_decoys(path, source=source):
            receipts.append(desk.ask(asked))
    except FileNotFoundError:
        return
    except LedgerError:
        raise
    except SojournError as error:
        log.warning("file %s refused: %s", digest[:12], type(error).__name__)
        refusal = str(error)
    yield _finish(office, inbox, path, Taken(digest, source or "", tuple(receipts), refusal))


@dataclass(frozen=True)
class _Prepared:
    """A file that waits: its first part is read; further parts, where there are any, are not."""

    path: Path
    source: str
    digest: str
    first: tuple[Delivered | Intake, ...]  # empty where the file holds nothing
    rest: Iterator[Delivered | Intake]


def _prepare(office: Office, path: Path, inbox: Path) -> _Prepared | Taken | None:
    source = None if path.parent == inbox else path.parent.name
    digest = ""
    try:
        digest = file_digest(path)
        parts = read_parts(office, path, source=source)
        return _Prepared(path, source or "", digest, tuple(islice(parts, 1)), parts)
    except FileNotFoundError:
        return None
    except LedgerError:
        raise
    except SojournError as error:
        log.warning("file %s refused: %s", digest[:12], type(error).__name__)
        return _refuse(path, inbox, Taken(digest, source or "", (), str(error)))


def _fits(together: list[_Prepared], further: _Prepared) -> bool:
    """Few records in all, and none twice: a correction wants a commit of its own."""
    parts = [part for p in (*together, further) for part in p.first]
    names = [_names(part) for part in parts]
    if sum(n.len() for n in names) > TOGETHER_RECORDS:
        return False
    return not (names and pl.concat(names).is_duplicated().any())


def _names(part: Delivered | Intake) -> pl.Series:
    """What tells a part's records apart: source and id, or the reference made of them."""
    if isinstance(part, Intake):
        return part.encodings["crossing_ref"].bin.encode("hex")
    held = part.reading.crossings
    return held.select(pl.concat_str("source", "crossing_id", separator="\x1f")).to_series()


def _commit(desk: Desk, office: Office, inbox: Path, together: list[_Prepared]) -> Iterator[Taken]:
    parts = [part for prepared in together for part in prepared.first]
    receipts = iter(desk.take_together(encode_parts(parts, office)) if parts else ())
    for prepared in together:
        mine = list(islice(receipts, len(prepared.first)))
        refusal = None
        try:
            mine += [desk.take(encode_parts([part], office)[0]) for part in prepared.rest]
        except LedgerError:
            raise
        except SojournError as error:
            refusal = f"after {len(mine)} parts: {error}"
        taken = Taken(prepared.digest, prepared.source, tuple(mine), refusal)
        yield _finish(office, inbox, prepared.path, taken)


def _finish(office: Office, inbox: Path, path: Path, taken: Taken) -> Taken:
    if taken.refusal is not None:
        return _refuse(path, inbox, taken)
    _write_receipt(inbox, taken)
    if office.policy.feeds.originals == Originals.RETURN:
        _move(path, inbox / RETURNED)
    else:
        path.unlink(missing_ok=True)
    return taken


def waiting_files(inbox: Path) -> list[Path]:
    """Files in the inbox and its sources' folders that are handed over, oldest first.

    Decoys come last: they are asked for once the records that wait with them are in.
    """
    found = []
    for entry in [*inbox.iterdir(), *(p for d in _sources(inbox) for p in d.iterdir())]:
        hidden = entry.name.startswith(".") or entry.suffix in UNFINISHED
        try:
            if not hidden and entry.is_file():
                age = entry.stat().st_mtime_ns
                found.append((meant_as_decoys(entry), age, entry.name, entry))
        except FileNotFoundError:
            continue
    return [path for *_, path in sorted(found)]


def _sources(inbox: Path) -> list[Path]:
    return [d for d in inbox.iterdir() if d.is_dir() and not d.name.startswith(".")]


def _refuse(path: Path, inbox: Path, taken: Taken) -> Taken:
    _write_receipt(inbox, taken)
    _move(path, inbox / REFUSED)
    return taken


def _move(path: Path, folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    path.replace(folder / path.name)


def _write_receipt(inbox: Path, taken: Taken) -> None:
    """Says that a file was taken, never what was found in it."""
    folder = inbox / RECEIPTS
    folder.mkdir(mode=0o700, exist_ok=True)
    said = {
        "digest": taken.digest,
        "taken": taken.refusal is None,
        "parts": len(taken.receipts),
        "records": sum(r.records for r in taken.receipts),
        "rejects": sum(r.rejects for r in taken.receipts),
        "refusal": taken.refusal,
    }
    fresh = folder / f".{taken.digest}.tmp"
    fresh.write_text(json.dumps(said), "utf-8")
    fresh.replace(folder / f"{taken.digest}.json")
