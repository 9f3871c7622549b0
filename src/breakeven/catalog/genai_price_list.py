"""The genai-prices package as a price list: the only file that knows it. Dated prices, batch, tiers, caches; offline.

What a price means follows the package's own `calc_price`: a kind of token without a price of its own is priced as the
next wider kind, a tier applies to all tokens of a call, a batch or service-tier price that is not listed is the
standard price.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import Final

from genai_prices.data_snapshot import find_provider_by_id, get_snapshot
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from breakeven.catalog.price_windows import BEGINNING, PriceWindow, TierPrices, filled_tier, joined
from breakeven.facts.source import Grade, Source

PROVIDER_ALIASES: Final = {
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "azure_openai": "azure",
    "fireworks_ai": "fireworks",
    "fireworks-ai": "fireworks",
    "gcp.gen_ai": "google",
    "together.ai": "together",
    "x_ai": "x-ai",
}
"""Names of the OpenTelemetry conventions and of gateways that the package does not know, or takes for another."""
GATEWAYS: Final = frozenset({"", "litellm"})
"""Provider names that name no seller; the model's own name decides."""
OPEN_WEIGHTS: Final = ("gpt-oss", "llama", "qwen", "gemma", "mixtral", "mistral-7b", "deepseek-v", "deepseek-r")
"""Marks of models that anybody may serve: without a provider such a name has many prices."""
STANDARD_TIERS: Final = frozenset({"", "auto", "default", "standard", "on_demand", "on-demand"})
_TOKEN_KEYS: Final = ("input_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok", "output_mtok")
_OTHER_MODALITIES: Final = ("audio", "image", "video")


@dataclass(frozen=True, slots=True)
class Listing:
    """One model of one provider, as the package lists it."""

    provider: Provider
    model: ModelInfo
    remark: str = ""

    @property
    def name(self) -> str:
        """provider/model."""
        return f"{self.provider.id}/{self.model.id}"

    @property
    def is_own(self) -> bool:
        """False: the provider resells it and the package takes the maker's standard price."""
        return any(self.model is each for each in self.provider.models)


@dataclass(frozen=True, slots=True)
class NotListed:
    """Why the package has no entry."""

    reason: str


def find_listing(provider: str | None, model: str) -> Listing | NotListed:
    """The entry that `provider` (a log's name for it) has for `model`; without a provider, the only possible one."""
    if not provider or provider.strip().lower() in GATEWAYS:
        return _find_by_model(model)
    known = _provider(provider)
    if known is None:
        return NotListed(f"no price list knows the provider '{provider}'")
    found = known.find_model(model, all_providers=get_snapshot().providers)
    if found is None and (rest := _without_prefix(model, known)):
        found = known.find_model(rest, all_providers=get_snapshot().providers)
    return NotListed(f"{known.id} lists no model '{model}'") if found is None else Listing(known, found)


def price_windows(
    listing: Listing, service_tier: str, is_batch: bool, first: datetime, last: datetime, read: date | None
) -> list[PriceWindow]:
    """The listing's prices over `first` to `last` (aware, inclusive). `read`: when this release was checked."""
    context = _context(service_tier, is_batch)
    source = _source(listing, read, last)
    edges = _edges(listing.model, first, last)
    windows = []
    for since, until in zip([None, *edges], [*edges, None], strict=True):
        tiers, reason = _priced(listing, since or BEGINNING, context)
        windows.append(PriceWindow(since, until, tiers, source, listing.name, reason))
    return joined(windows)


def _provider(name: str) -> Provider | None:
    wanted = name.strip().lower()
    return find_provider_by_id(get_snapshot().providers, PROVIDER_ALIASES.get(wanted, wanted))


def _without_prefix(model: str, provider: Provider) -> str:
    """``gpt-4o`` of ``openai/gpt-4o`` when the prefix means `provider`; otherwise empty."""
    prefix, _, rest = model.partition("/")
    known = _provider(prefix) if rest else None
    return rest if known is provider else ""


def _find_by_model(model: str) -> Listing | NotListed:
    """By a provider prefix (``openai/gpt-4o``), else by the one maker whose closed models are named like this."""
    prefix, slash, rest = model.partition("/")
    if slash and (known := _provider(prefix)) is not None:
        found = known.find_model(rest, all_providers=get_snapshot().providers)
        if found is not None:
            return Listing(known, found)
    name = model.lower()
    if any(mark in name for mark in OPEN_WEIGHTS):
        return NotListed(f"the log names no provider and many sell '{model}': name the provider")
    makers = [each for each in get_snapshot().providers if each.model_match and each.model_match.is_match(name)]
    listings = [Listing(each, found) for each in makers if (found := each.find_model(model)) is not None]
    if len(listings) == 1:
        return replace(listings[0], remark=f"the log names no provider: price of {listings[0].provider.id} taken")
    if listings:
        sellers = ", ".join(sorted(each.provider.id for each in listings))
        return NotListed(f"the log names no provider and '{model}' may be of {sellers}: name the provider")
    return NotListed(f"the log names no provider and no maker's price list knows '{model}'")


