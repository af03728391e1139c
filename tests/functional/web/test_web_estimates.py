"""The page of estimates: every number with its range, every missing one with its reason."""

from __future__ import annotations

import ast
import re
from html import unescape
from pathlib import Path

import polars as pl
import pytest
from django.test import Client

from lib.kept_estimates import keep_estimates, made_estimates
from sojourn import measure
from sojourn.pipeline import Office
from sojourn.vocabulary import Quantity, Standing
from sojourn_web.figures import estimate_words as words
from sojourn_web.figures.estimate_bar import GAP, WIDTH, build_bar
from sojourn_web.figures.estimate_pages import build_headline, group_rows, pick_period
from sojourn_web.figures.live import build_event
from sojourn_web.figures.statistics import Estimated, Told

NUMBERS = ("value", "lower", "upper", "later_lower", "later_upper", "bound_lower", "bound_upper")


def text_of(client: Client, address: str) -> str:
    """The page's main part as a reader sees it: words alone, single spaces."""
    page = client.get(address).content.decode()
    main = page.split("<main")[1].split("</main>")[0] if "<main" in page else page
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


def rows_of(made: pl.DataFrame) -> list[Estimated]:
    texts = ("period", "known_at", "span", "quantity", "standing")
    dated = made.with_columns(pl.col(texts).cast(pl.String))
    return [Estimated(**row) for row in dated.iter_rows(named=True)]


def totals(made: pl.DataFrame) -> list[Estimated]:
    return [r for r in rows_of(made) if not (r.nationality or r.mode or r.admission_class)]


def whole_year(made: pl.DataFrame) -> dict[str, Estimated]:
    found = group_rows((r for r in totals(made) if r.span == "year"), "period")
    return found[min(found)]


# -- what the page says ---------------------------------------------------------------------


def test_a_rate_stands_beside_what_the_records_alone_would_say(
    reader: Client, bare: Office
) -> None:
    known_at = keep_estimates(bare)
    page, cells = text_of(reader, "/estimates"), whole_year(made_estimates()[-1])
    rate, naive = cells["overstay_rate"], cells["recorded_rate"]
    assert rate.value is not None
    assert naive.value is not None
    said = (
        f"Of 100 stays whose permission ended in 2023, about {words.say_share(rate.value)} "
        f"overstayed; the records alone would say {words.say_share(naive.value)}. "
        "The difference: departures that nobody recorded."
    )
    assert said in page
    assert words.say_range("overstay_rate", rate.lower, rate.upper) in page
    assert "What we expect to say once all records are in" in page
    assert words.say_range("overstay_rate", rate.later_lower, rate.later_upper) in page
    assert words.say_range("overstay_rate", rate.bound_lower, rate.bound_upper) in page
    assert f"As known at the end of {words.say_day(known_at)}" in page
    for state in ("Left, by the records", "Left, though nobody recorded it", "Unknown",
                  "Probably still here"):  # fmt: skip
        assert state in page


def test_the_dashboard_carries_both_headlines_and_asks_for_new_ones(
    reader: Client, bare: Office
) -> None:
    assert "No estimates yet" in text_of(reader, "/")
    keep_estimates(bare)
    page = reader.get("/").content.decode()
    assert page.count("overstayed; the records alone would say") == 2
    assert 'hx-trigger="estimates-refreshed from:body"' in page
    strip = reader.get("/live/estimates").content.decode()
    assert "<html" not in strip
    assert strip.count("overstayed; the records alone would say") == 2


def test_each_day_that_is_kept_is_a_version_and_revisions_are_told_in_words(
    reader: Client, bare: Office
) -> None:
    keep_estimates(bare)
    page = text_of(reader, "/estimates")
    for made in made_estimates():
        assert words.say_day(made["known_at"].max()) in page  # type: ignore[arg-type]
    assert "Estimated 3 times." in page
    assert re.search(r"\d+ months were so far estimated more than once\.", page)
    assert "in the middle case" in page


def test_today_and_this_month_are_told_with_ranges(reader: Client, bare: Office) -> None:
    known_at = keep_estimates(bare)
    page = text_of(reader, "/estimates").split("Today and this month")[1].split("How these")[0]
    assert f"{known_at:%B %Y}, to date" in page
    assert "the day of the estimate" in page
    assert page.count("Departures") >= 3
    assert re.search(r"\d to [\d,]+", page)


def test_a_group_is_asked_for_by_a_plain_form(reader: Client, bare: Office) -> None:
    keep_estimates(bare)
    made = rows_of(made_estimates()[-1])
    for by in ("mode", "admission_class", "nationality"):
        page = reader.get(f"/estimates?when=year:2023-01-01&by={by}").content.decode()
        table = page.split('id="groups-caption"')[1]
        names = [unescape(n) for n in re.findall(r'<th scope="row"[^>]*>([^<]+)</th>', table)]
        there = {getattr(r, by) for r in made if r.span == "year" and r.period == "2023-01-01"
                 and sum(map(bool, (r.nationality, r.mode, r.admission_class))) == 1}  # fmt: skip
        assert len(names) == len(there - {""})
        assert names == sorted(names, key=str.casefold), "in the order of names, never of a rate"
    for odd in ("?when=year:1999-01-01", "?when=x&by=stay", "?by=total", "?when=day:2024-04-05"):
        assert reader.get(f"/estimates{odd}").status_code == 200


