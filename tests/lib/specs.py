"""Definitions drawn as tables: read from Markdown, run through the real path, shown again.

A spec is a file ``tests/spec/NN-name.spec.md``: a title, a sentence of why, ``## Crossings``,
perhaps ``## Status changes``, and one or more ``## Known at the end of DAY``, each with a table.
``NN`` begins with its chapter's number. A line ``Not yet: ...`` says what is drawn but not so.
How the columns are read: tests/spec/introduction.md tells people, ``COLUMNS`` the machine.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl

from sojourn.encode import MemoryKeyProvider
from sojourn.ledger import Ledger
from sojourn.measure import assign_outcomes
from sojourn.pipeline import Desk, Office, open_office
from sojourn.pipeline.intake import Delivered, encode_readings
from sojourn.pipeline.reconciling import reconcile_with
from sojourn.read import read_bytes

FOLDER = Path(__file__).parents[1] / "spec"
NOTHING = "-"
CROSSINGS, CHANGES = "Crossings", "Status changes"
_KNOWN_AT = "Known at the end of "
Row = dict[str, str]

COLUMNS = {
    CROSSINGS: {
        "record", "traveller", "direction", "when (UTC)", "port", "list", "class",
        "permitted until", "learned (UTC)", "withdrawn",
    },
    CHANGES: {
        "record", "traveller", "what", "day", "new class", "permitted until", "learned (UTC)",
    },
    _KNOWN_AT: {
        "traveller", "arrived", "left", "class", "permitted until", "lists", "outcome", "counts on",
    },
}  # fmt: skip
LISTS = {
    "border": ("border-post", "crossed"),
    "carrier": ("carrier", "boarded"),
    "booking": ("bookings", "booked"),
}
# surname, given names, birth date, sex, nationality, document number
CAST = {
    "Ana": ("SILVA COSTA", "ANA MARIA", "1984-03-17", "F", "PRT", "PA4410273"),
    "Ben": ("ADEYEMI", "BENJAMIN", "1991-11-05", "M", "NGA", "A08812654"),
    "Chi": ("NGUYEN", "THI CHI", "1969-07-23", "F", "VNM", "C5519038"),
    "Dov": ("LEVIN", "DOV AARON", "2009-01-30", "M", "ISR", "38120477"),
    "Eva": ("NOVAKOVA", "EVA", "1997-09-12", "F", "CZE", "44120985"),
}
# The same stories, told of others: what a person is must decide nothing.
OTHER_CAST = {
    "Ana": ("RAHMAN", "ABDUL KARIM", "1948-12-08", "M", "BGD", "BX0338174"),
    "Ben": ("LINDQVIST", "SAGA ELIN", "2019-06-21", "X", "SWE", "87330192"),
    "Chi": ("OKAFOR", "CHINEDU PAUL", "1999-04-14", "M", "GHA", "G2209415"),
    "Dov": ("RAMIREZ SOTO", "LUCIA", "1955-10-27", "F", "MEX", "N11938406"),
    "Eva": ("TANAKA", "HIROSHI", "1978-02-19", "M", "JPN", "TK5093312"),
}
Cast = dict[str, tuple[str, ...]]


class SpecError(ValueError):
    """A file that is no spec: says where, and what was expected."""


@dataclass(frozen=True)
class Spec:
    name: str  # of the file, without its ending
    title: str
    why: str
    gap: str  # what is not so yet, or empty
    crossings: list[Row]
    changes: list[Row]
    expected: dict[date, list[Row]]


@dataclass
class _Draft:
    title: str = ""
    why: list[str] = field(default_factory=list)
    tables: dict[str, list[Row]] = field(default_factory=dict)


def all_specs(folder: Path = FOLDER) -> list[Spec]:
    return [parse(p.read_text("utf-8"), p.name) for p in sorted(folder.glob("*.spec.md"))]


def parse(text: str, file_name: str) -> Spec:
    """A spec from its Markdown. Raises SpecError."""
    draft, section, header = _Draft(), "", list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"{file_name}:{number}"
        if line.startswith("# "):
            draft.title = line[2:].strip()
        elif line.startswith("## "):
            section, header = line[3:].strip(), []
            draft.tables[section] = []
        elif not line.startswith("|"):
            draft.why += [line.strip()] if line.strip() else []
        elif not header:
            header = _cells(line)
            _check_header(header, section, where)
        elif not re.fullmatch(r"[|:\- ]+", line) or set(_cells(line)) == {NOTHING}:
            cells = _cells(line)
            if len(cells) != len(header):
                raise SpecError(f"{where}: expected {len(header)} cells, found {len(cells)}")
            draft.tables[section].append(dict(zip(header, cells, strict=True)))
    return _finished(draft, file_name)


def _finished(draft: _Draft, file_name: str) -> Spec:
    gaps = [line for line in draft.why if line.startswith("Not yet:")]
    expected = {
        date.fromisoformat(name.removeprefix(_KNOWN_AT)): rows
        for name, rows in draft.tables.items() if name.startswith(_KNOWN_AT)
    }  # fmt: skip
    if not draft.title or not draft.why or not draft.tables.get(CROSSINGS) or not expected:
        raise SpecError(
            f"{file_name}: expected a title, a sentence of why, '## {CROSSINGS}' and "
            f"'## {_KNOWN_AT}YYYY-MM-DD'"
        )
    return Spec(
        file_name.removesuffix(".spec.md"), draft.title,
        " ".join(line for line in draft.why if line not in gaps), " ".join(gaps),
        draft.tables[CROSSINGS], draft.tables.get(CHANGES, []), expected,
    )  # fmt: skip


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _check_header(header: list[str], section: str, where: str) -> None:
    kind = _KNOWN_AT if section.startswith(_KNOWN_AT) else section
    if kind not in COLUMNS:
        raise SpecError(f"{where}: a table under '{section}'; expected one of {list(COLUMNS)}")
    if strange := set(header) - COLUMNS[kind]:
        raise SpecError(f"{where}: {sorted(strange)}; expected some of {sorted(COLUMNS[kind])}")


# -- run -----------------------------------------------------------------------------------


class SpecOffice:
    """An office whose clock stands where the next delivery is learned."""

    def __init__(self, home: Path, cast: Cast, url: str | None = None) -> None:
        self.now = datetime(2020, 1, 1, tzinfo=UTC)
        self._cast = cast
        self.travellers: dict[bytes, str] = {}
        self.office: Office = open_office(
            home, statistics_url=url, keys=MemoryKeyProvider(b"spec"), clock=lambda: self.now
        )

    def take(self, spec: Spec) -> None:
        """Hand every record in when it was learned, as CSV through the reader."""
        told = [(_learned(r), 0, _crossing_row(r, self._cast)) for r in spec.crossings]
        told += [(_learned(r), 1, _change_row(r, self._cast)) for r in spec.changes]
        owners = {r["record"]: r["traveller"] for r in (*spec.crossings, *spec.changes)}
        with Desk(self.office) as desk:
            for learned, kind in sorted({(at, kind) for at, kind, _ in told}):
                self.now = learned
                rows = [row for at, k, row in told if (at, k) == (learned, kind)]
                self._hand_in(desk, rows, f"{learned} {kind}", owners)

    def _hand_in(self, desk: Desk, rows: list[Row], name: str, owners: dict[str, str]) -> None:
        reading = read_bytes(
            _csv(rows), "spec.csv", self.office.policy.read, source="spec", now=self.now
        )
        if reading.rejects.height:
            raise SpecError(f"refused: {reading.rejects.select('reason', 'expected').rows()}")
        (intake,) = encode_readings([Delivered(name, "spec", reading)], self.office)
        refs = intake.encodings["crossing_ref"].to_list()
        for ref, record in zip(refs, reading.crossings["crossing_id"].to_list(), strict=True):
            self.travellers[ref] = owners[record]
        desk.take(intake)

    def reconcile(self) -> None:
        with self.office.open_ledger() as ledger:
            reconcile_with(ledger, self.office)

    def open_ledger(self) -> Ledger:
        return self.office.open_ledger()

    def found(self, stays: pl.DataFrame, known_at: date) -> list[Row]:
        """STAYS with their outcomes as rows that a spec may draw."""
        rows = assign_outcomes(stays, known_at).rows(named=True)
        return [
            {
                "traveller": self.travellers[row["arrival_ref"] or row["departure_ref"]],
                "arrived": _shown(row["arrival_date"]),
                "left": _shown(row["departure_date"]),
                "class": _shown(row["admission_class"]),
                "permitted until": _permitted(row["stay_limit"], row["authorised_until"]),
                "lists": f"{row['arrival_lists']} and {row['departure_lists']}",
                "outcome": row["outcome"].replace("_", " "),
                "counts on": _shown(row["counts_on"]),
            }
            for row in rows
        ]


def _shown(value: object) -> str:
    return NOTHING if value is None else str(value)


def _permitted(limit: str, until: date | None) -> str:
    if limit == "dated":
        return _shown(until)
    return "no limit" if limit == "none" else NOTHING


def _moment(text: str) -> datetime:
    """``2026-03-10 23:30``; a day alone is its noon."""
    if len(text) == len("2026-03-10"):
        return datetime.combine(date.fromisoformat(text), time(12), UTC)
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _learned(row: Row) -> datetime:
    """When we learned it: as drawn, else a minute after it happened."""
    told = row.get("learned (UTC)", NOTHING)
    if told != NOTHING:
        return _moment(told)
    return _moment(row.get("when (UTC)") or row["day"]) + timedelta(minutes=1)


def _identity(traveller: str, cast: Cast) -> Row:
    if traveller not in cast:
        raise SpecError(f"traveller {traveller}: expected one of {sorted(cast)}")
    names = ("surname", "given_names", "birth_date", "sex", "nationality", "document_number")
    return dict(zip(names, cast[traveller], strict=True))


def _crossing_row(row: Row, cast: Cast) -> Row:
    source, evidence = LISTS[row.get("list", "border")]
    until = row.get("permitted until", NOTHING)
    limits = {"no limit": ("none", ""), "no day given": ("dated", ""), NOTHING: ("", "")}
    limit, day = limits.get(until, ("", until))
    return _identity(row["traveller"], cast) | {
        "source": source, "crossing_id": row["record"], "direction": row["direction"],
        "event_time": _moment(row["when (UTC)"]).isoformat(),
        "recorded_at": _learned(row).isoformat(), "evidence": evidence, "mode": "air",
        "port": row["port"], "admission_class": _given(row, "class"), "authorised_until": day,
        "stay_limit": limit, "withdrawn": _given(row, "withdrawn"),
    }  # fmt: skip


def _change_row(row: Row, cast: Cast) -> Row:
    kinds = {"application filed": "pending", "application refused": "refused",
             "change of status": "change", "residence": "adjustment", "death": "deceased",
             "naturalisation": "naturalised", "extension": "extension"}  # fmt: skip
    return _identity(row["traveller"], cast) | {
        "source": "residence-office", "status_id": row["record"], "kind": kinds[row["what"]],
        "effective_date": row["day"], "recorded_at": _learned(row).isoformat(),
        "new_class": _given(row, "new class"),
        "new_authorised_until": _given(row, "permitted until"),
    }  # fmt: skip


def _given(row: Row, name: str) -> str:
    value = row.get(name, NOTHING)
    return "" if value == NOTHING else value


def _csv(rows: list[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


# -- compare -------------------------------------------------------------------------------


def compare(expected: list[Row], found: list[Row], heading: str) -> str:
    """Empty where the columns that are drawn agree, else both tables, one under the other."""
    names = list(expected[0]) if expected else ["traveller", "arrived", "left", "outcome"]
    shown = [{n: row[n] for n in names} for row in found]
    if _sorted(expected) == _sorted(shown):
        return ""
    tables = draw(names, _sorted(expected)), draw(names, _sorted(shown))
    return f"{heading}\n\nexpected:\n{tables[0]}\n\nfound:\n{tables[1]}\n"


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: tuple(row.values()))


def draw(names: Sequence[str], rows: Iterable[Row]) -> str:
    """A Markdown table whose columns stand under each other."""
    cells = [list(names), *([row[n] for n in names] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
             for line in cells]  # fmt: skip
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)