def _context(service_tier: str, is_batch: bool) -> dict[str, str]:
    tier = (service_tier or "").strip().lower()
    context = {} if tier in STANDARD_TIERS else {"service_tier": tier}
    return {**context, "processing": "batch"} if is_batch else context


def _priced(listing: Listing, moment: datetime, context: dict[str, str]) -> tuple[tuple[TierPrices, ...], str]:
    """Tiers and remarks at `moment`; no tiers and a reason when it cannot be priced."""
    prices = listing.model.get_prices(moment, context if listing.is_own else None)
    problem = _unusable(prices)
    if problem:
        return (), problem
    remarks = [*filter(None, (listing.remark,)), *_missing_variants(listing, moment, context), *_cache_remarks(prices)]
    if prices.input_mtok == 0 and prices.output_mtok in (None, 0):
        remarks.append("listed as free of charge")
    return _tiers(prices), "; ".join(remarks)


def _unusable(prices: ModelPrice) -> str:
    """Why these prices cannot price text tokens; empty when they can."""
    keys = [key for key, value in prices.__dict__.items() if value is not None]
    if prices.input_mtok is None:
        listed = f"only {', '.join(sorted(keys))}" if keys else "nothing"
        return f"listed without a price per input token ({listed} is listed)"
    unmodelled = [
        key
        for key in keys
        if key == "requests_kcount"
        or (key.endswith("_mtok") and key not in _TOKEN_KEYS and not any(each in key for each in _OTHER_MODALITIES))
    ]
    if unmodelled:
        return f"has charges that are not modelled ({', '.join(sorted(unmodelled))}): give a contract price"
    return ""


def _missing_variants(listing: Listing, moment: datetime, context: dict[str, str]) -> Iterator[str]:
    names = {"processing": "batch", "service_tier": f"'{context.get('service_tier')}' tier"}
    for key, wanted in context.items():
        if not listing.is_own or not any(
            variant.when.get(key) == wanted and (variant.constraint is None or variant.constraint.active(moment))
            for variant in listing.model.price_variants or ()
        ):
            yield f"no {names[key]} price listed for this time: standard price used"


def _cache_remarks(prices: ModelPrice) -> Iterator[str]:
    if prices.cache_read_mtok is None:
        yield "no cache-read price listed: cached input billed as input"


def _tiers(prices: ModelPrice) -> tuple[TierPrices, ...]:
    """One entry per tier; the package's `start` is the largest input of the tier below."""
    values = [getattr(prices, key) for key in _TOKEN_KEYS]
    starts = sorted({tier.start for value in values if isinstance(value, TieredPrices) for tier in value.tiers})
    floors = [0, *(start + 1 for start in starts)]
    tiers = []
    for floor, until in zip(floors, [*floors[1:], None], strict=True):
        each, read, write, write_1h, output = (_at(value, floor) for value in values)
        assert each is not None
        tiers.append(filled_tier(each, output, read, write, write_1h, floor, until))
    return tuple(tiers)


def _at(price: Decimal | TieredPrices | None, input_tokens: int) -> float | None:
    if isinstance(price, TieredPrices):
        passed = [tier.price for tier in price.tiers if input_tokens > tier.start]
        return float(passed[-1] if passed else price.base)
    return None if price is None else float(price)


def _edges(model: ModelInfo, first: datetime, last: datetime) -> list[datetime]:
    """Every moment at which the price may change: start dates, and the hours of daily intervals between the two."""
    dated: list[ConditionalPrice | PriceVariant] = [
        *(model.prices if isinstance(model.prices, list) else ()),
        *(model.price_variants or ()),
    ]
    edges: set[datetime] = set()
    for each in dated:
        if isinstance(each.constraint, StartDateConstraint):
            edges.add(datetime.combine(each.constraint.start_date, time.min, tzinfo=UTC))
        elif isinstance(each.constraint, TimeOfDateConstraint):
            edges.update(_daily_edges(each.constraint, first, last))
    return sorted(edges)


def _daily_edges(constraint: TimeOfDateConstraint, first: datetime, last: datetime) -> Iterator[datetime]:
    # One day more on either side: the first and the last window then end where they really end.
    day, final = first.date() - timedelta(days=1), last.date() + timedelta(days=1)
    while day <= final:
        yield datetime.combine(day, constraint.start_time, tzinfo=UTC)
        yield datetime.combine(day, constraint.end_time, tzinfo=UTC)
        day += timedelta(days=1)


def _source(listing: Listing, read: date | None, last: datetime) -> Source:
    urls = listing.provider.pricing_urls
    return Source(
        f"genai-prices {version('genai-prices')}: {listing.name}",
        urls[0] if urls else "https://github.com/pydantic/genai-prices",
        read or _latest_change(last.date()),
        Grade.QUOTED,
    )


@cache
def _latest_change(as_of: date) -> date:
    """The latest dated price change in the package up to `as_of`: the release is at least that fresh."""
    days = {
        each.constraint.start_date
        for provider in get_snapshot().providers
        for model in provider.models
        for each in (*(model.prices if isinstance(model.prices, list) else ()), *(model.price_variants or ()))
        if isinstance(each.constraint, StartDateConstraint)
    }
    return max((day for day in days if day <= as_of), default=min(days, default=as_of))
