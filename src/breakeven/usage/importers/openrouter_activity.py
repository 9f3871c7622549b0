"""OpenRouter activity CSV: the activity page's export, one row per generation, with what it cost.

`created_at` has no zone. The second at which a generation began stands in its id (`gen-1782618417-...`), which tells
the zone of the export, so its times become exact UTC times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.bucket_rows import in_english, sum_of_amounts
from breakeven.usage.reading.documents import documents
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.unpacked import Unfit

_ID_SECOND: Final = re.compile(r"gen-(?:[a-z]+-)?(\d{10})-")
_ZONE_STEP: Final = timedelta(minutes=15)
_ZONE_MAX: Final = timedelta(hours=14)
_DELAY_MAX: Final = timedelta(minutes=2)
"""Between the second in the id and `created_at`."""
_NUMBERS: Final = (
    "tokens_prompt",
    "tokens_completion",
    "tokens_reasoning",
    "tokens_cached",
    "generation_time_ms",
    "time_to_first_token_ms",
)
_TEXTS: Final = ("generation_id", "streamed", "user", "finish_reason_normalized", "api_key_name", "app_name")
_PLAIN_VARIANTS: Final = frozenset({"", "standard"})


def _confidence(head: Head) -> float:
    return 1.0 if all(head.has(name) for name in ("generation_id", "model_permaslug", "tokens_prompt")) else 0.0


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    for record in documents(packed.log, packed.head):
        yield record if isinstance(record, Unfit) else _row(record, packed.head)


def _row(record: Mapping[str, str], head: Head) -> Mapping[str, object]:
    paid, own_key = (in_english(record.get(name, ""), head) for name in ("cost_total", "byok_usage_inference"))
    return {
        **{name: in_english(record[name], head) for name in _NUMBERS if name in record},
        **{name: record[name] for name in _TEXTS if name in record},
        "created_at": _moment(record.get("generation_id", ""), record.get("created_at", "")),
        "model": _slug(record.get("model_permaslug", ""), record.get("variant", "")),
        "status": _status(record),
        "cost_usd": sum_of_amounts(paid, own_key),
        "cost_source": "reported" if own_key.strip("0.") else "billed",
    }


def _moment(generation_id: str, created_at: str) -> str:
    """When the generation was made, with its zone where the id gives it away."""
    found = _ID_SECOND.match(generation_id)
    if found is None:
        return created_at
    second = datetime.fromtimestamp(int(found.group(1)), UTC)
    try:
        written = datetime.fromisoformat(created_at)
    except ValueError:
        return created_at or second.isoformat()
    if written.tzinfo is not None:
        return created_at
    ahead = written.replace(tzinfo=UTC) - second
    zone = round(ahead / _ZONE_STEP) * _ZONE_STEP
    fits = abs(zone) <= _ZONE_MAX and abs(ahead - zone) <= _DELAY_MAX
    return (second + (ahead - zone) if fits else second).isoformat()


def _slug(slug: str, variant: str) -> str:
    """The model with its variant, which is part of the price (`:free`)."""
    return slug if variant in _PLAIN_VARIANTS or ":" in slug or not slug else f"{slug}:{variant}"


def _status(record: Mapping[str, str]) -> str:
    if record.get("cancelled", "").lower() == "true":
        return "cancelled"
    return "error" if record.get("finish_reason_normalized", "").lower() == "error" else "ok"


IMPORTER = Importer(
    name="openrouter_activity",
    title="OpenRouter activity (CSV)",
    shapes=frozenset({"csv"}),
    fields={
        "record_id": ("generation_id",),
        "start_time": ("created_at",),
        "request_model": ("model",),
        "input_tokens": ("tokens_prompt",),
        "cache_read_tokens": ("tokens_cached",),
        "output_tokens": ("tokens_completion",),
        "reasoning_tokens": ("tokens_reasoning",),
        "cost_usd": ("cost_usd",),
        "cost_source": ("cost_source",),
        "duration_ms": ("generation_time_ms",),
        "ttft_ms": ("time_to_first_token_ms",),
        "status": ("status",),
        "finish_reason": ("finish_reason_normalized",),
        "stream": ("streamed",),
        "application": ("app_name",),
        "unit": ("user",),
        "api_key": ("api_key_name",),
    },
    wanted=(("record_id",), ("input_tokens",), ("output_tokens",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    constants={"provider": "openrouter"},
    holds=Holds("request", latency=True, first_token=True, cost=True),
    unpack=_unpack,
    concludes=(
        "Requests with tokens, times and what they cost. No prompts and no outcome; failed requests that made no"
        " generation are not in it; retries at another provider are hidden inside one generation."
    ),
)
