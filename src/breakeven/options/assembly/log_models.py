"""Log models: the models of the log as price lists know them: who sells them, under which name, and as which offer."""

from __future__ import annotations

from breakeven.catalog.load import Catalog
from breakeven.catalog.offer import TokenOffer
from breakeven.options.assembly.demand import Demand


def seller_and_model(label: str) -> tuple[str | None, str]:
    """Provider and model of a label as the log writes them; no provider: whoever makes the model.

    >>> seller_and_model("openai/gpt-5"), seller_and_model("gpt-5")
    (('openai', 'gpt-5'), (None, 'gpt-5'))
    """
    provider, slash, model = label.partition("/")
    return (provider, model) if slash else (None, label)


def provider_of(label: str) -> str:
    """Provider behind a label, in the price list's spelling; the log's own where no list knows it."""
    from breakeven.catalog.genai_price_list import Listing, find_listing

    provider, model = seller_and_model(label)
    found = find_listing(provider, model)
    if isinstance(found, Listing):
        return str(found.provider.id)
    return (provider or "a provider that the log does not name").strip().lower()


def log_providers(demand: Demand) -> tuple[str, ...]:
    """Providers of today's calls, each once."""
    return tuple(dict.fromkeys(provider_of(each.label) for each in demand.models))


def offer_of(catalog: Catalog, label: str) -> TokenOffer | None:
    """The catalogue's offer behind a label of the log: the same names, or what the price list takes for the same."""
    from breakeven.catalog.genai_price_list import Listing, find_listing

    provider, model = seller_and_model(label)
    for offer in catalog.token_offers.values():
        if offer.provider == (provider or "").lower() and model.lower() in {each.lower() for each in offer.model_ids}:
            return offer
    found = find_listing(provider, model)
    if not isinstance(found, Listing):
        return None
    for offer in catalog.token_offers.values():
        listed = offer.genai_prices
        if listed is not None and f"{listed.provider}/{listed.model}" == found.name:
            return offer
    return None


def same_model(one: str, other: str) -> bool:
    """Whether two labels name one thing: the same text, or the same entry of the price list."""
    from breakeven.catalog.genai_price_list import Listing, find_listing

    if one.strip().lower() == other.strip().lower():
        return True
    first, second = (find_listing(*seller_and_model(each)) for each in (one, other))
    return isinstance(first, Listing) and isinstance(second, Listing) and first.name == second.name
