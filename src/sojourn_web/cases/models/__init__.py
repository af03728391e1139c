"""Every table of voluntary return, in the database ``cases``."""

from django.apps import apps

from sojourn_web.cases.models.after import FollowUp, InKindHelp, ReintegrationPlan, SurveyAnswer
from sojourn_web.cases.models.api import ApiReply, ApiToken
from sojourn_web.cases.models.base import CaseRow, PersonRow, Row
from sojourn_web.cases.models.case import AccessCode, Answer, BlindIndex, Case, Person
from sojourn_web.cases.models.consent import ChecklistItem, Consent
from sojourn_web.cases.models.office import AccountEvent, Declaration, Office, StaffProfile
from sojourn_web.cases.models.safety import ChildSafeguard, Referral, Screening
from sojourn_web.cases.models.trail import (
    AccessEvent,
    AuditEvent,
    ErasureRequest,
    Event,
    Grant,
    MonthlyCount,
    OnceKey,
    RetentionRule,
    RuleChange,
    Tombstone,
)
from sojourn_web.cases.models.travel import (
    Arrival,
    DepartureProof,
    Document,
    Hold,
    Journey,
    MoneyLine,
)
from sojourn_web.cases.models.visit import Invitation, Visit
from sojourn_web.cases.models.work import (
    Attachment,
    ClockStop,
    Complaint,
    HandOver,
    HandOverNote,
    Note,
    Rating,
    Task,
    Transfer,
)


def case_tables() -> list[type[CaseRow]]:
    """Every table whose rows go with their case; those that others point at come last."""
    found = [m for m in apps.get_app_config("cases").get_models() if issubclass(m, CaseRow)]
    pointing = [SurveyAnswer, Consent, DepartureProof, Visit]
    return sorted(found, key=lambda m: m not in pointing)


__all__ = [
    "AccessCode", "AccessEvent", "AccountEvent", "Answer", "ApiReply", "ApiToken", "Arrival",
    "Attachment", "AuditEvent", "BlindIndex", "Case", "CaseRow", "ChecklistItem",
    "ChildSafeguard", "ClockStop", "Complaint", "Consent", "Declaration", "DepartureProof",
    "Document", "ErasureRequest", "Event", "FollowUp", "Grant", "HandOver", "HandOverNote",
    "Hold", "InKindHelp", "Invitation", "Journey", "MoneyLine", "MonthlyCount", "Note", "Office",
    "OnceKey", "Person", "PersonRow", "Rating", "Referral", "ReintegrationPlan", "RetentionRule",
    "Row", "RuleChange", "Screening", "StaffProfile", "SurveyAnswer", "Task", "Tombstone",
    "Transfer", "Visit", "case_tables",
]  # fmt: skip
