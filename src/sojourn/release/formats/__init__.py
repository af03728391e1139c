"""Published figures as files: SDMX 3.0, CSV with CSVW metadata, Parquet. Figures in, bytes out.

Pure: no clock, no store, no network. What may be published is the gate's to decide; here it is
only written, after every code was checked against its list.
"""

from sojourn.release.formats.codes import (
    Code,
    CodeList,
    CodeLists,
    build_code_lists,
    code_figures,
    nationality_names,
)
from sojourn.release.formats.csvw import write_csvw, zip_files
from sojourn.release.formats.parquet import write_parquet
from sojourn.release.formats.publication import NOTE, TITLE, Publication, publication_of
from sojourn.release.formats.sdmx import build_structures, write_data, write_structures
from sojourn.release.formats.words import METHODS, QUANTITIES, Words

__all__ = [
    "METHODS",
    "NOTE",
    "QUANTITIES",
    "TITLE",
    "Code",
    "CodeList",
    "CodeLists",
    "Publication",
    "Words",
    "build_code_lists",
    "build_structures",
    "code_figures",
    "nationality_names",
    "publication_of",
    "write_csvw",
    "write_data",
    "write_parquet",
    "write_structures",
    "zip_files",
]
