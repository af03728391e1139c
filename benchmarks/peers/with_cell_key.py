"""The UK office's own cell key over given records, for a test that compares ours with it.

``python -m benchmarks.peers.with_cell_key RECORDS PTABLE THRESHOLD OUT [COLUMN...]``, in the peers'
environment. In: CSV of records (columns to cross, ``record_key``) and of a table of changes
(``pcv``, ``ckey``, ``pvalue``). Out: CSV of cells: the columns, ``pre_sdc_count``, ``ckey``,
``pvalue``, ``count`` (empty under the threshold).
"""

from __future__ import annotations

import sys

import pandas as pd
from cell_key_perturbation.create_perturbed_table import create_perturbed_table


def main(records: str, ptable: str, threshold: str, out: str, *columns: str) -> None:
    made = create_perturbed_table(
        data=pd.read_csv(records, dtype=dict.fromkeys(columns, str)),
        ptable=pd.read_csv(ptable), geog=[], tab_vars=list(columns), record_key="record_key",
        threshold=int(threshold),
    )  # fmt: skip
    made.to_csv(out, index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
