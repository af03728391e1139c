"""How often another system may ask: so many requests in each minute (or hour) of the clock.

In: who asks, a rate such as ``120/m``, the moment. Out: seconds to wait; 0 where the request may go
on. Counted in this process's memory: with several server processes each counts for itself, and a
restart forgets. Windows are fixed, so that up to twice the rate may come around a window's end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import salted_hmac

from sojourn_web.cases.errors import CaseError

SECONDS = {"s": 1, "m": 60, "h": 3600}
RATE = re.compile(r"(\d{1,6})/([smh])")


@dataclass(frozen=True)
class Rate:
    times: int
    seconds: int


class TooManyError(CaseError):
    """``wait``: whole seconds until the next request may come."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"too many requests: wait {wait} seconds, then go on")
        self.wait = wait


def read_rate(text: str) -> Rate:
    """``120/m`` as a rate. Raises ImproperlyConfigured with what was expected."""
    found = RATE.fullmatch(text.strip())
    if found is None or int(found[1]) < 1:
        raise ImproperlyConfigured(
            "a rate: expected requests/unit such as 120/m, the unit one of s, m, h"
        )
    return Rate(int(found[1]), SECONDS[found[2]])


def count(what: str, who: str, rate: Rate, now: datetime) -> None:
    """One more of ``what`` by ``who``. Raises TooManyError where the window is full.

    ``what``: letters and dashes. ``who`` is kept as a keyed digest: an address or a
    token's id stands nowhere in clear.
    """
    moment = int(now.timestamp())
    window = moment // rate.seconds
    key = f"limit-{what}-{window}-{salted_hmac('sojourn.cases.limits', who).hexdigest()}"
    cache.add(key, 0, rate.seconds * 2)
    try:
        counted = cache.incr(key)
    except ValueError:  # it was dropped between the two lines
        return
    if counted > rate.times:
        raise TooManyError((window + 1) * rate.seconds - moment)
