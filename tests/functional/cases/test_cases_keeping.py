"""The schedule reminds once, asks for what is due, and two people erase; rules have a history."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from lib.cast import LEAVES, NOW, Cast, applicant_of, key, open_for, people_of, to_travel
from sojourn_web.cases.errors import ErasedError, NotAllowedError, RefusedError
from sojourn_web.cases.keys import FileCaseKeys
from sojourn_web.cases.models import (
    Attachment,
    AuditEvent,
    Case,
    ErasureRequest,
    MonthlyCount,
    RuleChange,
    Task,
    Tombstone,
)
from sojourn_web.cases.scanning import NoScanner, Verdict
from sojourn_web.cases.services import erasing, files, keeping, moving, travel, work
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.states import Move
from sojourn_web.cases.vocabulary import DocumentKind, Outcome

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n"


class Clean:
    is_configured = True

    def scan(self, content: bytes) -> Verdict:
        return Verdict.CLEAN


def test_the_schedule_reminds_once(cast: Cast) -> None:
    case = open_for(cast)
    person = people_of(case)[0]
    travel.add_document(
        cast.room, cast.counsellor, case.pk, person.pk, DocumentKind.PASSPORT, number="K123004",
        country="GIN", expires_on=date(2026, 4, 1), key=key(),
    )  # fmt: skip
    booked = open_for(cast)
    to_travel(cast, booked)
    soon = Room(cast.room.keys, LEAVES - timedelta(days=1))
    assert keeping.tick(soon, NoScanner()).reminders == 2
    assert keeping.tick(soon, NoScanner()).reminders == 0
    found = {(t.case_id, t.what, t.for_user_id) for t in Task.objects.filter(done_at=None)}
    mine = cast.counsellor.user_id
    assert found == {
        (case.pk, keeping.EXPIRY, mine), (booked.pk, keeping.TRAVEL_DAY, mine)
    }  # fmt: skip
    for one in (case, booked):
        held = AuditEvent.objects.filter(case=one)
        assert held.count() == Case.objects.get(pk=one.pk).version
    assert held.filter(what="reminded").get().actor == "clock:None"


def test_follow_ups_and_ended_holds_are_brought_up(cast: Cast) -> None:
    case = open_for(cast)
    travel.hold(
        cast.room, cast.counsellor, case.pk, "a bed", key=key(), until=NOW + timedelta(hours=5)
    )
    later = Room(cast.room.keys, NOW + timedelta(days=1))
    assert keeping.tick(later, NoScanner()).reminders == 1
    assert Task.objects.get(case=case).what == keeping.HOLD_ENDS


def test_files_wait_for_a_scanner_and_are_scanned_by_the_schedule(cast: Cast) -> None:
    case = open_for(cast)
    files.hand_in(
        cast.room, applicant_of(case), case.pk, PDF, NoScanner(), name="a.pdf", kind="x", key=key()
    )
    first = keeping.tick(cast.room, NoScanner())
    assert (first.scanned, first.waiting) == (0, 1)
    second = keeping.tick(cast.room, Clean())
    assert (second.scanned, second.waiting) == (1, 0)
    assert keeping.tick(cast.room, Clean()).scanned == 0
    assert Attachment.objects.get().scanned_at == cast.room.now


def test_due_cases_are_asked_for_and_two_people_erase(cast: Cast, tmp_path: Path) -> None:
    case, stays = open_for(cast), open_for(cast)
    moving.withdraw(cast.room, applicant_of(case), case.pk)
    shutil.copytree(tmp_path / "keys", tmp_path / "backup")
    later = Room(cast.room.keys, NOW + timedelta(days=31))
    assert keeping.tick(later, NoScanner()).asked == 1
    assert keeping.tick(later, NoScanner()).asked == 0
    waiting = keeping.waiting_erasures(later, cast.supervisor)
    assert [(w.reference, w.outcome, w.first) for w in waiting] == [
        (case.reference, "withdrawn", "")
    ]
    assert keeping.waiting_erasures(later, cast.stranger) == ()
    with pytest.raises(NotAllowedError):
        keeping.waiting_erasures(later, cast.administrator)
    erasing.erase(later, cast.counsellor, case.pk)
    assert keeping.waiting_erasures(later, cast.counsellor)[0].mine
    erasing.erase(later, cast.supervisor, case.pk)
    assert keeping.waiting_erasures(later, cast.supervisor) == ()
    assert MonthlyCount.objects.get(what="opened").count == 2  # counts survive
    stone = Tombstone.objects.get(reference=case.reference)
    # A restored backup of the keys brings the key back; the next run destroys it again.
    shutil.copytree(tmp_path / "backup", tmp_path / "keys", dirs_exist_ok=True)
    assert cast.room.keys.data_key(stone.key_id)
    assert keeping.tick(later, NoScanner()).keys_destroyed == 1
    assert keeping.tick(later, NoScanner()).keys_destroyed == 0
    with pytest.raises(ErasedError):
        cast.room.keys.data_key(stone.key_id)
    assert cast.room.keys.data_key(stays.key_id)
    assert isinstance(cast.room.keys, FileCaseKeys)


def test_a_refused_erasure_is_not_asked_for_again_the_next_day(cast: Cast) -> None:
    case = open_for(cast)
    moving.withdraw(cast.room, applicant_of(case), case.pk)
    later = Room(cast.room.keys, NOW + timedelta(days=31))
    keeping.tick(later, NoScanner())
    erasing.refuse_erasure(later, cast.supervisor, case.pk, reason="She has asked for her file.")
    assert keeping.tick(Room(later.keys, later.now + timedelta(days=1)), NoScanner()).asked == 0
    assert keeping.tick(Room(later.keys, later.now + timedelta(days=91)), NoScanner()).asked == 1
    assert ErasureRequest.objects.filter(case=case).count() == 2


def test_a_case_that_came_back_is_not_erased(cast: Cast) -> None:
    case = open_for(cast)
    moving.withdraw(cast.room, applicant_of(case), case.pk)
    later = Room(cast.room.keys, NOW + timedelta(days=31))
    keeping.tick(later, NoScanner())
    moving.move(later, applicant_of(case), case.pk, Move.COME_BACK)
    with pytest.raises(RefusedError, match="has not ended"):
        erasing.erase(later, cast.supervisor, case.pk)


def test_rules_are_changed_with_a_reason_and_a_history(cast: Cast) -> None:
    ask = {"reason": "Our law says so.", "before": 30}
    for nobody in (cast.counsellor, cast.administrator, cast.auditor):
        with pytest.raises(NotAllowedError):
            keeping.set_retention(cast.room, nobody, Outcome.WITHDRAWN, 60, **ask)  # type: ignore[arg-type]
    with pytest.raises(RefusedError, match="7 to 3650"):
        keeping.set_retention(cast.room, cast.supervisor, Outcome.WITHDRAWN, 1, **ask)  # type: ignore[arg-type]
    keeping.set_retention(cast.room, cast.supervisor, Outcome.WITHDRAWN, 60, **ask)  # type: ignore[arg-type]
    with pytest.raises(RefusedError, match="Somebody has changed it to 60"):
        keeping.set_retention(cast.room, cast.supervisor, Outcome.WITHDRAWN, 90, **ask)  # type: ignore[arg-type]
    row = RuleChange.objects.get()
    assert (row.days_before, row.days_after, row.actor) == (30, 60, cast.supervisor.label)
    assert {k.outcome: k.days for k in keeping.kept_for()}["withdrawn"] == 60
    case = open_for(cast)
    moving.withdraw(cast.room, applicant_of(case), case.pk)
    later = Room(cast.room.keys, NOW + timedelta(days=31))
    assert keeping.tick(later, NoScanner()).asked == 0


def test_a_planned_task_is_planned_once(cast: Cast) -> None:
    case = open_for(cast)
    ask = (cast.room, cast.counsellor, case.pk, "call the consulate")
    one = work.plan_task(*ask, key="t")
    assert work.plan_task(*ask, key="t").row_id == one.row_id
