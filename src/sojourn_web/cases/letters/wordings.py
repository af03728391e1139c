"""The sentences of letters, by language: shipped ones, and those an office has had reviewed.

In: a language's code. Out: ``Phrases``, or None where there are none. Files beside this module
hold what ships; a ``Declaration`` with the purpose ``letter:<phrase>`` that is reviewed and not
retired comes before them, the newest first.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sojourn_web.cases.models import Declaration
from sojourn_web.cases.tongues import direction_of
from sojourn_web.cases.vocabulary import Wording

FOLDER = Path(__file__).parent
PREFIX = "letter:"
FALLBACK = "en"
# Languages of one wording: Dari is read in Persian letters and words.
SAME_AS = {"prs": "fa"}


@dataclass(frozen=True)
class Phrases:
    """``reviewed``: the phrases that somebody competent has looked at in this language."""

    language: str
    texts: Mapping[str, str]
    reviewed: frozenset[str]

    @property
    def direction(self) -> str:
        return direction_of(self.language)


def find_phrases(language: str) -> Phrases | None:
    """The phrases of ``language``; of its base where only that is there."""
    code = language.split("-", maxsplit=1)[0].lower()
    shipped = _read(SAME_AS.get(code, code))
    texts = dict(shipped.texts) if shipped else {}
    reviewed = set(shipped.reviewed) if shipped else set()
    own = Declaration.objects.filter(
        purpose__startswith=PREFIX, language=code, state=Wording.REVIEWED, retired_at=None
    ).order_by("version")
    for row in own:
        name = row.purpose.removeprefix(PREFIX)
        texts[name] = row.text
        reviewed.add(name)
    if set(texts) < set(phrase_names()):
        return None
    return Phrases(code, texts, frozenset(reviewed))


def phrase_names() -> tuple[str, ...]:
    found = _read(FALLBACK)
    return tuple(found.texts) if found else ()


def shipped_languages() -> tuple[str, ...]:
    return tuple(sorted(p.stem for p in FOLDER.glob("*.toml")))


@lru_cache
def _read(code: str) -> Phrases | None:
    if code not in shipped_languages():
        return None
    held = tomllib.loads((FOLDER / f"{code}.toml").read_text("utf-8"))
    texts = held["phrases"]
    is_reviewed = held["state"] == Wording.REVIEWED
    return Phrases(code, texts, frozenset(texts) if is_reviewed else frozenset())
