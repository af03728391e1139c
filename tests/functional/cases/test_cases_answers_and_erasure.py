"""Nothing typed is lost, nothing is made twice, and what is erased is gone from backups too."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connections

from lib.cast import (
    AMINA,
    IBRAHIM,
    Cast,
    applicant_of,
    key,
    open_for,
    people_of,
    to_documents,
)
from sojourn_web.cases.errors import (
    ConflictError,
    ErasedError,
    NotAllowedError,
    NotVisibleError,
    RefusedError,
)
from sojourn_web.cases.fields import SealedField
from sojourn_web.cases.keys import FileCaseKeys
from sojourn_web.cases.models import (
    AuditEvent,
    BlindIndex,
    Case,
    CaseRow,
    MonthlyCount,
    Person,
    Tombstone,
    case_tables,
)
from sojourn_web.cases.services import (
    answers,
    checks,
    erasing,
    looking,
    moving,
    opening,
    travel,
    work,
)
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.states import Move, State
from sojourn_web.cases.visibility import VISITOR
from sojourn_web.cases.vocabulary import DocumentKind, Holder

pytestmark = pytest.mark.django_db(databases=["default", "cases"])


def test_two_people_who_edit_one_answer_lose_nothing(cast: Cast) -> None:
    case = open_for(cast)
    person = people_of(case)[0]
    ask = (case.pk, person.pk, "journey", "wishes")
    first = answers.save_answer(
        cast.room, applicant_of(case), *ask, "By train.", based_on=0, key=key()
    )
    assert (first.version, first.conflict_with) == (1, None)
    ana = answers.save_answer(
        cast.room, cast.counsellor, *ask, "By train, with her aunt.", based_on=1, key=key()
    )
    ben = answers.save_answer(cast.room, cast.colleague, *ask, "By bus.", based_on=1, key=key())
    assert (ana.version, ana.conflict_with) == (2, None)
    assert (ben.version, ben.conflict_with) == (3, 2)
    shown = answers.read_answers(cast.room, cast.counsellor, case, person.pk, "journey")
    assert [(v.value, v.is_current) for v in shown] == [
        ("By train, with her aunt.", True), ("By bus.", False)
    ]  # fmt: skip
    answers.settle_conflict(cast.room, cast.colleague, *ask, 3)
    shown = answers.read_answers(cast.room, cast.counsellor, case, person.pk, "journey")
    assert [(v.value, v.is_current) for v in shown] == [("By bus.", True)]


def test_a_second_click_makes_nothing_twice(cast: Cast) -> None:
    ask = (cast.room, cast.counsellor, cast.office.pk, [AMINA])
    one = opening.open_case(*ask, key="form-1", language="fr")
    two = opening.open_case(*ask, key="form-1", language="fr")
    assert (one.done.case_id, one.done.repeated, two.done.repeated) == (
        two.done.case_id, False, True
    )  # fmt: skip
    assert Case.objects.count() == 1
    case = Case.objects.get()
    notes = [work.add_note(cast.room, cast.counsellor, case.pk, "Once.", key="n") for _ in "ab"]
    assert notes[0].row_id == notes[1].row_id
    # Another actor's equal key is another form's.
    other = work.add_note(cast.room, cast.colleague, case.pk, "Mine.", key="n")
    assert other.row_id != notes[0].row_id
    with pytest.raises(RefusedError, match="load the page again"):
        work.add_note(cast.room, cast.counsellor, case.pk, "No key.", key="")


def test_a_stale_page_is_told_and_changes_nothing(cast: Cast) -> None:
    case = open_for(cast)
    version = Case.objects.get(pk=case.pk).version
    moving.move(cast.room, cast.counsellor, case.pk, Move.APPLY, version=version)
    with pytest.raises(ConflictError, match="look at it again"):
        moving.move(cast.room, cast.colleague, case.pk, Move.START_COUNSELLING, version=version)
    assert Case.objects.get(pk=case.pk).state == State.APPLICATION


def test_a_person_comes_back_by_reference_and_code(cast: Cast) -> None:
    ask = (cast.room, VISITOR, cast.office.pk, [AMINA])
    opened = opening.open_case(*ask, key="form-7", language="fr")
    again = opening.open_case(*ask, key="form-7", language="fr")
    assert opened.code == again.code != ""  # a lost answer loses no code
    reference = opened.done.reference
    actor = opening.enter(cast.room, reference.lower(), opened.code.replace("-", " "))
    assert (actor.case_id, actor.person_id) == (opened.done.case_id, opened.person_id)
    for _ in range(5):
        with pytest.raises(RefusedError, match="do not belong together"):
            opening.enter(cast.room, reference, "2222-2222-2222")
    with pytest.raises(RefusedError):
        opening.enter(cast.room, reference, opened.code)  # paused, the right code too
    later = Room(cast.room.keys, cast.room.now + timedelta(minutes=16))
    assert opening.enter(later, reference, opened.code).case_id == opened.done.case_id


def test_what_fails_leaves_neither_a_row_nor_a_key(cast: Cast, tmp_path: Path) -> None:
    before = list((tmp_path / "keys").rglob("*.key"))
    with pytest.raises(RefusedError):
        open_for(cast, AMINA, opening.NewPerson("X", birth_date="1900-01-01"))
    assert not Case.objects.exists()
    assert list((tmp_path / "keys").rglob("*.key")) == before


def withdrawn(cast: Cast) -> Case:
    case = open_for(cast)
    to_documents(cast, case)
    work.add_note(cast.room, cast.counsellor, case.pk, "Her sister in Kindia.", key=key())
    moving.withdraw(cast.room, applicant_of(case), case.pk)
    return case


def backup() -> list[tuple[object, ...]]:
    """Every row of every table of cases, as a copy of the database would hold them."""
    rows: list[tuple[object, ...]] = []
    for model in apps.get_app_config("cases").get_models():
        with connections["cases"].cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            rows += cursor.fetchall()
    return rows


def test_neither_the_database_nor_an_earlier_backup_can_be_read_after_an_erasure(
    cast: Cast,
) -> None:
    case = withdrawn(cast)
    # An earlier backup: every sealed value as rows that could be put back.
    kept: list[CaseRow] = []
    for model in case_tables():
        kept += list(model._default_manager.filter(case=case))
    sealed = [
        getattr(row, column.name)
        for row in kept
        for column in row._meta.fields
        if isinstance(column, SealedField) and getattr(row, column.name)
    ]
    assert len(sealed) >= 6
    assert all(value.open_bytes(cast.room.keys) for value in sealed)
    for word in (b"Amina", b"Diallo", b"Kindia", b"GIN"):
        assert not any(word in bytes(v) for row in backup() for v in row if isinstance(v, bytes))
        assert word.decode() not in str(backup())

    erasing.ask_erasure(cast.room, applicant_of(case), case.pk)
    first = erasing.erase(cast.room, cast.counsellor, case.pk)
    assert first.remarks
    with pytest.raises(NotAllowedError, match="two people"):
        erasing.erase(cast.room, cast.counsellor, case.pk)
    erasing.erase(cast.room, cast.supervisor, case.pk)

    for value in sealed:
        with pytest.raises(ErasedError):
            value.open_bytes(cast.room.keys)
    assert not BlindIndex.objects.filter(case=case).exists()
    assert not any(m._default_manager.filter(case=case).exists() for m in case_tables())
    stone = Tombstone.objects.get(reference=case.reference)
    assert {stone.first, stone.second} == {cast.counsellor.label, cast.supervisor.label}
    assert stone.outcome == "withdrawn"
    # The trail stays, without words; counts stay; nobody sees the case.
    assert AuditEvent.objects.filter(case=case).exists()
    assert MonthlyCount.objects.get(office=case.office, what="opened").count == 1
    with pytest.raises(NotVisibleError):
        looking.look(cast.room, cast.counsellor, case.pk)
    with pytest.raises(RefusedError):
        opening.enter(cast.room, case.reference, "2222-2222-2222")


def test_an_erased_case_s_ciphertext_is_not_left_in_sqlite_s_file(tmp_path: Path) -> None:
    """What SQLite keeps in free pages is ciphertext under a key that is gone: shown on a file."""
    keys = FileCaseKeys.open_or_create(tmp_path / "keys", lambda _: True)
    moment = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
    person = Person(made_at=moment, key_id=keys.create())
    person.seal(keys, names="Amina Diallo")
    file = tmp_path / "cases.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE p (names BLOB)")
        connection.execute("INSERT INTO p VALUES (?)", (person.names.data,))
        connection.commit()
        connection.execute("DELETE FROM p")
        connection.commit()
    connection.close()
    assert b"Amina" not in file.read_bytes()
    keys.destroy(person.key_id)
    with pytest.raises(ErasedError):
        person.names.open(keys)


def test_due_cases_are_listed_withdrawn_first_and_wait_for_two_people(cast: Cast) -> None:
    open_for(cast)
    gone, stopped = withdrawn(cast), open_for(cast, IBRAHIM)
    checks.refer_not_safe(cast.room, cast.counsellor, stopped.pk, reason="War.", key=key())
    assert erasing.due_for_erasure(cast.room, cast.supervisor) == ()
    later = Room(cast.room.keys, cast.room.now + timedelta(days=400))
    found = erasing.due_for_erasure(later, cast.supervisor)
    assert [d.reference for d in found] == [gone.reference, stopped.reference]
    assert Case.objects.filter(erased_at=None).count() == 3  # a list, nothing more
    with pytest.raises(RefusedError, match="not due"):
        erasing.ask_erasure(cast.room, cast.counsellor, gone.pk)
    with pytest.raises(RefusedError, match="ask first"):
        erasing.erase(later, cast.supervisor, gone.pk)


def test_nothing_is_erased_while_the_office_holds_a_passport(cast: Cast) -> None:
    case = open_for(cast)
    paper = travel.add_document(
        cast.room, cast.counsellor, case.pk, people_of(case)[0].pk, DocumentKind.PASSPORT,
        number="K1230045", country="GIN", expires_on=date(2029, 1, 1), holder=Holder.OFFICE,
        key=key(),
    )  # fmt: skip
    erasing.ask_erasure(cast.room, applicant_of(case), case.pk)
    with pytest.raises(RefusedError, match="has not ended"):
        erasing.erase(cast.room, cast.counsellor, case.pk)
    moving.withdraw(cast.room, applicant_of(case), case.pk)
    with pytest.raises(RefusedError, match="hand it back"):
        erasing.erase(cast.room, cast.counsellor, case.pk)
    if paper.row_id:
        travel.keep_document(cast.room, cast.counsellor, case.pk, paper.row_id, Holder.PERSON)
    erasing.erase(cast.room, cast.counsellor, case.pk)
    erasing.erase(cast.room, cast.supervisor, case.pk)
    assert Tombstone.objects.count() == 1
