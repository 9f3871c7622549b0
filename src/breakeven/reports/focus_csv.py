"""FOCUS CSV: token charges in the columns of FOCUS 1.2, one row per day, model and kind of token, for finance tools.

FOCUS knows no LLM token: `ConsumedUnit` is "tokens", `SkuId` the model, `SkuMeter` the kind; what has no column is in
`x_` columns. One rule of it is broken on purpose: a charge without a price has an empty cost and `x_Unpriced`, where
FOCUS forbids an empty cost. A zero there would be a lie that sums hide.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from breakeven.reports.spreadsheet.cell_text import cell_text
from breakeven.units import TOKENS_PER_MTOK
from breakeven.usage.export.whole_file import whole_file
from breakeven.workload.token_charges import FREE, TokenCharge

PRICING_UNIT: Final = "1000000 tokens"
COLUMNS: Final = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "x_CostBasis",
    "x_IsBatch",
    "x_LoggedModel",
    "x_PriceSource",
    "x_ServiceTier",
    "x_Unpriced",
    "x_UnpricedReason",
)
"""In the order of the specification, which is the alphabet's; ours last."""
_UNKNOWN: Final = "(not named)"


def write_focus_csv(charges: Iterable[TokenCharge], target: Path, account: str) -> int:
    """Write `charges` to `target`, which appears only when it is whole; return the number of rows."""
    rows = 0
    with whole_file(target) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\r\n")
        writer.writeheader()
        for each in charges:
            writer.writerow(focus_row(each, account))
            rows += 1
    return rows


def focus_row(charge: TokenCharge, account: str) -> dict[str, str]:
    """One row; every text is on one line and no formula."""
    key, paid, listed = charge.key, charge.paid_usd, charge.list_usd
    provider, model = key.provider or _UNKNOWN, key.model or _UNKNOWN
    month = key.day.replace(day=1)
    sku_price = "/".join((provider, model, key.meter, key.service_tier or "standard", *(["batch"] * key.is_batch)))
    details = {"ServiceTier": key.service_tier or None, "Batch": key.is_batch or None}
    texts = {
        "BillingAccountId": account,
        "BillingAccountName": account,
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargeDescription": f"{model}, {key.meter} tokens",
        "ChargeFrequency": "Usage-Based",
        "ConsumedUnit": "tokens",
        "InvoiceIssuerName": provider,
        "PricingCategory": "Standard",
        "PricingUnit": PRICING_UNIT,
        "ProviderName": provider,
        "PublisherName": provider,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "LLM API",
        "ServiceSubcategory": "Generative AI",
        "SkuId": model,
        "SkuMeter": key.meter,
        "SkuPriceDetails": json.dumps({name: value for name, value in details.items() if value}),
        "SkuPriceId": sku_price,
        "x_CostBasis": FREE if key.reason == FREE else "tokens of the log at contract or list prices of the day",
        "x_IsBatch": str(key.is_batch).lower(),
        "x_LoggedModel": key.logged_model,
        "x_PriceSource": key.source,
        "x_ServiceTier": key.service_tier,
        "x_Unpriced": str(paid is None).lower(),
        "x_UnpricedReason": key.reason if paid is None else "",
    }
    numbers = {
        "BilledCost": paid,
        "ConsumedQuantity": charge.consumed_tokens,
        "ContractedCost": paid,
        "ContractedUnitPrice": key.paid_usd_per_mtok,
        "EffectiveCost": paid,
        "ListCost": listed,
        "ListUnitPrice": key.list_usd_per_mtok,
        "PricingQuantity": charge.consumed_tokens / TOKENS_PER_MTOK,
    }
    times = {
        "BillingPeriodStart": _midnight(month),
        "BillingPeriodEnd": _midnight((month + timedelta(days=31)).replace(day=1)),
        "ChargePeriodStart": _midnight(key.day),
        "ChargePeriodEnd": _midnight(key.day + timedelta(days=1)),
    }
    written = {name: cell_text(text) for name, text in texts.items()}
    return {**written, "ChargeClass": "", **times, **{name: _plain(number) for name, number in numbers.items()}}


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _plain(number: float | None) -> str:
    """Every digit, no exponent; empty for what is not known."""
    return "" if number is None else f"{Decimal(repr(number)).normalize():f}"
