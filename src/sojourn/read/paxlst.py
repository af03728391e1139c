"""PAXLST files into crossings: whose border, which direction, what kind of evidence.

In: bytes. Out: ``Reading``. A leg with one end in the reporting country (policy) is an arrival
or a departure there; a traveller makes a crossing on every such leg of their own journey. Legs
that do not touch our border go to the rejects, never away silently. Times are local at the
port and become UTC.

Evidence, by BGM code and function (WCO/IATA/ICAO guide, 745, 250 and 266 messages):
passenger and crew lists are what check-in sent: boarded; reservations (function RES or BK):
booked; close-outs (266 CL): boarded. XR, XF, RP and CLNB take the travellers they name back; CP
and other changes correct: the same crossing is meant by the same id.

crossing_id: flight, day and ports of the leg, and the traveller's own reference (RFF+ABO); where
a sender gives none, the message's reference and the traveller's position in it. A reference
that one message gives to different people gets their order in that message as well.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from sojourn.policy import ReadPolicy
from sojourn.read.common import Notes, Reading, build_reading
from sojourn.read.edifact import (
    Interchange,
    Message,
    begins_interchange,
    read_interchanges,
)
from sojourn.read.manifest import (
    CREW,
    Leg,
    Manifest,
    Person,
    is_paxlst,
    parse_manifest,
    parse_moment,
)
from sojourn.read.nations import ALPHA_3, KNOWN, SAME
from sojourn.read.ports import Port, PortDirectory
from sojourn.schemas import CROSSINGS, Direction, Evidence, Mode, StayLimit

BOOKING = ("RES", "BK")
TAKES_BACK = ("XR", "XF", "RP", "CLNB")
CREW_LIST = ("250", "336")
PASSENGER_COUNT, CREW_COUNT = "42", "41"
PASSPORT = "P"
MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
NO_BORDER = "a leg with one end in the reporting country"
# A fragment without an envelope begins a line with a tag; commas and their like are a table's.
_FRAGMENT = re.compile(r"(?:^|[\r\n'])[^\S\r\n]*(?:U[NI]H|BGM|TDT)\s*[^\w\s,;|\"]")


@dataclass(frozen=True)
class Crossing:
    """A border leg of one manifest: which way, where, when."""

    direction: Direction
    port: Port
    event_time: datetime  # UTC
    local: datetime
    leg: Leg


def looks_like_paxlst(head: bytes) -> bool:
    """Whether the first bytes of a file are EDIFACT, perhaps after a telex header."""
    if b"\x00" in head[:200] or head.lstrip().startswith(b"{"):
        return False
    text = head.decode("latin-1")
    return begins_interchange(text) or bool(_FRAGMENT.search(text))


def read_paxlst(
    data: bytes, digest: str, policy: ReadPolicy, *, source: str | None, now: datetime
) -> Reading:
    """Every message of a file. Never raises for what is in it: see the rejects."""
    notes = Notes(digest)
    directory = PortDirectory(policy)
    rows: list[dict[str, object]] = []
    interchanges = read_interchanges(data, policy.max_record_bytes)
    if not any(i.messages for i in interchanges):
        notes.reject(
            source or "unknown", "segment 1", "no_message", "a PAXLST message (UNH to UNT)"
        )
    for interchange in interchanges:
        rows += _read_interchange(interchange, directory, notes, policy, source, now)
    if not rows:
        return build_reading(notes)
    frame = CROSSINGS.conform(pl.DataFrame(rows, schema_overrides=dict(CROSSINGS.schema)))
    once = frame.unique(maintain_order=True)
    last = once.unique(["source", "crossing_id"], keep="last", maintain_order=True)
    for name, count in last.group_by("source").len().rows():
        notes.count(name, "read", count)
    notes.count(str(frame["source"][0]), "id_repeated", frame.height - last.height)
    return build_reading(notes, last)


def _read_interchange(
    interchange: Interchange, directory: PortDirectory, notes: Notes, policy: ReadPolicy,
    source: str | None, now: datetime,
) -> list[dict[str, object]]:  # fmt: skip
    header = interchange.header
    feed = source or (header.get(2).replace("*", "-") if header else "") or "unknown"
    sent = parse_moment((header.get(4) + header.get(4, 1)) if header else "") or now
    reference = header.get(5) if header else ""
    for repair in interchange.repairs:
        notes.count(feed, repair)
    rows: list[dict[str, object]] = []
    for number, message in enumerate(interchange.messages, start=1):
        where = f"message {number}"
        if not is_paxlst(message):
            notes.reject(feed, where, "not_paxlst", "a PAXLST message")
            continue
        manifest = _manifest_of(message, notes, feed, where)
        if manifest is None:
            continue
        if not manifest.people:
            notes.reject(feed, where, "no_travellers", "a NAD+FL or NAD+FM group")
        _check_counts(manifest, notes, feed)
        crossings = _crossings_of(manifest, directory)
        year = next((leg.departs.year for leg in manifest.legs if leg.departs), sent.year)
        for position, person in enumerate(_told_apart(manifest.people), start=1):
            spot = f"{where}, segment {person.segment}"
            name = f"{reference}.{manifest.reference}.{number}.{position}"
            rows += _rows_of(
                person, manifest, crossings, notes, policy, feed, spot, name, year, sent, now
            )
        _check_unknown_ports(crossings, len(manifest.people), notes, feed)
    return rows


def _manifest_of(message: Message, notes: Notes, feed: str, where: str) -> Manifest | None:
    """The message's contents; None, and a reject, where a time is past the calendar's end."""
    try:
        return parse_manifest(message)
    except (OverflowError, ValueError):
        notes.reject(feed, where, "time_impossible", "times of the years 1 to 9999")
        return None


def _told_apart(people: tuple[Person, ...]) -> list[Person]:
    """References that different people share get a number; the same person again keeps theirs."""
    sharing = Counter(person.reference for person in people if person.reference)
    if not sharing or sharing.most_common(1)[0][1] == 1:
        return list(people)
    different: dict[str, list[Person]] = {}
    for person in people:
        same = different.setdefault(person.reference, [])
        if person.reference and replace(person, segment=0) not in same:
            same.append(replace(person, segment=0))
    return [
        replace(p, reference=f"{p.reference}.{same.index(replace(p, segment=0)) + 1}")
        if len(same := different[p.reference]) > 1 else p
        for p in people
    ]  # fmt: skip


def _is_number(text: str) -> bool:
    """ASCII digits only: ``isdigit`` alone takes superscripts, which ``int`` refuses."""
    return text.isascii() and text.isdigit()


def _check_counts(manifest: Manifest, notes: Notes, feed: str) -> None:
    """Counts that are wrong are reported; the travellers are read all the same."""
    crew = sum(p.role in CREW for p in manifest.people)
    real = {PASSENGER_COUNT: len(manifest.people) - crew, CREW_COUNT: crew}
    if manifest.document in CREW_LIST:
        real[CREW_COUNT] = len(manifest.people)
    for qualifier, value in manifest.counts:
        if qualifier in real and (not _is_number(value) or int(value) != real[qualifier]):
            notes.count(feed, "false_traveller_count")
    declared = manifest.declared_segments
    if manifest.closed and (not _is_number(declared) or int(declared) != manifest.segments):
        notes.count(feed, "false_segment_count")
    if not manifest.closed:
        notes.count(feed, "message_cut_short")


def _crossings_of(manifest: Manifest, directory: PortDirectory) -> list[Crossing]:
    """The legs that cross our border."""
    found = []
    for leg in manifest.legs:
        origin, destination = directory.find(leg.origin), directory.find(leg.destination)
        ours = directory.is_ours(leg.origin), directory.is_ours(leg.destination)
        if ours[0] == ours[1]:
            continue
        leaving = ours[0]
        port = origin if leaving else destination
        local = leg.departs if leaving else leg.arrives
        if local is None:
            # One end's time is missing: the other's is the nearest thing known.
            other, zone = (leg.arrives, destination.zone) if leaving else (leg.departs, origin.zone)
            if other is None or not 1 < other.year < 9999:
                continue
            moment = _to_utc(other, zone)
            local = moment.astimezone(ZoneInfo(port.zone)).replace(tzinfo=None)
        direction = Direction.DEPARTURE if leaving else Direction.ARRIVAL
        found.append(Crossing(direction, port, _to_utc(local, port.zone), local, leg))
    return found


def _to_utc(local: datetime, zone: str) -> datetime:
    """Ambiguous times take the first of the two; times that clocks skip move on by the gap."""
    if not 1 < local.year < 9999:
        return local.replace(tzinfo=UTC)  # beyond any policy's years: refused there
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _check_unknown_ports(crossings: list[Crossing], people: int, notes: Notes, feed: str) -> None:
    if any(not c.port.known for c in crossings):
        notes.count(feed, "unknown_port", people)


def _rows_of(
    person: Person, manifest: Manifest, crossings: list[Crossing], notes: Notes,
    policy: ReadPolicy, feed: str, spot: str, name: str, year: int, sent: datetime, now: datetime,
) -> list[dict[str, object]]:  # fmt: skip
    own = _own_legs(person, manifest, crossings)
    if not own:
        notes.reject(feed, spot, "not_our_border", NO_BORDER)
        return []
    if not (person.surname or person.given or any(d.number for d in person.documents)):
        notes.reject(feed, spot, "no_identity", "a name or a document number")
        return []
    early = datetime(policy.earliest_year, 1, 1, tzinfo=UTC)
    late = now + timedelta(hours=policy.future_hours)
    rows = []
    for crossing in own:
        if not early <= crossing.event_time <= late:
            notes.reject(
                feed, spot, "event_time_unlikely",
                f"a time from {policy.earliest_year} to {policy.future_hours} hours from now",
            )  # fmt: skip
            continue
        rows.append(_row(person, manifest, crossing, notes, feed, name, year, sent))
    return rows


def _own_legs(person: Person, manifest: Manifest, crossings: list[Crossing]) -> list[Crossing]:
    """Border legs between where the person embarks and debarks (all, where that is not said)."""
    ports = [leg.origin for leg in manifest.legs], [leg.destination for leg in manifest.legs]
    first = ports[0].index(person.embark) if person.embark in ports[0] else 0
    last = len(ports[1]) - 1
    if person.debark in ports[1][first:]:
        last = first + ports[1][first:].index(person.debark)
    within = manifest.legs[first : last + 1]
    return [c for c in crossings if any(c.leg is leg for leg in within)]


def _row(
    person: Person, manifest: Manifest, crossing: Crossing, notes: Notes, feed: str, name: str,
    year: int, sent: datetime,
) -> dict[str, object]:  # fmt: skip
    leg = crossing.leg
    who = person.reference or name
    day = (leg.departs or leg.arrives or crossing.local).strftime("%Y%m%d")
    number = max(person.documents, key=lambda d: (d.kind == PASSPORT, bool(d.number)), default=None)
    booked = manifest.function in BOOKING
    arrived_later = crossing.event_time < sent.replace(tzinfo=sent.tzinfo or UTC)
    nationality = _nation(person.nationality)
    if person.nationality and nationality is None:
        notes.count(feed, "nationality_unknown_code")
    birth, repaired = birth_date(person.birth, year)
    if repaired:
        notes.count(feed, "birth_date_repaired")
    if not any(d.number for d in person.documents):
        notes.count(feed, "document_missing")
    return {
        "source": feed,
        "crossing_id": f"{leg.flight}.{day}.{leg.origin}{leg.destination}.{who}",
        "direction": crossing.direction.value,
        "event_time": crossing.event_time,
        "recorded_at": sent.replace(tzinfo=sent.tzinfo or UTC) if arrived_later
        else crossing.event_time,
        "local_date": crossing.local.date(),
        "evidence": (Evidence.BOOKED if booked else Evidence.BOARDED).value,
        "mode": Mode.AIR.value if len(crossing.port.code) == 3 else Mode.SEA.value,
        "port": crossing.port.code,
        "service": leg.flight or None,
        "surname": person.surname,
        "given_names": " ".join(p for p in (person.given, person.second) if p),
        "sex": person.sex if person.sex in ("M", "F", "X") else None,
        "birth_date": birth,
        "nationality": nationality,
        "document_type": number.kind or None if number else None,
        "document_issuer": _nation(number.issuer) if number else None,
        "document_number": number.number or None if number else None,
        "admission_class": "CREW" if person.role in CREW and crossing.direction == Direction.ARRIVAL
        else None,
        "authorised_until": None,
        "stay_limit": StayLimit.UNKNOWN.value,
        "withdrawn": manifest.function in TAKES_BACK,
    }  # fmt: skip


def _nation(code: str) -> str | None:
    wanted = code.strip().upper()
    if wanted in ALPHA_3:
        return ALPHA_3[wanted]
    return SAME.get(wanted, wanted) if wanted in KNOWN else None


def birth_date(text: str, year: int) -> tuple[str | None, bool]:
    """A date of birth as YYYY-MM-DD, and whether it had to be mended.

    Two digits of a year mean 2000 and on where that is not after the message's year.
    """
    digits = text.strip().replace("<", "0")
    if not _is_number(digits) or len(digits) not in (6, 8):
        return None, bool(digits)
    if len(digits) == 6:
        short = int(digits[:2])
        century = 2000 if 2000 + short <= year else 1900
        digits = f"{century + short}{digits[2:]}"
    born, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:])
    repaired = False
    longest = MONTH_DAYS[month - 1] if 1 <= month <= 12 else 31
    if month > 12 or day > longest:
        month, day, repaired = month if month <= 12 else 0, day if day <= longest else 0, True
    return f"{born:04d}-{month:02d}-{day:02d}", repaired
