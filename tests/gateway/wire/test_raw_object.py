"""Objects whose members are changed in their bytes."""

from __future__ import annotations

import json

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from breakeven.gateway.wire.raw_object import members, rewritten, with_model
from gateway.wire.test_request_facts import JSON_VALUES

NAMES = st.sampled_from(["model", "user", "messages", "x", "stream"])
OBJECTS = st.dictionaries(NAMES | st.text(max_size=4), JSON_VALUES, max_size=6)


@given(OBJECTS, st.booleans(), st.sampled_from([None, 2]))
def test_members_are_those_of_a_parser(document: dict[str, object], is_ascii: bool, indent: int | None) -> None:
    body = json.dumps(document, ensure_ascii=is_ascii, indent=indent).encode("utf-8", "surrogatepass")
    try:
        wanted = orjson.loads(body)
    except orjson.JSONDecodeError:
        return  # lone surrogates: never read as a request
    assert {each.key: orjson.loads(each.raw_value) for each in members(body)} == wanted


@given(OBJECTS, st.booleans())
def test_rewriting_changes_what_is_named_and_nothing_else(document: dict[str, object], is_ascii: bool) -> None:
    body = json.dumps(document, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    try:
        wanted = orjson.loads(body)
    except orjson.JSONDecodeError:
        return
    changed = orjson.loads(rewritten(body, {"model": b'"new"'}, ("user",), {"x": "y"}))
    wanted.pop("user", None)
    renamed = {("y" if name == "x" else name): value for name, value in wanted.items()}
    assert changed == {**renamed, "model": "new"}


def test_numbers_and_escapes_keep_their_bytes() -> None:
    body = b'{"model":"a","big":123456789012345678901234567890,"f":1.50e+2,"t":"\\u00e9\\/"}'
    changed = rewritten(body, {"model": b'"b"'})
    assert changed == body.replace(b'"a"', b'"b"')
    assert rewritten(b'{"x":' + b"9" * 5_000 + b',"y":1}', {}, ("y",)) == b'{"x":' + b"9" * 5_000 + b"}"


def test_a_key_that_stands_twice_is_changed_twice() -> None:
    body = b'{"model": "dear", "model": "cheap"}'
    assert with_model(body, "new") is None
    assert rewritten(body, {"model": b'"new"'}) == b'{"model":"new","model":"new"}'


def test_a_key_written_with_escapes_is_not_overlooked() -> None:
    body = b'{"mod\\u0065l": "dear", "tools": [{"model": "x"}]}'
    assert with_model(body, "new") is None
    assert orjson.loads(rewritten(body, {"model": b'"new"'})) == {"model": "new", "tools": [{"model": "x"}]}


def test_a_role_or_text_of_that_name_is_no_key() -> None:
    body = b'{"messages":[{"role":"model"}],"mod\\u0065l":"a"}'
    assert with_model(body, "new") is None
    text = b'{"prompt":"say \\"model\\": \\"x\\"","model":"a"}'
    assert with_model(text, "b") == text.replace(b'"a"', b'"b"')


@given(OBJECTS.filter(lambda each: "model" not in each), st.text(min_size=1), st.text(min_size=1), st.booleans())
@example({}, '"model":"x"', "b", False)
@example({"x": "\\"}, "a", 'q"', True)
@example({"x": {"model": "y"}}, "a", "b", True)
def test_a_splice_changes_nothing_but_the_model(
    document: dict[str, object], old: str, new: str, is_first: bool
) -> None:
    whole = {"model": old, **document} if is_first else {**document, "model": old}
    try:
        new.encode()
        body = orjson.dumps(whole)
    except (UnicodeEncodeError, orjson.JSONEncodeError):
        return
    spliced = with_model(body, new)
    if spliced is None:
        spliced = rewritten(body, {"model": orjson.dumps(new)})
    assert spliced == orjson.dumps({**whole, "model": new})


def test_the_same_name_gives_the_same_object() -> None:
    body = b'{"model":"a"}'
    assert with_model(body, "a") is body
