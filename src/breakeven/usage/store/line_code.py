"""Line code: the line kernel as machine code, kept on disk and loaded without its compiler.

To import numba and to have it look up what it compiled before takes as long as the kernel takes for a million rows. So
the machine code lies in a file of its own, named after all that it depends on, and llvmlite, which is a tenth of that
work, puts it into memory. Where this cannot be, numba does as it always does: the functions are the same.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Kind = tuple[type[np.generic], int] | None
"""The type and the number of dimensions of an array; None is a whole number."""
_BYTES: Final = (np.uint8, 1)
_NUMBERS, _TABLE, _BLOCK = (np.int32, 1), (np.int32, 2), (np.int32, 3)
_WORDS: Final = (np.uint64, 2)
KINDS: Final[Mapping[str, tuple[Kind, ...]]] = {
    "scan": (
        *(_BYTES, _NUMBERS, None, _TABLE, _WORDS, _NUMBERS, _NUMBERS, _TABLE, _BLOCK, (np.float64, 2)),
        *((np.uint8, 2), _BYTES, _NUMBERS, (np.uint64, 1), _TABLE, _WORDS, _TABLE, _BLOCK, (np.int64, 1), _TABLE),
        (np.int64, 2),
    ),
    "lengths_of": (_TABLE, _BYTES, None, _NUMBERS),
    "copy_texts": (_BYTES, _TABLE, _NUMBERS, _BYTES),
    "find_lines": (_BYTES, _NUMBERS, (np.int64, 1)),
    "hash_texts": (_BYTES, _NUMBERS, (np.uint64, 1)),
}
"""What the functions of the line kernel take."""
_SOURCES: Final = (
    "line_kernel.py",
    "number_kernel.py",
    "word_kernel.py",
    "text_kernel.py",
    "line_entries.py",
    "line_code.py",
    "../call.py",
)
_IN_EVERY_PROCESS: Final = frozenset({"floor", "memcpy", "memmove", "memset"})
"""What the code may call: LLVM ends the process where it does not find a function."""
_OPTIMISED: Final = 3
_LOCK: Final = threading.Lock()
_LOADED: list[LineCode] = []


@dataclass(frozen=True, slots=True)
class LineCode:
    """The functions of the line kernel, for arrays as in `KINDS`."""

    scan: Callable[..., None]
    lengths_of: Callable[..., None]
    copy_texts: Callable[..., None]
    find_lines: Callable[..., None]
    hash_texts: Callable[..., None]
    holds: object = None
    """What must stay as long as they are called."""


def is_loadable() -> bool:
    """Whether there is such code here: neither where numba is told not to compile, nor where nothing can be."""
    try:
        line_code()
    except (ImportError, RuntimeError, NotImplementedError, AttributeError, TypeError):
        return False
    return True


def line_code() -> LineCode:
    """The functions, loaded once in a process."""
    with _LOCK:
        if not _LOADED:
            with _uncollected():
                _LOADED.append(_kept_code() or compiled_code())
        return _LOADED[0]


def loaded_code() -> LineCode | None:
    """The functions, where somebody has loaded them."""
    return _LOADED[0] if _LOADED else None


def compiled_code() -> LineCode:
    """The functions as numba loads them; RuntimeError where it is told not to compile."""
    from breakeven.usage.store import line_kernel, text_kernel

    if not hasattr(line_kernel.scan, "py_func"):
        raise RuntimeError("numba is told not to compile (NUMBA_DISABLE_JIT)")
    of_lines = (line_kernel.scan, line_kernel.lengths_of, line_kernel.copy_texts)
    return LineCode(*of_lines, text_kernel.find_lines, text_kernel.hash_texts)


def _kept_code() -> LineCode | None:
    """The functions from their file, which is made where there is none; None where that cannot be."""
    name = f"line_code-{_key()}.o"
    for folder in _folders():
        with suppress(OSError, ValueError, KeyError, TypeError, RuntimeError):
            return _loaded(_content((folder / name).read_bytes()))
    try:
        symbols, code = _compiled()
        content = _Content(symbols, code)
    except (ImportError, AttributeError, TypeError, RuntimeError):
        return None
    for folder in _folders():
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            beside = folder / f"{name}.{os.getpid()}"
            beside.write_bytes(content.written())
            beside.replace(folder / name)
            break
    with suppress(OSError, RuntimeError):
        return _loaded(content)
    return None


@dataclass(frozen=True, slots=True)
class _Content:
    """Machine code, and the symbol of each function in it."""

    symbols: dict[str, str]
    code: bytes

    def written(self) -> bytes:
        """A line that tells the symbols and a hash of what follows, and the code."""
        head = {"symbols": self.symbols, "sha256": hashlib.sha256(self.code).hexdigest()}
        return json.dumps(head).encode() + b"\n" + self.code


def _content(written: bytes) -> _Content:
    """What is in a file; ValueError where it is not whole."""
    head, _, code = written.partition(b"\n")
    told = json.loads(head)
    if hashlib.sha256(code).hexdigest() != told["sha256"]:
        raise ValueError("the kept code is damaged")
    return _Content(told["symbols"], code)


def _folders() -> Iterator[Path]:
    """Where the code may be kept: as numba chooses, beside the sources or with the user's caches."""
    if told := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(told)
    yield Path(__file__).parent / "__pycache__"
    with suppress(RuntimeError):  # no home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "breakeven"


