"""CSV records: quotes over lines, stray quotes, wrong widths; no record may swallow its neighbours."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.usage.reading import delimited, log_file
from breakeven.usage.reading.delimited import Layout, read_records
from breakeven.usage.reading.log_file import open_log
from breakeven.usage.reading.rows import RawReject

LAYOUT = Layout(",", ("a", "b", "c"))


def read(folder: Path, text: str, layout: Layout = LAYOUT) -> tuple[dict[int, list[str]], list[RawReject]]:
    """Row number -> values of all columns, and the rejects."""
    path = folder / "log"
    path.write_bytes(text.encode())
    rows: dict[int, list[str]] = {}
    rejects: list[RawReject] = []
    for batch in read_records(open_log(path, "log"), layout, layout.columns):
        columns = [batch.rows[f"c{i}"].to_pylist() for i in range(len(layout.columns))]
        rows |= dict(zip(batch.rows["row_no"].to_pylist(), map(list, zip(*columns, strict=True)), strict=True))
        rejects += batch.rejects
    return rows, rejects


def test_plain_records(tmp_path: Path) -> None:
    assert read(tmp_path, "a,b,c\n1,2,3\n4,5,6") == ({2: ["1", "2", "3"], 3: ["4", "5", "6"]}, [])


def test_a_quoted_field_may_span_lines_and_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'a,b,c\n1,"two\n""2""\n",3\n4,5,6\n'
    for block_bytes in (3, 10, 4 << 20):
        monkeypatch.setattr(log_file, "BLOCK_BYTES", block_bytes)
        rows, rejects = read(tmp_path, text)
        assert rows == {2: ["1", 'two\n"2"\n', "3"], 5: ["4", "5", "6"]}
        assert rejects == []


def test_a_stray_quote_loses_its_own_line_only(tmp_path: Path) -> None:
    lines = "".join(f"{n},x,y\n" for n in range(50))
    rows, rejects = read(tmp_path, f'a,b,c\n1,"open,3\n{lines}')
    assert [each.row for each in rejects] == [2]
    assert len(rows) == 50


def test_an_inch_mark_is_no_quote(tmp_path: Path) -> None:
    rows, rejects = read(tmp_path, 'a,b,c\n1,5" disk,3\n4,5,6\n')
    assert rows[2] == ["1", '5" disk', "3"]
    assert rows[3] == ["4", "5", "6"]
    assert rejects == []


def test_records_of_another_width_are_rejected(tmp_path: Path) -> None:
    rows, rejects = read(tmp_path, "a,b,c\n1,2\n1,2,3,4\n1,2,3\n")
    assert list(rows) == [4]
    assert [each.row for each in rejects] == [2, 3]
    assert "header's 3 fields" in rejects[0].reason


def test_a_quote_that_is_never_closed_ends_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "RECORD_LINES_MAX", 10)
    rows, rejects = read(tmp_path, 'a,b,c\n1,2,"3\n' + "4,5,6\n" * 100)
    assert len(rows) + len(rejects) == 101
    assert len(rows) >= 100


def test_other_delimiters_and_a_header_further_down(tmp_path: Path) -> None:
    layout = Layout(";", ("a", "b"), header_row=2)
    assert read(tmp_path, "sep=;\na;b\n1;2,5\n", layout) == ({3: ["1", "2,5"]}, [])


def test_fields_may_be_long(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    rows, _ = read(tmp_path, f"a,b,c\n1,{'x' * 300_000},3\n")
    assert len(rows[2][1]) == 300_000
    assert csv.field_size_limit() == before


field = st.text(st.sampled_from("ab1 ,\"\n'é"), max_size=6)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(field, field, field), max_size=12), st.sampled_from([5, 64, 4096]))
def test_what_a_csv_writer_writes_is_read_back(records: list[tuple[str, str, str]], block_bytes: int) -> None:
    records = [each for each in records if any(part.strip() for part in each)]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([LAYOUT.columns, *records])
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_file, "BLOCK_BYTES", block_bytes)
        rows, rejects = read(Path(folder), text.getvalue())
    if not any("\n\n" in part or part.startswith("\n") or part.endswith("\n") for each in records for part in each):
        assert list(rows.values()) == [list(each) for each in records]
        assert rejects == []
    assert len(rows) + len(rejects) >= len(records)


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from('a1,;"\n\r\t é'), max_size=120), st.sampled_from([3, 50, 4096]))
def test_no_text_is_lost_in_rubbish(text: str, block_bytes: int) -> None:
    """Rows and rejects begin on lines that say something, each on a line of its own."""
    data = "a,b,c\n" + text
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_file, "BLOCK_BYTES", block_bytes)
        rows, rejects = read(Path(folder), data)
    numbers = sorted([*rows, *(each.row for each in rejects)])
    assert len(set(numbers)) == len(numbers)
    filled = [n for n, line in enumerate(data.split("\n"), 1) if line.strip(" \t\r") and n > 1]
    assert set(numbers) <= set(filled)
    assert not filled or numbers[0] == filled[0]
