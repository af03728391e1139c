"""Files are what their bytes say and wait for the scanner; letters are told of and not kept."""

from __future__ import annotations

import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connections

from lib.cast import (
    AMINA,
    CHILD,
    IBRAHIM,
    LEAVES,
    Cast,
    applicant_of,
    key,
    open_for,
    people_of,
    to_travel,
)
from sojourn_web.cases.errors import NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.letters.printing import as_html, render_letter
from sojourn_web.cases.letters.wordings import find_phrases, phrase_names, shipped_languages
from sojourn_web.cases.letters.writing import HOLE, LetterKind, Told, write_letter
from sojourn_web.cases.models import AccessEvent, Attachment, AuditEvent, Case, Declaration
from sojourn_web.cases.scanning import ClamdScanner, NoScanner, Verdict
from sojourn_web.cases.services import files, letters, looking, moving
from sojourn_web.cases.services.opening import NewPerson
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import Who, Wording

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\nAmina Diallo\n%%EOF\n"


def packed(objects: bytes) -> bytes:
    """An object stream, as most PDFs of today hold their objects."""
    return (
        b"2 0 obj<</Type/ObjStm/Filter/FlateDecode>>stream\r\n"
        + zlib.compress(objects)
        + (b"\r\nendstream endobj")
    )


def png() -> bytes:
    """One white point."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\xff"))
        + chunk(b"IEND", b"")
    )  # fmt: skip


@dataclass
class Daemon:
    """Speaks clamd's INSTREAM on a socket: finds a virus where the bytes say EICAR."""

    address: str
    seen: list[int]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    place = tmp_path / "clamd.sock"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(place))
    server.listen()
    found = Daemon(f"unix:{place}", [])

    def serve() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line, line.makefile("rb") as stream:
                if stream.read(10) != b"zINSTREAM\0":
                    continue
                body = b""
                while size := struct.unpack(">I", stream.read(4))[0]:
                    body += stream.read(size)
                found.seen.append(len(body))
                bad = b"EICAR" in body
                line.sendall(b"stream: Eicar FOUND\0" if bad else b"stream: OK\0")

    threading.Thread(target=serve, daemon=True).start()
    yield found
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def hand_in(cast: Cast, case: Case, actor: Actor, content: bytes = PDF, **more: object) -> object:
    ask = {"name": "passport.pdf", "kind": "document", "key": key(), "scanner": NoScanner(), **more}
    return files.hand_in(cast.room, actor, case.pk, content, **ask)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        (b"MZ\x90\x00" + bytes(40), "letter.pdf", "another kind of file"),
        (b"<html><script>alert(1)</script></html>", "scan.png", "another kind of file"),
        (png(), "passport.pdf", "The name of this file"),
        (PDF, "photo.exe", "The name of this file"),
        (PDF.replace(b"%%EOF", b""), "a.pdf", "ends too early"),
        (png()[:-20], "a.png", "ends too early"),
        (PDF.replace(b"/Catalog", b"/Catalog/J#61vaScript 3"), "a.pdf", "holds a program"),
        (
            PDF.replace(b"Amina", packed(b"4 0 <</S/JavaScript/JS(app.alert)>>")),
            "a.pdf",
            "holds a program",
        ),
        (PDF.replace(b"/Catalog", b"/Catalog/Enc#72ypt 9 0 R"), "a.pdf", "is locked"),
        (b"", "a.pdf", "is empty"),
        (PDF + bytes(10 * 2**20), "a.pdf", "10 MB"),
    ],
)
def test_a_file_that_lies_is_refused_with_what_to_do(
    cast: Cast, content: bytes, name: str, why: str
) -> None:
    case = open_for(cast)
    with pytest.raises(RefusedError, match=why):
        hand_in(cast, case, applicant_of(case), content, name=name)
    assert not Attachment.objects.exists()


def test_a_pdf_of_today_with_its_objects_packed_is_taken(cast: Cast) -> None:
    """And one that would unpack to far more than it says is not unpacked whole."""
    case = open_for(cast)
    for inside in (b"4 0 <</Type/Page>>", bytes(60 * 2**20)):
        hand_in(cast, case, applicant_of(case), PDF.replace(b"Amina", packed(inside)))
    assert Attachment.objects.count() == 2


