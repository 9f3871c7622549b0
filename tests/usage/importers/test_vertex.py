"""Vertex AI: thoughts beside candidates, Claude's own counts, times before the logging, and weights of a sample."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from breakeven.errors import UsageError
from breakeven.usage.plan import ImportSettings
from breakeven.usage.store import CallStore

from ..logs import NOW, imported, imported_paths, jsonl

FIXTURE = Path(__file__).parent / "fixtures" / "vertex" / "bq-results.jsonl"


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in FIXTURE.read_text().splitlines()]


def changed(usage: dict[str, Any], **fields: Any) -> dict[str, Any]:
    row = rows()[0]
    return {**row, "full_response": {**row["full_response"], "usageMetadata": usage}, **fields}


def test_the_fixture_to_the_token() -> None:
    first, second, claude = imported_paths(FIXTURE).calls
    assert (first["input_tokens"], first["output_tokens"], first["reasoning_tokens"]) == (3, 930, 901)
    assert first["start_time"].isoformat() == "2026-11-02T10:00:00.034753+00:00"
    assert (first["duration_s"], first["application"], first["tz_assumed"]) == (11.226, "shop-search", False)
    assert (second["input_tokens"], second["cache_read_tokens"], second["output_tokens"]) == (5000, 4000, 100)
    assert (second["image_input_tokens"], second["stream"]) == (258, True)
    assert second["start_time"].isoformat() == "2026-11-02T10:05:00+00:00"
    assert (claude["input_tokens"], claude["cache_read_tokens"], claude["cache_write_tokens"]) == (2510, 2000, 500)
    assert (claude["output_tokens"], claude["model_key"]) == (20, "claude-sonnet-4-5@20250929")


def as_table() -> list[dict[str, str | None]]:
    """Rows as BigQuery writes them into tables: JSON columns are texts."""
    return [
        {
            name: value if value is None or isinstance(value, str) else json.dumps(value)
            for name in rows()[0]
            for value in (row.get(name),)
        }
        for row in rows()
    ]


def test_csv_and_parquet_give_the_same_calls(tmp_path: Path) -> None:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows()[0]))
    writer.writeheader()
    writer.writerows(as_table())
    pq.write_table(pa.Table.from_pylist(as_table()), tmp_path / "x.parquet")
    found = [
        imported_paths(FIXTURE),
        imported(tmp_path, out.getvalue(), "x.csv"),
        imported_paths(tmp_path / "x.parquet"),
    ]
    assert len({each.digest for each in found}) == 1
    assert {each.report.formats for each in found} == {("vertex",)}


def test_a_sample_is_said_loudly_and_weighted_on_request(tmp_path: Path) -> None:
    bare = imported_paths(FIXTURE)
    assert {each["weight"] for each in bare.calls} == {1.0}
    assert "lower bound" in bare.report.warnings[0] and "--sampling-rate" in bare.report.warnings[0]
    told = imported_paths(FIXTURE, sampled_fraction=0.1)
    assert {each["weight"] for each in told.calls} == {10.0}
    assert told.report.warnings == ()
    mixed = imported(tmp_path, jsonl({**rows()[0], "sampling_rate": 0.25}, rows()[1]), sampled_fraction=0.5)
    assert [each["weight"] for each in mixed.calls] == [4.0, 2.0]
    assert imported(tmp_path, jsonl({**rows()[0], "sampling_rate": 0.25})).report.warnings == ()


@pytest.mark.parametrize("rate", [0.0, -0.1, 1.5, float("nan"), float("inf")])
def test_an_impossible_sampling_rate_is_refused(rate: float) -> None:
    with pytest.raises(UsageError, match="more than 0 and at most 1"):
        imported_paths(FIXTURE, sampled_fraction=rate)


def test_older_and_other_spellings(tmp_path: Path) -> None:
    snake = {"prompt_token_count": 3, "candidates_token_count": 29, "thoughts_token_count": 901}
    row = rows()[0]
    renamed = {**row["full_response"], "usage_metadata": snake}
    del renamed["usageMetadata"]
    pieces = json.dumps(row["full_response"])
    cut = {**row, "full_response": None, "response_payload": [pieces[:50], pieces[50:]]}
    found = [imported(tmp_path, jsonl(each)).only for each in (row, {**row, "full_response": renamed}, cut)]
    assert {(each["input_tokens"], each["output_tokens"], each["reasoning_tokens"]) for each in found} == {
        (3, 930, 901)
    }


def test_tool_use_adds_to_the_prompt_and_thoughts_alone_are_an_answer(tmp_path: Path) -> None:
    usage = {"promptTokenCount": 10, "toolUsePromptTokenCount": 5, "thoughtsTokenCount": 7, "totalTokenCount": 22}
    call = imported(tmp_path, jsonl(changed(usage))).only
    assert (call["input_tokens"], call["output_tokens"], call["reasoning_tokens"]) == (15, 7, 7)
    blocked = imported(tmp_path, jsonl(changed({"promptTokenCount": 10, "totalTokenCount": 10}))).only
    assert (blocked["input_tokens"], blocked["output_tokens"]) == (10, 0)


def test_a_stream_of_claude_is_one_call(tmp_path: Path) -> None:
    events = [
        {"type": "message_start", "message": {"usage": {"input_tokens": 10, "output_tokens": 1}}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 44}},
    ]
    call = imported(tmp_path, jsonl({**rows()[2], "full_response": events})).only
    assert (call["input_tokens"], call["output_tokens"], call["finish_reason"]) == (10, 44, "end_turn")


def test_odd_values_are_rejected_or_dropped_never_a_crash(tmp_path: Path) -> None:
    odd = [
        changed({"promptTokenCount": "x", "candidatesTokenCount": 1}, request_id=1),
        changed({"promptTokenCount": {"a": 1}, "candidatesTokenCount": 1}, request_id=2),
        changed({"promptTokenCount": 5, "candidatesTokenCount": 1, "promptTokensDetails": "y"}, request_id=3),
        changed({"promptTokenCount": 5, "candidatesTokenCount": 1}, request_id=4, logging_time="0001-01-01"),
        changed({"promptTokenCount": 5, "candidatesTokenCount": 1}, request_id=5, metadata={"request_latency": "x"}),
        {"logging_time": "2026-11-02 10:00:00 UTC", "request_id": 6, "full_request": None, "full_response": None},
        changed({"promptTokenCount": 5, "cachedContentTokenCount": 9, "candidatesTokenCount": 1}, request_id=7),
        {**rows()[0], "request_id": 8, "full_response": {"error": {"status": "RESOURCE_EXHAUSTED", "code": 429}}},
    ]
    for each in odd:
        each.setdefault("model", "m")
    found = imported(tmp_path, jsonl(*odd))
    assert found.report.rows_in == 8
    assert sorted(each["record_id"] for each in found.calls) == ["3", "4", "5", "8"]
    assert {each["record_id"]: each["status"] for each in found.calls}["8"] == "error"


def test_another_rate_for_the_same_file_needs_another_store(tmp_path: Path) -> None:
    with CallStore(tmp_path / "store") as store:
        store.ingest(FIXTURE, now=NOW, settings=ImportSettings(sampled_fraction=0.1))
        with pytest.raises(UsageError, match="import into a new store"):
            store.ingest(FIXTURE, now=NOW, settings=ImportSettings(sampled_fraction=0.2))
        assert store.ingest(FIXTURE, now=NOW, settings=ImportSettings(sampled_fraction=0.1)).calls == 0
