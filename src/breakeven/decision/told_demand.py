"""Told demand: the log's calls at another volume, or at another price of today's models, as the scenario says."""

from __future__ import annotations

from dataclasses import replace

from breakeven.catalog.load import Catalog
from breakeven.decision.scenario import Scenario
from breakeven.facts.assumption import Assumption
from breakeven.options.assembly.demand import Demand


def as_told(demand: Demand, catalog: Catalog, scenario: Scenario) -> Demand:
    """What the log shows, at the volume and the price of today's models that the scenario gives, if any."""
    if scenario.volume_mtok_per_month is not None:
        hours = {**catalog.assumptions, **scenario.facts(catalog)}["hours_per_month"].typical
        demand = at_volume(demand, scenario.volume_mtok_per_month, hours)
    return demand if scenario.api_price_ratio == 1 else at_price(demand, scenario.api_price_ratio)


def at_volume(demand: Demand, volume_mtok_per_month: float, hours_per_month: float) -> Demand:
    """The same calls at another volume of a month."""
    now = float(demand.volume_mtok_per_month(hours_per_month))
    return replace(demand, observed_hours=demand.observed_hours * now / volume_mtok_per_month)


def at_price(demand: Demand, api_price_ratio: float) -> Demand:
    """The same calls at a multiple of today's prices."""
    models = tuple(
        replace(
            model,
            spend_usd=model.spend_usd * api_price_ratio,
            prices=tuple(_times(price, api_price_ratio) for price in model.prices),
            by_task=tuple(replace(task, spend_usd=task.spend_usd * api_price_ratio) for task in model.by_task),
        )
        for model in demand.models
    )
    return replace(demand, models=models)


def _times(price: Assumption, ratio: float) -> Assumption:
    return replace(price, low=price.low * ratio, typical=price.typical * ratio, high=price.high * ratio)
