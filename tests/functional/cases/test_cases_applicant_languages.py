"""The person's pages in every language: direction, drafts, weight, nothing that needs a script."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils.translation import gettext
from pytest_django.fixtures import Settings

from lib.cast import AMINA, Cast, open_for, people_of
from sojourn_web.cases.applicant.languages import all_languages
from sojourn_web.cases.services import checks, opening

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
PUBLIC = ("/return/", "/return/begin", "/return/enter", "/return/join")
MINE = ("", "ask/about/names", "ask/about/birth_date", "ask/needs/claims", "ask/wishes/why", "held",
        "files", "log", "family", "family/child", "consents", "consents/embassy", "complain",
        "appeal", "rate", "erase")  # fmt: skip
BUDGET = 100_000


@pytest.fixture
def visitor(client: Client, office: Cast) -> Client:
    case = open_for(office, AMINA)
    checks.refer_not_safe(office.room, office.counsellor, case.pk, reason="Threats.", key="s")
    person = people_of(case)[0]
    code = opening.issue_code(office.room, office.counsellor, case.pk, person.pk, key="c")
    client.post("/return/enter", {"reference": case.reference, "code": code})
    return client


def pages(client: Client, language: str) -> dict[str, str]:
    addresses = [*PUBLIC, *(f"/return/case/{p}" for p in MINE)]
    found = {}
    for address in addresses:
        answer = client.get(address, {"lang": language})
        assert answer.status_code == 200, address
        assert answer["Content-Language"] == language
        found[address] = answer.content.decode()
    return found


def test_every_page_in_every_language(visitor: Client) -> None:
    for language in all_languages():
        for address, page in pages(visitor, language.code).items():
            assert f'<html lang="{language.code}" dir="{language.direction}"' in page, address
            sheet = "rtl.min.css" if language.right_to_left else "frontend.min.css"
            assert sheet in page
            assert ("rt-draft" in page) is not language.reviewed
            assert "data-leave" in page
            assert 'href="/return/leave"' in page
            # Neither inline script nor inline style, and no form that a script would send.
            assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:|<script>", page), address
            assert page.count("<h1") == 1, address
            assert "{reference}" not in page


def test_a_page_with_all_that_it_loads_stays_light(visitor: Client) -> None:
    static = Path(django_settings.STATICFILES_DIRS[0])
    for language in ("en", "ar", "ti"):
        for address, page in pages(visitor, language).items():
            loaded = re.findall(r'(?:href|src)="/static/([^"]+)"', page)
            assert loaded
            total = len(gzip.compress(page.encode()))
            total += sum(len(gzip.compress((static / name).read_bytes())) for name in loaded)
            assert total < BUDGET, f"{address}: {total:,} bytes"


def test_the_browsers_language_then_the_chosen_one(client: Client) -> None:
    for accepted, wanted in (("prs,en;q=0.5", "fa"), ("kmr", "ku"), ("xx", "en"), ("", "en"),
                             ("ti-ER, am", "ti")):  # fmt: skip
        page = Client().get("/return/", headers={"accept-language": accepted})
        assert page["Content-Language"] == wanted
    client.get("/return/?lang=uk")
    assert client.get("/return/enter")["Content-Language"] == "uk"
    assert client.get("/return/?lang=tlh")["Content-Language"] == "uk"


def test_what_is_not_translated_is_marked_as_english(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a phrase has changed: the catalogue has nothing for it yet."""
    english = '<span lang="en" dir="ltr">'
    assert english not in client.get("/return/?lang=ti").content.decode()
    new = "You can stop at any time until you leave, without a reason."
    monkeypatch.setattr(
        "sojourn_web.cases.applicant.languages.gettext", lambda p: p if p == new else gettext(p)
    )
    page = client.get("/return/?lang=ti").content.decode()
    assert page.count(english) == page.count(f"{english}{new}</span>") == 1
    assert "ነጻ እዩ" in page


def test_codes_and_dates_keep_their_direction(visitor: Client) -> None:
    page = visitor.get("/return/case/?lang=ar").content.decode()
    assert re.search(r"<h1[^>]*>ملفك <bdi>[0-9A-Z]{4}-[0-9A-Z]{4}</bdi></h1>", page)
    assert re.search(r"<bdi><time datetime=", page)


def test_their_language_comes_along_to_another_telephone(visitor: Client) -> None:
    assert visitor.get("/return/case/")["Content-Language"] == "fr"  # Amina's
    visitor.get("/return/case/?lang=ar")
    assert visitor.get("/return/case/")["Content-Language"] == "ar"


def test_a_recording_is_played_where_there_is_one(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sojourn_web.cases.templatetags.return_words.STATIC", tmp_path)
    (tmp_path / "audio" / "so").mkdir(parents=True)
    (tmp_path / "audio" / "so" / "landing.mp3").write_bytes(b"ID3")
    assert "<audio" in client.get("/return/?lang=so").content.decode()
    assert "<audio" not in client.get("/return/?lang=en").content.decode()
    assert "media-src 'self'" in client.get("/return/")["Content-Security-Policy"]


def test_somebody_outside_the_office_is_named_where_the_office_says_who(
    visitor: Client, settings: Settings
) -> None:
    address = "/return/case/complain?lang=en"
    assert "outside this office" not in visitor.get(address).content.decode()
    settings.RETURN_COMPLAINTS = "The ombudsperson, 0800 123"
    page = visitor.get(address).content.decode()
    assert "<bdi>The ombudsperson, 0800 123</bdi>" in page


def test_staff_pages_stay_in_english(client: Client) -> None:
    client.get("/return/?lang=ar")
    assert '<html lang="en"' in client.get("/accounts/login/").content.decode()
