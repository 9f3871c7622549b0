"""Token counts where nobody reported any."""

from __future__ import annotations

from typing import Any

import pytest

from breakeven.gateway.wire.estimates import IMAGE_TOKENS, input_tokens, output_tokens
from gateway.wire.samples import CHAT, MESSAGES, RESPONSES, facts

TEXT = "word " * 400
PNG = {"url": "data:image/png;base64," + "A" * 400_000}


def test_about_four_bytes_are_a_token() -> None:
    assert [output_tokens(count) for count in (0, 1, 4, 5, 400)] == [0, 1, 1, 2, 100]


@pytest.mark.parametrize(
    ("path", "more"),
    [
        (CHAT, {"messages": [{"role": "user", "content": TEXT}]}),
        (CHAT, {"messages": [{"role": "user", "content": [{"type": "text", "text": TEXT}]}]}),
        (MESSAGES, {"system": TEXT, "messages": []}),
        (MESSAGES, {"system": [{"type": "text", "text": TEXT}], "messages": []}),
        (
            MESSAGES,
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": TEXT}]}]},
        ),
        (
            MESSAGES,
            {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "input": {"x": TEXT}}]}]},
        ),
        (
            CHAT,
            {
                "messages": [
                    {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": TEXT}}]}
                ]
            },
        ),
        (RESPONSES, {"input": TEXT, "messages": None}),
        (RESPONSES, {"input": [{"role": "user", "content": [{"type": "input_text", "text": TEXT}]}], "messages": None}),
        (b"/v1/embeddings", {"input": [TEXT[:1_000], TEXT[1_000:]], "messages": None}),
        (b"/v1/embeddings", {"input": [1] * 500, "messages": None}),
        (b"/v1/completions", {"prompt": TEXT, "messages": None}),
        (CHAT, {"tools": [{"type": "function", "function": {"name": "f", "description": TEXT}}], "messages": []}),
    ],
)
def test_texts_are_found_wherever_they_stand(path: bytes, more: dict[str, Any]) -> None:
    assert 500 <= input_tokens(facts(path, **more)) <= 530


def test_an_image_is_not_counted_by_its_base64() -> None:
    parts = [{"type": "image_url", "image_url": PNG}]
    assert input_tokens(facts(messages=[{"role": "user", "content": parts}])) == IMAGE_TOKENS + 4
    source = {"type": "base64", "media_type": "image/png", "data": "A" * 400_000}
    blocks = [{"type": "image", "source": source}]
    assert input_tokens(facts(MESSAGES, messages=[{"role": "user", "content": blocks}])) == IMAGE_TOKENS + 4
    items = [{"role": "user", "content": [{"type": "input_image", "image_url": PNG["url"]}]}]
    assert input_tokens(facts(RESPONSES, input=items, messages=None)) == IMAGE_TOKENS


def test_letters_beyond_ascii_count_by_their_bytes() -> None:
    assert input_tokens(facts(b"/v1/completions", prompt="漢" * 40, messages=None)) == 30


def test_odd_bodies_are_counted_too() -> None:
    deep: Any = "x"
    for _ in range(100):
        deep = [deep]
    for more in ({"messages": None}, {"messages": 7}, {"messages": [None, 1, "a"]}, {"messages": deep}, {"input": {}}):
        assert input_tokens(facts(**more)) >= 1
