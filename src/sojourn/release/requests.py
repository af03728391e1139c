"""What is asked of the gate: which days, which table, by whom. Values alone.

In: nothing. Out: ``Request`` for a release by the first method, ``CellKeyRequest`` by the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sojourn.release import store
from sojourn.vocabulary import Span


@dataclass(frozen=True)
class Request:
    """What is asked of the gate, and by whom."""

    through: date  # the last recorded day that goes in; over by now
    asked_by: str
    approved_by: str
    run: str  # which run of which Sojourn; never a batch
    policy_digest: str
    tables: tuple[str, ...] | None = None  # None: all of the policy's


@dataclass(frozen=True)
class CellKeyRequest:
    """One closed period of one table, by the second method."""

    table: str
    span: Span
    period: date
    asked_by: str
    approved_by: str
    run: str
    policy_digest: str

    @property
    def release_id(self) -> str:
        return f"{store.CELL_KEY}-{self.table}-{self.span.value}-{self.period.isoformat()}"
