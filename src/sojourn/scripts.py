"""The script of a nationality: what its names were first written in.

In: a nationality (ICAO 9303 alpha-3). Out: a four-letter code of ISO 15924, that of the state's
main official language. Latin where nothing else is said: of states, and of codes that are no
state's. It groups figures; it says nothing of a person, and no link depends on it.
"""

from __future__ import annotations

from types import MappingProxyType

LATIN = "Latn"
_STATES = {
    "Arab": "AFG ARE BHR DZA EGY IRN IRQ JOR KWT LBN LBY MAR MRT OMN PAK PSE QAT SAU SDN SYR TUN "
            "YEM",
    "Armn": "ARM",
    "Beng": "BGD",
    "Cyrl": "BGR BLR KAZ KGZ MKD MNG RUS SRB TJK UKR",
    "Deva": "IND NPL",
    "Ethi": "ERI ETH",
    "Geor": "GEO",
    "Grek": "CYP GRC",
    "Hans": "CHN",
    "Hant": "HKG MAC TWN",
    "Hebr": "ISR",
    "Jpan": "JPN",
    "Khmr": "KHM",
    "Kore": "KOR PRK",
    "Laoo": "LAO",
    "Mymr": "MMR",
    "Sinh": "LKA",
    "Thaa": "MDV",
    "Thai": "THA",
    "Tibt": "BTN",
}  # fmt: skip
SCRIPTS = MappingProxyType(
    {state: script for script, states in _STATES.items() for state in states.split()}
)


def script_of(nationality: str) -> str:
    """ISO 15924 code of a nationality's script; LATIN where the table has none."""
    return SCRIPTS.get(nationality, LATIN)
