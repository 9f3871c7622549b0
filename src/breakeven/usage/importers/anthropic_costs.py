"""Anthropic cost report: what was billed by day, as pages of JSON from the Admin API.

Source: `/v1/organizations/cost_report`. An amount is a decimal number **of cents** in a text: "123.78912" is $1.24.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.bucket_rows import BucketIds, Counted, amount_of, key_text, not_dollars, results_of
from breakeven.usage.reading.documents import documents, text_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.unpacked import Unfit

CENTS_PER_USD: Final = 100
_PLACES: Final = ("data[].results[].", "results[].")
_KEY: Final = (
    "workspace_id",
    "description",
    "cost_type",
    "token_type",
    "model",
    "service_tier",
    "context_window",
    "inference_geo",
    "speed",
)


def _confidence(head: Head) -> float:
    has_amount = any(head.has(f"{place}amount") for place in _PLACES)
    return 1.0 if has_amount and head.has("data[].starting_at", "starting_at") else 0.0


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    ids = BucketIds("anthropic-costs")
    for found in results_of(documents(packed.log, packed.head)):
        yield found if isinstance(found, Unfit) else _row(found, ids)


def _row(found: Counted, ids: BucketIds) -> Mapping[str, object] | Unfit:
    result = found.result if found.result is not None else {"amount": "0", "currency": "USD"}
    if refusal := not_dollars(result.get("currency")):
        return Unfit(refusal.reason, refusal.value, text_of(result))
    amount = amount_of(result.get("amount"), CENTS_PER_USD)
    if amount is None:
        return Unfit("the amount is not a number of cents", key_text(result.get("amount")), text_of(result))
    start, end = found.bucket.get("starting_at"), found.bucket.get("ending_at")
    tier = result.get("service_tier")
    what = result.get("token_type") or result.get("cost_type") or result.get("description")
    return {
        "record_id": ids.of_result(found, start, end, *(result.get(name) for name in _KEY)),
        "grain": "bill",
        "starting_at": start,
        "ending_at": end,
        "cost_usd": amount,
        "cost_source": "billed",
        "tokens_source": "missing",
        "model": result.get("model"),
        "token_type": what,
        "service_tier": tier,
        "is_batch": tier == "batch",
        "workspace_id": result.get("workspace_id"),
    }


IMPORTER = Importer(
    name="anthropic_costs",
    title="Anthropic cost report (JSON)",
    shapes=frozenset({"json", "jsonl"}),
    fields={
        "record_id": ("record_id",),
        "grain": ("grain",),
        "start_time": ("starting_at",),
        "end_time": ("ending_at",),
        "cost_usd": ("cost_usd",),
        "cost_source": ("cost_source",),
        "tokens_source": ("tokens_source",),
        "model_key": ("model",),
        "operation": ("token_type",),
        "service_tier": ("service_tier",),
        "is_batch": ("is_batch",),
        "application": ("workspace_id",),
    },
    wanted=(("start_time",), ("cost_usd",)),
    tokens_rule="exclusive",
    confidence=_confidence,
    constants={"provider": "anthropic"},
    holds=Holds("bill", cost=True),
    unpack=_unpack,
    concludes=(
        "Billed amounts by day, by model, kind of token and workspace where the request grouped by description. No"
        " calls, no tokens, and nothing of the priority tier: it is what `breakeven reconcile` compares usage with."
    ),
)
