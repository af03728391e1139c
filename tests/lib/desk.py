"""The cast signed in, and a case of today that stands where a test needs it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

from django.contrib.auth.models import Group, User
from django.test import Client

from lib.cast import AMINA, Cast, key, make_cast
from sojourn_web.cases.demo_steps import Desk, Wish, bring_to
from sojourn_web.cases.keys import case_keys
from sojourn_web.cases.models import AuditEvent, Case
from sojourn_web.cases.services import opening
from sojourn_web.cases.services.opening import NewPerson
from sojourn_web.cases.services.room import Room
from sojourn_web.cases.states import State
from sojourn_web.cases.visibility import Actor

BACKEND = "sojourn_web.accounts.backends.OfficeBackend"
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


def cast_of_today() -> Cast:
    return make_cast(case_keys(), datetime.now(UTC))


def client_of(actor: Actor) -> Client:
    """A browser in which ``actor`` is signed in."""
    user, _ = User.objects.get_or_create(
        pk=actor.user_id, defaults={"username": f"{actor.name}-{actor.user_id}"}
    )
    user.groups.set([Group.objects.get_or_create(name=actor.who.value)[0]])
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def form_at(client: Client, address: str) -> dict[str, str]:
    """The hidden columns of every form of a page; the last of a name counts."""
    return fields_of(client.get(address).content.decode())


def fields_of(page: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in HIDDEN.findall(page)}


def case_in(cast: Cast, state: State, *people: NewPerson, days: int = 5) -> Case:
    """Leaves in ``days`` days, from ``travel`` on; a departed one left two days ago."""
    now = cast.room.now
    room = Room(cast.room.keys, now - timedelta(days=20))
    opened = opening.open_case(
        room, cast.counsellor, cast.office.pk, people or (AMINA,), key=key(), language="fr"
    )
    leaves = now - timedelta(days=2) if state is State.DEPARTED else now + timedelta(days=days)
    desk = Desk(cast.office, cast.counsellor, cast.medical)
    bring_to(room, desk, opened.done.case_id, Wish(state, leaves))
    return Case.objects.get(pk=opened.done.case_id)


def trail_is_whole(case: Case) -> bool:
    """One audit row for each version."""
    fresh = Case.objects.get(pk=case.pk)
    return AuditEvent.objects.filter(case=case).count() == fresh.version
