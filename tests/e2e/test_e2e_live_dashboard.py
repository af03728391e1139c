"""The dashboard in a real browser: it moves by itself, on a desk, on a phone, without script."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from e2e.conftest import Site, Visit, find_violations, follow
from sojourn.simulate import World, build_country
from sojourn.simulate.manifests import write_manifest

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PAGES = ("/", "/measures", "/measures?span=year&by=mode", "/sources", "/how-sure",
         "/estimates", "/estimates?by=nationality", "/runs/", "/runs/rejects",
         "/runs/feeds")  # fmt: skip


def land_a_manifest(site: Site, seed: int) -> int:
    """A flight's departures of this minute, handed over as a carrier should; how many."""
    now = datetime.now(UTC)
    crossings = build_country(World(stays=400, seed=seed, days=60)).crossings
    flight = crossings.filter(
        pl.col("source").str.starts_with("carrier-") & (pl.col("mode") == "air")
        & (pl.col("direction") == "departure")
    ).head(40).with_columns(
        event_time=pl.lit(now).dt.cast_time_unit("us"),
        recorded_at=pl.lit(now).dt.cast_time_unit("us"),
        source=pl.lit("carrier-XT"), port=pl.lit("UTA"),
    )  # fmt: skip
    manifest = write_manifest(flight, 1000 + seed)
    folder = site.inbox / "carrier-XT"
    folder.mkdir(exist_ok=True)
    part = folder / ".landing.part"
    part.write_bytes(manifest.data)
    part.replace(folder / manifest.file_name)
    return flight.height


def departures(page_text: str) -> int:
    return int(page_text.replace(",", ""))


def test_the_total_moves_by_itself_when_a_manifest_lands(site: Site, desk: Visit) -> None:
    place = desk.page.locator("[data-total=departures]")
    desk.page.wait_for_selector("#live-state:has-text('Live')")
    for seed in (1, 2):
        before = departures(place.inner_text())
        landed = land_a_manifest(site, seed)
        desk.page.wait_for_function(
            "before => document.querySelector('[data-total=departures]').textContent"
            ".replaceAll(',', '') * 1 > before", arg=before, timeout=60_000,
        )  # fmt: skip
        assert departures(place.inner_text()) - before == landed
    assert desk.complaints == []


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_pages_meet_wcag_fit_the_screen_and_the_console_is_quiet(
    width: str, site: Site, request: pytest.FixtureRequest
) -> None:
    seen: Visit = request.getfixturevalue(width)
    for address in PAGES:
        seen.page.goto(site.address + address)
        assert find_violations(seen.page) == [], address
        wide = seen.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{address} scrolls sideways"
    assert seen.complaints == []


def test_the_page_of_how_sure_linking_is_is_full_and_not_empty(desk: Visit, site: Site) -> None:
    desk.page.goto(site.address + "/how-sure")
    assert "Not counted yet" not in desk.page.inner_text("main")
    assert desk.page.locator("caption").count() >= 2
    assert find_violations(desk.page) == []


def test_the_chart_is_drawn_as_svg_and_its_numbers_stand_in_a_table(desk: Visit) -> None:
    desk.page.wait_for_selector("#chart svg path", state="attached")
    desk.page.get_by_text("The same as a table").click()
    rows = desk.page.locator("details table tbody tr")
    assert rows.count() == 30


def test_everything_can_be_read_and_done_without_script(without_script: Visit, site: Site) -> None:
    page = without_script.page
    assert departures(page.locator("[data-total=departures]").inner_text()) >= 0
    follow(page.get_by_role("link", name="Refresh"))
    follow(page.get_by_role("link", name="Measures"))
    page.select_option("#by", "mode")
    page.select_option("#span", "year")
    follow(page.get_by_role("button", name="Show"))
    assert "span=year" in page.url
    assert page.locator("table tbody tr").count() >= 3
    follow(page.get_by_role("button", name="Sign out"))
    page.goto(site.address + "/runs/")
    assert "/accounts/login/" in page.url


def test_the_keyboard_reaches_everything_in_order(desk: Visit) -> None:
    page = desk.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    seen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.textContent.trim().slice(0, 12)"))
    assert [s for s in ("Live", "Measures", "Sources", "Operations") if s in seen] == [
        "Live", "Measures", "Sources", "Operations"
    ]  # fmt: skip


def test_a_wrong_password_is_told_as_an_error_page_would(site: Site, desk: Visit) -> None:
    page = desk.page
    follow(page.get_by_role("button", name="Sign out"))
    page.goto(site.address + "/accounts/login/")
    page.fill("#id_login", "analyst")
    page.fill("#id_password", "wrong")
    follow(page.get_by_role("button", name="Sign in"))
    assert page.locator(".govuk-error-summary").is_visible()
    assert page.title().startswith("Error:")
    assert find_violations(page) == []


def test_no_synthetic_band_in_an_office(desk: Visit) -> None:
    assert desk.page.get_by_text("SYNTHETIC DATA").count() == 0
