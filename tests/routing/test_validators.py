"""Validators: what passes, what does not, what cannot be declared; nothing takes long, fetches or raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import PolicyError
from breakeven.routing.answers import last_number, same_answer
from breakeven.routing.validators import check_answer, validators_of

PERSON = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}, "required": ["age"]}
TOOLS = [
    {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "required": ["city"]}}},
    {
        "name": "time",
        "input_schema": {"type": "object", "properties": {"zone": {"type": "string", "pattern": "^[A-Z]+$"}}},
    },
]


def why(declaration: dict[str, Any], answer: str = "", **more: Any) -> str:
    """Why an answer does not pass; "" where it does."""
    verdict = check_answer(validators_of(declaration), answer, **more)
    assert verdict.ok is (not verdict.why)
    return verdict.why


@pytest.mark.parametrize(
    ("declaration", "answer", "problem"),
    [
        ({}, "", ""),
        ({"non_empty": True}, "x", ""),
        ({"non_empty": True}, " \n", "empty answer"),
        ({"non_empty": False}, "", ""),
        ({"regex": "^[A-D]$"}, " B\n", ""),
        ({"regex": "^[A-D]$"}, "The answer is B", "does not match the pattern"),
        ({"regex": r"#### \d+$"}, "so\n#### 42", ""),
        ({"labels": ["Yes", "no"]}, '"YES."', ""),
        ({"labels": ["yes", "no"]}, "yes, because", "not one of the labels"),
        ({"json": True}, "[1, 2]", ""),
        ({"json": True}, "```json\n{}\n```", ""),
        ({"json": True}, "Here it is: {}", "no valid JSON: Expecting value: line 1 column 1 (char 0)"),
        ({"json": True}, "NaN", "no valid JSON: NaN is no number of JSON"),
        ({"json": True}, "[" * 100_000, "no valid JSON: nested too deeply"),
        ({"json_schema": PERSON}, '{"age": 3}', ""),
        ({"json_schema": PERSON}, '{"age": -3}', "age: -3 is less than the minimum of 0"),
        ({"json_schema": PERSON}, "{}", "the answer: 'age' is a required property"),
        ({"json_schema": {"pattern": "^(a+)+$"}}, json.dumps("a" * 3000 + "b"), "the answer: "),
        ({"labels": ["a"], "non_empty": True}, "b", "not one of the labels"),
        ({"non_empty": True}, "x" * 200_001, "longer than 200,000 characters, not checked"),
    ],
)
def test_answers(declaration: dict[str, Any], answer: str, problem: str) -> None:
    found = why(declaration, answer)
    assert found.startswith(problem)
    assert bool(found) is bool(problem)


@pytest.mark.parametrize(
    ("reason", "problem"),
    [
        (None, ""),
        ("stop", ""),
        ("tool_calls", ""),
        ("length", "cut off (length)"),
        ("MAX_TOKENS", "cut off (MAX_TOKENS)"),
    ],
)
def test_not_truncated(reason: str | None, problem: str) -> None:
    assert why({"not_truncated": True}, "x", finish_reason=reason) == problem


def call(name: object, arguments: object) -> dict[str, Any]:
    return {"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    ("calls", "problem"),
    [
        (None, ""),
        ([call("weather", '{"city": "Bonn"}')], ""),
        ([{"type": "tool_use", "name": "time", "input": {"zone": "CET"}}], ""),
        ([call("weather", "{}")], "arguments of weather: the answer: 'city' is a required property"),
        ([call("time", '{"zone": "cet"}')], "arguments of time: zone: 'cet' does not match '^[A-Z]+$'"),
        ([call("wether", "{}")], "unknown tool 'wether'"),
        ([call("weather", "{city")], "arguments of weather are no valid JSON"),
        ([call("weather", "[]")], "arguments of weather are no mapping"),
        ([call(3, None)], "unknown tool '3'"),
        (["junk"], "a tool call is no mapping"),
        ([{"function": None}], "a tool call is no mapping"),
    ],
)
def test_tool_calls(calls: Any, problem: str) -> None:
    found = why({"tools": TOOLS}, "", tool_calls=calls)
    assert found.startswith(problem)
    assert bool(found) is bool(problem)


def test_a_tool_may_be_required() -> None:
    required = {"tools": TOOLS, "tool_required": True}
    assert why(required, "It is sunny.") == "no tool call"
    assert why({"non_empty": True, **required}, "", tool_calls=[call("weather", '{"city": "Bonn"}')]) == ""


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ({"label": ["a"]}, "unknown check 'label'; did you mean 'labels'"),
        ({"labels": "yes"}, "wanted a list of texts"),
        ({"labels": []}, "wanted a list of texts"),
        ({"regex": 3}, "wanted a pattern in quotes"),
        ({"regex": "(?=a)"}, "looks back or ahead"),
        ({"non_empty": "yes"}, "wanted true or false"),
        ({"json_schema": []}, "wanted a mapping"),
        ({"json_schema": {"type": "objekt"}}, "the JSON schema is not valid"),
        ({"json_schema": {"patternProperties": {"a": {}}}}, "uses patternProperties"),
        ({"json_schema": {"properties": {"x": {"items": {"pattern": r"(a)\1"}}}}}, "looks back or ahead"),
        ({"tools": {}}, "wanted the list"),
        ({"tools": [{"type": "function"}]}, "has no name"),
        ({"tool_required": True}, "beside the list `tools`"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(declaration: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        validators_of(declaration)


def test_a_declaration_is_a_mapping() -> None:
    with pytest.raises(PolicyError, match="wanted a mapping such as"):
        validators_of(["non_empty"])  # type: ignore[arg-type]


def test_a_schema_without_end_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"items": deep}
    with pytest.raises(PolicyError, match="nested too deeply"):
        validators_of({"json_schema": deep})


def test_a_property_may_be_called_pattern() -> None:
    named = {"type": "object", "properties": {"pattern": {"type": "string"}, "patternProperties": {"type": "string"}}}
    assert why({"json_schema": named}, '{"pattern": "(("}') == ""


ALL = validators_of({"non_empty": True, "not_truncated": True, "json_schema": PERSON, "regex": "a+", "tools": TOOLS})
CALLS = st.lists(
    st.recursive(
        st.one_of(st.none(), st.text(max_size=5), st.integers()),
        lambda inner: st.dictionaries(st.sampled_from(["function", "name", "arguments", "input"]), inner, max_size=3),
        max_leaves=5,
    ),
    max_size=2,
)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=80), st.one_of(st.none(), st.text(max_size=9)), CALLS)
def test_no_answer_raises(answer: str, reason: str | None, calls: Any) -> None:
    for each in ALL:
        verdict = each.check(answer, finish_reason=reason, tool_calls=calls)
        assert verdict.ok is (not verdict.why)


@pytest.mark.parametrize(
    ("one", "other", "comparison", "same"),
    [
        ("It  is\nBLUE", "it is blue", "text", True),
        ("blue", "red", "text", False),
        ("", "", "text", False),
        ("3 x 4 = 12", "#### 12.0", "number", True),
        ("it costs $1,200", "1200 dollars", "number", True),
        ("twelve", "twelve", "number", False),
        ("-3", "3", "number", False),
        ("(B) since", "B. it is", "label", True),
        ("A", "B", "label", False),
        ("A dog", "A cat", "label", False),
        ("Yes.", "yes", "label", True),
        ('{"a": 1, "b": 2}', '```\n{"b": 2, "a": 1.0}\n```', "json", True),
        ("{}", "no json", "json", False),
        ('{"paid": true}', '{"paid": 1}', "json", False),
        ('[{"a": [false, null]}]', '[{"a": [false, null]}]', "json", True),
        ('[{"a": [false, null]}]', '[{"a": [0, null]}]', "json", False),
        ("[1, 2]", "[1]", "json", False),
        ('{"a": 1}', '{"b": 1}', "json", False),
        ("[" * 900 + "]" * 900, "[" * 900 + "]" * 900, "json", True),
    ],
)
def test_same_answer(one: str, other: str, comparison: str, same: bool) -> None:
    assert same_answer(one, other, comparison) is same
    assert same_answer(other, one, comparison) is same


@given(st.text(max_size=60), st.sampled_from(["text", "number", "label", "json"]))
def test_an_answer_agrees_with_itself_or_says_nothing(text: str, comparison: str) -> None:
    found = same_answer(text, text, comparison)
    if comparison in ("text", "label"):
        assert found is bool(text.strip())
    if comparison == "number":
        assert found is (last_number(text) is not None and bool(text.strip()))
