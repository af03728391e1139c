"""What each published quantity and method is called and means, in plain words.

In: nothing. Out: words for code lists, pages and files, said once. ``tests/unit/release`` checks
that every StayEvent and every Quantity has its words.
"""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.schemas import Quantity, StayEvent
from sojourn.vocabulary import ReentryEvent


@dataclass(frozen=True)
class Words:
    label: str
    definition: str


_SETTLED = "Computed from published counts, so that parts sum to their wholes."
_EVENTS = {
    StayEvent.ARRIVED: Words("Arrivals, as drawn", "Stays whose arrival is in the period."),
    StayEvent.DEPARTED: Words("Departures, as drawn", "Stays whose departure is in the period."),
    StayEvent.PERMISSION_ENDED: Words(
        "Expected departures, as drawn", "Stays whose last permitted day is in the period."
    ),
    StayEvent.LEFT_IN_TIME: Words(
        "Left in time, as drawn",
        "Of expected departures: a departure is recorded, on the last permitted day or before.",
    ),
    StayEvent.LEFT_LATE: Words(
        "Left late, as drawn",
        "Of expected departures: a departure is recorded, after the last permitted day.",
    ),
    StayEvent.STATUS_CHANGED: Words(
        "Status changed",
        "Of expected departures: the permission was extended or changed, or that is pending.",
    ),
}
_ESTIMATES = {
    Quantity.ARRIVALS: Words("Arrivals", f"Stays whose arrival is in the period. {_SETTLED}"),
    Quantity.DEPARTURES: Words("Departures", f"Stays whose departure is in the period. {_SETTLED}"),
    Quantity.EXPECTED_DEPARTURES: Words(
        "Expected departures", f"Stays whose last permitted day is in the period. {_SETTLED}"
    ),
    Quantity.DEPARTED_IN_TIME: Words(
        "Departed in time",
        f"Of expected departures: by the last permitted day. {_SETTLED}",
    ),
    Quantity.DEPARTED_LATE: Words(
        "Departed late", f"Of expected departures: after the last permitted day. {_SETTLED}"
    ),
    Quantity.NO_DEPARTURE_RECORDED: Words(
        "No departure recorded",
        "Expected departures less those who left in time, left late or changed status. "
        "It is not a number of people who are still here: departures go unrecorded.",
    ),
    Quantity.LEFT_UNRECORDED: Words(
        "Left, not recorded", "Modelled: of stays with no departure recorded, those that ended."
    ),
    Quantity.PROBABLY_STILL_HERE: Words(
        "Probably still here", "Modelled for whole cells, never for a stay."
    ),
    Quantity.OVERSTAY_RATE: Words(
        "Overstay rate",
        "Departed late (recorded or not) and probably still here, as a share of expected "
        "departures. An estimate: departures that nobody recorded are taken out, as far as "
        "travellers who came again show how many there are.",
    ),
    Quantity.RECORDED_RATE: Words(
        "By the records alone",
        "What the records alone would say: late or no departure recorded, as a share of expected "
        "departures. Too high wherever departures go unrecorded.",
    ),
}
_REENTRIES = {
    ReentryEvent.SEEN: Words(
        "Re-entries, departure seen",
        "Arrivals of a traveller who had arrived before, by mode and class of the stay before: a "
        "departure in between is recorded and linked.",
    ),
    ReentryEvent.NOT_SEEN: Words(
        "Re-entries, departure not seen",
        "Arrivals of a traveller who had arrived before, with no departure in between: whoever "
        "comes again must have left, so nobody recorded it, or it was not linked.",
    ),
}
_CROSSINGS = {
    Quantity.DEPARTURES_BY_MODE: Words(
        "Departures by mode, bounds",
        "At least those seen to leave by a mode, at most these and every departure nobody saw.",
    ),
    Quantity.BOOKINGS_NEVER_FLOWN: Words(
        "Bookings never flown",
        "Modelled: bookings that no list saw, less those that border and carrier both missed.",
    ),
    Quantity.ARRIVALS_BY_LISTS: Words(
        "Arrivals, from two lists", "Modelled: arrivals in neither list included (dual system)."
    ),
    Quantity.DEPARTURES_BY_LISTS: Words(
        "Departures, from two lists", "Modelled: departures in neither list included (dual system)."
    ),
}
QUANTITIES: dict[str, Words] = {
    **{k.value: w for k, w in _ESTIMATES.items()},
    # Both vocabularies have status_changed: a count of records, whichever way it was made.
    **{k.value: w for k, w in _EVENTS.items()},
    **{k.value: w for k, w in _REENTRIES.items()},
    **{k.value: w for k, w in _CROSSINGS.items()},
}
METHODS: dict[str, Words] = {
    "laplace": Words(
        "Noisy count", "A count with exact discrete Laplace noise, drawn once. It may be negative."
    ),
    "cell_key": Words(
        "Cell key", "A count of a closed period, changed a little by a key made of its records."
    ),
    "lost": Words(
        "Lost", "Its noise was paid for, its number was lost in a crash, and it is not drawn again."
    ),
    "computed": Words(
        "Computed", "Made from other published figures; nothing confidential is looked at again."
    ),
    "estimated": Words(
        "Estimated",
        "An estimate from published noisy counts alone. Its range holds their noise, what "
        "re-entries leave unsure of unseen departures, records still to come, and chance.",
    ),
    "too_noisy": Words(
        "Not told: too noisy",
        "The group is so small that noise would decide the number: it would say nothing.",
    ),
    "no_reentries": Words(
        "Not told: too few re-entries",
        "Nothing published says yet how many departures go unseen in this group.",
    ),
    "too_young": Words(
        "Not told: too early",
        "The month ended so lately that nobody has yet seen how much late records add.",
    ),
}
