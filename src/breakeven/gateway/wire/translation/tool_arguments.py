"""Tool arguments: JSON in a text at OpenAI, an object at Anthropic."""

from __future__ import annotations

from typing import Any

import orjson

from breakeven.gateway.wire.translation.exact_numbers import dumped, exactly


def as_object(arguments: object) -> dict[str, Any]:
    """Arguments as an object. What a model wrote that is no JSON object is kept whole under `arguments`.

    >>> as_object('{"a": 1}'), as_object(""), as_object("{oops")
    ({'a': 1}, {}, {'arguments': '{oops'})
    """
    if isinstance(arguments, dict):
        return arguments
    if not isinstance(arguments, str) or not arguments.strip():
        return {}
    try:
        value = exactly(arguments, orjson.loads(arguments))
    except orjson.JSONDecodeError:
        return {"arguments": arguments}
    return value if isinstance(value, dict) else {"arguments": arguments}


def as_text(value: object) -> str:
    """An object as the text of its JSON.

    >>> as_text({"a": 1}), as_text(None)
    ('{"a":1}', '{}')
    """
    if isinstance(value, str):
        return value
    return dumped(value if isinstance(value, dict) else {}).decode()
