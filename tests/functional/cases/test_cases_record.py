"""A person's own record as a PDF: in their language and in English, with who opened it and why."""

from __future__ import annotations

import os
import re
import sys
import zlib
from html import unescape

import pytest
from django.db import connections
from django.test import Client

from lib.cast import AMINA, CHILD, IBRAHIM, Cast, open_for, people_of
from lib.visitor import HOME, enter
from sojourn.errors import SetupError
from sojourn_web.cases.letters.printing import print_page
from sojourn_web.cases.limits import Rate
from sojourn_web.cases.services import answers, looking, work
from sojourn_web.cases.services.opening import NewPerson

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
RECORD = f"{HOME}my-record.pdf"


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pages that were laid out; laying out goes on as ever."""
    pages: list[str] = []

    def see(page: str) -> bytes:
        pages.append(page)
        return print_page(page)

    monkeypatch.setattr("sojourn_web.cases.applicant.views_rights.print_page", see)
    return pages


WATCHED: list[list[str]] = [[]]
WRITES = os.O_WRONLY | os.O_RDWR


def _notice(event: str, told: tuple[object, ...]) -> None:
    if event == "open" and isinstance(told[2], int) and told[2] & WRITES:
        WATCHED[-1].append(str(told[0]))


sys.addaudithook(_notice)


def watch_writing() -> list[str]:
    """A new list, to which every file is added that Python opens to write."""
    WATCHED.append([])
    return WATCHED[-1]


def opened(pdf: bytes) -> str:
    """Its streams, unpacked: what a reader finds of it. One in 256 ends with a byte that is also
    a carriage return: its check sum is then short of it, which an open-ended reader minds not.
    """
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S)
    read = (zlib.decompressobj().decompress(p) for p in packed if p[:1] == b"x")
    return b"".join(read).decode("latin-1")


def words_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", page)).split())


def test_the_record_is_whole_in_two_languages_and_kept_nowhere(
    client: Client, office: Cast, printed: list[str]
) -> None:
    case = open_for(office, AMINA, CHILD)
    answers.save_answer(office.room, office.counsellor, case.pk, people_of(case)[0].pk, "wishes",
                        "when", "only_asking", based_on=0, key="a")  # fmt: skip
    looking.break_glass(office.room, office.stranger, case.reference,
                        reason="She called our office at night.")  # fmt: skip
    enter(client, case, office)
    assert RECORD in client.get(f"{HOME}held").content.decode()
    client.get(f"{RECORD}?lang=es")  # imports and fonts are there from now on
    printed.clear()
    written = watch_writing()
    answer = client.get(f"{RECORD}?lang=fr")
    watch_writing()
    assert written == []
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="my-record.pdf"'
    assert "no-store" in answer["Cache-Control"]
    assert answer.content.startswith(b"%PDF")
    assert "/Lang (fr)" in opened(answer.content)
    read = words_of(printed[0])
    for words in ("Amina Diallo", "Fatou Diallo", case.reference, "Zoe", "Ana",
                  "She called our office at night.", "Tout ce qui est conservé sur moi",
                  "Everything that is held about me", "Qui", "Who", "Date de naissance",
                  "Birth date", "I am only asking", "When do you think of returning?", "Pourquoi",
                  "Why", "This translation has not been reviewed."):  # fmt: skip
        assert words in read, words
    client.get(f"{RECORD}?lang=en")
    english = words_of(printed[1])
    assert "conservé" not in english
    assert english.count("Everything that is held about me") == 2  # the title and the heading


def test_codes_and_dates_keep_their_direction(
    client: Client, office: Cast, printed: list[str]
) -> None:
    case = open_for(office, NewPerson("محمد رضا", birth_date="1991-05-17", language="ar"))
    enter(client, case, office)
    client.get(f"{RECORD}?lang=ar")
    page = printed[0]
    assert '<html lang="ar" dir="rtl">' in page
    assert f'<bdi dir="ltr">{case.reference}</bdi>' in page
    assert '<bdi dir="ltr">1991-05-17</bdi>' in page
    assert '<bdi dir="rtl">محمد رضا</bdi>' in page
    assert not re.search(r"\d{4}-\d{2}-\d{2}", re.sub(r"<bdi.*?</bdi>", "", page))
    assert "كل ما هو محفوظ عني" in page


def test_nothing_of_another_adult_is_in_it_and_a_long_log_is_cut_with_a_word(
    client: Client, office: Cast, printed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = open_for(office, AMINA, IBRAHIM)
    work.add_note(office.room, office.counsellor, case.pk, "Ibrahim is afraid.", key="n")
    enter(client, case, office)
    assert client.get(f"{RECORD}?lang=en").status_code == 200
    read = words_of(printed[0])
    assert "Ibrahim" not in read
    assert "Amina Diallo" in read
    assert "Only the newest" not in read
    monkeypatch.setattr("sojourn_web.cases.applicant.views_rights.LINES", 1)
    client.get(f"{RECORD}?lang=en")
    assert "Only the newest lines are here." in words_of(printed[1])
    assert printed[1].count("<time") < printed[0].count("<time")
    assert people_of(case)[1].names.open(office.room.keys) == "Ibrahim Diallo"


@pytest.mark.django_db(databases=["default", "cases"], transaction=True)
def test_no_connection_is_held_while_a_page_is_laid_out(
    client: Client, office: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(client, open_for(office, AMINA), office)
    order: list[str] = []
    monkeypatch.setattr(connections["cases"], "close", lambda: order.append("closed"))

    def see(page: str) -> bytes:
        order.append("printed")
        return print_page(page)

    monkeypatch.setattr("sojourn_web.cases.applicant.views_rights.print_page", see)
    assert client.get(RECORD).status_code == 200
    assert order[:2] == ["closed", "printed"]


def test_one_person_has_six_a_minute_and_is_told_of_the_other_copies(
    client: Client, office: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sojourn_web.cases.applicant.views_rights.PDFS", Rate(2, 3600))
    enter(client, open_for(office, AMINA), office)
    assert [client.get(RECORD).status_code for _ in range(3)] == [200, 200, 429]
    refused = client.get(RECORD)
    assert "Save one of the others" in refused.content.decode()
    assert int(refused["Retry-After"]) >= 1
    enter(other := Client(), open_for(office, IBRAHIM), office)
    assert other.get(RECORD).status_code == 200


def test_without_the_printer_the_other_copies_are_named(
    client: Client, office: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(client, open_for(office, AMINA), office)

    def missing(page: str) -> bytes:
        raise SetupError("no Pango")

    monkeypatch.setattr("sojourn_web.cases.applicant.views_rights.print_page", missing)
    answer = client.get(f"{RECORD}?lang=en")
    assert answer.status_code == 503
    assert "Save one of the others" in answer.content.decode()
    assert Client().get(RECORD).status_code == 302
