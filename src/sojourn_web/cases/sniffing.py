"""What a file is, from its bytes: the name is not believed.

In: bytes and the name that came with them. Out: the media type. Raises RefusedError, with what to
do, for another kind of file, for a name that claims another kind, for what ends too early, for
programs inside a PDF, for a PDF that is locked, and for what is too large.

A program is looked for in the PDF's own words and in its compressed object streams, where it hides
most easily; what is hidden in other ways is the virus scanner's to find.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from sojourn_web.cases.errors import RefusedError

LARGEST = 10 * 2**20
SMALLEST = 16
# A name in a PDF may be written with #xx for any letter: /J#61vaScript.
ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
BEGIN, END = b"stream", b"endstream"
LINE_ENDS = (b"\r\n", b"\n")
OBJECTS = re.compile(rb"\s*\d+\s+\d+\s")  # how an object stream begins: numbers and places
INFLATED = 32 * 2**20  # bytes of all streams of a file together; the rest is not looked at
STEP = 2**18  # bytes that are inflated at a time: what one broken stream costs, at most
ACTIVE = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|RichMedia|XFA)(?![A-Za-z])")
# One phrase for all kinds, so that the person's pages have it in each language.
NAME_LIES = (
    "The name of this file does not fit what it is. If you know where it is from, rename it so "
    "that it ends with .pdf, .jpg or .png, as it is."
)
AS_JPEG = "Send a photograph of the page as JPEG instead."


@dataclass(frozen=True)
class Kind:
    media_type: str
    names: tuple[str, ...]
    beginning: bytes
    is_whole: Callable[[bytes], bool]


KINDS = (
    Kind("application/pdf", ("pdf",), b"%PDF-", lambda b: b"%%EOF" in b[-2048:]),
    Kind("image/jpeg", ("jpg", "jpeg"), b"\xff\xd8\xff", lambda b: b"\xff\xd9" in b[-65_536:]),
    Kind("image/png", ("png",), b"\x89PNG\r\n\x1a\n", lambda b: b"IEND" in b[-64:]),
)


def sniff(content: bytes, name: str) -> str:
    """The media type that the bytes have."""
    if len(content) > LARGEST:
        raise RefusedError("Expected 10 MB at most: send a smaller picture, or fewer pages.")
    if len(content) < SMALLEST:
        raise RefusedError("This file is empty: choose it again, or take the photograph again.")
    kind = next((k for k in KINDS if content.startswith(k.beginning)), None)
    if kind is None:
        raise RefusedError(
            "Expected a PDF, a JPEG or a PNG, found another kind of file. " + AS_JPEG
        )
    ending = PurePosixPath(name.replace("\\", "/")).suffix.lower().lstrip(".")
    if ending and ending not in kind.names:
        raise RefusedError(NAME_LIES)
    if not kind.is_whole(content):
        raise RefusedError("This file ends too early: send it again, perhaps nearer to the net.")
    if kind.media_type == "application/pdf":
        _refuse_programs(content)
    return kind.media_type


def clean_name(name: str, media_type: str) -> str:
    """The last part of a name without signs that a disk or a header would misread."""
    plain = re.sub(r"[\x00-\x1f\x7f\"\\/:*?<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]", " ",
                   name.replace("\\", "/").rsplit("/", 1)[-1])  # fmt: skip
    plain = " ".join(plain.split()).strip(". ")[:120]
    kind = next(k for k in KINDS if k.media_type == media_type)
    return plain or f"file.{kind.names[0]}"


def _refuse_programs(content: bytes) -> None:
    whole = _plain(content)
    if b"/Encrypt" in whole:
        raise RefusedError(
            "This PDF is locked, so that no scanner can look inside: print it to a new PDF. "
            + AS_JPEG
        )
    if ACTIVE.search(whole) or any(
        ACTIVE.search(_plain(part)) for part in _object_streams(content)
    ):
        raise RefusedError("This PDF holds a program or another file inside it. " + AS_JPEG)


def _plain(part: bytes) -> bytes:
    return ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), part)


def _streams(content: bytes) -> Iterator[bytes]:
    """What stands between each ``stream`` and the next ``endstream``; every byte is passed once."""
    at = content.find(BEGIN)
    while at >= 0:
        begin = at + len(BEGIN)
        line_end = next((e for e in LINE_ENDS if content.startswith(e, begin)), None)
        if line_end is not None:
            begin += len(line_end)
            end = content.find(END, begin)
            if end < 0:
                return
            yield content[begin:end]
            begin = end + len(END)
        at = content.find(BEGIN, begin)


def _is_packed(part: bytes) -> bool:
    """Whether ``part`` begins as zlib's packing does (RFC 1950): pictures mostly do not."""
    return len(part) > 2 and part[0] & 15 == 8 and int.from_bytes(part[:2], "big") % 31 == 0


def _unpack(packed: bytes, most: int) -> tuple[bytes, int]:
    """What comes out before the end or the break, and how many bytes the work was."""
    inflate, parts, spent = zlib.decompressobj(), [], 0
    try:
        while spent < most and not inflate.eof:
            part = inflate.decompress(packed, min(STEP, most - spent))
            packed = inflate.unconsumed_tail
            if not part and not packed:
                break
            parts.append(part)
            spent += len(part)
    except zlib.error:
        spent += STEP
    return b"".join(parts), spent


def _object_streams(content: bytes) -> Iterator[bytes]:
    left = INFLATED
    for packed in _streams(content):
        if left <= 0:
            return
        if not _is_packed(packed):
            continue
        part, spent = _unpack(packed, left)
        left -= spent
        if OBJECTS.match(part):
            yield part
