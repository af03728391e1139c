"""SHA-256's rounds for sixteen messages side by side, and for one (FIPS 180-4, 6.2.2).

In: chaining states and message blocks. Out: the next states. The rounds are written once, as
LLVM instructions on 32-bit words: numba widens every integer to 64 bits, which hides the
rotations from the compiler and keeps it from using vectors. LLVM fits a vector of sixteen
words to what the machine has, so that nothing here depends on a processor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numba as nb
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.extending import intrinsic
from numpy.typing import NDArray

from sojourn.compiled import lean

LANES = 16
BLOCK = 64
MOST_BYTES = BLOCK - 9  # what one padded block can hold
_WORD = ir.IntType(32)
_VECTOR = ir.VectorType(_WORD, LANES)
_MASK = (1 << 32) - 1
_TWO_BLOCKS_BITS = 8 * (BLOCK + 32)  # of HMAC's outer message: the key's block and a digest


def _primes(count: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % p for p in found):
            found.append(candidate)
        candidate += 1
    return found


def _root_bits(prime: int, root: int) -> int:
    """First 32 bits of the fractional part of a prime's square or cube root (FIPS 180-4, 4.2.2)."""
    if root == 2:
        return math.isqrt(prime << 64) & _MASK
    scaled = prime << 96
    low, high = 0, 1 << 40
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= scaled else (low, middle - 1)
    return low & _MASK


INITIAL = np.array([_root_bits(p, 2) for p in _primes(8)], dtype=np.uint32)
_ROUNDS = [_root_bits(p, 3) for p in _primes(64)]


class _Writer:
    """Writes the rounds for one word type: a single word, or a vector of them."""

    def __init__(self, builder: Any, kind: ir.Type) -> None:
        self._to, self._kind = builder, kind
        name = "llvm.fshr.i32" if kind is _WORD else f"llvm.fshr.v{LANES}i32"
        signature = ir.FunctionType(kind, (kind, kind, kind))
        module = builder.module
        self._turn = module.globals.get(name) or ir.Function(module, signature, name)

    def constant(self, value: int) -> ir.Constant:
        if self._kind is _WORD:
            return ir.Constant(_WORD, value)
        return ir.Constant(_VECTOR, [value] * LANES)

    def _rotate(self, x: Any, by: int) -> Any:
        return self._to.call(self._turn, (x, x, self.constant(by)))

    def _xor(self, a: Any, b: Any, c: Any) -> Any:
        return self._to.xor(self._to.xor(a, b), c)

    def _sum(self, first: Any, *rest: Any) -> Any:
        for term in rest:
            first = self._to.add(first, term)
        return first

    def _schedule(self, w: list[Any]) -> Any:
        """The next word of the message schedule; ``w`` holds the sixteen before it."""
        to = self._to
        x, y = w[1], w[14]
        s0 = self._xor(self._rotate(x, 7), self._rotate(x, 18), to.lshr(x, self.constant(3)))
        s1 = self._xor(self._rotate(y, 17), self._rotate(y, 19), to.lshr(y, self.constant(10)))
        return self._sum(w[0], s0, w[9], s1)

    def rounds(self, state: list[Any], words: list[Any]) -> list[Any]:
        """One block: the state after it."""
        to = self._to
        a, b, c, d, e, f, g, h = state
        w = list(words)
        for number in range(64):
            word = w[number] if number < 16 else self._schedule(w[-16:])
            if number >= 16:
                w.append(word)
            s1 = self._xor(self._rotate(e, 6), self._rotate(e, 11), self._rotate(e, 25))
            choice = to.xor(g, to.and_(e, to.xor(f, g)))
            t1 = self._sum(h, s1, choice, self.constant(_ROUNDS[number]), word)
            s0 = self._xor(self._rotate(a, 2), self._rotate(a, 13), self._rotate(a, 22))
            most = to.or_(to.and_(a, b), to.and_(c, to.or_(a, b)))
            h, g, f, e = g, f, e, to.add(d, t1)
            d, c, b, a = c, b, a, self._sum(t1, s0, most)
        return [to.add(x, y) for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True)]


