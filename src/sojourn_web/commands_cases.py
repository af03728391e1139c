"""``sojourn cases``: the schedule of voluntary return, keys after a restore, the counts that leave.

Joins the library's command line by an entry point. Everything may be run again at any time.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sojourn.errors import UsageError
from sojourn.pipeline import open_office
from sojourn_web.hosting import configure

say = Console(stderr=True, highlight=False)


class Work(StrEnum):
    TICK = "tick"
    KEYS_AGAIN = "keys-again"
    KEYS_TO_SERVICE = "keys-to-service"
    COUNTS = "counts"


def cases(
    work: Annotated[
        Work,
        typer.Argument(help="tick: remind, ask for what is due, scan files that wait; keys-again: "
                       "destroy erased cases' keys after a restore; keys-to-service: wrap a "
                       "folder of file keys by the key service; counts: a month's coarse counts as "
                       "CSV."),
    ],
    home: Annotated[
        Path, typer.Option(envvar="SOJOURN_HOME", help="The office's folder.")
    ] = Path("office"),
    month: Annotated[str, typer.Option(help="For counts: 2026-10.")] = "",
    files: Annotated[
        Path | None, typer.Option(help="For keys-to-service: the folder of file keys.")
    ] = None,
) -> None:  # fmt: skip
    """Keep voluntary return in order. Run 'tick' every hour; nothing is decided by it.

    Example: sojourn cases tick --home office
    """
    configure(open_office(home), demo=False)
    from django.core.management import call_command

    from sojourn_web.cases.scanning import installed_scanner
    from sojourn_web.cases.services import keeping, releasing
    from sojourn_web.cases.services.room import room_now

    if work is Work.KEYS_TO_SERVICE:
        say.print(f"{_take_over(files)} keys wrapped; look at a case, then destroy the old folder")
        return
    call_command("migrate", database="cases", verbosity=0, interactive=False)
    room = room_now()
    if work is Work.TICK:
        found = keeping.tick(room, installed_scanner())
        say.print(
            f"{found.reminders} reminders, {found.asked} cases due, {found.scanned} files scanned, "
            f"{found.waiting} files wait for a scanner, "
            f"{found.keys_destroyed or 0} keys destroyed again"
        )
        if found.keys_missing is None:
            say.print(
                "the key service did not answer: keys were not counted, and what tombstones name "
                "was not destroyed again. Run 'tick' again once it answers"
            )
        elif found.keys_missing:
            say.print(
                f"{found.keys_missing} cases have no key, though nobody erased them: restore the "
                "newest backup of the keys (docs/how-to/keep-cases-in-order.md)"
            )
    elif work is Work.KEYS_AGAIN:
        say.print(f"{keeping.destroy_keys_again(room)} keys destroyed again")
    else:
        typer.echo(releasing.counts_to_release(room, _read_month(month)).as_csv(), nl=False)


def _take_over(files: Path | None) -> int:
    from django.conf import settings

    from sojourn_web.cases.wrapped_keys import take_over_files

    if files is None or not settings.CASES_KEY_SERVICE:
        raise UsageError(
            "keys-to-service: expected --files, the folder of the keys as they are, and "
            "SOJOURN_CASES_KEY_SERVICE in the environment"
        )
    return take_over_files(
        files, Path(settings.CASES_KEYS), settings.CASES_KEY_SERVICE, settings.CASES_KEY_TOKEN,
        settings.CASES_KEY_CA,
    )  # fmt: skip


def _read_month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise UsageError("--month: expected a month such as 2026-10") from None
