"""The commands report: the tables that offices publish, from estimates or from figures."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli_printing import Database, Home, Seed, out, say
from sojourn.errors import UsageError
from sojourn.reports import Report, Shape

OutFile = Annotated[Path, typer.Option("--out", help="Where it goes; ends in .html, .pdf or .csv.")]
KnownAt = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="The last vintage up to this day; default: the last."),
]
Estimates = Annotated[
    Path | None,
    typer.Option(help="Parquet of estimates, for the steward alone; default: the ledger's."),
]
Figures = Annotated[
    Path | None,
    typer.Option(help="Parquet of released figures, for the public."),
]
Public = Annotated[
    bool, typer.Option("--public", help="Of released figures; default: the ledger's.")
]
Groups = Annotated[
    Path | None, typer.Option(help="TOML: classes of admission by group; default: well-known ones.")
]
Despite = Annotated[
    bool,
    typer.Option("--despite-check", help="Print though the check fails; the report then says so."),
]
Period = Annotated[
    datetime | None,
    typer.Option(formats=["%Y", "%Y-%m-%d"], help="The year, or its first day; default: the last."),
]
LastMonth = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m", "%Y-%m-%d"], help="The last of its months; default: the last."),
]


def build_report_app() -> typer.Typer:
    """The commands us, uk, monthly and example."""
    app = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None,
        help="The tables that offices publish, with intervals, checked before they are printed.",
    )  # fmt: skip
    app.command("us")(report_us)
    app.command("uk")(report_uk)
    app.command("monthly")(report_monthly)
    app.command("example")(report_example)
    return app


def report_us(
    out_file: OutFile,
    home: Home = Path("office"),
    database: Database = None,
    estimates: Estimates = None,
    figures: Figures = None,
    known_at: KnownAt = None,
    period: Period = None,
    groups: Groups = None,
    public: Public = False,
    despite_check: Despite = False,
) -> None:
    """A year in the shape of the US Entry/Exit Overstay Report: by class and by country.

    Of the ledger's estimates (sojourn estimate), or with --public of released figures.

    Example: sojourn report us --estimates estimates.parquet --out report.html
    """
    report = _made(Shape.US, home, database, estimates, figures, known_at, period, groups, public)
    _write(report, out_file, despite_check)


def report_uk(
    out_file: OutFile,
    home: Home = Path("office"),
    database: Database = None,
    estimates: Estimates = None,
    figures: Figures = None,
    known_at: KnownAt = None,
    period: Period = None,
    groups: Groups = None,
    public: Public = False,
    despite_check: Despite = False,
) -> None:
    """A year in the shape of the UK exit checks: departed in time, late, no evidence, by visa type.

    Of the ledger's estimates (sojourn estimate), or with --public of released figures.

    Example: sojourn report uk --estimates estimates.parquet --out report.pdf
    """
    report = _made(Shape.UK, home, database, estimates, figures, known_at, period, groups, public)
    _write(report, out_file, despite_check)


def report_monthly(
    out_file: OutFile,
    home: Home = Path("office"),
    database: Database = None,
    estimates: Estimates = None,
    figures: Figures = None,
    known_at: KnownAt = None,
    month: LastMonth = None,
    public: Public = False,
    despite_check: Despite = False,
) -> None:
    """Twelve months: arrivals, departures, rates with both intervals, revisions, freshness.

    Of the ledger's estimates (sojourn estimate), or with --public of released figures.

    Example: sojourn report monthly --figures figures.parquet --public --out release.html
    """
    report = _made(Shape.MONTHLY, home, database, estimates, figures, known_at, month, None, public)
    _write(report, out_file, despite_check)


def report_example(
    shape: Annotated[str, typer.Argument(help="us (fiscal year 2024) or uk (2019/20)")],
    out_file: OutFile,
    scale: Annotated[
        int | None,
        typer.Option(min=1, help="One simulated stay for so many; default: 100 of us, 10 of uk."),
    ] = None,
    seed: Seed = 1,
) -> None:
    """What a published table would have looked like with intervals. Invented people only.

    A country is simulated whose records show what the office published; its truth stands in the
    notes.

    Example: sojourn report example us --out example.html
    """
    from sojourn.pipeline.reporting import EXAMPLES, example_report
    from sojourn.policy import load_policy

    known = {s.value: s for s in EXAMPLES}
    if shape not in known:
        raise UsageError(f"expected one of {', '.join(known)}, found {shape!r}")
    _write(example_report(known[shape], load_policy(), scale=scale, seed=seed), out_file, False)


def _made(
    shape: Shape,
    home: Path,
    database: str | None,
    estimates: Path | None,
    figures: Path | None,
    known_at: datetime | None,
    period: datetime | None,
    groups: Path | None,
    public: bool,
) -> Report:
    from sojourn.pipeline.reporting import (
        country_names,
        make_report,
        read_groups,
        source_of,
    )
    from sojourn.policy import load_own_policy

    frame, kind = source_of(home, database, estimates, figures, public=public)
    return make_report(
        shape, frame, kind, load_own_policy(home), known_at=_day(known_at), period=_day(period),
        groups=read_groups(groups) if groups else None, names=country_names(),
    )  # fmt: skip


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _write(report: Report, path: Path, despite_check: bool) -> None:
    from sojourn.pipeline.reporting import write_report

    with say.status("printing"):
        write_report(report, path, despite_check=despite_check)
    if report.findings:
        say.print(f"printed despite {len(report.findings)} findings; the report says so itself")
    out.print(
        f"{report.title}, {report.period}, as known at the end of {report.known_at}: {path} "
        f"({'for the steward alone' if report.kind == 'steward' else 'public'})",
        markup=False,
    )
