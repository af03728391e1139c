"""Tell the processor what will be looked at soon: memory far away takes a hundred steps to come.

In: an array and a place in it. Out: nothing; a hint that changes no result. As LLVM instructions,
for numba has no word for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba as nb
from llvmlite import ir  # type: ignore[import-untyped]
from numba.extending import intrinsic

_READ, _KEEP, _DATA = 0, 3, 1  # LLVM: will be read; in every cache; data and no instructions


@intrinsic
def prefetch(typing: Any, array: Any, at: Any) -> tuple[Any, Callable[..., Any]]:
    """``prefetch(array, at)``: the element at flat place ``at`` of a contiguous array."""

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        hint = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [args[1]]), byte)
        builder.call(hint, [place, *(ir.Constant(word, v) for v in (_READ, _KEEP, _DATA))])
        return context.get_dummy_value()

    return nb.types.void(array, nb.types.intp), write
