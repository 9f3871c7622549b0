"""FOCUS rows add up to the spend and to the tokens, show what has no price, and hold no formula."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from breakeven.catalog.load import Catalog, load_catalog
from breakeven.errors import OutputError
from breakeven.reports.focus_csv import COLUMNS, write_focus_csv
from breakeven.usage.call import CALL_COLUMNS, Call
from breakeven.usage.invoice import read_invoice
from breakeven.usage.store.schema import call_schema
from breakeven.workload.billed_use import billed_use
from breakeven.workload.token_charges import token_charges

MANDATORY = {
    *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd"),
    *("BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd"),
    *("ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity"),
    *("PricingUnit", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName"),
}
"""Columns of feature level mandatory in FOCUS 1.2."""
START = datetime(2026, 10, 31, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(date(2026, 11, 25))


def calls_of(*calls: Call) -> ibis.Table:
    rows = [{column.name: getattr(call, column.name) for column in CALL_COLUMNS} for call in calls]
    return ibis.memtable(pa.Table.from_pylist(rows, schema=call_schema()))


def call(number: int, **fields: object) -> Call:
    told = {
        "provider": "anthropic",
        "request_model": "claude-sonnet-4-20250514",
        "input_tokens": 1000,
        "cache_read_tokens": 300,
        "cache_write_tokens": 200,
        "cache_write_1h_tokens": 50,
        "output_tokens": 90,
        "reasoning_tokens": 40,
        **fields,
    }
    return Call(f"c{number}", "log", START + timedelta(hours=number), **told)  # type: ignore[arg-type]


def exported(folder: Path, table: ibis.Table, catalog: Catalog) -> list[dict[str, str]]:
    write_focus_csv(token_charges(table, catalog), folder / "focus.csv", "acme")
    with (folder / "focus.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_amounts_and_quantities_add_up(tmp_path: Path, catalog: Catalog) -> None:
    table = calls_of(
        *(call(n) for n in range(5)),
        call(
            5,
            provider="openai",
            request_model="gpt-5",
            cache_write_tokens=0,
            cache_write_1h_tokens=0,
            service_tier="flex",
            is_batch=True,
        ),
    )
    rows = exported(tmp_path, table, catalog)
    use = billed_use(table, catalog)
    assert sum(Decimal(row["BilledCost"]) for row in rows) == pytest.approx(
        Decimal(use.spend_usd), rel=Decimal("1e-12")
    )
    assert sum(Decimal(row["ConsumedQuantity"]) for row in rows) == 6 * 1090
    for row in rows:
        assert Decimal(row["PricingQuantity"]) * Decimal(row["ListUnitPrice"]) == pytest.approx(
            Decimal(row["ListCost"])
        )
        assert row["ConsumedUnit"] == "tokens"
    assert {row["SkuMeter"] for row in rows} == {
        "input",
        "cache read",
        "cache write",
        "cache write 1h",
        "output",
        "reasoning",
    }
    first = rows[0]
    assert (first["ChargePeriodStart"], first["ChargePeriodEnd"]) == ("2026-10-31T00:00:00Z", "2026-11-01T00:00:00Z")
    assert (first["BillingPeriodStart"], first["BillingPeriodEnd"]) == ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")
    assert {(row["x_IsBatch"], row["x_ServiceTier"]) for row in rows} == {("false", ""), ("true", "flex")}


def test_the_columns_of_the_specification(tmp_path: Path, catalog: Catalog) -> None:
    rows = exported(tmp_path, calls_of(call(0)), catalog)
    assert set(COLUMNS) >= MANDATORY
    assert list(rows[0]) == list(COLUMNS)
    assert list(COLUMNS) == sorted(COLUMNS, key=lambda name: (name.startswith("x_"), name))
    assert all(row[name] for row in rows for name in MANDATORY if name != "ChargeClass")  # null: no correction
    assert {row["ServiceCategory"] for row in rows} == {"AI and Machine Learning"}


def test_no_price_is_no_zero(tmp_path: Path, catalog: Catalog) -> None:
    rows = exported(tmp_path, calls_of(call(0, provider="acme", request_model="acme-7b"), call(1)), catalog)
    unpriced = [row for row in rows if row["x_Unpriced"] == "true"]
    assert {row["SkuId"] for row in unpriced} == {"acme-7b"}
    assert {row["BilledCost"] + row["ListCost"] + row["EffectiveCost"] + row["ListUnitPrice"] for row in unpriced} == {
        ""
    }
    assert all(row["x_UnpricedReason"] for row in unpriced)
    assert sum(Decimal(row["ConsumedQuantity"]) for row in unpriced) == 1090


def test_no_cell_is_a_formula_or_steers_a_terminal(tmp_path: Path, catalog: Catalog) -> None:
    hostile = ["=HYPERLINK(1)", "+1+1", "-2", "@SUM(A1)", "a\nb\x1b[31m", '"x",y']
    rows = exported(
        tmp_path, calls_of(*(call(n, provider=each, request_model=each) for n, each in enumerate(hostile))), catalog
    )
    texts = [cell for row in rows for cell in row.values()]
    assert not [
        cell for cell in texts if cell.startswith(("=", "+", "-", "@", "\t", "\r")) or "\x1b" in cell or "\n" in cell
    ]
    assert "'=hyperlink(1)" in {row["SkuId"] for row in rows}


def test_reconcile_reads_it_back_to_the_last_digit(tmp_path: Path, catalog: Catalog) -> None:
    table = calls_of(*(call(n) for n in range(30)), call(40, provider="acme", request_model="=acme"))
    rows = exported(tmp_path, table, catalog)
    invoice = read_invoice(tmp_path / "focus.csv", {})
    assert sum(each.amount for each in invoice.lines) == sum(Decimal(row["BilledCost"] or 0) for row in rows)
    assert {each.kind for each in invoice.lines} == {"tokens"}
    assert invoice.has_days
    assert invoice.notes == ("rows without an amount left out: 6.",)


def test_no_calls_and_no_place(tmp_path: Path, catalog: Catalog) -> None:
    assert exported(tmp_path, calls_of(), catalog) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="give another path"):
        write_focus_csv((), tmp_path / "file" / "focus.csv", "acme")
