"""Printed reports: what a reader, a screen reader, a printer and a spreadsheet get."""

from __future__ import annotations

import csv
import io
import re
import sys
import zlib
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest

from lib.estimated import build_estimates
from sojourn.errors import SetupError, UsageError
from sojourn.pipeline.reporting import example_report, make_report
from sojourn.policy import load_policy
from sojourn.reports import Kind, Report, Shape, render, render_csv, render_html, render_pdf

POLICY = load_policy()
VOID = {"meta", "path", "rect", "circle"}


class Reader(HTMLParser):
    """Every element with its attributes; complains of what is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def us() -> Report:
    return make_report(Shape.US, build_estimates(size=900), Kind.STEWARD, POLICY)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_a_page_needs_nothing_else_and_runs_nothing(us: Report) -> None:
    page = render_html(us)
    reader = read(page)
    tags = {tag for tag, _ in reader.found}
    assert not tags & {"script", "link", "img", "iframe", "form"}
    assert not re.search(r"https?://|url\(|@import| on\w+=", page)
    assert dict(reader.found[0][1]) == {"lang": "en"}


def test_every_table_has_a_caption_and_every_header_its_scope(us: Report) -> None:
    reader = read(render_html(us))
    tags = [tag for tag, _ in reader.found]
    assert tags.count("table") == tags.count("caption") == len(us.blocks) > 3
    scopes = {a.get("scope") for tag, a in reader.found if tag == "th"}
    assert scopes == {"col", "row", "colgroup"}
    rows = sum(len(b.all_rows) for b in us.blocks)
    assert sum(1 for tag, a in reader.found if tag == "th" and a.get("scope") == "row") == rows
    ids = [a["id"] for _, a in reader.found if a.get("id")]
    assert len(ids) == len(set(ids))


def test_an_interval_is_told_in_numbers_wherever_it_is_drawn(us: Report) -> None:
    page = render_html(us)
    drawn = re.findall(r"<td[^>]*>(?:(?!</td>).)*<svg", page)
    assert drawn
    assert all(re.search(r"\d to \d", cell) for cell in drawn)


def test_a_page_says_whom_it_is_for_how_old_it_is_and_under_which_policy(us: Report) -> None:
    text = read(render_html(us)).text
    for said in ("For the steward alone", "31 January 2026", POLICY.digest, "not the same as still",
                 "“Suspected in-country overstays”", "Probably still here (modelled)"):  # fmt: skip
        assert said in text
    assert "For the steward alone" not in read(render_html(replace(us, kind=Kind.PUBLIC))).text


def test_what_a_label_says_is_text_and_nothing_more(us: Report) -> None:
    block = us.blocks[0]
    row = replace(block.rows[0], label='<script>alert("x")</script>')
    page = render_html(replace(us, blocks=(replace(block, rows=(row,)),)))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_csv_is_one_header_plain_numbers_and_names_what_is_empty(us: Report) -> None:
    lines = list(csv.DictReader(io.StringIO(render_csv(us))))
    assert len(lines) == sum(len(b.all_rows) for b in us.blocks)
    hidden = 0
    for line in lines:
        for head in us.heads:
            said = f"{head.key} hidden" in line["status"].split("; ")
            assert (line[head.key] == "") == said or "not estimated" in line["status"]
            hidden += said
            if line[head.key]:
                float(line[head.key])
    assert hidden
    total = lines[len(us.blocks[0].rows)]
    assert total["level"] == "total"
    assert total["status"] == "complete"
    assert float(total["rate_lower"]) < float(total["rate"]) < float(total["rate_upper"])
    assert total["check"] == "nothing found"


@pytest.mark.parametrize("label", ["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", '=HYPERLINK("x")'])
def test_no_label_is_a_formula(us: Report, label: str) -> None:
    block = us.blocks[0]
    row = replace(block.rows[0], label=label, key=label)
    text = render_csv(replace(us, blocks=(replace(block, rows=(row,)),)))
    (first, *_) = list(csv.DictReader(io.StringIO(text)))
    assert first["row"] == f"'{label}"
    assert first["row_key"] == f"'{label}"


def test_a_pdf_is_one_and_is_tagged_for_screen_readers(us: Report) -> None:
    made = render_pdf(us)
    assert made.startswith(b"%PDF-")
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", made, re.S)
    objects = b"".join(zlib.decompress(p) for p in packed if p[:1] == b"x")
    assert b"/MarkInfo" in objects
    assert b"/StructTreeRoot" in objects
    assert objects.count(b"/TH") > 20


def test_without_weasyprint_the_error_says_what_to_install(
    us: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(SetupError, match=r"sojourn\[web\]"):
        render(us, ".pdf")
    assert render(us, ".csv")


def test_another_ending_is_refused(us: Report) -> None:
    with pytest.raises(UsageError, match=r"\.html, \.pdf, \.csv"):
        render(us, ".xlsx")


def test_the_examples_show_what_the_offices_published(us: Report) -> None:
    wanted = {
        Shape.US: {"unsettled_rate": 1.15, "without_rate": 1.04, "recorded_rate": 1.15},
        Shape.UK: {"in_time_share": 95.2, "late_share": 0.4, "without_share": 4.4},
    }
    for shape, shares in wanted.items():
        report = example_report(shape, POLICY)
        total = report.blocks[0].total
        assert total is not None
        for key, published in shares.items():
            assert report.cell(total, key).value == pytest.approx(published, rel=0.05), key
        assert all(c.value is not None for r in report.blocks[0].all_rows for c in r.cells)


def test_the_examples_say_what_they_are(us: Report) -> None:
    for shape in (Shape.US, Shape.UK):
        report = example_report(shape, POLICY)
        assert report.findings == ()
        text = read(render_html(report)).text
        assert "Invented people" in text
        assert "Its truth is known" in text
    assert "Invented people" not in read(render_html(us)).text


def test_why_a_number_is_wide_or_missing_is_said_in_words() -> None:
    frame = build_estimates(size=9000)
    year = pl.col("span") == "year"
    rate, here = (pl.col("quantity") == q for q in ("overstay_rate", "probably_still_here"))
    frame = frame.with_columns(
        standing=pl.when(year & rate).then(pl.lit("widened", dtype=frame.schema["standing"]))
        .when(year & here).then(pl.lit("cannot", dtype=frame.schema["standing"]))
        .otherwise("standing"),
        why=pl.when(year & rate).then(pl.lit("few_reentries"))
        .when(year & here).then(pl.lit("source_silent")).otherwise("why"),
        value=pl.when(year & here).then(None).otherwise("value"),
    )  # fmt: skip
    text = read(render_html(make_report(Shape.US, frame, Kind.STEWARD, POLICY))).text
    assert "widened: few of that kind have arrived again" in text
    assert "not estimateda source is silent" in text
    assert "few reentries" not in text
