"""Contract price: what a user has agreed with a provider; wins over every price list."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import combinations, pairwise

from breakeven.catalog.price_windows import BEGINNING, END, PriceWindow, TierPrices, filled_tier, joined
from breakeven.errors import ScenarioError
from breakeven.facts.source import Grade, Source


@dataclass(frozen=True, slots=True)
class ContractPrice:
    """One line of a price agreement, in USD per million tokens.

    Covers exactly the calls it names: a line without `is_batch` says nothing about batch calls, which keep their list
    price; a line without a tier covers every tier that has no line of its own.
    """

    model: str
    """As logs write it, or as the price list calls it."""
    input_usd_per_mtok: float
    output_usd_per_mtok: float
    provider: str | None = None
    """None: whoever serves the model."""
    cache_read_usd_per_mtok: float | None = None
    """None: cached input is billed at the input price."""
    cache_write_usd_per_mtok: float | None = None
    cache_write_1h_usd_per_mtok: float | None = None
    service_tier: str | None = None
    is_batch: bool = False
    since: date | None = None
    until: date | None = None
    """Exclusive."""
    input_tokens_from: int = 0
    input_tokens_until: int | None = None
    """Exclusive."""
    source: Source | None = None
    """None: "your contract", read on the day of the question."""

    def __post_init__(self) -> None:
        prices = (
            self.input_usd_per_mtok,
            self.output_usd_per_mtok,
            self.cache_read_usd_per_mtok,
            self.cache_write_usd_per_mtok,
            self.cache_write_1h_usd_per_mtok,
        )
        for price in prices:
            if price is not None and not (math.isfinite(price) and price >= 0):
                raise ScenarioError(f"contract price of '{self.model}': saw {price}, wanted 0 or more USD per Mtok.")
        if self.since and self.until and self.until <= self.since:
            raise ScenarioError(f"contract price of '{self.model}': ends {self.until}, before it starts {self.since}.")

    @property
    def interval(self) -> tuple[datetime, datetime]:
        """First moment, and the moment it ends."""
        since = datetime.combine(self.since, time.min, tzinfo=UTC) if self.since else BEGINNING
        return since, datetime.combine(self.until, time.min, tzinfo=UTC) if self.until else END

    @property
    def prices(self) -> TierPrices:
        """As one tier."""
        return filled_tier(
            self.input_usd_per_mtok,
            self.output_usd_per_mtok,
            self.cache_read_usd_per_mtok,
            self.cache_write_usd_per_mtok,
            self.cache_write_1h_usd_per_mtok,
            self.input_tokens_from,
            self.input_tokens_until,
        )


def contract_windows(
    contract: Sequence[ContractPrice],
    provider: str | None,
    model: str,
    service_tier: str | None,
    is_batch: bool,
    as_of: date,
) -> list[PriceWindow]:
    """What the contract says about one key; nothing for the times it does not cover."""
    lines = [each for each in contract if each.is_batch == is_batch and _is_about(each, provider, model)]
    named = [each for each in lines if each.service_tier is not None and _same(each.service_tier, service_tier)]
    general = [each for each in lines if each.service_tier is None]
    return _windows(named, as_of) or _windows(general, as_of)


def _windows(lines: Sequence[ContractPrice], as_of: date) -> list[PriceWindow]:
    _refuse_overlaps(lines)
    edges = sorted({edge for line in lines for edge in line.interval})
    windows = []
    for since, until in pairwise(edges):
        active = [line for line in lines if line.interval[0] <= since < line.interval[1]]
        if active:
            tiers = tuple(sorted((line.prices for line in active), key=lambda tier: tier.input_tokens_from))
            window = PriceWindow(since, until, tiers, _source(active[0], as_of), f"contract/{active[0].model}")
            windows.append(_open_ended(window))
    return joined(windows)


def _open_ended(window: PriceWindow) -> PriceWindow:
    return replace(
        window,
        since=None if window.since == BEGINNING else window.since,
        until=None if window.until == END else window.until,
    )


def _refuse_overlaps(lines: Sequence[ContractPrice]) -> None:
    for one, other in combinations(lines, 2):
        (since, until), (other_since, other_until) = one.interval, other.interval
        top, other_top = one.input_tokens_until or math.inf, other.input_tokens_until or math.inf
        in_time = since < other_until and other_since < until
        in_size = one.input_tokens_from < other_top and other.input_tokens_from < top
        if in_time and in_size:
            raise ScenarioError(
                f"two contract prices of '{one.model}' hold at the same time for the same input size; end the older one"
                " with `until`."
            )


def _is_about(line: ContractPrice, provider: str | None, model: str) -> bool:
    """The same names, or names that the price list takes for the same thing."""
    if line.provider and provider and not _same_provider(line.provider, provider):
        return False
    return _same(line.model, model) or _listed_as(line.provider or provider, line.model, provider, model)


def _same(one: str | None, other: str | None) -> bool:
    return (one or "").strip().lower() == (other or "").strip().lower()


def _same_provider(one: str, other: str) -> bool:
    from breakeven.catalog.genai_price_list import PROVIDER_ALIASES

    first, second = one.strip().lower(), other.strip().lower()
    return PROVIDER_ALIASES.get(first, first) == PROVIDER_ALIASES.get(second, second)


def _listed_as(line_provider: str | None, line_model: str, provider: str | None, model: str) -> bool:
    from breakeven.catalog.genai_price_list import Listing, find_listing

    agreed, seen = find_listing(line_provider, line_model), find_listing(provider, model)
    return isinstance(agreed, Listing) and isinstance(seen, Listing) and agreed.name == seen.name


def _source(line: ContractPrice, as_of: date) -> Source:
    return line.source or Source("your contract", "scenario file", as_of, Grade.OFFICIAL)
