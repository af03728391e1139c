"""Whoever shares a finer kind of key shares its coarser kind: so a search may go by that alone."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.encode.matchkeys import Identity, messages_of
from sojourn.policy import load_policy
from sojourn.schemas import COARSER

MOST_TOKENS = load_policy().encode.max_name_tokens

token = st.one_of(
    st.sampled_from(["ANNA", "AL", "X", "KHALED", "HALID", "A", "O"]),
    st.text("AEHKLMNOST", min_size=1, max_size=7),
)
name = st.lists(token, max_size=5).map(" ".join)
identity = st.builds(
    Identity,
    surname=name,
    given_names=name,
    year=st.sampled_from([0, 1980]),
    month=st.integers(0, 12),
    day=st.integers(0, 31),
    sex=st.sampled_from(["", "M", "F"]),
    document_number=st.text("OQ0IL1S5B8", max_size=9),
)


@settings(max_examples=500, deadline=None)
@given(
    identity, identity, st.sets(st.sampled_from(["names", "date", "document"])), st.integers(1, 6)
)
def test_a_shared_finer_key_means_a_shared_coarser_key(
    one: Identity, other: Identity, taken: set[str], tokens: int
) -> None:
    if "names" in taken:
        other = replace(other, surname=one.given_names, given_names=one.surname)
    if "date" in taken:
        other = replace(other, year=one.year, month=one.month, day=one.day)
    if "document" in taken:
        other = replace(other, document_number=one.document_number)
    shared = set(messages_of(one, MOST_TOKENS)) & set(messages_of(other, tokens))
    kinds = {kind for kind, _ in shared}
    assert {COARSER[kind] for kind in kinds if kind in COARSER} <= kinds


def test_no_coarser_kind_is_itself_left_out_of_the_search() -> None:
    assert not set(COARSER) & set(COARSER.values())
