"""What an office decides, as frozen parameters read from versioned TOML, with a digest.

In: a TOML file (or nothing: the default policy that ships). Out: a ``Policy``.
Raises PolicyError that names the setting, what was expected and what exists.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from sojourn.errors import PolicyError
from sojourn.schemas import KeyKind

POLICY_VERSION = 1


class Originals(StrEnum):
    """What becomes of a source file once its batch is committed."""

    REMOVE = "remove"
    RETURN = "return"


@dataclass(frozen=True)
class ReadPolicy:
    reporting_country: str
    country_code: str
    own_ports: tuple[str, ...]
    default_time_zone: str
    earliest_year: int
    future_hours: int
    max_record_bytes: int


@dataclass(frozen=True)
class EncodePolicy:
    kinds: tuple[str, ...]
    max_name_tokens: int
    epoch_days: int
    overlap_days: int
    reference_epoch_days: int

    @property
    def key_kinds(self) -> tuple[KeyKind, ...]:
        return tuple(KeyKind[k] for k in self.kinds)

    @property
    def digest(self) -> str:
        """Of what decides which keys a record has; a weight table belongs to one such digest."""
        return digest_of({"kinds": self.kinds, "max_name_tokens": self.max_name_tokens})


@dataclass(frozen=True)
class LinkagePolicy:
    threshold_log2_odds: float
    ambiguity_log2_odds: float
    max_stay_days: int
    candidates_per_key: int
    merge_hours: int
    merge_retention_days: int


@dataclass(frozen=True)
class LedgerPolicy:
    horizon_months: int
    open_ended_months: int
    correction_days: int


@dataclass(frozen=True)
class MeasurePolicy:
    smallest_cell: int
    refresh_seconds: int


@dataclass(frozen=True)
class EstimatePolicy:
    draws: int
    least_reentries: int
    settled_months: int
    unlike_odds: float
    year_begins: int
    retired_sources: tuple[str, ...]

    @property
    def settled_days(self) -> int:
        return round(self.settled_months * 30.4375)


@dataclass(frozen=True)
class FeedPolicy:
    originals: str


@dataclass(frozen=True)
class ReleasePolicy:
    """What leaves, under which privacy loss. Lists of one kind have one entry for each table."""

    epsilon_per_year: float
    tables: tuple[str, ...]
    table_dimensions: tuple[str, ...]
    table_spans: tuple[str, ...]
    table_shares: tuple[float, ...]
    spans: tuple[str, ...]
    span_shares: tuple[float, ...]
    max_contributions: int
    max_corrections: int
    reentry_share: float
    reentry_contributions: int
    reentry_days: int
    day_ages: tuple[int, ...]
    month_ages: tuple[int, ...]
    first_days: int
    first_months: int
    nationalities: tuple[str, ...]
    admission_classes: tuple[str, ...]
    cell_key_tables: tuple[str, ...]
    cell_key_dimensions: tuple[str, ...]
    cell_key_threshold: int
    cell_key_reach: int

    @property
    def digest(self) -> str:
        return digest_of(asdict(self))


@dataclass(frozen=True)
class Policy:
    version: int
    read: ReadPolicy
    encode: EncodePolicy
    linkage: LinkagePolicy
    ledger: LedgerPolicy
    measure: MeasurePolicy
    estimate: EstimatePolicy
    feeds: FeedPolicy
    release: ReleasePolicy

    @property
    def digest(self) -> str:
        """SHA-256 (hex, 16 digits) of the canonical JSON: same settings, same digest."""
        return digest_of(asdict(self))


def digest_of(settings: dict[str, Any]) -> str:
    canonical = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


_SECTIONS: dict[str, type[Any]] = {
    "read": ReadPolicy,
    "encode": EncodePolicy,
    "linkage": LinkagePolicy,
    "ledger": LedgerPolicy,
    "measure": MeasurePolicy,
    "estimate": EstimatePolicy,
    "feeds": FeedPolicy,
    "release": ReleasePolicy,
}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "int": int,
    "float": (int, float),
    "str": str,
    "tuple[str, ...]": list,
    "tuple[int, ...]": list,
    "tuple[float, ...]": list,
}
_ELEMENTS: dict[str, type | tuple[type, ...]] = {
    "tuple[str, ...]": str,
    "tuple[int, ...]": int,
    "tuple[float, ...]": (int, float),
}


def load_policy(path: Path | None = None) -> Policy:
    """Read a policy; without a path, the default that ships with Sojourn."""
    if path is None:
        text = files("sojourn").joinpath("policies/default.toml").read_text("utf-8")
        return build_policy(text, "the default policy")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"policy file {path}: expected readable UTF-8 TOML ({error})") from None
    return build_policy(text, str(path))


def load_own_policy(home: Path) -> Policy:
    """The policy of an office's home folder, or the default where it decided none of its own."""
    own = home / "policy.toml"
    return load_policy(own if own.exists() else None)


