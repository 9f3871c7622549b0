"""Batches of OpenAI's and Anthropic's style: answers in any order, requests beside them, failures without a time."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import UsageError
from breakeven.usage.importers.anthropic_batch import NO_TIME as ANTHROPIC_NO_TIME
from breakeven.usage.importers.openai_batch import NO_TIME
from breakeven.usage.opened_calls import reading_warnings

from ..logs import Imported, imported, imported_paths, jsonl, write

FIXTURES = Path(__file__).parent / "fixtures"
CREATED = 1_793_613_600
"""2026-11-02T10:00:00Z."""


def answer(number: int = 1, body: Any = None, **fields: Any) -> dict[str, Any]:
    chat = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": CREATED,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29},
    }
    response = {"status_code": 200, "request_id": "req_1", "body": chat if body is None else body}
    return {"id": f"batch_req_{number}", "custom_id": f"r-{number}", "response": response, "error": None, **fields}


def failure(number: int, code: str = "batch_expired") -> dict[str, Any]:
    return answer(number, response=None, error={"code": code, "message": "it failed"})


def request(number: int = 1, text: str = "Is it?", **body: Any) -> dict[str, Any]:
    asked = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], "max_tokens": 7, **body}
    return {"custom_id": f"r-{number}", "method": "POST", "url": "/v1/chat/completions", "body": asked}


def batch(**fields: Any) -> dict[str, Any]:
    good = {
        "id": "batch_abc",
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "input_file_id": "file-in",
        "output_file_id": "file-out",
        "completion_window": "24h",
        "status": "completed",
        "created_at": CREATED - 3600,
        "in_progress_at": CREATED - 1800,
        "completed_at": CREATED + 60,
    }
    return {**good, **fields}


def together(folder: Path, files: dict[str, str]) -> Imported:
    return imported_paths(*(write(folder, content, name) for name, content in files.items()))


def test_the_openai_fixture(tmp_path: Path) -> None:
    folder = FIXTURES / "openai_batch"
    found = imported_paths(folder / "batch_input.jsonl", folder / "batch_output.jsonl")
    assert {each.name: each.status for each in found.report.files} == {
        "batch_input.jsonl": "companion",
        "batch_output.jsonl": "imported",
    }
    by_id = {c["record_id"]: c for c in found.calls}
    assert [each.is_joined for each in found.report.files] == [True, False]
    assert not [each for each in reading_warnings(found.report) if "left out" in each]
    second, first, expired = by_id["chatcmpl-123"], by_id["chatcmpl-abc"], by_id["batch_req_789"]
    assert (second["input_tokens"], second["cache_read_tokens"]) == (22, 10)
    assert (second["output_tokens"], second["reasoning_tokens"]) == (2, 1)
    assert (second["start_time"], second["tz_assumed"]) == (datetime(2026, 11, 2, 10, tzinfo=UTC), False)
    assert (second["request_model"], second["response_model"]) == ("gpt-4o-mini", "gpt-4o-mini-2024-07-18")
    assert (second["max_tokens"], second["http_status"], second["finish_reason"]) == (1000, 200, "stop")
    assert (second["provider"], second["operation"], second["stream"]) == ("openai", "chat", False)
    assert all(c["is_batch"] for c in found.calls)
    assert first["prompt_hash"] != second["prompt_hash"]
    assert (expired["status"], expired["error_type"], expired["tokens_source"]) == ("error", "batch_expired", "missing")
    assert (expired["input_tokens"], expired["output_tokens"]) == (0, 0)
    assert expired["tz_assumed"]
    assert expired["start_time"] == first["start_time"]


def test_the_order_of_answers_makes_no_difference(tmp_path: Path) -> None:
    requests = jsonl(*(request(n, f"Question {n}?") for n in range(1, 5)))
    answers = [answer(n) for n in range(1, 5)]
    forth = together(tmp_path / "a", {"in.jsonl": requests, "out.jsonl": jsonl(*answers)})
    back = together(tmp_path / "b", {"in.jsonl": requests, "out.jsonl": jsonl(*reversed(answers))})
    assert forth.digest == back.digest
    assert len({c["prompt_hash"] for c in forth.calls}) == 4


def test_without_the_input_file_there_are_calls_without_prompts(tmp_path: Path) -> None:
    call = imported(tmp_path, jsonl(answer()), "out.jsonl").only
    assert (call["prompt_hash"], call["request_model"], call["input_tokens"]) == (None, None, 20)


@pytest.mark.parametrize("content", [jsonl(request(), request(2)), json.dumps(batch(), indent=2)])
def test_the_wrong_file_alone_says_what_is_missing(tmp_path: Path, content: str) -> None:
    with pytest.raises(UsageError, match="together with the batch's output file"):
        imported(tmp_path, content, "in.jsonl")


def test_a_request_among_the_answers_is_no_call(tmp_path: Path) -> None:
    found = imported(tmp_path, jsonl(answer(), request(2), answer(3)), "mixed.jsonl")
    assert found.reasons == {2: "a request, not an answer: this is the batch's input"}


def test_custom_ids_are_used_again_in_every_batch(tmp_path: Path) -> None:
    """Nothing is joined by guessing; a batch object that names the input file settles it."""
    files = {
        "file-in.jsonl": jsonl(request(text="Mine?")),
        "other.jsonl": jsonl(request(text="Another's?")),
        "out.jsonl": jsonl(answer()),
    }
    assert together(tmp_path / "a", files).only["prompt_hash"] is None
    settled = together(tmp_path / "b", {**files, "batch.json": json.dumps(batch())}).only
    alone = together(tmp_path / "c", {name: files[name] for name in ("file-in.jsonl", "out.jsonl")}).only
    assert settled["prompt_hash"] == alone["prompt_hash"] is not None


def test_a_failure_has_the_time_of_its_batch(tmp_path: Path) -> None:
    files = {
        "batch.json": json.dumps(batch(), indent=2),
        "errors.jsonl": jsonl(failure(1), failure(2, "batch_cancelled")),
    }
    found = together(tmp_path, files)
    assert {c["start_time"] for c in found.calls} == {datetime.fromtimestamp(CREATED - 1800, UTC)}
    assert {(c["status"], c["error_type"]) for c in found.calls} == {
        ("error", "batch_expired"),
        ("cancelled", "batch_cancelled"),
    }
    assert all(c["tz_assumed"] for c in found.calls)


def test_an_error_file_alone_has_no_time(tmp_path: Path) -> None:
    found = imported(tmp_path, jsonl(failure(1), failure(2)), "errors.jsonl")
    assert (found.report.calls, set(found.reasons.values())) == (0, {NO_TIME})


def test_several_batches_in_a_folder_are_told_by_their_ids(tmp_path: Path) -> None:
    later = batch(id="batch_xyz", output_file_id="file-two", error_file_id=None, in_progress_at=CREATED)
    files = {
        "batches.json": json.dumps({"object": "list", "data": [batch(error_file_id="file-err"), later]}),
        "file-err.jsonl": jsonl(failure(1)),
        "batch_xyz_errors.jsonl": jsonl(failure(2)),
        "whose.jsonl": jsonl(failure(3)),
    }
    found = together(tmp_path, files)
    assert {c["record_id"]: int(c["start_time"].timestamp()) - CREATED for c in found.calls} == {
        "batch_req_1": -1800,
        "batch_req_2": 0,
    }
    assert list(found.reasons.values()) == [NO_TIME]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (
            {
                "id": "resp_1",
                "object": "response",
                "created_at": CREATED,
                "model": "gpt-5",
                "status": "completed",
                "service_tier": "default",
                "usage": {
                    "input_tokens": 50,
                    "input_tokens_details": {"cached_tokens": 20},
                    "output_tokens": 7,
                    "output_tokens_details": {"reasoning_tokens": 3},
                },
            },
            ("resp_1", "chat", 50, 20, 7, 3),
        ),
        (
            {
                "object": "list",
                "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
                "model": "text-embedding-3-small",
                "usage": {"prompt_tokens": 8, "total_tokens": 8},
            },
            ("batch_req_2", "embeddings", 8, 0, 0, 0),
        ),
        (
            json.dumps({"id": "c", "created": CREATED, "usage": {"prompt_tokens": "8.0", "completion_tokens": "1"}}),
            ("c", None, 8, 0, 1, 0),
        ),
    ],
    ids=["responses", "embeddings", "a body as text"],
)
def test_other_bodies(tmp_path: Path, body: Any, wanted: tuple[Any, ...]) -> None:
    found = imported(tmp_path, jsonl(answer(1), answer(2, body)), "out.jsonl")
    (call,) = (c for c in found.calls if c["record_id"] != "chatcmpl-1")
    names = ("record_id", "operation", "input_tokens", "cache_read_tokens", "output_tokens", "reasoning_tokens")
    assert tuple(call[name] for name in names) == wanted


def test_who_served_it(tmp_path: Path) -> None:
    azure = {**answer(1)["response"]["body"], "id": "a", "prompt_filter_results": []}
    llama = {**answer(1)["response"]["body"], "id": "b", "model": "llama-3.1-8b-instant"}
    oss = {**answer(1)["response"]["body"], "id": "c", "model": "gpt-oss-120b"}
    found = imported(tmp_path, jsonl(answer(1), answer(2, azure), answer(3, llama), answer(4, oss)), "out.jsonl")
    assert {c["record_id"]: c["provider"] for c in found.calls} == {
        "chatcmpl-1": "openai",
        "a": "azure.ai.openai",
        "b": None,
        "c": None,
    }


def test_a_refused_request_is_an_error(tmp_path: Path) -> None:
    refused = answer(2, {"error": {"type": "invalid_request_error", "code": None, "message": "no such model"}})
    refused["response"]["status_code"] = 400
    found = imported(tmp_path, jsonl(answer(1), refused), "out.jsonl")
    call = next(c for c in found.calls if c["record_id"] == "batch_req_2")
    assert (call["status"], call["http_status"], call["error_type"]) == ("error", 400, "invalid_request_error")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"custom_id": "x"}, "no answer of a batch"),
        ({"id": "x", "response": {}}, "no answer of a batch"),
        (answer(2, {"id": "x", "created": CREATED, "model": "m"}), "input_tokens is missing"),
        (answer(2, {"id": "x", "created": "soon", "usage": {"prompt_tokens": 1}}), "start_time is not a time"),
    ],
)
def test_bad_answers(tmp_path: Path, bad: dict[str, Any], reason: str) -> None:
    found = imported(tmp_path, jsonl(answer(1), bad, answer(3)), "out.jsonl")
    assert found.reasons == {2: reason}


def test_odd_custom_ids_do_no_harm(tmp_path: Path) -> None:
    odd = [answer(n, custom_id=custom_id) for n, custom_id in enumerate([7, ["a"], {"b": 1}, True], 1)]
    found = together(tmp_path, {"in.jsonl": jsonl(request()), "out.jsonl": jsonl(*odd)})
    assert found.report.calls == 4


def results(number: int, kind: str = "succeeded", **message: Any) -> dict[str, Any]:
    usage = {"input_tokens": 11, "cache_creation_input_tokens": 8, "cache_read_input_tokens": 5, "output_tokens": 36}
    body = {
        "id": f"msg_{number}",
        "type": "message",
        "model": "claude-opus-4-6",
        "stop_reason": "end_turn",
        "usage": usage,
    }
    result = {"type": kind, "message": {**body, **message}} if kind == "succeeded" else {"type": kind}
    return {"custom_id": f"r-{number}", "result": result}


def message_batch(batch_id: str = "msgbatch_1", created_at: str = "2026-11-02T10:00:00Z") -> dict[str, Any]:
    url = f"https://api.anthropic.com/v1/messages/batches/{batch_id}/results"
    return {"id": batch_id, "type": "message_batch", "created_at": created_at, "results_url": url}


def test_the_anthropic_fixture(tmp_path: Path) -> None:
    found = imported_paths(*(p for p in (FIXTURES / "anthropic_batch").iterdir() if p.name != "SOURCE.md"))
    assert not found.rejects
    good = next(c for c in found.calls if c["status"] == "ok")
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "output_tokens")
    assert tuple(good[name] for name in names) == (24, 5, 8, 2, 36)
    assert (good["record_id"], good["is_batch"], good["service_tier"]) == (
        "msg_014VwiXbi91y3JMjcpyGBHX5",
        True,
        "batch",
    )
    assert good["start_time"] == datetime(2026, 11, 2, 10, 0, 0, 100_435, tzinfo=UTC)
    assert good["end_time"] is None
    bad = sorted((c["error_type"], c["tokens_source"]) for c in found.calls if c["status"] == "error")
    assert bad == [("expired", "missing"), ("invalid_request_error", "missing")]


def test_results_without_their_batch_have_no_time(tmp_path: Path) -> None:
    found = imported(tmp_path, jsonl(results(1), results(2, "expired")), "results.jsonl")
    assert (found.report.calls, set(found.reasons.values())) == (0, {ANTHROPIC_NO_TIME})


def test_results_find_their_batch_by_name(tmp_path: Path) -> None:
    first, second = message_batch(), message_batch("msgbatch_2", "2026-11-03T10:00:00Z")
    files = {
        "batches.json": json.dumps({"data": [first, second], "has_more": False}),
        "msgbatch_1_results.jsonl": jsonl(results(1), results(2, "canceled")),
        "msgbatch_2_results.jsonl": jsonl(results(3), results(2, "canceled")),
    }
    found = together(tmp_path, files)
    assert sorted((c["start_time"].day, c["status"]) for c in found.calls) == [
        (2, "cancelled"),
        (2, "ok"),
        (3, "cancelled"),
        (3, "ok"),
    ]


def test_requests_that_were_kept_are_joined(tmp_path: Path) -> None:
    params = {"model": "claude-opus-4-6", "max_tokens": 1024, "messages": [{"role": "user", "content": "Hi"}]}
    files = {
        "batch.json": json.dumps(message_batch()),
        "requests.json": json.dumps({"requests": [{"custom_id": "r-1", "params": params}]}, indent=1),
        "results.jsonl": jsonl(results(1), results(2)),
    }
    found = together(tmp_path, files)
    by_id = {c["record_id"]: c for c in found.calls}
    assert by_id["msg_1"]["prompt_hash"]
    assert (by_id["msg_1"]["max_tokens"], by_id["msg_2"]["max_tokens"]) == (1024, None)
    assert by_id["msg_2"]["prompt_hash"] is None


def test_bad_results(tmp_path: Path) -> None:
    bad = {"custom_id": "x", "result": "none"}
    files = {"batch.json": json.dumps(message_batch()), "results.jsonl": jsonl(results(1), bad, results(3, usage=None))}
    assert together(tmp_path, files).reasons == {2: "no answer of a batch", 3: "input_tokens is missing"}
