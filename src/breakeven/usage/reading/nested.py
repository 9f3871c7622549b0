"""Nested: values inside a record that may be JSON text, of another type than expected, or not there at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

_NONE: Final[Mapping[str, Any]] = {}


def parsed(value: Any) -> Any:
    """`value`, or what it says when it is a text that holds a JSON object or array.

    >>> parsed('{"a": 1}'), parsed("{broken"), parsed(7)
    ({'a': 1}, '{broken', 7)
    """
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def object_in(value: Any) -> Mapping[str, Any]:
    """`value` as an object, also when it is JSON text of one; empty when it is none.

    >>> object_in('{"a": 1}'), object_in([1]), object_in(None)
    ({'a': 1}, {}, {})
    """
    if isinstance(value, dict):
        return value
    found = parsed(value) if isinstance(value, str) else None
    return found if isinstance(found, dict) else _NONE


def objects_in(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list (other elements left out), or the one object that stands in its place.

    >>> objects_in([{"a": 1}, 2]), objects_in({"a": 1}), objects_in("x")
    ([{'a': 1}], [{'a': 1}], [])
    """
    found = parsed(value)
    if isinstance(found, dict):
        return [found]
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def first_of(record: Mapping[str, Any], *names: str) -> Any:
    """The first value among `names` that is there and says something.

    >>> first_of({"a": None, "b": "", "c": 0}, "a", "b", "c")
    0
    """
    for name in names:
        value = record.get(name)
        if value is not None and value != "":
            return value
    return None


def text_in(value: Any) -> str | None:
    """`value` as a text: as it is, or as JSON; None when there is none or it cannot be written.

    >>> text_in("a"), text_in({"a": [1]}), text_in(None), text_in(5)
    ('a', '{"a": [1]}', None, '5')
    """
    if value is None or isinstance(value, str):
        return value or None
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return None


def scalar(value: Any) -> Any:
    """`value` if it is a text, a number or a truth value; None for what no name or number can be made of.

    >>> scalar("x"), scalar(3), scalar({"a": 1}), scalar([2])
    ('x', 3, None, None)
    """
    return value if isinstance(value, str | int | float) else None
