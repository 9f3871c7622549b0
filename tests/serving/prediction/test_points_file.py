"""Points file: nothing is dropped, order is kept, and a file that is no table is told so."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import ServingError
from breakeven.serving.prediction.points_file import PREDICTED_COLUMNS, PointsTable, read_points, with_predictions

HEADER = "id,model,gpu,isl,osl,remark"


def table(tmp_path: Path, *lines: str, header: str = HEADER) -> PointsTable:
    path = tmp_path / "points.csv"
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return read_points(path)


def test_rows_and_other_columns_pass_through(tmp_path: Path) -> None:
    read = table(tmp_path, 'a,m,g,1,2,"x, ""y"""', "b,m,g,3,4")
    text = with_predictions(read, [{"status": "ok", "pred_ttft_ms": "5"}, {"status": "unknown_gpu"}])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == [*HEADER.split(","), *PREDICTED_COLUMNS]
    assert [row["id"] for row in rows] == ["a", "b"]
    assert rows[0]["remark"] == 'x, "y"'
    assert (rows[0]["pred_ttft_ms"], rows[0]["status"], rows[1]["status"]) == ("5", "ok", "unknown_gpu")
    assert rows[1]["remark"] == rows[1]["pred_out_tok_s_total"] == ""


def test_predictions_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    read = table(tmp_path, "m,g,1,2,7,ok", header="model,gpu,isl,osl,pred_ttft_ms,status")
    text = with_predictions(read, [{"pred_ttft_ms": "8", "status": "bad_number"}])
    header, row = csv.reader(io.StringIO(text))
    assert header.count("pred_ttft_ms") == header.count("status") == 1
    assert dict(zip(header, row, strict=True))["pred_ttft_ms"] == "8"


def test_a_long_row_is_told(tmp_path: Path) -> None:
    read = table(tmp_path, "a,m,g,1,2,r,more,and more", "a,m,g,1,2,r")
    assert [read.surplus_count(index) for index in range(2)] == [2, 0]


def test_a_byte_order_mark_and_blank_lines_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_bytes(b"\xef\xbb\xbfmodel,gpu,isl,osl\r\nm,g,1,2\r\n\r\n")
    read = read_points(path)
    assert read.columns[0] == "model"
    assert len(read.rows) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty; wanted a header"),
        (b"model,gpu\n", "no column isl, osl; the header says model, gpu"),
        (b"model;gpu;isl;osl\nm;g;1;2\n", "no column model, gpu, isl, osl"),
        (b"model,gpu,isl,osl,gpu\n", "'gpu' is there twice"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b'model,gpu,isl,osl\n"m', "no CSV"),
    ],
)
def test_a_file_that_is_no_table_of_points(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_bytes(content)
    with pytest.raises(ServingError, match=message):
        read_points(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="No such file"):
        read_points(tmp_path / "points.csv")


CELLS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=8), min_size=4, max_size=9)


@given(st.lists(CELLS, max_size=5))
def test_any_cells_come_back(rows: list[list[str]]) -> None:
    columns = ("model", "gpu", "isl", "osl", "a", "b", "c", "d", "e")
    given_table = PointsTable(columns, tuple(map(tuple, rows)))
    text = with_predictions(given_table, [{"status": "ok"}] * len(rows))
    back = list(csv.reader(io.StringIO(text, newline="")))
    assert back[0] == [*columns, *PREDICTED_COLUMNS]
    for row, written in zip(rows, back[1:], strict=True):
        assert written[: len(row)] == row
        assert written[-2] == "ok"
