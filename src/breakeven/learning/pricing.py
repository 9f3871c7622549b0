"""Pricing: what each call of an outcome file cost, where the file does not say: a price given, a list's, or a guess.

In this order: the file's own cost; a price that the user gives; the model's one price list on the day; the median of
all who sell an open model; for a model that nobody lists and whose name tells its size, the price of that size (a
guess, said); else the model is unpriced. Tokens are counted from the texts (an estimate, said); never is an unknown
cost 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Final, Literal

import numpy as np

from breakeven.catalog.load import Catalog
from breakeven.catalog.sellers import SellerPrices, params_in_name_count, seller_prices, size_price
from breakeven.catalog.token_prices import PriceKey, price_table
from breakeven.errors import LearningError
from breakeven.learning.digits import rounded
from breakeven.outcomes.outcome import Floats, OutcomeTable
from breakeven.routing.policy_document import PricedModel
from breakeven.units import TOKENS_PER_MTOK

PricedBy = Literal["file", "given", "list", "sellers", "size", "unpriced"]

OUTPUT_TOKENS: Final = 150.0
"""Tokens of an answer where no file holds answers: a guess; it weighs the same on every model of like prices."""
_GIVEN: Final = re.compile(r"(?P<first>[0-9.eE+-]+)(/(?P<second>[0-9.eE+-]+))?")


@dataclass(frozen=True, slots=True)
class GivenPrice:
    """A price that the user gives: for a call, or for tokens in and out."""

    usd_per_request: float | None = None
    input_usd_per_mtok: float | None = None
    output_usd_per_mtok: float | None = None


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """How one model is priced."""

    model: PricedModel
    by: PricedBy
    words: str
    """Where the price comes from, for a reader."""
    filled_cells_count: int
    """Calls whose cost is computed here, not read."""


@dataclass(frozen=True, slots=True)
class Priced:
    """A table with costs, and where they come from."""

    table: OutcomeTable
    prices: tuple[ModelPrice, ...]
    """In the order of the table's models."""

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Models of which no cost is known."""
        return tuple(each.model.name for each in self.prices if each.by == "unpriced")

    @property
    def is_guess(self) -> bool:
        """Whether any price is a guess by size."""
        return any(each.by == "size" for each in self.prices)


@dataclass(frozen=True, slots=True)
class _Rate:
    by: PricedBy
    words: str
    given: GivenPrice


def given_price(text: str) -> tuple[str, GivenPrice]:
    """`MODEL=USD` for a call, `MODEL=IN/OUT` for USD per million tokens.

    >>> given_price("mixtral=0.6/0.9")
    ('mixtral', GivenPrice(usd_per_request=None, input_usd_per_mtok=0.6, output_usd_per_mtok=0.9))
    """
    name, equals, value = text.rpartition("=")
    found = _GIVEN.fullmatch(value.strip())
    try:
        numbers = (
            [float(each) for each in (found["first"], found["second"]) if each] if found and equals and name else []
        )
    except ValueError:
        numbers = []
    if not numbers or not all(np.isfinite(each) and each >= 0 for each in numbers):
        raise LearningError(
            f"--price {text}: saw no price; wanted MODEL=USD for one call (mixtral=0.0004) or MODEL=IN/OUT in USD per "
            "million tokens (mixtral=0.6/0.9)"
        )
    if len(numbers) == 1:
        return name.strip(), GivenPrice(usd_per_request=numbers[0])
    return name.strip(), GivenPrice(None, numbers[0], numbers[1])


def priced(
    table: OutcomeTable,
    given: Mapping[str, GivenPrice],
    catalog: Catalog,
    output_tokens: float | None = None,
) -> Priced:
    """Fill the costs that `table` lacks, at prices of the catalogue's day; an answer has `output_tokens`, if known."""
    if unknown := sorted(set(given) - set(table.models)):
        raise LearningError(
            f"a price for {', '.join(unknown)}, which no outcome names; the file has {', '.join(table.models)}"
        )
    input_count: Floats | None = None
    costs, prices = table.cost_usd.copy(), []
    for at, name in enumerate(table.models):
        missing = np.isnan(costs[:, at]) & np.isfinite(table.success[:, at])
        if not missing.any():
            prices.append(_of_file(name, costs[:, at], catalog))
            continue
        rate = _rate(name, given.get(name), catalog)
        if rate.by != "unpriced":
            if input_count is None and rate.given.usd_per_request is None:
                input_count = _input_tokens(table.prompts)
            costs[missing, at] = _costs(rate.given, table, name, input_count, output_tokens)[missing]
        mean = float(rounded(np.nanmean(costs[:, at]))) if np.isfinite(costs[:, at]).any() else None
        model = PricedModel(
            name, rate.given.input_usd_per_mtok, rate.given.output_usd_per_mtok, mean, catalog.as_of.isoformat()
        )
        prices.append(ModelPrice(model, rate.by, rate.words, int(missing.sum())))
    return Priced(replace(table, cost_usd=costs), tuple(prices))


