"""The overstay rate on public pages: with its range, the records' own beside it, or a reason."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.test import Client

from lib.published import Country, put_estimates
from sojourn_web.figures import public_reading

pytestmark = pytest.mark.django_db


def put(country: Country, *, told: bool = True) -> None:
    put_estimates(settings.STATISTICS_URL, country, told=told)
    for kept in (public_reading._settled, public_reading._periods):
        kept.cache_clear()


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_the_home_page_says_the_rate_its_range_and_what_records_alone_would_say(
    client: Client, published: Country
) -> None:
    put(published)
    page = text_of(client, "/")
    assert "Overstays, estimated: August to September 2026" in page
    assert "about 13 ran past their end: between 0 and 29" in page
    assert "11.20% instead of 1.34%" in page
    assert "0.00% to 2.91%" in page
    assert "too early to tell" in page
    assert page.count("<svg") == 5  # the mark, two charts for two widths
    assert "Aug 2026" in page


def test_where_noise_decides_the_page_says_so_and_no_number(
    client: Client, published: Country
) -> None:
    put(published, told=False)
    page = text_of(client, "/")
    assert "No rate is told" in page
    assert "noise would decide" in page
    assert "ran past their end" not in page


def test_an_estimate_has_an_address_a_table_and_a_place_in_the_api(
    client: Client, published: Country
) -> None:
    put(published)
    figure = text_of(client, "/figures/estimates/year/2026-01-01/overstay_rate/all/all/all")
    for said in (
        "Overstay rate, August to September 2026", "1.34%", "in 95 of 100 cases", "Estimated",
        "By the records alone", "instead of", "of all that it is made of", "Re-entries",
    ):  # fmt: skip
        assert said in figure, said
    young = text_of(client, "/figures/estimates/month/2026-10-01/overstay_rate/all/all/all")
    assert "too early to tell" in young
    table = text_of(client, "/figures/tables?table=estimates&span=year&by=mode")
    assert "Air" in table
    assert "Overstays, estimated, August to September 2026" in table
    assert "54,3" in table
    assert "1.34%" in text_of(client, "/figures/tables?table=estimates&span=month&by=period")
    found = json.loads(text_of(client, "/api/v1/figures?release_table=estimates&mode=air"))
    assert {i["quantity"] for i in found["items"]} >= {"overstay_rate", "recorded_rate"}
    lists = text_of(client, "/api/v1/codes")
    assert "too_noisy" in lists


def test_downloads_carry_estimates_under_checked_codes(client: Client, published: Country) -> None:
    from sojourn.release.formats import build_code_lists, code_figures
    from sojourn.release.picking import Wanted

    put(published)
    figures = public_reading.read_figures(settings.STATISTICS_URL, Wanted("estimates"))
    lists = build_code_lists(["estimates"], ["VISIT"])
    coded = code_figures(figures, lists)
    status = dict(coded.select("METHOD", "OBS_STATUS").unique().iter_rows())
    assert status == {"estimated": "E", "too_young": "O"}
