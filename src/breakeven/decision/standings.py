"""Standings: options side by side with what decides and nothing for show: no ranges of lines, no bands, no levers.

A what-if asks for little of a comparison, and asks often. The figures are those of `compare`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from breakeven.decision.breakeven import pairwise
from breakeven.decision.compare import (
    STATUS_QUO,
    CurveMaker,
    PairMaker,
    along_volumes,
    cost_all,
    full,
    straight_pieces,
    twins_of,
)
from breakeven.decision.comparison import Pair, Range, Unavailable, range_of
from breakeven.decision.curve import CostCurve
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.memory import recalled
from breakeven.options.assembly.demand import Demand
from breakeven.options.option import Evaluation, Option, OptionCost, Situation


@dataclass(frozen=True, slots=True)
class Standing:
    """One Option."""

    cost: OptionCost
    equal_success_usd_per_month: Range
    """Cost of as many successful outcomes as the status quo gives."""
    same_as: str | None
    """An Option that costs the same in every draw, named earlier."""

    @property
    def name(self) -> str:
        """Name of the Option."""
        return self.cost.name


@dataclass(frozen=True, slots=True)
class Standings:
    """Options side by side."""

    demand: Demand
    status_quo: str
    options: tuple[Standing, ...]
    unavailable: tuple[Unavailable, ...]
    curves: tuple[CostCurve, ...]
    """Typical monthly cost for equal successful outcomes, exact."""
    low_mtok: float
    """Where the axis of the curves begins, and where it ends."""
    end_mtok: float
    pairs: tuple[Pair, ...]
    """Where each crosses the status quo, at typical values."""
    typical_volume_mtok: float
    draws_count: int
    seed: int

    def option(self, name: str) -> Standing:
        """The Option `name`."""
        return next(each for each in self.options if each.name == name)


def standings_of(
    situation: Situation,
    options: Mapping[str, Option],
    draw: Callable[[Assumption], Draws],
    draws_count: int,
    seed: int,
    *,
    curve_of: CurveMaker = straight_pieces,
    pair_of: PairMaker = pairwise,
) -> Standings:
    """Cost `options` for `situation`; the status quo must be among them and have a price.

    `curve_of` and `pair_of` are those of `along_volumes`.
    """
    costs, unavailable = cost_all(situation, options, Evaluation(draw))
    return standings_among(
        situation, options, costs, unavailable, draws_count, seed, curve_of=curve_of, pair_of=pair_of
    )


def standings_among(
    situation: Situation,
    options: Mapping[str, Option],
    costs: Mapping[str, OptionCost],
    unavailable: tuple[Unavailable, ...],
    draws_count: int,
    seed: int,
    *,
    curve_of: CurveMaker = straight_pieces,
    pair_of: PairMaker = pairwise,
) -> Standings:
    """The same of options that are costed already, as `cost_all` does it."""
    axis = along_volumes(situation, {name: options[name] for name in costs}, curve_of, pair_of)
    return Standings(
        situation.demand,
        STATUS_QUO,
        _standings(costs, draws_count),
        unavailable,
        axis.curves,
        axis.low_mtok,
        axis.end_mtok,
        axis.pairs,
        axis.here_mtok,
        draws_count,
        seed,
    )


def _standings(costs: Mapping[str, OptionCost], draws_count: int) -> tuple[Standing, ...]:
    twins = twins_of({name: full(cost.cost_per_success.value, draws_count) for name, cost in costs.items()})
    base = costs[STATUS_QUO].success.value
    return tuple(
        Standing(cost, recalled(_equal_range, cost.total.value, base, cost.success.value, draws_count), twins.get(name))
        for name, cost in costs.items()
    )


def _equal_range(total_usd: Draws, base_success: Draws, success: Draws, draws_count: int) -> Range:
    return range_of(np.asarray(full(total_usd * (base_success / success), draws_count)))
