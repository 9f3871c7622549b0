"""Request facts: what the gateway must know of a body, read in one parse; the body itself stays as it came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import orjson

from breakeven.gateway.plan import Operation, Refusal, RequestFacts

MODEL_MAX_COUNT: Final = 256
"""Characters of a model's name."""
ANSWERS_MAX_COUNT: Final = 128
TOKENS_MAX_COUNT: Final = 100_000_000

_ENDINGS: Final[Mapping[bytes, Operation]] = {
    b"/chat/completions": "chat",
    b"/completions": "completions",
    b"/embeddings": "embeddings",
    b"/responses": "responses",
    b"/messages": "messages",
    b"/messages/count_tokens": "count_tokens",
    b"/outcomes": "outcomes",
}
_BASES: Final = (b"/v1", b"", b"/openai/v1")
"""Clients differ in whether their base URL ends in `/v1`; Azure's clients say `/openai/v1`."""
OPERATIONS: Final[Mapping[bytes, Operation]] = {
    base + ending: operation for base in _BASES for ending, operation in _ENDINGS.items()
}
"""Path -> operation."""
_OUTPUT_LIMITS: Final[Mapping[Operation, tuple[str, ...]]] = {
    "chat": ("max_completion_tokens", "max_tokens"),
    "completions": ("max_tokens",),
    "responses": ("max_output_tokens",),
    "messages": ("max_tokens",),
    "embeddings": (),
    "count_tokens": (),
    "outcomes": (),
}
_STREAMED: Final = frozenset(("chat", "completions", "responses", "messages"))
_COUNTED: Final = frozenset(("chat", "completions"))


def read_request(path: bytes, body: bytes) -> RequestFacts | Refusal:
    """What a request is, or why it is none; never raises.

    >>> facts = read_request(b"/v1/chat/completions", b'{"model": "small", "messages": [], "stream": true}')
    >>> facts.operation, facts.model, facts.is_stream, facts.is_usage_asked
    ('chat', 'small', True, False)
    >>> read_request(b"/v1/chat/completions", b'{"messages": []}').code
    'missing_model'
    """
    operation = OPERATIONS.get(path)
    if operation is None:
        return _unknown_path()
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        return _no_json(problem, body)
    if type(document) is not dict:
        return Refusal(400, "invalid_body", "The body is JSON, but no object. Send an object with a `model`.")
    model = document.get("model")
    if operation == "outcomes":
        return RequestFacts(operation, document, body, "", False, False, None)
    if type(model) is not str or not 0 < len(model) <= MODEL_MAX_COUNT or not model.isprintable():
        return _no_model(model)
    is_counted = operation in _COUNTED
    return RequestFacts(
        operation,
        document,
        body,
        model,
        "stream" in document and document["stream"] is True and operation in _STREAMED,
        not is_counted or ("stream_options" in document and is_usage_asked(document)),
        _output_tokens_max(operation, document),
        _answers_count(document) if is_counted and ("n" in document or "best_of" in document) else 1,
    )


def is_usage_asked(document: Mapping[str, Any]) -> bool:
    """Whether a body with `stream_options` wants usage in its stream."""
    options = document["stream_options"]
    return type(options) is dict and options.get("include_usage") is True


def _output_tokens_max(operation: Operation, document: Mapping[str, Any]) -> int | None:
    for name in _OUTPUT_LIMITS[operation]:
        value = document.get(name)
        if type(value) is int and value >= 0:
            return min(value, TOKENS_MAX_COUNT)
    return None


def _answers_count(document: Mapping[str, Any]) -> int:
    """Answers that are generated, and so billed, for one request."""
    counts = [value for value in (document.get("n"), document.get("best_of")) if type(value) is int]
    return min(max([1, *counts]), ANSWERS_MAX_COUNT)


def _unknown_path() -> Refusal:
    known = ", ".join("/v1" + ending.decode() for ending in _ENDINGS)
    return Refusal(404, "unknown_path", f"This gateway knows {known} (POST) and /v1/models (GET).")


def _no_json(problem: orjson.JSONDecodeError, body: bytes) -> Refusal:
    if not body:
        return Refusal(400, "invalid_json", "The body is empty. Send a JSON object.")
    if "ecursion" in problem.msg:
        return Refusal(400, "invalid_json", "The body is nested more than 1,024 deep. Send a flatter one.")
    where = f"line {problem.lineno}, column {problem.colno}"
    return Refusal(400, "invalid_json", f"The body is no JSON in UTF-8 ({where}). Send a JSON object.")


def _no_model(model: object) -> Refusal:
    if model is None:
        return Refusal(400, "missing_model", "The body names no `model`. Name one of GET /v1/models.")
    wanted = f"a name of 1 to {MODEL_MAX_COUNT} printable characters"
    seen = f"text of {len(model)} characters" if isinstance(model, str) else cast(type, type(model)).__name__
    return Refusal(400, "invalid_model", f"`model` is {seen}; wanted is {wanted}.")
