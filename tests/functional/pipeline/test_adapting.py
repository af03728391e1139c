"""An office's weights fitted to its own records, and what that is worth."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.offices import hand_in, small_country, small_office
from sojourn.errors import LinkageError
from sojourn.link import load_weights
from sojourn.pipeline import Desk, adapt, evaluate, reconcile
from sojourn.policy import load_policy
from sojourn.simulate import World, build_country

POLICY, TABLE = load_policy(), load_weights()
# Unlike the countries that the table was learned on: less noise and more, fewer names, more stays.
WORLDS = (
    World(12_000, 71, noise=0.3, lists=1),
    World(12_000, 72, noise=1.0, lists=2),
    World(12_000, 73, noise=12.0, lists=1),
    World(12_000, 74, noise=3.0, lists=1, name_pool=40, name_shift=0.5),
    World(12_000, 75, noise=5.0, lists=1, stays_per_traveller=6.0, entry_coverage=0.7),
)


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS, ids=lambda w: f"noise {w.noise:g}, seed {w.seed}")
def test_a_fitted_table_is_never_worse_than_the_table(world: World) -> None:
    """Worse by no more than two links of ten thousand, which is what chance moves."""
    country = build_country(world)
    plain = evaluate(country.crossings, country.truth, POLICY, TABLE).overall.f1
    fitted = evaluate(country.crossings, country.truth, POLICY, TABLE, adapt=True).overall.f1
    assert fitted >= plain - 0.0002


def test_an_office_links_with_what_was_fitted_to_its_records(
    tmp_path: Path, statistics_url: str
) -> None:
    office = small_office(tmp_path, statistics_url)
    with Desk(office) as desk:
        noisy = small_country(stays=2_500, seed=5, noise=9.0, lists=1).crossings
        hand_in(desk, office, noisy, "history", as_recorded=True)
    done = adapt(office)
    assert done.reports == noisy.height
    assert done.after[1] > done.before[1], "noisier than what the table was learned on"
    again = small_office(tmp_path, statistics_url)
    assert again.weights.levels is not None
    assert again.weights.levels.shares == done.after
    assert adapt(again) == done, "fitted anew from the shipped table each time"
    reconcile(again)


def test_without_reports_there_is_nothing_to_fit_to(tmp_path: Path) -> None:
    with pytest.raises(LinkageError, match="load some first"):
        adapt(small_office(tmp_path))
    assert not (tmp_path / "weights.npz").exists()
