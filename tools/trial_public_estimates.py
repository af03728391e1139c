"""Prints how often public estimates held the truth of small countries, and how wide they were.

In: how many countries, epsilon, sizes, a seed. Out: a table; docs/explanation/public-estimates.md
has one of each epsilon.

    python tools/trial_public_estimates.py --countries 300 --epsilon 1
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from sojourn.pipeline.released_trial import sum_up, try_country
from sojourn.policy import load_policy
from sojourn.simulate.small_world import Kind


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    reader = argparse.ArgumentParser(prog="python tools/trial_public_estimates.py")
    reader.add_argument("--countries", type=int, default=200)
    reader.add_argument("--epsilon", type=float, default=1.0)
    reader.add_argument("--stays", type=int, nargs=2, default=(200_000, 2_000_000))
    reader.add_argument("--kind", choices=[k.value for k in Kind], default=Kind.PLAIN.value)
    reader.add_argument("--seed", type=int, default=1)
    asked = reader.parse_args(arguments)
    default = load_policy()
    release = replace(default.release, epsilon_per_year=asked.epsilon)
    policy = replace(default, release=release)
    rows = pl.concat(
        [
            try_country(Kind(asked.kind), n, asked.seed, policy, tuple(asked.stays))
            for n in range(asked.countries)
        ]
    )
    print(f"{asked.kind}, epsilon {asked.epsilon:g}, {asked.countries} countries")
    for line in sum_up(rows):
        print(
            f"{line.group:20} {line.quantity:20} {line.cells:6} told {line.told:6.1%} "
            f"held {line.coverage:6.1%} +-{line.error:5.1%} width {line.width:7.2%} "
            f"truth {line.truth:6.2%} bias {line.bias:+7.3%}"
        )


if __name__ == "__main__":
    main()
