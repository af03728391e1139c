"""The bench's own loader: many invented cases at once, past the services. For benchmarks alone.

Services open one case at a time, with its trail; 50,000 of them would take hours. This writes the
same rows in bulk: each case has a key of its own, and every sealed column is encrypted as
everywhere. For PostgreSQL; it refuses a database that holds a case already.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from uuid import uuid4

from django.db import connections
from django.db.models import Model

from sojourn_web.cases.demo import FAMILY, GIVEN
from sojourn_web.cases.indexes import digests_of_person
from sojourn_web.cases.keys import CaseKeys
from sojourn_web.cases.models import (
    AuditEvent,
    BlindIndex,
    Case,
    ChecklistItem,
    Consent,
    Declaration,
    Document,
    Journey,
    Office,
    Person,
    Screening,
    Task,
)
from sojourn_web.cases.references import make_reference
from sojourn_web.cases.router import ALIAS
from sojourn_web.cases.states import BEFORE_DEPARTURE, State
from sojourn_web.cases.tongues import codes
from sojourn_web.cases.vocabulary import (
    Check,
    CheckAnswer,
    DocumentKind,
    Purpose,
    ScreeningKind,
    ScreeningResult,
    Stage,
)

ENDED = (State.WITHDRAWN, State.CLOSED)
BATCH = 1000
ORDER = (Case, Person, BlindIndex, AuditEvent, ChecklistItem, Screening, Document, Journey,
         Consent, Task)  # fmt: skip


class OneKeyAtATime:
    """A key store that remembers the last key: this loader writes a case's rows one by one."""

    def __init__(self, keys: CaseKeys) -> None:
        self._keys = keys
        self._last = ("", b"")

    def create(self) -> str:
        return self._keys.create()

    def data_key(self, key_id: str) -> bytes:
        if self._last[0] != key_id:
            self._last = (key_id, self._keys.data_key(key_id))
        return self._last[1]

    def destroy(self, key_id: str) -> None:
        self._keys.destroy(key_id)

    def index_secret(self) -> bytes:
        return self._keys.index_secret()


def load_cases(
    keys: CaseKeys, offices: list[tuple[Office, list[int]]], count: int, now: datetime, rng: Random
) -> None:
    """``offices``: each with its counsellors' numbers."""
    if Case.objects.exists():
        raise RuntimeError("this loader is for an empty database of a benchmark")
    wording = Declaration.objects.get(purpose=Purpose.RETURN, language="en", version=1)
    secret = keys.index_secret()
    keys = OneKeyAtATime(keys)
    references: set[str] = set()
    while len(references) < count:
        references.add(make_reference())
    held: dict[type[Model], list[Model]] = {model: [] for model in ORDER}
    for number, reference in enumerate(sorted(references)):
        office, counsellors = offices[number % len(offices)]
        case = _case(keys, office, rng.choice(counsellors), reference, now, rng)
        for row in (case, *_rows(keys, secret, case, wording, rng)):
            held[type(row)].append(row)
        if number % BATCH == BATCH - 1 or number == count - 1:
            for model in ORDER:
                _copy(model, held[model])
                held[model].clear()


def _copy(model: type[Model], rows: list[Model]) -> None:
    """By COPY, which is ten times as quick as inserts; what a sealed column holds is ciphertext."""
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{f.column}"' for f in fields)
    order = f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN'
    names = [f.attname for f in fields]
    with connections[ALIAS].cursor() as cursor, cursor.copy(order) as copy:
        for row in rows:
            copy.write_row([row.__dict__[name] for name in names])


def _case(
    keys: CaseKeys, office: Office, counsellor: int, reference: str, now: datetime, rng: Random
) -> Case:
    made_at = now - timedelta(days=rng.randint(1, 700), minutes=rng.randint(0, 1400))
    state = rng.choice(BEFORE_DEPARTURE) if rng.random() < 0.35 else rng.choice(ENDED)
    since = min(now, made_at + timedelta(days=rng.randint(0, 60)))
    return Case(
        made_at=made_at, reference=reference, state=state, state_since=since, office=office,
        counsellor_id=counsellor, language=rng.choice(codes()), key_id=keys.create(), version=5,
        outcome="withdrawn" if state is State.WITHDRAWN else
        "returned" if state is State.CLOSED else "",
        ended_at=since if state in ENDED else None,
    )  # fmt: skip


def _rows(
    keys: CaseKeys, secret: bytes, case: Case, wording: Declaration, rng: Random
) -> Iterator[Model]:
    common = {"case": case, "key_id": case.key_id, "made_at": case.made_at, "made_by": "bench"}
    surname = rng.choice(FAMILY)
    for place in range(rng.choice((1, 1, 1, 2, 3))):
        year = rng.randint(1950, 2015)
        person = Person(
            position=place, is_child=year > 2008, named=True, language=case.language, **common
        )
        names = f"{rng.choice(GIVEN)} {surname}"
        person.seal(
            keys, names=names, names_latin=names.upper(), birth_date=str(year), nationality="XXX"
        )
        yield person
        # Parts of names alone: the pages that are measured do not search.
        for kind, digest in digests_of_person(secret, str(case.office_id), (names,), None)[:2]:
            yield BlindIndex(
                person=person, office_id=case.office_id, kind=kind, digest=digest, **common
            )
        yield from _papers(keys, case, person, wording, common)
    for check in list(Check)[: 1 if case.state in ENDED else 5]:
        yield ChecklistItem(check_kind=check, answer=CheckAnswer.TOLD, language="en", **common)
    states = [*BEFORE_DEPARTURE[: rng.randint(2, 6)], case.state]
    for version, (before, after) in enumerate(pairwise(states), start=1):
        yield AuditEvent(
            case=case, key_id=case.key_id, actor="counsellor:1", what=f"to {after}",
            made_at=case.made_at + timedelta(days=3 * version), from_state=before, to_state=after,
            version=version,
        )  # fmt: skip
    if case.state in BEFORE_DEPARTURE:
        yield Task(
            what="call them", due_on=case.state_since.date(), for_user_id=case.counsellor_id,
            **common,
        )  # fmt: skip


def _papers(
    keys: CaseKeys, case: Case, person: Person, wording: Declaration, common: dict[str, object]
) -> Iterator[Model]:
    day = case.made_at.date()
    yield Screening(
        id=uuid4(), person=person, kind=ScreeningKind.VULNERABILITY, result=ScreeningResult.CLEAR,
        done_at=case.made_at, valid_until=day + timedelta(days=180), **common,
    )  # fmt: skip
    paper = Document(
        person=person, kind=DocumentKind.PASSPORT, expires_on=day + timedelta(days=900), **common
    )
    paper.seal(keys, number=person.pk.hex[:9].upper(), country="XXX")
    yield paper
    yield Consent(
        person=person, purpose=Purpose.RETURN, stage=Stage.APPLICATION, declaration=wording,
        language="en", given_at=case.made_at, **common,
    )  # fmt: skip
    if person.position == 0 and case.state in (State.DOCUMENTS, State.TRAVEL):
        leaves_at = case.state_since + timedelta(days=20)
        journey = Journey(leaves_at=leaves_at, leaves_on=leaves_at.date(), **common)
        journey.seal_json(keys, itinerary=[{"carrier": "XX", "service": "XX 1"}])
        journey.seal(keys, country="XXX")
        yield journey
