"""Writers take turns: who decides from what a ledger held learns when it holds something else.

Every change of reports leaves a new mark. A writer says under which mark it decided and which it
leaves; where another has written in between, nothing is kept (``OvertakenError``), and the writer
looks again. So an office may be reconciled, purged and loaded while a watcher runs: no arrival
gets two departures, and what was destroyed stays in nobody's memory.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from sqlalchemy import Connection

from sojourn.errors import OvertakenError
from sojourn.ledger.engine import fetch
from sojourn.ledger.notes import note, noted

MARK = "reports_mark"


def _fresh() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True)
class Turn:
    """One writer's: the mark it has seen and the one it leaves."""

    seen: str
    leaves: str = field(default_factory=_fresh)


def read_mark(connection: Connection) -> str:
    """The mark of the reports as they are; a ledger that has none yet gets one."""
    found = noted(connection, MARK)
    return found if found is not None else leave_mark(connection)


def leave_mark(connection: Connection) -> str:
    """Reports change in this transaction, whatever they were."""
    mark = _fresh()
    note(connection, MARK, mark)
    return mark


def take_turn(connection: Connection, turn: Turn) -> None:
    """Reports change in this transaction, and others wait until it ends.

    Raises OvertakenError where they are not as ``turn`` has seen them.
    """
    rows = fetch(
        connection,
        "UPDATE facts SET value = ? WHERE name = ? AND value = ? RETURNING 1",
        (turn.leaves, MARK, turn.seen),
    )
    if not rows:
        raise OvertakenError(
            "another process has written to the ledger meanwhile: nothing was kept; try again"
        )
