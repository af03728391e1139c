"""The closed vocabularies: what a column of words may hold, and what each word means.

In: nothing. Out: enums. Which column holds which is ``schemas``' to say, which hands them on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import IntEnum, StrEnum
from types import MappingProxyType


class Privacy(StrEnum):
    """Who could be harmed if a table were seen."""

    IDENTIFYING = "identifying"  # names people; lives between reader and encoder
    PSEUDONYMOUS = "pseudonymous"  # keyed; gone at the horizon
    CONFIDENTIAL = "confidential"  # counts, exact
    OPERATIONAL = "operational"  # about files and feeds, never about people
    PUBLIC = "public"  # noisy, released
    SYNTHETIC = "synthetic"  # invented people only


class Direction(StrEnum):
    ARRIVAL = "arrival"
    DEPARTURE = "departure"


class Evidence(StrEnum):
    """How strongly a record says that the border was crossed, weakest first."""

    BOOKED = "booked"
    BOARDED = "boarded"
    CROSSED = "crossed"


class Mode(StrEnum):
    AIR = "air"
    SEA = "sea"
    LAND = "land"
    RAIL = "rail"


class Sex(StrEnum):
    MALE = "M"
    FEMALE = "F"
    UNSPECIFIED = "X"


class StayLimit(StrEnum):
    """``unknown`` (nobody said) is not ``none`` (no limit)."""

    DATED = "dated"
    NONE = "none"
    UNKNOWN = "unknown"


class AgeBand(StrEnum):
    """Age at the crossing, for tables only."""

    UNDER_15 = "0-14"
    FROM_15 = "15-24"
    FROM_25 = "25-44"
    FROM_45 = "45-64"
    FROM_65 = "65+"


class KeyKind(IntEnum):
    """The kinds of composite match key (see ``sojourn.encode.matchkeys``)."""

    DOCUMENT = 1  # document number
    DOCUMENT_OCR = 2  # its OCR-canonical form
    NAME_DATE = 3  # a name token in full, full birth date
    SOUND_DATE = 4  # a token's sound skeleton, birth year, day and month sorted
    PAIR_YEAR = 5  # two skeletons, birth year
    PAIR_DAY = 6  # two skeletons, day and month sorted
    NAMES_SEX = 7  # all tokens sorted, sex: three tokens or more; for who has no birth date
    SIDE_YEAR = 8  # the sound of all surnames or all given names, the others' first, year, sex
    BIRTH = 9  # birth date with day and month sorted, sex, nationality; never 1 January


# Who shares a key of the first kind shares one of the second: it is a fold of the same text. So
# a search by the second finds everybody, and the first has only to be compared.
COARSER: Mapping[KeyKind, KeyKind] = MappingProxyType(
    {KeyKind.DOCUMENT: KeyKind.DOCUMENT_OCR, KeyKind.NAME_DATE: KeyKind.SOUND_DATE}
)


class StatusKind(StrEnum):
    """What an office tells of a stay under way, each with its day (``effective_date``)."""

    EXTENSION = "extension"  # more time in the same class; the day it was filed
    CHANGE = "change"  # another class, with or without a last day; the day it was filed
    ADJUSTMENT = "adjustment"  # residence; the day it was filed
    PENDING = "pending"  # an application that waits; the day it was filed
    REFUSED = "refused"  # an application refused or taken back; the day of the decision
    NATURALISED = "naturalised"  # became a citizen: nobody expects a departure any more
    DECEASED = "deceased"  # died during the stay


class EventKind(StrEnum):
    ARRIVAL_RECORDED = "arrival_recorded"
    DEPARTURE_RECORDED = "departure_recorded"
    REPORT_MERGED = "report_merged"  # another list's report of the same crossing
    REPORT_SEPARATED = "report_separated"
    LINK_ASSERTED = "link_asserted"
    LINK_WITHDRAWN = "link_withdrawn"
    STATUS_CHANGED = "status_changed"
    CROSSING_CORRECTED = "crossing_corrected"
    CROSSING_WITHDRAWN = "crossing_withdrawn"


class Outcome(StrEnum):
    """What is known of a stay at ``known_at``. No departure recorded is not: still here."""

    WITHIN_PERIOD = "within_period"  # no departure recorded, permitted period not ended
    DEPARTED_IN_TIME = "departed_in_time"
    DEPARTED_LATE = "departed_late"
    NO_DEPARTURE_RECORDED = "no_departure_recorded"  # permitted period ended
    STATUS_CHANGED = "status_changed"  # no longer a stay with this limit, or pending
    DEPARTED_NO_LIMIT = "departed_no_limit"  # departed; limit none or unknown
    OPEN_NO_LIMIT = "open_no_limit"  # no departure recorded; limit none or unknown
    DEPARTURE_WITHOUT_ARRIVAL = "departure_without_arrival"


class HardCase(StrEnum):
    """What makes a simulated stay hard to link (``sojourn.simulate.hard``)."""

    TWINS_TOGETHER = "twins_together"  # one surname, birth date; next document number
    TWINS_APART = "twins_apart"  # the same, and one leaves before the other
    FAMILY = "family"  # one surname, together; father and son of the same names
    DUAL_NATIONAL = "dual_national"  # comes on one passport, leaves on another
    RENEWED = "renewed"  # a new document number in mid-stay
    NAME_CHANGED = "name_changed"  # another or a further surname in mid-stay
    COMMUTER = "commuter"  # hundreds of stays a year
    WITHIN_MINUTES = "within_minutes"  # transit and crew: gone within two hours
    SAME_DAY = "same_day"  # several stays on one day
    BIRTH_DATE_MISSING = "birth_date_missing"  # wholly, at one end or both
    BIRTH_DAY_MISSING = "birth_day_missing"  # the day alone, at one end or both
    ONE_NAME = "one_name"  # a single name, no surname besides


class Span(StrEnum):
    """How long a cell's period is, from its first day."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"

    def last_day(self, first: date) -> date:
        """Of the period that begins with ``first``; a year may begin with any month."""
        if self == Span.DAY:
            return first
        months = first.year * 12 + first.month - 1 + (1 if self == Span.MONTH else 12)
        return date(months // 12, months % 12 + 1, 1) - timedelta(days=1)


class LinkageGroup(StrEnum):
    """By what linkage quality is told apart. Modes and the rest are of the end that is counted."""

    ALL = "all"
    NATIONALITY = "nationality"
    SCRIPT = "script"  # ISO 15924, the usual one of the nationality
    MODE = "mode"
    SEX = "sex"
    TIMING = "timing"  # of a linked stay: late, in time, or its day not over
    MODE_CLASS = "mode_class"  # arrival mode and class of admission
    RETURN_AFTER = "return_after"  # how long until the next arrival
    MODE_CLASS_DAYS = "mode_class_days"  # MODE_CLASS, and the most days of its band of permission


class LinkageCount(StrEnum):
    """What is counted to know how sure linking is (docs/explanation/how-sure.md)."""

    DEPARTURES = "departures"
    DEPARTURES_LINKED = "departures_linked"
    ARRIVALS = "arrivals"
    ARRIVALS_LINKED = "arrivals_linked"
    ARRIVALS_ENDED = "arrivals_ended"  # their permitted period is over
    ARRIVALS_ENDED_LINKED = "arrivals_ended_linked"
    ARRIVALS_RETURNED_ENDED = "arrivals_returned_ended"  # of these, arrived again
    ARRIVALS_RETURNED_LINKED = "arrivals_returned_linked"
    FOUND_BY_DOCUMENTS = "found_by_documents"  # links that documents alone find as well
    FOUND_BY_NAMES = "found_by_names"
    FOUND_BY_BOTH = "found_by_both"
    ARRIVALS_WITHHELD = "arrivals_withheld"  # departures whose arrival was withheld
    ARRIVALS_WITHHELD_LINKED = "arrivals_withheld_linked"  # ... and that were linked to another
    ARRIVALS_WITHHELD_COSTING = "arrivals_withheld_costing"  # ... a found pair its link
    DEPARTURES_WITHHELD = "departures_withheld"  # arrivals whose departure was withheld
    DEPARTURES_WITHHELD_TAKEN = "departures_withheld_taken"  # ... and that took another's
    DEPARTURES_WITHHELD_COSTING = "departures_withheld_costing"  # ... a found pair its link
    REENTRIES = "reentries"  # arrivals after which the same traveller arrived again
    REENTRIES_CLOSED = "reentries_closed"  # ... with a linked departure in between
    REENTRIES_CONTRADICTED = "reentries_contradicted"  # ... with one after both: left out
    REARRIVALS = "rearrivals"  # the same re-entries, by the month of the second arrival
    REARRIVALS_CLOSED = "rearrivals_closed"
    DECOYS = "decoys"  # departures of nobody, recombined at random
    DECOYS_LINKED = "decoys_linked"
    FAMILY_DECOYS = "family_decoys"  # departures of a companion that nobody has
    FAMILY_DECOYS_LINKED = "family_decoys_linked"


class StayEvent(StrEnum):
    """What a stay adds to counts that are released: each of these once, on one day."""

    ARRIVED = "arrived"  # on the day of the arrival
    DEPARTED = "departed"  # on the day of the departure
    PERMISSION_ENDED = "permission_ended"  # expected departures; on the last permitted day
    LEFT_IN_TIME = "left_in_time"  # these three on the last permitted day too
    LEFT_LATE = "left_late"
    STATUS_CHANGED = "status_changed"


class ReentryEvent(StrEnum):
    """What a re-entry adds to counts that are released: one of these, once (``release.again``)."""

    SEEN = "reentry_seen"  # a departure in between is recorded and linked
    NOT_SEEN = "reentry_not_seen"


class Quantity(StrEnum):
    """What is estimated of a cell. Rates are shares of expected departures."""

    ARRIVALS = "arrivals"
    DEPARTURES = "departures"  # late reports completed
    EXPECTED_DEPARTURES = "expected_departures"
    DEPARTED_IN_TIME = "departed_in_time"
    DEPARTED_LATE = "departed_late"
    STATUS_CHANGED = "status_changed"
    NO_DEPARTURE_RECORDED = "no_departure_recorded"  # as it stands in the records
    LEFT_UNRECORDED = "left_unrecorded"  # modelled; of those without a departure
    PROBABLY_STILL_HERE = "probably_still_here"  # modelled; for cells, never for a stay
    OVERSTAY_RATE = "overstay_rate"  # departed late and probably still here
    RECORDED_RATE = "recorded_rate"  # what the records alone would say: late and no departure
    # Of crossings, not of stays: ``mode`` is the crossing's own.
    DEPARTURES_BY_MODE = "departures_by_mode"  # bounds: the mode of an unseen exit is not observed
    BOOKINGS_NEVER_FLOWN = "bookings_never_flown"  # of departures
    ARRIVALS_BY_LISTS = "arrivals_by_lists"  # those that neither border nor carrier told included
    DEPARTURES_BY_LISTS = "departures_by_lists"


class Standing(StrEnum):
    """Whether an estimate could be made."""

    MADE = "made"
    WIDENED = "widened"  # made, from a coarser cell or with a wider interval; ``why`` says so
    CANNOT = "cannot"  # no number; ``why`` says so
