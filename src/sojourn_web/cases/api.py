"""The API for the organisation's other systems: /api/cases/v1/, described by its openapi.json.

In: a bearer token with scopes, bound to an office; an Idempotency-Key with every create. Out: JSON
with references, states and counts; errors as problem+json. Nothing here tells who somebody is, and
there is no list of cases. Every reading and adding is an event that the person of the case reads.
A token may ask so often (``settings.CASES_API_RATE``); then 429 with ``Retry-After``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Header, NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer
from pydantic import AwareDatetime, ConfigDict, Field

from sojourn_web.cases.errors import (
    CaseKeyError,
    ConflictError,
    NotAllowedError,
    NotVisibleError,
    RefusedError,
)
from sojourn_web.cases.limits import Rate, TooManyError, count, read_rate
from sojourn_web.cases.models import ApiToken
from sojourn_web.cases.pages import find_case
from sojourn_web.cases.services import asked, opening, reporting, travel
from sojourn_web.cases.services.opening import NewPerson
from sojourn_web.cases.services.room import Room, room_now
from sojourn_web.cases.services.tokens import (
    KeyReusedError,
    Reply,
    Scope,
    actor_of_token,
    find_token,
    holds_scope,
    reply_once,
)
from sojourn_web.cases.visibility import Actor
from sojourn_web.cases.vocabulary import DocumentKind, PersonKind

LANGUAGE = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?$"  # fr, ckb, pt-BR
Short = Annotated[str, Field(max_length=120)]
# Named as it is sent: a client that is written from the description must be understood.
Key = Annotated[
    str,
    Header(alias="Idempotency-Key", min_length=8, max_length=64,
           description="One for each create; the same again gives the same answer"),
]  # fmt: skip


class Body(Schema):
    """Unknown names are refused: a mistyped one is told, not dropped."""

    model_config = ConfigDict(extra="forbid")


class PersonIn(Body):
    names: Annotated[str, Field(max_length=200)] = ""
    names_latin: Annotated[str, Field(max_length=200)] = ""
    birth_date: Annotated[str, Field(max_length=20, description="YYYY, YYYY-MM, YYYY-MM-DD")] = ""
    nationality: Annotated[str, Field(max_length=3)] = ""
    contact: Annotated[str, Field(max_length=300)] = ""
    kind: PersonKind = PersonKind.APPLICANT
    language: Annotated[str, Field(max_length=12, pattern=f"{LANGUAGE}|^$")] = ""


class EnquiryIn(Body):
    language: Annotated[str, Field(min_length=2, max_length=12, pattern=LANGUAGE)]
    people: Annotated[list[PersonIn], Field(min_length=1, max_length=20)]


class DocumentIn(Body):
    person: Annotated[int, Field(ge=1, le=50, description="1: the first of the case")]
    kind: DocumentKind
    number: Annotated[str, Field(min_length=3, max_length=40)]
    country: Annotated[str, Field(min_length=3, max_length=3)]
    expires_on: date
    issued_on: date | None = None
    authority: Short = ""


class LegIn(Body):
    carrier: Short
    service: Short
    place_from: Short
    place_to: Short
    leaves_at: AwareDatetime
    arrives_at: AwareDatetime | None = None


class BookingIn(Body):
    country: Annotated[str, Field(min_length=3, max_length=3)]
    booking: Annotated[str, Field(max_length=40)] = ""
    legs: Annotated[list[LegIn], Field(min_length=1, max_length=12)]


class Made(Schema):
    """``id``: of the new document or journey; of a case there is the reference alone."""

    reference: str
    state: str
    version: int
    id: str | None = None


class StandingOut(Schema):
    reference: str
    state: str
    since: AwareDatetime
    version: int
    outcome: str


class LineOut(Schema):
    label: str
    cells: list[int | None]


class CountsOut(Schema):
    """A cell that is null is hidden: it, or what it would tell, is under ten."""

    name: str
    title: str
    columns: list[str]
    lines: list[LineOut]
    note: str


class ReportOut(Schema):
    since: AwareDatetime
    until: AwareDatetime
    tables: list[CountsOut]


class Problem(Schema):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    reasons: Annotated[list[str], Field(default_factory=list)]


PROBLEM = "application/problem+json"
WRONG_TOKENS = Rate(30, 60)  # from one address
KEYS_BACK = 60  # seconds to wait while the keys of cases do not open
log = logging.getLogger("sojourn.cases")


class TokenAuth(HttpBearer):
    """Counts before a body is read: what is not as described counts too."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        room = room_now()
        found = find_token(room, token)
        if found is None:
            count("wrong-tokens", request.META.get("REMOTE_ADDR", ""), WRONG_TOKENS, room.now)
        else:
            count("requests", str(found.pk), read_rate(settings.CASES_API_RATE), room.now)
        return found


