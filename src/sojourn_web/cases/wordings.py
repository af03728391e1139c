"""The first wordings of every consent, in English, and the offices' first set-up.

English ones are shipped as reviewed by the project; an office has its own reviewed, in its
languages, before it takes real cases. A changed wording is a new version, never a changed text.
"""

from __future__ import annotations

from datetime import datetime

from sojourn_web.cases.models import Declaration, Office, StaffProfile
from sojourn_web.cases.vocabulary import Purpose, Who, Wording

REVIEWER = "the project: have it reviewed by your own legal service"
ENGLISH: dict[Purpose, str] = {
    Purpose.RETURN: "I want to go back. Nobody makes me. I know what it means for my stay, my "
    "claims and my coming here again. I can change my mind until I leave, without a reason, and "
    "nothing bad follows from it.",
    Purpose.EMBASSY: "You may speak with the embassy of my country about a travel document. You "
    "tell them only what they need for it.",
    Purpose.CARRIER: "The carrier may tell you whether I travelled on the booking that you made "
    "for me. Nothing else is asked, and of nobody else.",
    Purpose.TRANSFER: "Another office may take over my case and read what is in it.",
    Purpose.RECEPTION: "The partner who meets me may know my name, when I come and what help I "
    "need.",
    Purpose.SURVEY: "You may ask me how I am after 1, 3, 6 and 12 months. I need not answer.",
}


def ship_wordings(now: datetime) -> None:
    """Version 1 of each purpose in English, where there is none."""
    for purpose, text in ENGLISH.items():
        Declaration.objects.get_or_create(
            purpose=purpose, language="en", version=1,
            defaults={"made_at": now, "state": Wording.REVIEWED, "text": text,
                      "reviewed_by": REVIEWER, "reviewed_at": now},
        )  # fmt: skip


def place_account(user_id: int, name: str, role: Who, office: str, now: datetime) -> StaffProfile:
    """Give an account its place. ``office``: its name, made where there is none; "" for none."""
    place = None
    if office:
        place, _ = Office.objects.get_or_create(name=office, defaults={"made_at": now})
    profile, _ = StaffProfile.objects.update_or_create(
        user_id=user_id,
        defaults={"made_at": now, "office": place, "role": role, "name": name, "left_at": None},
    )
    return profile


def end_place(user_id: int, now: datetime) -> None:
    """An account whose role no longer belongs to cases, or whose person has gone, sees none."""
    for profile in StaffProfile.objects.filter(user_id=user_id, left_at=None):
        profile.left_at = now
        profile.save()
