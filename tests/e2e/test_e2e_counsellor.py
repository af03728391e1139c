"""The counsellor's desk in a real browser: axe, keyboard, a phone, and without script."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.conftest import (
    PASSWORD,
    Site,
    Visit,
    environment,
    find_violations,
    follow,
    free_port,
    run_sojourn,
    stop,
    wait_until_up,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
ROLES = ("counsellor", "supervisor", "medical", "auditor", "administrator")
SEED = """
import django; django.setup()
from datetime import UTC, datetime
from random import Random
from django.contrib.auth.models import User
from sojourn_web.cases.demo import seed_demo
from sojourn_web.cases.keys import case_keys
from sojourn_web.cases.models import Case, Person
from sojourn_web.cases.services import checks
from sojourn_web.cases.services.room import room_now
from sojourn_web.cases.visibility import actor_of
from sojourn_web.cases.vocabulary import ScreeningKind
numbers = dict(User.objects.values_list("username", "pk"))
seed_demo(case_keys(), datetime.now(UTC), numbers, Random(1), people=14)
keys = case_keys()
for person in Person.objects.order_by("made_at"):
    name = person.names.open(keys).split()[0]
    if name in ("Amina", "Yusuf") or person.names_latin.open(keys) == "KOVAL OLENA":
        print(name if name in ("Amina", "Yusuf") else "Koval", person.case.reference, person.pk)
    if name == "Amina":
        clerk = actor_of(User.objects.get(username="counsellor"))
        checks.ask_screening(room_now(), clerk, person.case_id, person.pk,
                             ScreeningKind.FITNESS, key="e2e")
