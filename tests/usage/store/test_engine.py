"""Threads that call the engine at the same time share the cores with its own; Ctrl-C ends its queries like all else."""

from __future__ import annotations

import os
import subprocess
import sys
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


STOPPED = """
import os, signal, threading
from contextlib import closing
from pathlib import Path
from breakeven.cli import main
from breakeven.usage.store.engine import Engine

def asked(**_):
    with closing(Engine(Path("spill"))) as engine:
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        engine.ASKS("SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b")

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in a shell's background would ignore it
BEGINS
"""


@pytest.mark.parametrize("asks", ["run", "_connection.execute"])
def test_ctrl_c_in_a_query_stops_in_one_word(tmp_path: Path, asks: str) -> None:
    """DuckDB makes a RuntimeError of it, which would be printed with all its lines."""
    ours = "try:\n    asked()\nexcept KeyboardInterrupt:\n    raise SystemExit('stopped')"
    began = ours if asks == "run" else "main.group.main = asked\nmain.main()"
    program = STOPPED.replace("ASKS", asks).replace("BEGINS", began)
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.stdout, ended.stderr) == ("", "stopped\n")
    assert ended.returncode == (1 if asks == "run" else 130)
