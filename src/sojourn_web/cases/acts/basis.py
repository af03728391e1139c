"""What an act is: one form, one service, one page to come back to.

In: what was typed. Out: ``Done``. A form chooses among the case's own people alone; a row's id
that was forged is refused by the service. Nothing typed is lost: a refusal shows the form again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.db import transaction

from sojourn_web.cases.acts.sent import OTHER_WORDS, mark_sent, mark_shown
from sojourn_web.cases.errors import ConflictError, RefusedError
from sojourn_web.cases.router import ALIAS
from sojourn_web.cases.services.looking import PersonView
from sojourn_web.cases.services.room import Done, Room, note_done, take, was_done
from sojourn_web.cases.tongues import choices
from sojourn_web.cases.visibility import Action, Actor
from sojourn_web.cases.vocabulary import Who

Choices = list[tuple[str, str]]
# What an address may fill in: which row or step a page has chosen, never words.
ASKED = frozenset({"person", "row", "purpose", "stage", "check", "month", "move", "section",
                   "question", "based_on"})  # fmt: skip
INPUT = {"class": "govuk-input"}


@dataclass(frozen=True)
class Bench:
    """What a form stands on. ``people``: opened for a page, without names where only checked.

    ``asked``: the address's own words: ``?person=...&row=...``. ``reader``: the account that asks.
    """

    case_id: UUID
    reference: str
    version: int
    language: str
    people: tuple[PersonView, ...]
    asked: Mapping[str, str]
    colleagues: Choices = field(default_factory=list)
    offices: Choices = field(default_factory=list)
    reader: int | None = None

    def person(self) -> PersonView | None:
        wanted = self.asked.get("person", "")
        return next((p for p in self.people if str(p.id) == wanted), None)


def asked_id(bench: Bench, name: str) -> UUID | None:
    """The id that an address gives, where it is one."""
    try:
        return UUID(bench.asked.get(name, ""))
    except ValueError:
        return None


class CaseForm(forms.Form):
    """``key``: makes two clicks one; ``version``: what the page showed; ``shown``: the mark of the
    row that the form writes over."""

    key = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    shown = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def __init__(
        self, bench: Bench, data: Any = None, initial: Mapping[str, Any] | None = None
    ) -> None:
        first: dict[str, Any] = {"key": uuid4().hex, "version": bench.version}
        first |= {k: v for k, v in bench.asked.items() if k in ASKED and k in self.base_fields}
        super().__init__(data, initial=first | dict(initial or {}))
        self.bench = bench
        for name, found in self._choices().items():
            if isinstance(chooser := self.fields.get(name), forms.ChoiceField):
                chooser.choices = [*chooser.choices, *found]  # type: ignore[misc]
                if len(found) == 1 and name not in first:
                    self.initial[name] = found[0][0]
        self.prepare()

    def prepare(self) -> None:
        """Forms that depend on the case change themselves here."""

    def _choices(self) -> dict[str, Choices]:
        people = [(str(p.id), p.names or p.names_latin or p.kind) for p in self.bench.people]
        return {"person": people, "colleague": self.bench.colleagues,
                "office": self.bench.offices}  # fmt: skip


Run = Callable[[Room, Actor, UUID, dict[str, Any]], Done]


@dataclass(frozen=True)
class Act:
    """``part``: the page that shows the result. ``who``: whose page offers it; the services ask
    again. ``panel``: a template beside the form, and what it shows. ``edits``: it writes over what
    stands in a row, so the row must still be as the form showed it. ``written``: what stands there,
    nothing where nobody wrote yet; it is ``initial`` where that is not given."""

    name: str
    title: str
    form: type[CaseForm]
    run: Run
    part: str
    button: str = "Save"
    intro: str = ""
    warning: bool = False
    who: frozenset[Who] = frozenset({Who.COUNSELLOR, Who.SUPERVISOR})
    initial: Callable[[Room, Bench], Mapping[str, Any]] | None = None
    panel: str = ""
    panel_of: Callable[[Room, Bench], Mapping[str, Any]] | None = None
    edits: bool = False
    written: Callable[[Room, Bench], Mapping[str, Any]] | None = None

    def do(self, room: Room, actor: Actor, bench: Bench, typed: dict[str, Any]) -> Done:
        """In one transaction. Raises RefusedError, and ConflictError where a colleague was quicker;
        neither for the second click on a form that did its work with the same words."""
        name, key, case_id = f"act:{self.name}", str(typed.get("key") or ""), bench.case_id
        sent = mark_sent(room, actor, case_id, typed)
        try:
            with transaction.atomic(using=ALIAS):
                if self.edits:
                    typed = self._check_shown(room, actor, bench, typed)
                done = self.run(room, actor, case_id, typed)
                if key:
                    _refuse_other_words(actor, name, key, sent, done)
                    note_done(room, actor, name, key, sent)
                return done
        except (ConflictError, RefusedError):
            if was_done(actor, name, key, sent):
                return Done(case_id, "", "", 0, repeated=True)
            raise

    def first_values(self, room: Room, bench: Bench) -> dict[str, Any]:
        """What the form holds when it is opened."""
        held = self.held(room, bench)
        first = dict(self.initial(room, bench)) if self.initial and not held else held
        return first | {"shown": mark_shown(held)} if self.edits else first

    def held(self, room: Room, bench: Bench) -> dict[str, Any]:
        """What stands in the row; nothing where nobody wrote yet, and of acts that edit none."""
        reads = self.written or self.initial
        return dict(reads(room, bench)) if self.edits and reads else {}

    def _check_shown(
        self, room: Room, actor: Actor, bench: Bench, typed: dict[str, Any]
    ) -> dict[str, Any]:
        """``typed`` with the version of now: what changed elsewhere in the case is no conflict."""
        case = take(room, actor, bench.case_id, Action.SEE)
        if typed["version"] not in (None, case.version):
            if typed["shown"] != mark_shown(self.held(room, bench)):
                raise ConflictError
            return typed | {"version": case.version}
        return typed


def _refuse_other_words(actor: Actor, name: str, key: str, sent: UUID, done: Done) -> None:
    """A service gives the row that the form's key made before: not what is typed now."""
    if done.repeated and was_done(actor, name, key) and not was_done(actor, name, key, sent):
        raise RefusedError(OTHER_WORDS)