class CasesAPI(NinjaAPI):
    """Its description says of errors what they are: problem+json (RFC 9457)."""

    def get_openapi_schema(self, *args: Any, **kwargs: Any) -> Any:
        schema = super().get_openapi_schema(*args, **kwargs)
        for path in schema["paths"].values():
            for operation in path.values():
                for status, told in operation["responses"].items():
                    if int(status) >= 400 and "application/json" in told.get("content", {}):
                        told["content"] = {PROBLEM: told["content"]["application/json"]}
        return schema


api = CasesAPI(
    title="Sojourn: voluntary return", version="1", urls_namespace="cases-api", docs_url=None,
    auth=TokenAuth(),
    description="For the organisation's other systems. No list of cases and nobody's particulars. "
    "A token may ask so often (120 requests a minute unless the office has set another rate; "
    "counts 6 times): then the answer is 429, and Retry-After says how many seconds to wait. "
    "While the keys of cases cannot be opened it is 503, with Retry-After too. "
    "Nothing was done by such a request: send it again with the same Idempotency-Key.",
)  # fmt: skip
ALWAYS = dict.fromkeys((401, 403, 429, 503), Problem)
OF_A_CASE = {404: Problem, **ALWAYS}
# 400: no JSON at all; 409: the key came with another body; 422: not as described, or refused.
MADE = {201: Made, **dict.fromkeys((400, 404, 409, 422), Problem), **ALWAYS}
WAIT = {"description": "Whole seconds until the next request may come",
        "schema": {"type": "integer"}}  # fmt: skip
WAITS = {"headers": {"Retry-After": WAIT}}
LIMITED: dict[str, Any] = {"responses": {429: WAITS, 503: WAITS}}


def _enter(request: HttpRequest, scope: Scope) -> tuple[Room, ApiToken, Actor]:
    token: ApiToken = request.auth  # type: ignore[attr-defined]
    if not holds_scope(token, scope):
        raise NotAllowedError(f"this token lacks the scope {scope}")
    return room_now(), token, actor_of_token(token)


def _answer(
    request: HttpRequest, room: Room, token: ApiToken, key: str, make: Callable[[], Reply]
) -> HttpResponse:
    reply = reply_once(room, token, key, f"{request.method} {request.path}", request.body, make)
    return JsonResponse(reply.answer, status=reply.status)


@api.post("enquiries", response=MADE, summary="Open an enquiry", openapi_extra=LIMITED)
def open_enquiry(request: HttpRequest, body: EnquiryIn, idempotency_key: Key) -> HttpResponse:
    """A new case in the token's office, in the state ``enquiry``. Nothing is decided by it."""
    room, token, actor = _enter(request, Scope.OPEN_ENQUIRY)

    def make() -> Reply:
        people = [NewPerson(**p.model_dump()) for p in body.people]
        opened = opening.open_case(
            room, actor, token.office_id, people, key=idempotency_key, language=body.language
        )
        return _made(opened.done, with_id=False)

    return _answer(request, room, token, idempotency_key, make)


@api.get(
    "cases/{reference}",
    response={200: StandingOut, **OF_A_CASE},
    summary="Read a state",
    openapi_extra=LIMITED,
)
def read_case(request: HttpRequest, reference: str) -> StandingOut:
    """Where a case of the token's office stands, by its whole reference."""
    room, _, actor = _enter(request, Scope.READ_STATE)
    held = asked.read_standing(room, actor, find_case(room, actor, reference))
    return StandingOut.model_validate(held, from_attributes=True)


@api.post(
    "cases/{reference}/documents", response=MADE, summary="Add a document", openapi_extra=LIMITED
)
def add_document(
    request: HttpRequest, reference: str, body: DocumentIn, idempotency_key: Key
) -> HttpResponse:
    """A document that exists, with its dates."""
    room, token, actor = _enter(request, Scope.ADD_DOCUMENT)
    case_id = find_case(room, actor, reference)

    def make() -> Reply:
        person_id = asked.person_at(room, actor, case_id, body.person)
        held = body.model_dump(exclude={"person", "kind"})
        return _made(
            travel.add_document(
                room, actor, case_id, person_id, body.kind, key=idempotency_key, **held
            )
        )

    return _answer(request, room, token, idempotency_key, make)


