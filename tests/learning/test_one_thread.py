"""One thread: while it is entered, and not after."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.learning import one_thread
from breakeven.learning.one_thread import one_thread as limited


def _threads() -> list[int]:
    pools = pytest.importorskip("threadpoolctl").threadpool_info()
    return [each["num_threads"] for each in pools if each["user_api"] == "blas"]


def test_threads_are_one_inside_and_as_before_outside() -> None:
    assert np.ones((2, 2)).sum() == 4
    before = _threads()
    with limited():
        assert set(_threads()) == {1}
    assert _threads() == before


def test_without_the_library_nothing_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_thread, "find_spec", lambda _: None)
    before = _threads()
    with limited():
        assert _threads() == before
