"""The compiled kernel gives exactly the match keys that the plain definition gives."""

from __future__ import annotations

import hmac

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.encode import encoder, kernel
from sojourn.encode.columns import Columns, Made
from sojourn.encode.hmac256 import hmac_many, prepare
from sojourn.encode.keys import kind_secrets
from sojourn.encode.matchkeys import Identity, match_keys_of
from sojourn.encode.sounds import FOLDS, JOINED, PARTICLES, STARTS, skeleton_of
from sojourn.policy import load_policy
from sojourn.schemas import KeyKind

POLICY = load_policy().encode
SECRET = bytes(range(32))

sounds = sorted({pattern for pattern, _ in FOLDS + STARTS if len(pattern) > 1})
marks = [*sounds, "OUA", "XAH", "XAY", "XKH", "VL", "WD", "CE", "CI", "CY"]
particles = sorted(PARTICLES)
articles = [*JOINED, "AL", "EL", "ABD", "EBDAL", "ABDU", "ABDERR", "ERR", "ESS", "ALA", "ALLI"]
letters = st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
word = st.lists(st.one_of(letters, st.sampled_from(marks)), min_size=1, max_size=8).map("".join)
token = st.one_of(
    word,
    st.sampled_from(particles),
    letters,
    st.builds(str.__add__, st.sampled_from(articles), word),
)
name = st.lists(token, max_size=5).map(" ".join)
identity = st.builds(
    Identity,
    surname=name,
    given_names=name,
    year=st.sampled_from([0, 1900, 1980, 2001]),
    month=st.integers(0, 12),
    day=st.integers(0, 31),
    sex=st.sampled_from(["", "M", "F", "X"]),
    document_number=st.text("OQ0IL1S5B8Z2G6AX9", max_size=12),
    nationality=st.sampled_from(["", "D", "UTO", "XXA"]),
)


def kernel_keys(people: list[Identity]) -> list[list[tuple[KeyKind, int]]]:
    buffers = [
        encoder._buffer(pl.Series([getattr(p, field) for p in people], dtype=pl.String))
        for field in ("surname", "given_names", "document_number")
    ]
    columns = Columns(
        *(part for pair in buffers for part in pair),
        *(np.array([getattr(p, f) for p in people], np.int32) for f in ("year", "month", "day")),
        np.array([ord(p.sex) if p.sex else 0 for p in people], np.uint8),
        encoder._nations(pl.Series([p.nationality for p in people], dtype=pl.String)),
    )
    made = Made(
        np.zeros(len(people), np.int32),
        np.zeros((len(people), kernel.KEYS_ROOM), np.uint8),
        np.zeros((len(people), kernel.KEYS_ROOM), np.uint64),
    )
    kernel.match_keys(columns, encoder._secrets(SECRET, POLICY), POLICY.max_name_tokens, made)
    return [
        [(KeyKind(int(made.kinds[r, i])), int(made.keys[r, i])) for i in range(made.counts[r])]
        for r in range(len(people))
    ]


@settings(max_examples=300, deadline=None)
@given(st.lists(identity, min_size=1, max_size=8))
def test_the_kernel_equals_the_plain_definition(people: list[Identity]) -> None:
    secrets = kind_secrets(SECRET, POLICY.key_kinds)
    expected = [match_keys_of(p, secrets, POLICY.max_name_tokens) for p in people]
    found = kernel_keys(people)
    assert [sorted(keys) for keys in found] == [sorted(keys) for keys in expected]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20), st.binary(max_size=64))
def test_compiled_hmac_equals_the_standard_library(messages: list[bytes], key: bytes) -> None:
    inner, outer = prepare(key)
    offsets = np.cumsum([0, *map(len, messages)]).astype(np.int64)
    words = np.empty((len(messages), 8), np.uint32)
    buffer = np.frombuffer(b"".join(messages) or b"\0", np.uint8)
    hmac_many(offsets, buffer, inner, outer, words)
    digests = [row.astype(">u4").tobytes() for row in words]
    assert digests == [hmac.digest(key, m, "sha256") for m in messages]


def test_the_longest_names_that_a_form_holds_are_encoded() -> None:
    people = [
        Identity("A" * 120, "B" * 120, 1980, 5, 6, "F", "X" * 40),
        Identity(
            " ".join("ABCDEFGHIJ" * 6)[:120], " ".join("KLMNOPQRST" * 6)[:120], 1, 1, 1, "M", ""
        ),
    ]
    secrets = kind_secrets(SECRET, POLICY.key_kinds)
    expected = [match_keys_of(p, secrets, POLICY.max_name_tokens) for p in people]
    assert [sorted(k) for k in kernel_keys(people)] == [sorted(k) for k in expected]


def test_spellings_of_one_name_share_a_skeleton() -> None:
    families = [
        ("KHALED", "KHALID", "HALED"),
        ("YOUSEF", "JUSUF", "YUSUF"),
        ("MOHAMMED", "MUHAMMAD", "MOHAMED"),
        ("SCHMIDT", "SHMIDT"),
        ("WAGNER", "VAGNER"),
        ("MUELLER", "MULLER"),
    ]
    for family in families:
        assert len({skeleton_of(spelling) for spelling in family}) == 1, family
