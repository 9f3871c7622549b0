"""Token prices: every distinct (provider, model, tier, batch) of a log resolved once into a table to be joined.

Layers: the user's contract, over the catalogue's own prices, over the genai-prices package. What none of them knows
is a row that says `unpriced` and why; it is never 0. In a row that is priced, an unlisted cache price is that of the
next wider kind of token (cached input is input), which is what price lists mean and what genai-prices computes. Audio
is the exception: it costs several times what text does, so audio without a listed price has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Literal

from breakeven.catalog.contract import ContractPrice, contract_windows
from breakeven.catalog.load import Catalog, load_catalog
from breakeven.catalog.model_names import ModelAlias
from breakeven.catalog.offer import DatedTokenPrices, TokenOffer
from breakeven.catalog.price_windows import PriceWindow, TierPrices, filled_tier, joined, layered, utc
from breakeven.facts.source import Grade, Source
from breakeven.units import TOKENS_PER_MTOK

__all__ = ["ContractPrice", "PriceKey", "TokenPriceRow", "offer_prices", "price_table", "usage_usd"]


@dataclass(frozen=True, slots=True)
class PriceKey:
    """What a price may depend on besides time and the size of the input, exactly as the log writes it."""

    provider: str | None
    model: str | None
    service_tier: str | None = None
    is_batch: bool = False


@dataclass(frozen=True, slots=True)
class TokenPriceRow:
    """Prices of one key in one stretch of time, for calls of one range of input sizes; USD per million tokens."""

    provider: str | None
    model: str | None
    service_tier: str | None
    is_batch: bool
    since: datetime | None
    until: datetime | None
    """Exclusive."""
    input_tokens_from: int
    """Tiers go by the whole input of a call, cached tokens included, and price all of its tokens."""
    input_tokens_until: int | None
    """Exclusive."""
    input_usd_per_mtok: float | None
    cache_read_usd_per_mtok: float | None
    cache_write_usd_per_mtok: float | None
    cache_write_1h_usd_per_mtok: float | None
    output_usd_per_mtok: float | None
    """None in a priced row: output has no price (embeddings)."""
    status: Literal["priced", "unpriced"]
    reason: str
    """Why it is unpriced; or, when priced, what was assumed."""
    source: Source
    matched_model: str
    """The entry of the price list, as provider/model."""
    audio_input_usd_per_mtok: float | None = None
    """None: audio has no price; it is not billed as text."""
    audio_output_usd_per_mtok: float | None = None


def price_table(
    keys: Iterable[PriceKey],
    first: datetime,
    last: datetime,
    contract: Sequence[ContractPrice] = (),
    catalog: Catalog | None = None,
) -> list[TokenPriceRow]:
    """Rows that cover `first` to `last` (inclusive) for each distinct key, without gaps or overlaps."""
    start, end = utc(first), utc(last)
    book = load_catalog(end.date()) if catalog is None else catalog
    return [
        row
        for key in dict.fromkeys(keys)
        for window in _windows(key, start, end, contract, book)
        for row in _rows(key, window)
    ]


def offer_prices(
    offer: TokenOffer,
    catalog: Catalog,
    contract: Sequence[ContractPrice] = (),
    service_tier: str | None = None,
    is_batch: bool = False,
) -> list[TokenPriceRow]:
    """The offer's prices on the catalogue's day, smallest tier first; several windows if they change within the day."""
    start = datetime.combine(catalog.as_of, time.min, tzinfo=UTC)
    end = datetime.combine(catalog.as_of, time.max, tzinfo=UTC)
    sold_as = offer.genai_prices
    provider, model = (sold_as.provider, sold_as.model) if sold_as else (offer.provider, offer.model_ids[0])
    key = PriceKey(provider, model, service_tier, is_batch)
    return [row for window in _windows(key, start, end, contract, catalog) for row in _rows(key, window)]


def usage_usd(
    row: TokenPriceRow,
    input_tokens: int,
    output_tokens: int,
    cache_read_tokens: int = 0,
    cache_write_tokens: int = 0,
    cache_write_1h_tokens: int = 0,
    audio_input_tokens: int = 0,
    audio_output_tokens: int = 0,
) -> float | None:
    """What the tokens of one call (or of many in the same row) cost; None when that cannot be said.

    Inclusive counts: input contains cache reads and writes and audio that was not cached, output contains audio, writes
    contain one-hour writes.
    """
    if row.input_usd_per_mtok is None or (output_tokens and row.output_usd_per_mtok is None):
        return None
    if audio_input_tokens and row.audio_input_usd_per_mtok is None:
        return None
    if audio_output_tokens and row.audio_output_usd_per_mtok is None:
        return None
    assert row.cache_read_usd_per_mtok is not None
    assert row.cache_write_usd_per_mtok is not None
    assert row.cache_write_1h_usd_per_mtok is not None
    plain = input_tokens - cache_read_tokens - cache_write_tokens - audio_input_tokens
    return (
        plain * row.input_usd_per_mtok
        + cache_read_tokens * row.cache_read_usd_per_mtok
        + (cache_write_tokens - cache_write_1h_tokens) * row.cache_write_usd_per_mtok
        + cache_write_1h_tokens * row.cache_write_1h_usd_per_mtok
        + (output_tokens - audio_output_tokens) * (row.output_usd_per_mtok or 0.0)
        + audio_input_tokens * (row.audio_input_usd_per_mtok or 0.0)
        + audio_output_tokens * (row.audio_output_usd_per_mtok or 0.0)
    ) / TOKENS_PER_MTOK


def _windows(
    key: PriceKey, first: datetime, last: datetime, contract: Sequence[ContractPrice], catalog: Catalog
) -> list[PriceWindow]:
    from breakeven.catalog.genai_price_list import NotListed, find_listing, price_windows
    from breakeven.catalog.refreshed_tokens import refreshed_layers

    if not key.model:
        return [_unknown("the log names no model", catalog)]
    alias = next((each for each in catalog.model_aliases if each.is_of(key.provider, key.model)), None)
    if alias is not None:
        return _aliased(alias, key, (first, last), contract, catalog)
    tier = key.service_tier or ""
    agreed = contract_windows(contract, key.provider, key.model, tier, key.is_batch, catalog.as_of)
    ours = [window for offer in _matching_offers(key, catalog) for window in _offer_windows(offer, key, catalog)]
    found = find_listing(key.provider, key.model)
    checked = catalog.genai_prices_read
    span = (first, last)
    fresh = refreshed_layers(catalog.token_lists, key.provider, key.model, tier, key.is_batch, span, checked)
    if isinstance(found, NotListed):
        starts = _first_since(key, catalog)
        reason = f"the first known price starts {starts}" if starts else found.reason
        return layered((agreed, ours, *fresh), first, last, _unknown(reason, catalog))
    listed = price_windows(found, tier, key.is_batch, first, last, checked)
    return layered((agreed, ours, *fresh, listed), first, last, _unknown("no price for this time", catalog))


def _aliased(
    alias: ModelAlias,
    key: PriceKey,
    span: tuple[datetime, datetime],
    contract: Sequence[ContractPrice],
    catalog: Catalog,
) -> list[PriceWindow]:
    """The prices of what the alias means; a contract for the alias' own name goes over them."""
    agreed = contract_windows(
        contract, key.provider, key.model or "", key.service_tier or "", key.is_batch, catalog.as_of
    )
    provider, _, model = alias.means.partition("/")
    meant = replace(key, provider=provider, model=model)
    found = _windows(meant, *span, contract, replace(catalog, model_aliases=()))
    said = [replace(each, reason="; ".join(filter(None, (f"means {alias.means}", each.reason)))) for each in found]
    return layered((agreed, said), *span, _unknown("no price for this time", catalog))


