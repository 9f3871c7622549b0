"""Horizon: every option over the months to come: present cost, bills and odds by month, payback, regret, waiting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.decision.compare import STATUS_QUO, typical
from breakeven.decision.horizon.capital import irr_fraction_per_month, payback_months
from breakeven.decision.horizon.exact import CashFlow, Setting, cash_flows, setting_of
from breakeven.decision.horizon.paths import PATHS, Paths
from breakeven.decision.horizon.run import Run, run
from breakeven.decision.horizon.terms import Terms, terms_of
from breakeven.decision.horizon.waiting import Waiting, waiting_for
from breakeven.errors import ScenarioError
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.facts.trace import Node
from breakeven.options.option import Option, Situation

KEPT_DRAWS_LOG2: Final = 11
"""Whole futures that are kept month by month, for quantiles and paybacks."""
CHECKED_DRAWS_COUNT: Final = 32
"""Futures in which the fast form is held against the exact months, in every run."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OptionHorizon:
    """One option over the months, for equal successful outcomes; positive: money goes out."""

    name: str
    present_cost_usd: Floats
    """Shape ``(draws,)``."""
    typical: CashFlow
    """Every assumption at its typical value, exact."""
    typical_present_cost_usd: float
    upfront_usd: Floats
    """Of the kept draws."""
    bills_usd_per_month: Floats
    """Shape ``(months, kept draws)``; capital as its annuity."""
    payback_months: Floats
    """Of the kept draws, against the status quo; infinity: never."""
    typical_payback_months: float
    irr_fraction_per_month: float | None
    cheapest_fraction: float
    """Share of the draws in which its present cost is the lowest of all that are open to all."""
    cheapest_by_month_fraction: Floats
    """The same of each month's bill."""
    regret_usd: Floats
    """Shape ``(draws,)``: beyond the best in each."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """The decision over time."""

    months_count: int
    draws_count: int
    discount_fraction_per_year: float
    """Typical."""
    options: tuple[OptionHorizon, ...]
    """Lowest expected present cost first."""
    open_to_all: tuple[str, ...]
    """Options that everybody may take: only they are recommended and share the odds."""
    paths: Paths
    """Of the kept draws, each of shape ``(months, draws)``."""
    typical_paths: Paths
    nodes: Mapping[str, Node]
    """Facts of the paths, with their draws."""
    waiting: Waiting | None
    """None when nothing but the status quo could be costed."""
    approximation_error_fraction: float
    """Largest relative difference of an option's mean present cost between the fast form and the exact months."""

    @property
    def facts(self) -> tuple[Node, ...]:
        """Facts of the paths."""
        return tuple(self.nodes.values())

    @property
    def present_cost_usd(self) -> dict[str, Draws]:
        """Present cost of every option, shape ``(draws,)``."""
        return {each.name: each.present_cost_usd for each in self.options}

    @property
    def recommended(self) -> str:
        """Lowest expected present cost of all that everybody may take."""
        return next(each.name for each in self.options if each.name in self.open_to_all)

    @property
    def rival(self) -> str | None:
        """The status quo; the next best when that is recommended, or no option; None when there is none."""
        if self.recommended != STATUS_QUO and STATUS_QUO in self.open_to_all:
            return STATUS_QUO
        others = (each.name for each in self.options if each.name in self.open_to_all)
        return next((name for name in others if name != self.recommended), None)

    def option(self, name: str) -> OptionHorizon:
        """The option `name`."""
        return next(each for each in self.options if each.name == name)


