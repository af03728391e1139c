"""The command line: parse, call one service, print. No rule lives here.

``serve`` and ``demo`` join by entry points (group ``sojourn.commands``), so that the library
never imports the web shell.
"""

from __future__ import annotations

from datetime import date, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli_calibrate import calibrate
from sojourn.cli_edge import encode_command, read_command
from sojourn.cli_estimate import estimate_command
from sojourn.cli_export import export_command
from sojourn.cli_judging import evaluate
from sojourn.cli_printing import (
    AsJson,
    Database,
    Home,
    PolicyFile,
    Seed,
    check_day,
    check_files,
    check_folder,
    finite,
    out,
    print_json,
    print_table,
    progress_bar,
    say,
)
from sojourn.cli_quality import quality_command
from sojourn.cli_release import explain_command, release_command
from sojourn.cli_report import build_report_app
from sojourn.errors import UsageError
from sojourn.policy import load_policy


def build_app() -> typer.Typer:
    """All commands: the library's, and those that installed packages join."""
    app = typer.Typer(
        no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help="Stays, departures, and how sure we are. Start with: sojourn demo",
    )  # fmt: skip
    for command in (
        simulate, load, evaluate, train, adapt, calibrate, measure, reconcile, purge, backup,
        watch, doctor,
    ):  # fmt: skip
        app.command()(command)
    app.command("read")(read_command)
    app.command("encode")(encode_command)
    app.command("quality")(quality_command)
    app.command("estimate")(estimate_command)
    app.command("release")(release_command)
    app.command("explain")(explain_command)
    app.command("export")(export_command)
    keys = typer.Typer(no_args_is_help=True, help="Secrets of the encoder.", rich_markup_mode=None)
    keys.command("new")(keys_new)
    keys.callback()(lambda: None)
    app.add_typer(keys, name="keys")
    app.add_typer(build_report_app(), name="report")
    for point in sorted(entry_points(group="sojourn.commands"), key=lambda p: p.name):
        app.command(point.name)(point.load())
    return app


def simulate(
    directory: Annotated[Path, typer.Argument(help="Where the files go; made if missing.")],
    stays: Annotated[int, typer.Option(min=1, help="How many stays.")] = 10_000,
    seed: Seed = 1,
    noise: Annotated[
        float,
        typer.Option(min=0, callback=finite, help="Error rates: 1 ordinary, 3 heavy, 8 extreme."),
    ] = 1.0,
    lists: Annotated[
        int, typer.Option(min=1, max=2, help="1: one record a crossing; 2: carriers too.")
    ] = 2,
    hard: Annotated[
        int, typer.Option(min=0, help="So many stays of each kind that is hard to link, besides.")
    ] = 0,
    manifests: Annotated[bool, typer.Option(help="Write PAXLST manifests as well.")] = True,
) -> None:
    """Make a country whose truth is known: crossings, truth, manifests. Invented people only.

    Example: sojourn simulate country --stays 10000 --seed 7
    """
    from sojourn.simulate import World, build_country, write_country

    with progress_bar() as bar:
        bar.add_task(f"simulating {stays:,} stays", total=None)
        world = World(stays=stays, seed=seed, noise=noise, lists=lists, hard_stays=hard)
        country = build_country(world)
        write_country(country, directory, manifests=manifests)
    out.print(
        f"{country.crossings.height:,} crossings, {country.truth.height:,} true pairs "
        f"in {directory}"
    )


