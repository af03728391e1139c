"""Whatever code an estimate gives as its reason, a printed report says it in words."""

from __future__ import annotations

import re
from pathlib import Path

from sojourn import reports
from sojourn.measure import noisy_estimates as released
from sojourn.reports.wording import OWN_WHY, WHY
from sojourn.schemas import FIGURES
from sojourn_web.figures.estimate_words import SHORT

# Of which pages are known to hold every one (tests/functional/web/test_web_estimates.py).
ESTIMATED = set(SHORT)
RELEASED = {released.TOO_NOISY, released.NO_REENTRIES, released.TOO_YOUNG, released.LOST}
SUPPRESSED = {"cell_key"}  # a method whose number may be empty


def test_reports_and_pages_have_words_for_the_same_codes() -> None:
    assert set(WHY) == ESTIMATED | RELEASED | SUPPRESSED | set(OWN_WHY)
    (method,) = [c for c in FIGURES.columns if c.name == "method"]
    assert all(code in method.note for code in RELEASED | SUPPRESSED)


def test_reports_have_words_for_the_codes_they_give_themselves() -> None:
    sources = Path(reports.__file__).parent.glob("*.py")
    given = {c for s in sources for c in re.findall(r'why="([a-z_]+)"', s.read_text("utf-8"))}
    assert "small_change" in given
    assert given <= set(WHY)


def test_words_are_words() -> None:
    """They stand alone, or after "widened:"."""
    for code, words in WHY.items():
        assert " " in words or words == "suppressed", code
        assert "_" not in words
        assert re.fullmatch(r"[a-z].*[a-z]", words)
