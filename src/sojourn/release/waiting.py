"""Changes that wait until their period is drawn: exact, confidential, gone when it is.

In: changes by period and cell, within the gate's transaction. Out: the same, summed. A day's
change waits weeks at most, long before the horizon of any stay.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl
from sqlalchemy import Connection

from sojourn.release import store
from sojourn.vocabulary import Span

WAITING = ("span", "period", "nationality", "mode", "admission_class", "event")


def take_waiting(connection: Connection, span: Span, due: tuple[date, ...]) -> pl.DataFrame:
    """What waited for these periods. It waits no longer."""
    rows = store.ask(
        connection,
        f"SELECT {', '.join(WAITING)}, count FROM waiting WHERE span = :span", span=span.value,
    )  # fmt: skip
    kinds: dict[str, type[pl.DataType]] = {**dict.fromkeys(WAITING, pl.String), "count": pl.Int64}
    found = pl.DataFrame(rows, schema=kinds, orient="row").with_columns(
        pl.col("period").str.to_date()
    )
    for period in due:
        store.ask(
            connection,
            "DELETE FROM waiting WHERE span = :span AND period = :period RETURNING span",
            span=span.value, period=period.isoformat(),
        )  # fmt: skip
    return found.filter(pl.col("period").is_in(list(due)))


def put_waiting(connection: Connection, changes: pl.DataFrame) -> None:
    """Add to what waits: the new and the held, summed, in the place of the held."""
    if not changes.height:
        return
    periods = tuple(changes["period"].unique())
    held = take_waiting(connection, Span(changes["span"][0]), periods)
    summed = pl.concat([held, changes]).group_by(WAITING).agg(pl.col("count").sum())
    kept = summed.filter(pl.col("count") != 0).sort(WAITING)
    store.write(connection, store.waiting, kept.with_columns(pl.col("period").cast(pl.String)))


def drop_closed(connection: Connection, span: Span, still_open: Callable[[date], bool]) -> int:
    """Forget what waits for a period that is not drawn any more (policy changed): how many."""
    rows = store.ask(
        connection,
        "SELECT period, SUM(ABS(count)) FROM waiting WHERE span = :span GROUP BY period",
        span=span.value,
    )  # fmt: skip
    gone = [(p, int(n)) for p, n in rows if not still_open(date.fromisoformat(p))]
    for period, _ in gone:
        store.ask(
            connection,
            "DELETE FROM waiting WHERE span = :span AND period = :period RETURNING span",
            span=span.value, period=period,
        )  # fmt: skip
    return sum(n for _, n in gone)
