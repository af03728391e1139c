"""Where a figure comes from, in one screen: run, policy, definition, parts, noise, budget.

In: a figure's name, ``table/span/period/quantity[/nationality/mode/class][@vintage]``, '-' or
nothing for all. Out: ``Explanation``. Only public tables are read; a run is named, never a batch.
Raises UsageError for a name that is none, LedgerError for a figure that is not there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Engine

from sojourn.errors import LedgerError, UsageError
from sojourn.policy import RELEASE_DIMENSIONS, ReleasePolicy
from sojourn.release import store
from sojourn.release.cells import ESTIMATES, REENTRIES
from sojourn.release.noise import bound_of
from sojourn.release.picking import Wanted
from sojourn.release.published import read_figures
from sojourn.release.tree import shown
from sojourn.release.years import months_held, say_year
from sojourn.vocabulary import Quantity, ReentryEvent, Span, StayEvent

FORM = "table/span/period/quantity[/nationality/mode/class][@vintage]"
MEANING = {
    StayEvent.ARRIVED.value: "stays that began by an arrival in the period",
    StayEvent.DEPARTED.value: "departures recorded in the period",
    StayEvent.PERMISSION_ENDED.value: "stays whose last permitted day lies in the period",
    StayEvent.LEFT_IN_TIME.value: "of these, departed by that day",
    StayEvent.LEFT_LATE.value: "of these, departed after that day",
    ReentryEvent.SEEN.value: "arrivals of a traveller who had arrived before, in the period of the "
    "second arrival, by mode and class of the stay before it: a departure in between is linked",
    ReentryEvent.NOT_SEEN.value: "the same, where no departure in between is linked: who came "
    "again must have left unseen",
    StayEvent.STATUS_CHANGED.value: "of these, with an application pending: no longer counted",
    Quantity.ARRIVALS.value: "arrived, its parts made to sum to their wholes",
    Quantity.DEPARTURES.value: "departed, its parts made to sum to their wholes",
    Quantity.EXPECTED_DEPARTURES.value: "permission ended, parts made to sum to their wholes",
    Quantity.DEPARTED_IN_TIME.value: "left in time, parts made to sum to their wholes",
    Quantity.DEPARTED_LATE.value: "left late, parts made to sum to their wholes",
    Quantity.NO_DEPARTURE_RECORDED.value: "permission ended, less left in time, less left late, "
    "less status changed. Not the same as still here",
}  # fmt: skip


@dataclass(frozen=True)
class FigureName:
    """A figure's permanent name. Without a vintage: the last there is."""

    release_table: str
    span: Span
    period: date
    quantity: str
    nationality: str = ""
    mode: str = ""
    admission_class: str = ""
    vintage: date | None = None

    @classmethod
    def parse(cls, text: str) -> FigureName:
        """Raises UsageError that says the form."""
        whole, _, vintage = text.partition("@")
        parts = whole.strip("/").split("/")
        try:
            if not 4 <= len(parts) <= 7:
                raise ValueError
            words = ["" if p == "-" else p for p in parts[4:]]
            nationality, mode, admission_class = [*words, "", "", ""][:3]
            return cls(
                parts[0], Span(parts[1]), date.fromisoformat(parts[2]), parts[3], nationality,
                mode, admission_class, date.fromisoformat(vintage) if vintage else None,
            )  # fmt: skip
        except ValueError:
            raise UsageError(
                f"a figure is named {FORM}, as in total/month/2026-01-01/arrivals; spans: "
                f"{', '.join(Span)}"
            ) from None

    def __str__(self) -> str:
        words = [self.nationality, self.mode, self.admission_class]
        tail = "/".join(w or "-" for w in words) if any(words) else ""
        parts = [self.release_table, self.span.value, self.period.isoformat(), self.quantity]
        at = f"@{self.vintage.isoformat()}" if self.vintage else ""
        return "/".join([*parts, *([tail] if tail else [])]) + at


@dataclass(frozen=True)
class Explanation:
    """What is to be said of a figure: headings and lines, and the figure itself (FIGURES)."""

    name: FigureName
    figure: dict[str, Any]
    vintages: pl.DataFrame  # vintage, value, lower, upper, method, release_id
    parts: pl.DataFrame  # quantity, value, noise_sd: what it is computed from
    lines: tuple[tuple[str, str], ...]


