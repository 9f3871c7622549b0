"""Threads that call the engine at the same time share the cores with its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from breakeven.usage.store.engine import Engine


def test_the_cores_are_shared_while_several_threads_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(tmp_path / "spill")
    asked = "SELECT current_setting('threads')"
    alone_count = engine.value(asked)
    for cores_count, callers_count, threads_count in ((2, 2, 1), (16, 4, 4), (1, 4, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda cores_count=cores_count: cores_count)
        engine.share(callers_count)
        assert engine.value(asked) == threads_count
        assert engine.is_shared
    engine.share_no_more()
    engine.share_no_more()
    assert engine.value(asked) == alone_count
    engine.close()
