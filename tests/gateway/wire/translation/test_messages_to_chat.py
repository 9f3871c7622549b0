"""Requests: messages to chat completions."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.wire.outgoing import Untranslatable, outgoing_body
from breakeven.gateway.wire.request_facts import read_request
from gateway.wire.samples import MESSAGES, facts, target

PARAMS: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsNonStreaming)
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
PNG_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


def sent(quirks: str = "openai", **more: Any) -> dict[str, Any]:
    body = orjson.loads(outgoing_body(facts(MESSAGES, max_tokens=50, **more), target(quirks=quirks)))
    PARAMS.validate_python({name: value for name, value in body.items() if name not in ("stream", "stream_options")})
    assert isinstance(body, dict)
    return body


def said(*messages: dict[str, Any], quirks: str = "openai", **more: Any) -> list[dict[str, Any]]:
    found = sent(quirks, messages=list(messages), **more)["messages"]
    assert isinstance(found, list)
    return found


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def test_a_plain_request() -> None:
    assert sent() == {
        "model": "vendor/model-1",
        "messages": [{"role": "user", "content": "Say hello."}],
        "max_completion_tokens": 50,
    }
    assert sent("vllm")["max_tokens"] == 50


def test_system_of_either_shape() -> None:
    assert said(user("a"), system="One.")[0] == {"role": "system", "content": "One."}
    blocks = [{**text("One."), "cache_control": {"type": "ephemeral"}}, text("Two.")]
    assert said(user("a"), system=blocks)[0] == {"role": "system", "content": "One.\n\nTwo."}
    assert said(user("a"), system=[])[0]["role"] == "user"


def test_a_system_message_among_the_messages_stays_one() -> None:
    assert said(user("a"), {"role": "system", "content": "b"})[1] == {"role": "system", "content": "b"}


def test_images_and_documents() -> None:
    blocks = [
        text("What?"),
        {"type": "image", "source": PNG},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
    ]
    parts = said(user(blocks))[0]["content"]
    assert parts[1] == PNG_PART
    assert parts[2]["image_url"] == {"url": "https://example.com/a.png"}
    assert parts[3] == text("words")
    assert parts[4]["file"]["file_data"] == "data:application/pdf;base64,JVBERi0="


def test_results_of_tools_become_messages_and_their_images_follow() -> None:
    found = said(
        user("Look."),
        {
            "role": "assistant",
            "content": [
                text("I look."),
                {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
                {"type": "tool_use", "id": "b", "name": "g", "input": {}},
            ],
        },
        user(
            [
                {"type": "tool_result", "tool_use_id": "a", "content": "sun"},
                {"type": "tool_result", "tool_use_id": "b", "content": [text("see"), {"type": "image", "source": PNG}]},
                text("And?"),
            ]
        ),
    )
    assert [each["role"] for each in found] == ["user", "assistant", "tool", "tool", "user"]
    assert found[1]["content"] == "I look."
    assert [each["function"] for each in found[1]["tool_calls"]] == [
        {"name": "f", "arguments": '{"x":1}'},
        {"name": "g", "arguments": "{}"},
    ]
    assert [(each["tool_call_id"], each["content"]) for each in found[2:4]] == [("a", "sun"), ("b", "see")]
    assert found[4]["content"] == [PNG_PART, text("And?")]


def test_a_result_without_content_is_empty() -> None:
    found = said(
        user("a"),
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
        user([{"type": "tool_result", "tool_use_id": "a"}]),
    )
    assert found[1]["content"] is None
    assert found[2] == {"role": "tool", "tool_call_id": "a", "content": ""}
    assert len(found) == 3


def test_thinking_goes_where_it_can_be_read_only() -> None:
    thoughts = [
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xyz"},
        text("b"),
    ]
    assistant = {"role": "assistant", "content": thoughts}
    assert said(user("a"), assistant)[1] == {"role": "assistant", "content": "b"}
    assert said(user("a"), assistant, quirks="vllm")[1]["reasoning_content"] == "Hm"


def test_tools_and_choices() -> None:
    tools = [
        {"name": "f", "description": "d", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}
    ]
    assert sent(tools=tools)["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
    ]
    for asked, wanted in (
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "f"}, {"type": "function", "function": {"name": "f"}}),
    ):
        assert sent(tools=tools, tool_choice=asked)["tool_choice"] == wanted
    body = sent(tools=tools, tool_choice={"type": "auto", "disable_parallel_tool_use": True})
    assert body["parallel_tool_calls"] is False


def test_sampling() -> None:
    body = sent(temperature=0.3, top_p=0.5, top_k=5, stop_sequences=["END"], metadata={"user_id": "u1"})
    assert (body["temperature"], body["top_p"], body["stop"], body["user"]) == (0.3, 0.5, ["END"], "u1")
    assert "top_k" not in body
    assert sent("vllm", top_k=5)["top_k"] == 5
    assert "user" not in sent(metadata={"user_id": "u" * 65})
    assert "user" not in sent("gemini", metadata={"user_id": "u1"})


def test_streams_ask_for_usage() -> None:
    assert sent(stream=True)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in sent("mistral", stream=True)


def test_structured_answers() -> None:
    config = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    found = sent(output_config=config)["response_format"]
    assert found == {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"mcp_servers": [{"type": "url", "url": "https://example.com", "name": "x"}]},
        {"messages": [user([{"type": "image", "source": {"type": "file", "file_id": "f"}}])]},
        {"messages": [user([{"type": "document", "source": {"type": "url", "url": "https://example.com"}}])]},
        {"messages": [user([{"type": "container_upload", "file_id": "f"}])]},
        {"messages": [{"role": "assistant", "content": [{"type": "server_tool_use", "id": "x"}]}]},
        {"messages": {}},
    ],
)
def test_what_cannot_be_said_is_refused_with_a_reason(more: dict[str, Any]) -> None:
    with pytest.raises(Untranslatable) as caught:
        sent(**more)
    assert (caught.value.refusal.http_status, caught.value.refusal.code) == (400, "not_translatable")


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "x"}, "max_tokens"),
        ({"system": 5}, "system"),
        ({"temperature": "hot"}, "temperature"),
        ({"tools": "x"}, "tools"),
        ({"tool_choice": 5}, "tool_choice"),
        ({"messages": [user([5])]}, "5"),
        ({"messages": [user({"a": 1})]}, "content"),
        ({"messages": [{"role": "weird", "content": "a"}]}, "weird"),
        ({"messages": [user([{"type": "search_result", "content": [text("a")]}])]}, "search_result"),
        ({"messages": [user([{"type": "tool_result", "content": "a"}])]}, "tool_use_id"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(more: dict[str, Any], part: str) -> None:
    with pytest.raises(Untranslatable, match=part) as caught:
        outgoing_body(facts(MESSAGES, **{"max_tokens": 50, **more}), target())
    assert (caught.value.refusal.http_status, caught.value.refusal.code) == (400, "not_translatable")


def test_the_model_is_told_that_a_tool_failed() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "no such file", "is_error": True}
    assert said(user([result]))[0]["content"] == "The tool failed: no such file"


def test_long_integers_keep_their_digits() -> None:
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {"id": 12345678901234567890123}}
    body = json.dumps({"model": "small", "max_tokens": 5, "messages": [{"role": "assistant", "content": [use]}]})
    asked = read_request(MESSAGES, body.encode())
    assert isinstance(asked, RequestFacts)
    assert b'{\\"id\\":12345678901234567890123}' in outgoing_body(asked, target())
