"""One PAXLST message into what it says: legs, people, counts. No judgement of borders here.

In: an ``edifact.Message``. Out: a ``Manifest``. Follows the WCO/IATA/ICAO PAXLST implementation
guide: TDT/LOC/DTM for legs, a NAD group for each person with ATT, DTM+329, NAT, RFF, DOC.
Addresses, contacts, bookings, seats and baggage are read over: there is no place for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sojourn.read.edifact import Message, Segment

PASSENGERS = ("FL", "DDU")
CREW = ("FM", "DDT")
DEPARTS, ARRIVES = "189", "232"


@dataclass(frozen=True)
class Leg:
    flight: str
    carrier: str
    origin: str = ""
    origin_qualifier: str = ""
    destination: str = ""
    destination_qualifier: str = ""
    departs: datetime | None = None  # local time of the port, naive
    arrives: datetime | None = None


@dataclass(frozen=True)
class Document:
    kind: str
    number: str
    issuer: str = ""


@dataclass(frozen=True)
class Person:
    role: str
    surname: str
    given: str
    second: str
    segment: int
    sex: str = ""
    birth: str = ""  # as written
    nationality: str = ""
    embark: str = ""
    debark: str = ""
    reference: str = ""
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True)
class Manifest:
    reference: str
    document: str  # BGM code: 745 passengers, 250 crew, 266 flight status
    function: str  # BGM's identifier: CL, XR, CP ...
    legs: tuple[Leg, ...]
    people: tuple[Person, ...]
    counts: tuple[tuple[str, str], ...]  # CNT as declared: qualifier, value
    declared_segments: str
    segments: int
    closed: bool
    directory: str = ""
    issues: tuple[str, ...] = field(default=())


def is_paxlst(message: Message) -> bool:
    """PAXLST by its header; fragments without one count as such if they name people."""
    if message.opener is None:
        return True
    return "PAXLST" in {c.strip().upper() for e in message.opener.elements[1:] for c in e}


def parse_manifest(message: Message) -> Manifest:
    """What the message says. Never raises: what it cannot place it passes over."""
    opener = message.opener
    bgm = next((s for s in message.segments if s.tag == "BGM"), None)
    count = [(s.get(1, 0), s.get(1, 1) or s.get(2, 0)) for s in message.segments if s.tag == "CNT"]
    first_person = next(
        (i for i, s in enumerate(message.segments) if s.tag == "NAD" and _is_person(s)),
        len(message.segments),
    )
    return Manifest(
        reference=opener.get(1) if opener else "",
        document=bgm.get(1) if bgm else "",
        function=(bgm.get(2) or bgm.get(3)).upper() if bgm else "",
        legs=tuple(_legs(message.segments[:first_person])),
        people=tuple(_people(message.segments[first_person:])),
        counts=tuple(count),
        declared_segments=message.closer.get(1) if message.closer else "",
        segments=len(message.segments),
        closed=message.closer is not None,
        directory=":".join(opener.elements[2]) if opener and len(opener.elements) > 2 else "",
    )


def _is_person(segment: Segment) -> bool:
    return segment.get(1) in (*PASSENGERS, *CREW)


def _legs(segments: tuple[Segment, ...]) -> list[Leg]:
    """Stops in order; a stop with a departure time opens a leg, one with an arrival closes it."""
    legs: list[Leg] = []
    flight, carrier = "", ""
    stops: list[dict[str, object]] = []
    for segment in segments:
        if segment.tag == "TDT":
            legs += _pair_stops(stops, flight, carrier)
            stops = []
            flight, carrier = segment.get(2), segment.get(5)
        elif segment.tag == "LOC" and segment.get(1) in ("125", "87", "92", "5", "61", "8", "60"):
            stops.append({"port": segment.get(2), "qualifier": segment.get(1)})
        elif segment.tag == "DTM" and stops and segment.get(1) in (DEPARTS, ARRIVES):
            stops[-1][segment.get(1)] = parse_moment(segment.get(1, 1))
    return legs + _pair_stops(stops, flight, carrier)


def _pair_stops(stops: list[dict[str, object]], flight: str, carrier: str) -> list[Leg]:
    legs: list[Leg] = []
    start: dict[str, object] | None = None
    for stop in stops:
        if start is not None and DEPARTS in stop and ARRIVES not in stop and DEPARTS in start:
            start = stop  # two departures in a row: the first had no arrival
            continue
        if start is None:
            start = stop
            continue
        legs.append(_leg(start, stop, flight, carrier))
        start = stop if DEPARTS in stop else None
    return legs


def _leg(start: dict[str, object], stop: dict[str, object], flight: str, carrier: str) -> Leg:
    departs, arrives = start.get(DEPARTS), stop.get(ARRIVES)
    return Leg(
        flight=flight,
        carrier=carrier,
        origin=str(start["port"]),
        origin_qualifier=str(start["qualifier"]),
        destination=str(stop["port"]),
        destination_qualifier=str(stop["qualifier"]),
        departs=departs if isinstance(departs, datetime) else None,
        arrives=arrives if isinstance(arrives, datetime) else None,
    )


def parse_moment(text: str) -> datetime | None:
    """YYMMDDhhmm, CCYYMMDDhhmm or a bare date; None where it is none of them."""
    digits = text.strip()
    formats = {10: "%y%m%d%H%M", 12: "%Y%m%d%H%M", 6: "%y%m%d", 8: "%Y%m%d"}
    pattern = formats.get(len(digits))
    if pattern is None or not (digits.isascii() and digits.isdigit()):
        return None
    extra = timedelta(0)
    if len(digits) >= 10 and digits[-4:] == "2400":
        digits, extra = digits[:-4] + "0000", timedelta(days=1)
    try:
        return datetime.strptime(digits, pattern) + extra  # noqa: DTZ007  local, by the port
    except ValueError:
        return None


def _people(segments: tuple[Segment, ...]) -> list[Person]:
    """Each NAD group as one person: the segments from one NAD to the next."""
    groups: list[list[Segment]] = []
    in_group = False
    for segment in segments:
        if segment.tag == "NAD":
            in_group = _is_person(segment)
            if in_group:
                groups.append([segment])
        elif segment.tag == "CNT":
            in_group = False
        elif in_group:
            groups[-1].append(segment)
    return [_person(group[0], group[1:]) for group in groups]


def _person(segment: Segment, details: list[Segment]) -> Person:
    # C080 is the fourth element; some senders shift it, so the first filled one is taken.
    at = next((i for i in (4, 3, 5, 2) if segment.get(i)), 4)
    said: dict[str, str] = {}
    documents: list[Document] = []
    for detail in details:
        qualifier = detail.get(1)
        if detail.tag == "DOC":
            documents.append(Document(qualifier, detail.get(2)))
        elif detail.tag == "LOC" and qualifier == "91":
            documents[-1:] = [replace(d, issuer=detail.get(2)) for d in documents[-1:]]
        elif name := _SAYS.get((detail.tag, "" if detail.tag == "NAT" else qualifier)):
            said[name] = _said(name, detail)
    return Person(
        role=segment.get(1),
        surname=segment.get(at, 0),
        given=segment.get(at, 1),
        second=segment.get(at, 2),
        segment=segment.number,
        documents=tuple(documents),
        **said,
    )


# What a segment with a qualifier says of a person; where a group repeats one, the last counts.
_SAYS = {
    ("ATT", "2"): "sex", ("DTM", "329"): "birth", ("NAT", ""): "nationality",
    ("LOC", "178"): "embark", ("LOC", "179"): "debark", ("RFF", "ABO"): "reference",
}  # fmt: skip


def _said(name: str, detail: Segment) -> str:
    if name == "sex":
        return detail.get(3) or detail.get(2)
    if name == "birth":
        return detail.get(1, 1) or detail.get(2)
    return detail.get(1, 1) if name == "reference" else detail.get(2)
