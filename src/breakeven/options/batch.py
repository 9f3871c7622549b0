"""Batch API: the calls that can wait a day go through the provider's batch API at a discount; the others stay.

The rule for the price, model by model. A batch price that the price list names is taken, cached input included. Where
only a discount is known, it is taken off uncached input and output, and off nothing else. Cached input never costs more
than its standard price, and never more than new input under batch. A model without either stays as it is. Calls that
the log already sent by batch get no second discount; where they all were, there is nothing to move and no option.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breakeven.costs.breakdown import CostBreakdown
from breakeven.errors import CatalogError, UnknownPrice
from breakeven.facts.distribution import Draws, median_of
from breakeven.facts.formula import formula
from breakeven.facts.source import Source
from breakeven.facts.trace import Binder, Node
from breakeven.options.assembly.batch_prices import batch_prices
from breakeven.options.assembly.constraints import check_provider
from breakeven.options.assembly.demand import ModelDemand
from breakeven.options.assembly.log_models import log_providers
from breakeven.options.assembly.mix import bind_mix_price, mix_price, shortened, todays_price
from breakeven.options.assembly.offers import model_prices
from breakeven.options.assembly.per_token import bind_per_token, per_token_lines, token_line
from breakeven.options.assembly.success import bind_todays_success
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)

SHARE = "batch_share_fraction"


@formula
def batch_over_list_price_ratio(batch_token_usd_per_mtok: Draws, list_token_usd_per_mtok: Draws) -> Draws:
    """Price of the mix under batch over its list price; a batch price above the list is not taken.

    >>> float(batch_over_list_price_ratio(1.0, 2.0)), float(batch_over_list_price_ratio(3.0, 2.0))
    (0.5, 1.0)
    """
    return np.minimum(batch_token_usd_per_mtok / list_token_usd_per_mtok, 1.0)


@formula
def token_with_batch_usd_per_mtok(
    todays_token_usd_per_mtok: Draws,
    batch_share_fraction: Draws,
    already_batch_fraction: Draws,
    batch_over_list_price_ratio: Draws,
) -> Draws:
    """Today's price with the share that can wait under batch; what is under batch already gets no second discount.

    >>> float(token_with_batch_usd_per_mtok(4.0, 0.5, 0.0, 0.5))
    3.0
    >>> [float(token_with_batch_usd_per_mtok(price, 0.5, already, 0.5)) for price, already in ((3.0, 0.5), (2.0, 1.0))]
    [3.0, 2.0]
    """
    share = np.maximum(batch_share_fraction, already_batch_fraction)
    saved_fraction = 1 - batch_over_list_price_ratio
    return todays_token_usd_per_mtok * (1 - share * saved_fraction) / (1 - already_batch_fraction * saved_fraction)


@dataclass(frozen=True, slots=True)
class BatchApi:
    """The same models at the same provider; the share of calls that can wait is stated, not learned."""

    name: str = "batch_api"
    title: str = "Batch API for what can wait"
    family: Family = "api"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Cost the whole demand with the share that can wait at the batch price."""
        demand, log = situation.demand, situation.demand.source
        for provider in log_providers(demand):
            check_provider(situation, provider)
        binder = binder_for(situation, evaluation, {})
        prices = {each.label: node for each in demand.models if (node := _price(situation, binder, each, log))}
        if not prices:
            names = shortened([each.label for each in demand.models])
            raise UnknownPrice(f"no batch price and no batch discount is known for {names}")
        if all(each.batch_fraction >= 1 for each in demand.models if each.label in prices):
            raise CatalogError(
                f"the log's calls to {shortened(list(prices))} go by batch already: there is nothing to move"
            )
        bind_mix_price(binder, demand, prices)
        bind_per_token(binder, exposure="api_breach_exposure_ratio")
        bind_todays_success(binder, situation, "the same models: assumed")
        breakdown = CostBreakdown((token_line(binder), *per_token_lines(binder, watched=False)))
        waits = median_of(binder.value(SHARE))
        stays = [each.label for each in demand.models if each.label not in prices]
        without = f"; {shortened(stays)} without a batch price" if stays else ""
        buys = f"{100 * waits:.0f} % of the tokens by batch: {shortened(list(prices))}{without}"
        return option_cost(self, binder, breakdown, buys)


def _price(situation: Situation, binder: Binder, model: ModelDemand, log: Source) -> Node | None:
    """Price of the model's tokens with the share that can wait under batch; None when no batch price is known."""
    try:
        listed = model_prices(situation.catalog, model.label, situation.choices.contract)
    except UnknownPrice:
        return None
    if not any(fact.typical for fact in listed):
        return None
    batch = batch_prices(situation.catalog, model.label, listed, situation.choices.contract)
    if batch is None:
        return None
    books = Binder(binder.draw, situation.catalog.assumptions, {}, situation.scenario)
    today = todays_price(binder, model, log)
    _keep(books, "todays_token_usd_per_mtok", today)
    _keep(books, "list_token_usd_per_mtok", mix_price(binder, model.mix, listed, model.label, log, "at list price"))
    _keep(books, "batch_token_usd_per_mtok", mix_price(binder, model.mix, batch.prices, model.label, log, batch.how))
    books.evaluate(batch_over_list_price_ratio)
    books.derive("already_batch_fraction", model.batch_fraction, "sent by batch in the log", source=log)
    node = books.evaluate(token_with_batch_usd_per_mtok)
    return books.derive("token_usd_per_mtok", node.value, f"{model.label}: {batch.how}", node)


def _keep(books: Binder, name: str, node: Node) -> None:
    books.derive(name, node.value, node.summary, node)


OPTIONS = (BatchApi(),)
