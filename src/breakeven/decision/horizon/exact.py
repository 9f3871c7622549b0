"""Exact: what each option pays, month by month, by costing it anew at every month's volume and prices.

This is the meaning of the horizon; the fast form for many draws (`terms`, `kernel`) is held against it. All money is
for as many successful outcomes as the status quo gives. Bills are paid at the end of a month, one-off cash at its
start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breakeven.costs.line import CostLine
from breakeven.costs.ownership import gpu_residual_fraction
from breakeven.decision.compare import STATUS_QUO
from breakeven.decision.horizon.paths import PathFacts, ProjectedPaths, path_facts, paths_of
from breakeven.decision.horizon.price_of_line import price_of
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.memory import recalled
from breakeven.facts.trace import Binder
from breakeven.options.option import Evaluation, Option, OptionCost, Situation

Months = NDArray[np.float64]
"""Shape ``(months, draws)``."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What every option of a horizon shares."""

    situation: Situation
    draw: Callable[[Assumption], Draws]
    facts: PathFacts
    paths: ProjectedPaths
    volume_mtok: Draws
    """Today's monthly volume, shape ``(draws,)``."""
    residual_facts: tuple[Draws, Draws]
    """Resale value after three and five years, over the purchase price."""


@dataclass(frozen=True, slots=True)
class CashFlow:
    """One option's cash, positive: money goes out."""

    name: str
    upfront_usd: Draws
    """Before the first month."""
    usd_per_month: Months
    """Cash of each month; hardware bought in it, and what hardware brings at the end, are in it."""
    bill_usd_per_month: Months
    """The same with capital as its annuity: what the month costs."""

    def present_cost_usd(self, discount_ratio: Draws) -> Draws:
        """Present value of all of it, shape ``(draws,)``; `discount_ratio`: worth of a dollar a month from now."""
        months = np.arange(1, len(self.usd_per_month) + 1, dtype=np.float64)[:, None]
        return np.asarray(self.upfront_usd + np.sum(self.usd_per_month * discount_ratio**months, axis=0))


def setting_of(
    situation: Situation, draw: Callable[[Assumption], Draws], estimates: Mapping[str, Assumption]
) -> Setting:
    """Resolve the paths; `estimates` are facts that the log shows (growth), under what the scenario sets."""
    binder = Binder(draw, situation.catalog.assumptions, estimates, situation.scenario)
    facts = path_facts(binder)
    hours = binder.node("hours_per_month")
    observed = situation.demand.volume_mtok_per_month(hours.value)
    ratio_name = "volume_over_observed_ratio"
    ratio = binder.value(ratio_name if ratio_name in situation.scenario else situation.demand.volume_ratio_name)
    residual = (binder.value("gpu_residual_year3_fraction"), binder.value("gpu_residual_year5_fraction"))
    return Setting(situation, draw, facts, paths_of(facts), np.asarray(observed * ratio), residual)


def cash_flows(setting: Setting, options: Mapping[str, Option], *, start_month: int = 0) -> dict[str, CashFlow]:
    """The cash of every option; the status quo must be among them. Moves begin after `start_month` months as today."""
    base = _at_volumes(setting, options[STATUS_QUO], setting.volume_mtok * setting.paths.volume, moves=False)
    today = _status_quo(setting, base)
    found = {STATUS_QUO: today}
    for name, option in options.items():
        if name != STATUS_QUO:
            found[name] = moved_cash(setting, option, today, base.success.value, start_month)
    return {name: found[name] for name in options}


def moved_cash(
    setting: Setting, option: Option, today: CashFlow, today_success_fraction: Draws, start_month: int = 0
) -> CashFlow:
    """Cash of an option to which the traffic moves over the ramp; what has not moved is paid as today."""
    moved = delayed(setting.paths.moved, start_month)
    runs = (moved > 0).astype(np.float64)
    volumes = setting.volume_mtok * setting.paths.volume * np.where(moved > 0, moved, 1.0)
    cost = _at_volumes(setting, option, volumes, moves=True)
    factor = today_success_fraction / cost.success.value
    bill = _monthly(cost, setting.paths, volumes.shape, start_month) * runs
    cash, capex = bill, None
    if cost.capital is not None:
        annuity = np.broadcast_to(cost.capital.annuity_usd_per_month.value, volumes.shape) * runs
        capex = np.broadcast_to(cost.capital.capex_usd.value, volumes.shape) * runs
        cash = bill - annuity
    rest = (1 - moved) * today.usd_per_month
    shape = np.broadcast_shapes(bill.shape, np.shape(factor), rest.shape)
    bill, cash = np.broadcast_to(bill * factor + rest, shape), np.broadcast_to(cash * factor + rest, shape)
    upfront = np.broadcast_to(once_usd(cost, setting.facts), shape[1:]).astype(np.float64)
    if start_month:
        cash = cash.copy()
        cash[start_month - 1] += upfront
        upfront = np.zeros(shape[1:])
    if capex is not None:
        bought, sold = hardware_cash(setting, cost, capex)
        bought = bought * factor
        cash = cash.copy()
        cash[:-1] += bought[1:]  # paid when the month begins
        cash[-1] -= np.ravel(sold * factor)
        upfront = upfront + bought[0]
    return CashFlow(option.name, upfront, cash, bill)


