"""The line kernel as kept machine code does what it does as numba loads it, and comes back when its file is spoilt."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from breakeven.usage.store import line_code
from breakeven.usage.store.line_code import KINDS, LineCode, compiled_code
from breakeven.usage.store.plain_lines import PlainLines, PlainRows, Wanted

WANTED = Wanted(
    texts={"record_id": [("id",)], "task": [("task",), ("tags", "task")], "model": [("model",)]},
    numbers={"input_tokens": [("usage", "in")], "cost_usd": [("cost",)]},
    counts=frozenset({"input_tokens"}),
    times={"start_time": [("at",)]},
    unwanted=[],
    labels=frozenset({"task"}),
    id="record_id",
)
LINES = pa.chunked_array(
    [
        [
            f'{{"id": "call-{i}", "tags": {{"task": "task number {i % 7}"}}, "model": "m{"é" * (i % 3)}",'
            f' "cost": {i / 8}, "usage": {{"in": {i}}}, "at": "2026-11-0{1 + i % 9}T10:00:0{i % 10}.25Z"}}\n'
            for i in range(first, first + 300)
        ]
        + ['{"id": "x"', '{"id": "\\u00e9", "cost": 1e400}\n']
        for first in (0, 300)
    ]
)
IN_A_NEW_PROCESS = """
import sys
from breakeven.usage.store.line_code import line_code
line_code()
print("numba" in sys.modules)
"""


def read(monkeypatch: pytest.MonkeyPatch, code: LineCode) -> PlainRows:
    monkeypatch.setattr("breakeven.usage.store.plain_lines.line_code", lambda: code)
    return PlainLines(WANTED).read(LINES)


def test_kept_code_does_what_numba_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = line_code._kept_code()
    assert kept is not None
    ours, theirs = read(monkeypatch, kept), read(monkeypatch, compiled_code())
    assert ours.taken.tolist() == theirs.taken.tolist() == [*[True] * 300, False, False] * 2
    assert {name: column.to_pylist() for name, column in ours.columns.items()} == {
        name: column.to_pylist() for name, column in theirs.columns.items()
    }


def loaded_in_a_new_process(folder: Path) -> bool:
    """Load the code, kept in `folder`; whether that needed numba."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", IN_A_NEW_PROCESS], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip() == "True"


def test_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    assert line_code._kept_code() is not None
    whole = next(each for each in line_code._folders() if [*each.glob("line_code-*.o")])
    name = f"line_code-{line_code._key()}.o"
    content = (whole / name).read_bytes()
    (tmp_path / name).write_bytes(content)
    assert not loaded_in_a_new_process(tmp_path)
    with pytest.raises(ValueError, match="damaged"):
        line_code._content(content[:-1])
    with pytest.raises(ValueError):
        line_code._content(b"")
    with pytest.raises(ValueError):
        line_code._content(content[100:])


def test_without_kept_code_numba_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing() -> None:
        raise RuntimeError("no compiler")

    monkeypatch.setattr(line_code, "_folders", lambda: iter(()))
    monkeypatch.setattr(line_code, "_compiled", nothing)
    monkeypatch.setattr(line_code, "_LOADED", [])
    assert line_code.line_code() == compiled_code()


@pytest.mark.parametrize("head", [b"5", b"[]", b'{"symbols": {}, "sha256": "x"}', b"\xff"])
def test_a_file_of_something_else_is_made_again(head: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = line_code._kept_code()
    monkeypatch.setattr(line_code, "_folders", lambda: iter((tmp_path,)))
    spoilt = tmp_path / f"line_code-{line_code._key()}.o"
    spoilt.write_bytes(head + b"\nrest")
    monkeypatch.setattr(line_code, "_compiled", lambda: ({}, b"code"))
    monkeypatch.setattr(line_code, "_loaded", lambda content: kept if content.code == b"code" else LineCode())
    assert line_code._kept_code() is kept
    assert line_code._content(spoilt.read_bytes()).code == b"code"


def test_where_nothing_can_be_compiled_the_statement_reads_every_row(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_DISABLE_JIT": "1", "HOME": str(tmp_path)}
    environment |= {"XDG_CACHE_HOME": str(tmp_path)}
    asked = "from breakeven.usage.store import line_code\n"
    asked += "line_code._folders = lambda: iter(())\nprint(line_code.is_loadable())"
    done = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_code_is_kept_where_there_is_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(line_code, "_folders", lambda: iter((tmp_path / "file" / "below", tmp_path / "good")))
    monkeypatch.setattr(line_code, "_compiled", lambda: ({}, b"code"))
    monkeypatch.setattr(line_code, "_loaded", lambda content: content)
    made = line_code._kept_code()
    (kept,) = (tmp_path / "good").iterdir()
    assert line_code._content(kept.read_bytes()) == made == line_code._kept_code()
    assert not (tmp_path / "file" / "below").exists()


def test_arrays_of_another_kind_are_refused() -> None:
    code = line_code._kept_code()
    assert code is not None
    right = [np.zeros((1,) * kind[1], kind[0]) if kind else 0 for kind in KINDS["lengths_of"]]
    with pytest.raises(AssertionError):
        code.lengths_of(*[each.astype(np.float32) if isinstance(each, np.ndarray) else each for each in right])
