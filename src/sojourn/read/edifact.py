"""UN/EDIFACT (ISO 9735) as it really travels: bytes into segments, whatever surrounds them.

In: a file's bytes. Out: ``Interchange``s of ``Message``s of ``Segment``s. Telex headers and
footers, line ends in the middle of tags, unusual separators with and without UNA, leading
blanks, groups (UNG/UNE), interactive and bare fragments, and files that end in mid-message are
taken as they come; what was odd is said in ``repairs``.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

SERVICE = "UNA"
OPENERS = ("UNH", "UIH")
CLOSERS = ("UNT", "UIT")
ENVELOPE = ("UNB", "UNG", "UNE", "UNZ", "UIB", "UIZ")


@dataclass(frozen=True)
class Separators:
    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str = "?"
    repetition: str = " "
    terminator: str = "'"


@dataclass(frozen=True)
class Segment:
    """``elements[0]`` is the tag; an element is a tuple of components."""

    elements: tuple[tuple[str, ...], ...]
    number: int  # counted from 1 within the interchange
    shortened: bool = False  # longer than allowed: only its tag and qualifier were kept

    @property
    def tag(self) -> str:
        return self.elements[0][0]

    def get(self, element: int, component: int = 0) -> str:
        """A component, stripped; empty where there is none."""
        if element >= len(self.elements) or component >= len(self.elements[element]):
            return ""
        return self.elements[element][component].strip()


@dataclass(frozen=True)
class Message:
    opener: Segment | None
    segments: tuple[Segment, ...]  # from opener to closer, both included
    closer: Segment | None  # None: the file ended, or the next message began, before it


@dataclass(frozen=True)
class Interchange:
    header: Segment | None
    separators: Separators
    had_una: bool
    messages: tuple[Message, ...]
    repairs: tuple[str, ...] = field(default=())


def decode_edifact(data: bytes) -> tuple[str, list[str]]:
    """Text and repairs: UTF-8 where it is, else Latin-1; stray control bytes become blanks."""
    repairs = []
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
        repairs.append("encoding_repaired")
    clean = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff]", "", text)
    if len(clean) != len(text):
        repairs.append("stray_bytes_dropped")
    return clean, repairs


def read_interchanges(data: bytes, longest: int = 65536) -> list[Interchange]:
    """Every interchange of a file; a file without any envelope is one without a header.

    Of a segment of more than ``longest`` characters only the tag and qualifier are kept, so that
    what follows it still belongs to its own group; each is a repair, ``oversized_segment``.
    """
    text, repairs = decode_edifact(data)
    return [_read_one(part, tuple(repairs), longest) for part in _split_interchanges(text)]


def _loose(*atoms: str) -> str:
    """A pattern whose parts may be split over lines."""
    return r"[\r\n]*".join(atoms)


# A name may be UNA or UNB too: the service string is six characters with a header after them,
# and a header names its syntax, four letters with a version.
_HEADED = f"(?:{_loose(*'UNB')}|{_loose(*'UIB')}|{_loose(*'UNG')}|{_loose(*'UNH')})"
_UNA = _loose(*"UNA", r"(?=\W", *[r"[^\r\n]"] * 4, rf"(?:[^\r\n]\s*|\s+){_HEADED})")
_SYNTAX = _loose(r"\s*[^\w\s]\s*[A-Z]", "[A-Z]", "[A-Z]", "[A-Z0-9]", r"[^\w\s]", r"\d")
_UNB = _loose(*"UNB", rf"(?={_SYNTAX})")
_UIB = _loose(*"UIB", r"(?=\W)")
_START = re.compile(f"{_UNA}|{_UNB}|{_UIB}")


def begins_interchange(text: str) -> bool:
    """Whether a service string or an interchange header is in ``text``."""
    return bool(_START.search(text))


def _split_interchanges(text: str) -> list[str]:
    starts: list[tuple[int, str]] = []
    for found in _START.finditer(text):
        tag = re.sub(r"\s", "", found.group())
        # A UNB that follows its UNA belongs to it.
        if tag != SERVICE and starts and starts[-1][1] == SERVICE and (
            not re.search(r"UN[GH]|UIH", text[starts[-1][0] : found.start()])
        ):  # fmt: skip
            starts[-1] = (starts[-1][0], tag)
            continue
        starts.append((found.start(), tag))
    if not starts:
        bare = re.search(r"(?:UNH|UIH|BGM|TDT)(?=\W)", text)
        return [text[bare.start() :]] if bare else []
    edges = [at for at, _ in starts] + [len(text)]
    return [text[a:b] for a, b in itertools.pairwise(edges)]


def _read_one(text: str, repairs: tuple[str, ...], longest: int) -> Interchange:
    flat_start = re.sub(r"[\r\n]", "", text[:40])
    had_una = flat_start.startswith(SERVICE)
    if had_una:
        separators = _service_string(flat_start, text)
        text = _after_service_string(text)
    else:
        separators = _guess_separators(text)
    keep_lines = separators.terminator in "\r\n"
    flat = text if keep_lines else re.sub(r"[\r\n]+", "", text)
    segments = _segments(flat, separators, longest)
    repairs += ("oversized_segment",) * sum(s.shortened for s in segments)
    header = next((s for s in segments if s.tag in ("UNB", "UIB")), None)
    return Interchange(header, separators, had_una, _messages(segments), repairs)


def _service_string(flat: str, text: str) -> Separators:
    six = (flat[3:9] + "      ")[:6]
    terminator = six[5]
    if terminator.isalnum() or terminator == " ":
        # The terminator is a line end that was dropped with the others, or is missing.
        terminator = "\n" if "'" not in text else "'"
    return Separators(six[0], six[1], six[2], six[3], six[4], terminator)


def _after_service_string(text: str) -> str:
    """What follows UNA and its six characters, line ends among them not counted."""
    taken, at = 0, 0
    while at < len(text) and taken < 9:
        taken += text[at] not in "\r\n"
        at += 1
    return text[at:]


def _guess_separators(text: str) -> Separators:
    """Without UNA: the standard's, unless the first tags show others."""
    flat = re.sub(r"[\r\n]+", "", text[:600])
    element = re.match(r"\s*[A-Z]{3}\s*([^\w\s])", flat)
    syntax = re.match(r"\s*U[NI]B\s*[^\w\s]UNO[A-Z]([^\w\s])", flat)
    following = re.search(r"([^\w\s])\s*(?:UNG|UNH|UIH|BGM|NAD|TDT)\s*[^\w\s]", flat[4:])
    return Separators(
        component=syntax.group(1) if syntax else ":",
        element=element.group(1) if element else "+",
        terminator=following.group(1) if following else "'",
    )


