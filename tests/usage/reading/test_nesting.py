"""What is nested absurdly deeply is refused before it can fill the memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven.errors import UsageError
from breakeven.usage.reading.documents import documents
from breakeven.usage.reading.first_look import head_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.log_file import open_log
from breakeven.usage.reading.nesting import LEVELS_MAX, is_too_deep
from breakeven.usage.reading.unpacked import Unfit, row_batches

from ..logs import imported, write


@pytest.mark.parametrize(
    ("piece", "wanted"),
    [
        (b"[" * LEVELS_MAX, False),
        (b"[" * (LEVELS_MAX + 1), True),
        (b'{"a":' * 2_000, True),
        (b"[]" * 100_000, False),
        (b"]" * 5_000 + b"[" * 900, False),
        (b"]" * 5_000 + b"[" * 1_100, True),
        (b"", False),
    ],
)
def test_levels(piece: bytes, wanted: bool) -> None:
    assert is_too_deep(piece) == wanted


def test_a_file_that_begins_too_deep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nested more than 1,000 levels"):
        imported(tmp_path, '{"data":\n' + "[" * 100_000 + "]" * 100_000 + "}", "deep.json")


def test_what_comes_before_is_kept(tmp_path: Path) -> None:
    good = '{"a":\n1}\n' * 50_000
    log = open_log(write(tmp_path, good + '{"a":' + "[" * 200_000, "late.json"), "late.json")
    head = head_of(log)
    assert isinstance(head, Head)
    found = list(documents(log, head))
    assert found[-1] == Unfit("nested too deeply from here on")
    assert len(found) > 40_000


def test_a_row_too_deep_to_write_is_a_reject() -> None:
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    (batch,) = row_batches([{"a": 1}, {"a": deep}, {"a": 2}])
    assert batch.rows["row_no"].to_pylist() == [1, 3]
    assert [(each.row, each.reason) for each in batch.rejects] == [(2, "nested too deeply")]
    del batch
    while isinstance(deep, list):  # taken apart level by level: freeing it at once would be deep, too
        deep = deep.pop()


def test_a_byte_that_is_no_text_costs_its_object_only(tmp_path: Path) -> None:
    rows = [f'{{"start_time": "2026-11-02T10:00:0{n}Z",\n "input_tokens": 1, "output_tokens": 1}}' for n in range(3)]
    bad = b'{"start_time": "\xed\xa0\x80",\n "input_tokens": 1, "output_tokens": 1}'
    content = b"\n".join([rows[0].encode(), bad, *(each.encode() for each in rows[1:])])
    found = imported(tmp_path, content, "pretty.json")
    assert found.report.calls == 3
    assert found.reasons == {2: "start_time is not a time"}
