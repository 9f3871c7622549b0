"""Market range: low, typical and high of one good over the providers that quote it on one day.

The rule, in one place: one good at a time (an SXM board is not a PCIe board), one day, one price per provider (its
eight-GPU offer when it has one, because that is what serving rents; otherwise its cheapest), then the 5 %, 50 % and
95 % quantiles over providers. Refused: a price of 0 (some feeds write 0 for "none"), a spot price that is not below
the same provider's on-demand price, and prices further than `JUNK_RATIO` from the median of what is left.

Two quotes are not a market. Below `MARKET_PROVIDERS_COUNT` providers the range is what a market around such quotes
usually spans: from `THIN_LOW_RATIO` times the lowest to `THIN_HIGH_RATIO` times the highest, the medians of what the
catalogue's markets of five and more providers span around their own medians.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from breakeven.facts.assumption import HIGH_QUANTILE, LOW_QUANTILE, TYPICAL_QUANTILE

JUNK_RATIO: Final = 5.0
"""Prices under median / 5 or over 5 x median are taken for a mistake of the feed."""
NODE_GPUS_COUNT: Final = 8
MARKET_PROVIDERS_COUNT: Final = 3
"""From this many providers on, the quotes' own quantiles are the range."""
THIN_LOW_RATIO: Final = 0.7
THIN_HIGH_RATIO: Final = 1.85


@dataclass(frozen=True, slots=True)
class Quote:
    """One row of a price feed."""

    provider: str
    gpus_count: int
    usd_per_gpu_hour: float
    segment: str = ""


@dataclass(frozen=True, slots=True)
class MarketRange:
    """Quantiles over providers."""

    low: float
    typical: float
    high: float


def provider_quotes(quotes: Sequence[Quote], must_be_below: Mapping[str, float] | None = None) -> dict[str, Quote]:
    """One believable quote per provider. `must_be_below`: on-demand price by provider, given for spot quotes.

    >>> cheap, node = Quote("a", 1, 2.0), Quote("a", 8, 2.5)
    >>> provider_quotes([cheap, node, Quote("b", 1, 0.0), Quote("c", 1, 3.0)], {"c": 2.9})["a"] is node
    True
    """
    ceiling = must_be_below or {}
    chosen: dict[str, Quote] = {}
    for each in quotes:
        if each.usd_per_gpu_hour <= 0 or each.usd_per_gpu_hour >= ceiling.get(each.provider, float("inf")):
            continue
        known = chosen.get(each.provider)
        if known is None or _preference(each) < _preference(known):
            chosen[each.provider] = each
    if not chosen:
        return {}
    middle = median(each.usd_per_gpu_hour for each in chosen.values())
    return {
        name: each
        for name, each in sorted(chosen.items())
        if middle / JUNK_RATIO <= each.usd_per_gpu_hour <= middle * JUNK_RATIO
    }


def _preference(quote: Quote) -> tuple[bool, float]:
    return (quote.gpus_count != NODE_GPUS_COUNT, quote.usd_per_gpu_hour)


def market_range(usd_per_gpu_hour: Sequence[float]) -> MarketRange:
    """5 %, 50 % and 95 % quantiles, linear between order statistics, rounded to a hundredth of a cent.

    Fewer than `MARKET_PROVIDERS_COUNT` prices: the median, and a range wider than the prices (see above).

    >>> market_range([1.0, 2.0, 3.0]), market_range([2.0])
    (MarketRange(low=1.1, typical=2.0, high=2.9), MarketRange(low=1.4, typical=2.0, high=3.7))
    """
    ordered = sorted(usd_per_gpu_hour)
    typical = _quantile(ordered, TYPICAL_QUANTILE)
    if len(ordered) < MARKET_PROVIDERS_COUNT:
        low, high = ordered[0] * THIN_LOW_RATIO, ordered[-1] * THIN_HIGH_RATIO
    else:
        low, high = _quantile(ordered, LOW_QUANTILE), _quantile(ordered, HIGH_QUANTILE)
    return MarketRange(round(low, 4), round(typical, 4), round(high, 4))


def _quantile(ordered: Sequence[float], share: float) -> float:
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])
