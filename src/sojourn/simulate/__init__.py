"""A country whose truth is known: invented people, what they do, and what sources write down.

In: a ``World``. Out: a ``Country`` (tables and truth), files, manifests, or a live stream.
"""

from sojourn.simulate.country import Agreement, build_country, measure_agreement
from sojourn.simulate.files import write_country
from sojourn.simulate.manifests import ManifestFile, write_manifests
from sojourn.simulate.stream import Parcel, stream_country
from sojourn.simulate.world import Country, World

__all__ = [
    "Agreement",
    "Country",
    "ManifestFile",
    "Parcel",
    "World",
    "build_country",
    "measure_agreement",
    "stream_country",
    "write_country",
    "write_manifests",
]
