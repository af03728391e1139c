"""Find a case again: by its reference, a name, a birth year, a document's number.

Names and numbers go through the keyed indexes and come by POST, for no name belongs into an
address. Only cases that the reader may see are found, and none is told apart from one that is
not there. What is shown is the reference and the state; opening the case is an event, finding it
is none.
"""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from sojourn_web.cases.acts.basis import line
from sojourn_web.cases.acts.born import BirthDateField
from sojourn_web.cases.desk import at_desk
from sojourn_web.cases.errors import NotAllowedError, NotVisibleError
from sojourn_web.cases.pages import find_case
from sojourn_web.cases.references import read_reference
from sojourn_web.cases.services import opening
from sojourn_web.cases.services.opening import Hint
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.unsent import stamp_of, take_back
from sojourn_web.cases.views_case import field_rows
from sojourn_web.cases.visibility import COUNSELLING, Actor

MOST = 20


class FindForm(forms.Form):
    words = line("Reference or name", "A reference such as K7WX-2MDQ, or names in any script, as "
                 "far as you know them.", required=False)  # fmt: skip
    birth_date = BirthDateField(
        label="Birth date", help_text="The year helps where a name is written in several ways.",
        required=False,
    )  # fmt: skip
    document = line("Number of a document", required=False, longest=40)

    def clean(self) -> None:
        if not self.errors and not any(self.cleaned_data.get(n) for n in ("words", "document")):
            self.add_error("words", "Write a reference, a name or a number.")


@require_http_methods(["GET", "HEAD", "POST"])
@at_desk()
def find_page(request: HttpRequest, room: Room, actor: Actor) -> HttpResponse:
    if actor.who not in COUNSELLING or actor.office_id is None:
        raise NotAllowedError("expected a counsellor or a supervisor of an office")
    form = FindForm(request.POST if request.method == "POST" else take_back(request))
    found: tuple[Hint, ...] = ()
    searched = request.method == "POST" and form.is_valid()
    if searched:
        f = form.cleaned_data
        try:
            find_case(room, actor, f["words"])
        except NotVisibleError:
            found = opening.find_duplicates(
                room, actor, f["words"], f["birth_date"], f["document"], most=MOST + 1
            )
        else:
            return redirect("case", reference=read_reference(f["words"]))
    context = {"form": form, "rows": field_rows(form), "stamp": stamp_of(request),
               "found": found[:MOST], "more": len(found) > MOST, "searched": searched}  # fmt: skip
    status = 422 if form.is_bound and not searched and request.method == "POST" else 200
    return render(request, "cases/counsellor/find.html", context, status=status)
