"""The code lists of published figures, and the check that figures hold nothing else.

In: which tables and classes an office publishes, and FIGURES. Out: ``CodeLists``; figures under
SDMX names, every code checked. pysdmx writes whatever it is given, so the check stands before it.
Raises SchemaError that names the column and the code list, never what was found.
Sources: ICAO Doc 9303-3 section 5 (nationalities; names from CLDR), ISO 3166-1, and SDMX's
CL_FREQ, CL_OBS_STATUS and CL_CONF_STATUS, of which the codes in use are given.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import polars as pl

from sojourn.doors import check_table
from sojourn.errors import SchemaError
from sojourn.release.cells import REENTRIES
from sojourn.release.formats.words import METHODS, QUANTITIES
from sojourn.schemas import FIGURES, Mode, Span

ALL, UNKNOWN = "_T", "_U"  # SDMX: total, unknown
FREQUENCIES = {Span.DAY: "D", Span.MONTH: "M", Span.YEAR: "A"}
_SDMX_ID = re.compile(r"[A-Za-z0-9_@$\-]+")


@dataclass(frozen=True)
class Code:
    id: str
    name: str
    description: str = ""


@dataclass(frozen=True)
class CodeList:
    id: str
    name: str
    codes: tuple[Code, ...]

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(c.id for c in self.codes)

    def name_of(self, code: str) -> str:
        """The code's name; the code itself where the list has none."""
        return next((c.name for c in self.codes if c.id == code), code)


@dataclass(frozen=True)
class CodeLists:
    """One list for each coded column; ``by_column`` says which."""

    frequency: CodeList
    release_table: CodeList
    nationality: CodeList
    mode: CodeList
    admission_class: CodeList
    quantity: CodeList
    unit: CodeList
    method: CodeList
    observation_status: CodeList
    confidentiality: CodeList

    @property
    def by_column(self) -> dict[str, CodeList]:
        """Columns of the SDMX frame and their lists."""
        return {
            "FREQ": self.frequency,
            "RELEASE_TABLE": self.release_table,
            "NATIONALITY": self.nationality,
            "MODE": self.mode,
            "ADMISSION_CLASS": self.admission_class,
            "QUANTITY": self.quantity,
            "UNIT_MEASURE": self.unit,
            "METHOD": self.method,
            "OBS_STATUS": self.observation_status,
            "CONF_STATUS": self.confidentiality,
        }


@lru_cache(maxsize=1)
def nationality_names() -> dict[str, tuple[str, str]]:
    """ICAO code to (ISO 3166-1 alpha-2 code or '', English name)."""
    text = files("sojourn.release.formats").joinpath("nationalities.csv").read_text("utf-8")
    return {r["icao"]: (r["iso_alpha_2"], r["name"]) for r in csv.DictReader(text.splitlines())}


def build_code_lists(tables: Iterable[str], classes: Iterable[str]) -> CodeLists:
    """The office's lists. Raises SchemaError for a name that SDMX could not carry as a code."""
    known = sorted({t for t in tables if t}), sorted({c for c in classes if c} - {"unknown"})
    for what, names in zip(("release tables", "classes of admission"), known, strict=True):
        if [n for n in names if not _SDMX_ID.fullmatch(n)]:
            raise SchemaError(f"{what}: expected names of letters, digits, _ @ $ or - (SDMX codes)")
    total, nobody_said = Code(ALL, "All"), Code(UNKNOWN, "Unknown: no record says")
    nationalities = (
        Code(icao, name, f"ISO 3166-1 alpha-2: {iso}" if iso else "ICAO Doc 9303-3 special code")
        for icao, (iso, name) in nationality_names().items()
    )
    return CodeLists(
        CodeList("CL_FREQ", "Frequency", (Code("D", "Day"), Code("M", "Month"), Code("A", "Year"))),
        CodeList("CL_RELEASE_TABLE", "Table of a release", tuple(
            Code(t, t.replace("_", " ").capitalize()) for t in known[0])),
        CodeList("CL_NATIONALITY", "Nationality, ICAO Doc 9303",
                 (total, nobody_said, *nationalities)),
        CodeList("CL_MODE", "Mode of travel",
                 (total, nobody_said, *(Code(m.value, m.value.capitalize()) for m in Mode))),
        CodeList("CL_ADMISSION_CLASS", "Class of admission",
                 (total, nobody_said, *(Code(c, c.capitalize()) for c in known[1]))),
        CodeList("CL_QUANTITY", "What is counted or estimated", tuple(
            Code(k, q.label, q.definition) for k, q in QUANTITIES.items())),
        CodeList("CL_UNIT_MEASURE", "Unit",
                 (Code("STAYS", "Stays"), Code("SHARE", "Share of expected departures, 0 to 1"))),
        CodeList("CL_METHOD", "Method", tuple(
            Code(k, m.label, m.definition) for k, m in METHODS.items())),
        CodeList("CL_OBS_STATUS", "Observation status", (
            Code("A", "Normal value"), Code("E", "Estimated value"),
            Code("P", "Provisional value", "A later release adds what is recorded until then."),
            Code("O", "Missing value"), Code("Q", "Missing value; suppressed"))),
        CodeList("CL_CONF_STATUS", "Confidentiality status", (
            Code("F", "Free: published"), Code("C", "Confidential: not shown"))),
    )  # fmt: skip


