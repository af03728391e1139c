"""The demo's policy: the default one, with a release that suits so small a country.

At epsilon 1 the noise of a day would be larger than the day: a few dozen invented travellers.
Totals and re-entries get more of the budget than by default, so that an overstay rate can be told.
"""

from __future__ import annotations

import re
from importlib.resources import files

from sojourn.simulate.people import CUSTOMS

EPSILON = "8.0"
FIRST_MONTHS = "9"


def demo_policy() -> str:
    """TOML, to be laid into a demo's home as policy.toml."""
    text = files("sojourn").joinpath("policies/default.toml").read_text("utf-8")
    nations = sorted({custom.nationality for custom in CUSTOMS})
    listed = ", ".join(f'"{nation}"' for nation in nations)
    for setting, value in (
        ("epsilon_per_year", EPSILON), ("first_months", FIRST_MONTHS),
        ("nationalities", f"[{listed}]"), ("table_shares", "[0.25, 0.2, 0.25]"),
        ("span_shares", "[0.3, 0.7]"), ("reentry_share", "0.3"),
    ):  # fmt: skip
        text, found = re.subn(rf"(?m)^{setting} = .*$", f"{setting} = {value}", text)
        if found != 1:
            raise RuntimeError(f"the default policy has no setting {setting}")
    return f"# Of a demo: its people are invented, and so few that it spends more.\n{text}"
