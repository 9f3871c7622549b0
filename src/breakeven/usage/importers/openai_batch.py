"""OpenAI-style batch files: the answers of a batch, one JSON object a line, joined with its requests on `custom_id`.

OpenAI, Azure, Groq, vLLM and others write it: `{"id", "custom_id", "response": {"status_code", "body"}, "error"}`. The
answers are the calls; the file of requests and the batch object beside them add prompts and the time of failures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.batch_files import BatchFiles, beside, first_second, prompt_of
from breakeven.usage.reading.documents import documents, text_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.unpacked import Unfit
from breakeven.usage.reading.values import number

NO_TIME: Final = (
    "no time: this answer names none; put the batch object (GET /v1/batches/ID, saved as JSON) beside the file"
)
_OPENAI_MODEL: Final = re.compile(r"(ft:)?(gpt-(?!oss)|o\d|chatgpt-|text-embedding-|omni-moderation)", re.IGNORECASE)
_HTTP_ERROR: Final = 400
_LIMITS: Final = ("max_completion_tokens", "max_tokens", "max_output_tokens")


def _confidence(head: Head) -> float:
    if not head.has("custom_id") or head.has("result"):
        return 0.0
    if head.has("response.body", "response.status_code"):
        return 1.0
    return 0.95 if head.has("response") and head.has("error.code", "error.message") else 0.0


def _is_companion(head: Head) -> bool:
    is_request = head.has("custom_id") and head.has("body") and head.has("url") and not head.has("response")
    is_batch = any(head.has(f"{place}input_file_id") and head.has(f"{place}endpoint") for place in ("", "data[]."))
    return is_request or is_batch


@dataclass(slots=True)
class _Times:
    """When answers were given that do not say so: when their batch began, else the file's first answer."""

    packed: Packed
    files: BatchFiles
    _known: list[object] = field(default_factory=list)

    def fallback(self) -> object:
        if not self._known:
            batch = self.files.batch_of(self.packed.log) or {}
            self._known = [batch.get("in_progress_at") or batch.get("created_at") or first_second(self.packed.log)]
        return self._known[0]


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    files = beside(packed.companions, "body")
    times = _Times(packed, files)
    for record in documents(packed.log, packed.head):
        yield record if isinstance(record, Unfit) else _row(record, files, times)


def _row(record: Mapping[str, Any], files: BatchFiles, times: _Times) -> Mapping[str, object] | Unfit:
    custom_id = record.get("custom_id")
    response = _object(record.get("response"))
    if custom_id is None or ("response" not in record and "error" not in record):
        reason = "a request, not an answer: this is the batch's input" if "body" in record else "no answer of a batch"
        return Unfit(reason, "", text_of(record))
    body = _object(response.get("body"))
    said = body.get("created") or body.get("created_at")
    time = said or times.fallback()
    if time is None:
        return Unfit(NO_TIME, str(custom_id)[:80], text_of(record))
    request = files.request(custom_id)
    model = _text(body.get("model"))
    return {
        "id": _text(body.get("id")) or _text(record.get("id")),
        "created": time,
        "tz_assumed": not said,
        "provider": _provider(record, body, model or _text(request.get("model"))),
        "model": model,
        "request_model": _text(request.get("model")),
        "operation": _operation(body),
        "is_batch": True,
        "stream": False,
        "service_tier": _text(body.get("service_tier")),
        "max_tokens": next((request[name] for name in _LIMITS if name in request), None),
        "prompt": prompt_of(request),
        **_tokens(_object(body.get("usage")), body),
        **_outcome(record, response, body),
    }


def _tokens(usage: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, object]:
    asked, given = "prompt_tokens", "completion_tokens"
    if asked not in usage:
        asked, given = "input_tokens", "output_tokens"
    asked_details, given_details = _object(usage.get(f"{asked}_details")), _object(usage.get(f"{given}_details"))
    has_no_output = asked in usage and given not in usage and body.get("object") == "list"
    return {
        "prompt_tokens": usage.get(asked),
        "cached_tokens": asked_details.get("cached_tokens"),
        "input_audio_tokens": asked_details.get("audio_tokens"),
        "completion_tokens": 0 if has_no_output else usage.get(given),
        "reasoning_tokens": given_details.get("reasoning_tokens"),
        "output_audio_tokens": given_details.get("audio_tokens"),
    }


def _outcome(record: Mapping[str, Any], response: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, object]:
    """Status and reason; an answer without a body, or with an error in it, is none."""
    error = _object(record.get("error")) or _object(body.get("error"))
    kind = _text(error.get("code")) or _text(error.get("type"))
    code = response.get("status_code")
    is_bad = bool(error) or not body or (number(code) or 0) >= _HTTP_ERROR
    is_cancelled = bool(kind) and "cancel" in str(kind)
    choices = body.get("choices")
    choice = _object(choices[0]) if isinstance(choices, list) and choices else {}
    return {
        "status": "cancelled" if is_cancelled else "error" if is_bad else "ok",
        "status_code": code,
        "error_code": kind or ("no_answer" if is_bad else None),
        "finish_reason": _text(choice.get("finish_reason")) or _text(body.get("status")),
    }


def _operation(body: Mapping[str, Any]) -> str | None:
    kinds = {"chat.completion": "chat", "response": "chat", "text_completion": "text_completion"}
    data = body.get("data")
    first = _object(data[0]) if isinstance(data, list) and data else {}
    return "embeddings" if first.get("object") == "embedding" else kinds.get(str(body.get("object")))


def _provider(record: Mapping[str, Any], body: Mapping[str, Any], model: str | None) -> str | None:
    """Who served it, where the answer gives it away; other houses write the same format."""
    if "prompt_filter_results" in body:
        return "azure.ai.openai"
    is_openai = str(record.get("id") or "").startswith("batch_req_") and _OPENAI_MODEL.match(model or "")
    return "openai" if is_openai else None


def _object(value: object) -> Mapping[str, Any]:
    """A JSON object, also when it stands in a text."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


IMPORTER = Importer(
    name="openai_batch",
    title="OpenAI-style batch output (JSONL)",
    shapes=frozenset({"jsonl", "json"}),
    fields={
        "record_id": ("id",),
        "start_time": ("created",),
        "tz_assumed": ("tz_assumed",),
        "provider": ("provider",),
        "request_model": ("request_model",),
        "response_model": ("model",),
        "operation": ("operation",),
        "prompt_tokens": ("prompt_tokens",),
        "cache_read_tokens": ("cached_tokens",),
        "audio_input_tokens": ("input_audio_tokens",),
        "output_tokens": ("completion_tokens",),
        "reasoning_tokens": ("reasoning_tokens",),
        "audio_output_tokens": ("output_audio_tokens",),
        "status": ("status",),
        "http_status": ("status_code",),
        "error_type": ("error_code",),
        "finish_reason": ("finish_reason",),
        "is_batch": ("is_batch",),
        "stream": ("stream",),
        "max_tokens": ("max_tokens",),
        "service_tier": ("service_tier",),
        "prompt_text": ("prompt",),
    },
    wanted=(("record_id",), ("prompt_tokens",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    holds=Holds("request", prompts="yes"),
    unpack=_unpack,
    is_companion=_is_companion,
    companion_note=(
        "these are the requests of a batch, or the batch object: no calls yet. Import them together with the batch's"
        " output file, and its error file, which hold the answers."
    ),
    concludes=(
        "Requests with tokens and, when the input file lies beside, prompts. A batch waits, so no latencies; no cost,"
        " no user; a failed request has the time of its batch."
    ),
)
