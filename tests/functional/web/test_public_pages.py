"""Public pages: what they say of figures, that nobody has to sign in, and that they are plain."""

from __future__ import annotations

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client

from lib.published import Country, all_figures
from sojourn_web.figures.models import Announcement
from sojourn_web.figures.public_chart import NARROW, Point, draw, nice_steps
from sojourn_web.figures.public_feeds import escape, fold
from sojourn_web.figures.public_words import Said, say_exact, say_figure, step_of

pytestmark = pytest.mark.django_db
MONTH = "/figures/total/month/2026-10-01"
PAGES = (
    "/", "/figures/", "/figures/tables", "/figures/tables?table=total&span=day&page=2",
    "/figures/tables?table=nationality&span=month&vintage=2026-10-31",
    "/figures/tables?table=nationality_mode_class&span=month&nationality=NGA",
    f"{MONTH}/departed/all/all/all", f"{MONTH}/no_departure_recorded/all/all/all",
    f"{MONTH}/departed/all/all/all?vintage=2026-10-31", "/figures/method", "/figures/errors",
    "/figures/calendar", "/figures/downloads", "/figures/metadata",
)  # fmt: skip


def text_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


def test_every_page_opens_for_anybody_under_a_strict_policy(
    client: Client, published: Country
) -> None:
    for address in PAGES:
        page = text_of(client, address)
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), address
        assert not re.search(r"\sstyle=|\son\w+=", page), address
        assert "htmx" not in page.split("<body")[1], address
        assert client.get(address)["Cache-Control"] == "public, max-age=60"


def test_pages_work_before_the_first_release(client: Client, no_statistics: None) -> None:
    for address in ("/", "/figures/tables", "/figures/calendar", "/figures/downloads"):
        assert "Nothing has been released yet" in text_of(client, address)
    assert "How figures are made" in text_of(client, "/figures/method")
    assert "Noise by the formula" in text_of(client, "/figures/errors")
    assert client.get(f"{MONTH}/departed/all/all/all").status_code == 404


def test_the_home_page_says_the_published_number_with_its_range(
    client: Client, published: Country
) -> None:
    page = text_of(client, "/")
    figures = all_figures(settings.STATISTICS_URL)
    (found,) = figures.filter(
        (figures["release_table"] == "total") & (figures["span"] == "month")
        & (figures["period"] == date(2026, 10, 1)) & (figures["quantity"] == "departures")
        & (figures["vintage"] == published.vintages[-1])
    ).iter_rows(named=True)  # fmt: skip
    said = say_figure(found)
    assert abs(int(said.value.replace(",", "")) - found["value"]) <= found["noise_sd"] / 4
    assert f'<span class="sj-number">{said.value}</span>' in page
    assert said.interval in page
    assert "October 2026" in page
    assert "is not still here" in page
    assert page.count("<svg") == 3  # the mark, and the chart for two widths


def row(address: str, quantity: str) -> str:
    return f"{address}/{quantity}/all/all/all"


def test_a_figure_shows_parts_noise_budget_method_run_and_every_vintage(
    client: Client, published: Country
) -> None:
    page = text_of(client, row(MONTH, "no_departure_recorded"))
    for said in (
        "What it is made of", "Expected departures", "less", "Every vintage", "31 Oct 2026",
        "24 Nov 2026", "standard deviation", "computed", "r20261124", "0123456789abcdef", "Run",
        "Cite as", "CC BY 4.0", "in 95 of 100 cases", "all nationalities, all modes of travel",
    ):  # fmt: skip
        assert said in page, said
    assert "stella" not in page  # who released is for the office's log
    drawn = text_of(client, row(MONTH, "departed"))
    assert "&epsilon; = 0.0313, for all counts" in drawn.replace("ε", "&epsilon;")


def test_an_old_vintage_stays_at_its_address(client: Client, published: Country) -> None:
    old = text_of(client, row(MONTH, "departed") + "?vintage=2026-10-31")
    assert "This is an older vintage" in old
    newest = text_of(client, row(MONTH, "departed"))
    assert "This is an older vintage" not in newest
    number = re.compile(r'sj-figure"><span class="sj-number">([\d,]+)<')
    assert number.findall(old) and number.findall(newest)
    text_of(client, row(MONTH, "departed") + "?vintage=2026-10-30", status=404)
    text_of(client, row(MONTH, "departed") + "?vintage=tomorrow", status=404)
    text_of(client, "/figures/total/week/2026-10-01/departed/all/all/all", status=404)


def test_a_negative_count_is_shown_as_zero_and_told_as_it_was_published(
    client: Client, published: Country
) -> None:
    figures = all_figures(settings.STATISTICS_URL)
    newest = figures.filter(figures["vintage"] == published.vintages[-1])
    low = newest.filter(newest["value"] < 0).sort("value").row(0, named=True)
    places = "/".join(low[n] or "all" for n in ("nationality", "mode", "admission_class"))
    page = text_of(
        client,
        f"/figures/{low['release_table']}/{low['span']}/{low['period']}/{low['quantity']}/{places}",
    )
    assert '<span class="sj-number">0</span>' in page
    assert f"published as <strong>{say_exact(low['value'])}" in page
    assert say_exact(low["value"]).startswith("\N{MINUS SIGN}")


