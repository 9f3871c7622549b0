"""OpenInference: Phoenix's dataframe and JSON, and the same spans in OTLP."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..logs import imported, imported_paths, jsonl

FOLDER = Path(__file__).parent / "fixtures" / "openinference"
TABLE, OBJECTS = FOLDER / "spans_dataframe.csv", FOLDER / "spans.jsonl"
CELLS = list(csv.DictReader(io.StringIO(TABLE.read_text())))
SPAN: dict[str, Any] = json.loads(OBJECTS.read_text())


def tokens(call: dict[str, Any]) -> tuple[int, ...]:
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    return tuple(call[name] for name in names)


def test_the_dataframe() -> None:
    found = imported_paths(TABLE)
    assert (found.report.rows_in, found.report.calls) == (5, 3)
    assert found.report.rejects == {
        "an agent's or a chain's span, which sums up those inside it": 1,
        "not a call to a model": 1,
    }
    chat, embedding, failed = found.calls
    assert (tokens(chat), chat["cost_usd"]) == ((1200, 1024, 0, 300, 128), 0.0034)
    assert chat["start_time"] == datetime(2026, 11, 2, 10, 0, 0, 100_000, UTC)
    assert (chat["duration_s"], chat["ttft_s"], chat["tz_assumed"]) == (1.9, 0.42, False)
    assert (chat["max_tokens"], chat["stream"], chat["session_id"]) == (800, True, "session-9")
    assert chat["unit_hash"]
    assert chat["prompt_hash"]
    assert (embedding["operation"], embedding["request_model"]) == ("embeddings", "text-embedding-3-small")
    assert (failed["status"], failed["error_type"]) == ("error", "anthropic.APITimeoutError")
    assert "ann@example.com" not in str(found.calls)


def test_phoenix_objects() -> None:
    call = imported_paths(OBJECTS).only
    assert (tokens(call), call["provider"]) == ((1284, 0, 1253, 467, 0), "anthropic")
    assert call["prompt_hash"]


def test_a_parquet_file_of_the_dataframe(tmp_path: Path) -> None:
    counts = [name for name in CELLS[0] if "token_count" in name or "cost" in name]
    rows = [
        {name: float(cell) if name in counts and cell else cell or None for name, cell in each.items()}
        | {"start_time": datetime.fromisoformat(each["start_time"]), "events": json.loads(each["events"])}
        | {"attributes.llm.input_messages": [{"message.role": "user", "message.content": "Hi"}]}
        for each in CELLS
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "spans.parquet")
    found, wanted = imported_paths(tmp_path / "spans.parquet"), imported_paths(TABLE)
    assert found.report.formats == ("openinference",)
    assert [tokens(call) for call in found.calls] == [tokens(call) for call in wanted.calls]
    assert [call["start_time"] for call in found.calls] == [call["start_time"] for call in wanted.calls]
    assert all(call["prompt_hash"] for call in found.calls)


def test_the_same_span_as_otlp_is_the_same_call(tmp_path: Path) -> None:
    tagged = [
        {"key": key, "value": {"stringValue": each} if isinstance(each, str) else {"intValue": str(each)}}
        for key, each in SPAN["attributes"].items()
    ]
    span = {
        "traceId": SPAN["context"]["trace_id"],
        "spanId": SPAN["context"]["span_id"],
        "startTimeUnixNano": "1793617200000000000",
        "endTimeUnixNano": "1793617203000000000",
        "attributes": tagged,
    }
    otlp = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    by_otel = imported(tmp_path, otlp, "otlp.json")
    assert by_otel.report.formats == ("otel_spans",)
    asked = imported(tmp_path, otlp, "asked.json", format="openinference")
    names = ("source", "source_file")
    calls = [
        {k: v for k, v in each.only.items() if k not in names} for each in (by_otel, asked, imported_paths(OBJECTS))
    ]
    assert calls[0] == calls[1] == calls[2]


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"start_time": None}, "start_time is missing"),
    ({"attributes": {}}, "input_tokens is missing"),
    ({"attributes": None, "span_kind": None}, "not a call to a model"),
    ({"span_kind": "UNKNOWN", "attributes": {}}, "not a call to a model"),
    ({"context": None}, "no spans in this object"),
]


def test_bad_spans_among_good_ones(tmp_path: Path) -> None:
    one, two = (SPAN | {"context": {"trace_id": "0a", "span_id": own}} for own in ("b1", "b2"))
    found = imported(tmp_path, jsonl(one, *(SPAN | changes for changes, _ in BROKEN), two))
    assert found.report.calls == 2
    assert found.reasons == {i: reason for i, (_, reason) in enumerate(BROKEN, 2)}
