"""Public pages in a real browser: WCAG 2.2 AA, on a phone, in print, without script, light."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request

from e2e.conftest import (
    PASSWORD,
    Site,
    environment,
    find_violations,
    follow,
    free_port,
    stop,
    wait_until_up,
)
from lib.published import fill, put_estimates

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
FIGURE = "/figures/total/month/2026-10-01/no_departure_recorded/all/all/all"
ESTIMATE = "/figures/estimates/year/2026-01-01/overstay_rate/all/all/all"
NEGATIVE = "/figures/nationality_mode_class/month/2026-10-01/left_late/XXA/land/STUDY"
PAGES = (
    "/", "/figures/tables", "/figures/tables?table=nationality_mode_class&nationality=NGA",
    "/figures/tables?table=total&span=day", FIGURE, f"{FIGURE}?vintage=2026-10-31", NEGATIVE,
    ESTIMATE, "/figures/tables?table=estimates&span=year&by=mode",
    "/figures/method", "/figures/errors", "/figures/calendar", "/figures/downloads",
    "/figures/metadata",
)  # fmt: skip
LIGHT = 150_000  # bytes that a browser takes for a page, styles and scripts included
SERVER = """
import os, sys, django, uvicorn
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0, interactive=False)
from sojourn_web.accounts.installation import make_person
from sojourn_web.accounts.roles import Role
for name in ("stella", "stefan"):
    make_person(name, os.environ["SOJOURN_PASSWORD"], Role.STEWARD, demo=False)
uvicorn.run("sojourn_web.asgi:application", port=int(sys.argv[1]), log_level="warning",
            lifespan="off")
"""


@pytest.fixture(scope="module")
def published_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages of an office that has released three times; nothing else runs."""
    home = tmp_path_factory.mktemp("published")
    url = f"sqlite:///{home / 'statistics.sqlite3'}"
    put_estimates(url, fill(url))
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port)],
        env=environment(
            SOJOURN_HOME=str(home), SOJOURN_STATISTICS_URL=url, SOJOURN_PASSWORD=PASSWORD,
            DJANGO_SETTINGS_MODULE="sojourn_web.settings",
            PYTHONPATH=os.pathsep.join([str(Path(__file__).parents[2] / "src"), *sys.path]),
        ),
    )  # fmt: skip
    try:
        wait_until_up(f"http://127.0.0.1:{port}", process)
        yield Site(f"http://127.0.0.1:{port}", home)
    finally:
        stop(process)


def open_page(browser: Browser, width: int = 1280, *, script: bool = True) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=script
    )
    return context.new_page()


@pytest.mark.parametrize("width", [1280, 360])
def test_pages_meet_wcag_fit_the_screen_and_the_console_is_quiet(
    width: int, browser: Browser, published_site: Site
) -> None:
    page = open_page(browser, width)
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    for address in PAGES:
        page.goto(published_site.address + address)
        assert find_violations(page) == [], address
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{address} scrolls sideways"
        shown = page.locator("svg.sj-band-chart:visible").count()
        assert shown == (2 if address == "/" else 0)
    assert complaints == []
    page.context.close()


def test_a_page_takes_less_than_its_limit_in_bytes(browser: Browser, published_site: Site) -> None:
    for address in PAGES:
        page = open_page(browser)
        taken: list[Request] = []
        page.on("requestfinished", lambda r, taken=taken: taken.append(r))
        page.goto(published_site.address + address, wait_until="networkidle")
        sizes = {r.url: r.sizes()["responseBodySize"] for r in taken}
        assert len(sizes) >= 5
        assert sum(sizes.values()) < LIGHT, f"{address}: {sizes}"
        assert not [url for url in sizes if "echarts" in url or "htmx" in url]
        page.context.close()


def test_everything_can_be_read_and_chosen_without_script(
    browser: Browser, published_site: Site
) -> None:
    page = open_page(browser, script=False)
    page.goto(published_site.address)
    assert page.locator("svg.sj-band-chart:visible polygon").count() >= 2
    for summary in ("Rates by month as a table", "The same as a table"):
        page.get_by_text(summary).click()
        assert page.locator("details[open] table tbody tr").last.is_visible()
    follow(page.get_by_role("link", name="Tables"))
    page.select_option("#table", "nationality")
    follow(page.get_by_role("button", name="Show"))
    follow(page.get_by_role("row").nth(1).get_by_role("link").first)
    assert page.locator(".sj-figure .sj-number").is_visible()
    assert "Every vintage" in page.inner_text("main")
    page.context.close()


def test_the_keyboard_reaches_the_figure_from_the_front_door(
    browser: Browser, published_site: Site
) -> None:
    page = open_page(browser)
    page.goto(published_site.address)
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == "Departures":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/figures/total/month/**/departures/all/all/all")
    page.context.close()


@pytest.mark.parametrize("address", [FIGURE, ESTIMATE])
def test_a_figure_is_told_with_all_that_made_it_in_one_screen(
    address: str, browser: Browser, published_site: Site
) -> None:
    """Number, definition, parts, method, noise, budget, policy and run, without scrolling."""
    page = open_page(browser)
    page.goto(published_site.address + address)
    for part in (".sj-figure", ".sj-parts", ".sj-made"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900, part
    made = page.inner_text(".sj-made")
    for said in ("Method", "Noise", "Budget", "Policy", "Run", "sojourn explain"):
        assert said in made
    page.context.close()


@pytest.mark.parametrize("address", PAGES)
def test_pages_print_within_the_paper_and_without_menus(
    address: str, browser: Browser, published_site: Site
) -> None:
    page = open_page(browser)
    page.goto(published_site.address + address)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1000})  # of A4, less usual margins
    assert not page.locator(".sj-public-nav").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    if address in (FIGURE, ESTIMATE):
        assert page.locator(".sj-figure").is_visible()
        printed = page.pdf(format="A4")
        assert 1 <= printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") <= 2
    page.context.close()


def test_two_stewards_release_and_one_cannot(browser: Browser, published_site: Site) -> None:
    for width, (name, button) in zip(
        (1280, 360), (("stella", "Ask for this release"), ("stefan", "Approve and release")),
        strict=True,
    ):  # fmt: skip
        page = open_page(browser, width)
        page.goto(published_site.address + "/accounts/login/")
        page.fill("#id_login", name)
        page.fill("#id_password", PASSWORD)
        follow(page.get_by_role("button", name="Sign in"))
        page.goto(published_site.address + "/runs/release")
        assert find_violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        if name == "stella":
            page.evaluate("document.querySelector('#through').value = '2026-11-24'")
            follow(page.get_by_role("button", name=button))
            assert "There is a problem" in page.inner_text("main")
            assert find_violations(page) == []
        page.context.close()