class KeyOnly(CaseForm):
    """A button alone."""


class RowOnly(CaseForm):
    """A button about one row."""

    row = forms.UUIDField(widget=forms.HiddenInput)


def line(label: str, hint: str = "", *, required: bool = True, longest: int = 200,
         words: str = "") -> forms.CharField:  # fmt: skip
    """``words``: the browser's ``autocomplete`` word; none is offered for other people's data."""
    return forms.CharField(
        label=label, help_text=hint, required=required, max_length=longest,
        widget=forms.TextInput(attrs={**INPUT, "autocomplete": words or "off"}),
    )  # fmt: skip


def text(label: str, hint: str = "", *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        required=required,
        max_length=20_000,
        widget=forms.Textarea(attrs={"class": "govuk-textarea", "rows": "5"}),
    )


def day(label: str, hint: str = "", *, required: bool = True) -> forms.DateField:
    return forms.DateField(
        label=label, help_text=hint, required=required,
        widget=forms.DateInput(
            attrs={"class": "govuk-input govuk-input--width-10", "type": "date"}, format="%Y-%m-%d"
        ),
    )  # fmt: skip


def moment(label: str, hint: str = "", *, required: bool = True) -> forms.DateTimeField:
    """Read and shown in the office's time zone, which the view has set."""
    return forms.DateTimeField(
        label=label, help_text=hint or "In your office's time.", required=required,
        widget=forms.DateTimeInput(
            attrs={"class": "govuk-input govuk-input--width-20", "type": "datetime-local"},
            format="%Y-%m-%dT%H:%M",
        ),
    )  # fmt: skip


def select(label: str, found: Choices | None = None, hint: str = "", *, required: bool = True,
           empty: str = "Choose") -> forms.ChoiceField:  # fmt: skip
    return forms.ChoiceField(
        label=label,
        help_text=hint,
        required=required,
        choices=[("", empty), *(found or [])],
        widget=forms.Select(attrs={"class": "govuk-select"}),
    )


def radios(label: str, found: Choices, hint: str = "", *, required: bool = True
           ) -> forms.ChoiceField:  # fmt: skip
    return forms.ChoiceField(
        label=label,
        help_text=hint,
        required=required,
        choices=found,
        widget=forms.RadioSelect(attrs={"class": "govuk-radios__input"}),
    )


def tick(label: str, hint: str = "") -> forms.BooleanField:
    return forms.BooleanField(
        label=label,
        help_text=hint,
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "govuk-checkboxes__input"}),
    )


def amount(label: str, hint: str = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label, help_text=hint, max_digits=10, decimal_places=2,
        widget=forms.TextInput(
            attrs={"class": "govuk-input govuk-input--width-10", "inputmode": "decimal",
                   "autocomplete": "off"}
        ),
    )  # fmt: skip


def hidden(*, required: bool = True) -> forms.CharField:
    return forms.CharField(widget=forms.HiddenInput, required=required, max_length=200)


def somebody() -> forms.UUIDField:
    """A person whom the page has chosen already."""
    return forms.UUIDField(widget=forms.HiddenInput)


def given(kind: type[Any], *, required: bool = True) -> forms.ChoiceField:
    """A word that the page has chosen already; a forged one is refused."""
    return forms.ChoiceField(choices=words_of(kind), widget=forms.HiddenInput, required=required)


def words_of(kind: type[Any], *without: Any) -> Choices:
    """An enum's words for a list: ``not_now`` as 'not now'."""
    return [(k.value, k.value.replace("_", " ").capitalize()) for k in kind if k not in without]


LANGUAGES: Choices = choices()
