"""Bedrock: cache counts beside the input, streams, CloudWatch wrappings, pictures, profiles that hide their model."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from ..logs import imported, imported_paths, jsonl

FIXTURE = Path(__file__).parent / "fixtures" / "bedrock" / "20261102T100000000Z_0a1b2c.json.gz"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"


def records() -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(FIXTURE.read_bytes()).splitlines()]


def record(**fields: Any) -> dict[str, Any]:
    return {**records()[2], **fields}


def test_the_fixture_to_the_token() -> None:
    calls = {each["record_id"][-1]: each for each in imported_paths(FIXTURE).calls}
    first = calls["1"]
    assert (first["input_tokens"], first["cache_read_tokens"], first["cache_write_tokens"]) == (2420, 2000, 300)
    assert (first["cache_write_1h_tokens"], first["output_tokens"], first["finish_reason"]) == (200, 45, "end_turn")
    assert (first["application"], first["task"], first["max_tokens"]) == ("support", "parcel-status", 512)
    assert first["unit_hash"] and first["api_key_hash"] and "ann@example.com" not in str(first)
    assert "SupportBot" not in str(first)
    stream = calls["2"]
    assert (stream["input_tokens"], stream["cache_read_tokens"], stream["output_tokens"]) == (45_000, 5_000, 800)
    assert (stream["stream"], stream["duration_s"], stream["ttft_s"]) == (True, 9.5, 1.2)
    assert stream["finish_reason"] == "max_tokens"
    assert stream["model_key"] == "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    assert "S3 object" in stream["redaction"]
    assert (calls["3"]["duration_s"], calls["3"]["output_tokens"]) == (0.64, 60)
    assert (calls["4"]["operation"], calls["4"]["input_tokens"], calls["4"]["output_tokens"]) == ("embeddings", 7, 0)
    assert (calls["5"]["status"], calls["5"]["error_type"]) == ("error", "ThrottlingException")
    assert {each["provider"] for each in calls.values()} == {"aws.bedrock"}


def test_a_picture_is_no_call_of_tokens() -> None:
    found = imported_paths(FIXTURE)
    assert list(found.report.rejects) == ["a picture or a film was made: billed by the piece, not by tokens"]
    assert found.report.rows_in == 6 == found.report.calls + found.report.rejects_count


def wrapped(kind: str) -> str:
    """The same records as CloudWatch gives them."""
    messages = [json.dumps(each) for each in records()]
    if kind == "filter-log-events":
        events = [
            {"logStreamName": "s", "timestamp": 1, "message": each, "eventId": str(i)}
            for i, each in enumerate(messages)
        ]
        return json.dumps({"events": events, "searchedLogStreams": []}, indent=2)
    if kind == "subscription":
        events = [{"id": str(i), "timestamp": 1, "message": each} for i, each in enumerate(messages)]
        return json.dumps({"messageType": "DATA_MESSAGE", "logGroup": "g", "logStream": "s", "logEvents": events})
    if kind == "insights json":
        return json.dumps(
            [{"@timestamp": "2026-11-02 10:00:00.000", "@message": json.loads(each)} for each in messages]
        )
    if kind == "insights csv":
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerows([["@timestamp", "@message"], *(["2026-11-02 10:00:00.000", each] for each in messages)])
        return out.getvalue()
    if kind == "export task":
        return "".join(f"2026-11-02T10:00:00.000Z {each}\n" for each in messages)
    return "[\n" + ",\n".join(json.dumps(each, indent=1) for each in records()) + "\n]"


@pytest.mark.parametrize(
    "kind", ["filter-log-events", "subscription", "insights json", "insights csv", "export task", "pretty array"]
)
def test_every_wrapping_gives_the_same_calls(kind: str, tmp_path: Path) -> None:
    plain, found = imported_paths(FIXTURE), imported(tmp_path, wrapped(kind), "log")
    assert found.report.formats == ("bedrock",)
    assert found.report.rows_in == 6
    places = ("source_file", "source_line")
    assert [{k: v for k, v in each.items() if k not in places} for each in found.calls] == [
        {k: v for k, v in each.items() if k not in places} for each in plain.calls
    ]


def test_an_older_record_counts_its_cache_in_the_answer_only(tmp_path: Path) -> None:
    older = records()[0]
    for name in ("cacheReadInputTokenCount", "cacheWriteInputTokenCount"):
        del older["input"][name]
    call = imported(tmp_path, jsonl(older)).only
    assert (call["input_tokens"], call["cache_read_tokens"], call["cache_write_tokens"]) == (2420, 2000, 300)


def test_an_application_profile_is_known_by_the_model_that_answered(tmp_path: Path) -> None:
    told, hidden = {**records()[0], "modelId": PROFILE}, record(modelId=PROFILE)
    calls = imported(tmp_path, jsonl(told, hidden)).calls
    assert (calls[0]["model_key"], calls[0]["response_model"]) == (None, "claude-sonnet-4-5-20250929")
    assert (calls[1]["model_key"], calls[1]["response_model"]) == (PROFILE, None)


def test_a_request_logged_twice_is_one_call(tmp_path: Path) -> None:
    found = imported(tmp_path, jsonl(record(), record()))
    assert (found.report.calls, found.report.duplicates) == (1, 1)


def test_rows_that_are_no_invocation_say_so(tmp_path: Path) -> None:
    events = [{"message": "START RequestId"}, {"message": json.dumps(record())}, {"message": '{"level": "info"}'}, 7]
    found = imported(tmp_path, json.dumps({"logGroup": "g", "logEvents": events}))
    assert found.report.rows_in == 4
    assert found.report.rejects == {
        "a log event that holds no model invocation": 2,
        "no modelId: not a model invocation": 1,
    }


def test_odd_values_are_rejected_or_dropped_never_a_crash(tmp_path: Path) -> None:
    odd = [
        record(requestId="a", input={"inputTokenCount": "900"}),
        record(requestId="b", input={"inputTokenCount": [1]}),
        record(requestId="c", input="nothing"),
        record(requestId="d", output=[], requestMetadata="x", identity=3),
        record(requestId="e", input={"inputTokenCount": -1}),
        record(requestId="f", modelId={"a": 1}),
        record(requestId="g", timestamp=None),
        record(requestId="h", output={"outputTokenCount": 5, "outputBodyJson": [None, 1, "x", {"usage": "y"}]}),
    ]
    found = imported(tmp_path, jsonl(*odd))
    assert found.report.rows_in == 8
    assert sorted(each["record_id"] for each in found.calls) == ["a", "c", "h"]