def test_nothing_opens_before_the_scanner_and_the_database_holds_no_plaintext(
    cast: Cast, daemon: Daemon
) -> None:
    case = open_for(cast)
    me = applicant_of(case)
    done = hand_in(cast, case, me, name='../..\\"Amina Diallo.pdf')
    assert "not been scanned" in done.remarks[0]  # type: ignore[attr-defined]
    row = Attachment.objects.get()
    for actor in (me, cast.counsellor):
        with pytest.raises(RefusedError, match="not been scanned"):
            files.open_file(cast.room, actor, case.pk, row.pk)
    clock = Actor(Who.CLOCK, office_id=cast.office.pk, name="the schedule")
    nobody = ClamdScanner("unix:/nowhere/clamd.ctl")
    assert files.scan_again(cast.room, clock, case.pk, row.pk, nobody) is Verdict.NOT_SCANNED
    scanner = ClamdScanner(daemon.address)
    assert files.scan_again(cast.room, clock, case.pk, row.pk, scanner) is Verdict.CLEAN
    assert daemon.seen == [len(PDF)]
    opened = files.open_file(cast.room, cast.counsellor, case.pk, row.pk)
    assert (opened.content, opened.media_type) == (PDF, "application/pdf")
    assert opened.name == "Amina Diallo.pdf"
    assert "opened a file" in [line.what for line in looking.read_log(cast.room, me)]
    with connections["cases"].cursor() as cursor:
        for model in apps.get_app_config("cases").get_models():
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            for held in cursor.fetchall():
                assert not any(b"Amina" in bytes(v) for v in held if isinstance(v, bytes))
                assert "Amina" not in str(held)
    assert AuditEvent.objects.filter(case=case).count() == Case.objects.get().version


def test_a_virus_is_not_kept(cast: Cast, daemon: Daemon) -> None:
    case = open_for(cast)
    bad = PDF.replace(b"Amina", b"EICAR")
    with pytest.raises(RefusedError, match="found a virus"):
        hand_in(cast, case, applicant_of(case), bad, scanner=ClamdScanner(daemon.address))
    assert not Attachment.objects.exists()
    hand_in(cast, case, applicant_of(case), bad)  # the scanner was not there
    row = Attachment.objects.get()
    scanner = ClamdScanner(daemon.address)
    assert (
        files.scan_again(cast.room, cast.counsellor, case.pk, row.pk, scanner) is Verdict.INFECTED
    )
    assert not Attachment.objects.get().content
    with pytest.raises(RefusedError, match="found a virus"):
        files.open_file(cast.room, cast.counsellor, case.pk, row.pk)


def test_list_and_file_obey_one_rule(cast: Cast, daemon: Daemon) -> None:
    case = open_for(cast, AMINA, IBRAHIM, CHILD)
    amina, ibrahim = applicant_of(case), applicant_of(case, 1)
    scanner = ClamdScanner(daemon.address)
    hers = hand_in(cast, case, amina, scanner=scanner).row_id  # type: ignore[attr-defined]
    his = hand_in(cast, case, ibrahim, scanner=scanner).row_id  # type: ignore[attr-defined]
    child = people_of(case)[2].pk
    of_child = hand_in(cast, case, cast.counsellor, scanner=scanner, person_id=child)
    of_all = hand_in(cast, case, cast.counsellor, scanner=scanner)
    every = {hers, his, of_child.row_id, of_all.row_id}  # type: ignore[attr-defined]
    sees = {amina: {hers, of_child.row_id}, ibrahim: {his, of_child.row_id}, cast.counsellor: every}  # type: ignore[attr-defined]
    for actor, wanted in sees.items():
        listed = {line.id for line in files.list_files(cast.room, actor, case.pk)}
        assert listed == wanted
        for one in every:
            if one in wanted:
                assert files.open_file(cast.room, actor, case.pk, one).content == PDF
            else:
                with pytest.raises(NotVisibleError):
                    files.open_file(cast.room, actor, case.pk, one)
    for nobody in (cast.stranger, cast.auditor, cast.administrator, cast.medical):
        with pytest.raises(NotVisibleError):
            files.list_files(cast.room, nobody, case.pk)
    other = open_for(cast)
    with pytest.raises(NotVisibleError):  # the file of one case under the address of another
        files.open_file(cast.room, cast.counsellor, other.pk, hers)


def test_an_itinerary_in_two_languages_is_told_of_and_not_kept(cast: Cast) -> None:
    case = open_for(cast, NewPerson("أمينة", "AMINA", "1991", language="ar"), IBRAHIM, CHILD)
    to_travel(cast, case)
    before = [m.objects.count() for m in (Attachment, AuditEvent)]  # type: ignore[attr-defined]
    letter = letters.make_letter(
        cast.room, cast.counsellor, case.pk, people_of(case)[0].pk, LetterKind.ITINERARY
    )
    page = as_html(letter)
    assert [s.language for s in letter.sides] == ["ar", "en"]
    assert 'dir="rtl"' in page
    assert f'<bdi dir="ltr">{case.reference}</bdi>' in page
    assert "Ibrahim" not in page  # never another adult: who is in the plan is not told
    assert "Fatou Diallo" in page
    assert "SN 241" in page
    assert "<bdi>20 مارس 2026</bdi>" in page
    assert "float" not in page
    assert [s.is_reviewed for s in letter.sides] == [False, True]
    assert "مسودة" in page
    assert "Reviewed wording." in page
    assert render_letter(letter).startswith(b"%PDF-")
    assert [m.objects.count() for m in (Attachment, AuditEvent)] == before  # type: ignore[attr-defined]
    event = AccessEvent.objects.get(case=case, what="made a letter: itinerary")
    assert event.private_to == people_of(case)[0].pk
    his = looking.read_log(cast.room, applicant_of(case, 1))
    assert not [line for line in his if "letter" in line.what]


