"""Two clicks at one moment, in two connections. On PostgreSQL: SQLite's test database is one
connection, and its file database lets one writer in at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connections

from lib.cast import AMINA, Cast, open_for, people_of
from sojourn_web.cases.errors import CaseError
from sojourn_web.cases.models import Answer, AuditEvent, Case, Note
from sojourn_web.cases.services import answers, moving, opening, work
from sojourn_web.cases.states import Move

pytestmark = [
    pytest.mark.django_db(databases=["default", "cases"], transaction=True),
    pytest.mark.skipif(connections["cases"].vendor != "postgresql", reason="needs two connections"),
]


def together(*works: Callable[[], object]) -> list[object]:
    """Run at one moment; results or refusals, in order."""
    found: list[object] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(place: int, work: Callable[[], object]) -> None:
        start.wait()
        try:
            found[place] = work()
        except CaseError as refusal:
            found[place] = refusal
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_two_clicks_open_one_case(cast: Cast) -> None:
    def click() -> object:
        return opening.open_case(
            cast.room, cast.counsellor, cast.office.pk, [AMINA], key="form", language="en"
        ).done.case_id

    found = together(*[click] * 4)
    assert len(set(found)) == 1
    assert Case.objects.count() == 1


def test_two_clicks_write_one_note(cast: Cast) -> None:
    case = open_for(cast)
    together(*[lambda: work.add_note(cast.room, cast.counsellor, case.pk, "Once.", key="n")] * 3)
    assert Note.objects.count() == 1


def test_two_counsellors_answer_at_once_and_both_are_kept(cast: Cast) -> None:
    case = open_for(cast)
    person = people_of(case)[0]

    def answer(actor: object, text: str) -> Callable[[], object]:
        return lambda: answers.save_answer(
            cast.room,
            actor,
            case.pk,
            person.pk,
            "s",
            "q",
            text,
            based_on=0,
            key=text,  # type: ignore[arg-type]
        )

    together(answer(cast.counsellor, "one"), answer(cast.colleague, "other"))
    assert {a.value.open(cast.room.keys) for a in Answer.objects.all()} == {"one", "other"}
    assert Answer.objects.filter(is_current=True).count() == 1


def test_of_two_moves_at_once_one_is_refused(cast: Cast) -> None:
    case = open_for(cast)
    version = Case.objects.get(pk=case.pk).version

    def go(actor: object) -> Callable[[], object]:
        return lambda: moving.move(cast.room, actor, case.pk, Move.APPLY, version=version)  # type: ignore[arg-type]

    found = together(go(cast.counsellor), go(cast.colleague))
    assert sum(isinstance(f, CaseError) for f in found) == 1
    assert AuditEvent.objects.filter(what=Move.APPLY).count() == 1
