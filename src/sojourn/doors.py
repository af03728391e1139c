"""Tables at their doors: what a table is made of, and the check that one is what it says.

In: a ``Table`` and a frame. Out: the frame as declared, or ``SchemaError``, which names columns and
never values. Steps are decorated with ``door``: what goes in and what comes out is checked in
tests, and in production where SOJOURN_CHECK_TABLES=1.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ParamSpec

import polars as pl

from sojourn.errors import SchemaError
from sojourn.vocabulary import Privacy

TIMESTAMP = pl.Datetime("us", "UTC")


def enum_of(members: type[StrEnum]) -> pl.Enum:
    """The Polars type of a closed vocabulary."""
    return pl.Enum([m.value for m in members])


@dataclass(frozen=True)
class Column:
    name: str
    dtype: pl.DataType | type[pl.DataType]
    nullable: bool
    note: str = ""


@dataclass(frozen=True)
class Table:
    """One table: its columns in order, its key, its sort order, its privacy class."""

    name: str
    privacy: Privacy
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    note: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @property
    def schema(self) -> pl.Schema:
        return pl.Schema({c.name: c.dtype for c in self.columns})

    def empty(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self.schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Cast to the declared types and order; missing nullable columns become null.

        Raises SchemaError naming the column (never a value) where a cast is impossible.
        """
        missing = [c.name for c in self.columns if c.name not in frame.columns and not c.nullable]
        if missing:
            raise SchemaError(f"{self.name}: columns missing: {', '.join(missing)}")
        picked = []
        for column in self.columns:
            if column.name not in frame.columns:
                picked.append(pl.lit(None, dtype=column.dtype).alias(column.name))
            else:
                picked.append(pl.col(column.name).cast(column.dtype))
        try:
            return frame.select(picked)
        except pl.exceptions.PolarsError:
            wrong = [
                c.name
                for c in self.columns
                if c.name in frame.columns and not _castable(frame[c.name], c.dtype)
            ]
        raise SchemaError(
            f"{self.name}: values that do not fit the declared type in: {', '.join(wrong)}"
        )


def _castable(series: pl.Series, dtype: pl.DataType | type[pl.DataType]) -> bool:
    try:
        series.cast(dtype)
    except pl.exceptions.PolarsError:
        return False
    return True


def check_table(frame: pl.DataFrame, table: Table) -> None:
    """Raise SchemaError unless ``frame`` is what ``table`` says: names, types, nulls, key."""
    if tuple(frame.columns) != table.names:
        extra = [n for n in frame.columns if n not in table.names]
        missing = [n for n in table.names if n not in frame.columns]
        raise SchemaError(
            f"{table.name}: expected columns {', '.join(table.names)}; "
            f"missing: {', '.join(missing) or 'none'}; unexpected: {', '.join(extra) or 'none'}"
        )
    for column in table.columns:
        found = frame.schema[column.name]
        if found != column.dtype:
            raise SchemaError(f"{table.name}.{column.name}: expected {column.dtype}, found {found}")
        if not column.nullable and frame[column.name].null_count():
            raise SchemaError(f"{table.name}.{column.name}: nulls where none are allowed")
    if table.key and frame.height and frame.select(table.key).is_duplicated().any():
        raise SchemaError(f"{table.name}: the key ({', '.join(table.key)}) repeats")


P = ParamSpec("P")


def doors_checked() -> bool:
    return os.environ.get("SOJOURN_CHECK_TABLES") == "1"


def door(
    out: Table, /, **tables: Table
) -> Callable[[Callable[P, pl.DataFrame]], Callable[P, pl.DataFrame]]:
    """Check a step's tables at its door: ``@door(LINKS, encodings=ENCODINGS)``.

    Keyword names are the step's parameter names. Costs nothing unless SOJOURN_CHECK_TABLES=1.
    """

    def decorate(step: Callable[P, pl.DataFrame]) -> Callable[P, pl.DataFrame]:
        names = step.__code__.co_varnames[: step.__code__.co_argcount]

        @functools.wraps(step)
        def checked(*args: P.args, **kwargs: P.kwargs) -> pl.DataFrame:
            if not doors_checked():
                return step(*args, **kwargs)
            given: dict[str, object] = dict(zip(names, args, strict=False)) | dict(kwargs)
            for name, table in tables.items():
                frame = given[name]
                if not isinstance(frame, pl.DataFrame):
                    raise SchemaError(f"{table.name}: expected a table, found {type(frame)}")
                check_table(frame, table)
            made = step(*args, **kwargs)
            check_table(made, out)
            return made

        return checked

    return decorate
