"""The script in which a nationality's names are usually written, by ISO 15924 code.

In: an ICAO 9303 nationality. Out: a four-letter script code; Latn where no other is told here.
A stand-in: a fuller table may take its place.
"""

from __future__ import annotations

_SCRIPTS = {
    "Arab": "AFG ARE BHR DZA EGY IRN IRQ JOR KWT LBN LBY MAR OMN PAK PSE QAT SAU SDN SYR TUN YEM",
    "Cyrl": "BGR BLR KAZ KGZ MKD MNG RUS SRB TJK UKR",
    "Hani": "CHN HKG MAC TWN",
    "Jpan": "JPN",
    "Kore": "KOR PRK",
    "Thai": "THA",
    "Grek": "CYP GRC",
    "Hebr": "ISR",
    "Geor": "GEO",
    "Armn": "ARM",
    "Ethi": "ERI ETH",
    "Beng": "BGD",
    "Deva": "IND NPL",
}
_BY_NATIONALITY = {n: script for script, names in _SCRIPTS.items() for n in names.split()}


def script_of(nationality: str) -> str:
    """``"RUS"`` gives ``"Cyrl"``; nationalities that are not listed give ``"Latn"``."""
    return _BY_NATIONALITY.get(nationality, "Latn")
