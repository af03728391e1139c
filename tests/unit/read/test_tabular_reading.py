"""Tabular files as custodians send them: what is read, what is refused, and where it says so."""

from __future__ import annotations

import csv
import io
import json
import stat
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from sojourn.errors import ReadError
from sojourn.policy import load_policy
from sojourn.read import Reading, load_mapping, read_bytes, read_file, write_rejected
from sojourn.schemas import CROSSINGS, REJECTS, SOURCE_QUALITY, STATUS_CHANGES, check_table

POLICY = load_policy().read
NOW = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = "crossing_id,direction,event_time,mode,port,surname,given_names,birth_date,nationality"
GOOD = "arrival,2025-03-01T12:30:00Z,air,LIS,ERIKSSON,ANNA,1974-08-12,UTO"
SPECTRUM = Path(__file__).parents[4] / "shared" / "data" / "robustness" / "csv_spectrum"


def read(data: bytes | str, name: str = "feed.csv") -> Reading:
    raw = data.encode() if isinstance(data, str) else data
    return read_bytes(raw, name, POLICY, source="s", now=NOW)


def row(**fields: object) -> dict[str, object]:
    usual = dict(zip(COLUMNS.split(","), ("1", *GOOD.split(",")), strict=True))
    return usual | fields


def one(**fields: object) -> Reading:
    return read(json.dumps(row(**fields)) + "\n", "feed.ndjson")


def counts(reading: Reading) -> dict[str, int]:
    return dict(reading.quality.select("issue", "records").rows())


def reasons(reading: Reading) -> list[tuple[str, str]]:
    return reading.rejects.select("position", "reason").rows()


def test_a_plain_file_becomes_tables_that_fit_their_schemas() -> None:
    reading = read(f"{COLUMNS}\n1,{GOOD}\n2,{GOOD}\n")
    check_table(reading.crossings, CROSSINGS)
    check_table(reading.status_changes, STATUS_CHANGES)
    check_table(reading.rejects, REJECTS)
    check_table(reading.quality, SOURCE_QUALITY)
    assert reading.crossings["crossing_id"].to_list() == ["1", "2"]
    assert counts(reading) == {"read": 2}
    first = reading.crossings.row(0, named=True)
    assert first["recorded_at"] == first["event_time"] == datetime(2025, 3, 1, 12, 30, tzinfo=UTC)
    assert (first["evidence"], first["stay_limit"]) == ("crossed", "unknown")


@pytest.mark.parametrize("data", [b"", b"\n\n  \n"])
def test_an_empty_file_is_an_error_that_says_what_was_expected(data: bytes) -> None:
    with pytest.raises(ReadError, match="crossing_id"):
        read(data)


def test_a_header_alone_gives_no_rows_and_no_error() -> None:
    reading = read(COLUMNS + "\n")
    assert reading.crossings.height == reading.rejects.height == 0


def test_columns_of_something_else_are_an_error() -> None:
    with pytest.raises(ReadError, match="expected the columns"):
        read("a,b\n1,2\n")


def test_a_truncated_last_line_is_refused_alone() -> None:
    reading = read(f"{COLUMNS}\n1,{GOOD}\n2,arrival,2025-03")
    assert reading.crossings["crossing_id"].to_list() == ["1"]
    assert reasons(reading) == [("line 3", "ragged_row")]


