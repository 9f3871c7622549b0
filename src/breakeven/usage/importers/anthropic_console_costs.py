"""Anthropic Console cost CSV: the cost page's export, `claude_api_cost_*.csv`, a row per day, model, kind of token.

Amounts are dollars, not cents as in the API's report, and models go by display names such as 'Claude Opus 4.6'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.bucket_rows import BucketIds, context_size, end_of_day, in_english, start_of_day
from breakeven.usage.reading.documents import documents
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.lenient import lenient
from breakeven.usage.reading.unpacked import Unfit


def _confidence(head: Head) -> float:
    return 1.0 if head.has("usage_date_utc") and head.has("cost_usd") else 0.0


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    ids = BucketIds("anthropic-console-costs")
    for record in documents(lenient(packed.log), packed.head):
        yield record if isinstance(record, Unfit) else _row(record, packed.head, ids)


def _row(record: Mapping[str, str], head: Head, ids: BucketIds) -> Mapping[str, object]:
    day = record.get("usage_date_utc", "")
    start, end = start_of_day(day), end_of_day(day)
    what = record.get("token_type") or record.get("cost_type")
    key = (
        record.get("model"),
        record.get("workspace"),
        record.get("api_key"),
        record.get("usage_type"),
        context_size(record.get("context_window")),
        record.get("token_type"),
        record.get("cost_type"),
        record.get("inference_geo"),
        record.get("speed"),
    )
    return {
        **{name: record[name] for name in ("model", "workspace", "api_key") if name in record},
        "record_id": ids.of(start, end, *key),
        "grain": "bill",
        "usage_date_utc": start,
        "end_time": end,
        "cost_usd": in_english(record["cost_usd"], head) if "cost_usd" in record else None,
        "cost_source": "billed",
        "tokens_source": "missing",
        "token_type": what,
        "is_batch": record.get("usage_type") == "batch",
    }


IMPORTER = Importer(
    name="anthropic_console_costs",
    title="Anthropic Console costs (CSV)",
    shapes=frozenset({"csv"}),
    fields={
        "record_id": ("record_id",),
        "grain": ("grain",),
        "start_time": ("usage_date_utc",),
        "end_time": ("end_time",),
        "cost_usd": ("cost_usd",),
        "cost_source": ("cost_source",),
        "tokens_source": ("tokens_source",),
        "model_key": ("model",),
        "operation": ("token_type",),
        "is_batch": ("is_batch",),
        "application": ("workspace",),
        "api_key": ("api_key",),
    },
    wanted=(("start_time",), ("cost_usd",)),
    tokens_rule="exclusive",
    confidence=_confidence,
    constants={"provider": "anthropic"},
    holds=Holds("bill", cost=True),
    unpack=_unpack,
    concludes=(
        "Billed amounts by day, model, kind of token, key and workspace, after discounts. No calls, no tokens: it is"
        " what `breakeven reconcile` compares usage with, never usage itself."
    ),
)
