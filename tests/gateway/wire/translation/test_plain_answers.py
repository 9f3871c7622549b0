"""Plain answers, translated."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from breakeven.gateway.attempt import TokenCounts
from breakeven.gateway.wire.answers import reader_for
from gateway.wire.samples import MESSAGES, buffered, facts, target
from gateway.wire.translation.sdk_types import completion_of, message_of

THERE = target("anthropic", "anthropic")
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1_024}}


def message(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 1, "cache_read_input_tokens": 21, "cache_creation_input_tokens": 5, "output_tokens": 8}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "model-1", "content": list(content)}
    return {**head, "stop_reason": "end_turn", "stop_sequence": None, "usage": usage, **more}


def completion(
    finish_reason: str | None = "stop", /, choice: dict[str, Any] | None = None, **said: Any
) -> dict[str, Any]:
    usage = {"prompt_tokens": 27, "completion_tokens": 8, "prompt_tokens_details": {"cached_tokens": 21}}
    one = {"index": 0, "message": {"role": "assistant", "content": None, **said}, "finish_reason": finish_reason}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "model-1"}
    return {**head, "choices": [{**one, **(choice or {})}], "usage": usage}


def test_a_message_as_a_completion() -> None:
    given, reader = buffered(message({"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}), facts(), THERE)
    found = completion_of(given)
    assert (found.id, found.created, found.model) == ("chatcmpl-msg_1", 1_790_000_000, "model-1")
    assert found.choices[0].message.content == "Hello"
    assert found.choices[0].finish_reason == "stop"
    usage = found.usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (27, 8, 35)
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens == 21
    assert reader.tokens == TokenCounts(27, 8, 21, 5)
    assert reader.answer().text == "Hello"


def test_tools_of_a_message() -> None:
    calls = [{"type": "tool_use", "id": f"t{n}", "name": "f", "input": {"n": n}} for n in range(2)]
    given, _ = buffered(message({"type": "text", "text": "I look."}, *calls, stop_reason="tool_use"), facts(), THERE)
    choice = completion_of(given).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert [(each.id, each.function.arguments) for each in choice.message.tool_calls or []] == [
        ("t0", '{"n":0}'),
        ("t1", '{"n":1}'),
    ]
    only_calls = completion_of(buffered(message(*calls, stop_reason="tool_use"), facts(), THERE)[0])
    assert only_calls.choices[0].message.content is None


def test_thinking_of_a_message_can_be_sent_back() -> None:
    thought = {"type": "thinking", "thinking": "Hm", "signature": "sig"}
    given, _ = buffered(message(thought, {"type": "text", "text": "Hi"}), facts(), THERE)
    said = orjson.loads(given)["choices"][0]["message"]
    assert (said["reasoning_content"], said["thinking_blocks"]) == ("Hm", [thought])


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("something_new", "stop"),
    ],
)
def test_reasons_for_openai(stop_reason: str, finish_reason: str) -> None:
    given, reader = buffered(message({"type": "text", "text": "a"}, stop_reason=stop_reason), facts(), THERE)
    assert completion_of(given).choices[0].finish_reason == finish_reason
    assert reader.finish_reason == stop_reason


def test_a_completion_as_a_message() -> None:
    given, reader = buffered(completion(content="Hello"), facts(MESSAGES), target())
    found = message_of(given)
    assert (found.id, found.model, found.stop_reason) == ("msg_chatcmpl-1", "model-1", "end_turn")
    assert found.content[0].type == "text"
    assert found.content[0].text == "Hello"
    assert (found.usage.input_tokens, found.usage.cache_read_input_tokens, found.usage.output_tokens) == (6, 21, 8)
    assert reader.tokens == TokenCounts(27, 8, 21)


def test_tools_of_a_completion() -> None:
    calls = [
        {"id": "c0", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
        {"type": "function", "function": {"name": "g", "arguments": ""}},
        {"id": "c2", "type": "function", "function": {"name": "h", "arguments": '{"cut'}},
    ]
    for reason in ("tool_calls", "stop"):
        found = message_of(buffered(completion(reason, tool_calls=calls), facts(MESSAGES), target())[0])
        assert found.stop_reason == "tool_use"
        assert [(each.name, each.input) for each in found.content if each.type == "tool_use"] == [
            ("f", {"a": 1}),
            ("g", {}),
            ("h", {"arguments": '{"cut'}),
        ]


def test_reasoning_of_a_completion_goes_to_clients_that_asked_for_thinking() -> None:
    document = completion(content="Hi", reasoning_content="Hm")
    plain = message_of(buffered(document, facts(MESSAGES), target())[0])
    assert [each.type for each in plain.content] == ["text"]
    thoughtful = message_of(buffered(document, facts(MESSAGES, **THINKING), target())[0])
    assert [each.type for each in thoughtful.content] == ["thinking", "text"]


@pytest.mark.parametrize(
    ("finish_reason", "stop_reason"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("content_filter", "refusal"),
        (None, "end_turn"),
        ("x", "end_turn"),
    ],
)
def test_reasons_for_anthropic(finish_reason: str | None, stop_reason: str) -> None:
    given, _ = buffered(completion(finish_reason, content="a"), facts(MESSAGES), target())
    assert message_of(given).stop_reason == stop_reason


def test_the_stop_text_is_told_where_the_upstream_tells_it() -> None:
    document = completion("stop", {"stop_reason": "END"}, content="a")
    found = message_of(buffered(document, facts(MESSAGES, stop_sequences=["END"]), target())[0])
    assert (found.stop_reason, found.stop_sequence) == ("stop_sequence", "END")


def test_a_refusal_is_one() -> None:
    found = message_of(buffered(completion(refusal="No."), facts(MESSAGES), target())[0])
    assert found.stop_reason == "refusal"


def test_missing_usage_is_estimated() -> None:
    document = completion(content="sixteen letters.")
    del document["usage"]
    given, reader = buffered(document, facts(MESSAGES), target())
    assert message_of(given).usage.output_tokens == 4
    assert reader.tokens is None
    assert reader.counted(facts(MESSAGES)).is_estimated


def test_an_answer_nested_too_deeply_is_a_failure_and_no_crash() -> None:
    deep = (
        b'{"id":"m","content":[{"type":"tool_use","id":"t","name":"f","input":{"x":' + b"[" * 900 + b"]" * 900 + b"}}]}"
    )
    reader = reader_for(facts(), THERE, False)
    assert reader.feed(deep) + reader.end() == b""
    assert reader.failure == "bad_answer"
    assert reader.answer().tool_calls is not None


def test_answers_without_anything_are_survived() -> None:
    for document in ({"choices": [{}]}, {"choices": [{"message": 5}]}):
        given, _ = buffered(document, facts(MESSAGES), target())
        assert message_of(given).content == []
    for odd in ({}, {"content": None}, {"content": "a"}, {"content": [5]}, {"content": [{"type": "x"}]}):
        given, _ = buffered(odd, facts(), THERE)
        assert completion_of(given).choices[0].message.content == ""


def test_an_answer_without_choices_is_bad() -> None:
    for document in ({}, {"choices": []}, {"choices": None}):
        given, reader = buffered(document, facts(MESSAGES, max_tokens=5))
        assert (given, reader.failure) == (b"", "bad_answer")
