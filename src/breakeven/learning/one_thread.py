"""One thread: linear algebra on one thread, where products are so small that more of them only wait for each other."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """While it is entered BLAS uses one thread, where threadpoolctl (it comes with scikit-learn) is installed."""
    if find_spec("threadpoolctl") is None:
        return nullcontext()
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    limits: AbstractContextManager[Any] = threadpool_limits(1, "blas")
    return limits
