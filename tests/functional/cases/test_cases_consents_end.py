"""A consent ends with what it was for: the embassy, the carrier, the partner who receives."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from lib.cast import (
    AMINA,
    IBRAHIM,
    LEAVES,
    Cast,
    applicant_of,
    consent,
    key,
    open_for,
    people_of,
    plan,
    step,
    to_documents,
    to_travel,
)
from lib.visitor import HOME, desk_of, enter, hidden
from sojourn_web.cases.demo_steps import Wish, bring_to
from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.models import Case, Consent, Journey
from sojourn_web.cases.services import checks, consents, moving, travel
from sojourn_web.cases.services.sheet import read_sheet
from sojourn_web.cases.services.sheet_parts import Part
from sojourn_web.cases.states import Move, State
from sojourn_web.cases.vocabulary import ProofKind, Purpose, Stage

pytestmark = [
    pytest.mark.django_db(databases=["default", "cases"]),
    pytest.mark.usefixtures("pages_of_persons"),
]
OF_THE_JOURNEY = (Purpose.EMBASSY, Purpose.CARRIER, Purpose.RECEPTION)


def give(cast: Cast, case: Case, purpose: Purpose, place: int = 0) -> None:
    consents.give_consent(
        cast.room, applicant_of(case, place), case.pk, people_of(case)[place].pk, purpose,
        declaration_id=cast.wordings[purpose].pk, language="en", key=key(),
    )  # fmt: skip


def standing(case: Case, place: int = 0) -> set[str]:
    rows = Consent.objects.filter(person=people_of(case)[place], withdrawn_at=None)
    return set(rows.values_list("purpose", flat=True))


def ask_embassy(cast: Cast, case: Case) -> None:
    travel.request_document(
        cast.room, cast.counsellor, case.pk, people_of(case)[0].pk, authority="Embassy",
        country="GIN", key=key(),
    )  # fmt: skip


def take_the_return_back(cast: Cast, case: Case) -> None:
    given = Consent.objects.filter(person=people_of(case)[0], purpose=Purpose.RETURN)
    consents.withdraw_consent(cast.room, applicant_of(case), case.pk, given[0].pk)


def test_who_takes_back_the_return_is_not_spoken_of_to_their_embassy(cast: Cast) -> None:
    case = open_for(cast)
    to_documents(cast, case)
    for purpose in (*OF_THE_JOURNEY, Purpose.SURVEY):
        give(cast, case, purpose)
    ask_embassy(cast, case)
    take_the_return_back(cast, case)
    assert Case.objects.get().state == State.CONSENT
    assert standing(case) == {Purpose.SURVEY}
    with pytest.raises(RefusedError, match="consent of its own"):
        ask_embassy(cast, case)


def test_in_a_family_it_ends_for_who_took_it_back_alone(cast: Cast) -> None:
    case = open_for(cast, AMINA, IBRAHIM)
    to_documents(cast, case)
    for place in (0, 1):
        give(cast, case, Purpose.EMBASSY, place)
    take_the_return_back(cast, case)
    assert Purpose.EMBASSY not in standing(case)
    assert {Purpose.EMBASSY, Purpose.RETURN} <= standing(case, 1)


def test_a_stop_ends_them_and_an_upheld_appeal_does_not_give_them_back(cast: Cast) -> None:
    case = open_for(cast)
    to_documents(cast, case)
    for purpose in OF_THE_JOURNEY:
        give(cast, case, purpose)
    checks.refer_not_safe(cast.room, cast.counsellor, case.pk, reason="War.", key=key())
    assert standing(case) == {Purpose.RETURN}
    checks.appeal(cast.room, applicant_of(case), case.pk, text="It is over.")
    checks.decide_appeal(
        cast.room, cast.second_supervisor, case.pk, upheld=True, decision="It is over."
    )
    assert Case.objects.get().state == State.COUNSELLING
    with pytest.raises(RefusedError, match="consent of its own"):
        ask_embassy(cast, case)


def test_a_carrier_s_yes_of_another_booking_serves_no_new_one(cast: Cast) -> None:
    case = open_for(cast)
    to_travel(cast, case)
    give(cast, case, Purpose.CARRIER)
    moving.move(cast.room, cast.counsellor, case.pk, Move.NOT_DEPARTED, reason="Ill.")
    new = cast.at(cast.room.now + timedelta(hours=1))
    plan(new, case, LEAVES)
    consent(new, case, Stage.BOOKING)
    step(new, case, Move.BOOK)
    consent(cast.at(LEAVES - timedelta(hours=4)), case, Stage.TRAVEL_DAY)
    later = cast.at(LEAVES + timedelta(days=1))

    def confirm() -> None:
        travel.confirm_departure(
            later.room, cast.counsellor, case.pk, ProofKind.CARRIER, left_at=LEAVES, key=key()
        )

    with pytest.raises(RefusedError, match="carrier"):
        confirm()
    sheet = read_sheet(later.room, cast.counsellor, case.pk, Part.CONSENTS)
    told = [c for c in sheet.consents if c.purpose == Purpose.CARRIER]
    assert [(c.current, c.ended) for c in told] == [(False, "given for another itinerary or day")]
    give(later, case, Purpose.CARRIER)
    confirm()
    assert Case.objects.get().state == State.DEPARTED


def test_the_person_is_asked_anew_for_the_new_booking(client: Client, office: Cast) -> None:
    case = open_for(office, AMINA)
    bring_to(office.room, desk_of(office), case.pk, Wish(State.DOCUMENTS))
    give(office, case, Purpose.CARRIER)
    enter(client, case, office)
    place = f"{HOME}consents/carrier"
    assert 'name="declaration"' not in client.get(place).content.decode()
    later = office.at(office.room.now + timedelta(hours=1))
    plan(later, case, later.room.now + timedelta(days=9))
    assert 'name="declaration"' in client.get(place).content.decode()
    Journey.objects.update(made_at=office.room.now - timedelta(hours=1))
    assert 'name="declaration"' not in client.get(place).content.decode()


@pytest.mark.parametrize("purpose", OF_THE_JOURNEY)
def test_an_old_window_and_the_desk_give_no_consent_for_a_journey_that_is_over(
    client: Client, office: Cast, purpose: Purpose
) -> None:
    case = open_for(office, AMINA)
    enter(client, case, office)
    place = f"{HOME}consents/{purpose}"
    page = client.get(place).content.decode()
    form = hidden(page)
    form |= {"declaration": str(office.wordings[purpose].pk), "understood": "en", "stage": ""}
    moving.withdraw(office.room, applicant_of(case), case.pk)
    answer = client.post(place, form)
    assert answer.status_code == 409
    assert "now there is none to come" in answer.content.decode()
    with pytest.raises(RefusedError, match="none to come"):
        consents.give_consent(
            office.room, office.counsellor, case.pk, people_of(case)[0].pk, purpose,
            declaration_id=office.wordings[purpose].pk, language="en", key=key(),
        )  # fmt: skip
    assert not Consent.objects.exists()
