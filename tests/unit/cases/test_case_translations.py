"""Catalogues: every phrase of the person's pages, the same placeholders, marked as drafts."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from sojourn_web.cases.applicant.catalogues import (
    DRAFT,
    PAGES,
    all_catalogues,
    catalogue_of,
    phrases,
    places,
    read,
)
from sojourn_web.cases.applicant.languages import all_languages

CODES = [c for c, _ in settings.LANGUAGES if c != "en"]


@pytest.mark.parametrize("code", CODES)
def test_every_phrase_is_in_the_catalogue_with_the_same_placeholders(code: str) -> None:
    known = read(catalogue_of(code))
    wanted = phrases()
    assert list(known) == wanted  # else: python tools/refresh_catalogues.py
    for phrase, translated in known.items():
        assert translated, phrase
        assert places(translated) == places(phrase), phrase
        assert "<" not in translated
    assert DRAFT in catalogue_of(code).read_text("utf-8").splitlines()[0]


def test_each_language_has_a_catalogue_and_english_alone_is_reviewed() -> None:
    assert {code for code, _ in all_catalogues()} == set(CODES)
    assert [x.code for x in all_languages() if x.reviewed] == ["en"]
    assert {x.code for x in all_languages() if x.right_to_left} == {"ar", "fa", "ps", "ckb"}


def test_no_words_of_a_page_stand_outside_the_catalogue() -> None:
    """Between tags there is text only where it is said by ``say``, or the same in all languages."""
    import re

    for path in sorted(PAGES.glob("*.html")):
        text = Path(path).read_text("utf-8")
        text = re.sub(r"{%.*?%}|{{.*?}}", "", text)
        bare = re.sub(r"<[^>]*>", " ", text)
        left = set(re.findall(r"[A-Za-z]{2,}", bare)) - {"SYNTHETIC", "DATA", "English"}
        assert not left, f"{path.name}: {left}"
