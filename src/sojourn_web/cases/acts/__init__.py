"""Everything that staff can do with a case from its pages: a name in the address, an ``Act``."""

from __future__ import annotations

from sojourn_web.cases.acts import consenting, daily, ending, safeguarding, travelling
from sojourn_web.cases.acts.basis import Act, Bench, CaseForm

ACTS: dict[str, Act] = {
    act.name: act
    for act in (
        *safeguarding.ACTS, *consenting.ACTS, *travelling.ACTS, *daily.ACTS, *ending.ACTS,
    )
}  # fmt: skip

__all__ = ["ACTS", "Act", "Bench", "CaseForm"]
