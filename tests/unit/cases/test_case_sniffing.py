"""A file is looked through once: none can be written that keeps the reader for hours."""

from __future__ import annotations

import re
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_web.cases.errors import RefusedError
from sojourn_web.cases.sniffing import LARGEST, _streams, _unpack, sniff

END = b"\n%%EOF\n"
SLOW = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)


def filled(with_what: bytes) -> bytes:
    """A PDF of the largest size, of the same bytes over and over."""
    room = LARGEST - len(b"%PDF-1.7\n") - len(END)
    return b"%PDF-1.7\n" + (with_what * (room // len(with_what) + 1))[:room] + END


def breaks_late() -> bytes:
    """32 KB that unpack to 32 MB and are then found broken."""
    packed = zlib.compress(bytes(32 * 2**20))
    return b"stream\n" + packed[:-4] + b"nono" + b"\nendstream\n"


@pytest.mark.parametrize("with_what", [
    b"stream\n", b"stream\r\n", b"endstream", b"stream\nendstream\n", b"1 2 ", b"/J#61",
    b"endstrea", breaks_late(),
], ids=["begins", "crlf", "ends", "both", "numbers", "escaped", "almost", "breaks"])  # fmt: skip
def test_the_largest_file_is_read_in_seconds(with_what: bytes) -> None:
    content = filled(with_what)
    began = time.process_time()
    assert sniff(content, "a.pdf") == "application/pdf"
    assert time.process_time() - began < 20  # hours, once; the broken ones took a minute


def test_a_program_behind_pictures_that_are_not_packed_is_found() -> None:
    pictures = b"stream\n\xff\xd8\xff\xe0 not packed \nendstream\n" * 2000
    program = b"stream\r\n" + zlib.compress(b"4 0 <</S/JavaScript>>") + b"\r\nendstream"
    with pytest.raises(RefusedError, match="a program"):
        sniff(b"%PDF-1.7\n" + pictures + program + END, "a.pdf")


def test_a_program_behind_a_broken_stream_and_in_one_is_found() -> None:
    broken = b"stream\n" + zlib.compress(b"x")[:2] + b"\xff" * 100_000 + b"\nendstream\n"
    objects = b"4 0 <</S/JavaScript>>"
    cut = zlib.compress(objects + bytes(600_000))[:-4] + b"nono"
    for program in (zlib.compress(objects), cut):
        content = broken * 40 + b"stream\r\n" + program + b"\r\nendstream"
        with pytest.raises(RefusedError, match="a program"):
            sniff(b"%PDF-1.7\n" + content + END, "a.pdf")


@given(st.binary(max_size=2000), st.integers(1, 5000))
def test_what_is_unpacked_is_what_was_packed(content: bytes, most: int) -> None:
    repeated = content * 3
    assert _unpack(zlib.compress(repeated), most)[0] == repeated[:most]


@given(st.lists(st.sampled_from(
    [b"stream", b"end", b"endstream", b"\n", b"\r\n", b"\r", b"x", b"st", b"ream"]
)).map(b"".join))  # fmt: skip
def test_streams_are_those_of_the_plain_pattern(content: bytes) -> None:
    assert list(_streams(content)) == SLOW.findall(content)
