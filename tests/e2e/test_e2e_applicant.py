"""The person's side in a real browser: English at a desk, Arabic on a telephone, without script."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from e2e.conftest import (
    PASSWORD,
    Site,
    environment,
    find_violations,
    follow,
    free_port,
    run_sojourn,
    stop,
    wait_until_up,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
BUDGET = 100_000
PICTURES = os.environ.get("SOJOURN_SCREENSHOTS")  # a folder, where somebody wants to look
CASE_PAGES = ("", "ask/about/names", "ask/about/birth_date", "ask/needs/claims", "ask/wishes/why",
              "held", "log", "consents", "consents/embassy", "complain", "rate", "erase", "family",
              "family/child", "files")  # fmt: skip


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An office with a counsellor, served; no country in it."""
    home = tmp_path_factory.mktemp("office")
    run_sojourn(home, "keys", "new")
    run_sojourn(home, "account", "ana", "--role", "counsellor", "--place", "Office North",
                SOJOURN_PASSWORD=PASSWORD)  # fmt: skip
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "sojourn", "serve", "--home", str(home), "--port", str(port),
         "--no-watch"], env=environment(SOJOURN_EXIT_URL=f"http://127.0.0.1:{port}/return/?gone"),
    )  # fmt: skip
    try:
        wait_until_up(f"http://127.0.0.1:{port}", process)
        yield Site(f"http://127.0.0.1:{port}", home)
    finally:
        stop(process)


def open_page(browser: Browser, width: int, *, script: bool) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=script
    )
    return context.new_page()


def look(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def begin(page: Page, office: Site, language: str) -> str:
    """A new case; the reference."""
    page.goto(f"{office.address}/return/?lang={language}")
    page.goto(f"{office.address}/return/begin")
    follow(page.locator("main button[type=submit]"))
    return page.locator(".rt-codes dd").first.inner_text().strip()


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("ar", 360), ("am", 360)])
def test_pages_are_accessible_light_and_narrow(
    browser: Browser, office: Site, language: str, width: int
) -> None:
    page = open_page(browser, width, script=True)
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda e: sizes.append(e["encodedDataLength"]))
    begin(page, office, language)
    assert find_violations(page) == []
    look(page, f"{language}-code")
    addresses = ["/return/", "/return/begin", "/return/enter", "/return/join",
                 *(f"/return/case/{p}" for p in CASE_PAGES)]  # fmt: skip
    for address in addresses:
        sizes.clear()
        page.goto(f"{office.address}{address}", wait_until="networkidle")
        assert 0 < sum(sizes) < BUDGET, f"{address}: {sum(sizes):,.0f} bytes"
        look(page, f"{language}-{address.strip('/').replace('/', '-')}")
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{address}: {wide} pixels too wide"
        assert find_violations(page) == [], address
    assert page.evaluate("getComputedStyle(document.body).direction") == (
        "rtl" if language == "ar" else "ltr"
    )
    assert complaints == []


def test_all_of_it_without_a_script(browser: Browser, office: Site) -> None:
    page = open_page(browser, 360, script=False)
    reference = begin(page, office, "en")
    code = page.locator(".rt-codes dd").nth(1).inner_text().strip()
    follow(page.locator("main a.govuk-button"))
    page.fill("#value", "Yusuf")
    follow(page.locator("main button[type=submit]"))
    assert "/ask/about/birth_date" in page.url
    page.select_option("#calendar", "ethiopian")
    page.fill("#year", "1983")
    follow(page.locator("main button[type=submit]"))
    assert "Ethiopian" in page.locator(".rt-both").inner_text()
    page.goto(f"{office.address}/return/case/")
    follow(page.get_by_role("button", name="Apply"))
    assert "You have applied" in page.content()
    follow(page.get_by_role("button", name="Leave this page"))
    assert page.url.endswith("/return/?gone")
    page.goto(f"{office.address}/return/case/")
    assert page.url.endswith("/return/enter")
    page.fill("#value", reference.lower())
    page.fill("#code", code)
    follow(page.locator("main button[type=submit]"))
    follow(page.get_by_role("button", name="Withdraw"))
    assert "You have withdrawn" in page.content()


def test_a_family_without_a_script_and_right_to_left(browser: Browser, office: Site) -> None:
    """A child in the Persian calendar; then the other adult on a telephone of their own."""
    page = open_page(browser, 360, script=False)
    begin(page, office, "fa")
    page.goto(f"{office.address}/return/case/family/child")
    assert page.input_value("#calendar") == "persian"
    page.fill("#value", "فاطمه")
    page.fill("#year", "۱۳۹۷")
    page.check("#belongs-nobody")
    follow(page.locator("main form:has(#value) button[type=submit]"))
    assert page.locator(".govuk-error-summary").is_visible()
    assert page.locator("main button[value=CALL]").is_visible()
    assert page.input_value("#value") == "فاطمه"
    look(page, "fa-child-alone")
    page.check("#belongs-parent")
    follow(page.locator("main form:has(#value) button[type=submit]"))
    assert page.url.endswith("/return/case/family?saved=1")
    assert page.locator("main .rt-links").inner_text() == "فاطمه"
    look(page, "fa-family")
    follow(page.locator("main form button[type=submit]"))
    reference, code = (page.locator(".rt-codes dd").nth(i).inner_text() for i in range(2))
    look(page, "fa-invited")
    other = open_page(browser, 360, script=True)
    other.goto(f"{office.address}/return/join?lang=fa")
    other.fill("#value", reference)
    other.fill("#code", code)
    follow(other.locator("main button[type=submit]"))
    assert find_violations(other) == []
    assert other.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    look(other, "fa-joining")
    follow(other.locator("main button[value=yes]"))
    assert other.locator(".rt-codes dd").first.inner_text() == reference
    other.goto(f"{office.address}/return/case/family")
    assert find_violations(other) == []


def test_leaving_replaces_the_page_in_the_history(browser: Browser, office: Site) -> None:
    page = open_page(browser, 1280, script=True)
    begin(page, office, "en")
    page.goto(f"{office.address}/return/case/log")
    page.goto(f"{office.address}/return/case/held")
    page.click("[data-leave]")
    page.wait_for_url(re.compile(r"\?gone$"))
    page.go_back()
    # One page further back than the one that was left; and the visit has ended.
    assert page.url.endswith("/return/enter")


def test_by_the_keyboard_alone(browser: Browser, office: Site) -> None:
    page = open_page(browser, 1280, script=True)
    begin(page, office, "en")
    page.goto(f"{office.address}/return/case/ask/needs/claims")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "govuk-skip-link"
    page.keyboard.press("Enter")
    page.focus("#value-yes")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/ask/needs/pressure"))
    for _ in range(3):  # three times Shift leaves
        page.keyboard.press("Shift")
    page.wait_for_url(re.compile(r"\?gone$"))
