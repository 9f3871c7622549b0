"""OpenRouter daily activity: the activity page's rollup CSV, or the activity API's JSON; one row per day and model.

Source: `GET /api/v1/activity` (the last 30 complete UTC days) and the CSV with the columns Date, Slug, Usage, ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.bucket_rows import (
    BucketIds,
    amount_of,
    end_of_day,
    in_english,
    shown,
    start_of_day,
    sum_of_amounts,
)
from breakeven.usage.reading.documents import documents
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.unpacked import Unfit

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "date": ("Date", "date"),
    "model": ("Slug", "model"),
    "permaslug": ("model_permaslug", "modelPermaslug"),
    "endpoint": ("endpoint_id", "endpointId"),
    "provider": ("provider_name", "providerName"),
    "workspace": ("workspace_id", "workspaceId"),
    "usage": ("Usage", "usage"),
    "byok": ("BYOK Usage", "byok_usage_inference", "byokUsageInference"),
    "requests": ("Requests", "requests"),
    "prompt_tokens": ("Prompt Tokens", "prompt_tokens", "promptTokens"),
    "completion_tokens": ("Completion Tokens", "completion_tokens", "completionTokens"),
    "reasoning_tokens": ("Reasoning Tokens", "reasoning_tokens", "reasoningTokens"),
}
_NUMBERS: Final = ("usage", "byok", "requests", "prompt_tokens", "completion_tokens", "reasoning_tokens")
_KEY: Final = ("model", "permaslug", "endpoint", "provider", "workspace")


def _confidence(head: Head) -> float:
    if head.shape == "csv":
        return 1.0 if all(head.has(name) for name in ("Slug", "BYOK Usage", "Requests", "Prompt Tokens")) else 0.0
    for place in ("data[].", ""):
        own = head.has(f"{place}byok_usage_inference", f"{place}byokUsageInference")
        if own and head.has(f"{place}requests") and head.has(f"{place}date"):
            return 1.0
    return 0.0


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    ids = BucketIds("openrouter-rollup")
    for document in documents(packed.log, packed.head):
        if isinstance(document, Unfit):
            yield document
            continue
        data = document.get("data")
        if isinstance(data, list):
            ids.restart()
        for item in data if isinstance(data, list) else [document]:
            yield _row(item, packed.head, ids) if isinstance(item, dict) else Unfit("not an item", shown(item))


def _row(item: Mapping[str, Any], head: Head, ids: BucketIds) -> Mapping[str, object]:
    by_name = {name.casefold(): value for name, value in item.items()}
    said = {ours: _first(by_name, theirs) for ours, theirs in _NAMES.items()}
    numbers = {name: in_english(value, head) if isinstance(value := said[name], str) else value for name in _NUMBERS}
    day = str(said["date"] or "")
    start, end = start_of_day(day), end_of_day(day)
    byok = amount_of(numbers["byok"]) or "0"
    return {
        "record_id": ids.of(start, end, *(said[name] for name in _KEY)),
        "grain": "bucket",
        "date": start,
        "end_time": end,
        "model": said["model"] or said["permaslug"],
        "model_permaslug": said["permaslug"],
        "model_key": said["model"] or said["permaslug"],
        "requests": numbers["requests"],
        "prompt_tokens": numbers["prompt_tokens"],
        "completion_tokens": numbers["completion_tokens"],
        "reasoning_tokens": numbers["reasoning_tokens"],
        "usage": sum_of_amounts(numbers["usage"], numbers["byok"]),
        "cost_source": "reported" if byok.strip("0.") else "billed",
        "workspace_id": said["workspace"],
    }


def _first(by_name: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((by_name[name.casefold()] for name in names if by_name.get(name.casefold()) is not None), None)


IMPORTER = Importer(
    name="openrouter_rollup",
    title="OpenRouter daily activity (CSV or JSON)",
    shapes=frozenset({"csv", "json", "jsonl"}),
    fields={
        "record_id": ("record_id",),
        "grain": ("grain",),
        "start_time": ("date",),
        "end_time": ("end_time",),
        "request_model": ("model",),
        "response_model": ("model_permaslug",),
        "model_key": ("model_key",),
        "request_count": ("requests",),
        "input_tokens": ("prompt_tokens",),
        "output_tokens": ("completion_tokens",),
        "reasoning_tokens": ("reasoning_tokens",),
        "cost_usd": ("usage",),
        "cost_source": ("cost_source",),
        "application": ("workspace_id",),
    },
    wanted=(("start_time",), ("request_count",), ("input_tokens",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    constants={"provider": "openrouter"},
    holds=Holds("bucket", cost=True),
    unpack=_unpack,
    concludes=(
        "Tokens, requests and what they cost by day and model. No single requests, so no lengths, no prompts, no"
        " latencies and no hours of the day; no cached tokens; only the last 30 days are on offer."
    ),
)
