"""Outcome request: what a client says of an answer, as `POST /v1/outcomes` takes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

BODY_MAX_BYTES: Final = 64 * 1024
TEXT_MAX_COUNT: Final = 2_000
"""Characters of a note."""
NAME_MAX_COUNT: Final = 200
DEFAULT_SOURCE: Final = "feedback"
SOURCES: Final = ("feedback", "validator", "retry", "agreement", "judge", "gold", "log")
"""As in `outcomes/outcome.py`, which this half of breakeven does not import; a test compares them."""
_KNOWN: Final = frozenset({"request_id", "success", "score", "label", "note", "source", "model", "replace"})
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class GivenOutcome:
    """One outcome."""

    request_id: str
    success_fraction: float
    """0 to 1."""
    source: str = DEFAULT_SOURCE
    model: str | None = None
    """Whose answer, where one request had several."""
    label: str | None = None
    note: str | None = None
    replaces: bool = False
    """May stand in place of what the same source said before."""


@dataclass(frozen=True, slots=True)
class InvalidOutcome:
    """Why a body is no outcome."""

    message: str
    field: str | None = None


def read_outcome(body: bytes) -> GivenOutcome | InvalidOutcome:
    """The outcome in a body; never raises.

    >>> read_outcome(b'{"request_id": "r-1", "success": true}').success_fraction
    1.0
    """
    try:
        document = orjson.loads(body)
    except ValueError:
        return InvalidOutcome('the body is no JSON; wanted {"request_id": "...", "success": true}')
    if not isinstance(document, dict):
        return InvalidOutcome('the body is no JSON object; wanted {"request_id": "...", "success": true}')
    for name in document:
        if name not in _KNOWN:
            return InvalidOutcome(f"unknown field {name[:60]!r}; known: {', '.join(sorted(_KNOWN))}", name[:60])
    return _outcome(document)


def _outcome(document: Mapping[str, Any]) -> GivenOutcome | InvalidOutcome:
    request_id = _name(document.get("request_id"))
    if request_id is None:
        return InvalidOutcome(
            "request_id is missing or no short text; wanted the x-breakeven-request-id of the answer", "request_id"
        )
    success = _success(document)
    if isinstance(success, InvalidOutcome):
        return success
    source = document.get("source", DEFAULT_SOURCE)
    if source not in SOURCES:
        return InvalidOutcome(f"source is {str(source)[:60]!r}; wanted one of {', '.join(SOURCES)}", "source")
    replaces = document.get("replace", False)
    if not isinstance(replaces, bool):
        return InvalidOutcome("replace is neither true nor false", "replace")
    texts: dict[str, str | None] = {}
    for name, limit_count in (("model", NAME_MAX_COUNT), ("label", NAME_MAX_COUNT), ("note", TEXT_MAX_COUNT)):
        value = document.get(name)
        if value is not None and not (isinstance(value, str) and len(value) <= limit_count):
            return InvalidOutcome(f"{name} is no text of up to {limit_count:,} characters", name)
        texts[name] = _CONTROL.sub(" ", value) if value else None
    return GivenOutcome(request_id, success, source, texts["model"], texts["label"], texts["note"], replaces)


def _success(document: Mapping[str, Any]) -> float | InvalidOutcome:
    given = [name for name in ("success", "score") if document.get(name) is not None]
    if len(given) != 1:
        return InvalidOutcome("wanted success (true, false, or 0 to 1), or score (0 to 1), and not both", "success")
    value = document[given[0]]
    if isinstance(value, bool) and given[0] == "success":
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return InvalidOutcome(f"{given[0]} is {str(value)[:60]!r}; wanted a number from 0 to 1", given[0])
    return float(value)


def _name(value: object) -> str | None:
    if not isinstance(value, str) or not 0 < len(value) <= NAME_MAX_COUNT or _CONTROL.search(value):
        return None
    return value if value.strip() == value else None
