"""A departure finds its arrival, by equality of match keys alone.

In: ENCODINGS. Out: MERGES (reports of one crossing) and LINKS (crossings of one stay). Who can
be compared: ``index``. What a comparison shows: ``patterns``. What it is worth: ``weights``,
learned in ``training``. Who gets whom: ``resolve``. All at once: ``bulk``; more than memory
holds: ``blocks``; as records come: ``live``; one record without a table: ``reports``. No key is
needed here, and no name is seen.
"""

from sojourn.link.adapting import adapt_weights, fit_levels
from sojourn.link.blocks import BlockLinker, Carried, Settled
from sojourn.link.bulk import Linked, link
from sojourn.link.live import Answer, Decision, LiveLinker
from sojourn.link.quality import Trial, add_counts, count_decoys, count_quality
from sojourn.link.reports import Report, Reports
from sojourn.link.training import Sample, learn_weights
from sojourn.link.weights import (
    Provenance,
    WeightTable,
    check_weights,
    dump_weights,
    load_weights,
)

__all__ = [
    "Answer",
    "BlockLinker",
    "Carried",
    "Decision",
    "Linked",
    "LiveLinker",
    "Provenance",
    "Report",
    "Reports",
    "Sample",
    "Settled",
    "Trial",
    "WeightTable",
    "adapt_weights",
    "add_counts",
    "check_weights",
    "count_decoys",
    "count_quality",
    "dump_weights",
    "fit_levels",
    "learn_weights",
    "link",
    "load_weights",
]
