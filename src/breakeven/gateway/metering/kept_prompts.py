"""Kept prompts: what a Call line holds of a prompt where the configuration says that prompts are kept.

Redaction happens here, before anything is written: e-mail addresses, links, keys, IP addresses and passwords are left
out of every text. Data that is no text (images, audio, files) is never kept. Long texts are cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import orjson

from breakeven.gateway.plan import RequestFacts
from breakeven.usage.redact import without_private_spans, without_secrets

PROMPT_FIELDS: Final = ("prompt_text", "system_text", "tools_text", "schema_text")
"""Names by which `breakeven import` knows them."""
_FIELDS: Final[Mapping[str, str]] = {
    "messages": "prompt_text",
    "prompt": "prompt_text",
    "input": "prompt_text",
    "system": "system_text",
    "instructions": "system_text",
    "tools": "tools_text",
    "response_format": "schema_text",
}
TEXT_MAX_CHARACTERS_COUNT: Final = 32_768
"""Of one text; the rest is cut off."""
KEPT_MAX_BYTES: Final = 256 * 1024
"""Of one request; nothing is kept of a larger one."""
_DEPTH_MAX_COUNT: Final = 32
CUT_MARK: Final = "<cut>"
DATA_MARK: Final = "<data>"


def with_prompt(line: bytes, facts: RequestFacts, kept: Literal["none", "redacted", "full"]) -> bytes:
    """A Call line with the prompt in it, as far as prompts are kept."""
    if kept == "none":
        return line
    document = facts.document
    told = {
        name: kept_text(document[field], kept == "redacted") for field, name in _FIELDS.items() if field in document
    }
    try:
        words = orjson.dumps(told)
    except TypeError:
        return line
    if len(words) <= 2 or len(words) > KEPT_MAX_BYTES:
        return line
    return line[:-2] + b"," + words[1:] + b"\n"


def kept_text(value: Any, is_redacted: bool) -> Any:
    """A text, or all texts inside a value, as they are kept."""
    return _plain(value, is_redacted, 0)


def _plain(value: Any, is_redacted: bool, depth: int) -> Any:
    if isinstance(value, str):
        return _text(value, is_redacted)
    if depth >= _DEPTH_MAX_COUNT:
        return CUT_MARK
    if isinstance(value, list):
        return [_plain(each, is_redacted, depth + 1) for each in value]
    if isinstance(value, dict):
        is_data = value.get("type") in ("base64", "input_audio")
        return {
            name: DATA_MARK if is_data and name in ("data", "input_audio") else _plain(each, is_redacted, depth + 1)
            for name, each in value.items()
        }
    return value


def _text(text: str, is_redacted: bool) -> str:
    if text.startswith("data:") and len(text) > 64:
        return DATA_MARK
    if len(text) > TEXT_MAX_CHARACTERS_COUNT:
        text = text[:TEXT_MAX_CHARACTERS_COUNT] + CUT_MARK
    return without_secrets(without_private_spans(text)) if is_redacted else text