def test_no_number_under_ten_is_on_any_page(reader: Client, bare: Office) -> None:
    keep_estimates(bare)
    months = [f"month:2024-0{m}-01" for m in (1, 2, 3, 4)]
    seen = hidden = 0
    for when in ("year:2023-01-01", "year:2024-01-01", *months):
        for by in ("mode", "admission_class", "nationality"):
            page = reader.get(f"/estimates?when={when}&by={by}").content.decode()
            page = re.sub(r"<tfoot>.*?</tfoot>", "", page, flags=re.S)  # counts of months
            for cell in re.findall(r'cell--numeric[^"]*">(.*?)</td>', page):
                hidden += "hidden" in cell
                for number in re.findall(r"(?<![\d.,])[\d,]+(?![\d.,]*[%\d])", cell):
                    seen += 1
                    assert int(number.replace(",", "")) >= 10, cell
    assert seen > 500
    assert hidden > 50


def test_what_is_hidden_takes_what_would_give_it_away_with_it() -> None:
    row = whole_year(made_estimates()[-1])["recorded_rate"]
    cells = [
        *(r for q, r in whole_year(made_estimates()[-1]).items() if q != "recorded_rate"),
        Estimated(**{**vars(row), **dict.fromkeys(NUMBERS), "standing": "cannot", "why": "small"}),
    ]
    (found,) = group_rows(cells, "period").values()
    assert {q for q, r in found.items() if r.value is not None} == {"expected_departures"}
    assert build_bar(found) is None


# -- when there is no number ----------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(words.WHYS))
def test_a_number_that_cannot_be_made_is_a_sentence_with_why_and_what_to_do(
    code: str, reader: Client, bare: Office
) -> None:
    made = made_estimates()[-1].filter(pl.col("nationality") == "")
    naive = pl.col("quantity").is_in(["recorded_rate", "expected_departures"])
    none = made.with_columns(
        *(pl.when(naive).then(pl.col(n)).alias(n) for n in NUMBERS),
        standing=pl.when(naive).then(pl.col("standing"))
        .otherwise(pl.lit(Standing.CANNOT.value, dtype=made.schema["standing"])),
        why=pl.when(naive).then(pl.lit("")).otherwise(pl.lit(code)),
    )  # fmt: skip
    keep_estimates(bare, none)
    page = text_of(reader, "/estimates")
    why = words.WHYS[code]
    assert f"No number can be given, because {why.said}. {why.todo}" in page
    assert "How many stays overstayed in 2023 cannot be said. The records alone would say" in page
    assert "That is no overstay rate" in page
    assert page.count("cannot be said so it is part of the unknown") >= 2
    assert "None" not in page
    assert not re.search(r"(?<![\d.,])0(\.0+)?%?(?![\d.,])", page.split("By group")[0]), "no nought"


def test_an_estimate_that_widened_says_why(reader: Client, bare: Office) -> None:
    made = made_estimates()[-1].with_columns(
        standing=pl.when(pl.col("standing") == "made")
        .then(pl.lit("widened", dtype=made_estimates()[-1].schema["standing"]))
        .otherwise("standing"),
        why=pl.when(pl.col("standing") == "made").then(pl.lit("months_scatter")).otherwise("why"),
    )  # fmt: skip
    keep_estimates(bare, made)
    page = text_of(reader, "/estimates")
    assert "The range is wider than usual, because the share of departures" in page
    assert "wider: lists get lost" in page


def test_what_lists_of_crossings_say_stands_with_what_it_takes_for_granted(
    reader: Client, bare: Office
) -> None:
    """The small country has one list: bounds of exits by mode, and why there is nothing else."""
    keep_estimates(bare)
    page = text_of(reader, "/estimates")
    said = page.split("What lists of crossings say, 2023")[1].split("How these figures")[0]
    assert "Air Departures by this mode" in said
    assert "at most, all of them by this one" in said
    assert re.search(r"Departures by this mode [\d,]+ [\d,]+ to [\d,]+", said)
    assert "no number: one list alone" in said
    assert "no number: no bookings held" in said
    assert "None" not in said


