"""Bounds: which values a claim's facts may have, so that an impossible one is refused by name and line."""

from __future__ import annotations

import math
from typing import Final

from breakeven.claims.dimensions import unit_of_name

NOT_ZERO_UNITS: Final = frozenset(
    {"usd/mtok", "usd/ktok", "usd/kwh", "token/s", "request/s", "hour/month", "day/month"}
)
"""Prices, speeds and lengths of a month: a zero there is a slip, and often a missing price."""
NOT_ZERO_NAMES: Final = ("gpus_count", "nodes_count", "replicas_count", "gpus_per_node_count", "gpu_lifetime_months")
MAY_BE_NEGATIVE: Final = ("saving", "npv", "net_benefit", "margin", "markup", "growth", "return_on_investment")
PRICE_UNITS: Final = frozenset({"usd/mtok", "usd/ktok"})
FREE_ON_PURPOSE: Final = ("marginal_", "verifier_")
"""What a claim may take for free: the next token of a fleet, a check of an answer."""
LARGEST: Final = 1e21


def problem(name: str, low: float, high: float) -> str | None:
    """What is impossible about a fact of this name, or None.

    >>> problem("gpus_count", 0.0, 0.0), problem("gpu_rent_usd_per_gpu_hour", -2.0, -2.0)
    ('gpus_count is 0; wanted more than zero', 'gpu_rent_usd_per_gpu_hour is -2; wanted zero or more')
    """
    seen = f"{name} is {low:,.12g}" if low == high else f"{name} is {low:,.12g} to {high:,.12g}"
    unit = unit_of_name(name)
    if not (math.isfinite(low) and math.isfinite(high)) or abs(high) > LARGEST:
        return f"{seen}; wanted a number smaller than {LARGEST:g}"
    if low < 0 and not any(word in name for word in MAY_BE_NEGATIVE):
        return f"{seen}; wanted zero or more"
    if low <= 0 and unit in PRICE_UNITS and not name.startswith(FREE_ON_PURPOSE):
        return f"{seen}; 0 is no price. Write `unpriced` when it is not known"
    if low <= 0 and (_is_rate(name, unit) or name.endswith(NOT_ZERO_NAMES)) and not name.startswith(FREE_ON_PURPOSE):
        return f"{seen}; wanted more than zero"
    if unit == "fraction" and high > 1 and not any(word in name for word in MAY_BE_NEGATIVE):
        return f"{seen}; a fraction lies between 0 and 1 (per cent divided by 100)"
    return None


def _is_rate(name: str, unit: str | None) -> bool:
    return unit in NOT_ZERO_UNITS or name.endswith("_usd_per_gpu_hour") or name.startswith("usd_per_")
