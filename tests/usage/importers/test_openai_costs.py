"""OpenAI costs API: dollars as numbers and texts, line items, other currencies."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from breakeven.usage.store import CallStore

from ..logs import NOW, Imported, imported, imported_paths, write

DAY = 1_793_577_600


def cost(value: object = 0.06, currency: object = "usd", **fields: Any) -> dict[str, Any]:
    amount = {"value": value, "currency": currency}
    return {"object": "organization.costs.result", "amount": amount, "line_item": None, "project_id": None, **fields}


def page(*results: Any, start: int = DAY) -> dict[str, Any]:
    bucket = {"object": "bucket", "start_time": start, "end_time": start + 86_400, "results": list(results)}
    return {"object": "page", "data": [bucket], "has_more": False, "next_page": None}


def read(folder: Path, *results: Any) -> Imported:
    return imported(folder, json.dumps(page(*results)), "costs.json")


def test_the_fixture(tmp_path: Path) -> None:
    found = imported_paths(Path(__file__).parent / "fixtures" / "openai_costs" / "costs.json")
    assert not found.calls
    assert sorted((b["start_time"].day, b["cost_usd"], b["model_key"], b["operation"]) for b in found.bills) == [
        (2, 0.06, "gpt-5-2025-08-07", "cached input"),
        (2, 1.5, None, "Web search tool calls"),
        (3, 0.0, None, None),
    ]
    bill = found.bills[0]
    assert (bill["grain"], bill["cost_source"], bill["tokens_source"]) == ("bill", "billed", "missing")
    assert (bill["input_tokens"], bill["request_count"], bill["provider"]) == (0, None, "openai")
    assert (bill["start_time"], bill["end_time"]) == (
        datetime(2026, 11, 2, tzinfo=UTC),
        datetime(2026, 11, 3, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(0.06, 0.06), ("1.50", 1.5), (3, 3.0), ("0.003835980000000000000000000000", 0.00383598), (0, 0.0), ("1E-7", 1e-7)],
)
def test_amounts(tmp_path: Path, value: object, wanted: float) -> None:
    (bill,) = read(tmp_path, cost(value)).bills
    assert bill["cost_usd"] == pytest.approx(wanted, rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (cost(currency="eur"), "the amount is not in US dollars; convert it before the import"),
        (cost(currency=None), "the amount has no currency"),
        (cost("free"), "cost_usd is not an amount"),
        (cost(-5), "cost_usd is not an amount"),
        (cost(None), "cost_usd is missing on a bill"),
        ({"line_item": "x"}, "a cost without an amount"),
        ({"amount": 5}, "a cost without an amount"),
    ],
    ids=["euros", "no currency", "text", "credit", "null", "no amount", "a bare number"],
)
def test_what_is_no_amount_of_dollars_is_a_reject(tmp_path: Path, bad: dict[str, Any], reason: str) -> None:
    found = read(tmp_path, cost(1, line_item="a, input"), bad)
    assert found.reasons == {2: reason}
    assert [each["cost_usd"] for each in found.bills] == [1.0]


def test_currency_in_capitals(tmp_path: Path) -> None:
    assert len(read(tmp_path, cost(currency="USD")).bills) == 1


@pytest.mark.parametrize(
    ("line_item", "model", "item"),
    [
        ("gpt-4o-2024-08-06, Input", "gpt-4o-2024-08-06", "Input"),
        ("gpt-4o-mini", "gpt-4o-mini", None),
        ("Image models", None, "Image models"),
        (None, None, None),
    ],
)
def test_line_items(tmp_path: Path, line_item: str | None, model: str | None, item: str | None) -> None:
    (bill,) = read(tmp_path, cost(line_item=line_item)).bills
    assert (bill["model_key"], bill["operation"]) == (model, item)


def test_a_corrected_bill_replaces_the_first(tmp_path: Path) -> None:
    first = write(tmp_path, json.dumps(page(cost(1, line_item="gpt-5, input"))), "a.json")
    second = write(tmp_path, json.dumps(page(cost(2, line_item="gpt-5, input"), cost(3))), "b.json")
    with CallStore(tmp_path / "store") as store:
        store.ingest([first], now=NOW)
        assert store.ingest([second], now=NOW).duplicates == 1
        bills = store.bills().to_pyarrow().to_pylist()
    assert sorted(each["cost_usd"] for each in bills) == [2.0, 3.0]
