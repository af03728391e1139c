"""What a reconcile found, and what of it still holds where others have written meanwhile.

In: the changes it found, and the reports they are about as the ledger holds them now. Out: the
changes that can be appended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from sojourn.ledger.store import HELD

LINK = ("arrival_ref", "departure_ref")
MERGE = ("report_ref", "crossing_ref")

Pair = tuple[bytes, bytes]


@dataclass(frozen=True)
class Changes:
    """Pairs of references: LINK and MERGE."""

    asserted: pl.DataFrame
    withdrawn: pl.DataFrame
    merged: pl.DataFrame
    separated: pl.DataFrame

    @property
    def kinds(self) -> tuple[pl.DataFrame, ...]:
        return self.asserted, self.withdrawn, self.merged, self.separated

    @property
    def refs(self) -> pl.Series:
        """Every report that one is about, once."""
        ends = [c.alias("ref") for pairs in self.kinds for c in pairs.get_columns()]
        return pl.concat(ends).unique()


def still_true(changes: Changes, now: pl.DataFrame) -> Changes:
    """The changes that hold for ``now``: ENCODINGS with merged_into and partner_ref.

    One that does not hold takes with it all that share a report with it, and so on: half of them
    would leave a traveller without the link that they had.
    """
    held: Held = {
        ref: (into, partner) for ref, into, partner in now.select("crossing_ref", *HELD).iter_rows()
    }
    asserted, withdrawn, merged, separated = (
        [(one, other) for one, other in pairs.iter_rows()] for pairs in changes.kinds
    )
    parted = {*withdrawn, *((d, a) for a, d in withdrawn)}
    apart = set(separated)
    overtaken = {
        *(p for p in withdrawn if held.get(p[0], _GONE)[1] != p[1]),
        *(p for p in separated if held.get(p[0], _GONE)[0] != p[1]),
        *(p for p in asserted if not all(_is_free(end, held, parted, apart) for end in p)),
        *(p for p in merged if not all(_stands(end, held, apart) for end in p)),
        *(p for p in merged if not _is_free(p[0], held, parted, apart)),
    }
    lost = _together({ref for pair in overtaken for ref in pair},
                     [*asserted, *withdrawn, *merged, *separated])  # fmt: skip
    gone = pl.Series(sorted(lost), dtype=pl.Binary).implode()
    return Changes(*(p.filter(~pl.col(p.columns[0]).is_in(gone)) for p in changes.kinds))


Held = dict[bytes, tuple[bytes | None, bytes | None]]
_GONE = (b"", b"")  # a report that is there no more stands with nobody who is


def _stands(ref: bytes, held: Held, apart: set[Pair]) -> bool:
    into = held.get(ref, _GONE)[0]
    return into is None or (ref, into) in apart


def _is_free(ref: bytes, held: Held, parted: set[Pair], apart: set[Pair]) -> bool:
    """Can it take a partner: it stands for itself and has none, once the others are undone?"""
    partner = held.get(ref, _GONE)[1]
    return _stands(ref, held, apart) and (partner is None or (ref, partner) in parted)


def _together(refs: set[bytes], pairs: Iterable[Pair]) -> set[bytes]:
    """``refs`` and all that pairs lead to from them."""
    beside: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for one, other in pairs:
        beside[one].append(other)
        beside[other].append(one)
    found, ahead = set(refs), list(refs)
    while ahead:
        for ref in beside[ahead.pop()]:
            if ref not in found:
                found.add(ref)
                ahead.append(ref)
    return found
