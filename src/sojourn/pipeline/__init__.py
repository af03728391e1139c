"""The only room that knows the order: record, crossing, encoding, link, stay, measure.

``office``: where an installation's things are. ``intake``: one batch, from reading to committed
events. ``watching``: an inbox folder. ``loading``: files in bulk. ``reconciling``: the whole
ledger linked again. ``measuring``: cells. ``quality``: how sure linking is; ``probing``: decoys.
``judging``: evaluation on synthetic truth. ``training``: weights from simulated countries.
``exporting``: published figures as files.
``calibrating``: do intervals hold the truth.
"""

from sojourn.pipeline.events import record
from sojourn.pipeline.intake import Desk
from sojourn.pipeline.judging import Evaluation, evaluate
from sojourn.pipeline.loading import load_files
from sojourn.pipeline.measuring import purge, refresh_measures
from sojourn.pipeline.office import Office, find_office, open_office
from sojourn.pipeline.quality import LinkageReport, assess, report_linkage
from sojourn.pipeline.reconciling import reconcile
from sojourn.pipeline.training import adapt, train
from sojourn.pipeline.watching import watch_inbox

__all__ = [
    "Desk",
    "Evaluation",
    "LinkageReport",
    "Office",
    "adapt",
    "assess",
    "evaluate",
    "find_office",
    "load_files",
    "open_office",
    "purge",
    "reconcile",
    "record",
    "refresh_measures",
    "report_linkage",
    "train",
    "watch_inbox",
]
