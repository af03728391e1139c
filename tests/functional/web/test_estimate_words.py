"""What the page of estimates says of small numbers, of ranges and of revisions."""

from __future__ import annotations

from sojourn_web.figures import estimate_words as words
from sojourn_web.figures.estimate_pages import Headline, build_headline, build_headlines
from sojourn_web.figures.estimate_revisions import build_history, say_past
from sojourn_web.figures.statistics import Estimated


def test_revisions_say_how_far_and_whether_the_range_held() -> None:
    def at(day: str, value: float | None, later: tuple[float, float] = (0.01, 0.02)) -> Estimated:
        return Estimated("month", "2026-05-01", "", "", "", "overstay_rate", value, value, value,
                         *later, None, None, "made" if value else "cannot",
                         "" if value else "no_delays", day)  # fmt: skip

    rows = [at("2026-06-10", 0.015), at("2026-07-10", None), at("2026-08-10", 0.024)]
    history = build_history(rows, "month", "2026-05-01")
    assert [v.change for v in history.versions] == ["up 0.9 points", "", "first"]
    assert "no number: no month watched yet" in history.versions[1].value
    assert "it went up 0.9 points: 1.5%, now 2.4%." in history.words
    assert "outside what was expected at first" in history.words
    assert "In 0 of 1 the newest lies in the range" in say_past(rows)
    assert "nothing can be said" in say_past(rows[:1])
    # An estimate of a month that was not over is no first word on it.
    assert "nothing can be said" in say_past([at("2026-05-10", 0.01), at("2026-08-10", 0.024)])


def test_what_was_said_of_a_period_that_ran_is_not_held_against_the_whole_of_it() -> None:
    """A year is estimated nightly from its first weeks on: of January and February alone."""

    def at(day: str, value: float, width: float = 0.002) -> Estimated:
        return Estimated("year", "2025-01-01", "", "", "", "overstay_rate", value, value - width,
                         value + width, value - width, value + width, None, None, "made",
                         "", day)  # fmt: skip

    so_far = [at("2025-03-01", 0.021), at("2025-12-31", 0.016)]
    over = [at("2026-01-01", 0.012), at("2026-02-01", 0.013)]
    history = build_history([*so_far, *over], "year", "2025-01-01")
    assert [v.change for v in history.versions] == [
        "up 0.1 points", "first", "so far", "so far"]  # fmt: skip
    assert "Estimated 2 times since it was over." in history.words
    assert "it went up 0.1 points: 1.2%, now 1.3%." in history.words
    assert "within what was expected at first" in history.words
    assert "2.1%" not in history.words
    assert len(history.drawings[0].dots) == 2, "no line from a part of the year to the whole"
    once = build_history([*so_far, over[0]], "year", "2025-01-01")
    assert "Estimated once since it was over" in once.words
    assert not once.drawings
    running = build_history(so_far, "year", "2025-01-01")
    assert "It is not over yet" in running.words
    assert "expected at first" not in running.words
    assert not running.drawings


def headline_of(value: float, lower: float, upper: float, recorded: float) -> Headline:
    def row(quantity: str, *ends: float) -> Estimated:
        return Estimated("year", "2025-01-01", "", "", "", quantity, *ends, ends[1], ends[2],
                         ends[1], ends[2], "made", "", "2026-02-01")  # fmt: skip

    return build_headline(
        {"overstay_rate": row("overstay_rate", value, lower, upper),
         "recorded_rate": row("recorded_rate", recorded, recorded, recorded),
         "expected_departures": row("expected_departures", 9e5, 9e5, 9e5)}, "2026-02-01",
    )  # fmt: skip


def test_a_rate_too_small_to_be_told_is_said_in_words() -> None:
    small = headline_of(0.0, 0.0, 0.011, 0.11)
    assert small.sentence.startswith(
        "Of the stays whose permission ended in 2025, fewer than 1 in 1,000 overstayed; "
        "the records alone would say 11 in 100."
    )
    assert headline_of(0.0, 0.0, 0.0001, 0.0002).sentence == (
        "Of the stays whose permission ended in 2025, fewer than 1 in 1,000 overstayed; "
        "the records alone would say fewer than 1 in 1,000."
    )
    bar = headline_of(0.0002, 0.0001, 0.0003, 0.11).bar
    assert bar is not None
    here = next(s for s in bar.states if s.state == "here")
    assert here.value == "next to nobody for sure"
    assert "under 0.1 of 100" not in bar.words


def test_the_last_number_that_can_be_told_has_no_empty_range_behind_it() -> None:
    def row(period: str, value: float | None) -> Estimated:
        ends = (None,) * 6 if value is None else (0.0116, 0.0124, 0.01, 0.02, 0.0, 0.1)
        return Estimated("year", period, "", "", "", "overstay_rate", value, *ends,
                         "made" if value else "cannot", "" if value else "source_silent",
                         "2026-02-01")  # fmt: skip

    (told,) = build_headlines([row("2024-01-01", 0.012), row("2025-01-01", None)], "2026-02-01")
    assert told.instead == "The last year before it that can be told is 2024: 1.2%."


def test_ranges_round_and_small_ends_are_not_told() -> None:
    assert words.say_range("overstay_rate", 0.0112, 0.1826) == "1.1% to 18%"
    assert words.say_range("overstay_rate", 0.0, 0.018) == "at most 1.8%"
    assert words.say_range("expected_departures", 8_386.0, 8_386.2) == ""
    assert words.say_range("probably_still_here", 3.0, 168.0) == "at most 168"
    assert words.say_range("probably_still_here", 0.0, 4.0) == "at most 10"
    assert words.say_number("probably_still_here", 4.2) == "fewer than 10"
    assert words.say_number("probably_still_here", None) == "not given"
