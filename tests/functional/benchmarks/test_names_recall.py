"""Names in many spellings: recall by script has a floor, its price a ceiling."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from benchmarks.names import measure
from benchmarks.names.material import SCRIPTS, travellers
from benchmarks.names.page import Figures, render
from benchmarks.names.spelling import Script

from sojourn.encode.names import to_mrz
from sojourn.encode.sounds import skeleton_of, tokens_of

SEED = 11
BY_NAME = {script.name: script for script in SCRIPTS}


@dataclass(frozen=True)
class Bounds:
    """Least recall (a sound with the date; tokens) and most collisions in 10,000 pairs."""

    sound: float
    tokens: float
    collisions: float


# A little under (over) what was measured: see docs/reference/names.md.
BOUNDS = {
    "Arabic": Bounds(0.96, 0.73, 60),
    "Persian and Dari": Bounds(0.95, 0.84, 60),
    "South Asian": Bounds(0.97, 0.92, 60),
    "Russian": Bounds(0.91, 0.74, 80),
    "Ukrainian": Bounds(0.90, 0.73, 85),
    "Bulgarian": Bounds(0.90, 0.73, 90),
    "Chinese (Mandarin)": Bounds(0.91, 0.63, 180),
    "Chinese (Cantonese)": Bounds(0.94, 0.65, 220),
    "Korean": Bounds(0.87, 0.54, 65),
    "Japanese": Bounds(0.94, 0.80, 115),
    "Vietnamese": Bounds(0.98, 0.78, 360),
    "Indonesian": Bounds(0.92, 0.85, 60),
    "Spanish": Bounds(0.99, 0.78, 40),
    "Portuguese": Bounds(0.99, 0.84, 35),
    "Dutch": Bounds(0.98, 0.78, 70),
    "German": Bounds(0.99, 0.97, 75),
    "Nordic": Bounds(0.99, 0.97, 55),
    "Central European": Bounds(0.92, 0.79, 70),
    "Turkish": Bounds(0.89, 0.68, 70),
    "Greek": Bounds(0.83, 0.59, 40),
    "Hebrew": Bounds(0.83, 0.63, 40),
    "Amharic and Tigrinya": Bounds(0.97, 0.85, 180),
}


@pytest.mark.parametrize("name", list(BY_NAME))
def test_spellings_of_one_name_meet_and_different_names_seldom(name: str) -> None:
    script, bounds = BY_NAME[name], BOUNDS[name]
    pairs = list(measure.spelling_pairs(script, SEED, 150))
    found = measure.recall(pairs, measure.skeleton_codes)
    paid = measure.price(measure.different_names(script, SEED, 600), measure.skeleton_codes)
    assert found.sound >= bounds.sound
    assert found.tokens >= bounds.tokens
    assert paid.collisions <= bounds.collisions


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.name)
def test_every_traveller_is_written_in_every_way_and_can_be_read(script: Script) -> None:
    for written in travellers(script, 50, SEED):
        assert len(written) == len(script.ways)
        for one in written:
            name = f"{to_mrz(one.surname)} {to_mrz(one.given_names)}"
            assert any(skeleton_of(t) for t in tokens_of(name, "")), script.name


def test_the_same_seed_makes_the_same_names() -> None:
    for script in SCRIPTS:
        assert travellers(script, 5, 3) == travellers(script, 5, 3)
        assert travellers(script, 5, 3) != travellers(script, 5, 4)


def test_the_sound_that_recall_counts_is_the_encoders_own_key() -> None:
    for script in (BY_NAME["Arabic"], BY_NAME["Korean"], BY_NAME["Dutch"]):
        pairs = list(measure.spelling_pairs(script, SEED, 40))
        sound, either = measure.recall_of_keys(pairs)
        assert sound == pytest.approx(measure.recall(pairs, measure.skeleton_codes).sound)
        assert either >= sound


def test_price_counts_pairs_that_share_a_code() -> None:
    paid = measure.price(["AB", "AC", "BA", "BC"], lambda name: (name[0],))
    assert paid.collisions == pytest.approx(1e4 * 2 / 6)
    assert paid.distinct == pytest.approx(500)


def test_a_coder_that_gives_several_codes_pays_once_for_a_pair() -> None:
    paid = measure.price(["AB", "BA"], lambda name: tuple(name))
    assert paid.collisions == pytest.approx(1e4)


def test_a_library_that_is_not_there_is_said_to_be_so() -> None:
    row = Figures(
        "Somewhere", measure.Recall(2, 0.5, 0.25), 0.5, 0.5, measure.Price(10, 3, 900),
        {"Soundex": (measure.Recall(2, 0.4, 0.2), measure.Price(10, 5, 700))},
    )  # fmt: skip
    page = render([row], {"Soundex": "a library 1.0"}, ["Metaphone"], "the command", 1)
    assert "| Somewhere | 0.500 · 0.250 · 3 | 0.400 · 0.200 · 5 | not installed |" in page
    assert "Not installed, so not measured: Metaphone." in page
