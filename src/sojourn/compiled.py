"""How the kernels are compiled, and where the compiled ones are kept.

``lean`` is for functions that make no arrays and take no slices of them: without numba's counting
of references to each array that is passed on (a tuple of columns is ten arrays). Counting took
three fifths of the time of making match keys. What makes arrays is compiled with ``nb.njit``.

numba keeps a compiled function until its own file changes, though functions of other files are
compiled into it: a change there would leave the old one in use, silently wrong. So the cache's
place is named by a digest of all kernels' sources. Importing this module sets it: every module
that compiles anything imports this one first.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba as nb

F = TypeVar("F", bound=Callable[..., Any])

# Not among numba's documented options; its own runtime is compiled with it. Where a numba has it
# no more, importing this fails, and taking it out costs time alone.
_WITHOUT_COUNTING: dict[str, Any] = {"_nrt": False}
_ROOM = Path(__file__).parent
_CACHES = _ROOM / "__pycache__"
_NAME = "kernels-"


def lean(function: F) -> F:
    """Compile ``function`` without memory management; numba refuses one that would need it."""
    return cast(F, nb.njit(cache=True, nogil=True, **_WITHOUT_COUNTING)(function))


def sources_digest() -> str:
    """Of every source that is compiled or gives compiled code its constants (hex, 12 digits)."""
    digest = hashlib.sha256()
    for path in sorted([*_ROOM.glob("encode/*.py"), *_ROOM.glob("link/*.py"),
                        _ROOM / "vocabulary.py", Path(__file__)]):  # fmt: skip
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _keep_kernels() -> None:
    """Beside this file where that can be written to, else where numba would put them."""
    if os.environ.get("NUMBA_CACHE_DIR") or not os.access(_ROOM, os.W_OK):
        return
    mine = _CACHES / (_NAME + sources_digest())
    for other in _CACHES.glob(_NAME + "*"):
        if other != mine:
            shutil.rmtree(other, ignore_errors=True)
    nb.config.CACHE_DIR = str(mine)  # type: ignore[attr-defined]  # numba has no types


_keep_kernels()
