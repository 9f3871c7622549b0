"""Exit criteria: from which volume, price, rent, success rate or number of incidents on the other option costs less.

Each is one measurable number of our own, found where the gap between the recommended option and its rival is zero: the
gap of the expected present costs where there is a horizon, else that of a month at typical values. A move is undone
when one of them is passed; whoever stays moves when one of them is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from breakeven.decision.answers.expected import CANDIDATES_COUNT, Expectation, Moved, Switch, Way, first_switch
from breakeven.decision.answers.outlook import ON_GPUS, equal_success_of
from breakeven.decision.answers.solve import Gap, Solution, as_fact, bounds_of, cost_with, solutions
from breakeven.decision.comparison import Comparison
from breakeven.errors import BreakevenError
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.trace import Node
from breakeven.options.option import Option, OptionCost, Situation

Metric = Literal["volume", "api_price", "gpu_rent", "success", "incidents"]
FACTS: Final[Mapping[str, Metric]] = {
    "gpu_rent_usd_per_gpu_hour": "gpu_rent",
    "incident_events_per_month": "incidents",
}
VOLUME_REACH_RATIO: Final = 20.0
"""How far from the log's volume a turn is looked for, up and down; as far for the price of today's API."""
VOLUME_POINTS_COUNT: Final = 4
TOKENS: Final = "tokens"
"""Name of the line that a price per token makes; its end where a part of a hybrid has one."""


@dataclass(frozen=True, slots=True)
class ExitCriterion:
    """One measurable condition under which the other option costs less."""

    metric: Metric
    fact: str
    """Name of the fact, or of what is measured."""
    unit: str
    typical: float
    """As things are."""
    value: float
    """Where both cost the same."""
    above: bool
    """Whether it is passed upwards."""
    jump: bool = False
    """Whether a fleet jumps by a replica there, so that the costs are never equal."""
    other: str | None = None
    """What costs less beyond it; None: the plan's other."""


@dataclass(frozen=True, slots=True)
class ExitPlan:
    """The conditions, and what they are about."""

    mover: str | None
    """The option that moves away from today; None: there is no other option."""
    stays: bool
    """Whether today's API is recommended: then the conditions say when to move."""
    criteria: tuple[ExitCriterion, ...]
    other: str | None = None
    """What costs less beyond a condition, and more as things are."""
    months_count: int | None = None
    """Months over which the costs are expected; None: one month at typical values."""


def exit_plan(
    comparison: Comparison,
    situation: Situation,
    options: Mapping[str, Option],
    at_typical: Mapping[str, OptionCost],
    recommended: str,
    rival: str | None,
    expected: Expectation | None = None,
    others: Sequence[str] = (),
) -> ExitPlan:
    """Conditions for leaving `recommended`; `at_typical` holds every option at typical values.

    With `expected` they are those of the expected present costs; `others`: what else may be moved to, the lowest
    expected cost first.
    """
    stays = recommended == comparison.status_quo
    mover = rival if stays else recommended
    if mover is None or rival is None:
        return ExitPlan(None, stays, ())
    if expected is not None:
        criteria = _ahead(comparison, expected.few(), at_typical, recommended, rival, others)
        return ExitPlan(mover, stays, criteria, rival, expected.months_count)
    cost, base = at_typical[mover], at_typical[comparison.status_quo]
    if (_gap_usd(cost, base) < 0) == stays:  # typical values disagree with the recommendation: it is past them already
        return ExitPlan(mover, stays, (), rival)
    found = [_volume(comparison, mover, stays)]
    if cost.family != "api":  # at the same provider the other price moves with today's
        found.append(_api_price(cost, base, stays))
    for fact, metric in _facts_of(cost, base):
        found.append(_by_fact(situation, options[mover], base, fact, metric, stays))
    return ExitPlan(mover, stays, tuple(each for each in found if each is not None), rival)


