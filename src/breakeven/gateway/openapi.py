"""OpenAPI document of the gateway's public port: its paths, what each takes at least, and every answer it may give.

Requests are described as loosely as the gateway reads them: what it does not know it passes on untouched. The page
docs/reference/gateway-openapi.json is written by `python -m breakeven.gateway.openapi`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

COMMAND: Final = "python -m breakeven.gateway.openapi"
FILE_NAME: Final = "gateway-openapi.json"
_TEXT: Final[Mapping[str, Any]] = {"type": "string"}
_MODEL: Final[Mapping[str, Any]] = {
    "type": "string",
    "minLength": 1,
    "maxLength": 256,
    "description": "A model of GET /v1/models; the policy may choose another (x-breakeven-model says which).",
}
_STREAM: Final[Mapping[str, Any]] = {"type": "boolean", "description": "Answer as server-sent events."}
_COUNT: Final[Mapping[str, Any]] = {"type": "integer", "minimum": 1}
_MESSAGES: Final[Mapping[str, Any]] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["role"],
        "properties": {"role": _TEXT, "content": {"type": ["string", "array", "null"]}},
    },
}
_OPTIONS: Final[Mapping[str, Any]] = {"type": "object", "properties": {"include_usage": {"type": "boolean"}}}
_REFUSALS: Final[Mapping[int, str]] = {
    400: "The request cannot be understood, or the upstream says that it is wrong.",
    401: "No key, an unknown one, an expired one, or two that differ.",
    402: "The upstream wants to be paid.",
    403: "The key may not use this model, or residency allows no upstream that is left.",
    404: "No such path or model.",
    405: "Not this method.",
    408: "The request did not come in time.",
    409: "The upstream says conflict.",
    411: "The length of the body is not said.",
    413: "The body is larger than allowed.",
    415: "The body is encoded.",
    422: "The upstream cannot process the request.",
    429: "A limit of the key is spent, or the last upstream is busy; Retry-After says how long.",
    431: "The head is larger than allowed.",
    500: "A fault of the gateway itself; please report it.",
    502: "No upstream gave an answer that can be used.",
    503: "No upstream is available, the gateway is full or draining, or limits cannot be checked.",
    504: "No upstream answered in time.",
}
_ANSWER_HEADERS: Final[Mapping[str, str]] = {
    "x-breakeven-request-id": "Names the request; for POST /v1/outcomes and in every Call.",
    "x-breakeven-model": "The model that answered.",
    "x-breakeven-reason": "Why it was chosen.",
    "x-breakeven-policy": "Hash of the policy that chose.",
    "x-breakeven-task": "The task that was told.",
    "x-breakeven-arm": "The arm of a pilot.",
    "x-breakeven-attempts": "How many upstreams were asked.",
}
_ASKING_HEADERS: Final[Mapping[str, str]] = {
    "x-breakeven-task": "The request's task, where the client knows it.",
    "x-breakeven-model": "Overrides the policy, for keys that may.",
}


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document.

    >>> sorted(document()["paths"])[:2]
    ['/healthz', '/readyz']
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "breakeven gateway",
            "version": "1",
            "description": "OpenAI's and Anthropic's APIs over any upstream, by a routing policy, every call recorded.",
        },
        "security": [{"bearer": []}, {"apiKey": []}],
        "paths": {
            "/v1/chat/completions": _post("chat", "A chat completion.", _chat(), is_streamed=True),
            "/v1/completions": _post("completions", "A completion of a text.", _completion(), is_streamed=True),
            "/v1/embeddings": _post("embeddings", "Vectors of texts.", _embedding()),
            "/v1/responses": _post("responses", "A response (OpenAI's newer API).", _response(), is_streamed=True),
            "/v1/messages": _post("messages", "A message (Anthropic's API).", _message(), is_streamed=True),
            "/v1/messages/count_tokens": _post("count_tokens", "How many tokens a message has.", _counted()),
            "/v1/outcomes": _outcomes(),
            "/v1/models": {"get": _operation("models", "The models that this key may name.")},
            "/healthz": {"get": _probe("health", "The process lives.")},
            "/readyz": {"get": _probe("ready", "It takes requests: 503 while it starts or drains.")},
        },
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
            "schemas": {"Error": _error()},
        },
    }


def page() -> str:
    """The document as text."""
    return json.dumps(document(), indent=2) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the document below the given documentation folder (default: docs)."""
    chosen = sys.argv[1:] if arguments is None else list(arguments)
    folder = Path(chosen[0] if chosen else "docs") / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE_NAME).write_text(page(), encoding="utf-8")
    return 0


