"""Staleness: how old each number of the catalogue is on a day, and which ones somebody must look at again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from breakeven.catalog.checks import is_price
from breakeven.catalog.load import Catalog
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Source


class Kind(StrEnum):
    """What decides how fast a number ages."""

    PRICE = "price"
    """Something on sale: GPU hours, tokens, hardware, currencies."""
    FACT = "fact"
    """Everything else: pay, failure rates, efficiencies, data sheets."""


LIMIT_DAYS: Final = {Kind.PRICE: 90, Kind.FACT: 365}
"""Age at which an entry must be looked at again."""


@dataclass(frozen=True, slots=True)
class Age:
    """The age of one entry on a day."""

    name: str
    kind: Kind
    source: Source
    age_days: int
    """Negative: read after that day."""
    is_unconfirmed: bool
    """Announced for a day that has come, and not confirmed since."""

    @property
    def limit_days(self) -> int:
        """Age from which it is stale."""
        return LIMIT_DAYS[self.kind]

    @property
    def is_stale(self) -> bool:
        """Too old, or announced and never confirmed."""
        return self.is_unconfirmed or self.age_days > self.limit_days

    @property
    def reason(self) -> str:
        """Why somebody must look again; empty when nobody has to."""
        if self.is_unconfirmed:
            return "announced, and not confirmed since its day came"
        return f"read {self.age_days} days ago; limit {self.limit_days}" if self.is_stale else ""


def is_stale(assumption: Assumption, as_of: date) -> bool:
    """Whether this fact, wherever it came from, must be looked at again on a day."""
    return assumption.source.age_days(as_of) > LIMIT_DAYS[kind_of(assumption.name)]


def kind_of(name: str) -> Kind:
    """Whether a fact of this name ages like a price.

    >>> kind_of("gpu_rent_usd_per_gpu_hour").value, kind_of("engineer_usd_per_year").value
    ('price', 'fact')
    """
    return Kind.PRICE if is_price(name) else Kind.FACT


def ages(catalog: Catalog, as_of: date) -> tuple[Age, ...]:
    """The age of every entry in force, oldest first."""
    found = [
        Age(name, kind, source, source.age_days(as_of), name in catalog.unconfirmed)
        for name, kind, source in _entries(catalog)
    ]
    return tuple(sorted(found, key=lambda each: (-each.age_days, each.name)))


def stale(catalog: Catalog, as_of: date) -> tuple[Age, ...]:
    """The entries that somebody must look at again, oldest first."""
    return tuple(each for each in ages(catalog, as_of) if each.is_stale)


def _entries(catalog: Catalog) -> Iterator[tuple[str, Kind, Source]]:
    for name, assumption in catalog.assumptions.items():
        yield name, kind_of(name), assumption.source
    for name, rent in catalog.gpu_offers.items():
        for fact, assumption in rent.facts.items():
            yield f"{name}.{fact}", kind_of(fact), assumption.source
    for name, tokens in catalog.token_offers.items():
        yield name, Kind.PRICE, tokens.prices[-1].source if tokens.prices else tokens.source
    for name, gpu in catalog.gpus.items():
        yield name, Kind.FACT, gpu.source
    for name, model in catalog.models.items():
        yield name, Kind.FACT, model.source
    for name, provider in catalog.providers.items():
        yield name, Kind.FACT, provider.source
    for title, source in _price_lists(catalog).items():
        yield title, Kind.PRICE, source


def _price_lists(catalog: Catalog) -> dict[str, Source]:
    """The lists that this catalogue compares its token prices with, by title."""
    return {quote.source.title: quote.source for quotes in catalog.price_quotes.values() for quote in quotes}
