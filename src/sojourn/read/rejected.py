"""Refused records, cut out of their file so that they can be mended and sent again.

In: the file and its REJECTS. Out: a file of the same format that holds only those records.
Identifying: mode 0600, at the edge, beside the original; nobody else ever sees it.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import polars as pl

from sojourn.read.raw import QUOTED_LINES

_LINE = re.compile(r"line (\d+)$")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_ROW = re.compile(r"row (\d+)$")


def write_rejected(path: Path, rejects: pl.DataFrame, out: Path) -> int:
    """Write the refused rows of a CSV, NDJSON or Parquet file to ``out``; returns how many.

    Positions that are no row (segments of a manifest) are left out: a manifest is mended whole.
    """
    positions = rejects["position"].to_list()
    rows = sorted({int(m.group(1)) for p in positions if (m := _ROW.search(p))})
    lines = sorted({int(m.group(1)) for p in positions if (m := _LINE.search(p))})
    data = _parquet_rows(path, rows) if rows else _text_lines(path, lines)
    # An older file keeps its mode when it is opened: close it to others before anything is in it.
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        file.write(data)
    return len(rows or lines)


def _parquet_rows(path: Path, rows: list[int]) -> bytes:
    buffer = io.BytesIO()
    pl.read_parquet(path)[[r - 1 for r in rows]].write_parquet(buffer)
    return buffer.getvalue()


def _text_lines(path: Path, lines: list[int]) -> bytes:
    """The lines at the positions, quoted line ends included, under the header where there is one.

    As they were sent, byte for byte; only UTF-16 becomes UTF-8.
    """
    data = path.read_bytes()
    if data.startswith(UTF_16):
        data = data.decode("utf-16", errors="replace").encode()
    held = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    start = next((i for i, line in enumerate(held) if line.strip()), 0)
    table = not held[start].lstrip().startswith(b"{")
    picked = [_record(held, start)] if table else []
    picked += [_record(held, line - 1) if table else held[line - 1] for line in lines]
    return b"\n".join(picked) + b"\n"


def _record(held: list[bytes], start: int) -> bytes:
    """One row with its quoted line ends; a quote that is never closed takes its line alone."""
    quotes = 0
    for at in range(start, min(start + QUOTED_LINES, len(held))):
        quotes += held[at].count(b'"')
        if quotes % 2 == 0:
            return b"\n".join(held[start : at + 1])
    return held[start]
