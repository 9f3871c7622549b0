"""OpenAI usage API: tokens and requests in buckets of a minute, an hour or a day, as pages of JSON.

Source: the organization usage endpoints, `/v1/organization/usage/completions`, `/embeddings`, `/moderations`. Keys,
users, projects, models, batch and tier are only told apart when the request grouped by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.bucket_rows import BucketIds, Counted, results_of, with_parts
from breakeven.usage.reading.documents import documents, text_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.unpacked import Unfit

_PLACES: Final = ("data[].results[].", "results[].", "data[].result[].", "result[].")
_KEY: Final = ("object", "project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source")
_COPIED: Final = (
    "num_model_requests",
    "input_cached_tokens",
    "input_cache_write_tokens",
    "input_audio_tokens",
    "input_image_tokens",
    "output_audio_tokens",
    "project_id",
    "user_id",
    "api_key_id",
    "model",
    "batch",
    "service_tier",
)
_OPERATIONS: Final = {"completions": "chat", "embeddings": "embeddings", "moderations": "moderations"}


def _confidence(head: Head) -> float:
    starts = head.has("data[].start_time") or head.has("start_time")
    if any(head.has(f"{place}num_model_requests") for place in _PLACES):
        return 1.0 if starts else 0.0
    holds_results = any(name.startswith(place) for name in head.names for place in _PLACES)
    is_page_of_nothing = head.has("data[].results") and head.has("has_more") and starts
    return 0.95 if is_page_of_nothing and not holds_results else 0.0


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    ids = BucketIds("openai-usage")
    for found in results_of(documents(packed.log, packed.head)):
        yield found if isinstance(found, Unfit) else _row(found, ids)


def _row(found: Counted, ids: BucketIds) -> Mapping[str, object] | Unfit:
    bucket, result = found.bucket, found.result
    span = {"start_time": bucket.get("start_time"), "end_time": bucket.get("end_time"), "grain": "bucket"}
    result_key = [result.get(name) for name in _KEY] if result else []
    row_id = ids.of_result(found, span["start_time"], span["end_time"], *result_key)
    if result is None:
        nothing = {"num_model_requests": 0, "input_tokens": 0, "output_tokens": 0}
        return {**span, **nothing, "record_id": row_id}
    kind = str(result.get("object") or "completions").removeprefix("organization.usage.").removesuffix(".result")
    operation = _OPERATIONS.get(kind)
    if operation is None:
        return Unfit("this result counts no tokens", kind, text_of(result))
    return {
        **span,
        **{name: result[name] for name in _COPIED if result.get(name) is not None},
        "record_id": row_id,
        "operation": operation,
        "input_tokens": _side(result, "input", ("audio", "image")),
        "output_tokens": _side(result, "output", ("audio",)) if kind == "completions" else 0,
    }


def _side(result: Mapping[str, Any], side: str, parts: tuple[str, ...]) -> object:
    return with_parts(result.get(f"{side}_tokens"), [result.get(f"{side}_{part}_tokens") for part in parts])


IMPORTER = Importer(
    name="openai_usage",
    title="OpenAI usage API (JSON)",
    shapes=frozenset({"json", "jsonl"}),
    fields={
        "record_id": ("record_id",),
        "grain": ("grain",),
        "start_time": ("start_time",),
        "end_time": ("end_time",),
        "request_count": ("num_model_requests",),
        "operation": ("operation",),
        "request_model": ("model",),
        "input_tokens": ("input_tokens",),
        "cache_read_tokens": ("input_cached_tokens",),
        "cache_write_tokens": ("input_cache_write_tokens",),
        "output_tokens": ("output_tokens",),
        "audio_input_tokens": ("input_audio_tokens",),
        "image_input_tokens": ("input_image_tokens",),
        "audio_output_tokens": ("output_audio_tokens",),
        "is_batch": ("batch",),
        "service_tier": ("service_tier",),
        "application": ("project_id",),
        "unit": ("user_id",),
        "api_key": ("api_key_id",),
    },
    wanted=(("start_time",), ("request_count",), ("input_tokens",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    constants={"provider": "openai"},
    holds=Holds("bucket"),
    unpack=_unpack,
    concludes=(
        "Tokens and request counts in buckets, by what the request grouped by. No single requests, so no lengths, no"
        " prompts, no latencies and no peaks inside a bucket; no reasoning tokens; no cost."
    ),
)
