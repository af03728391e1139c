"""Who has left a family's plan: what they read up to then and after, and what is done about them.

The rule is a table: an event before or after leaving, about whom, by whom; read or not.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.cast import (
    AMINA,
    IBRAHIM,
    Cast,
    applicant_of,
    key,
    open_for,
    people_of,
    plan,
)
from lib.visitor import HOME, desk_of, enter
from sojourn_web.cases.demo_steps import Wish, bring_to
from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.models import AccessEvent, AuditEvent, Case, Consent, Person, Task
from sojourn_web.cases.router import ALIAS
from sojourn_web.cases.services import checks, consents, looking, moving, travel, work
from sojourn_web.cases.states import Move, State
from sojourn_web.cases.visibility import Actor, visible_log
from sojourn_web.cases.vocabulary import DocumentKind, Holder, Purpose

pytestmark = [
    pytest.mark.django_db(databases=["default", "cases"]),
    pytest.mark.usefixtures("pages_of_persons"),
]


def told(office: Cast, actor: Actor) -> list[str]:
    return [line.what for line in looking.read_log(office.room, actor)]


def later(office: Cast, hours: int) -> Cast:
    return office.at(office.room.now + timedelta(hours=hours))


def test_nothing_of_the_others_is_read_after_leaving(office: Cast, client: Client) -> None:
    case = open_for(office, AMINA, IBRAHIM)
    amina, ibrahim = applicant_of(case), applicant_of(case, 1)
    bring_to(office.room, desk_of(office), case.pk, Wish(State.DOCUMENTS))
    until_then = told(office, amina)
    assert "prepare documents" in until_then
    moving.withdraw(later(office, 1).room, amina, case.pk)
    after = later(office, 2)
    plan(after, case, after.room.now + timedelta(days=20))
    moving.move(after.room, office.counsellor, case.pk, Move.RECONSIDER)
    looking.look(after.room, office.counsellor, case.pk, "a form: plan a journey")
    mine = told(office, amina)
    assert mine == ["opened the case's page", "leave plan", *until_then]
    theirs = told(office, ibrahim)
    assert {"planned a journey", "reconsider", "opened a form: plan a journey"} <= set(theirs)
    assert "leave plan" not in theirs
    enter(client, case, office)
    for place in ("", "log", "my-record.html", "my-record.json"):
        page = client.get(f"{HOME}{place}").content.decode()
        for word in ("planned a journey", "reconsider", "Back to counselling", "SN 241"):
            assert word not in page, (place, word)
    assert "Counselling</strong>" not in client.get(HOME).content.decode()


def test_what_they_do_and_what_befalls_the_whole_record_is_read(office: Cast) -> None:
    case = open_for(office, AMINA, IBRAHIM)
    amina = applicant_of(case)
    moving.withdraw(office.room, amina, case.pk)
    after = later(office, 1)
    work.complain(after.room, amina, case.pk, "Nobody called.", key=key())
    looking.break_glass(after.room, office.stranger, case.reference, reason="The hospital called.")
    lines = looking.read_log(office.room, amina)
    found = {line.what: line for line in lines}
    assert {"complained", "break glass", "opened from another office"} <= set(found)
    assert found["break glass"].reason == "The hospital called."


def test_a_case_that_is_stopped_after_they_left_gives_them_no_reasons(
    office: Cast, client: Client
) -> None:
    case = open_for(office, AMINA, IBRAHIM)
    moving.withdraw(office.room, applicant_of(case), case.pk)
    after = later(office, 1)
    checks.refer_not_safe(
        after.room, office.counsellor, case.pk, reason="His village burned.", key=key()
    )
    enter(client, case, office)
    page = client.get(HOME).content.decode()
    assert "Stopped" not in page
    assert "burned" not in page
    assert f"{HOME}appeal" not in page
    assert client.get(f"{HOME}appeal").status_code == 404
    other = Client()
    enter(other, case, office, 1)
    assert other.get(f"{HOME}appeal").status_code == 200


def test_a_slip_is_undone_and_a_plan_that_has_departed_is_not_joined(office: Cast) -> None:
    case = open_for(office, AMINA, IBRAHIM)
    amina = applicant_of(case)
    moving.withdraw(office.room, amina, case.pk)
    moving.rejoin_plan(office.room, amina, case.pk, amina.person_id)  # type: ignore[arg-type]
    assert people_of(case)[0].left_plan_at is None
    moving.withdraw(office.room, amina, case.pk)
    for state in (State.DEPARTED, State.ARRIVED, State.FOLLOW_UP, State.CLOSED):
        Case.objects.filter(pk=case.pk).update(state=state)
        with pytest.raises(RefusedError, match="Ask to be called"):
            moving.rejoin_plan(office.room, amina, case.pk, people_of(case)[0].pk)
    assert people_of(case)[0].left_plan_at is not None


def give(cast: Cast, case: Case, place: int, purpose: Purpose) -> None:
    consents.give_consent(
        cast.room, applicant_of(case, place), case.pk, people_of(case)[place].pk, purpose,
        declaration_id=cast.wordings[purpose].pk, language="en", key=key(),
    )  # fmt: skip


def test_the_embassy_is_asked_about_nobody_but_who_said_yes(cast: Cast) -> None:
    case = open_for(cast, AMINA, IBRAHIM)
    amina, ibrahim = people_of(case)

    def ask(person_id: object) -> None:
        travel.request_document(
            cast.room, cast.counsellor, case.pk, person_id, authority="Embassy", country="GIN",  # type: ignore[arg-type]
            key=key(),
        )  # fmt: skip

    give(cast, case, 1, Purpose.EMBASSY)
    ask(ibrahim.pk)  # his own yes is enough for his own document
    with pytest.raises(RefusedError, match="consent of its own"):
        ask(amina.pk)
    moving.withdraw(cast.room, applicant_of(case), case.pk)
    with pytest.raises(RefusedError, match="consent of its own"):
        ask(amina.pk)  # she has left: his yes does not speak for her
    checks.refer_not_safe(cast.room, cast.counsellor, case.pk, reason="War.", key=key())
    assert not Consent.objects.filter(purpose=Purpose.EMBASSY, withdrawn_at=None).exists()
    with pytest.raises(RefusedError, match="stopped or has ended"):
        ask(ibrahim.pk)


def test_nothing_is_held_for_who_has_left_or_after_a_withdrawal(cast: Cast) -> None:
    case = open_for(cast, AMINA, IBRAHIM)
    amina = people_of(case)[0]
    travel.hold(cast.room, cast.counsellor, case.pk, "seat", key=key(), person_id=amina.pk)
    moving.withdraw(cast.room, applicant_of(case), case.pk)
    with pytest.raises(RefusedError, match="Nothing is held"):
        travel.hold(cast.room, cast.counsellor, case.pk, "seat", key=key(), person_id=amina.pk)
    travel.hold(cast.room, cast.counsellor, case.pk, "seat", key=key())
    moving.withdraw(cast.room, cast.counsellor, case.pk)
    with pytest.raises(RefusedError, match="Nothing is held"):
        travel.hold(cast.room, cast.counsellor, case.pk, "seat", key=key())


@pytest.mark.parametrize("way", ["withdraws", "takes the consent back", "leaves the plan", "stop"])
def test_a_passport_is_handed_back_and_the_person_reads_it_until_it_is(
    client: Client, office: Cast, way: str
) -> None:
    family = (AMINA, IBRAHIM) if way == "leaves the plan" else (AMINA,)
    case = open_for(office, *family)
    bring_to(office.room, desk_of(office), case.pk, Wish(State.DOCUMENTS))
    me = applicant_of(case)
    paper = travel.add_document(
        office.room, office.counsellor, case.pk, people_of(case)[0].pk, DocumentKind.PASSPORT,
        number="O1234567", country="GIN", expires_on=date(2031, 1, 1), key=key(),
        holder=Holder.OFFICE,
    )  # fmt: skip
    enter(client, case, office)
    said = "It must give it back to you today"
    assert said not in client.get(HOME).content.decode()
    if way == "takes the consent back":
        given = Consent.objects.get(case=case, purpose=Purpose.RETURN)
        consents.withdraw_consent(office.room, me, case.pk, given.pk)
    elif way == "stop":
        checks.refer_not_safe(office.room, office.counsellor, case.pk, reason="War.", key=key())
    else:
        moving.withdraw(office.room, me, case.pk)
    assert Task.objects.filter(case=case, what=moving.HAND_BACK, done_at=None).exists()
    assert said in client.get(HOME).content.decode()
    assert paper.row_id is not None
    travel.keep_document(office.room, office.counsellor, case.pk, paper.row_id, Holder.PERSON)
    assert said not in client.get(HOME).content.decode()


WHATS = ("apply", "planned a journey", "break glass", "erasure asked for", "transfer accepted",
         "add_person", "leave_plan")  # fmt: skip
events = st.tuples(
    st.booleans(),  # a change, else a look
    st.integers(-3, 3),  # hours from leaving
    st.sampled_from(("nobody", "me", "other")),  # private to
    st.sampled_from(("me", "other", "counsellor:1", "medical:7", "system:a", "clock:None")),
    st.sampled_from(WHATS),
    st.booleans(),  # of this case, else of another
)


@given(rows=st.lists(events, max_size=10), gone=st.booleans())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_log_of_who_has_left_against_the_rule_in_plain_words(
    cast: Cast, rows: list[tuple[bool, int, str, str, str, bool]], gone: bool
) -> None:
    with transaction.atomic(using=ALIAS):
        case, another = open_for(cast, AMINA, IBRAHIM), open_for(cast, AMINA)
        me, other = applicant_of(case), applicant_of(case, 1)
        left = cast.room.now + timedelta(hours=5)
        if gone:
            Person.objects.filter(pk=me.person_id).update(left_plan_at=left)
        private = {"nobody": None, "me": me.person_id, "other": other.person_id}
        expected = set()
        for change, hours, about, who, what, here in rows:
            model = AuditEvent if change else AccessEvent
            actor = {"me": me.label, "other": other.label}.get(who, who)
            row = model.objects.create(
                made_at=left + timedelta(hours=hours), case=case if here else another,
                key_id=case.key_id, actor=actor, what=what, private_to=private[about],
            )  # fmt: skip
            if not here or about == "other":
                continue
            before = not gone or hours <= 0
            own = about == "me" or who == "me"
            whole = what in ("break glass", "erasure asked for", "transfer accepted")
            staff = who in ("other", "counsellor:1", "medical:7")
            if before or own or (whole if change else staff):
                expected.add(row.pk)
        changes, looks = visible_log(me)
        after = {"made_at__gte": left - timedelta(hours=4)}  # what opening the case wrote is older
        found = {*changes.filter(**after).values_list("pk", flat=True),
                 *looks.filter(**after).values_list("pk", flat=True)}  # fmt: skip
        assert found == expected
        transaction.set_rollback(True, using=ALIAS)
