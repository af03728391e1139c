"""What somebody typed stays before their eyes, whatever refuses it: a safeguard, or keys away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from lib.cast import Cast, people_of
from lib.desk import case_in, cast_of_today, client_of, fields_of, form_at
from sojourn_web.cases.models import Note, RuleChange
from sojourn_web.cases.states import State

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
WORDS = "Her brother rang & asked to wait."


@pytest.fixture
def cast(tmp_path: Path, settings: Settings) -> Cast:
    settings.CASES_KEYS = tmp_path / "case-keys"
    return cast_of_today()


def test_a_refusal_on_a_page_of_its_own_shows_what_was_written(cast: Cast) -> None:
    client = client_of(cast.supervisor)
    form = form_at(client, "/cases/keeping") | {"outcome": "withdrawn", "before": "30"}
    refused = client.post("/cases/keeping", form | {"days": "2", "reason": WORDS})
    page = refused.content.decode()
    assert refused.status_code == 409
    assert "Expected 7 to 3650 days" in page
    assert "Her brother rang &amp; asked to wait." in page
    assert not RuleChange.objects.exists()
    # What another account's form holds is shown to nobody.
    other = client_of(cast.second_supervisor)
    told = other.post("/cases/keeping", form | {"days": "2", "reason": WORDS})
    assert "Her brother" not in told.content.decode()


def test_a_letter_that_cannot_be_made_leaves_its_form_as_it_was(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    amina = people_of(case)[0]
    where = f"/cases/{case.reference}/letters/make"
    asked = {"kind": "appointment", "person": str(amina.pk), "language": "ar", "beside": "fr",
             "day": "2020-01-01", "time": "14:30", "place": "Room 4 & 5"}  # fmt: skip
    refused = client_of(cast.counsellor).post(where, asked)
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "Expected a time to come" in page
    for kept in ('value="appointment" selected', f'value="{amina.pk}" selected',
                 'value="ar" selected>Arabic', 'value="fr" selected>French',
                 'value="2020-01-01"', 'value="14:30"', 'value="Room 4 &amp; 5"'):  # fmt: skip
        assert kept in page, kept
    for other in (cast.stranger, cast.auditor):
        assert client_of(other).post(where, asked).status_code in (403, 404)


def test_while_keys_are_missing_a_note_waits_in_its_form_and_is_sent_by_one_press(
    cast: Cast, tmp_path: Path
) -> None:
    case = case_in(cast, State.COUNSELLING)
    where = f"/cases/{case.reference}/do/note"
    client = client_of(cast.counsellor)
    form = form_at(client, where) | {"words": WORDS}
    folder = tmp_path / "case-keys" / case.key_id[:2]
    shutil.move(folder, tmp_path / "away")  # a folder of keys that was restored from long ago
    met = client.post(where, form)
    page = met.content.decode()
    assert met.status_code == 503
    assert "nobody has erased the case" in page
    assert "Her brother rang &amp; asked to wait." in page
    assert not Note.objects.exists()
    assert "Her brother" not in client_of(cast.colleague).post(where, form).content.decode()
    shutil.move(tmp_path / "away", folder)
    assert client.post(where, fields_of(page)).status_code == 302
    assert Note.objects.get().text.open(cast.room.keys) == WORDS