def _of_file(name: str, costs: Floats, catalog: Catalog) -> ModelPrice:
    known = costs[np.isfinite(costs)]
    mean = float(rounded(known.mean())) if len(known) else None
    by: PricedBy = "file" if len(known) else "unpriced"
    return ModelPrice(PricedModel(name, None, None, mean, catalog.as_of.isoformat()), by, "cost in the file", 0)


def _rate(name: str, given: GivenPrice | None, catalog: Catalog) -> _Rate:
    if given is not None:
        return _Rate("given", "price given", given)
    moment = datetime.combine(catalog.as_of, time(12), tzinfo=UTC)
    provider, _, model = name.partition("/")
    keys = [PriceKey(None, name), *([PriceKey(provider, model)] if model else [])]
    for key in keys:
        row = price_table([key], moment, moment, catalog=catalog)[0]
        if row.input_usd_per_mtok is not None:
            prices = GivenPrice(None, row.input_usd_per_mtok, row.output_usd_per_mtok or 0.0)
            return _Rate("list", f"list price of {row.matched_model}, read {row.source.read}", prices)
    if (sold := seller_prices(name, catalog.as_of)) is not None:
        return _Rate(
            "sellers",
            _sellers_words(sold),
            GivenPrice(None, sold.input_usd_per_mtok, sold.output_usd_per_mtok),
        )
    if (params_count := params_in_name_count(name)) is not None:
        size = size_price(catalog.as_of)
        usd_per_mtok = size.usd_per_mtok * params_count / 1e9
        return _Rate(
            "size",
            f"a guess: nobody lists it; {params_count / 1e9:g} billion parameters at the median price of "
            f"{size.listings_count} listings ({size.usd_per_mtok:.3g} USD per million tokens and billion, 80 % within "
            f"{size.low_usd_per_mtok:.2g} to {size.high_usd_per_mtok:.2g})",
            GivenPrice(None, usd_per_mtok, usd_per_mtok),
        )
    return _Rate("unpriced", "no price known: give one with --price MODEL=USD", GivenPrice())


def _sellers_words(sold: SellerPrices) -> str:
    if len(sold.sellers) == 1:
        return f"list price of its one seller, {sold.sellers[0]}"
    return (
        f"median of {len(sold.sellers)} who list it ({sold.least_input_usd_per_mtok:g} to "
        f"{sold.most_input_usd_per_mtok:g} USD per million input tokens)"
    )


def _costs(
    price: GivenPrice, table: OutcomeTable, name: str, input_count: Floats | None, output_tokens: float | None
) -> Floats:
    if price.usd_per_request is not None:
        return np.full(table.requests_count, price.usd_per_request)
    assert input_count is not None
    answers = output_tokens if output_tokens is not None else _output_tokens(table, name)
    return (
        input_count * (price.input_usd_per_mtok or 0.0) + answers * (price.output_usd_per_mtok or 0.0)
    ) / TOKENS_PER_MTOK


def _input_tokens(prompts: Sequence[str]) -> Floats:
    """Estimated tokens of each prompt; the mean where a prompt was not kept."""
    from breakeven.usage.token_estimate.class_mix import class_mix_tokens

    counts = np.array([class_mix_tokens(each) if each else np.nan for each in prompts])
    return np.where(np.isnan(counts), np.nanmean(counts) if np.isfinite(counts).any() else OUTPUT_TOKENS, counts)


def _output_tokens(table: OutcomeTable, name: str) -> float:
    """Mean estimated tokens of the model's answers, of any model's answers, else a guess."""
    from breakeven.usage.token_estimate.class_mix import class_mix_tokens

    for answers in (table.responses.get(name, ()), *table.responses.values()):
        kept = [each for each in answers if each][:2_000]
        if kept:
            return float(np.mean([class_mix_tokens(each) for each in kept]))
    return OUTPUT_TOKENS