@api.post(
    "cases/{reference}/bookings", response=MADE, summary="Add a booking", openapi_extra=LIMITED
)
def add_booking(
    request: HttpRequest, reference: str, body: BookingIn, idempotency_key: Key
) -> HttpResponse:
    """A journey as booked. It replaces an earlier plan, so its consents are asked anew."""
    room, token, actor = _enter(request, Scope.ADD_BOOKING)
    case_id = find_case(room, actor, reference)

    def make() -> Reply:
        legs = [
            {k: str(v) for k, v in leg.model_dump(mode="json").items() if v} for leg in body.legs
        ]
        asked.note_booking(room, actor, case_id)
        return _made(
            travel.plan_journey(
                room, actor, case_id, legs=legs, leaves_at=body.legs[0].leaves_at,
                country=body.country, key=idempotency_key, booking=body.booking,
            )
        )  # fmt: skip

    return _answer(request, room, token, idempotency_key, make)


@api.get(
    "counts",
    response={200: ReportOut, **ALWAYS},
    summary="Read the reports' counts",
    openapi_extra=LIMITED,
)
def read_counts(request: HttpRequest) -> ReportOut:
    """The same hidden counts as on the page of reports."""
    room, token, actor = _enter(request, Scope.READ_COUNTS)
    count("counts", str(token.pk), read_rate(settings.CASES_API_COUNTS_RATE), room.now)
    held = reporting.make_report(room, actor)
    tables = [CountsOut.model_validate(t, from_attributes=True) for t in held.counts]
    return ReportOut(since=held.since, until=held.until, tables=tables)


def _made(done: Any, *, with_id: bool = True) -> Reply:
    row = str(done.row_id) if with_id else None
    return Reply(201, {"reference": done.reference, "state": done.state, "version": done.version,
                       "id": row})  # fmt: skip


def _problem(status: int, title: str, *reasons: str) -> HttpResponse:
    held = Problem(title=title, status=status, detail=" ".join(reasons), reasons=list(reasons))
    answer = JsonResponse(held.model_dump(), status=status, content_type=PROBLEM)
    answer["Cache-Control"] = "no-store"
    if status == 401:
        answer["WWW-Authenticate"] = "Bearer"
    return answer


@api.exception_handler(AuthenticationError)
def _on_no_token(request: HttpRequest, error: Any) -> HttpResponse:
    return _problem(401, "No token", "Expected a token that is known and not revoked.")


@api.exception_handler(TooManyError)
def _on_too_many(request: HttpRequest, error: Any) -> HttpResponse:
    answer = _problem(429, "Too many requests", str(error))
    answer["Retry-After"] = str(error.wait)
    return answer


@api.exception_handler(CaseKeyError)
def _on_keys_away(request: HttpRequest, error: Any) -> HttpResponse:
    log.error("the keys of cases cannot be opened: %s", error)
    answer = _problem(503, "Keys away", "The keys of cases cannot be opened just now. Nothing was "
                      "done: send it again later, with the same Idempotency-Key.")  # fmt: skip
    answer["Retry-After"] = str(KEYS_BACK)
    return answer


@api.exception_handler(NotAllowedError)
def _on_not_allowed(request: HttpRequest, error: Any) -> HttpResponse:
    return _problem(403, "Not allowed", str(error))


@api.exception_handler(NotVisibleError)
def _on_not_visible(request: HttpRequest, error: Any) -> HttpResponse:
    return _problem(404, "Not found", str(error))


@api.exception_handler(KeyReusedError)
@api.exception_handler(ConflictError)
def _on_conflict(request: HttpRequest, error: Any) -> HttpResponse:
    return _problem(409, "Conflict", str(error))


@api.exception_handler(RefusedError)
def _on_refused(request: HttpRequest, error: Any) -> HttpResponse:
    return _problem(422, "Refused", *error.reasons)


@api.exception_handler(ValidationError)
def _on_invalid(request: HttpRequest, error: Any) -> HttpResponse:
    """Where and what was expected; never what was sent."""
    reasons = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors]
    return _problem(422, "Not as described", *reasons)


@api.exception_handler(HttpError)
def _on_other(request: HttpRequest, error: Any) -> HttpResponse:
    return _problem(error.status_code, "Not accepted", str(error))