@pytest.mark.parametrize("keep", [50, -100])
def test_a_truncated_parquet_file_is_an_error_of_ours(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "feed.parquet"
    pl.DataFrame([row()]).write_parquet(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ReadError):
        list(read_file(path, POLICY, source="s", now=NOW))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_names_survive_every_usual_encoding(encoding: str, form: str) -> None:
    if form == "csv":
        text = f"{COLUMNS}\n1,{GOOD.replace('ERIKSSON', 'GÖRANSSON')}\n"
    else:
        text = json.dumps(row(surname="GÖRANSSON"), ensure_ascii=False) + "\n"
    reading = read(text.encode(encoding), f"feed.{form}")
    assert reading.crossings["surname"].to_list() == ["GÖRANSSON"]
    assert counts(reading).get("encoding_repaired", 0) == int(encoding == "latin-1")


def test_a_huge_line_is_refused_and_its_neighbours_are_read() -> None:
    huge = GOOD.replace("ANNA", "A" * (POLICY.max_record_bytes + 1))
    reading = read(f"{COLUMNS}\n1,{GOOD}\n2,{huge}\n3,{GOOD}\n")
    assert reading.crossings["crossing_id"].to_list() == ["1", "3"]
    assert reasons(reading) == [("line 3", "record_too_long")]


def test_quotes_and_line_ends_inside_fields_keep_later_positions_right() -> None:
    quoted = GOOD.replace("ANNA", '"ANNA ""X"",\nMARIA"')
    reading = read(f"{COLUMNS}\n1,{quoted}\n2,{GOOD.replace('air', 'balloon')}\n")
    assert reading.crossings["given_names"].to_list() == ['ANNA "X",\nMARIA']
    assert reasons(reading) == [("line 4", "mode_unknown")]


def test_a_quote_never_closed_does_not_swallow_its_neighbours() -> None:
    broken = GOOD.replace("ANNA", '"ANNA')
    lines = "".join(f"{n},{GOOD}\n" for n in range(2, 80))
    reading = read(f"{COLUMNS}\n1,{broken}\n{lines}")
    assert reading.crossings.height == 78
    assert reasons(reading) == [("line 2", "open_quote")]


@pytest.mark.parametrize("broken", ['{"crossing_id": ', "[1]", "null", '{"a": "\\ud800"}'])
def test_a_broken_ndjson_line_is_refused_alone(broken: str) -> None:
    good = [json.dumps(row(crossing_id=n)) for n in ("1", "3")]
    reading = read("\n".join([good[0], broken, good[1]]), "feed.ndjson")
    assert reading.crossings["crossing_id"].to_list() == ["1", "3"]
    assert [p for p, _ in reasons(reading)] == ["line 2"]


def test_an_id_repeated_counts_once_and_with_other_contents_corrects() -> None:
    changed = GOOD.replace("ANNA", "ANNE")
    reading = read(f"{COLUMNS}\n1,{GOOD}\n2,{GOOD}\n1,{GOOD}\n2,{changed}\n")
    named = dict(reading.crossings.select("crossing_id", "given_names").rows())
    assert named == {"1": "ANNA", "2": "ANNE"}
    assert counts(reading) == {"read": 4, "id_repeated": 1, "id_corrected": 1}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"event_time": "1900-01-01T00:00:00Z"}, "event_too_early"),
        ({"event_time": "2099-01-01T00:00:00Z"}, "event_in_future"),
        ({"event_time": "2025-02-30T00:00:00Z"}, "event_time_unreadable"),
        ({"event_time": "01/03/2025"}, "event_time_unreadable"),
        ({"event_time": None}, "event_time_unreadable"),
        ({"direction": "sideways"}, "direction_unknown"),
        ({"evidence": "rumour"}, "evidence_unknown"),
        ({"stay_limit": "none", "authorised_until": "2025-06-01"}, "limit_contradicts"),
        ({"authorised_until": "soon"}, "authorised_until_unreadable"),
        ({"crossing_id": " "}, "crossing_id_missing"),
        ({"birth_date": "yesterday"}, "birth_date_unreadable"),
    ],
)
def test_a_record_that_cannot_be_is_refused_with_its_reason(
    fields: dict[str, object], reason: str
) -> None:
    reading = one(**fields)
    assert reading.crossings.height == 0
    assert reasons(reading) == [("line 1", reason)]


def test_an_arrival_limited_without_a_day_is_kept_as_unknown_and_counted() -> None:
    reading = one(stay_limit="dated", authorised_until=None)
    assert reading.crossings["stay_limit"].to_list() == ["unknown"]
    assert counts(reading) == {"read": 1, "limit_without_date": 1}


