"""Price of a line: which price of the paths moves a cost line, and which lines are capital or paid once.

A line of people, tools or failed answers keeps today's prices: wages and prices here are real, not nominal.
"""

from __future__ import annotations

from typing import Final, Literal

from breakeven.costs.line import CostLine
from breakeven.options.option import OptionCost

LinePrice = Literal["api_list_price", "open_token_price", "gpu_rent", "today", "once"]
"""The path that multiplies the line; ``today``: none; ``once``: paid at the start, not in any month."""

TOKENS: Final = "tokens"
TOKENS_OF_OPEN_MODEL: Final = frozenset({"small_tokens", "broker_tokens"})
"""Of a cascade, and of a routed option, whose other tokens are today's models'."""
LIST_PRICE, OPEN_PRICE, BOTH_PRICES = 0, 1, 2
"""Which prices of tokens an option pays, as the kernels number them."""
MIGRATION: Final = "migration"
BROKERED: Final = "brokered"


def price_of(line: CostLine, cost: OptionCost) -> LinePrice:
    """Which price moves `line` of `cost`; lines of a part carry its name in front."""
    if line.name.endswith(MIGRATION):
        return "once"
    if line.name.endswith(TOKENS):
        if line.name in TOKENS_OF_OPEN_MODEL:
            return "open_token_price"
        return "open_token_price" if cost.family == BROKERED else "api_list_price"
    if line.raw_rent and cost.capital is None:
        return "gpu_rent"
    return "today"
