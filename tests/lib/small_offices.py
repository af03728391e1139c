"""Small simulated countries as evidence, for tests of estimates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from sojourn.measure.evidence import Evidence
from sojourn.simulate.small import build_small
from sojourn.simulate.small_counts import SmallOffice
from sojourn.simulate.small_world import Kind, SmallWorld, draw_world


def world(kind: Kind = Kind.PLAIN, stays: int = 30_000, seed: int = 1) -> SmallWorld:
    return replace(draw_world(kind, np.random.default_rng(seed)), stays=stays)


def office(of: SmallWorld, seed: int = 1) -> SmallOffice:
    return SmallOffice(build_small(of, np.random.default_rng([seed, 1])))


def evidence(of: SmallOffice, day: int = 460, seed: int = 1) -> tuple[Evidence, date]:
    t = of.tables(day, np.random.default_rng([seed, 2]))
    found = Evidence(t.counts, t.vintages, t.reporting, t.lists, t.linkage)
    return found, of.date_of(day)
