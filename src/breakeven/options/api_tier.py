"""Cheaper tier: the calls stay at their provider and move to its cheaper model, e.g. from gpt-5 to gpt-5-mini."""

from __future__ import annotations

from dataclasses import dataclass, replace

from breakeven.costs.breakdown import CostBreakdown
from breakeven.errors import UnknownPrice
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder, Node
from breakeven.options.assembly.constraints import check_provider
from breakeven.options.assembly.demand import ModelDemand
from breakeven.options.assembly.log_models import offer_of, provider_of, same_model
from breakeven.options.assembly.mix import bind_mix_price, mix_price, shortened
from breakeven.options.assembly.offers import model_prices
from breakeven.options.assembly.per_token import bind_per_token, per_token_lines, token_line
from breakeven.options.assembly.success import bind_mixed_success
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)


@formula
def success_fraction(
    moved_requests_fraction: Draws, cheaper_tier_success_fraction: Draws, frontier_success_fraction: Draws
) -> Draws:
    """Success of the mix: the cheaper model on the requests that move, today's models on the rest.

    >>> round(float(success_fraction(0.5, 0.8, 0.9)), 3)
    0.85
    """
    stays = (1 - moved_requests_fraction) * frontier_success_fraction
    return moved_requests_fraction * cheaper_tier_success_fraction + stays


@dataclass(frozen=True, slots=True)
class _Tier:
    """Where the calls of one model go."""

    label: str
    prices: tuple[Assumption, ...]


@dataclass(frozen=True, slots=True)
class CheaperTier:
    """Every model of the log moves to its own cheaper tier, or all of them to the scenario's `tier_model`."""

    name: str = "cheaper_tier"
    title: str = "Cheaper API tier"
    family: Family = "api"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Cost the moved calls at the cheaper model's price and the others at today's."""
        demand = situation.demand
        tiers = {each.label: tier for each in demand.models if (tier := _tier_of(situation, each)) is not None}
        if not tiers:
            raise UnknownPrice(
                f"the catalogue knows no cheaper tier of {shortened([each.label for each in demand.models])}; "
                f"name one as tier_model: provider/model in the scenario"
            )
        for provider in _providers(situation, tiers):
            check_provider(situation, provider)
        binder = binder_for(situation, evaluation, {})
        prices = {
            each.label: mix_price(
                binder,
                each.mix,
                tiers[each.label].prices,
                each.label,
                demand.source,
                f"{each.label} moved to {tiers[each.label].label}",
            )
            for each in demand.models
            if each.label in tiers
        }
        bind_mix_price(binder, demand, prices)
        bind_per_token(binder, exposure="api_breach_exposure_ratio")
        moved = sum(each.requests_count for each in demand.models if each.label in tiers)
        share = moved / max(demand.requests_count, 1)
        binder.derive("moved_requests_fraction", share, "requests of the models that move", source=demand.source)
        bind_mixed_success(
            binder,
            situation,
            "",
            demand,
            answers={label: tier.label for label, tier in tiers.items()},
            instead="cheaper_tier_success_fraction",
            unmeasured=lambda: _assumed_success(binder),
        )
        breakdown = CostBreakdown((token_line(binder), *per_token_lines(binder)))
        return option_cost(self, binder, breakdown, _describe(situation, tiers))


def _assumed_success(binder: Binder) -> Node:
    """As assumed of both, unless the scenario says it."""
    name = "success_fraction"
    return binder.node(name) if name in binder.scenario else binder.evaluate(success_fraction)


def _tier_of(situation: Situation, model: ModelDemand) -> _Tier | None:
    """The model that the calls of `model` move to; None when they stay."""
    choices, catalog = situation.choices, situation.catalog
    label = choices.tier_model
    if label is None:
        offer = offer_of(catalog, model.label)
        if offer is None or offer.cheaper_tier is None:
            return None
        cheaper = catalog.token_offers[offer.cheaper_tier]
        label = f"{cheaper.provider}/{cheaper.model_ids[0]}"
    if same_model(label, model.label):
        return None
    prices = model_prices(catalog, label, choices.contract)
    if model.batch_fraction:
        in_batch = model_prices(catalog, label, choices.contract, is_batch=True)
        prices = tuple(_blend(*each, model.batch_fraction) for each in zip(prices, in_batch, strict=True))
    return _Tier(label, prices)


def _blend(standard: Assumption, in_batch: Assumption, batch_fraction: float) -> Assumption:
    """Mean price of calls of which the log sends a share through the batch API."""
    low, typical, high = (
        getattr(standard, each) * (1 - batch_fraction) + getattr(in_batch, each) * batch_fraction
        for each in ("low", "typical", "high")
    )
    note = f"{100 * batch_fraction:.0f} % of the tokens at the batch price, as in the log"
    return replace(standard, low=low, typical=typical, high=high, note=note)


def _providers(situation: Situation, tiers: dict[str, _Tier]) -> tuple[str, ...]:
    """Everybody who processes data under this Option."""
    labels = [tiers[each.label].label if each.label in tiers else each.label for each in situation.demand.models]
    return tuple(dict.fromkeys(provider_of(label) for label in labels))


def _describe(situation: Situation, tiers: dict[str, _Tier]) -> str:
    """Where the calls go, most spent first, and which stay."""
    ranked = sorted(situation.demand.models, key=lambda each: -each.spend_usd)
    moves = [f"{tiers[each.label].label} for {each.label}" for each in ranked if each.label in tiers]
    stays = [each.label for each in ranked if each.label not in tiers]
    if not stays:
        return shortened(moves)
    why = "stay" if len(stays) > 1 else "stays"
    return f"{shortened(moves)}; {shortened(stays)} {why} (no cheaper tier known)"


OPTIONS = (CheaperTier(),)
