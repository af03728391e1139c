"""What truly happens: who stays when, under which permission, and who leaves late or never."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.schemas import Mode
from sojourn.simulate.world import CLASSES, World

DAY = 86_400_000_000
CHANGES_MODE = 0.06  # leave by another mode than they came by
NEVER = 1e5  # days


def build_stays(people: pl.DataFrame, world: World, rng: np.random.Generator) -> pl.DataFrame:
    """One row a stay: stay, traveller, times in microseconds from the start, permission, mode.

    ``departed`` is null for those who never leave. Parties travel together.
    """
    parties = people.group_by("party", maintain_order=True).agg(pl.len().alias("size"))
    commuter = rng.random(parties.height) < world.commuters * (parties["size"] == 1).to_numpy()
    each = rng.geometric(1.0 / world.stays_per_traveller, parties.height)
    each = np.where(commuter, rng.integers(20, 160, parties.height), each)
    owner = np.repeat(np.arange(parties.height), each)
    trips = _trips(owner, commuter[owner], each[owner], world, rng)
    joined = (
        trips.with_columns(party=pl.Series(parties["party"].to_numpy()[owner]))
        .filter(pl.col("arrived") < world.days * DAY)
        .join(people.select("party", "traveller"), on="party", maintain_order="left_right")
        .head(world.stays)
    )
    return joined.with_row_index("stay").with_columns(pl.col("stay").cast(pl.Int64))


def _trips(
    owner: NDArray[np.int64], commutes: NDArray[np.bool_], each: NDArray[np.int64], world: World,
    rng: np.random.Generator,
) -> pl.DataFrame:  # fmt: skip
    count = owner.size
    shares = np.array([c.share for c in CLASSES])
    kind = np.where(commutes, 2, rng.choice(len(CLASSES), count, p=shares / shares.sum()))
    median = np.array([c.median_days for c in CLASSES])[kind]
    spread = np.array([c.spread for c in CLASSES])[kind]
    permitted = np.array([c.permitted_days for c in CLASSES])[kind] + world.permitted_shift
    length = median * np.exp(spread * rng.standard_normal(count))
    length = np.where(
        commutes, rng.gamma(2.0, 0.3, count) + 0.1, np.minimum(length, permitted * 0.97)
    )
    late = rng.random(count) < np.array([c.left_late for c in CLASSES])[kind]
    length = np.where(late, permitted + 1.5 + rng.exponential(25.0, count), length)
    never = (rng.random(count) < np.array([c.never_left for c in CLASSES])[kind]) & ~commutes
    gap = np.where(commutes, rng.exponential(1.8, count) + 0.2, rng.exponential(1.0, count)
                   * world.days / (each + 1.0) + 1.0)  # fmt: skip
    first = np.r_[True, owner[1:] != owner[:-1]]
    gap = np.where(first, rng.random(count) * world.days, gap)
    # One who never leaves does not come again.
    steps = gap + np.r_[0.0, (length + np.where(never, NEVER, 0.0))[:-1]] * ~first
    total = np.cumsum(steps)
    arrived = total - (total - steps)[first][np.cumsum(first) - 1]
    modes = list(world.mode_mix)
    mix = np.array([world.mode_mix[m] for m in modes])
    mode = rng.choice(len(modes), count, p=mix / mix.sum())
    mode = np.where(commutes, modes.index(Mode.LAND), mode)
    away = np.where(
        rng.random(count) < CHANGES_MODE, rng.choice(len(modes), count, p=mix / mix.sum()), mode
    )
    limit = np.where(rng.random(count) < 0.02, 1, np.where(rng.random(count) < 0.01, 2, 0))
    names = pl.Series([m.value for m in modes])
    arrived_us = (arrived * DAY).astype(np.int64)
    return pl.DataFrame(
        {
            "arrived": arrived_us,
            "departed": pl.Series(arrived_us + (length * DAY).astype(np.int64)).set(
                pl.Series(never), None
            ),
            "permitted_days": permitted,
            "admission_class": pl.Series([c.name for c in CLASSES])[kind],
            "arrival_mode": names[mode],
            "departure_mode": names[away],
            "limit": limit,
        }
    )
