"""LiteLLM: the proxy's table and the callbacks' payload are the same calls, cached tokens inside, cache hits free."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from ..logs import imported, imported_paths

FOLDER = Path(__file__).parent / "fixtures" / "litellm"
TABLE, PAYLOAD = FOLDER / "spend_logs.csv", FOLDER / "payload.jsonl"
ROWS = list(csv.DictReader(io.StringIO(TABLE.read_text())))


def as_csv(*rows: dict[str, Any]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def tokens(call: dict[str, Any]) -> tuple[int, ...]:
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    return tuple(call[name] for name in names)


def test_the_table() -> None:
    found = imported_paths(TABLE)
    assert (found.report.rows_in, found.report.calls) == (8, 7)
    assert found.report.rejects == {"not a call to a model": 1}
    chat, old, hit, cached, failed, embedding, batch = found.calls
    assert (tokens(chat), chat["cost_usd"]) == ((1200, 1024, 0, 300, 128), 0.004125)
    assert chat["start_time"] == datetime(2026, 11, 2, 10, 0, 0, 125_000, UTC)
    assert (chat["duration_s"], chat["ttft_s"], chat["tz_assumed"]) == (2.0, 0.4, False)
    assert (chat["request_model"], chat["response_model"], chat["provider"]) == ("smart", "gpt-5", "openai")
    assert (chat["application"], chat["task"], chat["max_tokens"]) == ("support-bot", "triage", 800)
    assert chat["unit_hash"] != old["unit_hash"]
    assert chat["api_key_hash"]
    assert chat["prompt_hash"]
    assert (tokens(old), old["ttft_s"]) == ((1284, 0, 1253, 467, 0), None)
    assert (hit["status"], hit["cost_usd"]) == ("cache_hit", 0.0)
    assert (tokens(cached), cached["provider"]) == ((1284, 1253, 0, 100, 0), "aws.bedrock")
    assert (failed["status"], failed["error_type"], failed["http_status"]) == ("error", "RateLimitError", 429)
    assert embedding["operation"] == "embeddings"
    assert (batch["grain"], batch["request_count"], batch["is_batch"]) == ("bucket", None, True)
    assert "10.1.2.3" not in str(found.calls)


def test_the_payload() -> None:
    chat, failed = imported_paths(PAYLOAD).calls
    assert tokens(chat) == (720, 512, 0, 140, 0)
    assert chat["start_time"] == datetime(2026, 11, 2, 11, 0, 0, 250_000, UTC)
    assert (chat["duration_s"], chat["ttft_s"], chat["stream"]) == (2.5, 0.5, True)
    assert (chat["request_model"], chat["response_model"]) == ("gpt-4.1", "azure/prod-gpt41")
    assert (chat["model_key"], chat["provider"]) == ("azure/gpt-4.1", "azure.ai.openai")
    assert (chat["endpoint"], chat["finish_reason"], chat["trace_id"]) == (
        "/chat/completions",
        "stop",
        "0e9b6a7e-trace-5",
    )
    assert (failed["status"], failed["error_type"], failed["http_status"]) == ("error", "Timeout", 504)
    assert "ann@example.com" not in str((chat, failed))


def test_one_answer_in_both_logs_is_one_call(tmp_path: Path) -> None:
    payload = json.loads(PAYLOAD.read_text().splitlines()[0])
    row = ROWS[0] | {
        "request_id": payload["id"],
        "startTime": "2026-11-02 11:00:00.25",
        "endTime": "2026-11-02 11:00:03",
    }
    (tmp_path / "spend.csv").write_text(as_csv(row))
    (tmp_path / "payload.jsonl").write_text(json.dumps(payload))
    report = imported_paths(tmp_path).report
    assert (report.calls, report.duplicates) == (1, 1)


@pytest.mark.parametrize("shape", ["parquet", "json array", "pretty", "lower case", "semicolons"])
def test_every_shape_gives_the_same_calls(shape: str, tmp_path: Path) -> None:
    path = tmp_path / "spend_logs"
    if shape == "parquet":
        pq.write_table(pacsv.read_csv(TABLE), path)
    elif shape == "lower case":
        path.write_text(as_csv(*[{name.lower(): each for name, each in row.items()} for row in ROWS]))
    elif shape == "semicolons":
        text = io.StringIO()
        writer = csv.DictWriter(text, list(ROWS[0]), delimiter=";", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(ROWS)
        path.write_text(text.getvalue())
    else:
        rows = [row | {name: json.loads(row[name]) for name in ("metadata", "request_tags")} for row in ROWS]
        path.write_text(json.dumps(rows, indent=2 if shape == "pretty" else None))
    names = ("source_file", "source_line")
    wanted, found = imported_paths(TABLE), imported_paths(path)
    strip = [[{k: v for k, v in call.items() if k not in names} for call in each.calls] for each in (wanted, found)]
    assert strip[1] == strip[0]


MEANINGS: list[tuple[dict[str, str], str, object]] = [
    ({"cache_hit": "False"}, "status", "ok"),
    ({"cache_hit": "None"}, "status", "ok"),
    ({"cache_hit": ""}, "status", "ok"),
    ({"cache_hit": "true"}, "status", "cache_hit"),
    ({"call_type": "completion"}, "operation", "chat"),
    ({"call_type": "aresponses"}, "operation", "chat"),
    ({"call_type": "anthropic_messages"}, "operation", "chat"),
    ({"call_type": "atext_completion"}, "operation", "text_completion"),
    ({"spend": "0"}, "cost_usd", None),
    ({"spend": "0.25"}, "cost_usd", 0.25),
    ({"user": "default_user_id", "end_user": ""}, "unit_hash", None),
    ({"metadata": ""}, "cache_read_tokens", 0),
    ({"metadata": "{broken"}, "application", "team-support"),
    ({"metadata": "[1]"}, "input_tokens", 1200),
    ({"completionStartTime": ""}, "ttft_s", None),
    ({"custom_llm_provider": "vertex_ai"}, "provider", "gcp.vertex_ai"),
    ({"request_tags": '["User-Agent: x"]'}, "task", None),
]


def test_what_columns_mean(tmp_path: Path) -> None:
    rows = [ROWS[0] | {"request_id": str(i)} | changes for i, (changes, _, _) in enumerate(MEANINGS)]
    calls = {call["record_id"]: call for call in imported(tmp_path, as_csv(*rows), "log.csv").calls}
    for i, (changes, field, wanted) in enumerate(MEANINGS):
        assert calls[str(i)][field] == wanted, changes


BROKEN: list[tuple[dict[str, str], str]] = [
    ({"startTime": ""}, "start_time is missing"),
    ({"startTime": "yesterday"}, "start_time is not a time"),
    ({"prompt_tokens": "many"}, "input_tokens is not a number"),
    ({"prompt_tokens": "-1"}, "input_tokens is negative"),
    ({"completion_tokens": ""}, "output_tokens is missing"),
    ({"spend": "free"}, "cost_usd is not an amount"),
]


def test_bad_rows_among_good_ones(tmp_path: Path) -> None:
    rows = [ROWS[0], *(ROWS[1] | {"request_id": str(i)} | changes for i, (changes, _) in enumerate(BROKEN)), ROWS[2]]
    found = imported(tmp_path, as_csv(*rows), "log.csv")
    assert found.report.calls == 2
    assert found.reasons == {i: reason for i, (_, reason) in enumerate(BROKEN, 2)}


def test_numbers_as_texts_and_older_tables(tmp_path: Path) -> None:
    """Tables of 2024 lack half of the columns."""
    old = ("request_id", "call_type", "api_key", "spend", "total_tokens", "prompt_tokens", "completion_tokens")
    old += ("startTime", "endTime", "model", "user", "metadata", "cache_hit", "cache_key", "request_tags")
    row = {name: ROWS[0][name] for name in old} | {"prompt_tokens": "1200.0", "metadata": "{}"}
    call = imported(tmp_path, as_csv(row), "log.csv").only
    assert (call["input_tokens"], call["request_model"]) == (1200, "gpt-5")
