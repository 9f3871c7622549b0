"""Requests and batch objects beside the answers of a batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from breakeven.usage.reading import log_file
from breakeven.usage.reading.batch_files import BatchFiles, beside, first_second
from breakeven.usage.reading.first_look import head_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.log_file import LogFile, open_log

from ..logs import jsonl, write


def looked_at(folder: Path, content: str, name: str) -> tuple[LogFile, Head]:
    log = open_log(write(folder, content, name), name)
    head = head_of(log)
    assert isinstance(head, Head)
    return log, head


def test_requests_one_a_line_or_in_a_list(tmp_path: Path) -> None:
    first = looked_at(
        tmp_path, jsonl({"custom_id": "a", "body": {"model": "m"}}, {"custom_id": "b", "body": 7}), "a.jsonl"
    )
    second = looked_at(tmp_path, json.dumps({"requests": [{"custom_id": "c", "body": {"model": "n"}}]}), "b.json")
    files = beside([first, second], "body")
    assert [files.request(each) for each in ("a", "b", "c", "d", None, ["a"])] == [
        {"model": "m"},
        {},
        {"model": "n"},
        {},
        {},
        {},
    ]


def test_equal_requests_of_one_id_are_one() -> None:
    files = BatchFiles([("x", {"a": {"model": "m"}}), ("y", {"a": {"model": "m"}})])
    assert files.request("a") == {"model": "m"}
    assert BatchFiles([("x", {"a": {"model": "m"}}), ("y", {"a": {"model": "n"}})]).request("a") == {}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("file-out.jsonl", "b1"), ("b2_results.jsonl", "b2"), ("b1-and-b2.jsonl", None), ("x.jsonl", None)],
)
def test_the_batch_of_a_file(tmp_path: Path, name: str, wanted: str | None) -> None:
    batches: list[dict[str, Any]] = [{"id": "b1", "output_file_id": "file-out"}, {"id": "b2", "output_file_id": None}]
    log, _ = looked_at(tmp_path, jsonl({"x": 1}), name)
    found = BatchFiles(batches=[*batches]).batch_of(log)
    assert (found or {}).get("id") == wanted
    assert BatchFiles(batches=batches[:1]).batch_of(log) == batches[0]
    assert BatchFiles().batch_of(log) is None


def test_the_first_second_across_blocks_and_not_inside_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "BLOCK_BYTES", 16)
    told = json.dumps({"content": json.dumps({"created": 1_000_000_000})})
    content = told + "\n" + jsonl({"created": 1_793_613_600}, {"created_at": 1_793_613_500})
    log, _ = looked_at(tmp_path, content, "x.jsonl")
    assert first_second(log) == 1_793_613_500
    assert first_second(looked_at(tmp_path, jsonl({"error": 1}), "y.jsonl")[0]) is None
