"""Sellers: what an open model costs where a name says no seller: the prices of all who list it, or of its size.

A name without a seller (`llama-3.1-8b-instruct`) is compared with every listing of genai-prices by its words, the
maker's name and marks of packaging left out. A model that nobody lists has the price of its size, a guess: the median
price of a billion parameters over all listings whose name tells their size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from statistics import median, quantiles
from typing import Final

_PACKAGING: Final = frozenset(
    (
        *("meta", "mistralai", "google", "models", "accounts", "instruct", "chat", "it", "hf", "turbo", "lite"),
        *("latest", "fp8", "fp16", "bf16", "reference"),
    )
)
_VERSION: Final = re.compile(r"v0(\.\d+)*")
"""Of weights that sell at one price; `v1` and `v2` are two models."""
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)b")


@dataclass(frozen=True, slots=True)
class SellerPrices:
    """Prices of one model over those who sell it."""

    input_usd_per_mtok: float
    """Median over sellers, as is the output's."""
    output_usd_per_mtok: float
    sellers: tuple[str, ...]
    least_input_usd_per_mtok: float
    most_input_usd_per_mtok: float


@dataclass(frozen=True, slots=True)
class SizePrice:
    """What a billion parameters costs, over all listings whose name tells their size."""

    usd_per_mtok: float
    """Median, for one billion parameters; input and output alike."""
    low_usd_per_mtok: float
    """10 % quantile over listings."""
    high_usd_per_mtok: float
    """90 % quantile over listings."""
    listings_count: int


def seller_prices(model: str, as_of: date) -> SellerPrices | None:
    """The prices of everyone who lists `model` on that day; None where nobody does."""
    found = _listed(as_of).get(model_words(model))
    if not found:
        return None
    inputs = [price[0] for price in found.values()]
    outputs = [price[1] for price in found.values()]
    return SellerPrices(median(inputs), median(outputs), tuple(sorted(found)), min(inputs), max(inputs))


def size_price(as_of: date) -> SizePrice:
    """What a billion parameters costs on that day."""
    ratios = [
        (price[0] + price[1]) / 2 / size
        for words, sold in _listed(as_of).items()
        if (size := _size(words)) is not None
        for price in sold.values()
    ]
    tenths = quantiles(ratios, n=10)
    return SizePrice(median(ratios), tenths[0], tenths[-1], len(ratios))


def params_in_name_count(model: str) -> float | None:
    """Parameters that a name tells; None where it tells none, or several numbers.

    >>> params_in_name_count("meta-llama/Meta-Llama-3-8B"), params_in_name_count("gpt-5")
    (8000000000.0, None)
    """
    size = _size(model_words(model))
    return None if size is None else size * 1e9


def model_words(model: str) -> frozenset[str]:
    """The words by which two names of one model agree.

    >>> model_words("mistralai/Mixtral-8x7B-Instruct-v0.1") == model_words("mixtral-8x7b")
    True
    >>> model_words("meta-llama/Meta-Llama-3-8B-Instruct") == model_words("llama-3-8b")
    True
    """
    last = model.lower().rsplit("/", 1)[-1]
    words = (each.strip(".") for each in re.split(r"[^a-z0-9.]+", last))
    return frozenset(each for each in words if each and each not in _PACKAGING and not _VERSION.fullmatch(each))


def _size(words: frozenset[str]) -> float | None:
    """Billions of parameters; None for mixtures (8x7b, a3b), whose cost is not that of their size."""
    if any(re.search(r"\dx\d|^a\d", each) for each in words):
        return None
    sizes = [float(found[1]) for each in words if (found := _SIZE.fullmatch(each))]
    return sizes[0] if len(sizes) == 1 else None


@lru_cache(maxsize=4)
def _listed(as_of: date) -> Mapping[frozenset[str], Mapping[str, tuple[float, float]]]:
    """Words of a model -> seller -> USD per million tokens in and out. A price of 0 is a trial, not a price."""
    from breakeven.catalog.genai_price_list import bundled_list, listed_tiers

    moment = datetime.combine(as_of, time(12), tzinfo=UTC)
    found: dict[frozenset[str], dict[str, tuple[float, float]]] = {}
    for listing in bundled_list().listings().values():
        tiers = listed_tiers(listing, moment)["standard"]
        if tiers and tiers[0].input_usd_per_mtok and tiers[0].output_usd_per_mtok:
            price = (float(tiers[0].input_usd_per_mtok), float(tiers[0].output_usd_per_mtok))
            found.setdefault(model_words(listing.model.id), {})[listing.provider.id] = price
    return found
