"""Vertex AI request-response logging: the BigQuery table as JSON, CSV or Parquet; one row is one request of a sample.

Source: docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/request-response-logging. Gemini's prompt tokens
contain cached ones; thoughts stand beside the candidates and are output. Claude's counts on Vertex are Anthropic's own.
Which share of the requests was logged is set in the logging configuration and is not in the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.documents import documents, text_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.nested import first_of, object_in, objects_in, parsed, scalar, text_in
from breakeven.usage.reading.unpacked import Unfit

_LATENCY_MS_MAX: Final = 1e9
_USAGE: Final = ("usageMetadata", "usage_metadata")
_PROMPT: Final = ("promptTokenCount", "prompt_token_count")
_TOOL_PROMPT: Final = ("toolUsePromptTokenCount", "tool_use_prompt_token_count")
_CACHED: Final = ("cachedContentTokenCount", "cached_content_token_count")
_CANDIDATES: Final = ("candidatesTokenCount", "candidates_token_count")
_THOUGHTS: Final = ("thoughtsTokenCount", "thoughts_token_count")
_PROMPT_PARTS: Final = ("promptTokensDetails", "prompt_tokens_details")
_CANDIDATE_PARTS: Final = ("candidatesTokensDetails", "candidates_tokens_details")


def _confidence(head: Head) -> float:
    if not head.has("logging_time"):
        return 0.0
    has_bodies = head.has("full_response", "full_request")
    return 1.0 if has_bodies else 0.8 if head.has("response_payload", "request_payload") else 0.0


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    for found in documents(packed.log, packed.head):
        yield found if isinstance(found, Unfit) else _call(found)


def _call(row: dict[str, Any]) -> Mapping[str, object] | Unfit:
    answers = objects_in(_whole(row, "full_response", "response_payload"))
    usage = next((object_in(each[key]) for each in reversed(answers) for key in _USAGE if each.get(key)), None)
    asked = object_in(_whole(row, "full_request", "request_payload"))
    metadata = object_in(row.get("metadata"))
    error = next((object_in(each["error"]) for each in answers if each.get("error")), object_in(row.get("error")))
    last = answers[-1] if answers else {}
    if not answers and not asked:
        return Unfit("neither a request nor a response: not a logged call", raw=text_of(row))
    model = str(first_of(row, "model") or asked.get("model") or "") or None
    labels = object_in(asked.get("labels"))
    return {
        "record_id": scalar(row.get("request_id")),
        **_times(row, last, metadata),
        "operation": _operation(str(row.get("api_method") or "")),
        "endpoint": scalar(row.get("api_method")),
        "stream": "stream" in str(row.get("api_method") or "").lower(),
        "request_model": model,
        "response_model": scalar(first_of(last, "modelVersion", "model_version", "model")),
        "model_key": model.rpartition("/")[2] if model else None,
        **(_gemini_tokens(usage) if usage is not None else _claude_tokens(answers)),
        "finish_reason": _finish(answers),
        "max_tokens": _limit(asked),
        "error_type": scalar(first_of(error, "status", "code", "type")),
        "application": scalar(first_of(labels, "application", "app", "adk_agent_name", "service")),
        "task": scalar(first_of(labels, "task", "use_case")),
        "unit": scalar(first_of(labels, "user", "user_id", "principal_email")),
        "service_tier": _tier(usage or {}),
        "prompt_text": text_in(asked) if asked else None,
        "sampling_rate": scalar(first_of(row, "sampling_rate", "samplingRate")),
    }


def _whole(row: Mapping[str, Any], full: str, payload: str) -> Any:
    """The body in its JSON column; else in the list of texts that it was cut into."""
    found = parsed(row.get(full))
    if found:
        return found
    pieces = parsed(row.get(payload))
    if isinstance(pieces, list) and all(isinstance(each, str) for each in pieces):
        return parsed("".join(pieces))
    return pieces


def _times(row: Mapping[str, Any], answer: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, object]:
    """A row is logged when the answer is there: the request began when it says so, or a latency earlier."""
    logged, latency_ms = scalar(row.get("logging_time")), scalar(first_of(metadata, "request_latency"))
    created = scalar(first_of(answer, "createTime", "create_time"))
    start = _moment(created) or _earlier(_moment(logged), _number(latency_ms))
    return {"start_time": start.isoformat() if start else created or logged, "duration_ms": latency_ms}


def _moment(time: Any) -> datetime | None:
    """BigQuery's times are UTC, written as ``2026-11-02 10:00:00.5 UTC``, with a Z, or with nothing."""
    try:
        found = datetime.fromisoformat(time.strip().removesuffix(" UTC")) if isinstance(time, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _earlier(end: datetime | None, duration_ms: float | None) -> datetime | None:
    if end is None or duration_ms is None or not 0 <= duration_ms <= _LATENCY_MS_MAX:
        return end
    return end - timedelta(milliseconds=duration_ms) if end.year > 1970 else end


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _gemini_tokens(usage: Mapping[str, Any]) -> dict[str, object]:
    thoughts = first_of(usage, *_THOUGHTS)
    total = _number(first_of(usage, "totalTokenCount", "total_token_count"))
    prompt, output = first_of(usage, *_PROMPT), first_of(usage, *_CANDIDATES)
    if output is None and thoughts is None and total is not None and total == _number(prompt):
        output = 0
    parts = objects_in(first_of(usage, *_PROMPT_PARTS))
    return {
        "input_tokens": _sum(prompt, first_of(usage, *_TOOL_PROMPT)),
        "cache_read_tokens": scalar(first_of(usage, *_CACHED)),
        "output_tokens": _sum(output, thoughts),
        "reasoning_tokens": scalar(thoughts),
        "audio_input_tokens": _of_kind(parts, "AUDIO"),
        "image_input_tokens": _of_kind(parts, "IMAGE"),
        "audio_output_tokens": _of_kind(objects_in(first_of(usage, *_CANDIDATE_PARTS)), "AUDIO"),
    }


def _claude_tokens(answers: list[Mapping[str, Any]]) -> dict[str, object]:
    """Anthropic's counts; a stream begins with the input's and ends with the output's."""
    usages = [object_in(each.get("usage")) for each in answers]
    usages += [object_in(object_in(each.get("message")).get("usage")) for each in answers]

    def told(name: str) -> Any:
        found = [each[name] for each in usages if each.get(name) is not None]
        return max(found, key=lambda each: _number(each) or 0.0) if found else None

    reads, writes = told("cache_read_input_tokens"), told("cache_creation_input_tokens")
    hour = next((object_in(each["cache_creation"]) for each in usages if each.get("cache_creation")), {})
    return {
        "input_tokens": _sum(told("input_tokens"), reads, writes),
        "cache_read_tokens": scalar(reads),
        "cache_write_tokens": scalar(writes),
        "cache_write_1h_tokens": scalar(hour.get("ephemeral_1h_input_tokens")),
        "output_tokens": scalar(told("output_tokens")),
    }


def _sum(first: Any, *more: Any) -> object:
    """The counts together; the first as it is when one of them is no number, so that the row is judged by it."""
    if first is None and all(each is None for each in more):
        return None
    numbers = [_number(each) for each in (first, *more) if each is not None]
    if any(each is None for each in numbers):
        return next(text_in(each) for each in (first, *more) if each is not None and _number(each) is None)
    return sum(each for each in numbers if each is not None)


def _of_kind(parts: list[Mapping[str, Any]], modality: str) -> object:
    found = [first_of(each, "tokenCount", "token_count") for each in parts if each.get("modality") == modality]
    return _sum(found[0], *found[1:]) if found else None


def _finish(answers: list[Mapping[str, Any]]) -> object:
    ended = [
        first_of(each, "finishReason", "finish_reason", "stop_reason")
        for answer in answers
        for each in (*objects_in(answer.get("candidates")), answer, object_in(answer.get("delta")))
    ]
    found = [each for each in ended if each is not None]
    return scalar(found[-1]) if found else None


def _limit(asked: Mapping[str, Any]) -> object:
    config = object_in(first_of(asked, "generationConfig", "generation_config"))
    return scalar(first_of(config, "maxOutputTokens", "max_output_tokens") or asked.get("max_tokens"))


def _operation(method: str) -> str:
    return "embeddings" if "embed" in method.lower() else "chat"


def _tier(usage: Mapping[str, Any]) -> str | None:
    """Provisioned throughput is paid by the hour, not by the token."""
    kind = str(first_of(usage, "trafficType", "traffic_type") or "")
    return "provisioned" if kind.startswith("PROVISIONED") else None


_FIELDS: Final = (
    *("record_id", "start_time", "duration_ms", "operation", "endpoint", "stream", "request_model", "response_model"),
    *("model_key", "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "output_tokens"),
    *("reasoning_tokens", "audio_input_tokens", "image_input_tokens", "audio_output_tokens", "finish_reason"),
    *("max_tokens", "error_type", "application", "task", "unit", "service_tier", "prompt_text", "sampling_rate"),
)

IMPORTER = Importer(
    name="vertex",
    title="Vertex AI request-response log (BigQuery)",
    shapes=frozenset({"jsonl", "json", "csv", "parquet"}),
    fields={name: (name,) for name in _FIELDS},
    wanted=(("start_time",), ("input_tokens",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    constants={"provider": "gcp.vertex_ai"},
    holds=Holds("request", prompts="yes", latency=True),
    concludes="A sample of requests with tokens, model, prompts and latency. Without its rate (--sampling-rate) counts "
    "and spend are a lower bound; no cost; no time to the first token.",
    unpack=_unpack,
    is_sample=True,
)
