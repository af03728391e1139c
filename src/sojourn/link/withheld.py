"""What becomes of a crossing whose partner nobody recorded: withhold partners, and look.

In: ENCODINGS, their links, a share and randomness. Out: a frame of withheld ends and what they
were linked to instead. Nothing here needs names, and nothing of it is kept but counts.

A departure without a recorded arrival can still be linked: to an earlier arrival of the same
traveller whose departure was not recorded, to a companion's, to a stranger's by chance. How
often, the data themselves say: arrivals that were linked are withheld at random, everything is
linked again, and every link of their departures is false. Likewise for departures: an arrival
whose departure is withheld may take the departure of the same traveller's next stay.

Assumes that crossings whose partner was not recorded are otherwise like those withheld, within
the cells by which the counts are used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sojourn.link.bulk import Linked, link
from sojourn.link.ends import without_crossings
from sojourn.link.weights import WeightTable
from sojourn.policy import LinkagePolicy


@dataclass(frozen=True)
class Withheld:
    """References of linked crossings whose partner was withheld, and what followed.

    ``departures``: crossing_ref, other_ref (the arrival it was linked to instead; null: none).
    ``arrivals``: crossing_ref, other_ref (the departure it took from its own arrival; null: none).
    Both: lost_arrival, lost_departure, the pair that was linked before and is not any more
    because of that; null where there is none.
    """

    departures: pl.DataFrame
    arrivals: pl.DataFrame


def withhold(
    encodings: pl.DataFrame,
    linked: Linked,
    weights: WeightTable,
    policy: LinkagePolicy,
    policy_digest: str,
    share: float,
    rng: np.random.Generator,
) -> Withheld:
    """Link twice more: without ``share`` of the linked arrivals, then of the departures."""
    links = linked.links.select("arrival_ref", "departure_ref").sort("departure_ref")
    parts = []
    for end, other in (("arrival_ref", "departure_ref"), ("departure_ref", "arrival_ref")):
        picked = links.filter(pl.Series(rng.random(links.height) < share))
        rest = without_crossings(encodings, linked, picked[end])
        again = link(rest, weights, policy, policy_digest).links
        found = again.select(pl.col(other).alias("crossing_ref"), other_ref=end)
        lost = links.with_columns(
            lost_arrival="arrival_ref", lost_departure="departure_ref", other_ref=end
        ).select("other_ref", "lost_arrival", "lost_departure")
        parts.append(
            picked.select(crossing_ref=other)
            .join(found, on="crossing_ref", how="left")
            .join(lost, on="other_ref", how="left")
        )
    came, left = parts
    # Only departures that had an arrival of their own: others are counted at the other end.
    taken = pl.when(pl.col("lost_arrival").is_not_null()).then("other_ref")
    return Withheld(came, left.with_columns(other_ref=taken))