def test_tables_lead_to_figures_and_hide_nothing_of_their_range(
    client: Client, published: Country
) -> None:
    page = text_of(client, "/figures/tables?table=nationality&span=month&period=2026-10-01")
    links = re.findall(r'href="(/figures/nationality/month/2026-10-01/[^"]+)"', page)
    assert len(links) == 7 * len(published.nationalities)
    assert "India" in page
    assert "IND" in page
    for address in links[:5]:
        assert client.get(address).status_code == 200
    # Nonsense in a query is no error: the usual table is shown.
    assert "In total" in text_of(client, "/figures/tables?table=x&span=y&page=-4&vintage=never")


def test_the_calendar_is_public_and_can_be_subscribed_to(
    client: Client, published: Country, steward: AbstractBaseUser
) -> None:
    day = date.today() + timedelta(days=20)  # noqa: DTZ011
    Announcement.objects.create(day=day, through=day - timedelta(days=1), note="a; b, c")
    assert f"{day.day} {day:%B %Y}" in text_of(client, "/figures/calendar")
    assert "Next release" in text_of(client, "/")
    answer = client.get("/figures/calendar.ics")
    assert answer["Content-Type"].startswith("text/calendar")
    lines = answer.content.decode().split("\r\n")
    assert f"DTSTART;VALUE=DATE:{day:%Y%m%d}" in lines
    assert "DESCRIPTION:a\\; b\\, c" in lines
    assert all(len(line.encode()) <= 75 for line in lines)


def test_the_feed_of_releases_is_atom(client: Client, published: Country) -> None:
    answer = client.get("/figures/releases.atom")
    atom = "{http://www.w3.org/2005/Atom}"
    feed = ElementTree.fromstring(answer.content)
    assert feed.tag == f"{atom}feed"
    for needed in ("id", "title", "updated", "author"):
        assert feed.find(f"{atom}{needed}") is not None
    entries = feed.findall(f"{atom}entry")
    assert len(entries) == len(published.vintages)
    assert all(e.find(f"{atom}id") is not None and e.find(f"{atom}updated") is not None
               for e in entries)  # fmt: skip
    again = client.get("/figures/releases.atom", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_the_front_door_is_the_dashboard_for_who_has_signed_in(
    client: Client, analyst: AbstractBaseUser, published: Country
) -> None:
    client.force_login(analyst, backend="sojourn_web.accounts.backends.OfficeBackend")
    assert "data-live" in text_of(client, "/")
    page = client.get("/figures/")
    assert b"sj-headlines--public" in page.content
    assert page["Cache-Control"] == "private, no-cache"


def test_values_are_said_with_their_range_and_without_their_noise_s_sign() -> None:
    base = {
        "quantity": "departed",
        "method": "laplace",
        "lower": -9.0,
        "upper": 3.4,
        "noise_sd": 1.9,
    }
    assert say_figure({**base, "value": -2.0}) == Said("0", "0 to 3", "\N{MINUS SIGN}2")
    assert say_figure({**base, "value": None}).value == "not available"
    assert say_figure({**base, "value": None, "method": "cell_key"}).value == "suppressed"
    wide = {**base, "value": 1234.0, "lower": 1100.0, "upper": 1368.0, "noise_sd": 68.0}
    assert say_figure(wide) == Said("1,230", "1,100 to 1,370")
    assert [step_of(sd) for sd in (None, 0.5, 2.0, 9.9, 10.0, 19.9, 20.0, 250.0)] == [
        1, 1, 1, 1, 5, 5, 10, 100
    ]  # fmt: skip
    rate = {**base, "quantity": "overstay_rate", "value": 0.0123, "lower": 0.01, "upper": 0.02}
    assert say_figure(rate) == Said("1.23%", "1.00% to 2.00%")


def test_the_chart_keeps_its_band_around_its_line_and_breaks_where_a_day_is_missing() -> None:
    values = [10.0, -4.0, None, 30.0, 50.0]
    points = [
        Point(date(2026, 1, 1 + i), v, None if v is None else v - 8, None if v is None else v + 8,
              "", Said("", ""))
        for i, v in enumerate(values)
    ]  # fmt: skip
    wide, narrow = draw(points)
    assert (narrow.width, narrow.height) == NARROW
    assert len(wide.lines) == len(wide.bands) == 2
    for line, band in zip(wide.lines, wide.bands, strict=True):
        middle = [tuple(map(float, p.split(","))) for p in line.split()]
        edge = [tuple(map(float, p.split(","))) for p in band.split()]
        over, under = edge[: len(middle)], edge[len(middle) :][::-1]
        for (x, y), (xo, yo), (xu, yu) in zip(middle, over, under, strict=True):
            assert x == xo == xu
            assert yo <= y <= yu  # up is less in SVG
            assert 0 <= yo <= wide.floor
            assert yu <= wide.floor
    assert draw(points[:1]) == ()


@pytest.mark.parametrize("highest", [0.0, 0.4, 1.0, 7.0, 58.0, 99.9, 100.0, 1234.0, 98765.0])
def test_steps_of_the_scale_are_few_round_and_reach_over_the_highest(highest: float) -> None:
    steps = nice_steps(highest)
    assert steps[0] == 0
    assert steps[-1] >= highest
    assert 2 <= len(steps) <= 6


def test_calendar_lines_fold_between_letters_and_unfold_to_themselves() -> None:
    line = "SUMMARY:" + escape("é, ü; ß\n") * 30
    parts = fold(line)
    assert all(len(p.encode()) <= 75 for p in parts)
    assert parts[0] + "".join(p[1:] for p in parts[1:]) == line
