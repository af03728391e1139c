"""The page of estimates in a real browser: open, printed, on a phone, without script, refreshed."""

from __future__ import annotations

import pytest

from e2e.conftest import Site, Visit, find_violations, follow, run_sojourn

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_estimates_meet_wcag_with_everything_open(
    width: str, site: Site, request: pytest.FixtureRequest
) -> None:
    seen: Visit = request.getfixturevalue(width)
    for by in ("mode", "nationality"):
        seen.page.goto(f"{site.address}/estimates?by={by}")
        assert "No estimates yet" not in seen.page.inner_text("main")
        seen.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        assert find_violations(seen.page) == []
        wide = seen.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
    seen.page.emulate_media(media="print")
    assert seen.page.locator(".sj-filters").is_hidden()
    assert seen.complaints == []


def test_a_period_is_chosen_by_keyboard_and_without_script(
    without_script: Visit, site: Site
) -> None:
    page = without_script.page
    follow(page.get_by_role("link", name="Estimates"))
    page.select_option("#by", "admission_class")
    page.get_by_label("Month or year").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/estimates?*by=admission_class*")
    assert page.locator("#by").input_value() == "admission_class"
    page.locator("summary").first.click()
    assert page.get_by_text("Where it comes from").first.is_visible()


def test_new_estimates_refresh_the_strip_and_are_told_on_the_page(desk: Visit, site: Site) -> None:
    page = desk.page
    page.wait_for_selector("#live-state:has-text('Live')")
    page.evaluate("document.querySelector('#estimates-strip').firstElementChild.id = 'as-it-was'")
    run_sojourn(site.home, "estimate", "--seed", "2")
    page.wait_for_selector("#as-it-was", state="detached", timeout=60_000)
    assert "overstayed" in page.inner_text("#estimates-strip")
    with page.expect_request("**/live/events"):
        page.goto(site.address + "/estimates")
    page.wait_for_timeout(1000)
    run_sojourn(site.home, "estimate", "--seed", "3")
    page.get_by_role("link", name="Show them").click(timeout=60_000)
    page.wait_for_selector("#newer:empty", state="attached")
    assert desk.complaints == []
