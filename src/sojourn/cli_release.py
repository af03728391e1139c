"""The commands release and explain: what leaves, what it costs, where a figure comes from."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sojourn.cli_printing import AsJson, Database, Home, out, print_json, print_table, say

if TYPE_CHECKING:
    from sojourn.release import Plan


def release_command(
    through: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%d"], help="The last recorded day that goes in; over by now."),
    ],
    asked_by: Annotated[str, typer.Option(help="Who asks for the release.")],
    approved_by: Annotated[str, typer.Option(help="Who approves it: another person.")],
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
    """
    from sojourn.pipeline import open_office
    from sojourn.pipeline.releasing import make_release, plan
    from sojourn.release import check_people, expected_noise

    check_people(asked_by, approved_by)
    office = open_office(home, statistics_url=database)
    day = through.date()
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
        done = make_release(office, day, asked_by, approved_by)
    if as_json:
        print_json({"plan": asdict(costs), "released": asdict(done)})
        return
    for name in done.finished:
        out.print(f"{name}: drawn before, its figures are written now")
    out.print(
        f"{done.release_id}: {done.nodes:,} nodes drawn, {done.figures:,} figures; it added "
        f"{done.epsilon:.4g} to a stay's privacy loss, {done.left:.4g} of the year's budget is left"
    )


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
    from sojourn.pipeline import open_office
    from sojourn.pipeline.releasing import explain_figure

    found = explain_figure(open_office(home, statistics_url=database), figure)
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
