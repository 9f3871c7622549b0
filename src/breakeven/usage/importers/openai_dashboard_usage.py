"""OpenAI dashboard usage CSV: the usage page's export, `completions_usage_FROM_TO.csv`, one row per bucket and group.

Counts may be written as '3.0'. A bucket in which nothing happened is a row of its four times alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.bucket_rows import BucketIds, in_english, times_alone, with_parts
from breakeven.usage.reading.documents import documents, text_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.unpacked import Unfit

_TIMES: Final = ("start_time", "end_time", "start_time_iso", "end_time_iso")
_KEY: Final = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source")
_COUNTS: Final = (
    "num_model_requests",
    "input_tokens",
    "input_cached_tokens",
    "input_cache_write_tokens",
    "input_audio_tokens",
    "input_image_tokens",
    "output_tokens",
    "output_audio_tokens",
)
_NO_TOKENS: Final = "this row counts no tokens"


def _confidence(head: Head) -> float:
    if not all(head.has(name) for name in _TIMES) or head.has("amount_value"):
        return 0.0
    return 1.0 if head.has("num_model_requests") or len(head.names) == len(_TIMES) else 0.95


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    ids = BucketIds("openai-dashboard-usage")
    for record in documents(packed.log, packed.head):
        found = times_alone(record, packed.head, _TIMES) if isinstance(record, Unfit) else record
        yield found if isinstance(found, Unfit) else _row(found, packed.head, ids)


def _row(record: Mapping[str, str], head: Head, ids: BucketIds) -> Mapping[str, object] | Unfit:
    start, end = record.get("start_time"), record.get("end_time")
    said = {name: record[name] for name in _KEY if name in record}
    row = {
        **said,
        "record_id": ids.of(start, end, *(record.get(name) for name in _KEY)),
        "grain": "bucket",
        "start_time": start or record.get("start_time_iso"),
        "end_time": end or record.get("end_time_iso"),
    }
    counts: dict[str, object] = {name: in_english(record[name], head) for name in _COUNTS if name in record}
    if not counts and not said:
        if set(record) - set(_TIMES):
            return Unfit(_NO_TOKENS, "", text_of(dict(record)))
        return {**row, "num_model_requests": 0, "input_tokens": 0, "output_tokens": 0}
    if "input_tokens" not in counts and not head.has("input_tokens"):
        return Unfit(_NO_TOKENS, "", text_of(dict(record)))
    if not head.has("output_tokens"):
        is_moderation = "moderation" in record.get("model", "")
        return {**row, **counts, "operation": "moderations" if is_moderation else "embeddings", "output_tokens": 0}
    return {**row, **_whole(counts), "operation": "chat"}


def _whole(counts: dict[str, object]) -> dict[str, object]:
    for side, parts in (("input", ("audio", "image")), ("output", ("audio",))):
        if f"{side}_tokens" in counts:
            beside = [counts.get(f"{side}_{part}_tokens") for part in parts]
            counts = {**counts, f"{side}_tokens": with_parts(counts[f"{side}_tokens"], beside)}
    return counts


IMPORTER = Importer(
    name="openai_dashboard_usage",
    title="OpenAI dashboard usage (CSV)",
    shapes=frozenset({"csv"}),
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
        "Tokens and request counts in buckets, by project, key, user and model where the export grouped by them. No"
        " single requests, so no lengths, no prompts, no latencies; no reasoning tokens; no cost."
    ),
)
