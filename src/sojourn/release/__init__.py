"""The gate through which figures leave, and what is made of what left.

In: stays with their outcomes, as known at the close of a day, and two people who want a release.
Out: FIGURES. ``contributions`` bounds what one stay may change; ``calendar`` and ``cells`` fix
what is drawn when; ``gate`` spends, then draws by ``mechanisms``, which nothing else may import;
``tree`` and ``assembling`` make consistent figures of noisy counts; ``budget`` and ``noise`` say
beforehand what it costs and how large the noise is. ``proof.md`` beside says why it holds.
"""

from sojourn.release.again import Recount, recount_of
from sojourn.release.budget import Plan, PlanRow, Spent, loss_of_life, plan_release
from sojourn.release.cells import CodeLists, ReleaseTable, tables_of
from sojourn.release.checks import check_people
from sojourn.release.contributions import Contributions, contribute, empty_state, place_stays
from sojourn.release.explaining import Explanation, FigureName, explain
from sojourn.release.gate import Gate, Gated
from sojourn.release.nodes import read_figures
from sojourn.release.noise import ExpectedNoise, expected_noise, reach_of
from sojourn.release.publication import Estimator, publish, unfinished
from sojourn.release.requests import CellKeyRequest, Request
from sojourn.release.store import read_spent, read_state
from sojourn.release.tree import shown

__all__ = [
    "CellKeyRequest",
    "CodeLists",
    "Contributions",
    "Estimator",
    "ExpectedNoise",
    "Explanation",
    "FigureName",
    "Gate",
    "Gated",
    "Plan",
    "PlanRow",
    "Recount",
    "ReleaseTable",
    "Request",
    "Spent",
    "check_people",
    "contribute",
    "empty_state",
    "expected_noise",
    "explain",
    "loss_of_life",
    "place_stays",
    "plan_release",
    "publish",
    "reach_of",
    "read_figures",
    "read_spent",
    "read_state",
    "recount_of",
    "shown",
    "tables_of",
    "unfinished",
]
