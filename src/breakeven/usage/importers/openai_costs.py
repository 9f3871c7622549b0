"""OpenAI costs API: what was billed by day, line item and project, as pages of JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.bucket_rows import (
    BucketIds,
    Counted,
    amount_of,
    key_text,
    model_of_line_item,
    not_dollars,
    results_of,
)
from breakeven.usage.reading.documents import documents, text_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.unpacked import Unfit

_PLACES: Final = ("data[].results[].", "results[].", "data[].result[].", "result[].")
_KEY: Final = ("project_id", "line_item", "api_key_id")


def _confidence(head: Head) -> float:
    has_amount = any(head.has(f"{place}amount.value") for place in _PLACES)
    return 1.0 if has_amount and head.has("data[].start_time", "start_time") else 0.0


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    ids = BucketIds("openai-costs")
    for found in results_of(documents(packed.log, packed.head)):
        yield found if isinstance(found, Unfit) else _row(found, ids)


def _row(found: Counted, ids: BucketIds) -> Mapping[str, object] | Unfit:
    bucket, result = found.bucket, found.result or {}
    amount = result.get("amount")
    if found.result is None:
        amount = {"value": 0, "currency": "usd"}
    if not isinstance(amount, dict):
        return Unfit("a cost without an amount", "", text_of(result))
    if refusal := not_dollars(amount.get("currency")):
        return Unfit(refusal.reason, refusal.value, text_of(result))
    model, item = model_of_line_item(key_text(result.get("line_item")))
    start, end = bucket.get("start_time"), bucket.get("end_time")
    return {
        "record_id": ids.of_result(found, start, end, *(result.get(name) for name in _KEY)),
        "grain": "bill",
        "start_time": start,
        "end_time": end,
        "amount": amount_of(amount.get("value")) or amount.get("value"),
        "cost_source": "billed",
        "tokens_source": "missing",
        "model": model,
        "line_item": item,
        "project_id": result.get("project_id"),
        "api_key_id": result.get("api_key_id"),
    }


IMPORTER = Importer(
    name="openai_costs",
    title="OpenAI costs API (JSON)",
    shapes=frozenset({"json", "jsonl"}),
    fields={
        "record_id": ("record_id",),
        "grain": ("grain",),
        "start_time": ("start_time",),
        "end_time": ("end_time",),
        "cost_usd": ("amount",),
        "cost_source": ("cost_source",),
        "tokens_source": ("tokens_source",),
        "model_key": ("model",),
        "operation": ("line_item",),
        "application": ("project_id",),
        "api_key": ("api_key_id",),
    },
    wanted=(("start_time",), ("cost_usd",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    constants={"provider": "openai"},
    holds=Holds("bill", cost=True),
    unpack=_unpack,
    concludes=(
        "Billed amounts by day and, where the request grouped by them, by line item and project. No calls, no tokens:"
        " it is what `breakeven reconcile` compares usage with, never usage itself."
    ),
)
