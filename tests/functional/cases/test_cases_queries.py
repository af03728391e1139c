"""A page asks the databases few things, and no more where there are more cases."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from lib.cast import AMINA, CHILD, IBRAHIM, Cast, key, people_of
from lib.desk import case_in, client_of
from sojourn_web.cases.models import Case
from sojourn_web.cases.services import checks, looking, work
from sojourn_web.cases.services.facts import ASKED_OF, ASKED_OF_KNOWN, gather_facts, know
from sojourn_web.cases.services.moving import open_choices
from sojourn_web.cases.states import TRANSITIONS, State, choices
from sojourn_web.cases.visibility import Actor, actor_of, visible_to
from sojourn_web.cases.vocabulary import Check, CheckAnswer

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
ACCOUNT = 4  # the session, the user, the roles, the place in voluntary return
TRANSACTIONS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


@pytest.fixture
def cast(office: Cast) -> Cast:
    return office


def queries_of(client: Client, address: str) -> int:
    """On both databases, the second time: the first finds its templates."""
    client.get(address)
    with (
        CaptureQueriesContext(connections["cases"]) as cases,
        CaptureQueriesContext(connections["default"]) as web,
    ):
        assert client.get(address).status_code == 200
    asked = [*cases.captured_queries, *web.captured_queries]
    return sum(not q["sql"].startswith(TRANSACTIONS) for q in asked)


def test_today_asks_one_query_a_list(cast: Cast) -> None:
    case_in(cast, State.COUNSELLING)
    one = queries_of(client_of(cast.counsellor), "/cases/today")
    for state in (State.TRAVEL, State.DOCUMENTS, State.COUNSELLING):
        case_in(cast, state)
    assert queries_of(client_of(cast.counsellor), "/cases/today") == one
    assert one <= ACCOUNT + 12


def test_the_list_asks_two(cast: Cast) -> None:
    for _ in range(3):
        case_in(cast, State.ENQUIRY)
    assert queries_of(client_of(cast.counsellor), "/cases/") == ACCOUNT + 2


@pytest.mark.parametrize(
    ("state", "most"), [(State.ENQUIRY, 8), (State.COUNSELLING, 9), (State.TRAVEL, 13)]
)
def test_a_case_asks_what_its_state_needs(cast: Cast, state: State, most: int) -> None:
    case = case_in(cast, state, AMINA, IBRAHIM, CHILD)
    assert queries_of(client_of(cast.counsellor), f"/cases/{case.reference}/") <= ACCOUNT + most


def test_every_guard_is_known_to_the_facts() -> None:
    """A new guard must say what it asks of a case, else a page would not read it."""
    guards = {g.name for t in TRANSITIONS for g in t.guards}
    assert guards == ASKED_OF_KNOWN.union(*ASKED_OF.values())


@pytest.mark.parametrize("state", [State.COUNSELLING, State.TRAVEL, State.DEPARTED])
@pytest.mark.parametrize("referred", [False, True])
def test_what_a_page_reads_says_the_same_as_all_that_is_known(
    cast: Cast, state: State, referred: bool
) -> None:
    """Whatever state it is said to be in, for everybody."""
    case = case_in(cast, state, AMINA, CHILD)
    actors = [cast.counsellor, cast.supervisor, cast.medical]
    if state is State.COUNSELLING:
        checks.complete_check(
            cast.room, cast.counsellor, case.pk, Check.PENDING_CLAIMS, CheckAnswer.NEEDS_ADVICE,
            language="en", key=key(),
        )  # fmt: skip
    if referred and state is not State.DEPARTED:
        checks.refer_not_safe(
            cast.room, cast.counsellor, case.pk, reason="threats", referred_to="a lawyer",
            key=key(),
        )  # fmt: skip
    case = Case.objects.select_related("office").get(pk=case.pk)
    whole = gather_facts(case, cast.room.now)
    for said in State:
        case.state = said
        for actor in actors:
            shown = open_choices(cast.room, actor, case, know(case, people_of(case)))
            assert shown == choices(said, actor.who, whole), said


def test_who_broke_glass_sees_the_case_and_who_did_not_asks_no_grants(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    stranger = cast.stranger
    client = client_of(stranger)
    before = actor_of_client(stranger)
    assert before.holds_grants is False
    assert not visible_to(before, cast.room.now).exists()
    assert client.get(f"/cases/{case.reference}/").status_code == 404
    looking.break_glass(
        cast.room, stranger, case.reference, reason="Her brother rang from the airport."
    )
    after = actor_of_client(stranger)
    assert after.holds_grants is True
    assert visible_to(after, cast.room.now).get() == case
    assert client.get(f"/cases/{case.reference}/").status_code == 200
    assert case.reference in client.get("/cases/today").content.decode()


def test_addresses_that_lists_put_together_are_those_of_the_resolver(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    work.plan_task(cast.room, cast.counsellor, case.pk, "call them", key=key())
    client = client_of(cast.counsellor)
    listed = client.get("/cases/").content.decode()
    today = client.get("/cases/today").content.decode()
    assert f'href="{reverse("case", args=(case.reference,))}"' in listed
    assert f'href="{reverse("case-part", args=(case.reference, "work"))}"' in today
    assert f'action="{reverse("act", args=(case.reference, "finish-task"))}"' in today


def actor_of_client(actor: Actor) -> Actor:
    from django.contrib.auth.models import User

    return actor_of(User.objects.get(pk=actor.user_id))
