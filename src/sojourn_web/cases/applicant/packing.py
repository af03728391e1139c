"""Vendored styles, packed once, so that a page weighs on the line what it weighs in the tests.

In: ``static/vendor/*.css``. Out: ``.css.gz`` beside them, which WhiteNoise hands to browsers that
take it. In no repository: the folder is made at set-up.
"""

from __future__ import annotations

import gzip
import secrets
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "static" / "vendor"


def pack_styles(folder: Path = VENDOR) -> int:
    """Pack what is newer than its packed twin; how many."""
    count = 0
    for source in folder.glob("*.css"):
        packed = source.with_name(f"{source.name}.gz")
        if packed.exists() and packed.stat().st_mtime >= source.stat().st_mtime:
            continue
        fresh = packed.with_name(f".{secrets.token_hex(4)}.gz")
        try:
            fresh.write_bytes(gzip.compress(source.read_bytes(), 9, mtime=0))
            fresh.replace(packed)
        except PermissionError:  # an installed package that nobody may write: heavier pages
            return count
        count += 1
    return count