def code_figures(
    figures: pl.DataFrame, lists: CodeLists, final_after: tuple[int, int] | None = None
) -> pl.DataFrame:
    """FIGURES under SDMX names, as text, sorted by key; no code outside its list, none empty.

    OBS_VALUE and what is about it are empty where there is no number: OBS_STATUS then says why
    (O: lost or not to be made; Q: suppressed), and suppressed is not zero. ``final_after``: so many
    days after its last day a day (first) or a month and a year (second) take their last increment;
    before, they are provisional (P).
    """
    check_table(figures, FIGURES)
    coded = figures.select(
        FREQ=pl.col("span").cast(pl.String).replace_strict(FREQUENCIES, default=""),
        RELEASE_TABLE=pl.col("release_table"),
        QUANTITY=pl.col("quantity"),
        NATIONALITY=_sdmx_code("nationality"),
        MODE=_sdmx_code("mode"),
        ADMISSION_CLASS=_sdmx_code("admission_class"),
        VINTAGE=pl.col("vintage").dt.to_string("%Y-%m-%d"),
        TIME_PERIOD=_time_period(),
        OBS_VALUE=say_number("value"),
        OBS_STATUS=_status(final_after),
        CONF_STATUS=pl.when(_suppressed()).then(pl.lit("C")).otherwise(pl.lit("F")),
        UNIT_MEASURE=pl.when(pl.col("quantity").str.ends_with("_rate"))
        .then(pl.lit("SHARE")).otherwise(pl.lit("STAYS")),
        LOWER=say_number("lower"),
        UPPER=say_number("upper"),
        LEVEL=say_number("level"),
        NOISE_SD=say_number("noise_sd"),
        EPSILON=say_number("epsilon"),
        METHOD=pl.col("method"),
        RELEASE_ID=pl.col("release_id"),
    )  # fmt: skip
    _refuse_unknown(coded, lists)
    return coded.sort("RELEASE_TABLE", "FREQ", "TIME_PERIOD", "QUANTITY", "NATIONALITY", "MODE",
                      "ADMISSION_CLASS", "VINTAGE")  # fmt: skip


def _sdmx_code(column: str) -> pl.Expr:
    return pl.col(column).replace({"": ALL, "unknown": UNKNOWN})


def _time_period() -> pl.Expr:
    period = pl.col("period").dt
    return (
        pl.when(pl.col("span") == Span.DAY.value)
        .then(period.to_string("%Y-%m-%d"))
        .when(pl.col("span") == Span.MONTH.value)
        .then(period.to_string("%Y-%m"))
        .otherwise(period.to_string("%Y"))
    )


def say_number(column: str) -> pl.Expr:
    """A number as text without a needless '.0'; nothing where there is none."""
    value = pl.col(column)
    whole = value.round(0)
    return (
        pl.when((value == whole) & (value.abs() < 2**53))
        .then(whole.cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(value.cast(pl.String))
    )


def _suppressed() -> pl.Expr:
    return pl.col("value").is_null() & (pl.col("method") == "cell_key")


def final_from(final_after: tuple[int, int] | None) -> pl.Expr:
    """The recorded day with which the last increment of a figure of FIGURES comes; null: it has
    come, or none does (cell key; re-entries, which are drawn once)."""
    if final_after is None:
        return pl.lit(None, pl.Date)
    span, period = pl.col("span").cast(pl.String), pl.col("period")
    last = (
        pl.when(span == Span.DAY.value).then(period)
        .when(span == Span.MONTH.value).then(period.dt.month_end())
        .otherwise(period.dt.offset_by("11mo").dt.month_end())
    )  # fmt: skip
    age = pl.when(span == Span.DAY.value).then(final_after[0]).otherwise(final_after[1])
    until = last + pl.duration(days=age)
    once = (pl.col("method") == "cell_key") | (pl.col("release_table") == REENTRIES)
    return pl.when(~once & (pl.col("vintage") < until)).then(until)


def is_provisional(final_after: tuple[int, int] | None) -> pl.Expr:
    """Whether a later release still adds to a figure of FIGURES."""
    return final_from(final_after).is_not_null()


def _status(final_after: tuple[int, int] | None) -> pl.Expr:
    return (
        pl.when(_suppressed()).then(pl.lit("Q"))
        .when(pl.col("value").is_null()).then(pl.lit("O"))
        .when(is_provisional(final_after)).then(pl.lit("P"))
        .when(pl.col("method").is_in(["computed", "estimated"])).then(pl.lit("E"))
        .otherwise(pl.lit("A"))
    )  # fmt: skip


def _refuse_unknown(coded: pl.DataFrame, lists: CodeLists) -> None:
    for column, known in lists.by_column.items():
        wrong = coded.filter(~pl.col(column).is_in(list(known.ids)) | pl.col(column).is_null())
        if wrong.height:
            empty = wrong.filter(pl.col(column).is_null() | (pl.col(column) == "")).height
            raise SchemaError(
                f"figures, column {column}: expected codes of {known.id} ({len(known.codes)} "
                f"codes); found {wrong.height:,} rows with another, {empty:,} of them empty. "
                "Nothing was written."
            )
    for column in ("VINTAGE", "TIME_PERIOD", "RELEASE_ID"):
        if coded.filter(pl.col(column).is_null() | (pl.col(column) == "")).height:
            raise SchemaError(f"figures, column {column}: empty where a value is expected")
