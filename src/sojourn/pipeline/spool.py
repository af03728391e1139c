"""A long history on disk, put into time order: in by parts, out by blocks.

In: encodings, part by part, in any order. Out: the same reports as blocks that follow each other in
time, none larger than asked for unless a single week is. A part is written once: a run that was
stopped goes on with the parts that are missing. Files hold encodings and no identity; they are the
caller's to remove (``clear``), and mode 0600.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import polars as pl

from sojourn.errors import LinkageError
from sojourn.ledger.store import WEEK
from sojourn.link import Carried

FILES_AT_ONCE = 16  # of a piece: a call for each of thousands of small files would take longer
_WEEKS, _PARTS, _STATE = "weeks", "parts", "settled"


class Spool:
    """A folder of one run, with all that belongs to it.

    ``purpose`` says under what it was begun; another is refused.
    """

    def __init__(self, folder: Path, purpose: str) -> None:
        self.folder = folder
        for name in (_WEEKS, _PARTS):
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        told = folder / "purpose"
        if told.exists() and told.read_text("utf-8") != purpose:
            raise LinkageError(
                f"{folder}: begun with other files, another policy or other weights; "
                "go on with those, or remove the folder"
            )
        _note(told, purpose)

    def has(self, part: str) -> int | None:
        """How many reports a part had, None where it is not written yet."""
        note = self.folder / _PARTS / part
        return int(note.read_text("utf-8")) if note.exists() else None

    def put(self, part: str, encodings: pl.DataFrame) -> None:
        """Write one part, week by week. The same part again replaces itself."""
        weeks = encodings.with_columns(
            week=pl.col("event_time").to_physical() // WEEK
        ).partition_by("week", as_dict=True, include_key=False, maintain_order=True)
        for (week,), reports in weeks.items():
            folder = self.folder / _WEEKS / str(week)
            folder.mkdir(exist_ok=True, mode=0o700)
            write_private(folder / f"{part}.{reports.height}.arrow", reports.write_ipc)
        _note(self.folder / _PARTS / part, str(encodings.height))

    def blocks(self, rows: int) -> Iterator[tuple[int, int, Iterator[pl.DataFrame], bool]]:
        """(the week after it, rows, pieces, whether it is the last) of each block.

        From the state on. Blocks follow each other in time; within one, pieces (ENCODINGS) come in
        any order, and are read when they are asked for.
        """
        blocks = in_blocks(self._left(), rows)
        for weeks, held in blocks:
            files = [f for week in weeks for f in self._files(week)]
            yield weeks[-1] + 1, held, _pieces(files), weeks == blocks[-1][0]

    def rows_left(self) -> int:
        return sum(size for _, size in self._left())

    def _left(self) -> list[tuple[int, int]]:
        """(week, reports) of the weeks that are not settled, in order."""
        weeks = sorted(int(d.name) for d in (self.folder / _WEEKS).iterdir())
        since = self.settled_until()
        return [(w, sum(_height(f) for f in self._files(w))) for w in weeks if w >= since]

    def _files(self, week: int) -> list[Path]:
        return sorted((self.folder / _WEEKS / str(week)).glob("*.arrow"))

    def rows(self) -> int:
        return sum(int(p.read_text("utf-8")) for p in (self.folder / _PARTS).glob("[!.]*"))

    def settled_until(self) -> int:
        """The first week that is not settled."""
        path = self.folder / _STATE
        return int(path.read_text("utf-8")) if path.exists() else -(1 << 40)

    def carried(self) -> Carried | None:
        """What the blocks before ``settled_until`` handed on; None before the first.

        Raises LinkageError where a state names a file that is not there.
        """
        if not (self.folder / _STATE).exists():
            return None
        path = self._carried(self.settled_until())
        if not path.exists():
            raise LinkageError(
                f"{self.folder}: expected {path.name}, found no such file; remove the folder, and "
                "begin again"
            )
        return Carried.read(path)

    def _carried(self, week: int) -> Path:
        return self.folder / f"carried-{week}.arrays"

    def settle(self, week: int, carried: Carried) -> None:
        """Everything before ``week`` is done with; ``carried`` is handed on.

        A stop at any point leaves the state before or the state after: a state names its file.
        """
        before = self._carried(self.settled_until())
        carried.write(self._carried(week))
        _note(self.folder / _STATE, str(week))
        before.unlink(missing_ok=True)
        for folder in (self.folder / _WEEKS).iterdir():
            if int(folder.name) < week:
                shutil.rmtree(folder)

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def in_blocks(weeks: Iterable[tuple[int, int]], rows: int) -> list[tuple[list[int], int]]:
    """(week, reports) in order, put together to blocks of ``rows`` at most, unless a single week
    is more: the weeks of each, and its reports. Calendar weeks, so that what goes moves no edge."""
    blocks: list[tuple[list[int], int]] = []
    for week, count in weeks:
        if blocks and blocks[-1][1] + count <= rows:
            together, held = blocks.pop()
            blocks.append(([*together, week], held + count))
        else:
            blocks.append(([week], count))
    return blocks


def _pieces(files: list[Path]) -> Iterator[pl.DataFrame]:
    for begun in range(0, len(files), FILES_AT_ONCE):
        yield pl.concat([pl.read_ipc(f) for f in files[begun : begun + FILES_AT_ONCE]])


def _height(path: Path) -> int:
    """Reports in a file: its name says how many, for there are thousands of files."""
    return int(path.name.split(".")[-2])


def write_private(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """A file of mode 0600 that is there whole or not at all."""
    fresh = path.with_name(f".{path.name}.tmp")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        fill(file)
    fresh.replace(path)


def _note(path: Path, text: str) -> None:
    write_private(path, lambda file: file.write(text.encode()))
