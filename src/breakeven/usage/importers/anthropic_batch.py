"""Anthropic batch results: the answers of a message batch, one JSON object a line, joined with the batch object.

`{"custom_id", "result": {"type": "succeeded", "message": {...}}}`. No answer names a time: the batch object does
(`GET /v1/messages/batches/ID`), so it must lie beside the results.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.batch_files import BatchFiles, beside, prompt_of
from breakeven.usage.reading.documents import documents, text_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.unpacked import Unfit

NO_TIME: Final = (
    "no time: the results name none; put the batch object (GET /v1/messages/batches/ID, saved as JSON) beside the file"
)
_STATUS: Final = {"succeeded": "ok", "errored": "error", "expired": "error", "canceled": "cancelled"}
_COUNTS: Final = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
_LIFETIMES: Final = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def _confidence(head: Head) -> float:
    return 1.0 if head.has("custom_id") and head.has("result.type") else 0.0


def _is_companion(head: Head) -> bool:
    is_request = any(
        head.has(f"{place}custom_id") and head.has(f"{place}params.model") for place in ("", "requests[].")
    )
    is_batch = any(head.has(f"{place}results_url") for place in ("", "data[]."))
    return (is_request or is_batch) and not head.has("result")


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    files = beside(packed.companions, "params")
    batch = files.batch_of(packed.log) or {}
    for record in documents(packed.log, packed.head):
        yield record if isinstance(record, Unfit) else _row(record, files, batch)


def _row(record: Mapping[str, Any], files: BatchFiles, batch: Mapping[str, Any]) -> Mapping[str, object] | Unfit:
    custom_id, result = record.get("custom_id"), _object(record.get("result"))
    kind = result.get("type")
    if custom_id is None or not isinstance(kind, str):
        return Unfit("no answer of a batch", "", text_of(record))
    if not batch.get("created_at"):
        return Unfit(NO_TIME, str(custom_id)[:80], text_of(record))
    message, request = _object(result.get("message")), files.request(custom_id)
    usage = _object(message.get("usage"))
    written = _object(usage.get("cache_creation"))
    error = _object(_object(result.get("error")).get("error")) or _object(result.get("error"))
    status = _STATUS.get(kind, "error")
    return {
        "id": message.get("id") or _id_of(batch.get("id"), custom_id),
        "created_at": batch["created_at"],
        "model": message.get("model"),
        "request_model": request.get("model"),
        **{name: usage[name] for name in _COUNTS if usage.get(name) is not None},
        **{name: written[name] for name in _LIFETIMES if written.get(name) is not None},
        "service_tier": usage.get("service_tier"),
        "is_batch": True,
        "stream": False,
        "status": status,
        "error_type": None if status == "ok" else error.get("type") or kind,
        "stop_reason": message.get("stop_reason"),
        "max_tokens": request.get("max_tokens"),
        "prompt": prompt_of(request),
    }


def _id_of(batch_id: object, custom_id: object) -> str:
    whole = f"{batch_id}\x1f{custom_id}".encode("utf-8", "replace")
    return f"anthropic-batch-{hashlib.blake2b(whole, digest_size=16).hexdigest()}"


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


IMPORTER = Importer(
    name="anthropic_batch",
    title="Anthropic batch results (JSONL)",
    shapes=frozenset({"jsonl", "json"}),
    fields={
        "record_id": ("id",),
        "start_time": ("created_at",),
        "request_model": ("request_model",),
        "response_model": ("model",),
        "input_tokens": ("input_tokens",),
        "exclusive_cache_read_tokens": ("cache_read_input_tokens",),
        "exclusive_cache_write_tokens": ("cache_creation_input_tokens",),
        "exclusive_cache_write_5m_tokens": ("ephemeral_5m_input_tokens",),
        "exclusive_cache_write_1h_tokens": ("ephemeral_1h_input_tokens",),
        "output_tokens": ("output_tokens",),
        "status": ("status",),
        "error_type": ("error_type",),
        "finish_reason": ("stop_reason",),
        "is_batch": ("is_batch",),
        "stream": ("stream",),
        "max_tokens": ("max_tokens",),
        "service_tier": ("service_tier",),
        "prompt_text": ("prompt",),
    },
    wanted=(("record_id",), ("input_tokens",)),
    tokens_rule="exclusive",
    confidence=_confidence,
    constants={"provider": "anthropic", "operation": "chat"},
    holds=Holds("request", prompts="yes"),
    unpack=_unpack,
    is_companion=_is_companion,
    companion_note=(
        "this is a message batch, or its requests: no calls yet. Import it together with the batch's results."
    ),
    concludes=(
        "Requests with tokens and, when the requests lie beside, prompts. All have the time at which their batch was"
        " made, so no hours of the day; a batch waits, so no latencies; no cost, no user."
    ),
)
