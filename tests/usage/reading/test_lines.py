"""Numbered lines: nothing lost, nothing invented, whatever the bytes."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.usage.reading import log_file
from breakeven.usage.reading.lines import read_lines
from breakeven.usage.reading.log_file import open_log
from breakeven.usage.reading.rows import RawReject

MAGIC = (b"\x1f\x8b", b"\x28\xb5", b"PK", b"BZh", b"7z", b"\xfd7z", b"PAR1", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf")


def read(folder: Path, data: bytes, line_bytes_max: int = 1000) -> tuple[dict[int, str], list[RawReject]]:
    """Row number -> text without line end, and the rejects."""
    path = folder / "log"
    path.write_bytes(data)
    rows: dict[int, str] = {}
    rejects: list[RawReject] = []
    for batch in read_lines(open_log(path, "log"), line_bytes_max):
        numbers, texts = batch.rows["row_no"].to_pylist(), batch.rows["text"].to_pylist()
        rows |= {number: text.rstrip("\r\n") for number, text in zip(numbers, texts, strict=True)}
        rejects += batch.rejects
    return rows, rejects


def test_lines_are_numbered_as_an_editor_would(tmp_path: Path) -> None:
    assert read(tmp_path, b"a\n\nb\r\n  \t\nc") == ({1: "a", 3: "b", 5: "c"}, [])


def test_blocks_of_blank_lines_count_as_lines_and_give_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "BLOCK_BYTES", 64)
    assert read(tmp_path, b"a\n" + b"\n" * 500 + b" \tb \n" + b" \r\n" * 300 + b"c")[0] == {
        1: "a",
        502: " \tb ",
        803: "c",
    }


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
def test_a_bomb_is_refused_early_whatever_follows_it(tmp_path: Path, packed: str) -> None:
    blank, noise = b"a\n" + b"\n" * (20 << 20), random.Random(1).randbytes(300_000)
    codec = pa.Codec(packed, compression_level=9)
    rows, (reject,) = read(tmp_path, b"".join(codec.compress(each, asbytes=True) for each in (blank, noise)))
    assert rows == {1: "a"}
    assert reject.reason == "refused: a decompression bomb"


def test_invalid_utf_8_rejects_the_line_alone(tmp_path: Path) -> None:
    rows, (reject,) = read(tmp_path, b"good\nb\xe9d\n\ngo\xc3\xb6d\n")
    assert rows == {1: "good", 4: "goöd"}
    assert (reject.row, reject.reason, reject.value) == (2, "not valid UTF-8", "byte 0xe9 at column 2")
    assert reject.raw == "b\\xe9d"


@pytest.mark.parametrize("block_bytes", [64, 4 << 20])
def test_over_long_lines_are_rejected_and_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    monkeypatch.setattr(log_file, "BLOCK_BYTES", block_bytes)
    data = b"a\n" + b"x" * 500 + b"\nb\n" + b"y" * 400
    rows, rejects = read(tmp_path, data, line_bytes_max=100)
    assert rows == {1: "a", 3: "b"}
    assert [(each.row, each.reason) for each in rejects] == [(2, "the line is too long"), (4, "the line is too long")]
    assert len(rejects[0].raw) <= 303


def test_damage_is_a_reject_at_the_row_where_it_is(tmp_path: Path) -> None:
    import gzip

    data = gzip.compress(b"".join(b"%d\n" % n for n in range(10_000)))[:-50]
    rows, (reject,) = read(tmp_path, data)
    assert reject.row == len(rows) + 1
    assert "ends early" in reject.reason


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([1, 7, 64, 4096]))
def test_every_line_is_a_row_a_reject_or_blank(data: bytes, block_bytes: int) -> None:
    if data.startswith(MAGIC):
        return
    if b"\0" in data or (b"\r" in data and b"\n" not in data):
        return
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_file, "BLOCK_BYTES", block_bytes)
        rows, rejects = read(Path(folder), data)
    lines = {number: line for number, line in enumerate(data.split(b"\n"), 1) if line.strip()}
    assert set(rows) | {each.row for each in rejects} == set(lines)
    assert not set(rows) & {each.row for each in rejects}
    for number, text in rows.items():
        assert text == lines[number].decode().rstrip("\r")
