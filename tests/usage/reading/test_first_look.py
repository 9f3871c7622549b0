"""Shapes and names, from the beginning of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from breakeven.usage.reading import first_look
from breakeven.usage.reading.delimited import Layout
from breakeven.usage.reading.first_look import _json_head, head_of, sampled_head
from breakeven.usage.reading.head import Head, NotALog
from breakeven.usage.reading.log_file import open_log


def look(folder: Path, text: str | bytes) -> Head | NotALog:
    path = folder / "log"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return head_of(open_log(path, "log"))


def test_json_lines_with_inner_names(tmp_path: Path) -> None:
    found = look(tmp_path, '{"a": 1, "b": {"c": {"d": 2}}}\n{"e.f": 3}\nhalf a li')
    assert isinstance(found, Head)
    assert (found.shape, found.names) == ("jsonl", {"a", "b", "b.c", "b.c.d", "e.f"})
    assert found.dotted_keys == {"e.f"}


def test_a_log_may_begin_with_many_blank_lines(tmp_path: Path) -> None:
    found = look(tmp_path, "\r\n" * 5_000 + '{"a": 1}\n{"b": 1}\n')
    assert isinstance(found, Head) and found.names == {"a", "b"}
    assert isinstance(look(tmp_path, "\n" * 5_000), NotALog)


def test_deep_nesting_is_cut_off(tmp_path: Path) -> None:
    deep = '{"a":' * 500 + "1" + "}" * 500
    found = look(tmp_path, deep + '\n{"b": 1}\n{"c": 1}\n')
    assert isinstance(found, Head)
    assert {"b", "c"} <= found.names


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("a,b\n1,2\n", Layout(",", ("a", "b"))),
        ("a;b\n1;2\n", Layout(";", ("a", "b"))),
        ('"a"\t" b "\n1\t2\n', Layout("\t", ("a", "b"))),
        ("sep=;\na;b\n1;2\n", Layout(";", ("a", "b"), 2)),
        ("\n\na|b\n1|2\n", Layout("|", ("a", "b"), 3)),
        ('"a,b",c\n1,2\n', Layout(",", ("a,b", "c"))),
    ],
)
def test_tables(tmp_path: Path, text: str, layout: Layout) -> None:
    found = look(tmp_path, text)
    assert isinstance(found, Head)
    assert found.layout == layout


@pytest.mark.parametrize(
    ("text", "is_decimal", "is_grouping"),
    [
        ("a;b\n0,5;2\n", True, True),
        ("a;b\n0.5;2\n", True, False),
        ("a\tb\n0,5\t2\n", True, True),
        ("a\tb\n1,234\t2\n", False, False),
        ('a,b\n"0,5",2\n', False, False),
    ],
)
def test_decimal_commas(tmp_path: Path, text: str, is_decimal: bool, is_grouping: bool) -> None:
    found = look(tmp_path, text)
    assert isinstance(found, Head)
    assert (found.has_decimal_comma, found.groups_with_dots) == (is_decimal, is_grouping)


def test_names_ignore_case_in_tables_only(tmp_path: Path) -> None:
    table, objects = look(tmp_path, "Time,Model\n1,2\n"), look(tmp_path, '{"Time": 1}\n')
    assert isinstance(table, Head)
    assert isinstance(objects, Head)
    assert table.name_of("model") == "Model"
    assert objects.name_of("time") is None


@pytest.mark.parametrize(
    ("text", "reason", "is_empty"),
    [
        (b"", "empty", True),
        (b"\n \n\n", "empty", True),
        (b"\xef\xbb\xbf", "empty", True),
        (b"a,b\n", "a header and no rows", True),
        (b"one column\n1\n", "neither JSON lines nor a table", False),
        (b"1,2\n3,4\n", "neither JSON lines nor a table", False),
        (bytes(range(1, 256)) * 4, "not text", False),
    ],
)
def test_what_is_no_log(tmp_path: Path, text: bytes, reason: str, is_empty: bool) -> None:
    found = look(tmp_path, text)
    assert isinstance(found, NotALog)
    assert reason in found.reason
    assert found.is_empty == is_empty


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "log"
    pq.write_table(pa.table({"a": [1], "u": [{"b": 2}]}), path)
    assert head_of(open_log(path, "log")) == Head("parquet", frozenset({"a", "u.b"}))
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    assert head_of(open_log(path, "log")) == NotALog("the file has columns and no rows", is_empty=True)
    path.write_bytes(b"PAR1 and then nothing")
    found = head_of(open_log(path, "log"))
    assert isinstance(found, NotALog)
    assert "damaged" in found.reason


def test_a_large_log_is_sampled_along_its_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_look, "_SAMPLE_PLACES", 50)
    path = tmp_path / "log"
    with path.open("w") as file:
        for number in range(20_000):
            file.write(json.dumps({"a": number, **({"late": 1} if number > 19_000 else {})}) + "\n")
    assert sampled_head(open_log(path, "log")).names == {"a", "late"}


def test_names_in_lines_that_look_alike_are_all_seen(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = [{"a": "b: ", "c": number, "d": {"e": 'say: "x"'}} for number in range(50)]
    odd: list[dict[str, Any]] = [
        {"a": 'b: "', "late": 1, "d": {"e": "f: "}},
        {"attributes": [{"key": "one", "value": {"intValue": 1}}]},
        {"attributes": [{"key": "two", "value": {"intValue": 2}}]},
        {"a: ": "b", "k": ": "},
        {"a: ": "b", "m": ": "},
        {"a": {}, "c": 5, "d": {"e": "x"}},
        {"a": {"n": 1}, "c": 5, "d": {"e": "x"}},
        {"a": "\\", "o": ': "p": 1'},
        {"a": "\\", "q": ': "p": 1'},
    ]
    path = tmp_path / "log.jsonl"
    lines = [json.dumps(each) for number in range(20) for each in (*told, odd[number % len(odd)])]
    path.write_text("\n".join(["{}", '{"a": "b: ", "c": 1, "d": {"e": "x"}', *lines, ""]), encoding="utf-8")
    log = open_log(path, "log")
    every_line = _json_head([value for line in lines if isinstance(value := json.loads(line), dict)])
    assert sampled_head(log).names == every_line.names
    assert {"late", "k", "m", "o", "q", "a.n"} <= every_line.names
