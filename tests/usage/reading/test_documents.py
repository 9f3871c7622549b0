"""JSON in any layout gives the same records; what cannot be read is said."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from breakeven.usage.reading import documents as module
from breakeven.usage.reading import log_file
from breakeven.usage.reading.documents import documents
from breakeven.usage.reading.first_look import head_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.log_file import open_log
from breakeven.usage.reading.unpacked import Unfit, row_batches

from ..logs import imported, row

ROWS: list[dict[str, Any]] = [{"id": str(i), "usage": {"tokens": i}, "parts": [{"text": "é"}]} for i in range(5)]
LAYOUTS = {
    "lines": "\n".join(map(json.dumps, ROWS)),
    "array": json.dumps(ROWS),
    "pretty array": json.dumps(ROWS, indent=2),
    "pretty objects": "\n".join(json.dumps(each, indent=2) for each in ROWS),
    "objects on one line": "".join(map(json.dumps, ROWS)),
}


def read(folder: Path, data: str | bytes) -> list[dict[str, Any] | Unfit]:
    path = folder / "log"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    log = open_log(path, "log")
    head = head_of(log)
    assert isinstance(head, Head)
    return list(documents(log, head))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_records_and_names(layout: str, tmp_path: Path) -> None:
    assert read(tmp_path, LAYOUTS[layout]) == ROWS
    head = head_of(open_log(tmp_path / "log", "log"))
    assert isinstance(head, Head)
    assert head.names == {"id", "usage", "usage.tokens", "parts", "parts[].text"}


def test_what_follows_a_damage_is_said(tmp_path: Path) -> None:
    *good, last = read(tmp_path, json.dumps(ROWS, indent=1)[:-30])
    assert good == ROWS[:-1]
    assert isinstance(last, Unfit)
    assert last.reason == "not valid JSON from here on"


def test_a_bad_line_costs_one_line(tmp_path: Path) -> None:
    lines = [json.dumps(each) for each in ROWS]
    lines[2] = "{not json"
    found = read(tmp_path, "\n".join(lines))
    assert [each for each in found if not isinstance(each, Unfit)] == [*ROWS[:2], *ROWS[3:]]
    assert [each.value for each in found if isinstance(each, Unfit)] == ["line 3"]


def test_an_object_too_large_for_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OBJECT_BYTES_MAX", 200_000)
    big = [{"id": "0"}, {"text": "x" * 3_000_000}]
    *good, last = read(tmp_path, json.dumps(big, indent=1))
    assert isinstance(last, Unfit)
    assert "one object per line" in last.reason
    assert all(each == {"id": "0"} for each in good)


def test_deep_nesting_does_not_crash(tmp_path: Path) -> None:
    deep = '{"a":' * 100 + "1" + "}" * 100
    assert isinstance(read(tmp_path, f"[{deep},\n{deep}]")[0], dict)
    assert isinstance(read(tmp_path, "\n".join([json.dumps(ROWS[0])] * 3 + ['{"a":' * 9_999]))[-1], Unfit)


def test_rows_are_numbered_and_batched() -> None:
    found: list[dict[str, object] | Unfit] = [{"n": i} for i in range(10_000)]
    found[7] = Unfit("broken", "seen", "raw")
    batches = list(row_batches(iter(found)))
    assert len(batches) == 3
    assert sum(each.rows_count for each in batches) == 10_000
    numbers = [number for each in batches for number in each.rows["row_no"].to_pylist()]
    assert numbers == [number for number in range(1, 10_001) if number != 8]
    assert batches[0].rejects[0].row == 8


def test_lone_surrogates_do_not_break_a_batch() -> None:
    (batch,) = row_batches(iter([{"text": "\ud800 é"}]))
    assert json.loads(batch.rows["text"][0].as_py()) == {"text": "? é"}


def test_pretty_printed_rows_import_like_lines(tmp_path: Path) -> None:
    rows = [row(i) for i in range(20)]
    pretty = imported(tmp_path, json.dumps(rows, indent=2), "pretty.json")
    lines = imported(tmp_path, "\n".join(map(json.dumps, rows)), "lines.jsonl")
    assert pretty.report.calls == 20
    assert pretty.digest == lines.digest


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "BOMB_BYTES_MIN", 8 << 20)
    good = json.dumps(row(1)) + "\n"
    bomb = gzip.compress(good.encode() + b"\n" * (20 << 20), 9)
    found = imported(tmp_path, bomb, "bomb.jsonl.gz")
    assert found.report.calls == 1
    assert found.report.rejects == {"refused: a decompression bomb": 1}