def delayed(moved: Months, start_month: int) -> Months:
    """The ramp, begun after `start_month` months."""
    if not start_month:
        return moved
    late = np.zeros_like(moved)
    late[start_month:] = moved[: max(len(moved) - start_month, 0)]
    return late


def once_usd(cost: OptionCost, facts: PathFacts) -> Draws:
    """What the move costs: its line is spread over the horizon without interest."""
    lines = [line for line in cost.breakdown.counted if price_of(line, cost) == "once"]
    total: Draws = recalled(_over_the_months, facts.months_count, *(line.usd_per_month.value for line in lines))
    return total


def _over_the_months(months_count: int, *usd_per_month: Draws) -> Draws:
    total: Draws = np.zeros(1)
    for each in usd_per_month:
        total = total + each * months_count
    return total if total.ndim < 2 else total[0]


def hardware_cash(setting: Setting, cost: OptionCost, capex_usd: Months) -> tuple[Months, Draws]:
    """Purchases before each month (row 0: before month 1), and what all of it brings at the end of the horizon.

    Hardware is bought when the fleet grows, and again at the end of its life (when the old one is sold).
    """
    assert cost.capital is not None
    months, life = len(capex_usd), np.maximum(np.ceil(cost.capital.lifetime_months.value), 1.0)
    age = cost.capital.age_months.value if cost.capital.age_months is not None else np.zeros(1)
    bought = np.zeros(capex_usd.shape)
    alive = np.zeros(capex_usd.shape[1:])
    sold_early = np.zeros(capex_usd.shape)
    for month in range(months):
        for earlier in range(month):
            ends = np.broadcast_to(life == month - earlier, alive.shape)
            if ends.any():
                gone = np.where(ends, bought[earlier], 0.0)
                alive = alive - gone
                sold_early[month] += gone * _worth(setting, age, life)
        bought[month] = np.maximum(capex_usd[month] - alive, 0.0)
        alive = alive + bought[month]
    at_end = np.zeros(capex_usd.shape[1:])
    for month in range(months):
        kept = np.where(np.broadcast_to(life > months - 1 - month, alive.shape), bought[month], 0.0)
        at_end = at_end + kept * _worth(setting, age, np.asarray(float(months - month)))
    return bought - sold_early, at_end


def _worth(setting: Setting, age_months: Draws, months: Draws) -> Draws:
    """Resale value of hardware after `months`, over what was paid for it at that age."""
    year3, year5 = setting.residual_facts
    later = gpu_residual_fraction(age_months + months, year3, year5)
    return np.asarray(later / gpu_residual_fraction(age_months, year3, year5))


def _status_quo(setting: Setting, cost: OptionCost) -> CashFlow:
    volumes = setting.volume_mtok * setting.paths.volume
    bill = np.broadcast_to(_monthly(cost, setting.paths, volumes.shape), volumes.shape)
    return CashFlow(STATUS_QUO, np.zeros(volumes.shape[1:]), bill, bill)


def _at_volumes(setting: Setting, option: Option, volumes_mtok: Months, *, moves: bool) -> OptionCost:
    work = setting.paths.open_model_work if moves else None
    return option.cost(setting.situation, Evaluation(setting.draw, volumes_mtok, work))


def _monthly(cost: OptionCost, paths: ProjectedPaths, shape: tuple[int, ...], start_month: int = 0) -> Months:
    """Lines at their month's prices, without what is paid once."""
    total: Months = np.zeros(shape)
    for line in cost.breakdown.counted:
        total = total + _line(line, cost, paths, start_month)
    return total


def _line(line: CostLine, cost: OptionCost, paths: ProjectedPaths, start_month: int) -> Months:
    value = line.usd_per_month.value
    match price_of(line, cost):
        case "once":
            return np.zeros(1)
        case "api_list_price":
            return value * paths.api_list_price
        case "open_token_price":
            return value * paths.open_token_price
        case "gpu_rent":
            return value * committed(paths.gpu_rent, cost.commitment_months, start_month)
        case "today":
            return value


def committed(rent: Months, commitment_months: int, start_month: int = 0) -> Months:
    """The rent of a term: what the market asked when the term began; the first one begins after `start_month`."""
    if not commitment_months:
        return rent
    months = np.maximum(np.arange(len(rent)) - start_month, 0)
    begun = months // commitment_months * commitment_months + start_month
    return np.asarray(rent[np.minimum(begun, len(rent) - 1)])
