"""Identity leaves here: checked crossings in, encodings out.

In: CROSSINGS or STATUS_CHANGES, a KeyProvider, the encode policy. Out: ENCODINGS or
STATUS_ENCODINGS, with no name, document, birth date or source record id in them. What a match
key is: ``matchkeys``. How secrets are kept: ``keys``. How names become A-Z: ``names``. Departures
of nobody: ``decoys``.
"""

from sojourn.encode.decoys import Decoys, make_decoys
from sojourn.encode.encoder import encodable, encode, encode_status
from sojourn.encode.keys import (
    FileKeyProvider,
    KeyProvider,
    MemoryKeyProvider,
    Purpose,
    epoch_of,
)

__all__ = [
    "Decoys",
    "FileKeyProvider",
    "KeyProvider",
    "MemoryKeyProvider",
    "Purpose",
    "encodable",
    "encode",
    "encode_status",
    "epoch_of",
    "make_decoys",
]