def test_letters_are_of_visible_cases_alone(cast: Cast) -> None:
    case = open_for(cast, AMINA, IBRAHIM)
    hers, his = people_of(case)
    ask = {"moment": LEAVES, "place": "Rue 12"}
    for nobody in (cast.stranger, cast.auditor, cast.administrator, cast.medical):
        with pytest.raises((NotVisibleError, NotAllowedError)):
            letters.make_letter(cast.room, nobody, case.pk, hers.pk, LetterKind.APPOINTMENT, **ask)  # type: ignore[arg-type]
    with pytest.raises(NotVisibleError):
        letters.make_letter(
            cast.room, applicant_of(case), case.pk, his.pk, LetterKind.APPOINTMENT, **ask  # type: ignore[arg-type]
        )  # fmt: skip
    with pytest.raises(RefusedError, match="No journey"):
        letters.make_letter(cast.room, cast.counsellor, case.pk, hers.pk, LetterKind.ITINERARY)
    with pytest.raises(RefusedError, match="time to come"):
        letters.make_letter(
            cast.room, cast.counsellor, case.pk, hers.pk, LetterKind.APPOINTMENT, place="Rue 12",
            moment=cast.room.now - timedelta(days=1),
        )  # fmt: skip
    with pytest.raises(RefusedError, match="not been ended"):
        letters.make_letter(cast.room, cast.counsellor, case.pk, hers.pk, LetterKind.ENDED)
    # Amina leaves the plan in private: her letter says so, his cannot be had.
    moving.withdraw(cast.room, applicant_of(case), case.pk)
    assert letters.make_letter(cast.room, applicant_of(case), case.pk, hers.pk, LetterKind.ENDED)
    with pytest.raises(RefusedError, match="not been ended"):
        letters.make_letter(cast.room, cast.counsellor, case.pk, his.pk, LetterKind.ENDED)


def test_a_language_without_a_wording_says_so(cast: Cast) -> None:
    case = open_for(cast, NewPerson("Asha", language="sw"))
    letter = letters.make_letter(
        cast.room, cast.counsellor, case.pk, people_of(case)[0].pk, LetterKind.APPOINTMENT,
        moment=LEAVES, place="Rue 12",
    )  # fmt: skip
    assert (letter.wanted, [s.language for s in letter.sides]) == ("sw", ["en"])
    assert "An interpreter reads this letter" in as_html(letter)


def test_an_office_s_reviewed_sentences_come_before_shipped_drafts(cast: Cast) -> None:
    for name in phrase_names():
        Declaration.objects.create(
            made_at=cast.room.now, purpose=f"letter:{name}", language="fr", version=2,
            state=Wording.REVIEWED, text=f"Revu {name} {{name}}", reviewed_by="Service juridique",
            reviewed_at=cast.room.now,
        )  # fmt: skip
    case = open_for(cast)
    letter = letters.make_letter(
        cast.room, cast.counsellor, case.pk, people_of(case)[0].pk, LetterKind.APPOINTMENT,
        moment=LEAVES, place="Rue 12",
    )  # fmt: skip
    assert letter.sides[0].language == "fr"
    assert letter.sides[0].is_reviewed
    assert "Revu appointment_1" in as_html(letter)


def test_every_shipped_language_has_every_sentence_with_its_holes() -> None:
    english = find_phrases("en")
    assert english
    for language in shipped_languages():
        held = find_phrases(language)
        assert held
        assert set(held.texts) == set(english.texts), language
        for name, text in english.texts.items():
            assert set(HOLE.findall(held.texts[name])) == set(HOLE.findall(text)), (language, name)
        assert bool(held.reviewed) == (language == "en")


@pytest.mark.parametrize("language", shipped_languages())
def test_a_letter_is_drawn_with_every_sign_of_its_language(
    language: str, caplog: pytest.LogCaptureFixture
) -> None:
    """WeasyPrint warns of each sign that no font on the machine has."""
    for kind in LetterKind:
        told = Told(
            kind=kind, reference="K7WX-2MDQ", name="Amina", office="Dakar", time_zone="UTC",
            written_at=LEAVES, signed_by="Sow", moment=LEAVES, place="Rue 12", children=("Fatou",),
            legs=({"from": "DSS", "to": "ABJ", "carrier": "HC", "flight": "HC 301"},), booking="A7",
        )  # fmt: skip
        letter = write_letter(told, language, "en")
        side = letter.sides[0]
        assert (letter.wanted, side.language) == ("", language)
        assert (side.direction == "rtl") == (language in settings.LANGUAGES_BIDI)
        assert render_letter(letter).startswith(b"%PDF-")
    assert "notdef" not in caplog.text
