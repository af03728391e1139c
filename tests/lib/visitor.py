"""What a person does in their own pages, as a browser would send it."""

from __future__ import annotations

import re

from django.test import Client

from lib.cast import Cast, applicant_of, key, people_of
from sojourn_web.cases.demo_steps import Desk
from sojourn_web.cases.models import (
    Case,
)
from sojourn_web.cases.services import family, opening

HOME = "/return/case/"
CODES = re.compile(r"<dd><bdi>([^<]+)</bdi></dd>")
HIDDEN = re.compile(r'name="(key|owner|seen|kept)" value="([^"]*)"')


def begin(client: Client, office: Cast) -> tuple[str, str]:
    form = hidden(client.get("/return/begin").content.decode())
    answer = client.post("/return/begin", {**form, "office": office.office.pk})
    reference, code = CODES.findall(answer.content.decode())
    return reference, code


def desk_of(office: Cast) -> Desk:
    return Desk(office.office, office.counsellor, office.medical)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's first form."""
    found: dict[str, str] = {}
    for name, value in HIDDEN.findall(page):
        found.setdefault(name, value)
    return found


def answer_question(client: Client, place: str, **fields: str) -> int:
    address = f"{HOME}ask/{place}"
    form = hidden(client.get(address).content.decode())
    return client.post(address, {**form, **fields}).status_code


def enter(client: Client, case: Case, office: Cast, place: int = 0) -> str:
    person = people_of(case)[place]
    code = opening.issue_code(
        office.room, office.counsellor, case.pk, person.pk, key=f"c{person.pk.hex[:20]}"
    )
    client.get("/return/?lang=en")
    answer = client.post("/return/enter", {"reference": case.reference, "code": code})
    assert answer.status_code == 302
    return code


def join(office: Cast, case: Case) -> None:
    """Another adult says yes to an invitation of the first."""
    code = family.invite_adult(office.room, applicant_of(case), case.pk, key=key())
    family.join_plan(office.room, case.reference, code, language="en", key=key())
