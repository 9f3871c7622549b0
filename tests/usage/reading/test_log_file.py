"""Bytes of any compression and encoding become UTF-8."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from breakeven.errors import UsageError
from breakeven.usage.reading import log_file
from breakeven.usage.reading.log_file import DamagedFileError, open_log

TEXT = "first línea\nsecond 行\n"


def content(path: Path) -> bytes:
    return b"".join(open_log(path, path.name).blocks())


def put(folder: Path, data: bytes, name: str = "log.txt") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        "\ufeff".encode("utf-16-be") + TEXT.encode("utf-16-be"),
        gzip.compress(TEXT.encode()),
        gzip.compress(TEXT[:7].encode()) + gzip.compress(TEXT[7:].encode()),
        gzip.compress(TEXT.encode()) + b"\0" * 20,
        gzip.compress(TEXT.encode("utf-16")),
        zstd(TEXT.encode()),
        TEXT.replace("\n", "\r").encode(),
    ],
    ids=["plain", "bom", "utf-16", "utf-16-be", "gzip", "gzip members", "gzip padding", "both", "zstd", "cr"],
)
def test_every_form_of_a_text_reads_the_same(tmp_path: Path, data: bytes) -> None:
    assert content(put(tmp_path, data)).decode() == TEXT


def test_utf_16_without_a_mark_is_seen_by_its_zeros(tmp_path: Path) -> None:
    assert content(put(tmp_path, b"plain ascii\n".decode().encode("utf-16-le"))) == b"plain ascii\n"
    assert content(put(tmp_path, b"plain ascii\n".decode().encode("utf-16-be"))) == b"plain ascii\n"


def test_blocks_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "BLOCK_BYTES", 1000)
    data = b"0123456789\n" * 5000
    for form in (data, gzip.compress(data), zstd(data)):
        blocks = list(open_log(put(tmp_path, form), "log").blocks())
        assert b"".join(blocks) == data
        assert max(map(len, blocks)) <= 1100


@pytest.mark.parametrize("length", [1, 7, 999, 1000, 1001, 3000])
def test_blocks_end_with_lines_where_these_are_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    monkeypatch.setattr(log_file, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(log_file, "_TAIL_BYTES", 100)
    data = b"".join(bytes([48 + number % 10]) * (number * 37 % length) + b"\n" for number in range(500)) + b"no end"
    log = open_log(put(tmp_path, data), "log")
    assert log.is_read_as_it_lies
    blocks = list(log.blocks())
    assert b"".join(blocks) == data
    assert list(log.pieces()) == blocks
    assert max(map(len, blocks)) <= 1000
    if length < 100:
        assert all(each.endswith(b"\n") for each in blocks[:-1])


@pytest.mark.parametrize("data", [gzip.compress(b"a\n" * 9), "a\n".encode("utf-16"), b"a\rb\r"])
def test_blocks_of_other_files_are_not_their_bytes(tmp_path: Path, data: bytes) -> None:
    assert not open_log(put(tmp_path, data), "log").is_read_as_it_lies


def test_a_cut_gzip_file_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    data = b"".join(b"%d\n" % n for n in range(10_000))
    blocks = open_log(put(tmp_path, gzip.compress(data)[:-100]), "log").blocks()
    got = b""
    with pytest.raises(DamagedFileError, match="ends early"):
        for block in blocks:
            got += block
    assert data.startswith(got)
    assert len(got) > 1000


def test_something_else_behind_gzip_data_is_damage(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match="damaged from here on"):
        content(put(tmp_path, gzip.compress(b"x\n") + b"rubbish"))


@pytest.mark.parametrize(("magic", "word"), [(b"PK\x03\x04rest", "zip"), (b"BZh91AY", "bzip2"), (b"\xfd7zXZ\0", "xz")])
def test_archives_are_refused_by_name(tmp_path: Path, magic: bytes, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        open_log(put(tmp_path, magic), "log")


def test_the_base_name_forgets_the_compression(tmp_path: Path) -> None:
    assert open_log(put(tmp_path, b"x\n", "a.jsonl"), "a").base_name == "a.jsonl"
    assert open_log(put(tmp_path, gzip.compress(b"x\n"), "a.jsonl.gz"), "a").base_name == "a.jsonl"


def test_an_odd_number_of_utf_16_bytes_is_damage(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match="utf-16"):
        content(put(tmp_path, TEXT.encode("utf-16")[:-1]))
