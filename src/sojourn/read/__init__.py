"""What sources send, checked: files in, crossings and status changes out.

In: CSV, NDJSON or Parquet in the documented columns (or mapped to them), UN/EDIFACT PAXLST, with
machine-readable zones where a column has them. Out: ``Reading``. What is refused is kept with
its position and reason, never its values; one bad record never loses its neighbours.
"""

from sojourn.read.common import Reading, file_digest
from sojourn.read.mapping import Mapping, load_mapping
from sojourn.read.mrz import Zone, parse_zone
from sojourn.read.reader import read, read_bytes, read_file
from sojourn.read.rejected import write_rejected

__all__ = [
    "Mapping",
    "Reading",
    "Zone",
    "file_digest",
    "load_mapping",
    "parse_zone",
    "read",
    "read_bytes",
    "read_file",
    "write_rejected",
]
