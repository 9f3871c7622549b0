"""Compressed logs: read where possible, refused with clear words where not."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile

import pyarrow as pa
import pytest

from breakeven.errors import UsageError
from usage_black_box.logs import calls, counts, jsonl, reject_rows, row, rows

LOG = jsonl(*rows(50)).encode()


def test_gzip(take):
    assert counts(take(gzip.compress(LOG), "log.jsonl.gz")) == (50, 50, 0, 0)


def test_gzip_under_a_name_that_does_not_say_so(take):
    assert counts(take(gzip.compress(LOG), "log.jsonl")) == (50, 50, 0, 0)


def test_plain_text_under_the_name_of_a_gzip(take):
    assert counts(take(LOG, "log.jsonl.gz")) == (50, 50, 0, 0)


def test_several_gzip_members_and_padding(take):
    data = gzip.compress(jsonl(*rows(50)[:20]).encode()) + gzip.compress(jsonl(*rows(50)[20:]).encode()) + b"\0" * 512
    assert counts(take(data, "log.gz")) == (50, 50, 0, 0)


def test_gzip_members_that_meet_inside_a_line(take):
    assert counts(take(gzip.compress(LOG[:777]) + gzip.compress(LOG[777:]), "log.gz")) == (50, 50, 0, 0)


@pytest.mark.parametrize("cut", [0.5, 0.9])
def test_a_gzip_cut_short_gives_what_it_has_and_says_so(take, store, cut):
    data = gzip.compress(jsonl(*rows(20_000)).encode())
    report = take(data[: int(len(data) * cut)], "log.gz")
    assert 1000 < report.calls < 20_000
    assert report.rejects_count >= 1
    assert reject_rows(store)[-1] == report.rows_in


def test_a_gzip_without_its_checksum_loses_no_row(take):
    report = take(gzip.compress(LOG)[:-8], "log.gz")
    assert report.calls == 50


@pytest.mark.parametrize("length", [1, 2, 5, 10, 12])
def test_the_first_bytes_of_a_gzip_are_refused(take, length):
    with pytest.raises(UsageError):
        take(gzip.compress(LOG)[:length], "log.gz")


def test_gzip_with_a_flipped_byte(take):
    data = bytearray(gzip.compress(jsonl(*rows(20_000)).encode()))
    data[len(data) // 2] ^= 0xFF
    report = take(bytes(data), "log.gz")
    assert report.calls >= 1 and report.rejects_count >= 1


def test_gzip_inside_gzip_is_refused(take):
    with pytest.raises(UsageError):
        take(gzip.compress(gzip.compress(LOG)), "log.gz.gz")


def test_compressing_a_log_does_not_make_its_calls_new(take, store):
    take(LOG, "log.jsonl")
    before = store.digest()
    assert counts(take(gzip.compress(LOG), "log.jsonl.gz")) == (50, 0, 50, 0)
    assert store.digest() == before


def test_zstd_is_read(take):
    assert counts(take(pa.compress(LOG, codec="zstd", asbytes=True), "log.jsonl.zst")) == (50, 50, 0, 0)


def test_zstd_cut_short(take, store):
    data = pa.compress(jsonl(*rows(50_000)).encode(), codec="zstd", asbytes=True)
    try:
        report = take(data[: len(data) // 2], "log.zst")
    except UsageError:
        return
    assert report.rejects_count >= 1


def zipped() -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("log.jsonl", LOG)
    return memory.getvalue()


@pytest.mark.parametrize(
    ("data", "word"),
    [(zipped(), "zip"), (bz2.compress(LOG), "bzip2"), (lzma.compress(LOG), "xz"), (b"7z\xbc\xaf\x27\x1c" + LOG, "7z")],
)
def test_other_archives_are_refused_by_name(take, data, word):
    with pytest.raises(UsageError, match=word):
        take(data, "log.jsonl")


def test_a_gzip_bomb_of_blank_lines_is_no_trouble(take):
    report = take(gzip.compress(LOG + b"\n" * 2_000_000 + LOG.splitlines(keepends=True)[0]), "log.gz")
    assert report.rows_in == 51


def test_line_numbers_in_a_gzip(take, store):
    text = jsonl(row(0), "", "bad", row(1), "bad")
    assert counts(take(gzip.compress(text.encode()), "log.gz")) == (4, 2, 0, 2)
    assert reject_rows(store) == [3, 5]
    assert [each["source_line"] for each in calls(store)] == [1, 4]
