"""The words of voluntary return, as the tables hold them.

Enums only; each value is what stands in the database. States are in ``states.py``.
"""

from __future__ import annotations

from enum import StrEnum


class Who(StrEnum):
    """Who acts. Staff come from accounts; the applicant comes by reference and code.

    ``system`` is another system of the organisation, by its token; ``clock`` the schedule: it
    reminds, lists and has files scanned, and decides nothing.
    """

    APPLICANT = "applicant"
    COUNSELLOR = "counsellor"
    SUPERVISOR = "supervisor"
    MEDICAL = "medical"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"
    CLOCK = "clock"


class PersonKind(StrEnum):
    APPLICANT = "applicant"
    PARTNER = "partner"
    CHILD = "child"
    RELATIVE = "relative"  # another adult of the family


class Belongs(StrEnum):
    """Who somebody says they are to a child that they add. ``nobody``: it would travel alone."""

    PARENT = "parent"
    CARER = "carer"
    NOBODY = "nobody"


class Purpose(StrEnum):
    """What a consent is for. Each is given and withdrawn alone."""

    RETURN = "return"
    EMBASSY = "embassy"  # contact with the authorities of the person's country
    CARRIER = "carrier"  # the carrier confirms this booking's departure
    TRANSFER = "transfer"  # another office takes over
    RECEPTION = "reception"  # the partner at the other end
    SURVEY = "survey"


class Stage(StrEnum):
    """When the consent to return is asked again."""

    APPLICATION = "application"
    BOOKING = "booking"
    TRAVEL_DAY = "travel_day"


class Wording(StrEnum):
    DRAFT = "draft"
    REVIEWED = "reviewed"


class Check(StrEnum):
    """What must have been talked about before any consent to return."""

    LEGAL_INFORMATION = "legal_information"
    PENDING_CLAIMS = "pending_claims"
    RE_ENTRY_BANS = "re_entry_bans"
    CONSEQUENCES = "consequences"
    DETENTION_AND_PRESSURE = "detention_and_pressure"


class CheckAnswer(StrEnum):
    """``needs_advice`` holds the case until it is settled: nobody is talked out of a claim."""

    TOLD = "told"
    NOTHING_PENDING = "nothing_pending"
    NEEDS_ADVICE = "needs_advice"


class ScreeningKind(StrEnum):
    VULNERABILITY = "vulnerability"
    FITNESS = "fitness"


class ScreeningResult(StrEnum):
    """``clear`` and ``with_support`` let the case go on; ``not_now`` holds it."""

    ASKED = "asked"
    CLEAR = "clear"
    WITH_SUPPORT = "with_support"
    NOT_NOW = "not_now"


class DocumentKind(StrEnum):
    PASSPORT = "passport"
    TRAVEL_DOCUMENT = "travel_document"  # laissez-passer, emergency document
    OTHER = "other"


class Holder(StrEnum):
    PERSON = "person"
    OFFICE = "office"
    AUTHORITY = "authority"


class ProofKind(StrEnum):
    """How a departure is known. Never a look-up in border records."""

    RECEIPT = "receipt"  # the person's own
    CARRIER = "carrier"  # a confirmation for this booking, with the person's consent


class Outcome(StrEnum):
    RETURNED = "returned"
    HELPED_OTHERWISE = "helped_otherwise"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"


class MoneyKind(StrEnum):
    HELD = "held"
    PAID = "paid"


class IndexKind(StrEnum):
    NAME = "name"
    SOUND = "sound"
    BIRTH_YEAR = "birth_year"
    DOCUMENT = "document"


class SurveyPart(StrEnum):
    ECONOMIC = "economic"
    SOCIAL = "social"
    PSYCHOSOCIAL = "psychosocial"


class AppealState(StrEnum):
    NONE = "none"
    OPEN = "open"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


class TransferState(StrEnum):
    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"


STAFF = frozenset({Who.COUNSELLOR, Who.SUPERVISOR, Who.MEDICAL, Who.AUDITOR, Who.ADMINISTRATOR})
