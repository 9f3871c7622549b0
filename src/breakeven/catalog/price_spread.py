"""Price spread: where price lists disagree by more than 5 %, all of them are shown and the spread is uncertainty.

The rule. A list counts when it was read at most `COUNTED_DAYS` before the newest list that prices the same model; older
ones are shown, marked, and not used; nor are quotes that the catalogue marks as another product or as a price that has
ended. For each kind of token on its own: if the dearest counted price is more than 5 %
above the cheapest, the price is a range from the one to the other, and its typical value is that of the list that this
catalogue prices with. Otherwise it is certain. A list that names no price for a kind of token says nothing about it.

Ratios rather than dollars, so that the spread fits batch prices, tiers and later price changes too. All token prices
share one draw (`DIMENSION`): the lists err together, because they copy the same pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final

from breakeven.catalog.price_quote import DIMENSION, PriceQuote
from breakeven.facts.assumption import Assumption

if TYPE_CHECKING:
    from breakeven.catalog.load import Catalog
    from breakeven.catalog.offer import TokenOffer
    from breakeven.catalog.token_prices import TokenPriceRow

COUNTED_DAYS: Final = 180
LARGEST_AGREEMENT_RATIO: Final = 1.05
"""Lists whose prices differ by less than this agree."""
_KINDS: Final = ("input_usd_per_mtok", "cache_read_usd_per_mtok", "output_usd_per_mtok")


@dataclass(frozen=True, slots=True)
class PriceSpread:
    """What several price lists say about one model, and how far apart they are."""

    name: str
    """provider/model, as the first list calls it."""
    counted: tuple[PriceQuote, ...]
    """The lists that the range is of; the first is the one that this catalogue prices with."""
    others: tuple[PriceQuote, ...]
    """Shown, not used: too old, or left out for a reason."""

    @property
    def ratios(self) -> Mapping[str, tuple[float, float]]:
        """Fact name -> lowest and highest counted price, as ratios to the first; only kinds that disagree."""
        found = {}
        for kind in _KINDS if self.counted else ():
            base = self.counted[0].price(kind)
            prices = [price for quote in self.counted if (price := quote.price(kind)) is not None]
            if base is not None and max(prices) > LARGEST_AGREEMENT_RATIO * min(prices):
                found[kind] = (min(prices) / base, max(prices) / base)
        return found

    @property
    def disagrees(self) -> bool:
        """Whether any kind of token has a range."""
        return bool(self.ratios)

    def widened(self, fact: Assumption) -> Assumption:
        """The price as a range, if the lists disagree about it; the same price otherwise."""
        if fact.name not in self.ratios:
            return fact
        low, high = self.ratios[fact.name]
        said = "; ".join(
            f"{quote.price(fact.name):g} ({quote.source.title})"
            for quote in self.counted
            if quote.price(fact.name) is not None
        )
        note = f"Price lists disagree: {said}. {fact.note}".strip()
        return replace(fact, low=fact.low * low, high=fact.high * high, note=note, dimension=DIMENSION)


def spread_of(provider: str | None, model: str, as_of: date, catalog: Catalog | None = None) -> PriceSpread | None:
    """What the price lists read by `as_of` say about a model; None when only one list, or none, was compared.

    `provider` and `model` as a log or a price list writes them.
    """
    from breakeven.catalog.genai_price_list import Listing, find_listing
    from breakeven.catalog.load import load_catalog

    book = load_catalog(as_of) if catalog is None else catalog
    plain = f"{(provider or '').strip().lower()}/{model}"
    if plain in book.price_quotes:
        return _spread(plain, book.price_quotes[plain])
    listing = find_listing(provider, model)
    return _named(listing.name, book) if isinstance(listing, Listing) else None


def row_spread(row: TokenPriceRow, catalog: Catalog) -> PriceSpread | None:
    """The spread of a row of a price table; None for a contract price, which is certain, and for an unpriced row."""
    if row.status != "priced" or row.matched_model.startswith("contract/"):
        return None
    return _named(row.matched_model, catalog)


def price_spread(offer: TokenOffer, catalog: Catalog) -> dict[str, tuple[float, float]]:
    """Fact name -> lowest and highest price as ratios to the offer's own; empty when the lists agree."""
    reference = offer.genai_prices
    provider, model = (reference.provider, reference.model) if reference else (offer.provider, offer.model_ids[0])
    spread = spread_of(provider, model, catalog.as_of, catalog)
    return dict(spread.ratios) if spread else {}


def disagreements(catalog: Catalog) -> tuple[PriceSpread, ...]:
    """Every model on which the lists disagree, by name."""
    spreads = (_named(name, catalog) for name in sorted(catalog.price_quotes))
    return tuple(spread for spread in spreads if spread is not None and spread.disagrees)


def _named(name: str, catalog: Catalog) -> PriceSpread | None:
    quotes = catalog.price_quotes.get(name)
    return _spread(name, quotes) if quotes else None


def _spread(name: str, quotes: Sequence[PriceQuote]) -> PriceSpread | None:
    if len(quotes) < 2:
        return None
    newest = max(quote.source.read for quote in quotes)
    counted = tuple(
        quote for quote in quotes if not quote.left_out and (newest - quote.source.read).days <= COUNTED_DAYS
    )
    return PriceSpread(name, counted, tuple(quote for quote in quotes if quote not in counted))
