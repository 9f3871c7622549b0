"""Answers that are no streams."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from breakeven.gateway.attempt import TokenCounts
from breakeven.gateway.wire.answers import reader_for
from gateway.wire.samples import MESSAGES, RESPONSES, buffered, facts, target

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}


def completion(**message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": "Hello", **message}
    choices = [{"index": 0, "message": said, "finish_reason": "stop"}]
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    return {"id": "x", "model": "model-1", "choices": choices, "usage": usage, "service_tier": "flex"}


def test_an_answer_is_held_until_it_is_whole_and_given_as_it_came() -> None:
    body = b' {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}, "x": 1.50} '
    reader = reader_for(facts(), target(), False)
    assert reader.feed(body[:9]) == b""
    assert reader.feed(body[9:]) == b""
    assert reader.end() == body
    assert reader.tokens == TokenCounts(3, 1)


def test_what_is_known_of_a_chat_answer() -> None:
    _, reader = buffered(completion(tool_calls=[CALL]))
    assert (reader.finish_reason, reader.response_model, reader.service_tier) == ("stop", "model-1", "flex")
    answer = reader.answer()
    assert (answer.text, answer.finish_reason) == ("Hello", "stop")
    assert answer.tool_calls == [CALL]
    assert reader.text_bytes_count == len('Hello{"a": 1}')


def test_what_is_known_of_a_message() -> None:
    message = {
        "content": [
            {"type": "thinking", "thinking": "Hm", "signature": "s"},
            {"type": "text", "text": "Hi"},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
        ],
        "model": "m",
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 2, "service_tier": "priority"},
    }
    _, reader = buffered(message, facts(MESSAGES), target("anthropic"))
    assert (reader.finish_reason, reader.service_tier, reader.tokens) == ("tool_use", "priority", TokenCounts(1, 2))
    assert reader.answer().text == "Hi"
    calls = reader.answer().tool_calls
    assert calls is not None
    assert calls[0]["function"] == {"name": "f", "arguments": '{"a":1}'}


def test_what_is_known_of_a_response() -> None:
    output = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]},
        {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    ]
    usage = {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 2}
    document = {"id": "r", "model": "m", "status": "completed", "output": output, "usage": usage}
    _, reader = buffered(document, facts(RESPONSES))
    assert (reader.finish_reason, reader.tokens) == ("completed", TokenCounts(9, 2, 4))
    assert (reader.answer().text, reader.text_bytes_count) == ("Hi", 6)


def test_embeddings_have_input_only() -> None:
    document = {"data": [{"embedding": [0.5]}], "model": "e", "usage": {"prompt_tokens": 7, "total_tokens": 7}}
    assert buffered(document, facts(b"/v1/embeddings"))[1].tokens == TokenCounts(7)


def test_counting_tokens_costs_none() -> None:
    asked = facts(b"/v1/messages/count_tokens")
    given, reader = buffered({"input_tokens": 99}, asked, target("anthropic"))
    assert (given, reader.tokens) == (b'{"input_tokens":99}', TokenCounts())


@pytest.mark.parametrize(
    "body", [b"", b'{"choices": [', b"<html>busy</html>", b"[]", b'"x"', b'{"error": {"message": "busy"}}', b"null"]
)
def test_what_is_no_answer_is_a_failure_and_not_given(body: bytes) -> None:
    reader = reader_for(facts(), target(), False)
    assert reader.feed(body) + reader.end() == b""
    assert reader.failure == "bad_answer"
    assert not reader.has_begun


def test_an_error_that_is_null_is_none() -> None:
    given, reader = buffered({**completion(), "error": None})
    assert given
    assert reader.failure is None


def test_letters_that_are_no_utf_8_are_passed_on() -> None:
    body = orjson.dumps(completion()).replace(b"Hello", b"Hel\xe2\x82")
    reader = reader_for(facts(), target(), False)
    assert reader.feed(body) + reader.end() == body
    assert reader.answer().text == "Hel\ufffd"


def test_tokens_are_estimated_by_the_text_where_none_are_reported() -> None:
    document = {**completion(content="sixteen letters."), "usage": None}
    counted = buffered(document)[1].counted(facts())
    assert (counted.output_tokens, counted.is_estimated) == (4, True)


def test_several_answers_are_all_counted() -> None:
    document = completion()
    document["choices"].append({"index": 1, "message": {"content": "12345"}, "finish_reason": "length"})
    _, reader = buffered(document, facts(n=2))
    assert (reader.text_bytes_count, reader.answer().text, reader.finish_reason) == (10, "Hello", "stop")
