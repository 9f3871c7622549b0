"""Price quote: what one price list says about one model, to stand beside what another says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from breakeven.facts.source import Source

DIMENSION: Final = 120
"""Sobol dimension of `list_price_spread`, shared by every token price that has a spread."""


@dataclass(frozen=True, slots=True)
class PriceQuote:
    """What one price list says about one model."""

    source: Source
    input_usd_per_mtok: float
    output_usd_per_mtok: float
    cache_read_usd_per_mtok: float | None = None
    """None: the list names no such price."""
    left_out: str | None = None
    """Why it is no part of a range."""
    note: str = ""

    def price(self, kind: str) -> float | None:
        """The price of one kind of token, by the name of its fact."""
        value: float | None = getattr(self, kind)
        return value
