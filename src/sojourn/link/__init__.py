"""A departure finds its arrival, by equality of match keys alone.

In: ENCODINGS. Out: MERGES (reports of one crossing) and LINKS (crossings of one stay). Who can
be compared: ``index``. What a comparison shows: ``patterns``. What it is worth: ``weights``,
learned in ``training``. Who gets whom: ``resolve``. All at once: ``bulk``; more than memory
holds: ``blocks``; as records come: ``live``. No key is needed here, and no name is seen.
"""

from sojourn.link.blocks import BlockLinker, Settled
from sojourn.link.bulk import Linked, link
from sojourn.link.live import Decision, LiveLinker
from sojourn.link.training import Sample, learn_weights
from sojourn.link.weights import (
    Provenance,
    WeightTable,
    check_weights,
    dump_weights,
    load_weights,
)

__all__ = [
    "BlockLinker",
    "Decision",
    "Linked",
    "LiveLinker",
    "Provenance",
    "Sample",
    "Settled",
    "WeightTable",
    "check_weights",
    "dump_weights",
    "learn_weights",
    "link",
    "load_weights",
]
