"""What is read ahead is the file, byte for byte, with its hash; and who stops early is not waited for."""

from __future__ import annotations

import codecs
import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.usage.reading import log_file, read_ahead
from breakeven.usage.reading.lines import read_lines
from breakeven.usage.reading.log_file import open_log
from breakeven.usage.reading.read_ahead import ReadAhead
from breakeven.usage.reading.rows import RowBatch


@pytest.fixture
def worker() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.mark.parametrize("length", [1, 7, 999, 1000, 1001, 3000])
def test_the_blocks_and_the_hash_of_a_file(
    length: int, tmp_path: Path, worker: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_ahead, "AHEAD_BYTES", 1000)
    monkeypatch.setattr(log_file, "_TAIL_BYTES", 100)
    data = b"".join(bytes([48 + number % 10]) * (number * 37 % length) + b"\n" for number in range(500)) + b"no end"
    (tmp_path / "log").write_bytes(data)
    ahead = ReadAhead(tmp_path / "log", worker)
    blocks = [block.tobytes() for block in ahead]
    assert b"".join(blocks) == data
    assert max(map(len, blocks)) <= 1000
    assert ahead.hexdigest() == hashlib.sha256(data).hexdigest()
    if length < 100:
        assert all(each.endswith(b"\n") for each in blocks[:-1])


def test_a_block_that_is_held_stays_as_it_was(
    tmp_path: Path, worker: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_ahead, "AHEAD_BYTES", 100)
    data = b"".join(b"%050d\n" % number for number in range(500))
    (tmp_path / "log").write_bytes(data)
    held = [*ReadAhead(tmp_path / "log", worker)]
    assert b"".join(each.tobytes() for each in held) == data


def test_nobody_reads_far_ahead(tmp_path: Path, worker: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "AHEAD_BYTES", 10)
    (tmp_path / "log").write_bytes(b"123456789\n" * 100)
    ahead = ReadAhead(tmp_path / "log", worker)
    while ahead._room._value:
        threading.Event().wait(0.001)
    assert ahead._blocks.qsize() <= 8
    assert len([*ahead]) == 100


def test_who_stops_early_is_not_waited_for(
    tmp_path: Path, worker: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_ahead, "AHEAD_BYTES", 10)
    (tmp_path / "log").write_bytes(b"123456789\n" * 100)
    ahead = ReadAhead(tmp_path / "log", worker)
    for _ in ahead:
        break
    ahead.close()
    assert worker.submit(str, 1).result(timeout=10) == "1"


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, worker: ThreadPoolExecutor) -> None:
    with pytest.raises(FileNotFoundError):
        [*ReadAhead(tmp_path / "gone", worker)]


def told(batches: Iterator[RowBatch]) -> list[object]:
    """Rows and rejects, whatever blocks they came in (which decides how much of an over-long line is shown)."""
    rows, rejects = [], []
    for batch in batches:
        rows += batch.rows.to_pylist()
        rejects += [replace(each, raw="") for each in batch.rejects]
    return [*rows, *rejects]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([b"a", b" ", b"\n", b"\n\n", b"\r\n", b"\xc3\xa9", b"\xe9", b"x" * 30, b"\t\n"])),
    st.sampled_from([7, 64, 4096]),
    st.booleans(),
)
def test_lines_read_ahead_are_those_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], block_bytes: int, has_mark: bool
) -> None:
    path = tmp_path_factory.mktemp("ahead") / "log"
    path.write_bytes((codecs.BOM_UTF8 if has_mark else b"") + b"first\n" + b"".join(parts))
    log = open_log(path, "log")
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as executor:
        patch.setattr(read_ahead, "AHEAD_BYTES", block_bytes)
        ahead = ReadAhead(path, executor)
        assert told(read_lines(replace(log, ahead=ahead), 20)) == told(read_lines(log, 20))
        assert ahead.hexdigest() == log.sha256()
