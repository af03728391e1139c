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

_LINE = re.compile(r"line (\d+)$")
_ROW = re.compile(r"row (\d+)$")


def write_rejected(path: Path, rejects: pl.DataFrame, out: Path) -> int:
    """Write the refused rows of a CSV, NDJSON or Parquet file to ``out``; returns how many.

    Positions that are no row (segments of a manifest) are left out: a manifest is mended whole.
    """
    positions = rejects["position"].to_list()
    rows = sorted({int(m.group(1)) for p in positions if (m := _ROW.search(p))})
    lines = sorted({int(m.group(1)) for p in positions if (m := _LINE.search(p))})
    if rows:
        data = _parquet_rows(path, rows)
    else:
        data = _text_lines(path, lines)
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return len(rows or lines)


def _parquet_rows(path: Path, rows: list[int]) -> bytes:
    buffer = io.BytesIO()
    pl.read_parquet(path)[[r - 1 for r in rows]].write_parquet(buffer)
    return buffer.getvalue()


def _text_lines(path: Path, lines: list[int]) -> bytes:
    """The lines at the positions, quoted line ends included, under the header where there is one."""
    held = path.read_bytes().split(b"\n")
    first = held[0].lstrip(b"\xef\xbb\xbf \t")
    picked = [] if first.startswith(b"{") else [held[0]]
    for line in lines:
        at = line - 1
        record = held[at]
        while record.count(b'"') % 2 and at + 1 < len(held) and at - line < 50:
            at += 1
            record += b"\n" + held[at]
        picked.append(record)
    return b"\n".join(picked) + b"\n"
