"""Word kernel: what eight bytes of a line say, looked at as one number; part of the line kernel.

The first byte lies lowest. A test of all eight at once leaves the highest bit of each byte that passes; bytes above the
first such one may be wrong (a borrow runs upwards), the first one never is, and no more is asked.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from breakeven.compiled import njit

kernel: Final = partial(njit, nogil=True, _nrt=False)
"""Compiles a function of the line kernel. None keeps an array beyond a call, so nobody counts who holds one: these
counts, two atomic steps for each array of each call, were a third of the time."""
_ONES: Final = np.uint64(0x0101010101010101)
_HIGHS: Final = np.uint64(0x8080808080808080)
_QUOTES: Final = np.uint64(0x2222222222222222)
_BACKSLASHES: Final = np.uint64(0x5C5C5C5C5C5C5C5C)
_SPACES: Final = np.uint64(0x2020202020202020)
_ZEROS: Final = np.uint64(0x3030303030303030)
_TO_NINE: Final = np.uint64(0x7676767676767676)
"""Added to bytes up to 9, it leaves the highest bit alone."""
_NONE, _1, _3, _8, _16, _32, _56 = (np.uint64(each) for each in (0, 1, 3, 8, 16, 32, 56))
_TENS, _PAIRS = np.uint64(10 << 8 | 1), np.uint64(0x00FF00FF00FF00FF)
_HUNDREDS, _FOURS = np.uint64(100 << 16 | 1), np.uint64(0x0000FFFF0000FFFF)
_TEN_THOUSANDS: Final = np.uint64(10_000 << 32 | 1)


def _word_at(_: Any, data: Any, i: Any) -> Any:
    """The eight bytes of `data` from place `i` on, as one number."""

    def built(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        found = builder.load(_place(context, builder, signature, values))
        found.align = 1
        return found

    return types.uint64(data, i), built


def _put_word(_: Any, data: Any, i: Any, word: Any) -> Any:
    """Write eight bytes into `data` from place `i` on."""

    def built(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        written = builder.store(values[2], _place(context, builder, signature, values))
        written.align = 1
        return context.get_dummy_value()

    return types.void(data, i, word), built


def _place(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, values[0])
    return builder.bitcast(builder.gep(array.data, [values[1]]), ir.IntType(64).as_pointer())


word_at: Final[Any] = intrinsic(_word_at)
put_word: Final[Any] = intrinsic(_put_word)


@kernel(inline="always")
def plain_count(word: Any) -> Any:
    """How many bytes come before the first quote, backslash or control character; 8 where there is none."""
    quoted, escaped = word ^ _QUOTES, word ^ _BACKSLASHES
    found = (quoted - _ONES) & ~quoted | (escaped - _ONES) & ~escaped | (word - _SPACES) & ~word
    return _before(found & _HIGHS)


@kernel(inline="always")
def digits_count(word: Any) -> Any:
    """How many digits come first."""
    values = word ^ _ZEROS
    return _before(((values + _TO_NINE) | values) & _HIGHS)


@kernel(inline="always")
def digits_value(word: Any, count: Any) -> Any:
    """The number in the first `count` bytes, which are digits; there is at least one."""
    values = (word ^ _ZEROS) << ((_8 - count) << _3)
    values = ((values * _TENS) >> _8) & _PAIRS
    values = ((values * _HUNDREDS) >> _16) & _FOURS
    return np.int64((values * _TEN_THOUSANDS) >> _32)


@kernel(inline="always")
def _before(found: Any) -> Any:
    """How many bytes lie below the lowest bit that is set, which is the highest of its byte; 8 where none is."""
    below = (found - _1) & ~found
    return ((below & _ONES) * _ONES >> _56) - _1 if found else _8
