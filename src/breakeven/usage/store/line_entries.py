"""Line entries: the functions of the line kernel for callers that know addresses and sizes only, and their assembly.

An array comes as the address of its first value, followed by its length in each dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numba
from numba.np import arrayobj

from breakeven.usage.store.line_kernel import copy_texts, lengths_of, scan
from breakeven.usage.store.text_kernel import find_lines, hash_texts

_COMPILER: Final[Any] = numba
_ARRAYS: Final[Any] = arrayobj
_array: Final[Any] = _ARRAYS.get_cfarray_intrinsic("C", None)
"""What `numba.carray` is made of, which itself can only be used where arrays are counted."""


def _scan(a: Any) -> None:
    scan(
        _array(a[0], a[1:2]),
        _array(a[2], a[3:4]),
        a[4],
        _array(a[5], a[6:8]),
        _array(a[8], a[9:11]),
        _array(a[11], a[12:13]),
        _array(a[13], a[14:15]),
        _array(a[15], a[16:18]),
        _array(a[18], a[19:22]),
        _array(a[22], a[23:25]),
        _array(a[25], a[26:28]),
        _array(a[28], a[29:30]),
        _array(a[30], a[31:32]),
        _array(a[32], a[33:34]),
        _array(a[34], a[35:37]),
        _array(a[37], a[38:40]),
        _array(a[40], a[41:43]),
        _array(a[43], a[44:47]),
        _array(a[47], a[48:49]),
        _array(a[49], a[50:52]),
        _array(a[52], a[53:55]),
    )


def _lengths_of(a: Any) -> None:
    lengths_of(_array(a[0], a[1:3]), _array(a[3], a[4:5]), a[5], _array(a[6], a[7:8]))


def _copy_texts(a: Any) -> None:
    copy_texts(_array(a[0], a[1:2]), _array(a[2], a[3:5]), _array(a[5], a[6:7]), _array(a[7], a[8:9]))


def _find_lines(a: Any) -> None:
    find_lines(_array(a[0], a[1:2]), _array(a[2], a[3:4]), _array(a[4], a[5:6]))


def _hash_texts(a: Any) -> None:
    hash_texts(_array(a[0], a[1:2]), _array(a[2], a[3:4]), _array(a[4], a[5:6]))


_ENTRIES: Final[Mapping[str, Callable[..., None]]] = {
    "scan": _scan,
    "lengths_of": _lengths_of,
    "copy_texts": _copy_texts,
    "find_lines": _find_lines,
    "hash_texts": _hash_texts,
}


def assembled(name: str, kinds: Sequence[tuple[Any, int] | None]) -> tuple[str, str]:
    """The symbol of an entry and the assembly, as LLVM writes it, of all that it needs."""
    types, taken = _COMPILER.types, []
    for kind in kinds:
        if kind is None:
            taken.append(types.int64)
        else:
            taken += (types.CPointer(_COMPILER.from_dtype(kind[0])), *[types.int64] * kind[1])
    entry = _COMPILER.njit(_nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)(_ENTRIES[name])
    entry.compile((types.Tuple(taken),))
    ((signature, compiled),) = entry.overloads.items()
    return compiled.fndesc.llvm_func_name, entry.inspect_llvm(signature)
