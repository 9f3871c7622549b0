"""Anthropic Console usage CSV: the usage page's export, `claude_api_tokens_*.csv`, one row per day, model and key.

Older files lack columns. The context window is written '≤ 200k', which not every spreadsheet can save.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.bucket_rows import BucketIds, context_size, end_of_day, in_english, start_of_day
from breakeven.usage.reading.documents import documents
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.lenient import lenient
from breakeven.usage.reading.unpacked import Unfit

_COUNTS: Final = (
    "usage_input_tokens_no_cache",
    "usage_input_tokens_cache_read",
    "usage_input_tokens_cache_write_5m",
    "usage_input_tokens_cache_write_1h",
    "usage_output_tokens",
)


def _confidence(head: Head) -> float:
    return 1.0 if head.has("usage_date_utc") and head.has("usage_input_tokens_no_cache") else 0.0


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    ids = BucketIds("anthropic-console-usage")
    readable = replace(packed, log=lenient(packed.log))
    for record in documents(readable.log, readable.head):
        yield record if isinstance(record, Unfit) else _row(record, packed.head, ids)


def _row(record: Mapping[str, str], head: Head, ids: BucketIds) -> Mapping[str, object]:
    day = record.get("usage_date_utc", "")
    start, end = start_of_day(day), end_of_day(day)
    kind, speed = record.get("usage_type"), record.get("speed")
    key = (
        record.get("model_version"),
        record.get("api_key"),
        record.get("workspace"),
        kind,
        context_size(record.get("context_window")),
        record.get("inference_geo"),
        speed,
    )
    return {
        **{name: in_english(record[name], head) for name in _COUNTS if name in record},
        **{name: record[name] for name in ("model_version", "api_key", "workspace") if name in record},
        "record_id": ids.of(start, end, *key),
        "grain": "bucket",
        "usage_date_utc": start,
        "end_time": end,
        "usage_type": "fast" if speed == "fast" else kind,
        "is_batch": kind == "batch",
    }


IMPORTER = Importer(
    name="anthropic_console_usage",
    title="Anthropic Console usage (CSV)",
    shapes=frozenset({"csv"}),
    fields={
        "record_id": ("record_id",),
        "grain": ("grain",),
        "start_time": ("usage_date_utc",),
        "end_time": ("end_time",),
        "request_model": ("model_version",),
        "input_tokens": ("usage_input_tokens_no_cache",),
        "exclusive_cache_read_tokens": ("usage_input_tokens_cache_read",),
        "exclusive_cache_write_5m_tokens": ("usage_input_tokens_cache_write_5m",),
        "exclusive_cache_write_1h_tokens": ("usage_input_tokens_cache_write_1h",),
        "output_tokens": ("usage_output_tokens",),
        "service_tier": ("usage_type",),
        "is_batch": ("is_batch",),
        "application": ("workspace",),
        "api_key": ("api_key",),
    },
    wanted=(("start_time",), ("input_tokens",), ("output_tokens",)),
    tokens_rule="exclusive",
    confidence=_confidence,
    constants={"provider": "anthropic", "operation": "chat"},
    holds=Holds("bucket"),
    unpack=_unpack,
    concludes=(
        "Tokens by day, model, key and workspace. No request counts at all, no single requests, so no lengths, no"
        " prompts, no latencies and no hours of the day; no cost."
    ),
)
