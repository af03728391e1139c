"""How the kernels are compiled.

``lean`` is for functions that make no arrays and take no slices of them: without numba's counting
of references to each array that is passed on (a tuple of columns is ten arrays). Counting took
three fifths of the time of making match keys. What makes arrays is compiled with ``nb.njit``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba as nb

F = TypeVar("F", bound=Callable[..., Any])

# Not among numba's documented options; its own runtime is compiled with it. Where a numba has it
# no more, importing this fails, and taking it out costs time alone.
_WITHOUT_COUNTING: dict[str, Any] = {"_nrt": False}


def lean(function: F) -> F:
    """Compile ``function`` without memory management; numba refuses one that would need it."""
    return cast(F, nb.njit(cache=True, nogil=True, **_WITHOUT_COUNTING)(function))
