"""The genai-prices package as a price list: the only file that knows it. Dated prices, batch, tiers, caches; offline.

What a price means follows the package's own `calc_price`: a kind of token without a price of its own is priced as the
next wider kind (but audio never as text), a tier applies to all tokens of a call, a batch or service-tier price that is
not listed is the standard price.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any, Final, NoReturn

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
    _providers_from_raw,
)
from genai_prices.update_prices import DEFAULT_UPDATE_URL

from breakeven.catalog.model_names import is_bedrock_id, is_hidden, spellings, why_unknown
from breakeven.catalog.price_windows import BEGINNING, PriceWindow, TierPrices, filled_tier, joined
from breakeven.errors import CatalogError
from breakeven.facts.source import Grade, Source

PUBLISHED_AT: Final = DEFAULT_UPDATE_URL
"""Where the package's own updater reads its list."""
PROVIDER_ALIASES: Final = {
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "azure openai": "azure",
    "azure-openai": "azure",
    "azure.ai.foundry": "azure",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "azure_ai": "azure",
    "azure_openai": "azure",
    "fireworks_ai": "fireworks",
    "fireworks-ai": "fireworks",
    "gcp.gen_ai": "google",
    "microsoft.foundry": "azure",
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
_AUDIO_KEYS: Final = ("input_audio_mtok", "output_audio_mtok")
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


@dataclass(frozen=True, slots=True, eq=False)
class PriceList:
    """Everything that one edition of the list says."""

    providers: list[Provider]

    def listings(self) -> Mapping[str, Listing]:
        """provider/model -> the entry, of every provider's own models."""
        found = (Listing(provider, model) for provider in self.providers for model in provider.models)
        return {each.name: each for each in found}


def bundled_list() -> PriceList:
    """The list inside the installed package."""
    return PriceList(get_snapshot().providers)


def parse_price_list(raw: bytes) -> PriceList:
    """A list as the package's updater reads it; raises CatalogError for anything that is not a whole, possible one.

    The package parses a download only together with fetching it, in a private function; this is the one use of it.
    """
    try:
        content = json.loads(raw, parse_constant=_refuse_constant)
        if not isinstance(content, list) or not content:
            raise ValueError("wanted a list of providers")
        _refuse_negative(content)
        with warnings.catch_warnings(action="ignore"):
            return PriceList(_providers_from_raw(content))
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CatalogError(f"not a price list of genai-prices: {what}.") from None


def listed_tiers(listing: Listing, moment: datetime) -> dict[str, tuple[TierPrices, ...]]:
    """The tiers of a provider's own model at `moment`, ``standard`` and ``batch``; empty where it cannot be priced."""
    contexts = {"standard": _context("", False), "batch": _context("", True)}
    prices = {name: listing.model.get_prices(moment, context) for name, context in contexts.items()}
    return {name: () if _unusable(each) else _tiers(each) for name, each in prices.items()}


def find_listing(provider: str | None, model: str, prices: PriceList | None = None) -> Listing | NotListed:
    """The entry that `provider` (a log's name for it) has for `model`; without a provider, the only possible one.

    `prices`: the list to look in; None: the installed package's.
    """
    return _bundled_listing(provider, model) if prices is None else _listing(provider, model, prices.providers)


@lru_cache(maxsize=4096)
def _bundled_listing(provider: str | None, model: str) -> Listing | NotListed:
    return _listing(provider, model, bundled_list().providers)


def _listing(provider: str | None, model: str, sellers: list[Provider]) -> Listing | NotListed:
    found = _find(provider, model, sellers)
    if isinstance(found, Listing):
        return found
    others = [(provider, each.model, each.remark) for each in spellings(model)]
    if is_bedrock_id(model):
        others.append(("aws", model, "an id of Bedrock's: price of aws taken"))
    for seller, name, remark in others:
        again = _find(seller, name, sellers)
        if isinstance(again, Listing):
            return replace(again, remark="; ".join(filter(None, (again.remark, remark))))
    return NotListed(why_unknown("aws", model, ())) if is_hidden(model) else found


def _find(provider: str | None, model: str, sellers: list[Provider]) -> Listing | NotListed:
    """The entry under exactly this name, or under one that the package itself takes for it."""
    if not provider or provider.strip().lower() in GATEWAYS:
        return _find_by_model(model, sellers)
    known = _provider(provider, sellers)
    if known is None:
        return NotListed(f"no price list knows the provider '{provider}'")
    found = known.find_model(model, all_providers=sellers)
    if found is None and (rest := _without_prefix(model, known, sellers)):
        found = known.find_model(rest, all_providers=sellers)
    if found is None:
        resold = [each for each in sellers if each.id in (known.fallback_model_providers or ())]
        return NotListed(why_unknown(known.id, model, [each.id for one in (known, *resold) for each in one.models]))
    return Listing(known, found)


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


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no price")


def _refuse_negative(content: Any, *, in_prices: bool = False) -> None:
    if isinstance(content, dict):
        for key, value in content.items():
            _refuse_negative(value, in_prices=in_prices or key == "prices")
    elif isinstance(content, list):
        for value in content:
            _refuse_negative(value, in_prices=in_prices)
    elif in_prices and isinstance(content, int | float) and content < 0:
        raise ValueError(f"a price of {content:g}")


def _provider(name: str, sellers: list[Provider]) -> Provider | None:
    wanted = name.strip().lower()
    return find_provider_by_id(sellers, PROVIDER_ALIASES.get(wanted, wanted))


def _without_prefix(model: str, provider: Provider, sellers: list[Provider]) -> str:
    """``gpt-4o`` of ``openai/gpt-4o`` when the prefix means `provider`; otherwise empty."""
    prefix, _, rest = model.partition("/")
    known = _provider(prefix, sellers) if rest else None
    return rest if known is provider else ""


def _find_by_model(model: str, sellers: list[Provider]) -> Listing | NotListed:
    """By a provider prefix (``openai/gpt-4o``), else by the one maker whose closed models are named like this."""
    prefix, slash, rest = model.partition("/")
    if slash and (known := _provider(prefix, sellers)) is not None:
        found = known.find_model(rest, all_providers=sellers)
        if found is not None:
            return Listing(known, found)
    name = model.lower()
    if any(mark in name for mark in OPEN_WEIGHTS):
        return NotListed(f"the log names no provider and many sell '{model}': name the provider")
    makers = [each for each in sellers if each.model_match and each.model_match.is_match(name)]
    listings = [Listing(each, found) for each in makers if (found := each.find_model(model)) is not None]
    if len(listings) == 1:
        return replace(listings[0], remark=f"the log names no provider: price of {listings[0].provider.id} taken")
    if listings:
        possible = ", ".join(sorted(each.provider.id for each in listings))
        return NotListed(f"the log names no provider and '{model}' may be of {possible}: name the provider")
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
    values = [getattr(prices, key) for key in (*_TOKEN_KEYS, *_AUDIO_KEYS)]
    starts = sorted({tier.start for value in values if isinstance(value, TieredPrices) for tier in value.tiers})
    floors = [0, *(start + 1 for start in starts)]
    tiers = []
    for floor, until in zip(floors, [*floors[1:], None], strict=True):
        each, read, write, write_1h, output, heard, spoken = (_at(value, floor) for value in values)
        assert each is not None
        tier = filled_tier(each, output, read, write, write_1h, floor, until)
        tiers.append(replace(tier, audio_input_usd_per_mtok=heard, audio_output_usd_per_mtok=spoken))
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
        f"genai-prices {_release()}: {listing.name}",
        urls[0] if urls else "https://github.com/pydantic/genai-prices",
        read or _latest_change(last.date()),
        Grade.QUOTED,
    )


@cache
def _release() -> str:
    return version("genai-prices")


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
