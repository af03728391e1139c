"""Acts of consent: given beside its wording in two languages, withdrawn by one button."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sojourn_web.cases.acts.basis import (
    LANGUAGES,
    Act,
    Bench,
    CaseForm,
    KeyOnly,
    RowOnly,
    given,
    line,
    select,
    somebody,
)
from sojourn_web.cases.models import Declaration
from sojourn_web.cases.services import consents, moving
from sojourn_web.cases.services.room import Done, Room
from sojourn_web.cases.tongues import direction_of
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import Purpose, Stage

MINE = "en"  # the language that the office's staff read


class ConsentForm(CaseForm):
    person = somebody()
    purpose = given(Purpose)
    stage = given(Stage, required=False)
    declaration = somebody()
    language = select(
        "In which language was it understood?", LANGUAGES,
        "Another than the wording's needs a named interpreter.",
    )  # fmt: skip
    interpreter = line("Interpreter", "Name or number, where one read it out.", required=False)
    guardian = line("Guardian", "For a child that travels alone.", required=False)

    def prepare(self) -> None:
        person = self.bench.person()
        if person is not None and not person.is_child:
            del self.fields["guardian"]


def wordings(room: Room, bench: Bench) -> Mapping[str, Any]:
    """Theirs on the left, mine on the right. A draft is shown as one, to read along only."""
    purpose, person = bench.asked.get("purpose", ""), bench.person()
    theirs_in = (person.language if person else "") or bench.language
    if purpose not in Purpose._value2member_map_:
        return {}
    rows = list(Declaration.objects.filter(purpose=purpose, retired_at=None).order_by("-version"))
    reviewed = consents.reviewed_wordings(Purpose(purpose))
    mine = next((d for d in reviewed if d.language == MINE), reviewed[0] if reviewed else None)
    good = next((d for d in reviewed if d.language == theirs_in), None)
    theirs = good or next((d for d in rows if d.language == theirs_in), None)
    return {
        "purpose": purpose, "theirs": theirs, "mine": mine, "their_language": theirs_in,
        "their_dir": direction_of(theirs_in), "counts": good or mine,
        "stage": bench.asked.get("stage", ""),
        "who": (person.names or person.names_latin or person.kind) if person else "",
    }  # fmt: skip


def _first(room: Room, bench: Bench) -> Mapping[str, Any]:
    found = wordings(room, bench)
    counts = found.get("counts")
    return {"declaration": str(counts.pk) if counts else "",
            "language": found.get("their_language", "")}  # fmt: skip


def _give(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return consents.give_consent(
        room, actor, case_id, UUID(str(f["person"])), Purpose(f["purpose"]),
        declaration_id=UUID(str(f["declaration"])), language=f["language"], key=f["key"],
        stage=Stage(f["stage"]) if f["stage"] else None, interpreter=f["interpreter"],
        guardian=f.get("guardian", ""),
    )  # fmt: skip


def _withdraw(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return consents.withdraw_consent(room, actor, case_id, f["row"])


class LeaveForm(CaseForm):
    person = somebody()


def _leave(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return moving.withdraw(room, actor, case_id, UUID(str(f["person"])))


def _rejoin(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return moving.rejoin_plan(room, actor, case_id, UUID(str(f["person"])))


def _withdraw_all(room: Room, actor: Actor, case_id: UUID, f: dict[str, Any]) -> Done:
    return moving.withdraw(room, actor, case_id)


ACTS = (
    Act("consent", "Record a consent", ConsentForm, _give, "consents", initial=_first,
        button="They consent", panel="cases/counsellor/_wordings.html", panel_of=wordings,
        intro="Ask each adult alone. Read it out; let them ask; let them say no."),
    Act("withdraw-consent", "Withdraw this consent", RowOnly, _withdraw, "consents",
        button="Withdraw this consent", intro="No reason is needed."),
    Act("leave", "This adult leaves the plan", LeaveForm, _leave, "overview", warning=True,
        button="They leave the plan", intro="In private and without a reason. The others' plan "
        "and pages stay; tell nobody. A task asks to speak with them alone."),
    Act("rejoin", "This adult comes back into the plan", LeaveForm, _rejoin, "overview",
        button="They come back", intro="Every consent is asked again."),
    Act("withdraw-all", "Withdraw this case", KeyOnly, _withdraw_all, "overview", warning=True,
        button="Withdraw this case", intro="When the person asks for it. No reason is needed; "
        "every booking is let go, and a passport is handed back at once."),
)  # fmt: skip
