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
    final_from,
    is_provisional,
    nationality_names,
)
from sojourn.release.formats.csvw import save_zip, stream_csvw, write_csvw, zip_files
from sojourn.release.formats.parquet import save_parquet, write_parquet
from sojourn.release.formats.publication import NOTE, TITLE, Publication, publication_of
from sojourn.release.formats.sdmx import (
    build_structures,
    can_write_ml,
    stream_data,
    write_data,
    write_structures,
    write_structures_ml,
)
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
    "can_write_ml",
    "code_figures",
    "final_from",
    "is_provisional",
    "nationality_names",
    "publication_of",
    "save_parquet",
    "save_zip",
    "stream_csvw",
    "stream_data",
    "write_csvw",
    "write_data",
    "write_parquet",
    "write_structures",
    "write_structures_ml",
    "zip_files",
]
