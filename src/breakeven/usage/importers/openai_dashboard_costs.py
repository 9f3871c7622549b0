"""OpenAI dashboard cost CSV: the usage page's export of spend, `cost_FROM_TO.csv`, one row per day and line item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.bucket_rows import BucketIds, in_english, model_of_line_item, not_dollars, times_alone
from breakeven.usage.reading.documents import documents, text_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.unpacked import Unfit

_TIMES: Final = ("start_time", "end_time", "start_time_iso", "end_time_iso")
_KEY: Final = ("line_item", "quantity_unit", "project_id", "api_key_id", "user_id", "organization_id", "api_source")
_SHOWN: Final = ("amount_value", "amount_currency", "line_item")
"""What a reject may show: names and e-mail addresses are in the other columns."""


def _confidence(head: Head) -> float:
    return 1.0 if all(head.has(name) for name in (*_TIMES[:2], "amount_value", "amount_currency")) else 0.0


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    ids = BucketIds("openai-dashboard-costs")
    for record in documents(packed.log, packed.head):
        found = times_alone(record, packed.head, _TIMES) if isinstance(record, Unfit) else record
        yield found if isinstance(found, Unfit) else _row(found, packed.head, ids)


def _row(record: Mapping[str, str], head: Head, ids: BucketIds) -> Mapping[str, object] | Unfit:
    shown = {name: record[name] for name in _SHOWN if name in record}
    amount = in_english(record["amount_value"], head) if "amount_value" in record else None
    if amount is None and shown:
        return Unfit("a cost without an amount", "", text_of(shown))
    if amount is not None and (refusal := not_dollars(record.get("amount_currency"))):
        return Unfit(refusal.reason, refusal.value, text_of(shown))
    model, item = model_of_line_item(record.get("line_item"))
    start, end = record.get("start_time"), record.get("end_time")
    return {
        "record_id": ids.of(start, end, *(record.get(name) for name in _KEY)),
        "grain": "bill",
        "start_time": start or record.get("start_time_iso"),
        "end_time": end or record.get("end_time_iso"),
        "amount_value": amount if amount is not None else 0,
        "cost_source": "billed",
        "tokens_source": "missing",
        "model": model,
        "line_item": item,
        **{name: record[name] for name in ("project_id", "user_id", "api_key_id") if name in record},
    }


IMPORTER = Importer(
    name="openai_dashboard_costs",
    title="OpenAI dashboard costs (CSV)",
    shapes=frozenset({"csv"}),
    fields={
        "record_id": ("record_id",),
        "grain": ("grain",),
        "start_time": ("start_time",),
        "end_time": ("end_time",),
        "cost_usd": ("amount_value",),
        "cost_source": ("cost_source",),
        "tokens_source": ("tokens_source",),
        "model_key": ("model",),
        "operation": ("line_item",),
        "application": ("project_id",),
        "unit": ("user_id",),
        "api_key": ("api_key_id",),
    },
    wanted=(("start_time",), ("cost_usd",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    constants={"provider": "openai"},
    holds=Holds("bill", cost=True),
    unpack=_unpack,
    concludes=(
        "Billed amounts by day, line item, project and key. No calls, no tokens: it is what `breakeven reconcile`"
        " compares usage with, never usage itself."
    ),
)
