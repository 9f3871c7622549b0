"""Small model: which models of a log are small already, and the priced small model that calls could be routed to.

Small: an open model below 14 billion parameters, all experts counted, by the catalogue or by the size in its name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from breakeven.catalog.load import Catalog
from breakeven.catalog.names import find_model
from breakeven.catalog.offer import TokenOffer
from breakeven.catalog.token_prices import TokenPriceRow, offer_prices, usage_usd
from breakeven.errors import UnknownName, UnknownPrice, nearest

SMALL_BELOW_PARAMS_COUNT: Final = 14e9
_SIZE: Final = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)b(?![a-z0-9])")
_EXPERTS: Final = re.compile(r"\d+x\d+(?:\.\d+)?b")
BILLION: Final = 1e9
_AS_ASKED: Final = ", as asked"


@dataclass(frozen=True, slots=True)
class TokenUse:
    """Tokens of some calls; cache reads are part of the input."""

    input_tokens: float
    cache_read_tokens: float
    output_tokens: float


@dataclass(frozen=True, slots=True)
class SmallModelPrice:
    """A small model for sale by the token."""

    model: str
    provider: str
    row: TokenPriceRow
    chosen: str
    """How it was chosen."""

    @property
    def label(self) -> str:
        """What a report calls it."""
        return f"{self.model} at {self.provider}"

    def cost_usd(self, use: TokenUse) -> float:
        """What these tokens cost there, as cached as they are today."""
        return _cost_usd(self.row, use)


def is_small(label: str, catalog: Catalog) -> bool:
    """Whether ``provider/model`` of a log is a small open model.

    >>> from datetime import date
    >>> from breakeven.catalog.load import load_catalog
    >>> catalog = load_catalog(date(2026, 11, 25))
    >>> [is_small(each, catalog) for each in ("ollama/Qwen3-8B", "acme/private-7b", "openai/gpt-5", "mixtral-8x7b")]
    [True, True, False, False]
    """
    name = label.rsplit("/", 1)[-1]
    try:
        return find_model(catalog, name).params_count < SMALL_BELOW_PARAMS_COUNT
    except UnknownName:
        sizes = [float(size) * BILLION for size in _SIZE.findall(name.lower().replace("_", "-"))]
        return bool(sizes) and not _EXPERTS.search(name.lower()) and max(sizes) < SMALL_BELOW_PARAMS_COUNT


def choose_small_model(
    catalog: Catalog, use: TokenUse, name: str | None = None, context_tokens: int = 0
) -> SmallModelPrice:
    """The cheapest offer of a small open model for this mix of tokens, or of the open model `name`.

    Without a name the model must hold `context_tokens`, unless none does.

    Raises UnknownPrice when nobody sells one, UnknownName for a name that the catalogue does not know.
    """
    wanted = find_model(catalog, name).name if name else None
    offers = [each for each in catalog.token_offers.values() if each.kind in ("brokered", "own_api")]
    mine = [each for each in offers if each.model == wanted] if wanted else _small(offers, catalog, context_tokens)
    priced = sorted(
        (_cost_usd(row, use), offer.name, offer, row)
        for offer in mine
        if not _has_ended(offer, catalog)
        for row in (_row(offer, catalog),)
        if row is not None
    )
    if not priced:
        sold = sorted({each.model for each in offers})
        hint = nearest(name, sold) if name else f"it prices {', '.join(sold[:8])}"
        raise UnknownPrice(f"the catalogue has no price per token of {wanted or 'a small open model'}; {hint}")
    _, _, offer, row = priced[0]
    rivals = "the only offer" if len(priced) == 1 else f"the cheapest of {len(priced)} offers for this mix"
    what = f"of {wanted}{_AS_ASKED}" if wanted else "of open models below 14 billion parameters"
    return SmallModelPrice(offer.model, offer.provider, row, f"{rivals} {what}, list price of {catalog.as_of}")


def asked_model(label: str, chosen: str) -> str | None:
    """The model that was asked for by name, out of what a `SmallModelPrice` says of itself; None: it was chosen.

    >>> asked_model("Qwen3-8B at novita", "the only offer of Qwen3-8B, as asked, list price of 2026-11-24")
    'Qwen3-8B'
    """
    return label.partition(" at ")[0] if _AS_ASKED in chosen else None


def sold_small_models(catalog: Catalog) -> tuple[str, ...]:
    """Small open models that somebody sells by the token, by name."""
    offers = [each for each in catalog.token_offers.values() if each.kind in ("brokered", "own_api")]
    return tuple(sorted({each.model for each in _small(offers, catalog, 0) if not _has_ended(each, catalog)}))


def _small(offers: Sequence[TokenOffer], catalog: Catalog, context_tokens: int) -> list[TokenOffer]:
    """Offers of small models; of those that hold the context, where there are any."""
    known = [(each, spec) for each in offers if (spec := catalog.models.get(each.model)) is not None]
    small = [(each, spec) for each, spec in known if spec.params_count < SMALL_BELOW_PARAMS_COUNT]
    holding = [(each, spec) for each, spec in small if spec.context_tokens >= context_tokens]
    return [each for each, _ in holding or small]


def _has_ended(offer: TokenOffer, catalog: Catalog) -> bool:
    return offer.retires is not None and offer.retires <= catalog.as_of


def _row(offer: TokenOffer, catalog: Catalog) -> TokenPriceRow | None:
    """The price of the smallest tier; the dearest one where it changes within the day."""
    rows = [row for row in offer_prices(offer, catalog) if row.status == "priced" and row.input_tokens_from == 0]
    return max(rows, key=lambda row: row.output_usd_per_mtok or 0.0) if rows else None


def _cost_usd(row: TokenPriceRow, use: TokenUse) -> float:
    reads = min(use.cache_read_tokens, use.input_tokens)
    cost = usage_usd(row, round(use.input_tokens), round(use.output_tokens), round(reads))
    return cost if cost is not None else float("inf")
