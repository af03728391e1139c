"""All scripts, and their invented travellers: name after name, the same for the same seed."""

from __future__ import annotations

from random import Random

from benchmarks.names.arabic import ARABIC
from benchmarks.names.central_turkish import CENTRAL, TURKISH
from benchmarks.names.chinese import CANTONESE, MANDARIN
from benchmarks.names.germanic import DUTCH, GERMAN, NORDIC
from benchmarks.names.greek_hebrew_ethiopic import ETHIOPIC, GREEK, HEBREW
from benchmarks.names.korean_japanese import JAPANESE, KOREAN
from benchmarks.names.persian_indic import PERSIAN, SOUTH_ASIAN
from benchmarks.names.romance import PORTUGUESE, SPANISH
from benchmarks.names.slavic import BULGARIAN, RUSSIAN, UKRAINIAN
from benchmarks.names.southeast import INDONESIAN, VIETNAMESE
from benchmarks.names.spelling import Script, Written

SCRIPTS = (
    ARABIC, PERSIAN, SOUTH_ASIAN, RUSSIAN, UKRAINIAN, BULGARIAN, MANDARIN, CANTONESE, KOREAN,
    JAPANESE, VIETNAMESE, INDONESIAN, SPANISH, PORTUGUESE, DUTCH, GERMAN, NORDIC, CENTRAL, TURKISH,
    GREEK, HEBREW, ETHIOPIC,
)  # fmt: skip


def travellers(script: Script, count: int, seed: int) -> list[tuple[Written, ...]]:
    """``count`` invented travellers, each in all of the script's ways."""
    rng = Random(f"{script.name} {seed}")
    return [script.make(rng) for _ in range(count)]
