"""The two public traces: made-up rows here, the real files where they are."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from breakeven.usage.importers.mooncake_trace import ANCHOR

from ..logs import imported, imported_paths


def test_azure_times_have_seven_digits_and_no_zone(tmp_path: Path) -> None:
    call = imported(tmp_path, "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n").only
    assert call["start_time"] == datetime(2023, 11, 16, 18, 17, 3, 979960, tzinfo=UTC)
    assert (call["tz_assumed"], call["input_tokens"], call["output_tokens"]) == (True, 4808, 10)
    assert call["request_model"] is None


def test_mooncake_times_are_anchored_and_flagged(tmp_path: Path) -> None:
    line = '{"timestamp": 3000, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47, 2354]}\n'
    call = imported(tmp_path, line).only
    assert call["start_time"] == ANCHOR + timedelta(seconds=3)
    assert call["tz_assumed"]
    assert call["prefix_hashes"] == [46, 47, 2354]


def test_bad_mooncake_rows(tmp_path: Path) -> None:
    good = '{"timestamp": 3000, "input_length": 1, "output_length": 1, "hash_ids": []}\n'
    bad = '{"timestamp": -1, "input_length": 1, "output_length": 1, "hash_ids": []}\n{"timestamp": 1, "input_len'
    found = imported(tmp_path, good * 3 + bad)
    assert found.report.calls == 3
    assert found.reasons == {4: "start_time is not a time", 5: "not valid JSON"}


def test_the_azure_hour(shared_data: Path) -> None:
    path = shared_data / "traces" / "azure_llm_2023_code.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = imported_paths(path)
    assert found.report.formats == ("azure_llm_trace",)
    assert (found.report.rows_in, found.report.calls, found.report.rejects_count) == (len(rows), len(rows), 0)
    assert sum(call["input_tokens"] for call in found.calls) == sum(int(row["ContextTokens"]) for row in rows)
    assert sum(call["output_tokens"] for call in found.calls) == sum(int(row["GeneratedTokens"]) for row in rows)


def test_the_mooncake_hour(shared_data: Path) -> None:
    path = shared_data / "traces" / "mooncake_conversation.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    found = imported_paths(path)
    assert found.report.formats == ("mooncake_trace",)
    assert (found.report.rows_in, found.report.calls) == (len(rows), len(rows))
    assert sum(call["input_tokens"] for call in found.calls) == sum(row["input_length"] for row in rows)
    assert sum(call["output_tokens"] for call in found.calls) == sum(row["output_length"] for row in rows)
    assert sum(len(call["prefix_hashes"]) for call in found.calls) == sum(len(row["hash_ids"]) for row in rows)
