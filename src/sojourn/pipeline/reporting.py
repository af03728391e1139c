"""Reports of an office: estimates or figures into the tables that offices publish, on a file.

In: ESTIMATES (for the steward) or FIGURES (for the public), which table, which period, which day.
Out: a checked ``Report``, and a file of it. A report for the steward is written for its owner
alone (mode 0600). Raises ReportError where something is missing or does not fit.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from sojourn.errors import PrivacyError, ReadError, ReportError, UsageError
from sojourn.ledger.engine import open_engine
from sojourn.measure.estimating import Evidence, estimate
from sojourn.pipeline.estimating import read_estimates
from sojourn.pipeline.office import Office, find_office
from sojourn.pipeline.spool import write_private
from sojourn.policy import Policy
from sojourn.read.nations import ALPHA_3
from sojourn.release import read_figures
from sojourn.reports import (
    UK_GROUPS,
    US_GROUPS,
    Book,
    ClassGroup,
    Kind,
    Report,
    Shape,
    book_of_estimates,
    book_of_figures,
    checked,
    monthly_report,
    render,
    uk_report,
    us_report,
    vintages,
)
from sojourn.schemas import LISTS, REPORTING, VINTAGES, Outcome, Span
from sojourn.simulate.published import COUNTRIES, UK_2019_20, US_FY2024, draw_published

EXAMPLES = {Shape.US: US_FY2024, Shape.UK: UK_2019_20}
SCALES = {Shape.US: 100, Shape.UK: 10}  # so that most cells hold 10 and more
_OFFICES = {Shape.US: "US fiscal year 2024", Shape.UK: "UK 2019/20"}
_SAID = {
    Shape.US: "1.15% in all and 1.04% without a departure record",
    Shape.UK: "95.2% in time, 0.4% late, 4.4% without evidence of departure",
}


def make_report(
    shape: Shape,
    frame: pl.DataFrame,
    kind: Kind,
    policy: Policy,
    *,
    known_at: date | None = None,
    period: date | None = None,
    groups: Sequence[ClassGroup] | None = None,
    names: Mapping[str, str] | None = None,
) -> Report:
    """Build a report of ``frame`` (ESTIMATES for the steward, FIGURES for the public) and check it.

    ``known_at``: the last vintage up to it is told (None: the last). ``period``: a year's first
    day, or the last month's (None: the last that is over). The vintage before, where the frame
    holds one, is what the check and revisions compare with.
    """
    book = _book(frame, kind, known_at, policy)
    earlier = [day for day in vintages(frame) if day < book.known_at]
    before = _book(frame, kind, earlier[-1], policy) if earlier else None
    day = period or _last_over(book, Span.MONTH if shape == Shape.MONTHLY else Span.YEAR)
    if shape == Shape.MONTHLY:
        older = _book(frame, kind, earlier[-2], policy) if len(earlier) > 1 else None
        now = monthly_report(book, before, day, policy.digest)
        then = None
        if before is not None and set(before.periods(Span.MONTH)) & _window(day):
            then = monthly_report(before, older, day, policy.digest)
        return checked(now, then)
    now = _yearly(shape, book, day, policy, groups, names)
    held = before is not None and day in before.periods(Span.YEAR)
    was = _yearly(shape, before, day, policy, groups, names) if before and held else None
    return checked(now, was)


def _book(frame: pl.DataFrame, kind: Kind, known_at: date | None, policy: Policy) -> Book:
    if kind == Kind.PUBLIC:
        return book_of_figures(frame, known_at)
    return book_of_estimates(frame, known_at, policy.measure.smallest_cell)


def _yearly(
    shape: Shape,
    book: Book,
    day: date,
    policy: Policy,
    groups: Sequence[ClassGroup] | None,
    names: Mapping[str, str] | None,
) -> Report:
    if shape == Shape.UK:
        return uk_report(book, day, policy.digest, groups=groups or UK_GROUPS)
    return us_report(book, day, policy.digest, groups=groups or US_GROUPS, names=names)


def _last_over(book: Book, span: Span) -> date:
    """The last period that is told whole, or the last there is; today, of none."""
    held = book.periods(span)
    over = [day for day in held if book.unfinished(span, day) is None]
    return max(over or held, default=book.known_at)


def _window(last: date) -> set[date]:
    first = date(last.year - 1, last.month, 1)
    return {date(first.year + (first.month + i) // 12, (first.month + i) % 12 + 1, 1)
            for i in range(12)}  # fmt: skip


def write_report(report: Report, path: Path, *, despite_check: bool = False) -> None:
    """Print to ``path`` by its ending, whole or not at all; if confidential, for its owner alone.

    Raises ReportError where the check found something, unless ``despite_check``.
    """
    content = render(report, path.suffix.lower(), despite_check=despite_check)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, lambda file: file.write(content))
    if report.kind == Kind.PUBLIC:
        path.chmod(0o644)


def read_table(path: Path) -> pl.DataFrame:
    """A Parquet file. Raises ReadError where it is none."""
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReadError(
            f"{path}: expected a Parquet file of estimates or figures ({type(error).__name__})"
        ) from None


def source_of(
    home: Path, database: str | None, estimates: Path | None, figures: Path | None, *, public: bool
) -> tuple[pl.DataFrame, Kind]:
    """The one table that a report is made of: a file's, or what the ledger holds.

    Raises PrivacyError of estimates for the public, ReportError where the ledger holds none.
    """
    if public and figures is None and estimates is not None:
        raise PrivacyError(
            "--public prints released figures, and estimates are confidential. Give --figures "
            "FILE.parquet, or leave --public out: then the report is for the steward alone"
        )
    if estimates is not None and figures is not None:
        raise UsageError(
            "expected one of --estimates FILE.parquet (for the steward) and --figures "
            "FILE.parquet (for the public); found both"
        )
    if figures is not None:
        return read_table(figures), Kind.PUBLIC
    if estimates is not None:
        return read_table(estimates), Kind.STEWARD
    office = find_office(home, statistics_url=database)
    if public:
        return _released(office), Kind.PUBLIC
    made = read_estimates(office)
    if not made.height:
        raise ReportError(
            "the ledger holds no estimates: run sojourn quality --assess, then sojourn estimate"
        )
    return made, Kind.STEWARD


def _released(office: Office) -> pl.DataFrame:
    with office.open_ledger():  # brought up to date
        engine = open_engine(office.statistics_url)
        try:
            figures = read_figures(engine)
        finally:
            engine.dispose()
    if not figures.height:
        raise ReportError("nothing has been released yet: expected a release (sojourn release)")
    return figures


def read_groups(path: Path) -> tuple[ClassGroup, ...]:
    """Classes of admission by group, from TOML: ``[groups]``, ``"Students" = ["F1", "F2"]``.

    Raises ReadError where the file is something else, or puts a class into two groups.
    """
    try:
        held = tomllib.loads(path.read_text("utf-8")).get("groups")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ReadError(f"{path}: expected readable UTF-8 TOML ({error})") from None
    fits = isinstance(held, dict) and all(
        isinstance(v, list) and all(isinstance(c, str) for c in v) for v in held.values()
    )
    if not fits or not held:
        raise ReadError(f'{path}: expected a section [groups] of lines like "Students" = ["F1"]')
    classes = [c for named in held.values() for c in named]
    if len(set(classes)) < len(classes):
        raise ReadError(f"{path}: [groups]: expected each class in one group, found one in two")
    return tuple(ClassGroup(f"group_{i}", t, tuple(c)) for i, (t, c) in enumerate(held.items()))


def country_names() -> dict[str, str]:
    """Names of nationality codes in English, where babel is installed; else none."""
    try:
        from babel import Locale
    except ImportError:
        return {}
    names = Locale("en").territories
    return {three: f"{names[two]} ({three})" for two, three in ALPHA_3.items() if two in names}


def example_report(
    shape: Shape, policy: Policy, *, scale: int | None = None, seed: int = 1
) -> Report:
    """What an office's published table would have looked like with intervals. Invented people.

    A country is drawn whose records show what the office published, one stay for ``scale``; the
    same seed gives the same country. Its truth is known and is told in the notes.
    """
    if shape not in EXAMPLES:
        raise UsageError(f"expected an example of us or uk, found {shape.value}")
    office, rng = EXAMPLES[shape], np.random.default_rng(seed)
    scale = scale or SCALES[shape]
    drawn = draw_published(office, 1 / scale, rng)
    known_at = office.year.replace(year=office.year.year + 1) + timedelta(days=90)
    evidence = Evidence(
        drawn.counts, VINTAGES.empty(), REPORTING.empty(), LISTS.empty(), drawn.linkage
    )
    own_year = replace(policy.estimate, year_begins=office.year.month)
    estimates = estimate(evidence, known_at, replace(policy, estimate=own_year), rng)
    report = make_report(
        shape, estimates, Kind.STEWARD, policy, period=office.year, names=COUNTRIES
    )
    told = drawn.counts
    if not office.tells_changed:
        told = told.filter(pl.col("outcome") != Outcome.STATUS_CHANGED.value)
    expected = float(told["value"].sum())
    here, late = (float(drawn.truth[name].sum()) for name in ("still_here", "late"))
    notes = (
        f"A simulated country of invented people, drawn so that its records show what was "
        f"published for {_OFFICES[shape]} ({_SAID[shape]}); one stay of it stands for {scale:,}.",
        "Assumed, for it is not published: the mix of classes, that the status of two in a hundred "
        "has changed, and that 54% of those without a departure record have left. So many of a US "
        "backlog were closed on review.",
        f"Its truth is known: {100 * here / expected:.2f}% are still here, and "
        f"{100 * (here + late) / expected:.2f}% left late or are still here.",
        "It shows how the office's table would look, not what the office should have found.",
    )
    return replace(report, notes=(*notes, *report.notes), synthetic=True)
