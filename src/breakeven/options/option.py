"""Option: a way to serve a Workload: what it buys, and the list of its CostLines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np

from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.ownership_views import OwnershipViews
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.trace import Binder, Node
from breakeven.options.assembly.capacity import WORK_RATIO
from breakeven.options.assembly.demand import Demand, bind_demand
from breakeven.options.assembly.hardware import Capital as Capital
from breakeven.options.assembly.situation import Situation as Situation
from breakeven.options.assembly.staircase import Staircase
from breakeven.outcomes.cost_per_success import cost_usd_per_success, successes_per_month

Family = Literal["api", "brokered", "routed", "managed", "self_hosted", "hybrid"]
OF_PARTS: Final[tuple[Family, ...]] = ("routed", "hybrid")
"""Families of two parts and more, each with lines of its own under names and titles that say which."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How to turn Assumptions into numbers: draws, or typical values along a grid of volumes."""

    draw: Callable[[Assumption], Draws]
    volume_mtok: Draws | None = None
    """Monthly volumes to evaluate at instead of the observed one, broadcastable with the draws."""
    work_ratio: Draws | None = None
    """Work per token of an open model of equal quality over today's, in a month to come; None: today's."""
    lines_only: bool = False
    """For who reads nothing but the lines: total and cost per success are left out, and are not a number."""


@dataclass(frozen=True, slots=True)
class OptionCost:
    """One Option, costed for one Situation under one Evaluation."""

    name: str
    title: str
    family: Family
    breakdown: CostBreakdown
    total: Node
    """``total_usd_per_month``."""
    cost_per_success: Node
    volume: Node
    requests: Node
    success: Node
    buys: str
    """What is bought, in one line for the table."""
    staircase: Staircase | None = None
    facts: tuple[Node, ...] = ()
    """What else is worth showing: replicas, busy share."""
    views: OwnershipViews | None = None
    """The purchase as cash and in the books, for an Option that buys hardware."""
    capital: Capital | None = None
    """The hardware that it buys or keeps, for an Option that has some."""
    commitment_months: int = 0
    """Months for which its rent is agreed; 0: it follows the market."""
    only_if: str = ""
    """What must be true of the reader for this Option to be there at all, e.g. ``you already own the GPUs``: it is
    costed and shown, and neither recommended nor counted in anybody's odds. Empty: everybody may take it."""


class Option(Protocol):
    """What a file in this folder offers in its `OPTIONS`."""

    @property
    def name(self) -> str:
        """Stable identifier, e.g. ``frontier_api``."""
        ...

    @property
    def title(self) -> str:
        """What a person reads."""
        ...

    @property
    def family(self) -> Family:
        """api, brokered, routed, managed, self_hosted or hybrid."""
        ...

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Cost this Option; raises UnknownPrice or CatalogError when it cannot be had."""
        ...


def binder_for(
    situation: Situation,
    evaluation: Evaluation,
    offer: Mapping[str, Assumption],
    share: Node | None = None,
    part: Demand | None = None,
) -> Binder:
    """A Binder over all layers, with the demand bound, or `share` of its tokens: the calls of `part`, when given."""
    binder = Binder(
        evaluation.draw, situation.catalog.assumptions, offer, situation.scenario, lines_only=evaluation.lines_only
    )
    bind_demand(binder, situation.demand, evaluation.volume_mtok, share, part)
    if evaluation.work_ratio is not None:
        binder.derive(
            WORK_RATIO, evaluation.work_ratio, "work per token of an open model of equal quality, over today's"
        )
    return binder


def option_cost(
    option: Option,
    binder: Binder,
    breakdown: CostBreakdown,
    buys: str,
    *,
    staircase: Staircase | None = None,
    facts: tuple[Node, ...] = (),
    views: OwnershipViews | None = None,
    capital: Capital | None = None,
    commitment_months: int = 0,
    only_if: str = "",
) -> OptionCost:
    """Close the books of one Option: total and cost per success; needs `success_fraction` bound."""
    lines = tuple(line.usd_per_month for line in breakdown.counted)
    success = binder.node("success_fraction")
    if binder.lines_only:
        total, per_success = (binder.derive(name, np.nan, "left out") for name in _LEFT_OUT)
    else:
        value, once = breakdown.total_usd_per_month(), (1.0,) * len(lines)
        total = binder.derive("total_usd_per_month", value, "sum of the lines", *lines, weights=once)
        binder.evaluate(successes_per_month)
        per_success = binder.evaluate(cost_usd_per_success)
    return OptionCost(
        option.name,
        option.title,
        option.family,
        breakdown,
        total,
        per_success,
        binder.node("volume_mtok_per_month"),
        binder.node("requests_per_month"),
        success,
        buys,
        staircase,
        facts,
        views,
        capital,
        commitment_months,
        only_if,
    )


_LEFT_OUT: Final = ("total_usd_per_month", "cost_usd_per_success")