def codes_in_source() -> set[str]:
    """Every code that an estimator can give: what Concern is made with, and what 'why' can be."""
    found: set[str] = set()
    for path in Path(measure.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Concern":
                found |= texts(node.args[0])
            elif isinstance(node, ast.Assign):
                names = {getattr(t, "id", "") for t in node.targets}
                if names & {"why", "upset"} or (names & {"code"} and path.stem == "estimating"):
                    found |= texts(node.value)
            elif isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "why":
                        found |= texts(value)
    return {code for code in found if re.fullmatch(r"[a-z_]{3,}", code)}


def texts(node: ast.AST) -> set[str]:
    constants = (n.value for n in ast.walk(node) if isinstance(n, ast.Constant))
    return {value for value in constants if isinstance(value, str)}


def test_every_code_of_the_estimators_has_words() -> None:
    codes = codes_in_source()
    assert {"small", "to_date", "source_silent", "no_reentries", "too_early"} <= codes
    assert codes == set(words.WHYS) == set(words.SHORT)
    table = (Path(__file__).parents[3] / "docs/explanation/how-honest.md").read_text("utf-8")
    assert all(f"`{code}`" in table for code in codes)
    for why in words.WHYS.values():
        assert why.said[0].islower()
        assert re.fullmatch(r"[A-Z].*\.", why.todo)


def test_every_quantity_has_words_and_an_unknown_code_is_named() -> None:
    assert set(words.QUANTITIES) == {q.value for q in Quantity}
    assert "comet seen" in words.say_remark("cannot", "comet_seen")


# -- parts ----------------------------------------------------------------------------------


def test_the_bar_is_whole_and_shows_as_sure_only_what_is() -> None:
    cells = whole_year(made_estimates()[-1])
    bar = build_bar(cells)
    assert bar is not None
    end = bar.segments[-1]
    assert end.x + end.width == pytest.approx(WIDTH, abs=0.3)
    for one, next_ in zip(bar.segments, bar.segments[1:], strict=False):
        assert next_.x - one.x - one.width == pytest.approx(GAP, abs=0.2)
    here = next(s for s in bar.states if s.state == "here")
    assert cells["probably_still_here"].lower == 0
    assert here.value == "nobody for sure"
    likeliest = cells["probably_still_here"].value
    assert likeliest is not None
    assert likeliest > 0
    assert here.note == f"likeliest: {likeliest:.0f} stays"
    width = {s.state: s.width for s in bar.segments}
    left, whole = cells["left_unrecorded"].lower, cells["expected_departures"].value
    assert left is not None
    assert whole is not None
    assert width["modelled"] / sum(width.values()) == pytest.approx(left / whole, rel=0.02)


def test_a_month_whose_parts_are_hidden_tells_three_states_by_its_rates_alone() -> None:
    found = group_rows((r for r in totals(made_estimates()[-1]) if r.span == "month"), "period")
    months = [c for c in found.values()
              if "overstay_rate" in c and c["probably_still_here"].why == "small"]  # fmt: skip
    assert months
    for month in months:
        bar = build_bar(month)
        assert bar is not None
        naive = month["recorded_rate"].value
        assert naive is not None
        width = {s.state: s.width for s in bar.segments}
        assert width["recorded"] / sum(width.values()) == pytest.approx(1 - naive, abs=0.02)
        assert {"unknown"} <= set(width) <= {"recorded", "modelled", "unknown", "here"}
        assert [s.state for s in bar.states] == ["recorded", "modelled", "unknown", "here"]
        assert "hidden" in bar.states[-1].note


def test_the_last_period_that_is_over_is_told_and_before_that_the_one_that_runs() -> None:
    months = ["2026-09-01", "2026-10-01", "2026-11-01", "2026-12-01"]
    assert pick_period(months, "month", "2026-11-26") == "2026-10-01"
    assert pick_period(months, "month", "2026-10-31") == "2026-09-01"
    assert pick_period(months, "month", "2026-11-01") == "2026-10-01"
    assert pick_period(months[:1], "month", "2026-09-05") == "2026-09-01"
    assert pick_period([], "year", "2026-09-05") == ""
    assert words.say_period("year", "2025-10-01") == "October 2025 to September 2026"
    running = build_headline(
        {"overstay_rate": Estimated(
            "month", "2026-11-01", "", "", "", "overstay_rate", 0.013, 0.006, 0.021, 0.007, 0.02,
            0.0, 0.1, "made", "to_date", "2026-11-26")}, "2026-11-26",
    )  # fmt: skip
    assert running.running
    assert "as far as it has gone, about 1.3 overstayed." in running.sentence


def test_a_range_whose_ends_round_alike_is_no_empty_sentence(reader: Client, bare: Office) -> None:
    made = made_estimates()[-1]
    rate = pl.col("quantity") == "overstay_rate"
    narrow = {"value": 0.0121, "lower": 0.0116, "upper": 0.0124}
    told = rate & pl.col("value").is_not_null()
    keep_estimates(bare, made.with_columns(
        pl.when(told).then(pl.lit(v)).otherwise(pl.col(n)).alias(n) for n, v in narrow.items()
    ))  # fmt: skip
    page = text_of(reader, "/estimates")
    assert "For the truth: as it stands, for both ends of the range round to it." in page
    assert "For the truth: ." not in page
    assert "()" not in page


def test_watchers_are_told_of_new_estimates() -> None:
    assert '"estimates": true' in build_event([Told(1, "totals", {}), Told(2, "estimates", {})])
    assert '"estimates": false' in build_event([Told(1, "measures", {})])


def test_nothing_on_the_page_is_inline_script_or_style(reader: Client, bare: Office) -> None:
    keep_estimates(bare)
    body = reader.get("/estimates").content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", body)
    assert not re.search(r"\sstyle=|\son\w+=", body)