@dataclass(frozen=True, slots=True)
class _Search:
    """Where the recommended option stops costing least in expectation."""

    expected: Expectation
    names: tuple[str, ...]
    """The recommended one, then those that it is held against."""

    def switch(self, moved: Moved, way: Way, points_count: int = 1) -> Switch | None:
        return first_switch(self.expected, moved, self.names, way, points_count)


def _ahead(
    comparison: Comparison,
    expected: Expectation,
    at_typical: Mapping[str, OptionCost],
    recommended: str,
    rival: str,
    others: Sequence[str],
) -> tuple[ExitCriterion, ...]:
    """Whoever moved goes back to the rival alone; whoever stays moves to what wins first."""
    stays = recommended == comparison.status_quo
    cost, other = (at_typical[each] for each in ((rival, recommended) if stays else (recommended, rival)))
    held_against = dict.fromkeys((rival, *others[:CANDIDATES_COUNT])) if stays else (rival,)
    search = _Search(expected, (recommended, *held_against))
    costs = expected.costs_usd(expected.situation, search.names)
    if min(search.names, key=lambda name: float(np.mean(costs[name]))) != recommended:
        return ()  # too close for so few futures
    found = [_volume_ahead(search, comparison.typical_volume_mtok)]
    if stays or (cost.family != "api" and rival == comparison.status_quo):
        found.append(_api_price_ahead(search, at_typical[comparison.status_quo], stays))
    for fact, metric in _facts_of(cost, other):
        found.append(_fact_ahead(search, fact, metric, (metric == "success") == stays))
    return tuple(each for each in found if each is not None)


def _volume_ahead(search: _Search, here_mtok: float) -> ExitCriterion | None:
    """The nearer of the first switches upwards and downwards."""
    moved = search.expected.with_volume(here_mtok)
    ends = (here_mtok * VOLUME_REACH_RATIO, here_mtok / VOLUME_REACH_RATIO)
    switches = [search.switch(moved, (here_mtok, end), VOLUME_POINTS_COUNT) for end in ends]
    known = [each for each in switches if each is not None]
    if not known:
        return None
    value, other = min(known, key=lambda each: abs(np.log(each[0] / here_mtok)))
    return ExitCriterion(
        "volume", "volume_mtok_per_month", "mtok/month", here_mtok, value, value > here_mtok, other=other
    )


def _api_price_ahead(search: _Search, base: OptionCost, stays: bool) -> ExitCriterion | None:
    price = _tokens_usd(base, TOKENS) / float(base.volume.value.flat[0])
    end = VOLUME_REACH_RATIO if stays else 1 / VOLUME_REACH_RATIO
    switch = search.switch(search.expected.with_price(), (1.0, end))
    if switch is None or price <= 0:
        return None
    ratio, other = switch
    return ExitCriterion("api_price", "token_usd_per_mtok", "usd/mtok", price, price * ratio, stays, other=other)


def _fact_ahead(search: _Search, fact: Assumption, metric: Metric, upwards: bool) -> ExitCriterion | None:
    """None as well where the typical value itself, known for certain, ends the recommendation."""
    bounds, moved = bounds_of(fact), search.expected.with_fact(fact)
    if search.expected.winner(moved, fact.typical, search.names) != search.names[0]:
        return None
    switch = search.switch(moved, (fact.typical, bounds.high if upwards else bounds.low))
    if switch is None:
        return None
    return ExitCriterion(metric, fact.name, fact.unit, fact.typical, switch[0], upwards, other=switch[1])


def _volume(comparison: Comparison, mover: str, stays: bool) -> ExitCriterion | None:
    """The nearest volume at which the cheaper of the two changes, in the direction that ends the recommendation."""
    pair = next((each for each in comparison.pairs if each.option == mover), None)
    if pair is None:
        return None
    here = comparison.typical_volume_mtok
    leaves = comparison.status_quo if not stays else mover
    for crossing in sorted(pair.report.crossings, key=lambda each: abs(np.log(each.mtok_per_month / here))):
        upwards = crossing.mtok_per_month > here
        if (crossing.to_option if upwards else crossing.from_option) == leaves:
            return ExitCriterion(
                "volume", "volume_mtok_per_month", "mtok/month", here, crossing.mtok_per_month, upwards
            )
    return None


