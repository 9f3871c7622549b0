"""Prompts in every form a log may hold them in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.usage.prompts.conversation import conversation

OPENAI = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "first"},
    {"role": "assistant", "content": "ok"},
    {"role": "user", "content": [{"type": "text", "text": "second"}, {"type": "image_url", "image_url": {"url": "x"}}]},
]
ANTHROPIC = {
    "system": [{"type": "text", "text": "Be brief."}],
    "messages": [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": [{"type": "tool_use", "name": "look", "input": {}}]},
        {
            "role": "user",
            "content": [{"type": "text", "text": "second"}, {"type": "image", "source": {"type": "base64"}}],
        },
    ],
    "tools": [{"name": "look", "input_schema": {}}],
}
GEMINI = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "first"}]},
        {"role": "model", "parts": [{"text": "ok"}]},
        {"role": "user", "parts": [{"text": "second"}, {"inlineData": {"mimeType": "image/png", "data": ""}}]},
    ],
    "tools": [{"functionDeclarations": [{"name": "look"}]}],
    "generationConfig": {"responseSchema": {"type": "OBJECT"}},
}
CONVERSE = {
    "system": [{"text": "Be brief."}],
    "messages": [
        {"role": "user", "content": [{"text": "first"}]},
        {"role": "user", "content": [{"text": "second"}, {"image": {"format": "png"}}]},
    ],
    "toolConfig": {"tools": [{"toolSpec": {"name": "look"}}]},
}
RESPONSES = {
    "instructions": "Be brief.",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "first"}]},
        {"role": "user", "content": [{"type": "input_text", "text": "second"}, {"type": "input_image"}]},
    ],
    "tools": [{"type": "function", "name": "look"}],
    "text": {"format": {"type": "json_schema", "name": "n"}},
}
OTEL = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "parts": [{"type": "text", "content": "first"}]},
    {"role": "user", "parts": [{"type": "text", "content": "second"}, {"type": "image"}]},
]


@pytest.mark.parametrize("logged", [OPENAI, ANTHROPIC, GEMINI, CONVERSE, RESPONSES, OTEL])
def test_every_form(logged: Any) -> None:
    found = conversation(json.dumps(logged))
    assert (found.system, found.user.strip(), found.turns_count, found.images_count) == ("Be brief.", "second", 2, 1)
    assert found.tool_names == (("look",) if isinstance(logged, dict) else ())
    assert found.has_tools == (True if isinstance(logged, dict) else None)
    assert (found.schema is not None) == (logged is GEMINI or logged is RESPONSES)
    assert "first" in found.text and "Be brief." in found.text


def test_chat_completion_body() -> None:
    tool = {"type": "function", "function": {"name": "b"}}
    body = {"messages": OPENAI, "tools": [tool, {"type": "web_search"}], "response_format": {"type": "json_object"}}
    found = conversation(json.dumps(body))
    assert found.tool_names == ("b", "web_search")
    assert found.schema == '{"type": "json_object"}'
    assert conversation(json.dumps({"messages": OPENAI})).has_tools is False


def test_columns_beside_the_prompt_count_first() -> None:
    found = conversation("hello", "Be brief.", '[{"name": "look"}]', '{"b": 1, "a": 2}')
    assert (found.system, found.tool_names, found.schema) == ("Be brief.", ("look",), '{"a": 2, "b": 1}')
    assert conversation("hello", None, "[]").has_tools is False


def test_a_result_of_a_tool_is_no_user_message_with_text() -> None:
    result = {"role": "user", "content": [{"type": "tool_result", "content": "42"}]}
    found = conversation(json.dumps([{"role": "user", "content": "question"}, result]))
    assert (found.user, found.turns_count) == ("question", 2)


@pytest.mark.parametrize(
    "text", ["", "plain", "[not json", '{"a": 1', "[" * 100_000, "{}", "[]", "[1, null, true]", '{"role": 3}']
)
def test_what_is_no_conversation_is_text_or_nothing(text: str) -> None:
    found = conversation(text)
    is_json = text in ("{}", "[]", "[1, null, true]", '{"role": 3}')
    assert found.user == ("" if is_json else text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["role", "content", "parts", "text", "tools", "type", "messages"]), inner)
    ),
)


@given(JSON, JSON)
def test_no_json_breaks_it(prompt: Any, tools: Any) -> None:
    conversation(json.dumps(prompt), json.dumps(tools), json.dumps(tools), json.dumps(prompt))
