"""Offer: something for sale on a date: GPUs by the hour or to buy, or tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Source

GpuTerm = Literal["on_demand", "spot", "one_year", "endpoint", "purchase"]
"""on_demand, spot, one_year: bare GPUs by the hour; endpoint: with the serving managed; purchase: to own."""
TokenOfferKind = Literal["frontier", "brokered", "own_api"]
"""frontier: a closed model of its maker; brokered: an open model at a third party; own_api: at its maker."""


@dataclass(frozen=True, slots=True)
class GpuOffer:
    """GPUs for rent or to buy, as they were on the catalogue's as-of date."""

    name: str
    gpu: str
    """Name of a `Gpu` of the catalogue. SXM, PCIe and NVL boards are different goods."""
    term: GpuTerm
    provider: str
    """A provider, or ``market``: the spread over many providers."""
    facts: Mapping[str, Assumption]
    """Facts that this offer fixes, e.g. ``gpu_rent_usd_per_gpu_hour``; they win over the catalogue's."""
    since: date
    """First day on which the newest of the facts holds."""
    scales_to_zero: bool = False
    """An endpoint that bills nothing while no request comes."""


@dataclass(frozen=True, slots=True)
class DatedTokenPrices:
    """List prices from one day on, in the offer's currency per million tokens."""

    since: date
    input_per_mtok: float | None
    """None: not priced in this stretch; `reason` says why."""
    cache_read_per_mtok: float | None
    """None: cached input is billed at the input price."""
    cache_write_per_mtok: float | None
    """None: cache writes are billed at the input price."""
    output_per_mtok: float | None
    source: Source
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class GenaiPricesReference:
    """Where the genai-prices package lists this offer."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class TokenOffer:
    """Tokens for sale: a reference into genai-prices, or dated prices of our own."""

    name: str
    kind: TokenOfferKind
    provider: str
    model: str
    """Name of a `ModelSpec` for an open model; the model's own id for a closed one."""
    model_ids: tuple[str, ...]
    """Ids under which the provider sells it, as usage logs write them; the first is the usual one."""
    currency: str
    """ISO 4217. Anything but USD needs a dated rate in the catalogue's `fx`."""
    source: Source
    genai_prices: GenaiPricesReference | None = None
    prices: tuple[DatedTokenPrices, ...] = ()
    """Own prices, oldest first, up to the catalogue's as-of date."""
    first_since: date | None = None
    """First day of the own prices, also when it is after the as-of date."""
    note: str = ""
    cheaper_tier: str | None = None
    """Name of the same provider's offer for easier work."""
    batch_discount_fraction: float | None = None
    """Share off the list price for batch requests; None: unknown."""
    retires: date | None = None
    """Day on which the provider is said to stop serving it; a list may go on naming a price."""
