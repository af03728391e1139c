"""What a counsellor who leaves had on their desk stands on the supervisor's, until it is given."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from lib.cast import AMINA, Cast, applicant_of, key
from lib.desk import case_in, cast_of_today, client_of
from sojourn_web.cases.models import Case
from sojourn_web.cases.services import accounts, looking, opening, sharing, work
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import Who

pytestmark = pytest.mark.django_db(databases=["default", "cases"])


@pytest.fixture
def cast(tmp_path: Path, settings: Settings) -> Cast:
    settings.CASES_KEYS = tmp_path / "case-keys"
    return cast_of_today()


def today(actor: Actor) -> str:
    return client_of(actor).get("/cases/today").content.decode()


def task_of(cast: Cast, case: Case, what: str) -> None:
    yesterday = cast.room.now.date() - timedelta(days=1)
    work.plan_task(cast.room, cast.supervisor, case.pk, what, key=key(), due_on=yesterday)


@pytest.mark.parametrize("how", ["ends", "moves"])
def test_cases_and_tasks_of_who_left_wait_for_the_supervisor(cast: Cast, how: str) -> None:
    case = case_in(cast, State.COUNSELLING)
    task_of(cast, case, "ring the consulate")
    assert "ring the consulate" in today(cast.counsellor)
    assert "Without a counsellor now" not in today(cast.supervisor)
    left = cast.counsellor.user_id or 0
    if how == "ends":
        accounts.end(cast.room, cast.administrator, left)
    else:
        accounts.place(cast.room, cast.administrator, left, "Ana", Who.COUNSELLOR, "South")
    page = today(cast.supervisor)
    for told in ("Without a counsellor now", case.reference, "To do, with nobody",
                 "ring the consulate"):  # fmt: skip
        assert told in page
    assert "Amina" not in page
    listed = client_of(cast.colleague).get("/cases/?whose=nobody").content.decode()
    assert case.reference in listed
    for other in (cast.colleague, cast.stranger):
        assert "ring the consulate" not in today(other)
    for other in (cast.auditor, cast.administrator):
        assert client_of(other).get("/cases/today").status_code == 403
    sharing.assign(cast.room, cast.supervisor, case.pk, cast.colleague.user_id or 0)
    assert case.reference not in today(cast.supervisor).partition("To do")[0]
    assert "ring the consulate" in today(cast.colleague)
    assert "with nobody" not in today(cast.supervisor)
    log = looking.read_log(cast.room, applicant_of(case))
    assert "assigned" in [line.what for line in log]


def test_a_task_of_a_case_that_nobody_has_taken_is_not_lost(cast: Cast) -> None:
    opened = opening.open_case(
        cast.room, cast.supervisor, cast.office.pk, [AMINA], key=key(), language="fr"
    )
    task_of(cast, Case.objects.get(pk=opened.done.case_id), "hand the passport back")
    assert "hand the passport back" in today(cast.supervisor)
    assert "hand the passport back" not in today(cast.colleague)
    assert "hand the passport back" not in today(cast.stranger)


def test_a_case_that_came_over_without_a_counsellor_is_on_a_list(cast: Cast) -> None:
    """A supervisor accepted it: it is nobody's, and is past the list of new ones."""
    case = case_in(cast, State.COUNSELLING)
    new = opening.open_case(
        cast.room, cast.supervisor, cast.office.pk, [AMINA], key=key(), language="fr"
    )
    assert case.reference not in today(cast.second_supervisor)
    Case.objects.filter(pk=case.pk).update(counsellor_id=None)
    for supervisor in (cast.supervisor, cast.second_supervisor):
        told = today(supervisor).partition("Without a counsellor now")[2].partition("</ul>")[0]
        assert case.reference in told
        assert new.done.reference not in told  # its own list has it
    for other in (cast.colleague, cast.stranger):
        assert case.reference not in today(other)