"""


@pytest.fixture(scope="module")
def stories() -> dict[str, tuple[str, str]]:
    """Reference and first person of the three stories; filled by ``cases_site``."""
    return {}


@pytest.fixture(scope="module")
def cases_site(
    tmp_path_factory: pytest.TempPathFactory, stories: dict[str, tuple[str, str]]
) -> Iterator[Site]:
    """An office with the three stories and a few more people; one account for each role."""
    home = tmp_path_factory.mktemp("return")
    run_sojourn(home, "keys", "new")
    for role in ROLES:
        run_sojourn(home, "account", role, "--role", role, "--place", "Office North",
                    SOJOURN_PASSWORD=PASSWORD)  # fmt: skip
    seeded = subprocess.run(
        [sys.executable, "-c", SEED], check=True, capture_output=True, text=True,
        env=environment(SOJOURN_HOME=str(home), DJANGO_SETTINGS_MODULE="sojourn_web.settings"),
    )  # fmt: skip
    for line in seeded.stdout.splitlines():
        name, reference, person = line.split()
        stories.setdefault(name, (reference, person))
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "sojourn", "serve", "--home", str(home), "--port", str(port)],
        env=environment(),
    )
    try:
        wait_until_up(f"http://127.0.0.1:{port}", process)
        yield Site(f"http://127.0.0.1:{port}", home)
    finally:
        stop(process)


def sign_in(
    browser: Browser, site: Site, role: str, *, width: int = 1280, script: bool = True
) -> Visit:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=script
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.goto(f"{site.address}/accounts/login/")
    page.fill("#id_login", role)
    page.fill("#id_password", PASSWORD)
    follow(page.get_by_role("button", name="Sign in"))
    return Visit(page, complaints)


@pytest.fixture
def clerk(browser: Browser, cases_site: Site) -> Iterator[Visit]:
    seen = sign_in(browser, cases_site, "counsellor")
    yield seen
    seen.page.context.close()


def pages_of(role: str, stories: dict[str, tuple[str, str]]) -> list[str]:
    reference, person = stories["Amina"]
    koval, olena = stories["Koval"]
    if role == "counsellor":
        case, asked = f"/cases/{reference}/", f"?person={person}"
        return [
            "/cases/today", "/cases/", "/cases/find", "/cases/new", "/cases/hand-over",
            "/cases/break-glass",
            case, f"/cases/{koval}/", f"/cases/{stories['Yusuf'][0]}/part/safeguards",
            *(f"{case}part/{p}" for p in ("told", "safeguards", "consents", "travel", "money",
                                          "work", "after")),
            f"/cases/{koval}/do/consent?person={olena}&purpose=embassy",
            f"{case}do/check?check=consequences", f"{case}do/change-person{asked}",
            f"{case}do/document", f"{case}do/survey?month=1", f"{case}do/note",
            f"{case}do/add-person", f"{case}do/answer{asked}&section=wishes&question=when",
        ]  # fmt: skip
    return {"supervisor": ["/cases/today", "/cases/caseload"],
            "medical": ["/cases/screenings"], "auditor": ["/cases/log", "/cases/log?kind=looks"],
            "administrator": ["/cases/accounts"]}[role]  # fmt: skip


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("role", ROLES)
def test_pages_meet_wcag_fit_the_screen_and_the_console_is_quiet(
    browser: Browser, cases_site: Site, stories: dict[str, tuple[str, str]], role: str, width: int
) -> None:
    seen = sign_in(browser, cases_site, role, width=width)
    for address in pages_of(role, stories):
        answer = seen.page.goto(cases_site.address + address)
        assert answer is not None
        assert answer.status == 200, address
        assert find_violations(seen.page) == [], address
        wide = seen.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{address} scrolls sideways"
        small = seen.page.evaluate(
            "[...document.querySelectorAll('main button, main select, main input:not([type=hidden])"
            "')].filter(e => e.getBoundingClientRect().height < 24 && !e.className.includes("
            "'govuk-radios') && !e.className.includes('govuk-check')).map(e => e.outerHTML)"
        )
        assert small == [], address
    assert seen.complaints == []
    seen.page.context.close()


def tab_to(page: Page, words: str, most: int = 80) -> None:
    for _ in range(most):
        page.keyboard.press("Tab")
        if words in str(page.evaluate("document.activeElement.textContent")):
            return
    raise AssertionError(f"the keyboard does not reach: {words}")


def test_the_keyboard_alone_writes_a_note_and_hears_that_it_is_saved(
    clerk: Visit, stories: dict[str, tuple[str, str]], cases_site: Site
) -> None:
    page = clerk.page
    page.goto(f"{cases_site.address}/cases/{stories['Amina'][0]}/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    page.keyboard.press("Enter")
    tab_to(page, "Notes and tasks")
    page.keyboard.press("Enter")
    page.wait_for_url("**/part/work")
    tab_to(page, "Write a note")
    page.keyboard.press("Enter")
    page.wait_for_url("**/do/note")
    page.focus("textarea")
    page.keyboard.type("Her sister rings on Friday.")
    tab_to(page, "Save")
    page.keyboard.press("Enter")
    page.wait_for_url("**/part/work")
    said = page.locator("[role=status]")
    assert said.count() == 1  # one live region
    expect(said).to_contain_text(re.compile(r"Saved \d\d:\d\d"))
    expect(page.get_by_text("Her sister rings on Friday.")).to_be_visible()


def test_a_name_that_is_typed_hints_without_taking_the_focus(
    clerk: Visit, stories: dict[str, tuple[str, str]], cases_site: Site
) -> None:
    page = clerk.page
    page.goto(f"{cases_site.address}/cases/new")
    page.focus("#id_names")
    page.keyboard.type("Aminata Dialo", delay=5)
    page.fill("#id_names", "")
    page.keyboard.type("Amina Diallo", delay=5)
    page.wait_for_selector(f"#hints :text('{stories['Amina'][0]}')")
    assert page.evaluate("document.activeElement.id") == "id_names"
    expect(page.locator("#sj-said")).to_contain_text("may be of the same person")
    assert "Amina" not in page.url
    assert find_violations(page) == []
    assert clerk.complaints == []


def test_money_is_added_live_the_focus_moves_and_a_slip_keeps_what_was_typed(
    clerk: Visit, stories: dict[str, tuple[str, str]], cases_site: Site
) -> None:
    page = clerk.page
    page.goto(f"{cases_site.address}/cases/{stories['Amina'][0]}/part/money")
    page.get_by_role("radio", name="Held").check()
    page.fill("#id_what", "a ticket")
    page.fill("#id_amount", "120.50")
    page.fill("#id_currency", "EUR")
    page.get_by_role("button", name="Add").click()
    page.wait_for_selector(".sj-sums :text('120.50')")
    expect(page.locator(":focus")).to_have_text("Money")
    expect(page.locator("#sj-said")).to_contain_text("Saved")
    assert find_violations(page) == []
    assert clerk.complaints == []
    page.fill("#id_what", "a taxi")
    page.fill("#id_amount", "much")
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/do/money")
    expect(page.locator(".govuk-error-summary")).to_be_visible()
    assert page.input_value("#id_amount") == "much"
    assert page.input_value("#id_what") == "a taxi"
    assert find_violations(page) == []


def test_a_case_is_opened_and_a_consent_withdrawn_without_script(
    browser: Browser, cases_site: Site, stories: dict[str, tuple[str, str]]
) -> None:
    seen = sign_in(browser, cases_site, "counsellor", script=False)
    page = seen.page
    page.goto(f"{cases_site.address}/cases/new")
    page.fill("#id_names", "Amina Diallo")
    page.select_option("#id_language", "fr")
    follow(page.get_by_role("button", name="Open the case"))
    assert page.get_by_role("link", name=stories["Amina"][0]).is_visible()
    follow(page.get_by_role("button", name="It is somebody else"))
    assert page.locator("h1").inner_text().startswith("Case")
    page.goto(f"{cases_site.address}/cases/{stories['Koval'][0]}/")
    chips = page.locator(".sj-chip:has(button)")
    before = chips.count()
    follow(chips.filter(has_text="embassy").first.get_by_role("button"))
    page.goto(f"{cases_site.address}/cases/{stories['Koval'][0]}/")
    assert page.locator(".sj-chip:has(button)").count() == before - 1
    page.context.close()


def test_a_session_that_ends_in_mid_form_gives_the_words_back(
    clerk: Visit, stories: dict[str, tuple[str, str]], cases_site: Site, tmp_path: Path
) -> None:
    page = clerk.page
    page.goto(f"{cases_site.address}/cases/{stories['Amina'][0]}/do/note")
    page.fill("textarea", "She wants to wait for her brother.")
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/accounts/login/**")
    page.fill("#id_login", "counsellor")
    page.fill("#id_password", PASSWORD)
    follow(page.get_by_role("button", name="Sign in"))
    assert page.url.endswith("/do/note")
    assert page.input_value("textarea") == "She wants to wait for her brother."
    assert page.get_by_text("You were signed out in between").is_visible()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/part/work")
    assert page.get_by_text("She wants to wait for her brother.").is_visible()


MORE_FORMS = ("request-document", "journey", "hold", "confirm-departure", "not-safe", "task",
              "ask-screening", "screen", "stop-clock", "assign", "transfer", "plan", "help",
              "code", "withdraw-all")  # fmt: skip


def another_token(page: Page, site: Site) -> None:
    """As if somebody had signed in anew in another window."""
    page.context.add_cookies([{"name": "csrftoken", "value": "b" * 32, "url": site.address}])


@pytest.mark.parametrize("width", [1280, 360])
def test_forms_and_pages_that_are_met_on_the_way_meet_wcag_too(
    browser: Browser, cases_site: Site, stories: dict[str, tuple[str, str]], width: int
) -> None:
    seen = sign_in(browser, cases_site, "counsellor", width=width)
    page, (reference, person) = seen.page, stories["Amina"]
    for name in MORE_FORMS:
        answer = page.goto(f"{cases_site.address}/cases/{reference}/do/{name}?person={person}")
        assert answer is not None
        assert answer.status == 200, name
        assert find_violations(page) == [], name
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{name} scrolls sideways"
    page.goto(f"{cases_site.address}/cases/{reference}/do/task")
    follow(page.get_by_role("button", name="Save"))  # nothing was written
    expect(page.locator(".govuk-error-summary")).to_be_visible()
    assert find_violations(page) == []
    page.goto(f"{cases_site.address}/cases/{reference}/part/safeguards")
    follow(page.get_by_role("link", name="Open the answers").first)
    assert find_violations(page) == []
    page.fill("textarea", "To plan the escort.")
    follow(page.get_by_role("button", name="Open it"))
    assert page.get_by_text("The person can read that").is_visible()
    assert find_violations(page) == []
    page.context.close()


def test_a_case_is_found_by_the_keyboard(
    clerk: Visit, stories: dict[str, tuple[str, str]], cases_site: Site
) -> None:
    page = clerk.page
    page.goto(f"{cases_site.address}/cases/today")
    tab_to(page, "Find")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/find")
    page.focus("#id_words")
    page.keyboard.type("Amina Diallo")
    page.keyboard.press("Enter")
    page.wait_for_selector("#found")
    assert "Amina" not in page.url
    assert find_violations(page) == []
    tab_to(page, stories["Amina"][0])
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{stories['Amina'][0]}/")
    page.goto(f"{cases_site.address}/cases/find")
    follow(page.get_by_role("button", name="Find"), "Enter")
    expect(page.locator(".govuk-error-summary")).to_be_visible()
    assert find_violations(page) == []
    assert page.title().startswith("Error: ")


def test_money_typed_into_a_part_of_an_old_page_is_led_to_its_form(
    clerk: Visit, stories: dict[str, tuple[str, str]], cases_site: Site
) -> None:
    page = clerk.page
    page.goto(f"{cases_site.address}/cases/{stories['Amina'][0]}/part/money")
    page.get_by_role("radio", name="Paid").check()
    page.fill("#id_what", "a taxi to the embassy")
    page.fill("#id_amount", "17.25")
    page.fill("#id_currency", "EUR")
    another_token(page, cases_site)
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/do/money")
    assert page.input_value("#id_what") == "a taxi to the embassy"
    assert page.input_value("#id_amount") == "17.25"
    assert find_violations(page) == []
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/part/money")
    assert page.get_by_text("a taxi to the embassy").is_visible()


def test_hints_end_quietly_and_the_form_is_given_back(clerk: Visit, cases_site: Site) -> None:
    page = clerk.page
    page.goto(f"{cases_site.address}/cases/new")
    another_token(page, cases_site)
    page.focus("#id_names")
    page.keyboard.type("Binta Sow", delay=5)
    page.wait_for_selector("#hints :text('no hints now')")
    assert page.input_value("#id_names") == "Binta Sow"
    assert page.evaluate("document.activeElement.id") == "id_names"
    assert find_violations(page) == []
    page.select_option("#id_language", "fr")
    follow(page.get_by_role("button", name="Open the case"))
    assert page.input_value("#id_names") == "Binta Sow"
    page.get_by_role("button", name="Open the case").click()
    page.wait_for_selector("h1:has-text('Case')")


def test_a_double_click_writes_one_note(
    clerk: Visit, stories: dict[str, tuple[str, str]], cases_site: Site
) -> None:
    page = clerk.page
    page.goto(f"{cases_site.address}/cases/{stories['Amina'][0]}/do/note")
    page.fill("textarea", "Written with two clicks.")
    page.get_by_role("button", name="Save").dblclick()
    page.wait_for_url("**/part/work")
    assert page.get_by_text("Written with two clicks.").count() == 1
