"""Documents, journeys, what is held for them, departure and arrival, money."""

from __future__ import annotations

from django.db import models

from sojourn_web.cases.fields import SealedField
from sojourn_web.cases.models.base import CaseRow, PersonRow, code, word
from sojourn_web.cases.vocabulary import DocumentKind, Holder, MoneyKind, ProofKind


class Document(PersonRow):
    """A passport, or a travel document asked of an authority. Never a blank one.

    ``hand_back_asked_at``: the person wants it back; ``handed_back_at``: they have it.
    """

    kind = word(DocumentKind)
    number = SealedField()
    authority = SealedField()
    country = SealedField()
    asked_at = models.DateTimeField(null=True)
    issued_on = models.DateField(null=True)
    expires_on = models.DateField(null=True, db_index=True)
    holder = word(Holder, Holder.PERSON)
    hand_back_asked_at = models.DateTimeField(null=True)
    handed_back_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)


class Journey(CaseRow):
    """An itinerary. A changed one is a new row, for a consent names the one that was shown.

    ``leaves_at`` is UTC; ``leaves_on`` the day in the office's time zone.
    """

    itinerary = SealedField()  # JSON: legs with carrier, service, places, times with zones
    booking = SealedField()
    leaves_at = models.DateTimeField()
    leaves_on = models.DateField(db_index=True)
    country = SealedField()
    booked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)


class Hold(CaseRow):
    """Something kept free: a seat, a bed, an escort. Withdrawal releases every one at once.

    ``person`` null: held for the whole plan.
    """

    person = models.ForeignKey(
        "cases.Person", null=True, on_delete=models.CASCADE, related_name="+"
    )
    journey = models.ForeignKey(Journey, null=True, on_delete=models.CASCADE, related_name="+")
    what = models.CharField(max_length=60)
    booking = SealedField()
    until = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)


class DepartureProof(CaseRow):
    """The person's receipt or the carrier's confirmation for this booking. May be taken back."""

    kind = word(ProofKind)
    journey = models.ForeignKey(Journey, on_delete=models.PROTECT, related_name="+")
    detail = SealedField()
    left_at = models.DateTimeField()
    taken_back_at = models.DateTimeField(null=True)
    taken_back_reason = SealedField()


class Arrival(CaseRow):
    """Reception confirms that they came."""

    arrived_at = models.DateTimeField()
    confirmed_by = SealedField()
    taken_back_at = models.DateTimeField(null=True)


class MoneyLine(CaseRow):
    """Held or paid; amounts in the currency's units. A payment is never changed: add another."""

    kind = word(MoneyKind)
    what = models.CharField(max_length=60)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    currency = code(3, blank=False)
    detail = SealedField()
    released_at = models.DateTimeField(null=True)
