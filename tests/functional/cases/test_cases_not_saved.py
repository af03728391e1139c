"""What a person sent and was not kept: said as it is, and given back where it is theirs."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from lib.cast import AMINA, Cast, open_for
from lib.visitor import HOME, begin, enter, hidden
from sojourn_web.cases import sniffing
from sojourn_web.cases.applicant import views_case, views_files
from sojourn_web.cases.applicant.catalogues import phrases
from sojourn_web.cases.errors import KeysAwayError, RefusedError
from sojourn_web.cases.limits import Rate
from sojourn_web.cases.models import Answer, Attachment, Visit
from sojourn_web.cases.scanning import Verdict

pytestmark = [
    pytest.mark.django_db(databases=["default", "cases"]),
    pytest.mark.usefixtures("pages_of_persons"),
]
PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\ntrailer\n%%EOF\n"
WHY, FILES = f"{HOME}ask/wishes/why", f"{HOME}files"
WORDS, TYPED = "Her brother & I", "Her brother &amp; I"
LOST, HERE, MAYBE = "Nothing is lost", "is here and is not saved", "may not be saved"
FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
POINTS = re.compile(r'aria-describedby="([^"]+)"')


@pytest.fixture
def visitor(client: Client, office: Cast) -> Client:
    begin(client, office)
    client.raise_request_exception = False
    return client


class Trouble:
    """The saving of an answer fails while ``now``."""

    now: Exception | None = None


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Trouble:
    found, save = Trouble(), views_case._save

    def save_or_fail(asked: object, question: object) -> bool:
        if found.now is not None:
            raise found.now
        return save(asked, question)  # type: ignore[arg-type]

    monkeypatch.setattr(views_case, "_save", save_or_fail)
    return found


@pytest.mark.parametrize(
    ("error", "status"), [(ZeroDivisionError(), 500), (KeysAwayError("away"), 503)]
)
def test_words_that_were_not_saved_come_back_and_are_sent_once_more(
    visitor: Client, trouble: Trouble, error: Exception, status: int
) -> None:
    form = hidden(visitor.get(WHY).content.decode())
    trouble.now = error
    answer = visitor.post(WHY, form | {"value": WORDS})
    page = answer.content.decode()
    assert answer.status_code == status
    assert LOST not in page
    assert HERE in page
    assert f"<bdi>{TYPED}</bdi>" in page
    assert f'action="{WHY}"' in page
    trouble.now = None
    again = {n: v.replace("&amp;", "&") for n, v in FIELD.findall(page.split(f'"{WHY}"')[1])}
    assert visitor.post(WHY, again).status_code == 302
    assert Answer.objects.count() == 1
    assert TYPED in visitor.get(WHY).content.decode()


@pytest.mark.parametrize("owner", ["", "forged", "another's"])
def test_without_its_owner_nothing_typed_is_shown_and_nothing_is_promised(
    visitor: Client, trouble: Trouble, office: Cast, owner: str
) -> None:
    if owner == "another's":
        other = Client()
        begin(other, office)
        owner = hidden(other.get(WHY).content.decode())["owner"]
    trouble.now = ZeroDivisionError()
    page = visitor.post(WHY, {"owner": owner, "value": WORDS, "key": "k"}).content.decode()
    assert "Her brother" not in page
    assert LOST not in page


def test_a_button_that_failed_does_not_say_that_nothing_is_lost(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> object:
        raise ZeroDivisionError

    form = hidden(visitor.get(HOME).content.decode())
    monkeypatch.setattr("sojourn_web.cases.services.moving.withdraw", fails)
    page = visitor.post(f"{HOME}withdraw", form).content.decode()
    assert LOST not in page
    assert MAYBE in page


def test_a_key_that_is_not_there_does_not_come_back_by_waiting(
    client: Client, office: Cast, settings: Settings
) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    found = [p for p in Path(settings.CASES_KEYS).rglob("*") if case.key_id in p.name]
    assert found
    for path in found:
        path.unlink()
    answer = client.get(f"{HOME}held")
    page = answer.content.decode()
    assert answer.status_code == 503
    assert "its key is not here" in page
    assert "few minutes" not in page


@pytest.mark.parametrize("size", [10 * 2**20 + 1, 11 * 2**20 + 1])
def test_a_photo_that_is_too_large_is_told_so(visitor: Client, size: int) -> None:
    form = hidden(visitor.get(FILES).content.decode())
    photo = SimpleUploadedFile("photo.jpg", b"\xff\xd8\xff" + bytes(size))
    page = visitor.post(FILES, {**form, "file": photo}).content.decode()
    assert "Expected 10 MB at most" in page
    assert "Choose a file first" not in page
    assert "Choose a file first" in visitor.post(FILES, form).content.decode()


def test_who_sends_many_files_is_told_how_long_it_takes(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views_files, "HANDED_IN", Rate(1, 3600))
    for n in range(3):
        answer = visitor.post(FILES, {"key": str(n)})
    assert answer.status_code == 429
    assert "after an hour" in answer.content.decode()
    assert "ten minutes" not in answer.content.decode()
    left = 3600 - int(timezone.now().timestamp()) % 3600
    assert left <= int(answer["Retry-After"]) <= left + 5 or left > 3590


class Infected:
    def scan(self, content: bytes) -> Verdict:
        return Verdict.INFECTED


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"plain words and no more"),
        ("a.pdf", b""),
        ("a.png", PDF),
        ("a.pdf", PDF[:-6]),
        ("a.pdf", PDF.replace(b"/Catalog", b"/Catalog/JavaScript 3")),
        ("a.pdf", PDF.replace(b"/Catalog", b"/Catalog/Encrypt 9 0 R")),
        ("a.pdf", PDF),  # with a virus
    ],
)
def test_why_a_file_is_refused_stands_in_every_language(
    visitor: Client, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    monkeypatch.setattr(views_files, "installed_scanner", Infected)
    form = hidden(visitor.get(f"{FILES}?lang=fr").content.decode())
    answer = visitor.post(FILES, {**form, "file": SimpleUploadedFile(name, content)})
    page = answer.content.decode()
    assert answer.status_code == 409
    try:
        sniffing.sniff(content, name)
        said = (
            "The scanner found a virus in this file, so it was not kept. Take a photograph of "
            "the page with another device."
        )
    except RefusedError as refusal:
        (said,) = refusal.reasons
    assert said in phrases()
    assert said not in page
    assert not Attachment.objects.exists()


def test_a_file_of_an_old_window_is_asked_for_again(office: Cast) -> None:
    case = open_for(office, AMINA)
    client = Client(enforce_csrf_checks=True)
    plain = Client()
    code = enter(plain, case, office)
    client.cookies = plain.cookies
    form = hidden(client.get(FILES).content.decode())
    sent = {**form, "file": SimpleUploadedFile("a.pdf", PDF)}
    answer = client.post(FILES, sent, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code in (403, 409)
    assert "The file was not sent. Choose it again" in answer.content.decode()
    assert "What you typed is here" not in answer.content.decode()
    Visit.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    sent["file"] = SimpleUploadedFile("a.pdf", PDF)
    kept = hidden(plain.post(FILES, sent).content.decode())["kept"]
    page = plain.post("/return/enter", {"reference": case.reference, "code": code, "kept": kept})
    assert "The file was not sent. Choose it again" in page.content.decode()
    assert "What you typed is here" not in page.content.decode()


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        ("family/child", {"value": "", "belongs": "parent"}),
        ("family/child", {"value": "Fatou", "year": "2017", "belongs": ""}),
        ("family/child", {"value": "Fatou", "year": "3017", "belongs": "parent"}),
        ("ask/about/birth_date", {"year": "3017", "calendar": "gregorian"}),
        ("consents/embassy", {"understood": "", "stage": "", "declaration": "", "lang": "fr"}),
        ("consents/embassy", {"understood": "fr", "stage": "", "declaration": "", "lang": "fr"}),
    ],
)
def test_fields_point_to_words_that_are_on_the_page(
    visitor: Client, office: Cast, place: str, fields: dict[str, str]
) -> None:
    from sojourn_web.cases.vocabulary import Purpose

    if "declaration" in fields:
        fields = fields | {"declaration": str(office.wordings[Purpose.EMBASSY].pk)}
    address = HOME + place
    if fields.get("lang"):
        visitor.get(f"{HOME}?lang=fr")
    form = hidden(visitor.get(address).content.decode())
    answer = visitor.post(address, form | fields)
    page = answer.content.decode()
    assert answer.status_code == 409
    for ids in POINTS.findall(page):
        for one in ids.split():
            assert f'id="{one}"' in page, one
