"""A page that could not be made: what is said of it, and what becomes of what was typed.

In: a request that failed, or whose keys cannot be reached. Out: a page in the person's language.
Only of a page that was opened it is said that nothing is lost. A form of their own comes back with
its words, to be sent once more; of any other it is said that it may not be saved.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from sojourn_web.cases.applicant import gate
from sojourn_web.cases.applicant.keeping import read_owner
from sojourn_web.cases.applicant.languages import words
from sojourn_web.cases.errors import CaseKeyError, KeyMissingError
from sojourn_web.cases.services import visiting
from sojourn_web.cases.services.room import room_now

KEYS_AWAY = words("We cannot open your case just now. Nothing is lost. Try again in a few minutes.")
CANNOT = words("We cannot open your case just now.")
KEY_MISSING = words(
    "We cannot open your case: its key is not here. Waiting does not help. Please tell the office."
)
HERE = words("What you wrote is here and is not saved. Send it again later, or copy it.")
NOT_SAVED = words("What you sent may not be saved. Go back, look, and send it again later.")
# What a form holds beside what was typed or chosen in it.
HIDDEN = frozenset({"key", "owner", "seen", "stage", "declaration", "consent", "wish", "move"})
log = logging.getLogger("sojourn.cases")


def keys_away(request: HttpRequest, trouble: CaseKeyError) -> HttpResponse:
    """The keys cannot be reached, or a case's own is not there."""
    log.error("the keys of cases cannot be opened: %s", trouble)
    return not_now(request, 503, KEY_MISSING if isinstance(trouble, KeyMissingError) else "")


def not_now(request: HttpRequest, status: int, why: str = "") -> HttpResponse:
    """``why``: what is the matter, where more is known than that it is not possible now."""
    typed = request.META.get(gate.RESTORED) or request.POST
    if request.method != "POST" and not typed:
        return gate.show(request, "refused", status, reasons=(why or KEYS_AWAY,))
    fields = _own_fields(request, typed)
    said = [value for name, value in fields if name not in HIDDEN and value.strip()]
    reasons = (why or CANNOT, HERE if said else NOT_SAVED)
    return gate.show(request, "refused", status, reasons=reasons, said=said,
                     fields=fields if said else (), to=request.get_full_path())  # fmt: skip


def _own_fields(request: HttpRequest, typed: Mapping[str, str]) -> list[tuple[str, str]]:
    """A form's fields where its signed owner is who asks now; nothing for anybody else."""
    restored = gate.RESTORED in request.META  # its owner was looked at already
    if not restored and not _is_theirs(request):
        return []
    left_out = gate.NOT_KEPT - {"owner"} | {"restored"}
    return [(name, str(value)) for name, value in typed.items() if name not in left_out]


def _is_theirs(request: HttpRequest) -> bool:
    owner = read_owner(request.POST.get("owner", ""))
    if not owner:
        return False
    try:
        actor = visiting.find_visitor(room_now(), request.COOKIES.get(gate.COOKIE, ""))
    except (CaseKeyError, DatabaseError):
        return False
    return actor is not None and actor.person_id is not None and actor.person_id.hex == owner