def _key() -> str:
    """A hash of all that the machine code depends on: sources, compiler, processor."""
    import llvmlite.binding as llvm

    told = hashlib.sha256()
    for name in _SOURCES:
        told.update((Path(__file__).parent / name).read_bytes())
    machine = (llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())
    told.update(repr((version("numba"), version("llvmlite"), *machine)).encode())
    return told.hexdigest()[:32]


def _machine() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), _OPTIMISED, jit=True
    )


def _loaded(content: _Content) -> LineCode:
    """Machine code in memory, as functions."""
    import llvmlite.binding as llvm

    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(content.code))
    engine.finalize_object()
    functions = {}
    for name, symbol in content.symbols.items():
        sizes = [1 if kind is None else 1 + kind[1] for kind in KINDS[name]]
        prototype = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * sum(sizes))
        if not (address := engine.get_function_address(symbol)):
            raise RuntimeError(f"no {name} in the machine code")
        functions[name] = partial(_called, prototype(address), KINDS[name])
    return LineCode(**functions, holds=engine)


def _called(function: Any, kinds: Sequence[Kind], *values: int | NDArray[Any]) -> None:
    """Call machine code as numba writes it: room for the result and for an error come first."""
    flat: list[int] = []
    for kind, value in zip(kinds, values, strict=True):
        if isinstance(value, int):
            assert kind is None
            flat.append(value)
        else:
            assert kind == (value.dtype.type, value.ndim)
            assert value.flags.c_contiguous
            flat += (value.__array_interface__["data"][0], *value.shape)
    result, error = ctypes.c_void_p(), ctypes.c_void_p()
    if function(ctypes.byref(result), ctypes.byref(error), *flat):
        raise RuntimeError("the line kernel failed")


def _compiled() -> tuple[dict[str, str], bytes]:
    """The symbols of the functions, and their machine code."""
    import llvmlite.binding as llvm

    from breakeven.usage.store.line_entries import assembled

    symbols, whole = {}, llvm.parse_assembly("")
    for name, kinds in KINDS.items():
        symbols[name], text = assembled(name, kinds)
        whole.link_in(llvm.parse_assembly(text))
    foreign = {each.name for each in whole.functions if each.is_declaration and not each.name.startswith("llvm.")}
    if not foreign <= _IN_EVERY_PROCESS:
        raise RuntimeError(f"the machine code needs {foreign - _IN_EVERY_PROCESS}")
    return symbols, _machine().emit_object(whole)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage is looked for while compiled code is loaded: very many objects come, all of which stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
