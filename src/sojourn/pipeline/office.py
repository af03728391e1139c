"""Where an installation's things are: policy, keys, weights, ledger, inbox.

In: a home folder. Out: an ``Office``, frozen; everything else takes it as an argument. The
home holds keys/, inbox/, statistics.sqlite3 (unless a PostgreSQL address is given), policy.toml
(where the office decided its own), weights.npz (where ``sojourn adapt`` fitted the table).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sojourn.encode import FileKeyProvider, KeyProvider
from sojourn.ledger import Ledger
from sojourn.ledger.engine import check_begun
from sojourn.link import WeightTable, check_weights, load_weights
from sojourn.measure import assign_outcomes
from sojourn.policy import Policy, load_own_policy

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Office:
    home: Path
    policy: Policy
    keys: KeyProvider
    weights: WeightTable
    statistics_url: str
    clock: Clock

    @property
    def inbox(self) -> Path:
        return self.home / "inbox"

    def open_ledger(self) -> Ledger:
        return Ledger.open(self.statistics_url, self.policy.ledger, self.clock, assign_outcomes)


def key_file(home: Path) -> Path:
    return home / "keys" / "sojourn.key"


def own_ledger(home: Path) -> str:
    """The address of an office's ledger where no other is given."""
    return f"sqlite:///{home.resolve() / 'statistics.sqlite3'}"


def weights_file(home: Path) -> Path:
    return home / "weights.npz"


def find_office(home: Path, *, statistics_url: str | None = None) -> Office:
    """An office that has begun its ledger: for whoever asks it, or changes what is there.

    Where it has not, nothing is made, so that a wrong address is not an empty answer. Raises
    LedgerError then, else as ``open_office`` does.
    """
    check_begun(statistics_url or own_ledger(home))
    return open_office(home, statistics_url=statistics_url)


def open_office(
    home: Path,
    *,
    statistics_url: str | None = None,
    policy: Policy | None = None,
    keys: KeyProvider | None = None,
    weights: WeightTable | None = None,
    clock: Clock = utc_now,
) -> Office:
    """Bring an office's parts together and check that they fit. Its ledger may begin with it.

    Raises KeyProviderError without a key file (``sojourn keys new``), PolicyError, LinkageError.
    """
    home = home.resolve()
    policy = policy or load_own_policy(home)
    fitted = weights_file(home)
    weights = weights or load_weights(fitted if fitted.exists() else None)
    check_weights(weights, policy.encode.digest)
    keys = keys or FileKeyProvider(key_file(home))
    (home / "inbox").mkdir(parents=True, exist_ok=True, mode=0o700)
    return Office(home, policy, keys, weights, statistics_url or own_ledger(home), clock)
