"""Single facts that a ledger notes of itself: days, numbers, digests."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from sojourn.ledger.engine import fetch, run


def noted(connection: Connection, name: str) -> str | None:
    rows = fetch(connection, "SELECT value FROM facts WHERE name = ?", (name,))
    return str(rows[0][0]) if rows else None


def noted_day(connection: Connection, name: str) -> date | None:
    found = noted(connection, name)
    return None if found is None else date.fromisoformat(found)


def note(connection: Connection, name: str, value: str) -> None:
    run(
        connection,
        "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) "
        "DO UPDATE SET value = excluded.value",
        (name, value),
    )


def note_day(connection: Connection, name: str, day: date) -> None:
    note(connection, name, day.isoformat())
