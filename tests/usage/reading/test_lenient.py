"""Lines that are not UTF-8 are read as Windows-1252; all others stay as they are."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.usage.reading import log_file
from breakeven.usage.reading.lenient import as_utf8, lenient
from breakeven.usage.reading.log_file import DamagedFileError, open_log

from ..logs import write


def content(path: Path) -> bytes:
    return b"".join(lenient(open_log(path, path.name)).blocks())


def test_only_the_lines_that_need_it_change(tmp_path: Path) -> None:
    path = write(tmp_path, "é≤\n".encode() + "é\n".encode("cp1252") + b"plain\n" + b"\x81\n", "x.csv")
    assert content(path) == "é≤\né\nplain\n\ufffd\n".encode()


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 7])
def test_blocks_may_end_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int) -> None:
    text = "a≤b\nc\n\nlast≤"
    path = write(tmp_path, text, "x.csv")
    monkeypatch.setattr(log_file, "BLOCK_BYTES", block_bytes)
    assert content(path) == text.encode()


def test_what_comes_before_the_damage_is_kept(tmp_path: Path) -> None:
    packed = gzip.compress(b"first line\nsecond \xe9 line\nthird")
    path = write(tmp_path, packed[:-6], "x.csv.gz")
    found: list[bytes] = []
    with pytest.raises(DamagedFileError):
        for block in lenient(open_log(path, "x")).blocks():
            found.append(block)
    assert b"".join(found).startswith("first line\nsecond é line\n".encode())


@given(st.binary(max_size=60))
def test_anything_becomes_text_and_good_text_stays(data: bytes) -> None:
    try:
        data.decode()
        wanted = data
    except UnicodeDecodeError:
        wanted = data.decode("cp1252", "replace").encode()
    assert as_utf8(data) == wanted
