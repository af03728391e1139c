"""Reports: spells against hand sums, few hidden, nobody ranked; what may leave, nothing else."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from lib.cast import (
    LEAVES,
    NOW,
    Cast,
    applicant_of,
    key,
    open_for,
    people_of,
    step,
    to_departed,
)
from sojourn_web.cases.errors import NotAllowedError, RefusedError
from sojourn_web.cases.hiding import Counts
from sojourn_web.cases.models import AccessEvent, Case, Office
from sojourn_web.cases.services import moving, releasing, reporting, work
from sojourn_web.cases.services.reporting import Days, make_report, report_as_csv
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.states import Move, State
from sojourn_web.cases.vocabulary import Outcome

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
NEXT_MONTH = datetime(2026, 4, 2, 9, tzinfo=UTC)


def later(cast: Cast, **gone: int) -> Cast:
    return cast.at(NOW + timedelta(**gone))


def counts(cast: Cast, name: str) -> Counts:
    report = make_report(Room(cast.room.keys, NEXT_MONTH), cast.auditor)
    return next(t for t in report.counts if t.name == name)


def days(cast: Cast) -> Days:
    return make_report(Room(cast.room.keys, NEXT_MONTH), cast.supervisor).days[0]


def test_time_in_a_state_without_the_time_that_others_took(cast: Cast) -> None:
    for n in range(11):
        case = open_for(cast)
        step(later(cast, days=4), case, Move.APPLY)
        work.stop_clock(later(cast, days=5).room, cast.counsellor, case.pk, "the consulate")
        work.start_clock(later(cast, days=9).room, cast.counsellor, case.pk)
        step(later(cast, days=10), case, Move.START_COUNSELLING)
        if n:  # ten of them: one more stop, still open, does not reach back
            work.stop_clock(later(cast, days=11).room, cast.counsellor, case.pk, "a form")
    held = {line.label: line.days for line in days(cast).lines}
    assert days(cast).columns == ("North", "South", "all")
    assert held["enquiry"] == (4.0, None, 4.0)
    assert held["application"] == (2.0, None, 2.0)  # six days, four of them waiting
    assert held["counselling"] == (None, None, None)


def test_under_ten_spells_tell_nothing(cast: Cast) -> None:
    for _ in range(9):
        step(later(cast, days=4), open_for(cast), Move.APPLY)
    assert all(d is None for line in days(cast).lines for d in line.days)


def test_a_reason_that_few_wrote_is_not_repeated(cast: Cast) -> None:
    for n in range(22):
        case = open_for(cast)
        reason = " The  Consulate" if n % 2 else "the consulate"
        work.stop_clock(cast.room, cast.counsellor, case.pk, reason if n < 20 else f"Amina's {n}")
    table = counts(cast, "waiting")
    assert [line.label for line in table.lines] == ["the consulate", "other reasons", "all"]
    assert "Amina" not in str(table)


def test_ratings_and_complaints_are_counted_and_few_are_hidden(cast: Cast) -> None:
    for n in range(24):
        case = open_for(cast)
        work.rate(cast.room, applicant_of(case), case.pk, key=key(), listened=5 if n % 2 else 4)
        if n < 3:
            work.complain(cast.room, applicant_of(case), case.pk, "He laughed.", key=key())
    listened = {line.label: line.cells for line in counts(cast, "rating_listened").lines}
    assert listened["1"] == listened["3"] == (None, None, None)
    assert {v for cells in listened.values() for v in cells} <= {None, 12, 24}
    assert all(v is None for line in counts(cast, "complaints").lines for v in line.cells)


def test_who_may_read_reports(cast: Cast) -> None:
    for nobody in (cast.counsellor, cast.medical, cast.administrator, applicant_of(open_for(cast))):
        with pytest.raises(NotAllowedError):
            make_report(cast.room, nobody)


def test_the_csv_holds_the_same_hidden_counts_and_no_formula(cast: Cast) -> None:
    Office.objects.filter(pk=cast.other_office.pk).update(name="=HYPERLINK(1)")
    for _ in range(12):
        open_for(cast)
    report = make_report(cast.room, cast.supervisor)
    rows = list(csv.DictReader(report_as_csv(report).splitlines()))
    assert {r["column"] for r in rows if r["table"] == "caseload"} == {
        "North", "'=HYPERLINK(1)", "all"
    }  # fmt: skip
    assert all((r["hidden"] == "yes") == (r["number"] == "") for r in rows)
    assert not [
        r for r in rows if r["number"] and float(r["number"]) < 10 and "time" not in r["table"]
    ]


def test_no_report_counts_departures_or_counsellors() -> None:
    """Such a table would reward persuasion: the code that makes reports cannot read either."""
    text = Path(reporting.__file__).read_text("utf-8")
    assert not re.search(r"counsellor_id|made_by|\.actor\b|DepartureProof|MonthlyCount", text)


def test_what_may_leave_is_one_table_of_ten_and_more(cast: Cast) -> None:
    for _ in range(10):
        case = open_for(cast)
        moving.withdraw(cast.room, applicant_of(case), case.pk)
    with pytest.raises(RefusedError, match="not over"):
        releasing.counts_to_release(cast.room, date(2026, 3, 1))
    room = Room(cast.room.keys, NEXT_MONTH)
    table = releasing.counts_to_release(room, date(2026, 3, 15))
    assert table.as_csv().splitlines() == [
        "month,country,outcome,count", "2026-03,not known,withdrawn,10"
    ]  # fmt: skip
    assert releasing.counts_to_release(room, date(2026, 2, 1)).rows == ()


def test_the_country_that_is_counted_is_an_event_once(cast: Cast) -> None:
    case = open_for(cast)
    gone = to_departed(cast, case)
    from sojourn_web.cases.services import travel

    travel.confirm_arrival(
        gone.room, cast.counsellor, case.pk, arrived_at=gone.room.now, confirmed_by="R", key=key()
    )
    for person in people_of(case):
        work.plan_reintegration(
            gone.room, cast.counsellor, case.pk, person.pk, key=key(), declined=True
        )
    moving.tell_outcome(gone.room, cast.counsellor, case.pk, Outcome.RETURNED)
    moving.move(gone.room, cast.counsellor, case.pk, Move.CLOSE)
    room = Room(cast.room.keys, NEXT_MONTH)
    for _ in range(2):
        assert releasing.counts_to_release(room, date(2026, 3, 1)).rows == ()  # one is few
    assert AccessEvent.objects.filter(case=case, what=releasing.COUNTED).count() == 1


def test_a_case_whose_key_is_not_there_stops_no_month(cast: Cast, tmp_path: Path) -> None:
    """As after a restore of the keys from an older backup: the country is then not known."""
    case = open_for(cast)
    to_departed(cast, case)
    room = Room(cast.room.keys, NEXT_MONTH)
    Case.objects.filter(pk=case.pk).update(ended_at=LEAVES, outcome=Outcome.RETURNED)
    for _ in range(10):
        gone = open_for(cast)
        moving.withdraw(cast.room, applicant_of(gone), gone.pk)
    (tmp_path / "keys" / case.key_id[:2] / f"{case.key_id}.key").unlink()
    lines = releasing.counts_to_release(room, date(2026, 3, 1)).as_csv().splitlines()
    assert lines[1:] == ["2026-03,not known,withdrawn,10"]


def test_the_two_sides_never_import_each_other() -> None:
    text = Path(releasing.__file__).read_text("utf-8")
    assert not re.search(r"^(from|import) sojourn(\.|_web\.figures)", text, re.M)
    assert State.DEPARTED.value not in text