def _body(required: Sequence[str], properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": dict(properties), "additionalProperties": True}


def _chat() -> dict[str, Any]:
    properties = {"model": _MODEL, "messages": _MESSAGES, "stream": _STREAM, "stream_options": _OPTIONS}
    limits = {"max_tokens": _COUNT, "max_completion_tokens": _COUNT, "n": _COUNT, "tools": {"type": "array"}}
    return _body(("model", "messages"), properties | limits)


def _completion() -> dict[str, Any]:
    prompt = {"prompt": {"type": ["string", "array"]}, "stream": _STREAM, "stream_options": _OPTIONS}
    return _body(("model", "prompt"), {"model": _MODEL, "max_tokens": _COUNT, **prompt})


def _embedding() -> dict[str, Any]:
    return _body(("model", "input"), {"model": _MODEL, "input": {"type": ["string", "array"]}})


def _response() -> dict[str, Any]:
    properties = {"model": _MODEL, "input": {"type": ["string", "array"]}, "instructions": {"type": ["string", "null"]}}
    return _body(("model", "input"), properties | {"stream": _STREAM, "max_output_tokens": _COUNT})


def _message() -> dict[str, Any]:
    counted = _counted()
    counted["properties"] |= {"max_tokens": _COUNT, "stream": _STREAM}
    counted["required"].append("max_tokens")
    return counted


def _counted() -> dict[str, Any]:
    properties = {"model": _MODEL, "messages": _MESSAGES, "system": {"type": ["string", "array"]}}
    return _body(("model", "messages"), properties | {"tools": {"type": "array"}})


def _outcomes() -> dict[str, Any]:
    # the body is a JSON object; docs/how-to/run-the-gateway.md has an example
    return _post("outcomes", "What became of a request, also hours later.", _outcome())


def _outcome() -> dict[str, Any]:
    properties = {
        "request_id": {"type": "string", "minLength": 1},
        "success": {"type": "boolean"},
        "score": {"type": "number"},
        "label": _TEXT,
        "note": _TEXT,
        "replace": {"type": "boolean", "description": "Take this in place of another value that was given before."},
    }
    return _body(("request_id",), properties)


def _post(name: str, summary: str, schema: Mapping[str, Any], is_streamed: bool = False) -> dict[str, Any]:
    asked = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"post": _operation(name, summary, is_streamed) | {"requestBody": asked}}


def _operation(name: str, summary: str, is_streamed: bool = False) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}
    if is_streamed:
        content["text/event-stream"] = {"schema": _TEXT}
    answered = {"description": "The answer.", "headers": _headers(_ANSWER_HEADERS), "content": content}
    refused = {"schema": {"$ref": "#/components/schemas/Error"}}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [
            {"name": each, "in": "header", "required": False, "description": text, "schema": _TEXT}
            for each, text in (_ASKING_HEADERS.items() if name != "models" else ())
        ],
        "responses": {
            "200": answered,
            **{
                str(status): {"description": text, "content": {"application/json": refused}}
                for status, text in _REFUSALS.items()
            },
        },
    }


def _headers(described: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"description": text, "schema": _TEXT} for name, text in described.items()}


def _probe(name: str, summary: str) -> dict[str, Any]:
    answers = {"200": {"description": "Yes."}, "405": {"description": "Not this method."}}
    return {
        "operationId": name,
        "summary": summary,
        "security": [],
        "responses": answers | {"503": {"description": "No."}},
    }


def _error() -> dict[str, Any]:
    """Both dialects have `error` with a message; Anthropic's has a `type` beside it."""
    return {
        "type": "object",
        "required": ["error"],
        "properties": {
            "type": {"const": "error"},
            "error": {
                "type": "object",
                "required": ["message", "type"],
                "properties": {"message": _TEXT, "type": _TEXT, "code": {"type": ["string", "integer", "null"]}},
            },
        },
    }


if __name__ == "__main__":
    raise SystemExit(main())
