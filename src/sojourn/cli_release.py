"""The commands release and explain: what leaves, what it costs, where a figure comes from."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sojourn.cli_printing import AsJson, Database, Home, out, print_json, print_table, say
from sojourn.errors import UsageError
from sojourn.vocabulary import Span

if TYPE_CHECKING:
    from sojourn.pipeline import Office
    from sojourn.release import Plan


def release_command(
    asked_by: Annotated[str, typer.Option(help="Who asks for the release.")],
    approved_by: Annotated[str, typer.Option(help="Who approves it: another person.")],
    through: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last recorded day that goes in; over by now."),
    ] = None,
    closed: Annotated[
        str | None,
        typer.Option(
            metavar="TABLE",
            help="Instead of noise, the cell key: a table of policy's "
            "cell_key_tables, one --period that is over.",
        ),
    ] = None,
    period: Annotated[
        str | None,
        typer.Option(
            help="With --closed: a month or a year, 2025-11 or 2025, that is over and whose stays "
            "are all held. With a horizon of 12 months that is true of no year: by the time a "
            "year closes, the stays of its January are gone. Release its months."
        ),
    ] = None,
    home: Home = Path("office"),
    database: Database = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would cost, and stop.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Release figures: counts get their noise once, then are public. Says first what it costs.

    Nothing is drawn twice, and nothing can be taken back. Two people make a release.

    Example: sojourn release --home office --through 2026-02-28 --asked-by A --approved-by B

    Example: sojourn release --closed mode --period 2025-11 --asked-by A --approved-by B
    """  # fmt: skip
    from sojourn.pipeline import find_office
    from sojourn.release import check_people

    if (closed is None) == (through is None) or (closed is None) != (period is None):
        raise UsageError("expected --through DAY, or --closed TABLE with --period YEAR or MONTH")
    check_people(asked_by, approved_by)
    office = find_office(home, statistics_url=database)
    people = (asked_by, approved_by)
    if through is not None:
        _release_through(office, through.date(), people, dry_run=dry_run, as_json=as_json)
    elif closed is not None and period is not None:
        _release_closed(office, closed, period, people, dry_run=dry_run, as_json=as_json)


def _release_through(
    office: Office, day: date, people: tuple[str, str], *, dry_run: bool, as_json: bool
) -> None:
    from sojourn.pipeline.releasing import check_reached, make_release, plan
    from sojourn.release import expected_noise

    check_reached(office, day)
    costs = plan(office, day)
    noise = expected_noise(office.policy.release)
    if not as_json:
        _print_plan(costs)
        rows = [
            (n.release_table, n.span.value, str(n.contributions), f"{n.epsilon:.3g}",
             f"{n.sd:,.1f}", f"{n.final_sd:,.1f} after {n.increments} draws")
            for n in noise
        ]  # fmt: skip
        print_table(
            "noise",
            ("table", "span", "changed by a stay at most", "epsilon", "deviation of a count",
             "of its last vintage"), rows,
        )  # fmt: skip
    if dry_run:
        if as_json:
            print_json({"plan": asdict(costs), "noise": [asdict(n) for n in noise]})
        return
    with say.status("drawing"):
        done = make_release(office, day, *people)
    if as_json:
        print_json({"plan": asdict(costs), "released": asdict(done)})
        return
    for name in done.finished:
        out.print(f"{name}: drawn before, its figures are written now")
    out.print(
        f"{done.release_id}: {done.nodes:,} nodes drawn, {done.figures:,} figures; it added "
        f"{done.epsilon:.4g} to a stay's privacy loss, {done.left:.4g} of the year's budget is left"
    )


def _release_closed(
    office: Office, table: str, said: str, people: tuple[str, str], *, dry_run: bool, as_json: bool
) -> None:
    from sojourn.pipeline.releasing import plan_closed_period, release_closed_period

    span, first = _read_period(said)
    costs = plan_closed_period(office, table, span, first, *people)
    if not as_json:
        by = ", ".join(costs.dimensions) or "nothing"
        out.print(
            f"{table}, the {span.value} of {first}: six counts of {costs.cells:,} cells (by {by}), "
            f"each changed by {costs.reach} at most, none under {costs.threshold} told"
        )
        out.print("outside the budget, and outside its promise: docs/explanation/cell-key.md")
    if dry_run:
        if as_json:
            print_json({"plan": asdict(costs)})
        return
    with say.status("counting"):
        done = release_closed_period(office, table, span, first, *people)
    if as_json:
        print_json({"plan": asdict(costs), "released": asdict(done)})
        return
    out.print(f"{done.release_id}: {done.figures:,} figures; it spent nothing of the budget")


def _read_period(said: str) -> tuple[Span, date]:
    """2025 or 2025-11. Raises UsageError."""
    span = {4: Span.YEAR, 7: Span.MONTH}.get(len(said))
    with suppress(ValueError):
        if span is not None:
            return span, date.fromisoformat(f"{said}-01-01"[:10])
    raise UsageError(f"--period: expected a year or a month, as 2025 or 2025-11, found {said}")


def _print_plan(costs: Plan) -> None:
    rows = [
        (str(r.budget_year), r.release_table, f"{r.share:.4g}", f"{r.before:.4g}",
         f"{r.cost:.4g}", f"{r.after:.4g}")
        for r in costs.rows
    ]  # fmt: skip
    print_table(
        f"privacy loss of one stay; {costs.budget:g} a year",
        ("year", "table", "share", "spent", "this release", "then"), rows, words=2,
    )  # fmt: skip
    if not costs.affordable:
        out.print("more than the budget: it would be refused")


def explain_command(
    figure: Annotated[
        str, typer.Argument(help="table/span/period/quantity[/nationality/mode/class][@vintage]")
    ],
    home: Home = Path("office"),
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Where a figure comes from: definition, parts, noise, budget, run, in one screen.

    Example: sojourn explain total/month/2026-01-01/arrivals --home office
    """
    from sojourn.pipeline import find_office
    from sojourn.pipeline.releasing import explain_figure

    found = explain_figure(find_office(home, statistics_url=database), figure)
    if as_json:
        print_json({"figure": found.figure, "vintages": found.vintages.to_dicts(),
                    "parts": found.parts.to_dicts(), **dict(found.lines)})  # fmt: skip
        return
    out.print(str(found.name), style="bold", markup=False)
    width = max(len(word) for word, _ in found.lines)
    for word, text in found.lines:
        out.print(f"{word:<{width}}  {text}", markup=False)
    rows = [
        (str(v["vintage"]), "lost" if v["value"] is None else f"{v['value']:,.1f}",
         "" if v["lower"] is None else f"{v['lower']:,.1f} to {v['upper']:,.1f}")
        for v in found.vintages.to_dicts()
    ]  # fmt: skip
    print_table("every vintage", ("vintage", "value", "interval"), rows, words=1)