def _data(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.make_array(kind)(context, builder, value).data


def _place(builder: Any, data: Any, kind: ir.Type, number: int) -> Any:
    """A pointer to the ``number``-th word or vector of an array's data."""
    start = builder.bitcast(data, kind.as_pointer())
    return builder.gep(start, [ir.Constant(ir.IntType(64), number)])


def _load(builder: Any, data: Any, kind: ir.Type, count: int) -> list[Any]:
    return [builder.load(_place(builder, data, kind, i), align=4) for i in range(count)]


def _store(builder: Any, data: Any, kind: ir.Type, values: list[Any]) -> None:
    for number, value in enumerate(values):
        builder.store(value, _place(builder, data, kind, number), align=4)


def _call(builder: Any, name: str, data: list[Any], body: Callable[[Any, list[Any]], None]) -> None:
    """Call ``body`` as a function of its own: inlined at each use, it would take LLVM minutes."""
    module = builder.module
    function = module.globals.get(name)
    if function is None:
        kinds = [pointer.type for pointer in data]
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), name)
        function.linkage = "linkonce_odr"
        function.attributes.add("noinline")
        inside = ir.IRBuilder(function.append_basic_block())
        body(inside, list(function.args))
        inside.ret_void()
    builder.call(function, data)


def _write_block(builder: Any, data: list[Any]) -> None:
    """State (8) and words (16) of one message; the state is changed in place."""
    state, words = data
    after = _Writer(builder, _WORD).rounds(
        _load(builder, state, _WORD, 8), _load(builder, words, _WORD, 16)
    )
    _store(builder, state, _WORD, after)


def _write_lanes(builder: Any, data: list[Any]) -> None:
    """HMAC of sixteen one-block messages: lane ``l`` of word ``i`` is at ``16 i + l``."""
    words, inner, outer, out = data
    writer = _Writer(builder, _VECTOR)
    digest = writer.rounds(_load(builder, inner, _VECTOR, 8), _load(builder, words, _VECTOR, 16))
    padding = [0x80000000, 0, 0, 0, 0, 0, 0, _TWO_BLOCKS_BITS]
    message = digest + [writer.constant(p) for p in padding]
    _store(builder, out, _VECTOR, writer.rounds(_load(builder, outer, _VECTOR, 8), message))


def _written(name: str, body: Callable[[Any, list[Any]], None]) -> Callable[..., Any]:
    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = [
            _data(context, builder, kind, value)
            for kind, value in zip(signature.args, args, strict=True)
        ]
        _call(builder, name, data, body)
        return context.get_dummy_value()

    return write


@intrinsic
def _one_block(typing: Any, state: Any, words: Any) -> Any:
    return nb.types.void(state, words), _written("sojourn_sha256_block", _write_block)


@intrinsic
def _all_lanes(typing: Any, words: Any, inner: Any, outer: Any, out: Any) -> Any:
    signature = nb.types.void(words, inner, outer, out)
    return signature, _written("sojourn_hmac256_lanes", _write_lanes)


@lean
def next_state(state: NDArray[np.uint32], words: NDArray[np.uint32]) -> None:
    """Take one block's sixteen words into ``state`` (8), in place. Both contiguous."""
    _one_block(state, words)  # type: ignore[call-arg]  # numba gives the first


class Lanes(NamedTuple):
    """Room for sixteen messages of at most MOST_BYTES, each with its key's prepared states."""

    words: NDArray[np.uint32]  # 16 x LANES
    inner: NDArray[np.uint32]  # 8 x LANES
    outer: NDArray[np.uint32]
    digest: NDArray[np.uint32]


@nb.njit(cache=True, nogil=True)
def new_lanes() -> Lanes:
    return Lanes(
        np.zeros((16, LANES), np.uint32),
        np.zeros((8, LANES), np.uint32),
        np.zeros((8, LANES), np.uint32),
        np.zeros((8, LANES), np.uint32),
    )


@lean
def load_lane(
    lanes: Lanes, lane: int, message: NDArray[np.uint8], length: int,
    inner: NDArray[np.uint32], outer: NDArray[np.uint32],
) -> None:  # fmt: skip
    """Put ``message[:length]`` in a lane, padded; overwrites ``message`` up to a block's end."""
    message[length] = 0x80
    for i in range(length + 1, BLOCK - 8):
        message[i] = 0
    for i in range(14):
        lanes.words[i, lane] = (
            (np.uint32(message[4 * i]) << np.uint32(24))
            | (np.uint32(message[4 * i + 1]) << np.uint32(16))
            | (np.uint32(message[4 * i + 2]) << np.uint32(8))
            | np.uint32(message[4 * i + 3])
        )
    lanes.words[14, lane] = 0
    lanes.words[15, lane] = (BLOCK + length) * 8
    for i in range(8):
        lanes.inner[i, lane] = inner[i]
        lanes.outer[i, lane] = outer[i]


@lean
def run_lanes(lanes: Lanes) -> None:
    """Fill ``digest`` with the HMACs of all lanes; what a lane does not use is noise."""
    _all_lanes(lanes.words, lanes.inner, lanes.outer, lanes.digest)  # type: ignore[call-arg]