def build_policy(text: str, where: str) -> Policy:
    """Check every setting of a TOML text; unknown and missing ones are errors."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{where}: not TOML: {error}") from None
    if raw.get("version") != POLICY_VERSION:
        raise PolicyError(f"{where}: expected version = {POLICY_VERSION}; see the default policy")
    _refuse_unknown(where, set(raw) - {"version"}, set(_SECTIONS))
    sections = {n: _section(where, n, raw.get(n)) for n in _SECTIONS}
    policy = Policy(version=POLICY_VERSION, **sections)
    _check_values(where, policy)
    return policy


S = TypeVar("S")


def _section(where: str, name: str, raw: object) -> Any:
    cls = _SECTIONS[name]
    if not isinstance(raw, dict):
        raise PolicyError(f"{where}: section [{name}] is missing")
    known = {f.name: str(f.type) for f in fields(cls)}
    _refuse_unknown(f"{where} [{name}]", set(raw), set(known))
    values: dict[str, Any] = {}
    for setting, type_name in known.items():
        found: Any = raw.get(setting)
        if found is None:
            raise PolicyError(f"{where} [{name}]: {setting} is missing (a {type_name})")
        if not isinstance(found, _TYPES[type_name]) or isinstance(found, bool):
            raise PolicyError(
                f"{where} [{name}]: {setting}: expected {type_name}, found {type(found).__name__}"
            )
        if isinstance(found, list) and not all(
            isinstance(e, _ELEMENTS[type_name]) and not isinstance(e, bool) for e in found
        ):
            raise PolicyError(f"{where} [{name}]: {setting}: expected {type_name} throughout")
        if type_name == "float":
            found = float(str(found))
        if type_name == "tuple[float, ...]":
            found = [float(str(e)) for e in found]
        values[setting] = tuple(found) if isinstance(found, list) else found
    return cls(**values)


def _refuse_unknown(where: str, found: set[str], known: set[str]) -> None:
    if unknown := sorted(found - known):
        raise PolicyError(
            f"{where}: unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}"
        )


def _check_values(where: str, policy: Policy) -> None:
    kinds = {k.name for k in KeyKind}
    _refuse_unknown(f"{where} [encode] kinds", set(policy.encode.kinds), kinds)
    if not policy.encode.kinds or len(set(policy.encode.kinds)) < len(policy.encode.kinds):
        raise PolicyError(
            f"{where} [encode]: kinds: expected at least one and none twice: "
            "without match keys nothing is ever linked"
        )
    if policy.feeds.originals not in set(Originals):
        raise PolicyError(f"{where} [feeds]: originals: expected remove or return")
    positive = {
        "encode.max_name_tokens": policy.encode.max_name_tokens,
        "encode.epoch_days": policy.encode.epoch_days,
        "encode.reference_epoch_days": policy.encode.reference_epoch_days,
        "linkage.max_stay_days": policy.linkage.max_stay_days,
        "linkage.candidates_per_key": policy.linkage.candidates_per_key,
        "ledger.horizon_months": policy.ledger.horizon_months,
        "measure.smallest_cell": policy.measure.smallest_cell,
        "estimate.least_reentries": policy.estimate.least_reentries,
        "estimate.settled_months": policy.estimate.settled_months,
        "estimate.unlike_odds": policy.estimate.unlike_odds,
    }
    for setting, value in positive.items():
        if value < 1:
            raise PolicyError(f"{where}: {setting}: expected at least 1, found {value}")
    if policy.measure.smallest_cell < SMALLEST_CELL_FLOOR:
        raise PolicyError(
            f"{where}: measure.smallest_cell: expected {SMALLEST_CELL_FLOOR} or more: "
            "smaller cells could show a person"
        )
    _check_release(f"{where} [release]", policy.release)
    if not 1 <= policy.estimate.year_begins <= 12:
        raise PolicyError(f"{where}: estimate.year_begins: expected a month, 1 to 12")
    if policy.estimate.draws < FEWEST_DRAWS:
        raise PolicyError(
            f"{where}: estimate.draws: expected {FEWEST_DRAWS} or more, found "
            f"{policy.estimate.draws}: an interval is read off its draws' ends"
        )


def _check_release(where: str, release: ReleasePolicy) -> None:
    """Refuse a policy that asks for more than the budget, or says one thing twice."""
    tables, spans = release.tables, release.spans
    lengths = {
        "table_dimensions": (release.table_dimensions, tables),
        "table_spans": (release.table_spans, tables),
        "table_shares": (release.table_shares, tables),
        "span_shares": (release.span_shares, spans),
        "cell_key_dimensions": (release.cell_key_dimensions, release.cell_key_tables),
    }
    for setting, (found, wanted) in lengths.items():
        if len(found) != len(wanted):
            raise PolicyError(f"{where}: {setting}: expected {len(wanted)} entries")
    named = (*tables, *release.cell_key_tables)
    if not tables or not spans or len(set(named)) < len(named) or len(set(spans)) < len(spans):
        raise PolicyError(f"{where}: expected at least one table and one span, none named twice")
    _refuse_unknown(f"{where} spans", set(spans), set(RELEASE_SPANS))
    kept = [tuple(d.split()) for d in (*release.table_dimensions, *release.cell_key_dimensions)]
    _refuse_unknown(f"{where} dimensions", {n for d in kept for n in d}, set(RELEASE_DIMENSIONS))
    if len({frozenset(d) for d in kept}) < len(kept):
        raise PolicyError(f"{where}: two tables have the same dimensions: one would average both")
    for entry in release.table_spans:
        _refuse_unknown(f"{where} table_spans", set(entry.split()), set(spans))
    if not all(entry.split() for entry in release.table_spans):
        raise PolicyError(f"{where}: table_spans: expected a span for each table")
    if reserved := set(named) & set(OWN_TABLES):
        raise PolicyError(
            f"{where}: {', '.join(sorted(reserved))}: names of tables that a release makes itself"
        )
    again = Fraction(str(release.reentry_share))
    for setting, more in (("table_shares", again), ("span_shares", Fraction(0))):
        shares: tuple[float, ...] = getattr(release, setting)
        if min(shares) <= 0 or more < 0 or more + sum(Fraction(str(s)) for s in shares) > 1:
            raise PolicyError(
                f"{where}: {setting}: expected shares above 0 that add up to 1 at most"
                f"{', reentry_share among them' if setting == 'table_shares' else ''}: "
                "more would overspend the budget"
            )
    _check_bounds(where, release)


def _check_bounds(where: str, release: ReleasePolicy) -> None:
    if not 0 < release.epsilon_per_year <= EPSILON_CEILING:
        raise PolicyError(f"{where}: epsilon_per_year: expected more than 0, {EPSILON_CEILING} "
                          "at most")  # fmt: skip
    least = 4 + 4 * release.max_corrections
    if release.max_corrections < 0 or release.max_contributions < least:
        raise PolicyError(
            f"{where}: max_contributions: expected {least} or more: a stay adds four events, and "
            "its arrival and its departure two for each correction"
        )
    if release.reentry_contributions < REENTRY_BOUND or release.reentry_days < 0:
        raise PolicyError(
            f"{where}: reentry_contributions: expected {REENTRY_BOUND} or more: without a stay one "
            "re-entry is gone and one changes its cell; reentry_days: expected 0 or more"
        )
    for setting in ("day_ages", "month_ages"):
        ages: tuple[int, ...] = getattr(release, setting)
        if not ages or ages[0] < 0 or list(ages) != sorted(set(ages)):
            raise PolicyError(f"{where}: {setting}: expected days from 0 on, each later")
    if min(release.first_days, release.first_months) < 1:
        raise PolicyError(f"{where}: first_days, first_months: expected at least 1")
    for setting in ("admission_classes", "nationalities"):
        words: tuple[str, ...] = getattr(release, setting)
        if len(set(words)) < len(words) or {"", "other", "unknown"} & set(words):
            raise PolicyError(f"{where}: {setting}: expected names, none twice; 'other' and "
                              "'unknown' are added")  # fmt: skip
    if release.cell_key_threshold < SMALLEST_CELL_FLOOR or not 1 <= release.cell_key_reach <= 9:
        raise PolicyError(f"{where}: cell_key_threshold: expected {SMALLEST_CELL_FLOOR} or more; "
                          "cell_key_reach: expected 1 to 9")  # fmt: skip


SMALLEST_CELL_FLOOR = 10
FEWEST_DRAWS = 100
EPSILON_CEILING = 8.0  # above it, the promise to a person means little
REENTRY_BOUND = 3  # src/sojourn/release/proof.md
OWN_TABLES = ("reentries", "estimates")
RELEASE_SPANS = ("day", "month")
RELEASE_DIMENSIONS = ("nationality", "mode", "admission_class")
