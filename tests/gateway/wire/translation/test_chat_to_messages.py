"""Requests: chat completions to messages."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from breakeven.gateway.wire.outgoing import Untranslatable, outgoing_body
from gateway.wire.samples import facts, target

PARAMS: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsNonStreaming)
PNG = "data:image/png;base64,iVBORw0KGgo="


def sent(**more: Any) -> dict[str, Any]:
    body = orjson.loads(outgoing_body(facts(**more), target("anthropic", "anthropic")))
    PARAMS.validate_python({name: value for name, value in body.items() if name != "stream"})
    assert isinstance(body, dict)
    return body


def said(*messages: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    found = sent(messages=list(messages), **more)["messages"]
    assert isinstance(found, list)
    return found


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def call(call_id: str, arguments: str = "{}", name: str = "f") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_a_plain_request() -> None:
    assert sent() == {
        "model": "vendor/model-1",
        "max_tokens": 4_096,
        "messages": [{"role": "user", "content": "Say hello."}],
    }


@pytest.mark.parametrize("more", [{"max_tokens": 7}, {"max_completion_tokens": 7, "max_tokens": 9}])
def test_limits(more: dict[str, Any]) -> None:
    assert sent(**more)["max_tokens"] == 7


def test_system_prompts_are_hoisted_from_wherever_they_stand() -> None:
    body = sent(
        messages=[
            {"role": "system", "content": "One."},
            user("Hi"),
            {"role": "developer", "content": [{"type": "text", "text": "Two."}]},
            {"role": "assistant", "content": "Ho"},
            {"role": "system", "content": ""},
            user("Go on"),
        ]
    )
    assert body["system"] == [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]
    assert [each["role"] for each in body["messages"]] == ["user", "assistant", "user"]
    assert sent(messages=[{"role": "system", "content": "One."}, user("Hi")])["system"] == "One."


def test_cache_marks_stay() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    body = sent(
        messages=[
            {"role": "system", "content": [{"type": "text", "text": "Long.", **mark}]},
            user([{"type": "text", "text": "Hi", **mark}, {"type": "image_url", "image_url": {"url": PNG}, **mark}]),
        ],
        tools=[{"type": "function", "function": {"name": "f"}, **mark}],
    )
    assert body["system"] == [{"type": "text", "text": "Long.", **mark}]
    assert all(each["cache_control"] == mark["cache_control"] for each in body["messages"][0]["content"])
    assert body["tools"][0]["cache_control"] == mark["cache_control"]


def test_images_by_data_and_by_address() -> None:
    parts = [
        {"type": "text", "text": "What?"},
        {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    assert said(user(parts))[0]["content"][1:] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
    ]


def test_files_are_documents() -> None:
    file = {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}
    (block,) = said(user([{"type": "file", "file": file}]))[0]["content"]
    assert block["type"] == "document"
    assert block["source"] == {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}


def test_all_results_of_tools_stand_in_the_one_next_message_images_in_them() -> None:
    found = said(
        user("Look."),
        {"role": "assistant", "content": "I look.", "tool_calls": [call("a", '{"x": 1}'), call("b", "")]},
        {"role": "tool", "tool_call_id": "a", "content": "sun"},
        {
            "role": "tool",
            "tool_call_id": "b",
            "content": [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": PNG}}],
        },
        user("And?"),
    )
    assert [each["role"] for each in found] == ["user", "assistant", "user"]
    assert found[1]["content"] == [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "b", "name": "f", "input": {}},
    ]
    first, second, third = found[2]["content"]
    assert first == {"type": "tool_result", "tool_use_id": "a", "content": "sun"}
    assert [each["type"] for each in second["content"]] == ["text", "image"]
    assert third == {"type": "text", "text": "And?"}


def test_ids_of_calls_are_written_in_the_letters_that_anthropic_takes() -> None:
    found = said(
        user("a"),
        {"role": "assistant", "tool_calls": [call("functions.f:0")]},
        {"role": "tool", "tool_call_id": "functions.f:0", "content": "b"},
    )
    assert found[1]["content"][0]["id"] == found[2]["content"][0]["tool_use_id"] == "functions_f_0"


def test_functions_of_old_clients() -> None:
    body = sent(
        messages=[
            user("Hi"),
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": '{"a": 1}'}},
            {"role": "function", "name": "f", "content": "done"},
        ],
        functions=[{"name": "f", "parameters": {"type": "object", "properties": {}}}],
        function_call={"name": "f"},
    )
    use, result = body["messages"][1]["content"][0], body["messages"][2]["content"][0]
    assert use["id"] == result["tool_use_id"]
    assert body["tool_choice"] == {"type": "tool", "name": "f"}


def test_arguments_that_are_no_json_are_kept() -> None:
    (block,) = said(user("a"), {"role": "assistant", "tool_calls": [call("a", '{"cut')]})[1]["content"]
    assert block["input"] == {"arguments": '{"cut'}


def test_thinking_goes_back_unchanged_also_when_it_is_empty() -> None:
    thoughts = [
        {"type": "thinking", "thinking": "", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xyz"},
        {"type": "thinking", "thinking": "unsigned", "signature": ""},
    ]
    found = said(user("a"), {"role": "assistant", "content": "b", "thinking_blocks": thoughts}, user("c"))
    assert found[1]["content"] == [*thoughts[:2], {"type": "text", "text": "b"}]


def test_empty_texts_are_left_out() -> None:
    found = said(user("a"), {"role": "assistant", "content": ""}, user([{"type": "text", "text": ""}]), user("b"))
    assert found == [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]


TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "f",
            "description": "d",
            "parameters": {"type": "object", "properties": {"x": {"type": "string"}}},
            "strict": True,
        },
    }
]


def test_tools() -> None:
    (tool,) = sent(tools=TOOLS)["tools"]
    assert tool == {
        "name": "f",
        "description": "d",
        "input_schema": {"type": "object", "properties": {"x": {"type": "string"}}},
        "strict": True,
    }


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"}),
    ],
)
def test_choice_of_tools(asked: Any, wanted: dict[str, Any]) -> None:
    assert sent(tools=TOOLS, tool_choice=asked)["tool_choice"] == wanted
    one_by_one = sent(tools=TOOLS, tool_choice=asked, parallel_tool_calls=False)["tool_choice"]
    assert one_by_one == (wanted if asked == "none" else {**wanted, "disable_parallel_tool_use": True})
    assert "tool_choice" not in sent(tool_choice=asked)


def test_one_tool_at_a_time_without_a_choice() -> None:
    body = sent(tools=TOOLS, parallel_tool_calls=False)
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


def test_sampling() -> None:
    body = sent(temperature=1.7, top_p=0.5, stop=["\n\n", "END", ""], user="u1", seed=1, presence_penalty=1, n=1)
    assert body["temperature"] == 1.0
    assert (body["top_p"], body["stop_sequences"], body["metadata"]) == (0.5, ["END"], {"user_id": "u1"})
    assert not body.keys() & {"seed", "presence_penalty", "n", "stop", "user"}
    assert sent(stop="END")["stop_sequences"] == ["END"]
    assert sent(temperature=0.3)["temperature"] == 0.3
    assert "stop_sequences" not in sent(stop=None)


def test_streams_are_asked_without_options() -> None:
    body = sent(stream=True, stream_options={"include_usage": True})
    assert body["stream"] is True
    assert "stream_options" not in body


def test_forms_of_the_answer() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
    asked = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert sent(response_format=asked)["output_config"] == {"format": {"type": "json_schema", "schema": schema}}
    assert "JSON" in sent(response_format={"type": "json_object"})["system"]
    assert sent(response_format={"type": "text"}) == sent()


@pytest.mark.parametrize(
    "more",
    [
        {"n": 2},
        {"logprobs": True},
        {"modalities": ["text", "audio"]},
        {"web_search_options": {"x": 1}},
        {"tools": [{"type": "custom", "custom": {"name": "x"}}]},
        {"tools": TOOLS, "tool_choice": {"type": "allowed_tools"}},
        {"messages": "Hi"},
        {"messages": ["Hi"]},
        {"messages": [user([{"type": "input_audio", "input_audio": {}}])]},
        {"messages": [user([{"type": "image_url", "image_url": {"url": "ftp://x"}}])]},
        {"messages": [user([{"type": "image_url"}])]},
        {"messages": [user([{"type": "file", "file": {"file_id": "file-1"}}])]},
        {"messages": [{"role": "assistant", "tool_calls": [{"type": "custom"}]}]},
    ],
)
def test_what_cannot_be_said_is_refused_with_a_reason(more: dict[str, Any]) -> None:
    with pytest.raises(Untranslatable) as caught:
        sent(**more)
    assert (caught.value.refusal.http_status, caught.value.refusal.code) == (400, "not_translatable")
    assert len(caught.value.refusal.message) > 20


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "user", "tool", "text", "function"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "type", "text", "tool_calls", "function", "name", "id", "image_url", "source"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(st.lists(ODD, max_size=4), st.sampled_from([b"/v1/chat/completions", b"/v1/messages"]), ODD, ODD)
def test_any_request_is_translated_or_refused(messages: list[Any], path: bytes, tools: Any, choice: Any) -> None:
    asked = facts(path, messages=messages, tools=tools, tool_choice=choice, system=choice, stop=tools, metadata=tools)
    to = target("anthropic") if path == b"/v1/chat/completions" else target()
    try:
        assert orjson.loads(outgoing_body(asked, to))["model"] == "vendor/model-1"
    except Untranslatable as problem:
        assert problem.refusal.http_status == 400


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": -5}, "max_completion_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"tools": "x"}, "tools"),
        ({"messages": [user({"a": 1})]}, "content"),
        ({"messages": [user([5])]}, "5"),
        ({"messages": [{"role": "system", "content": [{"type": "image_url"}]}, user("a")]}, "image_url"),
        ({"messages": [{"role": "weird", "content": "a"}]}, "weird"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "tool_call_id"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(more: dict[str, Any], part: str) -> None:
    with pytest.raises(Untranslatable, match=part) as caught:
        outgoing_body(facts(**more), target("anthropic", "anthropic"))
    assert (caught.value.refusal.http_status, caught.value.refusal.code) == (400, "not_translatable")


def test_long_integers_keep_their_digits() -> None:
    message = {"role": "assistant", "content": None, "tool_calls": [call("t", '{"id":12345678901234567890123}')]}
    body = outgoing_body(facts(messages=[user("a"), message]), target("anthropic", "anthropic"))
    assert b'"input":{"id":12345678901234567890123}' in body
