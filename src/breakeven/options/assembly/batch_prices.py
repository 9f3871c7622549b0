"""Batch prices: what a model costs through its provider's batch API, from its price list or from a known discount."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import Catalog
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Source
from breakeven.options.assembly.log_models import offer_of
from breakeven.options.assembly.offers import lists_batch_price, model_prices

INPUT, OUTPUT = "input_usd_per_mtok", "output_usd_per_mtok"
CACHE_READ, CACHE_WRITE = "cache_read_usd_per_mtok", "cache_write_usd_per_mtok"


@dataclass(frozen=True, slots=True)
class BatchPrices:
    """Prices per token under batch."""

    prices: tuple[Assumption, ...]
    how: str
    """Where they come from."""


@lru_cache(maxsize=256)
def batch_prices(
    catalog: Catalog, label: str, listed: tuple[Assumption, ...], contract: tuple[ContractPrice, ...] = ()
) -> BatchPrices | None:
    """Prices of ``provider/model`` under batch, beside its standard prices `listed`; None when nothing is known.

    A range of the standard price is carried over, so that both move together.
    """
    standard = {fact.name: fact for fact in listed}
    if lists_batch_price(catalog, label, contract):
        batch = {fact.name: fact for fact in model_prices(catalog, label, contract, is_batch=True)}
        figures = {name: fact.typical for name, fact in batch.items()}
        source, how = batch[INPUT].source, "batch price as listed"
    else:
        offer = offer_of(catalog, label)
        discount = offer.batch_discount_fraction if offer is not None else None
        if offer is None or discount is None:
            return None
        figures = {name: fact.typical * (1 - discount) for name, fact in standard.items()}
        source, how = (
            offer.source,
            f"{100 * discount:.0f} % off the list price of uncached input and output under batch",
        )
        for name in (CACHE_READ, CACHE_WRITE):
            figures[name] = standard[name].typical
        if standard[CACHE_WRITE].typical == standard[INPUT].typical:  # no price of its own: written input is input
            figures[CACHE_WRITE] = figures[INPUT]
    figures[CACHE_READ] = _cached(figures, standard)
    return BatchPrices(tuple(_beside(standard[name], figures[name], source) for name in standard), how)


def _cached(figures: dict[str, float], standard: dict[str, Assumption]) -> float:
    """Cached input costs the least of what is listed for it and the batch price of input."""
    return min(figures[CACHE_READ], standard[CACHE_READ].typical, figures[INPUT])


def _beside(standard: Assumption, usd_per_mtok: float, source: Source) -> Assumption:
    """A price whose range is that of the standard price, in proportion."""
    if not standard.typical:
        return replace(standard, low=usd_per_mtok, typical=usd_per_mtok, high=usd_per_mtok, source=source)
    low, high = (usd_per_mtok * each / standard.typical for each in (standard.low, standard.high))
    return replace(standard, low=low, typical=usd_per_mtok, high=high, source=source)
