"""A case handed on: with its words, with a consent of its own, and no dead end for who gave it.

The cast: Amina, her counsellor and a colleague of the office, a counsellor of another office, the
auditor. In one test the office says that counsellors see their own cases alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from lib.cast import Cast, key, people_of
from lib.desk import case_in, cast_of_today, client_of, trail_is_whole
from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.models import Case, HandOverNote, Office, Transfer
from sojourn_web.cases.services import consents, sharing, shift
from sojourn_web.cases.services.consents import holds_consent
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import visible_to
from sojourn_web.cases.vocabulary import Purpose

pytestmark = pytest.mark.django_db(databases=["default", "cases"])


@pytest.fixture
def cast(tmp_path: Path, settings: Settings) -> Cast:
    settings.CASES_KEYS = tmp_path / "case-keys"
    return cast_of_today()


@pytest.fixture
def own_alone(cast: Cast) -> Cast:
    cast.office.caseload_only = True
    cast.office.save()
    return cast


def test_a_consent_to_one_transfer_is_none_to_the_next(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    third = Office.objects.create(made_at=cast.room.now, name="West", time_zone="UTC")

    def agree() -> None:
        consents.give_consent(
            cast.room, cast.counsellor, case.pk, people_of(case)[0].pk, Purpose.TRANSFER,
            declaration_id=cast.wordings[Purpose.TRANSFER].pk, language="en", key=key(),
        )  # fmt: skip

    def ask() -> Transfer:
        done = sharing.request_transfer(
            cast.room, cast.counsellor, case.pk, cast.other_office.pk, reason="South.", key=key()
        )
        return Transfer.objects.get(pk=done.row_id)

    agree()
    sharing.answer_transfer(cast.room, cast.stranger, ask().pk, accept=False)
    assert holds_consent(case, Purpose.TRANSFER)  # they may ask again: she said yes to that
    sharing.answer_transfer(cast.room, cast.stranger, ask().pk, accept=True)
    assert not holds_consent(case, Purpose.TRANSFER)
    with pytest.raises(RefusedError, match="ask every adult"):
        sharing.request_transfer(
            cast.room, cast.stranger, case.pk, third.pk, reason="On and on.", key=key()
        )
    assert trail_is_whole(case)


def test_a_shift_is_handed_over_where_counsellors_see_their_own_alone(own_alone: Cast) -> None:
    cast = own_alone
    case, stays = case_in(cast, State.COUNSELLING), case_in(cast, State.COUNSELLING)
    mine = client_of(cast.counsellor)
    typed = {"key": key(), "case": str(case.pk), f"words-{case.pk}": "She is tired.",
             "colleague": cast.colleague.user_id}  # fmt: skip
    for _ in range(2):
        assert mine.post("/cases/hand-over", typed).status_code == 302
    assert HandOverNote.objects.get().text.open(cast.room.keys).endswith("She is tired.")
    assert Case.objects.get(pk=case.pk).counsellor_id == cast.colleague.user_id
    assert not visible_to(cast.counsellor, cast.room.now).filter(pk=case.pk).exists()
    theirs = client_of(cast.colleague).get(f"/cases/{case.reference}/part/work")
    assert "She is tired." in theirs.content.decode()
    # What is not one's own goes with nobody, and nothing else goes along.
    both = {"key": key(), "case": [str(stays.pk), str(case.pk)],
            "colleague": cast.supervisor.user_id}  # fmt: skip
    assert mine.post("/cases/hand-over", both).status_code == 404
    for other in (cast.stranger, cast.auditor):
        assert client_of(other).post("/cases/hand-over", both).status_code in (403, 404)
    assert Case.objects.get(pk=stays.pk).counsellor_id == cast.counsellor.user_id
    assert trail_is_whole(case)


def test_other_words_on_a_shift_that_went_are_not_said_to_be_saved(cast: Cast) -> None:
    case, stays = case_in(cast, State.COUNSELLING), case_in(cast, State.COUNSELLING)
    mine = client_of(cast.counsellor)
    typed = {"key": key(), "case": str(case.pk), f"words-{case.pk}": "She is tired.",
             "colleague": cast.colleague.user_id}  # fmt: skip
    for _ in range(2):
        assert mine.post("/cases/hand-over", typed).status_code == 302
    for other in ({f"words-{case.pk}": "She is well."}, {"case": [str(case.pk), str(stays.pk)]}):
        met = mine.post("/cases/hand-over", typed | other)
        assert met.status_code == 422
        assert "Nothing of it is saved now" in met.content.decode()
    assert HandOverNote.objects.get().text.open(cast.room.keys).endswith("She is tired.")
    assert Case.objects.get(pk=stays.pk).counsellor_id == cast.counsellor.user_id


def test_words_on_another_s_case_are_refused_before_anything_goes(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    with pytest.raises(Exception, match="a case that you may see"):
        shift.hand_over_shift(
            cast.room, cast.colleague, cast.supervisor.user_id or 0, key=key(),
            case_ids=[case.pk], words={case.pk: "Mine?"},
        )  # fmt: skip
    assert not HandOverNote.objects.exists()


def test_who_gave_a_case_away_is_led_to_their_day(own_alone: Cast) -> None:
    cast = own_alone
    case = case_in(cast, State.COUNSELLING)
    mine = client_of(cast.counsellor)
    where = f"/cases/{case.reference}/do/assign"
    given = {"colleague": cast.colleague.user_id, "key": key()}
    for _ in range(2):
        met = mine.post(where, given)
        assert (met.status_code, met.url) == (302, "/cases/today")
    assert mine.get(met.url).status_code == 200
    assert mine.post(where, given | {"key": key()}).status_code == 404
    assert client_of(cast.stranger).post(where, given).status_code == 404
    assert Case.objects.get(pk=case.pk).counsellor_id == cast.colleague.user_id
    led = client_of(cast.supervisor).post(where, given | {"key": key()})
    assert led.url == f"/cases/{case.reference}/"