def explain(engine: Engine, policy: ReleasePolicy, text: str, *, digest: str = "") -> Explanation:
    """All that is known of one figure. ``digest``: of the office's whole policy; what ``policy``
    says is told of a release under that one alone ('': of any)."""
    name = FigureName.parse(text)
    every = _read(engine, replace(_same_cell(name), quantity=name.quantity))
    if not every.height:
        raise LedgerError(f"no figure {name} was released: see sojourn release for what is")
    asked = every if name.vintage is None else every.filter(pl.col("vintage") == name.vintage)
    if not asked.height:
        days = ", ".join(str(d) for d in every["vintage"])
        raise LedgerError(f"{name.quantity}: no such vintage; there are: {days}")
    figure = asked.sort("vintage").row(-1, named=True)
    parts = _parts(engine, name, figure)
    lines = _lines(engine, policy, digest, figure, parts)
    kept = every.select("vintage", "value", "lower", "upper", "method", "release_id")
    return Explanation(name, figure, kept.sort("vintage"), parts, lines)


def _same_cell(name: FigureName) -> Wanted:
    return Wanted(
        release_table=name.release_table, span=name.span.value, period=name.period,
        nationality=name.nationality, mode=name.mode, admission_class=name.admission_class,
    )  # fmt: skip


def _read(engine: Engine, wanted: Wanted, as_of: date | None = None) -> pl.DataFrame:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return read_figures(connection, wanted, as_of=as_of)


def _parts(engine: Engine, name: FigureName, figure: dict[str, Any]) -> pl.DataFrame:
    """Noisy counts of the same cell and vintage, where the figure is computed of them."""
    events = [e.value for e in (*StayEvent, *ReentryEvent)]
    if figure["release_table"] == ESTIMATES:
        beside = _read(engine, replace(_same_cell(name), vintage=figure["vintage"]))
        beside = beside.filter(pl.col("quantity") != figure["quantity"])
        return beside.select("quantity", "value", "noise_sd", "vintage", "method")
    found = _read(engine, _same_cell(name), figure["vintage"])
    found = found.filter(pl.col("method") != store.COMPUTED)
    if figure["quantity"] in events:
        found = found.clear()
    return found.select("quantity", "value", "noise_sd", "vintage", "method")


def _lines(
    engine: Engine, policy: ReleasePolicy, digest: str, figure: dict[str, Any],
    parts: pl.DataFrame,
) -> tuple[tuple[str, str], ...]:  # fmt: skip
    release = store.read(
        engine, "SELECT run, policy_digest, method, released_at FROM releases "
        "WHERE release_id = :id", id=figure["release_id"],
    )[0]  # fmt: skip
    estimated = figure["release_table"] == ESTIMATES
    # Here, not above: the formats bring pysdmx, which a release does without.
    from sojourn.release.formats.words import QUANTITIES

    words = QUANTITIES.get(figure["quantity"])
    meaning = MEANING.get(figure["quantity"]) if not estimated else None
    made_of = "; ".join(
        f"{p['quantity']} {'lost' if p['value'] is None else _said(p['quantity'], p['value'])}"
        for p in parts.to_dicts()
    )
    again = [("re-entries", reentries_line(engine, figure))] if estimated else []
    held = [("months", _months(engine, figure))] if figure["span"] == Span.YEAR else []
    return (
        ("value", _value(figure)),
        ("interval", _between(figure)),
        *held,
        ("definition", meaning or (words.definition if words else "see the method page")),
        ("beside it" if estimated else "made of", made_of or "itself: a count"),
        *again,
        ("noise", _noise(engine, figure)),
        ("budget", _budget(figure, policy if digest in ("", release[1]) else None)),
        ("vintage", f"what was recorded through {figure['vintage']} (UTC)"),
        ("release", str(figure["release_id"])),
        ("run", str(release[0])),
        ("policy", str(release[1])),
    )


def _months(engine: Engine, figure: dict[str, Any]) -> str:
    """Of which months a year's figure is the sum."""
    names = ("release_table", "span", "period", *RELEASE_DIMENSIONS, "quantity")
    year = Wanted(**{n: figure[n] for n in names})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        months = months_held(connection, year, figure["vintage"])
    return say_year(figure["period"].year, months)


