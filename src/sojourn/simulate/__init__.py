"""A country whose truth is known: invented people, what they do, and what sources write down.

In: a ``World``. Out: a ``Country`` (tables and truth), files, manifests, or a live stream.
"""

from sojourn.simulate.country import Agreement, build_country, measure_agreement
from sojourn.simulate.world import Country, World

__all__ = ["Agreement", "Country", "World", "build_country", "measure_agreement"]
