"""Other systems: scopes, an office's walls, keys that repeat, and events that the person reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from lib.cast import AMINA, Cast, applicant_of, consent, open_for, step
from sojourn_web.cases.errors import NotAllowedError, NotVisibleError, RefusedError
from sojourn_web.cases.models import (
    AccessEvent,
    ApiReply,
    ApiToken,
    AuditEvent,
    Case,
    Document,
    Journey,
)
from sojourn_web.cases.services import looking, tokens
from sojourn_web.cases.services.tokens import Scope
from sojourn_web.cases.states import Move
from sojourn_web.cases.vocabulary import Stage

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
EVERY = frozenset(Scope)
Send = Callable[..., Any]


@pytest.fixture
def cast(office: Cast) -> Cast:
    return office


@pytest.fixture
def token(cast: Cast) -> str:
    return tokens.make_token(cast.room, cast.supervisor, "Booking desk", EVERY)


@pytest.fixture
def send(client: Client, token: str) -> Send:
    def work(method: str, place: str, body: object = None, key: str = "", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {more.pop('token', token)}"}
        if key:
            headers["Idempotency-Key"] = key
        data = None if body is None else json.dumps(body)
        return client.generic(
            method, f"/api/cases/v1/{place}", data or "", "application/json", headers=headers
        )

    return work


ENQUIRY = {"language": "fr", "people": [{"names": "Amina Diallo", "birth_date": "1991"}]}


def test_an_enquiry_is_opened_once_for_each_key(send: Send, cast: Cast, tmp_path: Path) -> None:
    first = send("POST", "enquiries", ENQUIRY, "order-0001")
    again = send("POST", "enquiries", ENQUIRY, "order-0001")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.json()["state"] == "enquiry"
    case = Case.objects.get()
    assert (case.reference, case.office_id) == (first.json()["reference"], cast.office.pk)
    other = send("POST", "enquiries", {**ENQUIRY, "language": "ar"}, "order-0001")
    assert other.status_code == 409
    assert other["Content-Type"] == "application/problem+json"
    assert Case.objects.count() == 1
    assert "Amina" not in str(list(ApiReply.objects.values()))
    assert AuditEvent.objects.get(case=case).name == "Booking desk"
    assert send("POST", "enquiries", ENQUIRY).status_code == 422  # no key
    assert send("POST", "enquiries", ENQUIRY, "short").status_code == 422
    for language in ("fr\0", "f", "../en", "french"):
        wrong = {**ENQUIRY, "language": language}
        assert send("POST", "enquiries", wrong, "order-0009").status_code == 422, language


def test_a_refused_create_may_be_sent_again_under_its_key(send: Send) -> None:
    wrong = {"language": "fr", "people": [{"names": "X", "birth_date": "1900-01-01"}]}
    refused = send("POST", "enquiries", wrong, "order-0002")
    assert refused.status_code == 422
    assert "unknown" in refused.json()["reasons"][0]
    assert send("POST", "enquiries", ENQUIRY, "order-0002").status_code == 201


def test_a_state_is_read_and_the_person_reads_by_whom(send: Send, cast: Cast) -> None:
    case = open_for(cast)
    found = send("GET", f"cases/{case.reference.lower()}")
    assert found.status_code == 200
    assert set(found.json()) == {"reference", "state", "since", "version", "outcome"}
    lines = looking.read_log(cast.room, applicant_of(case))
    assert ("Booking desk", "opened where the case stands") in [(a.who, a.what) for a in lines]


def test_another_office_s_and_forged_references_are_not_found_alike(send: Send, cast: Cast) -> None:
    from sojourn_web.cases.services.opening import open_case

    south = open_case(
        cast.room, cast.stranger, cast.other_office.pk, [AMINA], key="s", language="fr"
    ).done.reference
    answers = [send("GET", f"cases/{r}") for r in (south, "K7WX-2MDQ", "nothing", "%00")]
    assert {a.status_code for a in answers} == {404}
    assert len({a.content for a in answers}) == 1
    posted = send("POST", f"cases/{south}/bookings", BOOKING(cast), "order-0003")
    assert posted.status_code == 404
    assert not AccessEvent.objects.exists()


def test_scopes_revocation_and_wrong_tokens(send: Send, cast: Cast, token: str) -> None:
    narrow = tokens.make_token(cast.room, cast.supervisor, "Desk", frozenset({Scope.READ_STATE}))
    case = open_for(cast)
    assert send("GET", f"cases/{case.reference}", token=narrow).status_code == 200
    assert send("GET", "counts", token=narrow).status_code == 403
    assert send("POST", "enquiries", ENQUIRY, "order-0004", token=narrow).status_code == 403
    for wrong in ("", "x", token[:-1]):
        answer = send("GET", "counts", token=wrong)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
        assert answer["Content-Type"] == "application/problem+json"
    row = next(t for t in tokens.list_tokens(cast.supervisor) if t.name == "Booking desk")
    assert token not in str(list(ApiToken.objects.values()))
    assert send("GET", "counts").status_code == 200
    tokens.revoke_token(cast.room, cast.second_supervisor, row.pk)
    assert send("GET", "counts").status_code == 401


def test_tokens_are_a_supervisor_s_for_their_own_office(cast: Cast, token: str) -> None:
    for nobody in (cast.counsellor, cast.administrator, cast.auditor, cast.medical):
        with pytest.raises(NotAllowedError):
            tokens.make_token(cast.room, nobody, "X", EVERY)
    with pytest.raises(RefusedError):
        tokens.make_token(cast.room, cast.supervisor, "X", frozenset())
    row = ApiToken.objects.get()
    from dataclasses import replace

    south = replace(cast.supervisor, office_id=cast.other_office.pk)
    with pytest.raises(NotVisibleError):
        tokens.revoke_token(cast.room, south, row.pk)


def BOOKING(cast: Cast) -> dict[str, Any]:
    leaves = (cast.room.now + timedelta(days=9)).replace(microsecond=0)
    leg = {"carrier": "SN", "service": "SN 241", "place_from": "BRU", "place_to": "CKY",
           "leaves_at": leaves.isoformat()}  # fmt: skip
    return {"country": "GIN", "booking": "X7ZZ", "legs": [leg]}


def test_documents_and_bookings_are_added_and_consent_is_asked_anew(send: Send, cast: Cast) -> None:
    case = open_for(cast)
    early = send("POST", f"cases/{case.reference}/bookings", BOOKING(cast), "order-0005")
    assert early.status_code == 422
    assert "while documents are prepared" in early.json()["detail"]
    paper = {"person": 1, "kind": "passport", "number": "K1230045", "country": "GIN",
             "expires_on": str(cast.room.now.date() + timedelta(days=900))}  # fmt: skip
    made = send("POST", f"cases/{case.reference}/documents", paper, "order-0006")
    assert made.status_code == 201
    assert Document.objects.get().pk.hex == made.json()["id"].replace("-", "")
    blank = {**paper, "number": "0000000"}
    assert send("POST", f"cases/{case.reference}/documents", blank, "order-7777").status_code == 422
    assert (
        send("POST", f"cases/{case.reference}/documents", {**paper, "person": 9}, "order-8888")
    ).status_code == 404
    assert (
        send("POST", f"cases/{case.reference}/documents", {**paper, "x": 9}, "order-9999")
    ).status_code == 422


def test_a_booking_needs_its_own_consent_and_moves_nothing(send: Send, cast: Cast) -> None:
    from dataclasses import replace

    from sojourn_web.cases.services.room import Room

    earlier = replace(cast, room=Room(cast.room.keys, cast.room.now))
    case = open_for(earlier)
    to_documents_now(earlier, case)
    for number in ("order-0010", "order-0011"):
        found = send("POST", f"cases/{case.reference}/bookings", BOOKING(cast), number)
        assert found.status_code == 201, found.content
        assert found.json()["state"] == "documents"
    assert Journey.objects.filter(case=case, ended_at=None).count() == 1
    assert Journey.objects.filter(case=case).count() == 2
    with pytest.raises(RefusedError):
        step(cast, case, Move.BOOK)
    consent(cast, case, Stage.BOOKING)
    held = AuditEvent.objects.filter(case=case).count()
    assert held == Case.objects.get(pk=case.pk).version


def to_documents_now(cast: Cast, case: Case) -> None:
    """The cast's steps have days of March 2026 in them: screenings are asked for today's."""
    from lib import cast as steps
    from sojourn_web.cases.vocabulary import ScreeningKind

    steps.step(cast, case, Move.APPLY, Move.START_COUNSELLING)
    steps.tell_everything(cast, case)
    steps.step(cast, case, Move.START_SAFEGUARDS)
    until = cast.room.now.date() + timedelta(days=80)
    steps.screen_everybody(cast, case, ScreeningKind.VULNERABILITY, until)
    steps.step(cast, case, Move.ASK_CONSENT)
    consent(cast, case, Stage.APPLICATION)
    steps.step(cast, case, Move.PREPARE_DOCUMENTS)


def test_there_is_no_list_and_the_description_is_whole(send: Send, client: Client) -> None:
    assert send("GET", "cases").status_code in (404, 405)
    assert send("GET", "cases/").status_code in (404, 405)
    described = client.get("/api/cases/v1/openapi.json").json()
    assert set(described["paths"]) == {
        "/api/cases/v1/enquiries", "/api/cases/v1/cases/{reference}",
        "/api/cases/v1/cases/{reference}/documents", "/api/cases/v1/cases/{reference}/bookings",
        "/api/cases/v1/counts",
    }  # fmt: skip
    for methods in described["paths"].values():
        for method, how in methods.items():
            always = {"401", "403", "429", "503"}
            more = {"400", "404", "409", "422"} if method == "post" else set()
            assert always | more <= set(how["responses"])


def test_the_description_is_true(send: Send, cast: Cast, client: Client, token: str) -> None:
    """What is sent is named as it is read, and every answer is one that is described."""
    described = client.get("/api/cases/v1/openapi.json").json()
    case = open_for(cast)
    narrow = tokens.make_token(cast.room, cast.supervisor, "Desk", frozenset({Scope.READ_COUNTS}))
    paper = {"person": 1, "kind": "passport", "number": "K1230045", "country": "GIN",
             "expires_on": str(cast.room.now.date() + timedelta(days=900))}  # fmt: skip
    places = {"enquiries": ENQUIRY, "cases/{reference}/documents": paper,
              "cases/{reference}/bookings": BOOKING(cast)}  # fmt: skip
    met = set()
    for place, body in places.items():
        number = f"order-{len(place)}"
        told = described["paths"][f"/api/cases/v1/{place}"]["post"]
        header = next(p for p in told["parameters"] if p["in"] == "header")
        assert header["name"] == "Idempotency-Key"
        assert (header["required"], header["schema"]["minLength"]) == (True, 8)
        for reference in (case.reference, "K7WX-2MDQ"):
            where = place.replace("{reference}", reference)
            asked = [(body, number, token), (body, number, token), ({}, "", token),
                     (other_body(body), number, token), (body, f"{number}a", narrow),
                     (body, f"{number}b", "wrong"), ("{", f"{number}c", token)]  # fmt: skip
            for sent, key, who in asked:
                headers = {"Authorization": f"Bearer {who}"}
                if key:
                    headers[header["name"]] = key
                text = sent if isinstance(sent, str) else json.dumps(sent)
                answer = client.post(f"/api/cases/v1/{where}", text, "application/json",
                                     headers=headers)  # fmt: skip
                check_described(described, told, answer)
                met.add(answer.status_code)
    assert met == {201, 400, 401, 403, 404, 409, 422}
    reading = described["paths"]["/api/cases/v1/cases/{reference}"]["get"]
    check_described(described, reading, send("GET", f"cases/{case.reference}"))
    check_described(described, reading, send("GET", "cases/K7WX-2MDQ"))
    counting = described["paths"]["/api/cases/v1/counts"]["get"]
    check_described(described, counting, send("GET", "counts"))


def other_body(body: dict[str, Any]) -> dict[str, Any]:
    """As described, and not the same."""
    return body | ({"language": "ar"} if "people" in body else {"country": "SEN"})


def check_described(described: Any, told: Any, answer: Any) -> None:
    """Status, media type and names of an answer are those of its description."""
    assert str(answer.status_code) in told["responses"], (answer.status_code, answer.content)
    content = told["responses"][str(answer.status_code)]["content"]
    media = answer["Content-Type"].partition(";")[0]
    assert list(content) == [media], answer.status_code
    name = content[media]["schema"]["$ref"].rpartition("/")[2]
    schema = described["components"]["schemas"][name]
    found = answer.json()
    assert set(schema.get("required", ())) <= set(found) <= set(schema["properties"])


def test_counts_are_the_report_s_and_say_nothing_of_few(send: Send, cast: Cast) -> None:
    from sojourn_web.cases.services.opening import open_case

    for n in range(12):
        open_for(cast)
        open_case(
            cast.room, cast.stranger, cast.other_office.pk, [AMINA], key=f"s{n}", language="fr"
        )
    tables = {t["name"]: t for t in send("GET", "counts").json()["tables"]}
    lines = {line["label"]: line["cells"] for line in tables["caseload"]["lines"]}
    assert tables["caseload"]["columns"] == ["North", "South", "all"]
    assert lines["travel"] == [None, None, None]
    assert {v for cells in lines.values() for v in cells} <= {None, 12, 24}
