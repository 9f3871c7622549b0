"""Groups: the hashes of a request are those that an import of the same request writes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.gateway.admission.groups import hashes
from breakeven.usage.features import schema_hash_of, system_hash_of
from breakeven.usage.prompts.conversation import conversation
from gateway.admission.admission_parts import head, plan, room

_words = st.sampled_from(["", "Be brief.", "{}", "[x", '{"a": 1}', " [1]", "é"])
_parts = st.lists(
    st.one_of(
        _words,
        st.builds(lambda text: {"type": "text", "text": text}, _words),
        st.just({"type": "image_url", "image_url": {"url": "x"}}),
        st.just({"text": 1}),
    ),
    max_size=3,
)
_content = st.one_of(st.none(), _words, _parts, st.just({"text": "Hi"}), st.just(3))
_roles = st.sampled_from(["system", "System", "developer", "user", "assistant", 3])
_message = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"role": _roles, "content": _content, "parts": _parts, "text": _words}
    ),
    _words,
    st.just(None),
)  # fmt: skip
_tool = st.one_of(
    st.just({"type": "function", "function": {"name": "f", "parameters": {"a": 1.0}}}),
    st.just({"name": "g", "input_schema": {}}),
    st.just({"functionDeclarations": [{"name": "h"}]}),
    st.just({"type": "web_search"}),
    st.just("odd"),
)
_schema = st.sampled_from([{}, None, "text", {"type": "json_schema", "b": [1, 2.5], "a": {"z": None}}])
_body = st.fixed_dictionaries(
    {"model": st.just("m")},
    optional={
        "messages": st.one_of(st.lists(_message, max_size=4), _words),
        "system": _content,
        "instructions": _words,
        "input": st.one_of(_words, st.lists(_message, max_size=2)),
        "prompt": _words,
        "tools": st.lists(_tool, max_size=3),
        "response_format": _schema,
        "output_format": _schema,
        "text": st.one_of(_words, st.fixed_dictionaries({}, optional={"format": _schema})),
        "generationConfig": st.fixed_dictionaries({}, optional={"responseSchema": _schema}),
        "temperature": st.floats(0, 1),
    },
)


@given(_body)
@settings(max_examples=300, deadline=None)
def test_any_body_has_the_hashes_of_its_import(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    logged = conversation(text)
    assert hashes(document, text.encode()) == (system_hash_of(logged, ""), schema_hash_of(logged, ""))


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "u"}]}),
        ("/v1/messages", {"system": [{"type": "text", "text": "S"}], "messages": [{"role": "user", "content": "u"}]}),
        ("/v1/responses", {"instructions": "S", "input": "u"}),
    ],
)
def test_a_plan_carries_them(path: str, document: dict[str, Any]) -> None:
    said = json.dumps({"model": "big", **document}).encode()
    of = room()
    assert plan(of, head(path), said).groups["system_hash"] == system_hash_of(conversation(said.decode()), "")
