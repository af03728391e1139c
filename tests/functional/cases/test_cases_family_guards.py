"""Who joins or leaves a family's plan: no child slips through, and who has left stays out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lib.cast import (
    AMINA,
    CHILD,
    IBRAHIM,
    Cast,
    applicant_of,
    open_for,
    people_of,
    plan,
)
from lib.visitor import HOME, join
from sojourn_web.cases import guards
from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.models import Case, Person, Task
from sojourn_web.cases.services import checks, family, looking, moving, opening, particulars
from sojourn_web.cases.services.facts import gather_facts
from sojourn_web.cases.services.opening import NewPerson
from sojourn_web.cases.states import State
from sojourn_web.cases.vocabulary import Belongs

pytestmark = [
    pytest.mark.django_db(databases=["default", "cases"]),
    pytest.mark.usefixtures("pages_of_persons"),
]
FAMILY = f"{HOME}family"
CHILD_FORM = f"{HOME}family/child"


def say_born(office: Cast, case: Case, place: int, value: str) -> Person:
    """Somebody writes their own birth date, as their page does."""
    person, me = people_of(case)[place], applicant_of(case, place)
    particulars.set_particular(
        office.room, me, case.pk, person.pk, "birth_date", value,
        seen=particulars.mark_of(person.birth_date.open(office.room.keys)),
    )  # fmt: skip
    return people_of(case)[place]


def test_an_invitation_makes_no_child_an_accompanied_one(office: Cast) -> None:
    case = open_for(office, NewPerson("Musa"))
    join(office, case)
    born = str(office.room.now.year - 15)
    musa = say_born(office, case, 0, born)
    assert (musa.is_child, musa.unaccompanied) == (True, True)
    assert Task.objects.filter(case=case, what=opening.YOUNG_ALONE).count() == 1
    facts = gather_facts(case, office.room.now)
    assert not guards.CHILDREN.holds(facts)
    assert facts.people[0].must_consent
    # A date taken away again makes no adult of them, and a name put right changes nothing.
    assert say_born(office, case, 0, "").is_child
    assert people_of(case)[0].unaccompanied
    # Whoever joined as an adult and is none is guarded too; the counsellor finds who decides.
    young = say_born(office, case, 1, born)
    assert (young.is_child, young.unaccompanied) == (True, True)
    checks.travels_alone(office.room, office.counsellor, case.pk, young.pk, alone=False)
    young = say_born(office, case, 1, f"{born}-01")
    assert (young.is_child, young.unaccompanied) == (True, False)


def test_nobody_comes_in_after_a_journey_is_planned(office: Cast) -> None:
    case = open_for(office, AMINA)
    me = applicant_of(case)
    code = family.invite_adult(office.room, me, case.pk, key="i")
    Case.objects.filter(pk=case.pk).update(state=State.DOCUMENTS)
    plan(office, case, office.room.now + timedelta(days=20))
    with pytest.raises(RefusedError, match="Nobody can be added now"):
        family.add_child(office.room, me, case.pk, NewPerson("F"), belongs=Belongs.PARENT, key="f")
    with pytest.raises(RefusedError, match="Nobody can be added now"):
        family.invite_adult(office.room, me, case.pk, key="j")
    with pytest.raises(RefusedError, match="Nobody can be added now"):
        family.join_plan(office.room, case.reference, code, language="en", key="k")
    assert Person.objects.count() == 1


def test_who_has_left_reads_no_journey_and_changes_no_child(office: Cast) -> None:
    case = open_for(office, AMINA, IBRAHIM, CHILD)
    me, other = applicant_of(case), applicant_of(case, 1)
    child = family.children_of(office.room, me, case)[0]
    moving.withdraw(office.room, me, case.pk)
    later = replace(office.room, now=office.room.now + timedelta(hours=1))
    family.add_child(later, other, case.pk, NewPerson("Binta"), belongs=Belongs.PARENT, key="f")
    Case.objects.filter(pk=case.pk).update(state=State.DOCUMENTS)
    plan(replace(office, room=later), case, office.room.now + timedelta(days=20))
    assert [c.names for c in family.children_of(office.room, me, case)] == ["Fatou Diallo"]
    assert len(family.children_of(office.room, other, case)) == 2
    held = str(looking.what_is_held(later, me))
    assert "Amina" in held
    assert "Fatou" in held
    for hidden_word in ("SN 241", "Binta", "journey"):
        assert hidden_word not in held, hidden_word
    assert "SN 241" in str(looking.what_is_held(later, other))
    with pytest.raises(RefusedError, match="You have left"):
        family.change_child(
            later, me, case.pk, child.id, NewPerson("X", birth_date="2017-02"), seen=child.mark
        )