def _first_since(key: PriceKey, catalog: Catalog) -> date | None:
    return min((each.first_since for each in _matching_offers(key, catalog) if each.first_since), default=None)


def _matching_offers(key: PriceKey, catalog: Catalog) -> Iterator[TokenOffer]:
    """Offers with prices of our own that the provider and the model of the log name."""
    provider, model = (key.provider or "").strip().lower(), (key.model or "").strip().lower()
    for offer in catalog.token_offers.values():
        if offer.first_since and offer.provider == provider and model in {each.lower() for each in offer.model_ids}:
            yield offer


def _offer_windows(offer: TokenOffer, key: PriceKey, catalog: Catalog) -> list[PriceWindow]:
    """The offer's own prices as windows; nothing before the first."""
    starts = [datetime.combine(each.since, time.min, tzinfo=UTC) for each in offer.prices]
    windows = []
    for prices, since, until in zip(offer.prices, starts, [*starts[1:], None], strict=False):
        tiers, reason = _offer_tiers(offer, prices, catalog, key.is_batch)
        name = f"{offer.provider}/{offer.model_ids[0]}"
        windows.append(PriceWindow(since, until, tiers, prices.source, name, reason))
    return joined(windows)


def _offer_tiers(
    offer: TokenOffer, prices: DatedTokenPrices, catalog: Catalog, is_batch: bool
) -> tuple[tuple[TierPrices, ...], str]:
    """Tiers in USD and remarks; no tiers and a reason when the stretch is unpriced."""
    rate, remarks = 1.0, []
    if prices.input_per_mtok is None or prices.output_per_mtok is None:
        return (), prices.reason
    if offer.currency != "USD":
        fx = catalog.fx.get(offer.currency.lower())
        if fx is None:
            return (), f"quoted in {offer.currency}, for which the catalogue has no rate on {catalog.as_of}"
        rate = fx.typical
        remarks.append(f"{offer.currency} at {rate:g} USD ({fx.low:g} to {fx.high:g}, read {fx.source.read})")
    if is_batch:
        remarks.append("no batch price listed: standard price used")
    if prices.cache_read_per_mtok is None:
        remarks.append("no cache-read price listed: cached input billed as input")
    tier = filled_tier(
        prices.input_per_mtok * rate,
        prices.output_per_mtok * rate,
        _times(prices.cache_read_per_mtok, rate),
        _times(prices.cache_write_per_mtok, rate),
    )
    return (tier,), "; ".join(remarks)