def load(
    files: Annotated[list[Path], typer.Argument(help="Crossings, changes of status, encodings.")],
    home: Home = Path("office"),
    database: Database = None,
    source: Annotated[str | None, typer.Option(help="The feed, where files do not say.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="TOML that names your columns.")] = None,
    engine: Annotated[str, typer.Option(help="local")] = "local",
    reconcile_after: Annotated[
        bool, typer.Option("--reconcile/--no-reconcile", help="Link again in bulk at the end.")
    ] = True,
) -> None:
    """Take files into the ledger in bulk: link, append. Run it again and nothing is counted twice.

    Example: sojourn load country/crossings.parquet --home office
    """
    from sojourn.pipeline import load_files, open_office
    from sojourn.pipeline import reconcile as link_again
    from sojourn.read import load_mapping

    if engine != "local":
        raise UsageError(f"--engine: expected local, found {engine}; Spark is not built yet")
    check_files(files)
    office = open_office(home, statistics_url=database)
    with progress_bar() as bar:
        task = bar.add_task("loading", total=None)
        done = load_files(
            office, files, source=source, mapping=load_mapping(mapping) if mapping else None,
            progress=lambda r: bar.advance(task, r.records),
        )  # fmt: skip
        if reconcile_after:
            again = bar.add_task("reconciling", total=None)
            link_again(office, progress=lambda reports: bar.update(again, completed=reports))
    out.print(
        f"{done.records:,} records taken in, {done.rejects:,} rejected, "
        f"{done.parts} parts committed, {done.already} were there already"
        + (f"; {done.decoys:,} decoys asked" if done.decoys else "")
    )


def train(
    out_file: Annotated[Path, typer.Option("--out", help="Where the table goes.")],
    policy: PolicyFile = None,
    stays: Annotated[int, typer.Option(min=1, help="Stays per simulated country.")] = 60_000,
) -> None:
    """Learn the weight table from simulated countries. The same settings give the same bytes.

    Example: sojourn train --out weights.npz
    """
    from sojourn.link import dump_weights
    from sojourn.pipeline import train as learn

    check_folder(out_file)
    with progress_bar() as bar:
        task = bar.add_task("training", total=None)
        table = learn(
            load_policy(policy), stays=stays,
            progress=lambda step: bar.update(task, description=step),
        )  # fmt: skip
    out_file.write_bytes(dump_weights(table))
    out.print(f"weights for [encode] {table.provenance.encode_digest} written to {out_file}")


def adapt(home: Home = Path("office"), database: Database = None) -> None:
    """Fit the weights to the office's own records: how noisy are they? Needs no truth.

    Links all reports before their horizon with the shipped table and fits one number to what was
    found: the share of each level of noise that the table was learned at. Run it after the history
    is loaded, then 'sojourn reconcile'.

    Example: sojourn adapt --home office
    """
    from sojourn.pipeline import adapt as fit
    from sojourn.pipeline import find_office

    with say.status("linking, to see how noisy the records are"):
        done = fit(find_office(home, statistics_url=database))
    said = " -> ".join(
        " / ".join(f"{share:.0%}" for share in shares) for shares in (done.before, done.after)
    )
    out.print(f"{done.reports:,} reports; clear / noisy records: {said}")


def measure(
    home: Home = Path("office"),
    database: Database = None,
    known_at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="As known at the end of a day.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count stays by outcome. Confidential: small cells are hidden, none shows a person.

    Example: sojourn measure --home office --known-at 2025-12-31
    """
    from sojourn.pipeline import find_office, refresh_measures
    from sojourn.pipeline.measuring import first_day, measure_at
    from sojourn.schemas import Span

    office = find_office(home, statistics_url=database)
    today = office.clock().date()
    day = known_at.date() if known_at else today
    check_day(day, today)
    if known_at is None:
        refresh_measures(office)
    # Years and months can be told of days whose rows are gone; days cannot.
    cells = measure_at(office, day) if as_json else measure_at(office, day, (Span.YEAR,))
    if not cells.height:
        first = first_day(office)
        since = f"the first record is of {first}" if first else "no record has been taken in yet"
        say.print(f"Nothing was known by the end of {day}: {since}.", markup=False)
    if as_json:
        print_json(cells.to_dicts())
    if as_json or not cells.height:
        return
    yearly = cells.filter((cells["span"] == "year") & (cells["nationality"] == "")
                          & (cells["mode"] == "") & (cells["admission_class"] == ""))  # fmt: skip
    rows = [
        (str(r["period"].year), r["outcome"].replace("_", " "),
         "fewer than 10" if r["hidden"] else f"{r['value']:,}")
        for r in yearly.to_dicts()
    ]  # fmt: skip
    print_table(f"as known at the end of {day}", ("year", "outcome", "stays"), rows)
    out.print("No departure recorded is not still here.", style="dim")


def reconcile(home: Home = Path("office"), database: Database = None) -> None:
    """Link the whole ledger again in bulk and put right what the live path decided otherwise."""
    from sojourn.pipeline import find_office
    from sojourn.pipeline import reconcile as link_again

    office = find_office(home, statistics_url=database)
    with progress_bar() as bar:
        task = bar.add_task("reconciling", total=None)
        done = link_again(office, progress=lambda reports: bar.update(task, completed=reports))
    out.print(
        f"{done.reports:,} reports; links: {done.asserted:,} made, {done.withdrawn:,} taken back; "
        f"merges: {done.merged:,} made, {done.separated:,} taken back"
    )


def purge(
    home: Home = Path("office"),
    database: Database = None,
    today: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Default: today.")
    ] = None,
) -> None:
    """The horizon: every stay past it, matched or not, loses its keys and row, and becomes cells.

    Run it daily. Backups in the home's backups/ folder that hold such stays go too.
    """
    from sojourn.ledger.horizon import destroy_expired_backups
    from sojourn.pipeline import find_office
    from sojourn.pipeline import purge as destroy

    office = find_office(home, statistics_url=database)
    day: date = today.date() if today else office.clock().date()
    done = destroy(office, day)
    gone = destroy_expired_backups(office.home / "backups", day)
    out.print(
        f"{done.stays:,} stays folded into {done.cells:,} cells, {done.rows:,} reports destroyed, "
        f"{len(gone)} backups destroyed"
    )
    if not done.rewritten:
        out.print(
            "Another process is reading the ledger: deleted bytes are still in its files. "
            "Run sojourn purge again when it has ended.",
            style="yellow",
        )


def backup(
    file: Annotated[Path, typer.Argument(help="The copy; put it into the home's backups/.")],
    home: Home = Path("office"),
    database: Database = None,
) -> None:
    """Copy the ledger, with a note of the day by which the copy must be destroyed."""
    from sojourn.pipeline import find_office

    if file.exists():
        raise UsageError(f"{file}: expected the name of a file that is not there yet; take another")
    office = find_office(home, statistics_url=database)
    file.parent.mkdir(parents=True, exist_ok=True)
    with office.open_ledger() as ledger:
        note = ledger.backup(file)
    out.print(f"written to {file}; to be destroyed by {note.destroy_by or 'no day: it is empty'}")


def watch(
    directory: Annotated[Path | None, typer.Argument(help="Default: the home's inbox.")] = None,
    home: Home = Path("office"),
    database: Database = None,
    once: Annotated[bool, typer.Option(help="Take in what waits now, then stop.")] = False,
) -> None:
    """Take files in as they land in DIR/<source>/. Hand over by renaming into place.

    Example: sojourn watch inbox --home office
    """
    import threading

    from sojourn.pipeline import Desk, open_office, watch_inbox
    from sojourn.pipeline.watching import Taken, take_waiting

    office = open_office(home, statistics_url=database)
    if directory is not None and not directory.is_dir():
        raise UsageError(f"{directory}: expected a folder to watch, found none; make it first")

    def tell(taken: Taken) -> None:
        records = sum(r.records for r in taken.receipts)
        ending = f"refused: {taken.refusal}" if taken.refusal else f"{records:,} records"
        out.print(f"{taken.source or '-'}  {taken.digest[:12]}  {ending}", markup=False)

    if once:
        inbox = directory or office.inbox
        with Desk(office) as desk:
            for taken in take_waiting(desk, office, inbox):
                tell(taken)
        return
    say.print(f"watching {directory or office.inbox} (Ctrl-C stops)")
    watch_inbox(office, threading.Event(), tell, inbox=directory)


def doctor(
    home: Home = Path("office"),
    database: Database = None,
    warm: Annotated[bool, typer.Option(help="Only compile what is compiled at first use.")] = False,
) -> None:
    """Check that this machine and this office are fit: kernels, keys, weights, ledger."""
    from sojourn.pipeline.checkup import check_up, warm_up

    if warm:
        with progress_bar() as bar:
            bar.add_task("compiling kernels (once)", total=None)
            warm_up()
        out.print("kernels are compiled")
        return
    findings = check_up(home, database)
    for finding in findings:
        mark = "[green]ok[/]  " if finding.fine else "[red]no[/]  "
        out.print(f"{mark}{finding.what}: {finding.found}")
        if not finding.fine:
            out.print(f"      {finding.advice}", markup=False)
    if not all(f.fine for f in findings):
        raise typer.Exit(1)


def keys_new(home: Home = Path("office")) -> None:
    """Make the office's key file (mode 0600). Refuses to overwrite one."""
    from sojourn.encode import FileKeyProvider
    from sojourn.pipeline.office import key_file

    FileKeyProvider.create(key_file(home))
    out.print(f"key file made: {key_file(home)}\nKeep it apart from the ledger and its backups.")
