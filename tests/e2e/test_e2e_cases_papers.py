"""Files, letters, erasures, rules, reports, other systems in a real browser: axe, 360 px."""

from __future__ import annotations

import os
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

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
FILL = """
import sys
from pathlib import Path
from sojourn.pipeline import open_office
from sojourn_web.hosting import configure
configure(open_office(Path(sys.argv[1])), demo=False)
from django.contrib.auth.models import User
from sojourn_web.cases.services import erasing, moving, opening
from sojourn_web.cases.services.opening import NewPerson
from sojourn_web.cases.services.room import room_now
from sojourn_web.cases.visibility import Actor, actor_of
from sojourn_web.cases.vocabulary import Who
actor = actor_of(User.objects.get(username="supervisor"))
for n in range(25):
    opened = opening.open_case(room_now(), actor, actor.office_id,
        [NewPerson("\\u0623\\u0645\\u064a\\u0646\\u0629", language="ar")], key=f"k{n}",
        language="ar")
    me = Actor(Who.APPLICANT, case_id=opened.done.case_id, person_id=opened.person_id)
    if n % 2:
        moving.withdraw(room_now(), me, opened.done.case_id)
    if n in (0, 1):
        erasing.ask_erasure(room_now(), me, opened.done.case_id)
print(opened.done.reference)
"""


@pytest.fixture(scope="module")
def site_and_case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    home = tmp_path_factory.mktemp("office")
    run_sojourn(home, "keys", "new")
    run_sojourn(home, "account", "supervisor", "--role", "supervisor", "--place", "North",
                SOJOURN_PASSWORD=PASSWORD)  # fmt: skip
    reference = subprocess.run(
        [sys.executable, "-c", FILL, str(home)], check=True, capture_output=True, text=True,
        env=environment(),
    ).stdout.split()[-1]  # fmt: skip
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "sojourn", "serve", "--home", str(home), "--port", str(port),
         "--no-watch"], env=environment(),
    )  # fmt: skip
    try:
        wait_until_up(f"http://127.0.0.1:{port}", process)
        yield Site(f"http://127.0.0.1:{port}", home), reference
    finally:
        stop(process)


@pytest.fixture(params=[1280, 360])
def page(
    request: pytest.FixtureRequest, browser: Browser, site_and_case: tuple[Site, str]
) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": request.param, "height": 900}, accept_downloads=True
    )
    found = context.new_page()
    found.goto(f"{site_and_case[0].address}/accounts/login/")
    found.fill("#id_login", "supervisor")
    found.fill("#id_password", PASSWORD)
    follow(found.get_by_role("button", name="Sign in"))
    yield found
    context.close()


def test_every_page_is_accessible_and_fits(page: Page, site_and_case: tuple[Site, str]) -> None:
    site, reference = site_and_case
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    places = ("erasures", "keeping", "reports", "systems", f"{reference}/files",
              f"{reference}/letters")  # fmt: skip
    for place in places:
        page.goto(f"{site.address}/cases/{place}")
        assert page.locator("h1").count() == 1, place
        assert find_violations(page) == [], place
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
        if folder := os.environ.get("SOJOURN_SHOTS"):
            width = page.viewport_size["width"] if page.viewport_size else 0
            name = f"papers-{place.rsplit('/', maxsplit=1)[-1]}-{width}.png"
            page.screenshot(path=str(Path(folder) / name), full_page=True)
    assert not complaints


def test_a_letter_a_file_and_a_token_by_hand(page: Page, site_and_case: tuple[Site, str]) -> None:
    site, reference = site_and_case
    page.goto(f"{site.address}/cases/{reference}/letters")
    page.select_option("#kind", "appointment")
    page.fill("#day", "2099-03-20")
    page.fill("#time", "14:30")
    page.fill("#place", "Rue 12")
    with page.expect_download() as letter:
        page.get_by_role("button", name="Make the letter").press("Enter")
    assert letter.value.suggested_filename == f"letter {reference}.pdf"
    assert Path(letter.value.path()).read_bytes().startswith(b"%PDF-")
    page.goto(f"{site.address}/cases/{reference}/files")
    body = {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"not a PDF at all, truly"}
    page.set_input_files("#file", body)  # type: ignore[arg-type]
    follow(page.get_by_role("button", name="Add the file"))
    assert "another kind of file" in page.inner_text("main")
    assert find_violations(page) == []
    page.goto(f"{site.address}/cases/{reference}/files")
    page.set_input_files("#file", body | {"buffer": b"%PDF-1.7\n1 0 obj\n%%EOF\n"})  # type: ignore[arg-type]
    follow(page.get_by_role("button", name="Add the file"))
    assert "not scanned yet" in page.inner_text("main")
    assert "No virus scanner is set up" in page.inner_text("main")
    assert find_violations(page) == []
    page.goto(f"{site.address}/cases/systems")
    page.fill("#name", "Booking desk")
    page.check("#scope-read_counts")
    follow(page.get_by_role("button", name="Make a token"))
    assert page.inner_text(".sp-token").startswith("sojourn-cases-")
    page.goto(f"{site.address}/cases/systems")
    assert page.locator(".sp-token").count() == 0
    assert find_violations(page) == []