def _said(quantity: str, value: float) -> str:
    if quantity.endswith("_rate"):
        return f"{100 * value:.2f}%"
    return f"{value:,.1f}".rstrip("0").rstrip(".")


def _value(figure: dict[str, Any]) -> str:
    value, quantity = figure["value"], figure["quantity"]
    if value is None:
        return "none: see noise"
    if quantity.endswith("_rate") or figure["method"] == store.ESTIMATED:
        return _said(quantity, value)
    return f"{_said(quantity, value)} (to be shown as {shown(value, figure['noise_sd']):,})"


def _between(figure: dict[str, Any]) -> str:
    if figure["lower"] is None:
        return "none"
    low, high = (_said(figure["quantity"], figure[n]) for n in ("lower", "upper"))
    of = (
        "of noise, of departures not seen, of records still to come and of chance"
        if figure["method"] == store.ESTIMATED
        else "of noise alone"
    )
    return f"{low} to {high}, holds {figure['level']:.0%} of the time, {of}"


def reentries_line(engine: Engine, figure: dict[str, Any]) -> str:
    """What was published of re-entries by then, of the estimate's mode and class."""
    wanted = Wanted(
        release_table=REENTRIES, mode=figure["mode"] or None,
        admission_class=figure["admission_class"] or None,
    )  # fmt: skip
    by_then = (pl.col("vintage") <= figure["vintage"]) & (pl.col("method") == store.LAPLACE)
    found = _read(engine, wanted).filter(by_then)
    if not found.height:
        return "none published"
    seen, not_seen = (
        float(found.filter(pl.col("quantity") == e.value)["value"].sum()) for e in ReentryEvent
    )
    error = float((found["noise_sd"] ** 2).sum() / 2) ** 0.5
    return (
        f"published over {found['period'].n_unique()} months: {seen:,.0f} with a departure seen "
        f"before, {not_seen:,.0f} without; noise of each, standard deviation {error:,.0f}"
    )


def _noise(engine: Engine, figure: dict[str, Any]) -> str:
    if figure["method"] == store.LOST:
        return (
            "none can be told: a release was cut off after it had spent, and what it drew is lost "
            "for good; or a table that it is made of joined the releases later"
        )
    if figure["method"] == store.CELL_KEY:
        return "cell key: bounded changes by a fixed table; no differential privacy"
    if figure["release_table"] == ESTIMATES:
        if figure["method"] == store.ESTIMATED:
            return "of all counts and re-entries that it is made of: in the interval"
        from sojourn.release.formats.words import METHODS

        words = METHODS.get(figure["method"])
        return words.definition if words else str(figure["method"])
    rows = store.read(
        engine, "SELECT COUNT(DISTINCT recorded) FROM spends WHERE release_table = :table AND "
        "span = :span AND period = :period AND (recorded <= :vintage OR recorded = 'once')",
        table=figure["release_table"], span=str(figure["span"]),
        period=figure["period"].isoformat(), vintage=figure["vintage"].isoformat(),
    )  # fmt: skip
    draws = int(rows[0][0])
    kind = "exact discrete Laplace" if figure["method"] == store.LAPLACE else "of its counts"
    sd = figure["noise_sd"]
    spread = "not known" if sd is None else f"standard deviation {sd:,.1f}"
    most = " at most" if figure["method"] == store.COMPUTED else ""
    return f"{kind}, {spread}{most}, {draws} draw{'' if draws == 1 else 's'} in it; never clamped"


def _budget(figure: dict[str, Any], policy: ReleasePolicy | None) -> str:
    """``policy``: the one that the figure was released under; None: it is another by now."""
    if figure["method"] == store.LAPLACE and policy is None:
        return (
            f"{figure['epsilon']:.4g}: shared by all of this table's counts of one "
            f"{figure['span']}; the policy of that release, not the present one, says of how much"
        )
    if figure["method"] == store.LAPLACE and policy is not None:
        return (
            f"{figure['epsilon']:.4g} of {policy.epsilon_per_year:g}: shared by all of this "
            f"table's counts of one {figure['span']}; a stay changes "
            f"{bound_of(policy, str(figure['release_table']))} of them at most"
        )
    return (
        "nothing: computed from what was released"
        if figure["method"] != store.CELL_KEY
        else "outside the budget"
    )
