"""Errors in the client's dialect, without secrets."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import anthropic
import httpx
import openai
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.gateway.plan import Operation, Refusal
from breakeven.gateway.wire.answers import reader_for
from breakeven.gateway.wire.errors import error_body, read_error, sanitised, stream_error, upstream_error
from gateway.wire.samples import CHAT, MESSAGES, event, facts, target

REFUSAL = Refusal(429, "budget_spent", "The budget of this key is spent. Wait until 1 December.")


def test_an_error_of_ours_for_openai_clients() -> None:
    assert orjson.loads(error_body("chat", REFUSAL, "r1")) == {
        "error": {
            "message": REFUSAL.message,
            "type": "rate_limit_error",
            "param": None,
            "code": "budget_spent",
        }
    }


def test_an_error_of_ours_for_anthropic_clients() -> None:
    found = orjson.loads(error_body("messages", REFUSAL, "r1"))
    assert (found["type"], found["request_id"]) == ("error", "r1")
    assert found["error"]["type"] == "rate_limit_error"
    assert found["error"]["message"] == REFUSAL.message


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 429, 500, 502, 503, 504])
def test_both_sdks_read_every_status(status: int) -> None:
    refusal = Refusal(status, "some_code", "Some words.")
    request = httpx.Request("POST", "http://localhost/v1/messages")
    body = orjson.loads(error_body("messages", refusal, "r1"))
    response = httpx.Response(status, json=body, request=request)
    error = anthropic.Anthropic(api_key="k", base_url="http://localhost")._make_status_error_from_response(response)
    assert (error.status_code, error.type) == (status, body["error"]["type"])
    body = orjson.loads(error_body("chat", refusal, "r1"))
    response = httpx.Response(status, json=body, request=request)
    found = openai.OpenAI(api_key="k", base_url="http://localhost")._make_status_error_from_response(response)
    assert (found.code, found.type) == ("some_code", body["error"]["type"])


@pytest.mark.parametrize("operation", ["chat", "completions", "responses", "messages"])
def test_the_error_of_a_stream_is_one_event_and_no_end_mark(operation: Operation) -> None:
    event = stream_error(operation, "upstream_reset", "The upstream stopped.\n\ndata: [DONE]")
    assert event.endswith(b"\n\n")
    assert event.count(b"\n\n") == 1
    assert event.count(b"\ndata: ") + event.startswith(b"data: ") == 1
    data = orjson.loads(event.split(b"data: ", 1)[1])
    assert data["type" if operation in ("messages", "responses") else "error"]


def test_each_shape_of_error_is_read() -> None:
    for body, message in (
        (b'{"error": {"message": "m", "type": "t", "code": "c", "param": "p"}}', "m"),
        (b'{"error": "m"}', "m"),
        (b'[{"error": {"code": 400, "message": "m", "status": "INVALID"}}]', "m"),
        (b'{"code": 20012, "message": "m", "data": null}', "m"),
        (b'{"object": "error", "message": "m", "type": "BadRequestError", "code": 400}', "m"),
        (b'{"detail": "m"}', "m"),
        (b'{"detail": [{"loc": ["body"], "msg": "m"}, {"msg": "n"}]}', "m; n"),
        (b'{"type": "error", "error": {"type": "overloaded_error", "message": "m"}}', "m"),
        (b'{"error": {"error": {"message": "m"}}}', "m"),
        (b"m", "m"),
        (b'"m"', "m"),
        (b"<html>gateway</html>", ""),
        (b"", ""),
        (b"[]", ""),
        (b"7", ""),
        (b'{"error": {"message": {"deep": 1}}}', ""),
    ):
        assert read_error(body).message == message, body


def test_an_error_nested_without_end_is_survived() -> None:
    for name in ("message", "error", "errors"):
        body = (b'{"%s":' % name.encode()) * 900 + b"1" + b"}" * 900
        assert read_error(body).message == ""
        assert read_error(b"[" * 900 + b"]" * 900).message == ""


def test_an_upstreams_error_keeps_its_words_and_codes_in_the_clients_dialect() -> None:
    body = (
        b'{"error": {"message": "This model has 512 tokens.", "type": "invalid_request_error", '
        b'"code": "context_length_exceeded", "param": "messages"}}'
    )
    assert orjson.loads(upstream_error(facts(CHAT), target(), 400, body)) == orjson.loads(body)
    assert orjson.loads(upstream_error(facts(MESSAGES), target(), 400, body)) == {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "This model has 512 tokens."},
    }


def test_an_error_without_words_gets_some() -> None:
    found = orjson.loads(upstream_error(facts(), target(), 404, b"<html>x</html>"))
    assert found["error"]["message"] == "The upstream answered 404 without a reason."


SECRETS = [
    "sk-proj-abcdEFGH1234",
    "sk-ant-api03-AAAAbbbb-cccc",
    "Bearer abcdefgh12345678",
    "gsk_abcdefghijkl",
    "hf_abcdefghijklm",
    "AIzaSyA-1234567890abcdef",
    "org-abcdefgh1234",
    "0123456789abcdef0123456789abcdef01234567",
    "http://10.1.2.3:8000/v1/chat",
    "https://user:pw@models.internal/v1",
    "10.1.2.3:8000",
    "fe80::1ff:fe23:4567:890a",
    "gpu-7.cluster.internal:8000",
    "vllm.prod.svc.cluster.local",
    "localhost:9300",
    "ann@example.com",
    "/home/ann/models/llama/model.gguf",
    "models.example.com",
    "db-3.prod.example.com:5432",
    "password=hunter2",
    "api_key=abc",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("shape", ['{"error": {"message": "Failed for %s, sorry"}}', "Failed for %s, sorry"])
def test_no_secret_goes_through(secret: str, shape: str) -> None:
    body = (shape % secret).encode()
    for asked in (facts(CHAT), facts(MESSAGES)):
        given = upstream_error(asked, target(), 500, body)
        assert secret.encode() not in given
        assert b"[hidden]" in given


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 131072 tokens.",
        "messages.0.content: text content blocks must be non-empty",
        "Unsupported value: 'temperature' does not support 0.2 with this model; use 1.",
        "model `accounts/fireworks/models/llama-v3p1-70b-instruct` not found",
        "Rate limit reached for gpt-5-mini-2026-02-02 on tokens per min (TPM): Limit 30000, Used 29000.",
        "Invalid schema for response_format 'answer': additionalProperties is required to be supplied and to be false",
    ],
)
def test_useful_words_stay(words: str) -> None:
    assert sanitised(words) == words


def test_messages_are_short_and_on_one_line() -> None:
    long = sanitised("a\r\nx: y\x00" + "word " * 1_000)
    assert len(long) == 500
    assert long.isprintable()


@given(st.integers(100, 599), st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_body_of_an_upstream_is_survived(status: int, body: bytes) -> None:
    for asked in (facts(CHAT), facts(MESSAGES)):
        found = orjson.loads(upstream_error(asked, target(), status, body))
        assert len(found["error"]["message"]) <= 620


def test_a_hostile_body_takes_little_time() -> None:
    for part in ("a.", "a-", "::", "A1", "/home/", "1.", "sk-", "=", "a@a", "Bearer "):
        sanitised(part * 100_000)
        read_error((part * 100_000).encode())


HEADERS = (
    (b"authorization", b"Bearer outkey-hunter3"),
    (b"x-shared-word", b"open-sesame-please"),
    (b"proxy-authorization", b"Basic " + b64encode(b"ann:tea for two")),
)
OWN = replace(target(), upstream=replace(target().upstream, host="gpu17", auth_headers=HEADERS))
OWN_SECRETS = ["outkey-hunter3", "OUTKEY-hunter3", "open-sesame-please", "ann:tea for two", "tea for two", "gpu17"]


@pytest.mark.parametrize("secret", OWN_SECRETS)
def test_an_upstreams_own_secrets_are_hidden_by_value(secret: str) -> None:
    error = {"error": {"message": f"Wrong: {secret}.", "code": secret, "type": secret, "param": secret}}
    body = orjson.dumps(error)
    for path in (CHAT, MESSAGES):
        assert secret.encode() not in upstream_error(facts(path, max_tokens=5), OWN, 401, body)
        for is_stream in (True, False):
            reader = reader_for(facts(path, max_tokens=5, stream=is_stream), OWN, is_stream)
            assert secret.encode() not in reader.feed(event(error) if is_stream else body) + reader.end()
            assert reader.failure_message == "Wrong: [hidden]."


@pytest.mark.parametrize("secret", ["sk-proj-abcdef1234567890abcd", "llm-7.prod.corp.internal", "a0" * 14])
@pytest.mark.parametrize("name", ["code", "type", "param"])
def test_codes_types_and_params_hold_no_secret(name: str, secret: str) -> None:
    given = upstream_error(facts(), OWN, 400, orjson.dumps({"error": {"message": "m", name: secret}}))
    assert secret.encode() not in given
    assert orjson.loads(given)["error"]["message"] == "m"


def test_a_secret_cut_by_the_end_of_what_is_read_is_hidden_too() -> None:
    long = "x" * 1_990 + " outkey-hunter3"
    assert "out" not in sanitised(long, ("outkey-hunter3",))


def test_a_short_value_is_hidden_only_where_it_stands_alone() -> None:
    assert sanitised("a pro in production: pro", ("pro",)) == "a [hidden] in production: [hidden]"
    assert sanitised('password="hunter2"') == 'password="[hidden]"'
