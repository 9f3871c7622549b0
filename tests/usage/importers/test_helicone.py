"""Helicone: tokens beside each other, billionths of a dollar, milliseconds, answers from its own cache."""

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

from ..logs import imported, imported_paths, jsonl

FOLDER = Path(__file__).parent / "fixtures" / "helicone"
TABLE, EXPORT = FOLDER / "request_response_rmt.csv", FOLDER / "output.jsonl"
CELLS = list(csv.DictReader(io.StringIO(TABLE.read_text())))
ROWS: list[dict[str, Any]] = [json.loads(line) for line in EXPORT.read_text().splitlines()]


def tokens(call: dict[str, Any]) -> tuple[int, ...]:
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    return tuple(call[name] for name in names)


def as_csv(*rows: dict[str, Any]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def test_the_table() -> None:
    found = imported_paths(TABLE)
    assert (found.report.rows_in, found.report.calls, found.report.duplicates) == (7, 5, 1)
    assert found.report.rejects == {"not a call to a model": 1}
    chat, written, hit, failed, embedding = found.calls
    assert (tokens(chat), chat["cost_usd"]) == ((1200, 1024, 0, 300, 128), 0.004125)
    assert chat["start_time"] == datetime(2026, 11, 2, 10, 0, 0, 125_000, UTC)
    assert (chat["duration_s"], chat["ttft_s"], chat["tz_assumed"]) == (2.0, 0.4, False)
    assert (chat["application"], chat["endpoint"], chat["task"]) == ("support", "/ticket/answer", "triage")
    assert (chat["session_id"], chat["provider"], chat["http_status"]) == ("s-9", "openai", 200)
    assert chat["unit_hash"]
    assert (tokens(written), written["provider"], written["ttft_s"]) == ((1284, 0, 1253, 467, 0), "anthropic", None)
    assert (hit["status"], hit["cost_usd"]) == ("cache_hit", 0.0)
    assert (failed["status"], failed["http_status"]) == ("error", 429)
    assert (embedding["operation"], tokens(embedding)) == ("embeddings", (15, 0, 0, 0, 0))
    assert "ann@example.com" not in str(found.calls)


def test_the_bodies_usage_comes_first() -> None:
    openai, anthropic = imported_paths(EXPORT).calls
    assert tokens(openai) == (720, 512, 0, 140, 64)
    assert (openai["cost_usd"], openai["duration_s"], openai["ttft_s"]) == (0.00179, 2.5, None)
    assert (openai["response_model"], openai["finish_reason"]) == ("gpt-4.1-2025-04-14", "stop")
    assert (openai["max_tokens"], openai["stream"], openai["service_tier"]) == (300, False, "default")
    assert openai["prompt_hash"]
    assert (tokens(anthropic), anthropic["cache_write_1h_tokens"]) == ((1284, 0, 1253, 467, 0), 1000)
    assert anthropic["prompt_hash"] is None


def test_without_bodies_the_columns_agree(tmp_path: Path) -> None:
    bare = [row | {"response_body": {}, "completion_tokens": 76, "reasoning_tokens": 64} for row in ROWS[:1]]
    assert tokens(imported(tmp_path, jsonl(*bare)).only) == (720, 512, 0, 140, 64)


@pytest.mark.parametrize("layout", ["parquet", "answer", "array", "tool's csv"])
def test_other_shapes(layout: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    if layout == "parquet":
        numbers = {"latency", "prompt_tokens", "completion_tokens", "status"}
        rows = [{k: int(v) if k in numbers and v else v or None for k, v in each.items()} for each in CELLS]
        maps = [[("App", "support")]] * len(rows)
        table = pa.Table.from_pylist(rows)
        values = pa.array(maps, pa.map_(pa.string(), pa.string()))
        pq.write_table(table.set_column(table.column_names.index("properties"), "properties", values), path)
        found = imported_paths(path)
        assert [call["input_tokens"] for call in found.calls] == [1200, 1284, 176, 0, 15]
        assert {call["application"] for call in found.calls} == {"support"}
    elif layout == "tool's csv":
        names = ("response_id", "response_created_at", "response_status", "request_created_at", "request_body")
        names += (
            "request_properties",
            "request_user_id",
            "model",
            "prompt_tokens",
            "completion_tokens",
            "latency",
            "cost",
        )
        row = {name: ROWS[0].get(name, "") for name in names} | {"request_properties": '{"App": "writer"}'}
        call = imported(tmp_path, as_csv(row | {"request_body": ""}), "output.csv").only
        assert (call["input_tokens"], call["cost_usd"], call["application"]) == (208, 0.00179, "writer")
        assert (call["record_id"], call["duration_s"]) == (ROWS[0]["response_id"], 2.5)
    else:
        content = {"data": ROWS, "error": None} if layout == "answer" else ROWS
        path.write_text(json.dumps(content, indent=2))
        assert [tokens(call) for call in imported_paths(path).calls] == [
            (720, 512, 0, 140, 64),
            (1284, 0, 1253, 467, 0),
        ]


MEANINGS: list[tuple[dict[str, str], str, object]] = [
    ({"status": "-3"}, "status", "cancelled"),
    ({"status": "500"}, "status", "error"),
    ({"time_to_first_token": "-1"}, "ttft_s", None),
    ({"cost": "0"}, "cost_usd", None),
    ({"cost": ""}, "cost_usd", None),
    ({"prompt_audio_tokens": "7"}, "input_tokens", 1207),
    ({"completion_audio_tokens": "7"}, "output_tokens", 307),
    ({"provider": "AZURE"}, "provider", "azure.ai.openai"),
    ({"properties": "{}"}, "application", None),
    ({"properties": "broken"}, "application", None),
    ({"latency": ""}, "duration_s", 2.0),
    ({"cache_reference_id": ""}, "status", "ok"),
]


def test_what_columns_mean(tmp_path: Path) -> None:
    rows = [CELLS[0] | {"request_id": str(i)} | changes for i, (changes, _, _) in enumerate(MEANINGS)]
    calls = {call["record_id"]: call for call in imported(tmp_path, as_csv(*rows), "log.csv").calls}
    for i, (changes, field, wanted) in enumerate(MEANINGS):
        assert calls[str(i)][field] == wanted, changes


def test_tables_before_cache_columns(tmp_path: Path) -> None:
    old = ("response_id", "latency", "status", "completion_tokens", "prompt_tokens", "model", "request_id")
    old += ("request_created_at", "user_id", "organization_id", "provider", "properties")
    call = imported(tmp_path, as_csv({name: CELLS[0][name] for name in old}), "log.csv").only
    assert (tokens(call), call["cost_usd"]) == ((176, 0, 0, 172, 0), None)


BROKEN: list[tuple[dict[str, str], str]] = [
    ({"request_created_at": ""}, "start_time is missing"),
    ({"prompt_tokens": "n/a"}, "input_tokens is not a number"),
    ({"prompt_tokens": "-1", "prompt_cache_read_tokens": "0"}, "input_tokens is negative"),
    ({"status": "-2"}, "the answer was still awaited"),
]


def test_bad_rows_among_good_ones(tmp_path: Path) -> None:
    rows = [CELLS[0], *(CELLS[1] | {"request_id": str(i)} | changes for i, (changes, _) in enumerate(BROKEN)), CELLS[2]]
    found = imported(tmp_path, as_csv(*rows), "log.csv")
    assert found.report.calls == 2
    assert found.reasons == {i: reason for i, (_, reason) in enumerate(BROKEN, 2)}
