"""A departure finds its arrival, by equality of match keys alone.

In: ENCODINGS. Out: MERGES (reports of one crossing) and LINKS (crossings of one stay). Who can
be compared: ``index``. What a comparison shows: ``patterns``. What it is worth: ``weights``,
learned in ``training``. Who gets whom: ``resolve``. All at once: ``bulk``; as records come:
``live``. No key is needed here, and no name is seen.
"""

from sojourn.link.bulk import Linked, link
from sojourn.link.live import Decision, LiveLinker
from sojourn.link.quality import Trial, add_counts, count_decoys, count_quality
from sojourn.link.training import Sample, learn_weights
from sojourn.link.weights import (
    Provenance,
    WeightTable,
    check_weights,
    dump_weights,
    load_weights,
)

__all__ = [
    "Decision",
    "Linked",
    "LiveLinker",
    "Provenance",
    "Sample",
    "Trial",
    "WeightTable",
    "add_counts",
    "check_weights",
    "count_decoys",
    "count_quality",
    "dump_weights",
    "learn_weights",
    "link",
    "load_weights",
]
