"""Loops are compiled also where no folder can keep what was compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import pytest

from breakeven.compiled import njit


def test_without_a_folder_it_is_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def nowhere(*, cache: bool = False, **options: Any) -> Callable[..., Any]:
        asked.append((cache, options))
        if cache:
            raise RuntimeError("cannot cache function: no locator available for file")
        return lambda function: function

    monkeypatch.setattr(numba, "njit", nowhere)

    @njit(error_model="numpy")
    def double(x: float) -> float:
        return 2 * x

    assert double(4.0) == 8.0
    assert asked == [(True, {"error_model": "numpy"}), (False, {"error_model": "numpy"})]
