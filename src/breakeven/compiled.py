"""Compiled: loops that numba compiles, kept on disk where there is a folder for them, else compiled in each process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def njit(**options: Any) -> Callable[[Kernel], Kernel]:
    """numba's `njit(cache=True, **options)`; without the cache where no folder can be written (a read-only machine)."""

    def compiled(function: Kernel) -> Kernel:
        import numba

        try:
            return cast(Kernel, numba.njit(cache=True, **options)(function))
        except RuntimeError:  # no folder to keep it in
            return cast(Kernel, numba.njit(**options)(function))

    return compiled