@pytest.mark.parametrize(
    "text",
    ["2025-03-01T12:30:00Z", "2025-03-01 12:30", "2025-03-01T14:30:00+02:00",
     "2025-03-01T07:30-0500", "2025-03-01T12:30:00.000000"],
)  # fmt: skip
def test_a_time_is_read_with_offset_z_or_none(text: str) -> None:
    found = one(event_time=text).crossings["event_time"].to_list()
    assert found == [datetime(2025, 3, 1, 12, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("text", "kept", "repaired"),
    [
        ("1980-02-03", "1980-02-03", 0),
        ("1980-00-00", "1980-00-00", 0),
        ("1980-<<-<<", "1980-00-00", 0),
        ("1900-01-01", "1900-01-01", 0),
        ("1980-13-07", "1980-00-07", 1),
        ("1980-02-31", "1980-02-00", 1),
    ],
)
def test_unknown_parts_of_a_birth_date_are_zeros(text: str, kept: str, repaired: int) -> None:
    reading = one(birth_date=text)
    assert reading.crossings["birth_date"].to_list() == [kept]
    assert counts(reading).get("birth_date_repaired", 0) == repaired


@pytest.mark.parametrize(
    ("text", "kept", "unknown"),
    [("uto", "UTO", 0), ("D", "DEU", 0), ("PT", "PRT", 0), ("XXA", "XXA", 0), ("ZZQ", None, 1)],
)
def test_a_nationality_is_a_known_code_or_nothing(
    text: str, kept: str | None, unknown: int
) -> None:
    reading = one(nationality=text)
    assert reading.crossings["nationality"].to_list() == [kept]
    assert counts(reading).get("nationality_unknown_code", 0) == unknown


@pytest.mark.parametrize(
    ("text", "kept"),
    [("f", "F"), ("1", "M"), ("2", "F"), ("X", "X"), ("", None), ("<", None)],
)
def test_sex_is_read_in_its_usual_spellings(text: str, kept: str | None) -> None:
    reading = one(sex=text)
    assert reading.crossings["sex"].to_list() == [kept]
    assert "sex_unknown_code" not in counts(reading)


def test_a_local_date_is_the_date_at_the_port() -> None:
    late = "2025-03-01T23:30:00Z"
    tokyo = one(event_time=late, port="HND").crossings["local_date"].to_list()
    lima = one(event_time="2025-03-01T03:00:00Z", port="LIM").crossings["local_date"].to_list()
    assert (tokyo, lima) == ([date(2025, 3, 2)], [date(2025, 2, 28)])


def test_an_unknown_port_is_accepted_and_counted() -> None:
    reading = one(port="QQQ9")
    assert reading.crossings["port"].to_list() == ["QQQ9"]
    assert counts(reading) == {"read": 1, "unknown_port": 1}


@pytest.mark.parametrize("until", ["2025-06-01", "soon"])
def test_what_only_arrivals_have_is_dropped_from_departures(until: str) -> None:
    reading = one(
        direction="departure", authorised_until=until, admission_class="visitor", stay_limit="none"
    )
    kept = reading.crossings.select("authorised_until", "admission_class", "stay_limit").rows()
    assert kept == [(None, None, "unknown")]
    assert counts(reading) == {"read": 1, "arrival_columns_dropped": 1}


def test_columns_without_a_place_are_dropped_and_counted() -> None:
    reading = one(address="12 Secret Street", phone="555")
    assert "address" not in reading.crossings.columns
    assert counts(reading)["columns_dropped"] == 2


def test_a_date_given_makes_the_stay_limit_dated() -> None:
    reading = one(authorised_until="2025-06-01")
    assert reading.crossings["stay_limit"].to_list() == ["dated"]


def test_rejects_never_hold_a_value_of_the_record() -> None:
    reading = one(surname="CANARYNAME", document_number="CANARYDOC", mode="CANARYMODE")
    assert reading.rejects.height == 1
    assert "CANARY" not in reading.rejects.write_csv()


def test_status_changes_are_known_by_their_columns() -> None:
    text = "status_id,kind,effective_date,new_authorised_until,surname\n"
    reading = read(text + "1,extension,2025-03-01,2025-09-01,A\n2,pardon,2025-03-01,,A\n")
    check_table(reading.status_changes, STATUS_CHANGES)
    assert reading.status_changes["status_id"].to_list() == ["1"]
    assert reasons(reading) == [("line 3", "kind_unknown")]


@pytest.mark.parametrize("ending", ["csv", "ndjson", "parquet"])
def test_small_chunks_give_the_same_rows_and_positions_as_one(tmp_path: Path, ending: str) -> None:
    rows = [row(crossing_id=str(n), mode="air" if n % 3 else "balloon") for n in range(10)]
    frame, path = pl.DataFrame(rows), tmp_path / f"feed.{ending}"
    getattr(frame, f"write_{ending}")(path)
    whole = list(read_file(path, POLICY, source="s", now=NOW))
    parts = list(read_file(path, POLICY, source="s", now=NOW, chunk_rows=3))
    assert len(parts) > len(whole) == 1
    for name in ("crossings", "rejects"):
        joined = pl.concat([getattr(p, name) for p in parts])
        assert joined.equals(getattr(whole[0], name))
    assert whole[0].rejects.height == 4


def test_parquet_types_of_their_own_are_read_as_what_they_say(tmp_path: Path) -> None:
    path = tmp_path / "feed.parquet"
    noon = datetime(2025, 3, 1, 12, 30, tzinfo=UTC)
    odd = row(crossing_id=7, event_time=noon, birth_date=date(1980, 2, 3),
              withdrawn=True, surname=date(2020, 1, 1), given_names=False)  # fmt: skip
    pl.DataFrame([odd]).write_parquet(path)
    (reading,) = read_file(path, POLICY, source="s", now=NOW)
    kept = reading.crossings.row(0, named=True)
    assert (kept["crossing_id"], kept["birth_date"], kept["withdrawn"]) == ("7", "1980-02-03", True)
    assert kept["event_time"] == datetime(2025, 3, 1, 12, 30, tzinfo=UTC)


MEND = [("csv", "utf-8"), ("csv", "utf-16"), ("csv", "latin-1"), ("ndjson", "utf-8")]


@pytest.mark.parametrize(("ending", "encoding"), MEND)
def test_refused_records_can_be_cut_out_mended_and_sent_again(
    tmp_path: Path, ending: str, encoding: str
) -> None:
    names = ["GÖRANSSON", 'A "B",\nC', "D", "É"]
    modes = ["air", "balloon", "sea", "balloon"]
    frame = pl.DataFrame(
        [row(crossing_id=str(i), surname=n, mode=m)
         for i, (n, m) in enumerate(zip(names, modes, strict=True))]
    )  # fmt: skip
    text = frame.write_csv() if ending == "csv" else frame.write_ndjson()
    path, out = tmp_path / f"feed.{ending}", tmp_path / f"refused.{ending}"
    path.write_bytes(("\n" + text).encode(encoding))
    out.write_text("an older file, too open")
    out.chmod(0o644)
    (reading,) = read_file(path, POLICY, source="s", now=NOW)
    assert write_rejected(path, reading.rejects, out) == 2
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    mended = out.read_bytes().decode("latin-1" if encoding == "latin-1" else "utf-8")
    again = read(mended.replace("balloon", "air"), out.name)
    assert again.rejects.height == 0
    assert again.crossings.select("crossing_id", "surname").rows() == [
        ("1", 'A "B",\nC'), ("3", "É")
    ]  # fmt: skip


def test_an_unclosed_quote_is_handed_back_without_its_neighbours(tmp_path: Path) -> None:
    lines = "".join(f"{n},{GOOD}\n" for n in range(2, 80))
    path, out = tmp_path / "feed.csv", tmp_path / "refused.csv"
    path.write_text(f"{COLUMNS}\n1,{GOOD.replace('ANNA', chr(34) + 'ANNA')}\n{lines}")
    (reading,) = read_file(path, POLICY, source="s", now=NOW)
    write_rejected(path, reading.rejects, out)
    assert len(out.read_text().splitlines()) == 2


MAPPING = """
[columns]
crossing_id = "REC"
direction = "DIR"
event_time = "WHEN"
surname = "NAME"
[constants]
mode = "land"
[values.direction]
E = "arrival"
[formats]
event_time = "%d/%m/%Y %H:%M"
time_zone = "Europe/Paris"
"""


def test_a_custodians_own_columns_are_mapped(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(MAPPING)
    data = b"REC,DIR,WHEN,NAME\n1,E,01/07/2025 12:30,A\n2,E,nonsense,A\n3,Q,01/07/2025 12:30,A\n"
    mapping = load_mapping(path)
    reading = read_bytes(data, "x.csv", POLICY, source="s", now=NOW, mapping=mapping)
    assert reading.crossings["event_time"].to_list() == [datetime(2025, 7, 1, 10, 30, tzinfo=UTC)]
    assert reasons(reading) == [
        ("line 3", "event_time_unreadable"), ("line 4", "direction_unknown")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[colums]\n", "columns"),
        ('[columns]\nname = "X"\n', "surname"),
        ('[formats]\ntime_zone = "Mars/Base"\n', "IANA"),
        ('columns = "x"\n', "columns"),
        ("[columns]\nsurname = 3\n", "surname"),
        ('[values]\ndirection = "E"\n', "direction"),
        ("not toml", "TOML"),
    ],
)
def test_a_wrong_mapping_says_what_was_expected(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(text)
    with pytest.raises(ReadError, match=says):
        load_mapping(path)


def test_a_mapping_of_columns_that_are_not_there_names_them(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(MAPPING + '[values.evidence]\nB = "booked"\n')
    mapping = load_mapping(path)
    for data in (b"REC,DIR\n1,E\n", b"REC,DIR,WHEN,NAME\n1,E,01/07/2025 12:30,A\n"):
        with pytest.raises(ReadError, match=r"NAME|evidence"):
            read_bytes(data, "x.csv", POLICY, source="s", now=NOW, mapping=mapping)


@pytest.mark.shared_data
@pytest.mark.skipif(not SPECTRUM.is_dir(), reason="samples by others are not here")
def test_cells_are_what_the_csv_spectrum_says() -> None:
    from sojourn.read.common import Notes
    from sojourn.read.raw import Limits, csv_chunks

    for path in sorted(SPECTRUM.glob("*.csv")):
        expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
        expected = [expected] if isinstance(expected, dict) else expected
        notes = Notes("d")
        (frame,) = csv_chunks(path.read_bytes(), Limits(65536, 1000), notes, "s")
        assert notes.rejects == [], path.name
        found = frame.drop("position").to_dicts()
        assert [_plain(r) for r in found] == [_plain(r) for r in expected], path.name


def _plain(cells: dict[str, str]) -> dict[str, str]:
    # The samples' own error: location_coordinates has another number in its .csv than its .json.
    return {k: v.replace("\r\n", "\n") for k, v in cells.items() if k != "Contact Phone Number"}


def test_our_cells_agree_with_the_standard_library() -> None:
    text = 'a;b\n"x;1";2\n;\n"q""q";"l\nm"\n'
    from sojourn.read.common import Notes
    from sojourn.read.raw import Limits, csv_chunks

    (frame,) = csv_chunks(text.encode(), Limits(65536, 1000), Notes("d"), "s")
    expected = list(csv.reader(io.StringIO(text), delimiter=";"))[1:]
    assert [list(r) for r in frame.drop("position").rows()] == expected
