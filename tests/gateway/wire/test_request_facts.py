"""What is read of a request."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from breakeven.gateway.plan import Refusal, RequestFacts
from breakeven.gateway.wire.request_facts import MODEL_MAX_COUNT, OPERATIONS, read_request
from gateway.wire.samples import CHAT, MESSAGES, RESPONSES, facts

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ["model", "stream", "stream_options", "n", "best_of", "max_tokens", "max_completion_tokens", "messages"]
)


def refusal(path: bytes, body: bytes) -> Refusal:
    found = read_request(path, body)
    assert isinstance(found, Refusal)
    return found


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        (CHAT, "chat"),
        (b"/chat/completions", "chat"),
        (b"/openai/v1/chat/completions", "chat"),
        (b"/v1/completions", "completions"),
        (b"/v1/embeddings", "embeddings"),
        (RESPONSES, "responses"),
        (MESSAGES, "messages"),
        (b"/v1/messages/count_tokens", "count_tokens"),
        (b"/v1/outcomes", "outcomes"),
    ],
)
def test_paths_name_operations(path: bytes, operation: str) -> None:
    assert facts(path).operation == operation


@pytest.mark.parametrize("path", [b"/", b"/v1/chat", b"/v1/chat/completions/", b"/v1/../v1/messages", b"\xff"])
def test_other_paths_are_404(path: bytes) -> None:
    found = refusal(path, b"{}")
    assert (found.http_status, found.code) == (404, "unknown_path")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b'{"model": "a"', "invalid_json"),
        (b'{"model": "\xff"}', "invalid_json"),
        (b'{"model": NaN}', "invalid_json"),
        (b'\xef\xbb\xbf{"model": "a"}', "invalid_json"),
        (b'{"model":"a","x":' + b"[" * 2_000 + b"]" * 2_000 + b"}", "invalid_json"),
        (b"[]", "invalid_body"),
        (b'"model"', "invalid_body"),
        (b"{}", "missing_model"),
        (b'{"model": null}', "missing_model"),
        (b'{"model": 7}', "invalid_model"),
        (b'{"model": ""}', "invalid_model"),
        (b'{"model": "a\\r\\nx: y"}', "invalid_model"),
        (b'{"model": "' + b"a" * (MODEL_MAX_COUNT + 1) + b'"}', "invalid_model"),
    ],
)
def test_bad_bodies_are_400(body: bytes, code: str) -> None:
    found = refusal(CHAT, body)
    assert (found.http_status, found.code) == (400, code)


def test_messages_of_refusals_hold_nothing_of_the_body() -> None:
    assert "secret" not in refusal(CHAT, b'{"model": "secret\\n"}').message
    assert "secret" not in refusal(CHAT, b'{"secret": ').message


def test_a_stream_is_one_only_where_true_is_said() -> None:
    assert facts(stream=True).is_stream
    assert not facts(stream="true").is_stream
    assert not facts(stream=1).is_stream
    assert not facts(b"/v1/embeddings", stream=True).is_stream


def test_usage_is_asked_by_option_and_always_by_anthropic_and_responses() -> None:
    assert not facts(stream=True).is_usage_asked
    assert not facts(stream=True, stream_options={"include_usage": 1}).is_usage_asked
    assert facts(stream=True, stream_options={"include_usage": True}).is_usage_asked
    assert facts(MESSAGES, stream=True).is_usage_asked
    assert facts(RESPONSES, stream=True).is_usage_asked


@pytest.mark.parametrize(
    ("path", "more", "limit"),
    [
        (CHAT, {"max_tokens": 5}, 5),
        (CHAT, {"max_tokens": 5, "max_completion_tokens": 7}, 7),
        (CHAT, {"max_tokens": -1}, None),
        (CHAT, {"max_tokens": True}, None),
        (CHAT, {"max_tokens": "5"}, None),
        (CHAT, {"max_tokens": 10**15}, 100_000_000),
        (RESPONSES, {"max_output_tokens": 9, "max_tokens": 1}, 9),
        (MESSAGES, {"max_tokens": 3}, 3),
        (b"/v1/embeddings", {"max_tokens": 3}, None),
    ],
)
def test_limits_of_output(path: bytes, more: dict[str, object], limit: int | None) -> None:
    assert facts(path, **more).output_tokens_max == limit


def test_answers_that_are_billed() -> None:
    assert facts(n=3).answers_count == 3
    assert facts(b"/v1/completions", n=2, best_of=5).answers_count == 5
    assert facts(n=10**9).answers_count == 128
    assert facts(n="3").answers_count == facts(n=-3).answers_count == facts(n=0).answers_count == 1
    assert facts(MESSAGES, n=5).answers_count == 1


@given(st.sampled_from([*OPERATIONS, b"/x"]), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(path: bytes, body: bytes) -> None:
    found = read_request(path, body)
    assert isinstance(found, Refusal | RequestFacts)


@given(st.sampled_from([*OPERATIONS]), st.dictionaries(FIELDS | st.text(max_size=5), JSON_VALUES, max_size=8))
@example(CHAT, {"model": "a", "n": 10**400})
def test_any_object_is_read_or_refused(path: bytes, document: dict[str, object]) -> None:
    import json

    found = read_request(path, json.dumps(document).encode())
    assert isinstance(found, Refusal | RequestFacts)
    if isinstance(found, RequestFacts) and found.operation != "outcomes":
        assert found.model == document["model"]
        assert 1 <= found.answers_count <= 128


def test_the_body_stays_as_it_came() -> None:
    body = b' {"model" : "a", "x": 1.50 } '
    found = read_request(CHAT, body)
    assert isinstance(found, RequestFacts)
    assert found.body is body
    assert found.document == orjson.loads(body)
