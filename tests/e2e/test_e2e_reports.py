"""Printed reports in a real browser: accessible, and fit for a telephone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from e2e.conftest import AXE, WCAG
from lib.estimated import build_estimates
from sojourn.pipeline.reporting import example_report, make_report
from sojourn.policy import load_policy
from sojourn.reports import Finding, Kind, Shape, render_html

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def pages() -> dict[str, str]:
    from dataclasses import replace

    policy = load_policy()
    frame = build_estimates(size=900)
    broken = make_report(Shape.UK, frame, Kind.STEWARD, policy)
    broken = replace(broken, findings=(Finding("total", "By visa type", "does not sum"),))
    return {
        "us": render_html(example_report(Shape.US, policy)),
        "uk, broken": render_html(broken),
        "monthly": render_html(make_report(Shape.MONTHLY, frame, Kind.STEWARD, policy)),
    }


@pytest.mark.parametrize("width", [1280, 360])
def test_reports_are_accessible_and_only_their_tables_scroll(browser: Browser, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    for name, html in pages().items():
        page = context.new_page()
        page.set_content(html)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        page.add_script_tag(path=AXE)
        found = page.evaluate("tags => axe.run({runOnly: tags})", WCAG)
        told = [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found["violations"]]
        assert told == [], name
        page.close()
    context.close()
