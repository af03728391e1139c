"""A form whose token is refused: shown again with what was typed and a fresh token.

In: what Django's CSRF check refuses. Out: the form as it came, to be sent once more by hand. This
is for a form of our own whose page was too old: somebody signed in anew in another window, or the
browser forgot its cookie. What another site sends is shown to nobody: the browser must say that the
form came from here, and the form's signed owner must be who asks now. On the person's pages the
signed owner is enough where the browser says nothing at all. Nothing typed is stored in clear;
without a session it is sealed, as a form is whose session has ended. A part of a page (htmx) cannot
show a page: it leads to one, where what was typed stands.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import resolve

from sojourn_web.cases.applicant.gate import (
    COOKIE,
    HIDES,
    NOT_KEPT,
    PATH,
    RESTORED,
    ask_again,
    show,
    spoken,
)
from sojourn_web.cases.applicant.keeping import read_owner
from sojourn_web.cases.services import visiting
from sojourn_web.cases.services.room import room_now
from sojourn_web.cases.unsent import (
    GIVEN,
    PAGE,
    ask_to_sign_in,
    is_hint,
    is_own,
    keep_and_go,
    no_hint,
    page_of,
    show_again,
    typed_in,
)

DESK = "/cases/"
ONCE_MORE = ("That page had been open since before you signed in. Nothing was changed: press the "
             "button once more.")  # fmt: skip


def too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's ``CSRF_FAILURE_VIEW``. ``reason`` is Django's and is not shown."""
    if request.path.startswith(PATH):
        return _of_a_person(request)
    if request.path.startswith(DESK) and came_from_here(request):
        return _at_the_desk(request)
    return render(request, "403_csrf.html", status=403)


def came_from_here(request: HttpRequest) -> bool:
    """Whether the browser says that a page of this site sent the form."""
    if said := request.headers.get("Sec-Fetch-Site"):
        return said == "same-origin"
    origin = request.headers.get("Origin") or request.headers.get("Referer", "")
    return urlsplit(origin).netloc == request.get_host()


def says_nothing(request: HttpRequest) -> bool:
    """Whether the browser hides where a form comes from: old ones do, and some that are careful."""
    return not any(request.headers.get(h) for h in ("Sec-Fetch-Site", "Origin", "Referer"))


@spoken
def _of_a_person(request: HttpRequest) -> HttpResponse:
    """Their own form comes back to them; one from another site is not shown.

    Where the browser hides it, the form's signed owner alone tells: nobody else's page has it.
    """
    if says_nothing(request):
        request.META[HIDES] = True
    elif not came_from_here(request):
        return show(request, "not_sent", 403)
    return _on_a_person_s_page(request)


def _at_the_desk(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return ask_to_sign_in(request)
    if request.headers.get("HX-Request"):
        return _in_a_part(request)
    typed, back = typed_in(request), page_of(request)
    if not is_own(request, typed):  # a button, or somebody else's form
        return render(request, "cases/too_old.html", {"back": back}, status=403)
    if not typed.get("page"):
        request.META[GIVEN] = typed
        answer = _as_a_page(request)
        if GIVEN not in request.META and answer.status_code == 200:
            answer.status_code = 403
            return answer
    return show_again(request, typed, 403)


def _in_a_part(request: HttpRequest) -> HttpResponse:
    """One's own form: its page, with what was typed. A button: the page that it stands on."""
    if is_hint(request):
        return no_hint(request)
    if is_own(request, typed_in(request)):
        return keep_and_go(request, page_of(request))
    messages.info(request, ONCE_MORE)
    here = urlsplit(request.headers.get("HX-Current-URL", "")).path
    back = here if PAGE.fullmatch(here) else page_of(request)
    return HttpResponse(headers={"HX-Redirect": back})


def _on_a_person_s_page(request: HttpRequest) -> HttpResponse:
    match = resolve(request.path)
    if match.url_name == "return-sign-out":  # from our own page: a visit is never left open
        return _answer_of(request.path, request)
    if match.url_name == "return-enter":
        return show(request, "enter", 403, ended=True, kept=request.POST.get("kept", ""),
                    reference=request.POST.get("reference", ""))  # fmt: skip
    if match.url_name in ("return-begin", "return-join"):  # nobody is known here yet
        return _with_status_403(_as_a_page(request))
    room = room_now()
    actor = visiting.find_visitor(room, request.COOKIES.get(COOKIE, ""))
    if actor is None:
        return ask_again(request, room)
    if actor.person_id and read_owner(request.POST.get("owner", "")) == actor.person_id.hex:
        fields = {k: str(v) for k, v in request.POST.items() if k not in NOT_KEPT}
        request.META[RESTORED] = {**fields, "restored": "1"}
    answer = _as_a_page(request)
    if answer.status_code == 302:  # a button alone: the page that it stands on
        answer = _answer_of(urlsplit(answer["Location"]).path, request)
    return _with_status_403(answer)


def _with_status_403(answer: HttpResponse) -> HttpResponse:
    if answer.status_code == 200:
        answer.status_code = 403
    return answer


def _as_a_page(request: HttpRequest) -> HttpResponse:
    """The address as if it was opened: nothing is sent."""
    request.method = "GET"
    request.POST = QueryDict()
    return _answer_of(request.path, request)


def _answer_of(path: str, request: HttpRequest) -> HttpResponse:
    place = resolve(path)
    answer: HttpResponse = place.func(request, *place.args, **place.kwargs)
    return answer
