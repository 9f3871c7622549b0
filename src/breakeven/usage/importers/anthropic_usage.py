"""Anthropic usage report: tokens in buckets of a minute, an hour or a day, as pages of JSON from the Admin API.

Source: `/v1/organizations/usage_report/messages`. Cache reads and writes are counted beside the uncached input.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.bucket_rows import BucketIds, Counted, results_of
from breakeven.usage.reading.documents import documents, text_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.unpacked import Unfit

_PLACES: Final = ("data[].results[].", "results[].")
_KEY: Final = (
    "api_key_id",
    "workspace_id",
    "account_id",
    "service_account_id",
    "model",
    "service_tier",
    "context_window",
    "inference_geo",
    "speed",
)
_LIFETIMES: Final = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
_COPIED: Final = (
    "uncached_input_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "output_tokens",
    "model",
    "workspace_id",
    "api_key_id",
)


def _confidence(head: Head) -> float:
    starts = head.has("data[].starting_at", "starting_at")
    if any(head.has(f"{place}uncached_input_tokens") for place in _PLACES):
        return 1.0 if starts else 0.0
    holds_results = any(name.startswith(place) for name in head.names for place in _PLACES)
    is_page_of_nothing = head.has("data[].results") and head.has("has_more") and starts
    return 0.95 if is_page_of_nothing and not holds_results else 0.0


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    ids = BucketIds("anthropic-usage")
    for found in results_of(documents(packed.log, packed.head)):
        yield found if isinstance(found, Unfit) else _row(found, ids)


def _row(found: Counted, ids: BucketIds) -> Mapping[str, object] | Unfit:
    start, end = found.bucket.get("starting_at"), found.bucket.get("ending_at")
    span = {"starting_at": start, "ending_at": end, "grain": "bucket"}
    result = found.result
    if result is None:
        nothing = {"request_count": 0, "uncached_input_tokens": 0, "output_tokens": 0}
        return {**span, **nothing, "record_id": ids.of_result(found, start, end)}
    if "uncached_input_tokens" not in result and "output_tokens" not in result:
        return Unfit("this result counts no tokens", "", text_of(result))
    written = result.get("cache_creation")
    tier = result.get("service_tier")
    return {
        **span,
        **{name: result[name] for name in _COPIED if result.get(name) is not None},
        **{name: written[name] for name in _LIFETIMES if isinstance(written, dict) and name in written},
        "record_id": ids.of_result(found, start, end, *(result.get(name) for name in _KEY)),
        "service_tier": "fast" if result.get("speed") == "fast" else tier,
        "is_batch": tier == "batch",
        "account_id": result.get("account_id") or result.get("service_account_id"),
    }


IMPORTER = Importer(
    name="anthropic_usage",
    title="Anthropic usage report (JSON)",
    shapes=frozenset({"json", "jsonl"}),
    fields={
        "record_id": ("record_id",),
        "grain": ("grain",),
        "start_time": ("starting_at",),
        "end_time": ("ending_at",),
        "request_count": ("request_count",),
        "request_model": ("model",),
        "input_tokens": ("uncached_input_tokens",),
        "exclusive_cache_read_tokens": ("cache_read_input_tokens",),
        "exclusive_cache_write_tokens": ("cache_creation_input_tokens",),
        "exclusive_cache_write_5m_tokens": ("ephemeral_5m_input_tokens",),
        "exclusive_cache_write_1h_tokens": ("ephemeral_1h_input_tokens",),
        "output_tokens": ("output_tokens",),
        "service_tier": ("service_tier",),
        "is_batch": ("is_batch",),
        "application": ("workspace_id",),
        "unit": ("account_id",),
        "api_key": ("api_key_id",),
    },
    wanted=(("start_time",), ("input_tokens",), ("output_tokens",)),
    tokens_rule="exclusive",
    confidence=_confidence,
    constants={"provider": "anthropic", "operation": "chat"},
    holds=Holds("bucket"),
    unpack=_unpack,
    concludes=(
        "Tokens in buckets, by model, workspace, key and tier where the request grouped by them. No request counts at"
        " all, no single requests, so no lengths, no prompts, no latencies; no cost."
    ),
)