def _api_price(cost: OptionCost, base: OptionCost, stays: bool) -> ExitCriterion | None:
    """Today's price per million tokens at which both cost the same: the bills are lines in it."""
    today = _tokens_usd(base, TOKENS)
    kept = _tokens_usd(cost, f"api_{TOKENS}") * _factor(cost, base)
    rest = float(base.total.value.flat[0]) - today
    other = float(equal_success_of(cost, base).flat[0]) - kept
    if today <= 0 or today == kept:
        return None
    ratio = (other - rest) / (today - kept)
    price = today / float(base.volume.value.flat[0])
    if ratio <= 0 or (ratio > 1) != stays:
        return None
    return ExitCriterion("api_price", "token_usd_per_mtok", "usd/mtok", price, price * ratio, stays)


def _tokens_usd(cost: OptionCost, line: str) -> float:
    return sum(float(each.usd_per_month.value.flat[0]) for each in cost.breakdown.counted if each.name == line)


def _gap_usd(cost: OptionCost, base: OptionCost) -> float:
    """Cost of the mover less that of today's API."""
    return float((equal_success_of(cost, base) - base.total.value).flat[0])


def _factor(cost: OptionCost, base: OptionCost) -> float:
    return float((base.success.value / cost.success.value).flat[0])


def _facts_of(cost: OptionCost, base: OptionCost) -> list[tuple[Assumption, Metric]]:
    """Rent, incidents and success of the mover, as facts that can be moved for it alone."""
    known = _nodes(cost)
    found: list[tuple[Assumption, Metric]] = [
        (as_fact(known[name]), metric)
        for name, metric in FACTS.items()
        if cost.family in ON_GPUS and name in known and known[name].value.flat[0] > 0
    ]
    shared = set(base.success.leaves())
    for name, leaf in cost.success.leaves().items():
        if name not in shared and leaf.unit == "fraction" and "success" in name:
            found.append((as_fact(leaf), "success"))
            break
    return found


def _nodes(cost: OptionCost) -> dict[str, Node]:
    found: dict[str, Node] = {}
    waiting, seen = [line.usd_per_month for line in cost.breakdown.counted], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen.add(id(node))
            found.setdefault(node.name, node)
            waiting.extend(node.inputs)
    return found


def _by_fact(
    situation: Situation, mover: Option, base: OptionCost, fact: Assumption, metric: Metric, stays: bool
) -> ExitCriterion | None:
    """The first value beyond the typical one, in the direction in which the recommendation ends."""
    upwards = (metric == "success") == stays
    try:
        found = solutions(gap_against(situation, mover, base, fact), bounds_of(fact))
    except BreakevenError:
        return None
    beyond = [each for each in found if (each.value > fact.typical) == upwards and _ends(each, upwards, stays)]
    if not beyond:
        return None
    nearest = min(beyond, key=lambda each: abs(each.value - fact.typical))
    return ExitCriterion(metric, fact.name, fact.unit, fact.typical, nearest.value, upwards, nearest.kind == "jump")


def _ends(found: Solution, upwards: bool, stays: bool) -> bool:
    """Whether the recommended option becomes the dearer one beyond the value."""
    mover_cheaper_beyond = found.falls if upwards else not found.falls
    return mover_cheaper_beyond == stays


def gap_against(situation: Situation, mover: Option, base: OptionCost, fact: Assumption) -> Gap:
    """Cost of one option less that of a costed status quo which the fact does not touch."""

    def gap(value: Draws) -> Draws:
        cost = cost_with(situation, mover, {fact.name: (fact, value)})
        return np.broadcast_to(equal_success_of(cost, base) - base.total.value, value.shape).astype(np.float64)

    return gap
