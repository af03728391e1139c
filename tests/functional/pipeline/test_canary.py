"""A planted name, document number and record id are nowhere after the encoder."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from lib.offices import NOW, small_office
from sojourn.errors import SojournError
from sojourn.pipeline import Desk, reconcile, refresh_measures
from sojourn.pipeline.watching import take_waiting

CANARIES = ("ZYXWVUTQ", "QUUXPLUGH", "X9Y8Z7W6V", "RECORDIDCANARY77", "1961-07-13", "610713")
DAY = (NOW - timedelta(days=2)).strftime("%Y-%m-%dT10:00:00Z")
CSV = (
    "crossing_id,direction,event_time,mode,port,surname,given_names,birth_date,nationality,"
    "document_number,address,telephone\n"
    f"RECORDIDCANARY77,arrival,{DAY},air,UTA,ZYXWVUTQ,QUUXPLUGH,1961-07-13,UTO,X9Y8Z7W6V,"
    "ZYXWVUTQ LANE 1,+99 QUUXPLUGH\n"
    f"RECORDIDCANARY77-B,arrival,not a time,air,UTA,ZYXWVUTQ,QUUXPLUGH,1961-07-13,UTO,X9Y8Z7W6V,,\n"
    f"RECORDIDCANARY77-C,departure,{DAY},QUUXPLUGH,UTA,ZYXWVUTQ,,61071399,ZYXWVUTQ,X9Y8Z7W6V,,\n"
)
PAXLST = (
    "UNA:+.? 'UNB+UNOA:4+XX+UT+{day:%y%m%d}:0900+1'UNG+PAXLST+XX+UT+{day:%y%m%d}:0900+1+UN+D:05B'"
    "UNH+1+PAXLST:D:05B:UN:IATA'BGM+745'TDT+20+XX1+++XX'LOC+125+FRA'DTM+189:{day:%y%m%d}0900:201'"
    "LOC+87+UTA'DTM+232:{day:%y%m%d}1100:201'NAD+FL+++ZYXWVUTQ:QUUXPLUGH'DTM+329:610713'"
    "NAT+2+UTO'RFF+ABO:RECORDIDCANARY77'DOC+P+X9Y8Z7W6V'CNT+42:7'UNT+9+1'UNE+1+1'UNZ+1+1'"
)
BROKEN = b"RECORDIDCANARY77;ZYXWVUTQ;QUUXPLUGH;X9Y8Z7W6V\n\x00\xff" * 9


def test_nothing_of_a_person_is_left_after_the_encoder(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    office = small_office(tmp_path)
    folder = office.inbox / "feed"
    folder.mkdir()
    (folder / "a.csv").write_text(CSV)
    (folder / "b.edi").write_text(PAXLST.format(day=NOW - timedelta(days=2)))
    (folder / "c.csv").write_bytes(BROKEN)
    said = []
    with Desk(office) as desk:
        for taken in take_waiting(desk, office, office.inbox):
            said.append(repr(taken))
    reconcile(office)
    refresh_measures(office)
    with office.open_ledger() as ledger:
        assert ledger.state().reports == 2, "the good records were taken in"
        ledger.backup(tmp_path / "backup")
        said += [repr(ledger.stays().to_dicts()), repr(ledger.quality().to_dicts())]
    # What was refused goes back to its source as it was: the one place where it may lie.
    for path in (office.inbox / ".refused").glob("*"):
        path.unlink()
    out = capfd.readouterr()
    said += [out.out, out.err, caplog.text]
    haystacks = {"said": "\n".join(said).encode()}
    haystacks |= {str(p): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert len(haystacks) > 3
    found = [(c, name) for name, hay in haystacks.items() for c in CANARIES if c.encode() in hay]
    assert found == []


def test_errors_do_not_quote_what_they_could_not_read(tmp_path: Path) -> None:
    from sojourn.policy import load_policy
    from sojourn.read import read_bytes

    for data in (BROKEN, CSV.replace("crossing_id", "id").encode(), b"PAR1" + CSV.encode()):
        try:
            reading = read_bytes(data, "x.csv", load_policy().read, source=None, now=NOW)
            said = repr(reading.rejects.to_dicts()) + repr(reading.quality.to_dicts())
        except SojournError as error:
            said = f"{error!r} {error.__cause__!r} {error.__context__!r}"
        assert not [c for c in CANARIES if c in said]
