"""Ports: which country, which time zone.

In: an IATA code or a UN/LOCODE. Out: ISO 3166-1 alpha-2 and an IANA zone. From airportsdata; a
LOCODE that is no airport takes its country's commonest zone. Ports that the policy names as its
own come first. Unknown ports are no error: they get the policy's default zone and are counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import airportsdata

from sojourn.errors import PolicyError
from sojourn.policy import ReadPolicy


@dataclass(frozen=True)
class Port:
    code: str
    country: str | None  # ISO 3166-1 alpha-2
    zone: str
    known: bool


@lru_cache(maxsize=1)
def _airports() -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    """IATA to (country, zone); country to its commonest zone. Public facts, so cached."""
    by_code: dict[str, tuple[str, str]] = {}
    zones: dict[str, Counter[str]] = {}
    for code, airport in airportsdata.load("IATA").items():
        by_code[code] = (airport["country"], airport["tz"])
        zones.setdefault(airport["country"], Counter())[airport["tz"]] += 1
    return by_code, {c: z.most_common(1)[0][0] for c, z in zones.items()}


class PortDirectory:
    """Looks ports up under one policy."""

    def __init__(self, policy: ReadPolicy) -> None:
        self._policy = policy
        try:
            ZoneInfo(policy.default_time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise PolicyError(
                "read.default_time_zone: expected an IANA zone such as Europe/Lisbon"
            ) from None

    def find(self, code: str | None) -> Port:
        """A port by IATA code or UN/LOCODE; blanks and case do not matter."""
        policy = self._policy
        wanted = (code or "").strip().upper().replace(" ", "")
        if wanted in policy.own_ports:
            return Port(wanted, policy.country_code, policy.default_time_zone, known=True)
        airports, zones = _airports()
        if len(wanted) == 3 and wanted in airports:
            return Port(wanted, *airports[wanted], known=True)
        if len(wanted) == 5 and wanted[:2] == policy.country_code:
            own = zones.get(wanted[:2], policy.default_time_zone)
            return Port(wanted, wanted[:2], own, known=True)
        if len(wanted) == 5 and wanted[:2] in zones:
            country, place = wanted[:2], wanted[2:]
            airport = airports.get(place)
            zone = airport[1] if airport and airport[0] == country else zones[country]
            return Port(wanted, country, zone, known=True)
        return Port(wanted, None, policy.default_time_zone, known=False)

    def is_ours(self, code: str | None) -> bool:
        """Whether a port lies in the reporting country."""
        return self.find(code).country == self._policy.country_code