def _times(price: float | None, rate: float) -> float | None:
    return None if price is None else price * rate


def _unknown(reason: str, catalog: Catalog) -> PriceWindow:
    looked = Source("no price found", "contract, catalogue, genai-prices", _last_look(catalog), Grade.GUESS)
    return PriceWindow(None, None, (), looked, "", reason)


def _last_look(catalog: Catalog) -> date:
    return catalog.genai_prices_read or catalog.checked


def _rows(key: PriceKey, window: PriceWindow) -> Iterator[TokenPriceRow]:
    for tier in window.tiers or (None,):
        yield _row(key, window, tier)


def _row(key: PriceKey, window: PriceWindow, tier: TierPrices | None) -> TokenPriceRow:
    return TokenPriceRow(
        key.provider,
        key.model,
        key.service_tier,
        key.is_batch,
        window.since,
        window.until,
        tier.input_tokens_from if tier else 0,
        tier.input_tokens_until if tier else None,
        tier.input_usd_per_mtok if tier else None,
        tier.cache_read_usd_per_mtok if tier else None,
        tier.cache_write_usd_per_mtok if tier else None,
        tier.cache_write_1h_usd_per_mtok if tier else None,
        tier.output_usd_per_mtok if tier else None,
        "priced" if tier else "unpriced",
        window.reason,
        window.source,
        window.matched_model,
        tier.audio_input_usd_per_mtok if tier else None,
        tier.audio_output_usd_per_mtok if tier else None,
    )
