"""Prices of a configuration: list prices as written, and servers of one's own at the share of their whole bill.

A server costs the same busy or idle, so its tokens carry `usd_per_month / tokens_per_month`: the whole monthly cost
(hardware or rent, labour, incidents, idle hours) over the tokens that it is planned for, input and output alike.
"""

from __future__ import annotations

import json
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Any

from breakeven.gateway.config.schema import PriceEntry
from breakeven.gateway.upstream import TokenPrice
from breakeven.routing.policy_document import PricedModel
from breakeven.units import TOKENS_PER_MTOK


def price_of(entry: PriceEntry, folder: Path) -> TokenPrice:
    """The price that an entry says; ValueError in words where a comparison cannot be used."""
    as_of = entry.as_of.isoformat() if entry.as_of else None
    if entry.comparison is not None and entry.option is not None:
        usd, tokens, day = _compared(folder / entry.comparison, entry.option)
        return _amortised(usd, tokens, as_of or day)
    if entry.usd_per_month is not None and entry.tokens_per_month is not None:
        return _amortised(entry.usd_per_month, entry.tokens_per_month, as_of)
    return TokenPrice(
        entry.input_usd_per_mtok,
        entry.output_usd_per_mtok,
        entry.cache_read_usd_per_mtok,
        entry.cache_write_usd_per_mtok,
        entry.usd_per_request,
        "list",
        as_of,
    )


def price_in_policy(model: PricedModel) -> TokenPrice | None:
    """The price of a policy's dated snapshot; None where it knows none."""
    if model.input_usd_per_mtok is not None and model.output_usd_per_mtok is not None:
        return TokenPrice(model.input_usd_per_mtok, model.output_usd_per_mtok, as_of=model.prices_as_of)
    if model.usd_per_request is not None:
        return TokenPrice(None, None, usd_per_request=model.usd_per_request, as_of=model.prices_as_of)
    return None


def _amortised(usd_per_month: float, tokens_per_month: float, as_of: str | None) -> TokenPrice:
    usd_per_mtok = usd_per_month / tokens_per_month * TOKENS_PER_MTOK
    return TokenPrice(usd_per_mtok, usd_per_mtok, usd_per_mtok, usd_per_mtok, None, "amortised", as_of)


def _compared(path: Path, option: str) -> tuple[float, float, str | None]:
    """Typical USD a month of an option in a saved comparison, the tokens a month it was costed for, and its date."""
    try:
        document: Any = json.loads(path.read_bytes())
        options = {str(each["name"]): each for each in document["options"]}
        tokens = float(document["workload"]["tokens_per_month"])
        day = str(document["footer"]["as_of"])
    except OSError as error:
        raise ValueError(f"cannot read {path} ({error.strerror}); `breakeven compare --out` writes it") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no comparison ({error}); `breakeven compare --out` writes one") from None
    if option not in options:
        raise ValueError(f"{path} has no option '{option}'; it has {', '.join(sorted(options))}")
    usd = float(options[option]["usd_per_month"]["p50"])
    if not (isfinite(usd) and isfinite(tokens) and tokens > 0 and usd >= 0):
        raise ValueError(f"{path}: {usd:g} USD and {tokens:g} tokens a month give no price")
    date.fromisoformat(day)
    return usd, tokens, day
