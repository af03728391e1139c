"""What happened, appended; what is known, folded from it; what must not outlive its horizon.

In: batches of events with their encodings. Out: STAYS at any day, totals, what the live path
needs to start again. ``tables`` is the schema, ``store`` the one door, ``fold`` the meaning,
``projection`` the present kept ready, ``horizon`` the end.
"""

from sojourn.ledger.fold import build_stays, count_totals, fold_stays, replay
from sojourn.ledger.horizon import Purged
from sojourn.ledger.store import Batch, Delivery, Ledger, Receipt
from sojourn.ledger.turns import Turn

__all__ = [
    "Batch",
    "Delivery",
    "Ledger",
    "Purged",
    "Receipt",
    "Turn",
    "build_stays",
    "count_totals",
    "fold_stays",
    "replay",
]
