"""Azure OpenAI: rows of one request are joined; rows without tokens are no calls; times as the portal shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..logs import imported, imported_paths, jsonl

FIXTURE = Path(__file__).parent / "fixtures" / "azure_openai" / "query_data.csv"


def counts(key: str = "c1", **fields: Any) -> dict[str, Any]:
    good = {
        "TimeGenerated": "2026-11-02T10:00:00.1234567Z",
        "CorrelationId": key,
        "SequenceNumber": 0,
        "DeploymentName": "chat-prod",
        "ModelName": "gpt-4o-2024-08-06",
        "PromptTokens": 310,
        "CompletionTokens": 12,
    }
    return {**good, **fields}


def piece(key: str, number: int, text: str, name: str = "RequestMessages") -> dict[str, Any]:
    empty = {"PromptTokens": 0, "CompletionTokens": 0, "DeploymentName": "", "ModelName": ""}
    return {
        "TimeGenerated": "2026-11-02T10:00:00Z",
        "CorrelationId": key,
        "SequenceNumber": number,
        **empty,
        name: text,
    }


def test_the_fixture_to_the_token() -> None:
    found = imported_paths(FIXTURE)
    first, second = found.calls
    assert (first["input_tokens"], first["output_tokens"], first["stream"]) == (310, 12, True)
    assert (first["request_model"], first["response_model"]) == ("chat-prod", "gpt-4o-2024-08-06")
    assert first["start_time"].isoformat() == "2026-11-02T10:00:00.123000+00:00"
    assert second["start_time"].hour == 13
    assert (second["request_model"], second["response_model"]) == ("my-gpt5", None)
    assert {each["provider"] for each in found.calls} == {"azure.ai.openai"}
    assert found.report.rejects == {"the row with this request's token counts is not in this file": 1}


def test_the_order_of_a_requests_rows_does_not_matter(tmp_path: Path) -> None:
    rows = [piece("c1", 2, 'llo"}]'), counts(), piece("c1", 1, '[{"role": "user", "content": "he')]
    one = imported(tmp_path, jsonl(*rows)).only
    other = imported(tmp_path, jsonl(*rows[::-1])).only
    whole = imported(tmp_path, jsonl(counts(RequestMessages=[{"role": "user", "content": "hello"}]))).only
    assert one["prompt_hash"] == other["prompt_hash"] is not None
    assert (one["input_tokens"], whole["input_tokens"]) == (310, 310)


def test_a_second_row_of_counts_is_a_retry_and_an_equal_one_is_nothing(tmp_path: Path) -> None:
    calls = imported(tmp_path, jsonl(counts(), counts(), counts(PromptTokens=311))).calls
    assert [(each["record_id"], each["retry_of"], each["input_tokens"]) for each in calls] == [
        ("c1", None, 310),
        ("c1#1", "c1", 311),
    ]


def test_zero_tokens_are_missing_not_free(tmp_path: Path) -> None:
    found = imported(tmp_path, jsonl(counts("c1", PromptTokens=0, CompletionTokens=0), counts("c2")))
    assert found.reasons == {1: "input_tokens is missing"}


def test_storage_records_and_typed_columns_are_the_same_call(tmp_path: Path) -> None:
    body = {
        "modelName": "gpt-4o-2024-08-06",
        "deploymentName": "chat-prod",
        "promptTokens": 310,
        "completionTokens": 12,
    }
    stored = {
        "time": "2026-11-02T10:00:00.1234567Z",
        "category": "GatewayLlmLogs",
        "correlationId": "c1",
        "properties": body,
    }
    texted = {**stored, "properties": json.dumps(body)}
    typed = {
        "TimeGenerated": "2026-11-02T10:00:00.1234567Z",
        "correlationId_g": "c1",
        "modelName_s": "gpt-4o-2024-08-06",
        "deploymentName_s": "chat-prod",
        "promptTokens_d": 310.0,
        "completionTokens_d": 12.0,
    }
    digests = {
        imported(tmp_path, jsonl(each, {**each, "x": 1}), format="azure_openai").digest
        for each in (stored, texted, typed)
    }
    assert len(digests) == 1


def test_an_answer_of_the_log_analytics_api(tmp_path: Path) -> None:
    row = counts()
    table = {"name": "PrimaryResult", "columns": [{"name": name} for name in row], "rows": [list(row.values()), 7]}
    found = imported(tmp_path, json.dumps({"tables": [table]}))
    assert found.only["input_tokens"] == 310
    assert found.report.rejects == {"no CorrelationId: not a row of a request": 1}


def test_request_response_rows_have_no_tokens_and_say_what_to_export(tmp_path: Path) -> None:
    row = {
        "time": "2026-11-02T10:00:00Z",
        "category": "RequestResponse",
        "correlationId": "c9",
        "operationName": "ChatCompletions_Create",
        "durationMs": 1021,
        "resultSignature": "200",
        "properties": {
            "requestLength": 128,
            "responseLength": 1411,
            "modelDeploymentName": "x",
            "streamType": "Streaming",
        },
    }
    found = imported(tmp_path, jsonl(row))
    assert (found.report.rows_in, found.report.calls) == (1, 0)
    assert "ApiManagementGatewayLlmLog" in next(iter(found.report.rejects))


def test_columns_joined_from_the_gateways_own_log(tmp_path: Path) -> None:
    joined = counts(TotalTime=2500, ResponseCode=200, ApimSubscriptionId="key-7", CallerIpAddress="203.0.113.9")
    failed = counts("c2", PromptTokens=None, CompletionTokens=0, ResponseCode=429, LastErrorReason="QuotaExceeded")
    one, two = imported(tmp_path, jsonl(joined, failed)).calls
    assert (one["duration_s"], one["http_status"]) == (2.5, 200)
    assert one["api_key_hash"] and "203.0.113.9" not in str(one)
    assert (two["status"], two["error_type"]) == ("error", "QuotaExceeded")


def test_the_portal_may_write_the_day_first_or_another_zone(tmp_path: Path) -> None:
    header = "TimeGenerated [UTC],CorrelationId,ModelName,PromptTokens,CompletionTokens\n"
    british = header + '"2/11/2026, 10:00:00",a,gpt-5,1,1\n"31/10/2026, 23:00:00.5",b,gpt-5,1,1\n'
    found = imported(tmp_path, british, "log.csv").calls
    assert [each["start_time"].isoformat()[:10] for each in found] == ["2026-10-31", "2026-11-02"]
    local = header.replace("[UTC]", "[Local Time]") + '"11/2/2026, 12:00:00.000 AM",a,gpt-5,1,1\n'
    call = imported(tmp_path, local, "log.csv").only
    assert (call["tz_assumed"], call["start_time"].hour) == (True, 0)
