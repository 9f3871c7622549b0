"""Provisioned throughput: whole units of today's model, by the hour from its provider, at the user's own quote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.line import CostLine
from breakeven.errors import CatalogError, UnknownPrice
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder
from breakeven.options.assembly.constraints import check_provider
from breakeven.options.assembly.log_models import log_providers
from breakeven.options.assembly.mix import describe
from breakeven.options.assembly.per_token import bind_per_token, per_token_lines
from breakeven.options.assembly.retries import retries, tried_unit_tok_per_s
from breakeven.options.assembly.staircase import Staircase
from breakeven.options.assembly.success import bind_todays_success
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)
from breakeven.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK

PRICE, SPEED, FEWEST = "provisioned_usd_per_unit_hour", "provisioned_unit_tok_per_s", "provisioned_units_min_count"
UNITS_MAX_COUNT: Final = 100_000.0
"""More units than this are a slip in the scenario, not a plan."""


@formula
def provisioned_peak_tok_per_s(
    volume_mtok_per_month: Draws,
    hours_per_month: Draws,
    hourly_peak_to_mean_ratio: Draws,
    burst_headroom_ratio: Draws,
) -> Draws:
    """Tokens per second to provide for: the mean, times the busiest hour, times headroom for bursts within it.

    >>> float(provisioned_peak_tok_per_s(2_628.0, 730.0, 2.0, 1.5))
    3000.0
    """
    mean_tok_per_s = volume_mtok_per_month * TOKENS_PER_MTOK / (hours_per_month * SECONDS_PER_HOUR)
    return mean_tok_per_s * np.maximum(hourly_peak_to_mean_ratio, 1.0) * np.maximum(burst_headroom_ratio, 1.0)


@formula
def provisioned_units_count(
    provisioned_peak_tok_per_s: Draws, provisioned_unit_tok_per_s: Draws, provisioned_units_min_count: Draws
) -> Draws:
    """Whole units that carry the peak; never fewer than the provider sells.

    >>> float(provisioned_units_count(3000.0, 1250.0, 2.0)), float(provisioned_units_count(10.0, 1250.0, 2.0))
    (3.0, 2.0)
    """
    return np.ceil(np.maximum(provisioned_peak_tok_per_s / provisioned_unit_tok_per_s, provisioned_units_min_count))


@formula
def provisioned_usd_per_month(
    provisioned_units_count: Draws, provisioned_usd_per_unit_hour: Draws, hours_per_month: Draws
) -> Draws:
    """The commitment: every unit is paid in every hour, busy or not.

    >>> float(provisioned_usd_per_month(3.0, 2.0, 730.0))
    4380.0
    """
    return provisioned_units_count * provisioned_usd_per_unit_hour * hours_per_month


@formula
def busy_fraction(
    volume_mtok_per_month: Draws,
    hours_per_month: Draws,
    provisioned_units_count: Draws,
    provisioned_unit_tok_per_s: Draws,
) -> Draws:
    """Share of the paid unit-hours that does useful work; computed from the calls' own rate, never assumed.

    >>> float(busy_fraction(2_628.0, 730.0, 2.0, 1000.0))
    0.5
    """
    mean_tok_per_s = volume_mtok_per_month * TOKENS_PER_MTOK / (hours_per_month * SECONDS_PER_HOUR)
    return np.minimum(mean_tok_per_s / (provisioned_units_count * provisioned_unit_tok_per_s), 1.0)


@formula
def provisioned_busy_usd_per_month(provisioned_usd_per_month: Draws, busy_fraction: Draws) -> Draws:
    """The share of the commitment that did useful work; the rest belongs to `idle_capacity`.

    >>> float(provisioned_busy_usd_per_month(4380.0, 0.25))
    1095.0
    """
    return provisioned_usd_per_month * busy_fraction


@formula
def provisioned_step_mtok_per_month(
    provisioned_unit_tok_per_s: Draws,
    hours_per_month: Draws,
    hourly_peak_to_mean_ratio: Draws,
    burst_headroom_ratio: Draws,
) -> Draws:
    """Monthly volume that one more unit carries: the width of a step of the cost staircase.

    >>> float(provisioned_step_mtok_per_month(1000.0, 730.0, 2.0, 1.0))
    1314.0
    """
    full_month = provisioned_unit_tok_per_s * hours_per_month * SECONDS_PER_HOUR
    peak: Draws = np.maximum(hourly_peak_to_mean_ratio, 1.0) * np.maximum(burst_headroom_ratio, 1.0)
    return full_month / peak / TOKENS_PER_MTOK


@dataclass(frozen=True, slots=True)
class Provisioned:
    """Today's models on units reserved for this team; nothing is billed per token."""

    name: str = "provisioned"
    title: str = "Provisioned throughput (your quote)"
    family: Family = "api"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Cost the whole demand on whole units at the scenario's quote; raises UnknownPrice without one."""
        _require_quote(situation.scenario)
        for provider in log_providers(situation.demand):
            check_provider(situation, provider)
        binder = binder_for(situation, evaluation, {})
        bind_per_token(binder, exposure="api_breach_exposure_ratio")
        bind_todays_success(binder, situation, "the same models: assumed")
        staircase = _bind_units(binder, evaluated_at_own_volume=evaluation.volume_mtok is None)
        busy = CostLine(
            "provisioned_busy",
            "Provisioned units, busy hours",
            binder.evaluate(provisioned_busy_usd_per_month),
            raw_rent=True,
        )
        breakdown = CostBreakdown((busy, *per_token_lines(binder, watched=False)))
        facts = tuple(binder.node(name) for name in ("provisioned_units_count", "busy_fraction"))
        buys = f"whole units by the hour at your quote, for {describe(situation.demand)}"
        return option_cost(self, binder, breakdown, buys, staircase=staircase, facts=facts)


def _require_quote(scenario: Mapping[str, Assumption]) -> None:
    missing = [name for name in (PRICE, SPEED) if name not in scenario]
    if missing:
        raise UnknownPrice(
            f"needs your quote: set {' and '.join(missing)} under overrides in the scenario; "
            f"no price of provisioned throughput is published that would fit every model"
        )


def _bind_units(binder: Binder, *, evaluated_at_own_volume: bool) -> Staircase:
    """Size the units and bind their commitment in place of a rent; returns where the cost jumps (typical values)."""
    if FEWEST not in binder.scenario:
        binder.derive(FEWEST, 1.0, "no minimum is part of the quote")
    if retries(binder):
        binder.apply(tried_unit_tok_per_s, binder.node(SPEED), binder.node("expected_tries_count"), name=SPEED)
    binder.evaluate(provisioned_peak_tok_per_s)
    units = binder.evaluate(provisioned_units_count)
    if evaluated_at_own_volume and float(np.median(units.value)) > UNITS_MAX_COUNT:
        raise CatalogError(
            f"would need {float(np.median(units.value)):,.0f} units, more than {UNITS_MAX_COUNT:,.0f}: look at {SPEED}"
        )
    binder.evaluate(provisioned_usd_per_month)
    binder.evaluate(busy_fraction)
    binder.rename("capacity_usd_per_month", "provisioned_usd_per_month", "the commitment, busy or not")
    step = binder.evaluate(provisioned_step_mtok_per_month)
    return Staircase.of_draws(step.value, binder.value(FEWEST), FEWEST, of_tokens=True)


OPTIONS = (Provisioned(),)