def look_ahead(
    situation: Situation,
    options: Mapping[str, Option],
    draws: DrawSet,
    *,
    estimates: Mapping[str, Assumption] | None = None,
    only_if: Sequence[str] = (),
) -> Horizon:
    """Project `options` over the scenario's horizon; `only_if`: names of those that not everybody may take.

    `estimates`: facts that the log shows (its growth), under what the scenario sets.
    """
    in_order = {STATUS_QUO: options[STATUS_QUO], **options}
    estimates = estimates or {}
    typical_setting = setting_of(situation, typical, estimates)
    typical_flows = cash_flows(typical_setting, in_order)
    setting = setting_of(situation, draws.of, estimates)
    terms = terms_of(setting, in_order)
    open_to_all = tuple(name for name in in_order if name not in only_if) or tuple(in_order)
    kept_count = min(1 << KEPT_DRAWS_LOG2, draws.draws_count)
    found = run(setting, terms, rivals=open_to_all, kept_count=kept_count)
    _refuse_overflow(found)
    best = np.min(np.stack([found.present(name) for name in open_to_all]), axis=0)
    lowest = np.argmin(np.stack([found.present(name) for name in open_to_all]), axis=0)
    results = [
        _option(found, typical_flows, typical_setting, index, best, _odds(lowest, open_to_all, name, found, best))
        for index, name in enumerate(found.names)
    ]
    results.sort(key=lambda each: (float(np.mean(each.present_cost_usd)), each.name))
    moves_to = next((each.name for each in results if each.name in open_to_all and each.name != STATUS_QUO), None)
    return Horizon(
        setting.facts.months_count,
        draws.draws_count,
        float(typical_setting.facts.discount_fraction_per_year.value.flat[0]),
        tuple(results),
        open_to_all,
        _first(setting.paths.all(), kept_count),
        typical_setting.paths.all(),
        {**setting.facts.nodes, "cost_of_capital_fraction_per_year": setting.facts.discount_fraction_per_year},
        waiting_for(setting, terms, moves_to, may_stay=STATUS_QUO in open_to_all) if moves_to else None,
        _error(situation, in_order, draws, estimates, terms, found),
    )


def _odds(lowest: NDArray[np.int64], names: Sequence[str], name: str, found: Run, best: Floats) -> float:
    if name in names:
        return float(np.mean(lowest == names.index(name)))
    return float(np.mean(found.present(name) < best))


def _option(
    found: Run, flows: Mapping[str, CashFlow], setting: Setting, index: int, best: Floats, odds: float
) -> OptionHorizon:
    name = found.names[index]
    flow, today = flows[name], flows[STATUS_QUO]
    typical_cash = _saving(flow.upfront_usd, flow.usd_per_month, today.usd_per_month)[:, 0]
    kept_cash = _saving(found.upfront_usd[index], found.cash_usd_per_month[index], found.cash_usd_per_month[0])
    stays = name == STATUS_QUO
    return OptionHorizon(
        name,
        found.present(name),
        flow,
        float(flow.present_cost_usd(setting.facts.discount())[0]),
        found.upfront_usd[index],
        found.bills_usd_per_month[index],
        np.zeros(kept_cash.shape[1]) if stays else payback_months(kept_cash),
        0.0 if stays else float(payback_months(typical_cash)),
        None if stays else irr_fraction_per_month(typical_cash),
        odds,
        found.cheapest_fraction[index],
        found.present(name) - best,
    )


def _saving(upfront: Floats, cash: Floats, today: Floats) -> Floats:
    """Cash flow of moving: what today's bills are more than this option's, after what is paid at the start."""
    return np.concatenate([-np.broadcast_to(upfront, (1, cash.shape[1])), today - cash])


def _first(paths: Paths, count: int) -> Paths:
    return Paths(*(getattr(paths, name)[:, :count] for name in (*PATHS, "moved")))


def _error(
    situation: Situation,
    options: Mapping[str, Option],
    draws: DrawSet,
    estimates: Mapping[str, Assumption],
    terms: Sequence[Terms],
    found: Run,
) -> float:
    """Cost the first draws month by month, and compare the means."""
    count = min(CHECKED_DRAWS_COUNT, draws.draws_count)
    setting = setting_of(situation, _first_draws(draws, count), estimates)
    discount = setting.facts.discount()
    flows = cash_flows(setting, options)
    errors = []
    for each in terms:
        exact = float(np.mean(flows[each.name].present_cost_usd(discount)))
        errors.append(abs(float(np.mean(found.present(each.name)[:count])) / exact - 1))
    return max(errors)


def _first_draws(draws: DrawSet, count: int) -> Callable[[Assumption], Draws]:
    def draw(assumption: Assumption) -> Draws:
        return draws.of(assumption)[:count]

    return draw


def _refuse_overflow(found: Run) -> None:
    if not np.isfinite(found.present_cost_usd).all():
        name = found.names[int(np.argmin(np.isfinite(found.present_cost_usd).all(axis=1)))]
        raise ScenarioError(
            f"the present cost of {name} is no finite number in some futures; look at "
            "volume_growth_fraction_per_month, gpu_rent_volatility_ratio and horizon_months under overrides"
        )
