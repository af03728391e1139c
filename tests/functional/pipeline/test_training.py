"""The weights that ship are made again to the bit."""

from __future__ import annotations

from importlib.resources import files

import pytest

from sojourn.link import dump_weights, load_weights
from sojourn.pipeline import train
from sojourn.pipeline.training import WORLDS
from sojourn.policy import load_policy


@pytest.mark.slow
def test_the_table_that_ships_is_made_again_to_the_bit() -> None:
    shipped = files("sojourn").joinpath("policies/weights.npz").read_bytes()
    assert dump_weights(train(load_policy())) == shipped


def test_the_table_says_where_it_comes_from() -> None:
    provenance = load_weights().provenance
    assert provenance.encode_digest == load_policy().encode.digest
    assert len(provenance.worlds) == len(WORLDS)
    assert all("seed 2000" in world for world in provenance.worlds)
