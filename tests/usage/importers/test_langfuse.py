"""Langfuse: usage types beside each other, times in UTC, generations and embeddings alone, the inner one of two."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ..logs import Imported, imported, imported_paths, jsonl

FOLDER = Path(__file__).parent / "fixtures" / "langfuse"
EXPORT, API = FOLDER / "observations_v2.csv", FOLDER / "api_observations.json"
OBJECTS = ("usage_details", "cost_details", "metadata", "tool_definitions", "tags")
CELLS = list(csv.DictReader(io.StringIO(EXPORT.read_text())))
ROWS: list[dict[str, Any]] = [
    {name: json.loads(cell) if name in OBJECTS else (cell or None) for name, cell in row.items()} for row in CELLS
]


def tokens(call: dict[str, Any]) -> tuple[int, ...]:
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    return tuple(call[name] for name in names)


def row(usage: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return ROWS[0] | {"usage_details": usage if usage is not None else {"input": 100, "output": 10}} | fields


def test_the_export() -> None:
    found = imported_paths(EXPORT)
    assert (found.report.rows_in, found.report.calls) == (8, 6)
    assert found.report.rejects == {
        "not a call to a model": 1,
        "a generation around another one, whose tokens it repeats": 1,
    }
    chat, written, inside, embedding, failed, inner = found.calls
    assert tokens(chat) == (1200, 1024, 0, 300, 128)
    assert chat["start_time"] == datetime(2026, 11, 2, 10, 0, 0, 100_000, UTC)
    assert (chat["duration_s"], chat["ttft_s"], chat["tz_assumed"]) == (1.9, 0.42, False)
    assert (chat["request_model"], chat["cost_usd"], chat["max_tokens"]) == ("gpt-5", 0.0034, 800)
    assert (chat["stream"], chat["service_tier"], chat["template_id"]) == (True, "flex", "triage")
    assert (chat["task"], chat["endpoint"], chat["session_id"]) == ("ticket", "answer-ticket", "session-9")
    assert (chat["parent_id"], chat["trace_id"]) == ("span-0001", "tr-1")
    assert chat["unit_hash"]
    assert chat["prompt_hash"]
    assert tokens(written) == (1284, 0, 1253, 467, 0)
    assert tokens(inside) == (100, 30, 0, 50, 0), "the total says that the cached part is inside"
    assert (embedding["operation"], embedding["input_tokens"], embedding["cost_usd"]) == ("embeddings", 15, None)
    assert (failed["status"], failed["error_type"], failed["tokens_source"]) == ("error", "RateLimitError", "missing")
    assert inner["record_id"] == "gen-inner"
    assert "ann@example.com" not in str(found.calls)


def test_the_api_and_camel_case() -> None:
    found = imported_paths(API)
    assert found.report.rejects == {"usage is not counted in tokens": 1}
    call = found.only
    assert (tokens(call), call["request_model"]) == ((700, 0, 0, 60, 0), "gpt-4o")
    assert (call["duration_s"], call["ttft_s"], call["cost_usd"]) == (4.0, 0.8, 0.00235)


def same(one: Imported, other: Imported) -> bool:
    names = ("source_file", "source_line")
    strip = [[{k: v for k, v in call.items() if k not in names} for call in each.calls] for each in (one, other)]
    return strip[0] == strip[1] and one.report.rejects == other.report.rejects


@pytest.mark.parametrize("layout", ["jsonl", "json", "parquet maps", "parquet texts", "parquet structs"])
def test_every_shape_gives_the_same_calls(layout: str, tmp_path: Path) -> None:
    path = tmp_path / "observations"
    if layout in ("jsonl", "json"):
        path.write_text(jsonl(*ROWS) if layout == "jsonl" else json.dumps(ROWS))
    else:
        table = pa.Table.from_pylist(CELLS)
        for name in ("usage_details", "cost_details"):
            inner = [each[name] for each in ROWS]
            if layout == "parquet maps":
                values = pa.array([list(each.items()) for each in inner], pa.map_(pa.string(), pa.float64()))
                table = table.set_column(table.column_names.index(name), name, values)
            elif layout == "parquet structs":
                table = table.set_column(table.column_names.index(name), name, pa.array(inner))
        times = [datetime.fromisoformat(each["start_time"]) for each in ROWS]
        values = pa.array(times, pa.timestamp("us"))
        pq.write_table(table.set_column(table.column_names.index("start_time"), "start_time", values), path)
    assert same(imported_paths(path), imported_paths(EXPORT))


USAGES: list[tuple[dict[str, Any], tuple[int, ...]]] = [
    ({"input": 100, "output": 10}, (100, 0, 0, 10, 0)),
    ({"input": "100", "output": "10.0", "total": "110"}, (100, 0, 0, 10, 0)),
    ({"input": 100, "input_cached_tokens": 30, "output": 10}, (130, 30, 0, 10, 0)),
    ({"input": 100, "input_cached_tokens": 30, "output": 10, "total": 140}, (130, 30, 0, 10, 0)),
    ({"input": 100, "input_cached_tokens": 30, "output": 10, "total": 110}, (100, 30, 0, 10, 0)),
    ({"input": 5, "input_cached_tokens": 30, "output": 10, "total": 15}, (35, 30, 0, 10, 0)),
    ({"input": 100, "output": 10, "reasoning_tokens": 4, "total": 110}, (100, 0, 0, 10, 4)),
    ({"input": 100, "output": 6, "output_reasoning_tokens": 4, "total": 110}, (100, 0, 0, 10, 4)),
    (
        {"input": 5, "cache_read_input_tokens": 40, "cache_creation_input_tokens": 7, "output": 1},
        (52, 40, 7, 1, 0),
    ),
    ({"input": 5, "input_cache_read": 40, "input_cache_creation": 7, "output": 1, "total": 53}, (52, 40, 7, 1, 0)),
    ({"prompt_tokens": 100, "completion_tokens": 10, "total": 110}, (100, 0, 0, 10, 0)),
]


def test_usage_types(tmp_path: Path) -> None:
    rows = [row(usage, id=str(i)) for i, (usage, _) in enumerate(USAGES)]
    calls = {call["record_id"]: call for call in imported(tmp_path, jsonl(*rows)).calls}
    for i, (usage, wanted) in enumerate(USAGES):
        assert tokens(calls[str(i)]) == wanted, usage


def test_cache_lifetimes_audio_and_images(tmp_path: Path) -> None:
    usage = {
        "input": 10,
        "input_cache_creation_5m": 5,
        "input_cache_creation_1h": 3,
        "input_audio_tokens": 2,
        "input_image_tokens": 4,
        "output": 7,
        "output_audio_tokens": 6,
    }
    call = imported(tmp_path, jsonl(row(usage))).only
    assert tokens(call) == (24, 0, 8, 13, 0)
    assert (call["cache_write_1h_tokens"], call["audio_input_tokens"], call["image_input_tokens"]) == (3, 2, 4)
    assert call["audio_output_tokens"] == 6


LATENCIES: list[tuple[dict[str, Any], float | None, float | None]] = [
    ({"latency": 1900, "time_to_first_token": 420, "completion_start_time": None}, 1.9, 0.42),
    ({"latency": 1.9, "time_to_first_token": 0.42, "completion_start_time": None}, 1.9, 0.42),
    ({"latency": 1900, "time_to_first_token": 420}, 1.9, 0.42),
    ({"latency": 1900, "time_to_first_token": 420, "end_time": None, "completion_start_time": None}, None, None),
]


def test_latencies_in_seconds_or_milliseconds(tmp_path: Path) -> None:
    rows = [row(id=str(i), **fields) for i, (fields, _, _) in enumerate(LATENCIES)]
    calls = {call["record_id"]: call for call in imported(tmp_path, jsonl(*rows)).calls}
    for i, (fields, duration_s, ttft_s) in enumerate(LATENCIES):
        assert (calls[str(i)]["duration_s"], calls[str(i)]["ttft_s"]) == (duration_s, ttft_s), fields


def test_without_usage_the_texts_are_counted(tmp_path: Path) -> None:
    call = imported(tmp_path, jsonl(row({}))).only
    assert call["tokens_source"] == "estimated"
    assert 5 <= call["input_tokens"] <= 40
    assert 2 <= call["output_tokens"] <= 20


def test_an_unknown_price_is_not_a_price_of_nothing(tmp_path: Path) -> None:
    assert imported(tmp_path, jsonl(row(total_cost=0, cost_details={}))).only["cost_usd"] is None


def test_older_columns(tmp_path: Path) -> None:
    """Before usage types: three counts, model and type; and an export of generations alone, without a type."""
    old = {
        "id": "g",
        "trace_id": "t",
        "type": "GENERATION",
        "parent_observation_id": None,
        "start_time": "2026-11-02 10:00:00",
        "model": "gpt-4",
        "model_parameters": "{}",
        "prompt_tokens": 700,
        "completion_tokens": 60,
        "total_tokens": 760,
        "calculated_total_cost": "0.02",
    }
    call = imported(tmp_path, jsonl(old)).only
    assert (tokens(call), call["request_model"], call["cost_usd"]) == ((700, 0, 0, 60, 0), "gpt-4", 0.02)
    ui = (
        "id,traceId,name,startTime,endTime,model,latency,timeToFirstToken,inputUsage,outputUsage,totalUsage,totalCost\n"
    )
    ui += "\ng,t,chat,2026-11-02T10:00:00.000Z,,gpt-4,1.5,0.4,700,60,760,0.02\n"
    call = imported(tmp_path, ui, "generations.csv").only
    assert (tokens(call), call["duration_s"], call["ttft_s"]) == ((700, 0, 0, 60, 0), 1.5, 0.4)


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"start_time": None}, "start_time is missing"),
    ({"start_time": "??"}, "start_time is not a time"),
    ({"usage_details": {}, "input": None, "output": None}, "input_tokens is missing"),
    ({"usage_details": "{broken", "input": None, "output": None}, "input_tokens is missing"),
    ({"usage_details": {"input": -4, "output": 1}}, "input_tokens is negative"),
    ({"type": "EVENT"}, "not a call to a model"),
    ({"end_time": "2026-11-01 10:00:00"}, "end_time is before start_time"),
]


def test_bad_rows_among_good_ones(tmp_path: Path) -> None:
    rows = [row(id="a"), *(row(id=str(i)) | fields for i, (fields, _) in enumerate(BROKEN)), row(id="c")]
    found = imported(tmp_path, jsonl(*rows))
    assert found.report.calls == 2
    assert found.reasons == {i: reason for i, (_, reason) in enumerate(BROKEN, 2)}


def test_exports_that_overlap_give_each_call_once(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_text(jsonl(row(id="a"), row(id="b")))
    (tmp_path / "2.jsonl").write_text(jsonl(row({"input": 107, "output": 11}, id="b"), row(id="c")))
    found = imported_paths(tmp_path)
    assert (found.report.calls, found.report.duplicates) == (3, 1)
    assert {call["record_id"]: call["input_tokens"] for call in found.calls}["b"] == 107