def _segments(flat: str, separators: Separators, longest: int) -> list[Segment]:
    out = []
    for number, text in enumerate(_cut(flat, separators.terminator, separators.release), start=1):
        body = text.strip()
        if len(body) < 3 or not body[:3].isalnum():
            continue
        shortened = len(body) > longest
        elements = _cut(body[:longest], separators.element, separators.release)
        if shortened:
            elements = elements[:2] if len(elements) > 2 else elements[:1]
        if separators.release == " " or separators.release not in body:
            parsed = tuple([tuple(e.split(separators.component)) for e in elements])
        else:
            parsed = tuple([_components(e, separators) for e in elements])
        tag = parsed[0][0].strip().upper()
        if not (len(tag) == 3 and tag.isascii() and tag.isalpha()):
            continue
        out.append(Segment(((tag, *parsed[0][1:]), *parsed[1:]), number, shortened))
    return out


def _components(element: str, separators: Separators) -> tuple[str, ...]:
    cut = _cut(element, separators.component, separators.release)
    return tuple([_released(c, separators.release) for c in cut])


def _cut(text: str, separator: str, release: str) -> list[str]:
    """Split where the separator is not released."""
    if release == " " or release not in text:
        return text.split(separator)
    parts, current, at = [], [], 0
    while at < len(text):
        letter = text[at]
        if letter == release and at + 1 < len(text):
            current.append(text[at : at + 2])
            at += 2
            continue
        if letter == separator:
            parts.append("".join(current))
            current = []
        else:
            current.append(letter)
        at += 1
    parts.append("".join(current))
    return parts


def _released(text: str, release: str) -> str:
    if release == " " or release not in text:
        return text
    return re.sub(re.escape(release) + r"(.)", r"\1", text)


def _messages(segments: list[Segment]) -> tuple[Message, ...]:
    """Segments from opener to closer; what stands outside any message is envelope or noise."""
    out: list[Message] = []
    current: list[Segment] | None = None
    opener: Segment | None = None
    for segment in segments:
        if segment.tag in OPENERS or (current is None and segment.tag in ("BGM", "TDT")):
            if current:
                out.append(Message(opener, tuple(current), None))
            opener = segment if segment.tag in OPENERS else None
            current = [segment]
        elif segment.tag in CLOSERS and current is not None:
            out.append(Message(opener, (*current, segment), segment))
            current = None
        elif segment.tag in ENVELOPE:
            if current:
                out.append(Message(opener, tuple(current), None))
            current = None
        elif current is not None:
            current.append(segment)
    if current:
        out.append(Message(opener, tuple(current), None))
    return tuple(out)
