"""Hybrid: the commodity tasks move to an open model on rented GPUs, the rest stays at the API.

Where the log names its tasks, or an audit found them, whole tasks move, each part with its own tokens and lengths as
the log shows them; where neither is so, a stated share of calls like all the others. The idle floor of the fleet stays
whatever the share, so a hybrid can cost more than either pure option.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from breakeven.catalog.model import ModelSpec
from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.line import CostLine
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws, median_of
from breakeven.facts.formula import Formula, formula
from breakeven.facts.trace import Binder, Node
from breakeven.options.assembly.audited_work import SUCCESS
from breakeven.options.assembly.capacity import capacity_words
from breakeven.options.assembly.constraints import check_provider
from breakeven.options.assembly.demand import Demand
from breakeven.options.assembly.deployment import deployment
from breakeven.options.assembly.fleet import bind_fleet, fleet_facts
from breakeven.options.assembly.fleet_lines import bind_fleet_people, bind_rent, bind_team, rented_lines
from breakeven.options.assembly.log_models import log_providers
from breakeven.options.assembly.mix import shortened
from breakeven.options.assembly.offers import gpu_offer
from breakeven.options.assembly.retries import retries
from breakeven.options.assembly.staircase import Staircase
from breakeven.options.assembly.success import (
    bind_assumed_success,
    bind_open_model_success,
    bind_todays_success,
    has_measured,
)
from breakeven.options.assembly.task_split import TaskSplit, split_by_audit, split_by_task
from breakeven.options.frontier_api import bind_frontier, describe, frontier_lines
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)

MARKET = "market"
SMALLEST_SHARE_FRACTION = 1e-9
SHARE = "hybrid_commodity_share_fraction"
DOWNTIME = "downtime_hours_per_month"
EXPOSURE = "breach_exposure_ratio"
SET_FOR_THE_WHOLE = (
    "engineering_fte_count",
    "monitoring_usd_per_month",
    "incident_events_per_month",
    DOWNTIME,
)


@formula
def success_fraction(
    hybrid_commodity_share_fraction: Draws,
    open_model_commodity_success_fraction: Draws,
    frontier_success_fraction: Draws,
) -> Draws:
    """Success of the mix: the open model on the commodity share, the frontier model on the rest.

    >>> round(float(success_fraction(0.6, 0.95, 0.9)), 3)
    0.93
    """
    commodity = hybrid_commodity_share_fraction * open_model_commodity_success_fraction
    return commodity + (1 - hybrid_commodity_share_fraction) * frontier_success_fraction


@formula
def kept_fraction(moved_fraction: Draws) -> Draws:
    """What does not move.

    >>> float(kept_fraction(0.25))
    0.75
    """
    return 1 - moved_fraction


@formula
def part_breach_exposure_ratio(breach_exposure_ratio: Draws, part_fraction: Draws) -> Draws:
    """This part's share of the data.

    >>> float(part_breach_exposure_ratio(2.0, 0.25))
    0.5
    """
    return breach_exposure_ratio * part_fraction


@formula
def part_downtime_hours_per_month(downtime_hours_per_month: Draws, part_fraction: Draws) -> Draws:
    """Hours in which this part's share of the calls finds nobody.

    >>> float(part_downtime_hours_per_month(2.0, 0.25))
    0.5
    """
    return downtime_hours_per_month * part_fraction


@dataclass(frozen=True, slots=True)
class Hybrid:
    """Commodity calls on rented GPUs on demand, the others where they are."""

    name: str = "hybrid"
    title: str = "Hybrid (API + rented GPUs)"
    family: Family = "hybrid"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Cost both parts at their share of the volume; every line of a part belongs to that part alone."""
        choices = situation.choices
        for provider in (MARKET, *log_providers(situation.demand)):
            check_provider(situation, provider)
        machine = deployment(situation.catalog, choices.open_model, choices.gpu, choices.precision, choices.measured)
        offer = gpu_offer(situation.catalog, choices.gpu, "on_demand", situation.scenario)
        split = _split(situation)
        audited = _audited(situation, split)
        whole = binder_for(situation, evaluation, audited)
        cut = _cut(situation, whole, split)

        hosted = binder_for(situation, evaluation, {**machine.facts, **offer, **audited}, cut.share, cut.moved)
        _bind_fleet_success(hosted, machine.model, situation, cut)
        own_volume = evaluation.volume_mtok is None
        staircase = bind_fleet(hosted, machine, choices.gpus_per_replica_count, evaluated_at_own_volume=own_volume)
        bind_rent(hosted)
        bind_fleet_people(hosted)
        bind_team(hosted, choices.team)
        _scale(hosted, EXPOSURE, part_breach_exposure_ratio, cut.share)
        at_api = binder_for(_without_what_the_fleet_pays(situation), evaluation, {}, cut.rest, cut.kept)
        bind_frontier(at_api, cut.kept or situation.demand)
        bind_todays_success(at_api, situation, "no outcome measured yet: assumed", cut.kept, "kept")
        _scale(at_api, EXPOSURE, part_breach_exposure_ratio, cut.rest)
        if DOWNTIME not in situation.scenario:
            requests = whole.node(SHARE)
            others = whole.apply(kept_fraction, requests, name="kept_requests_fraction", how="calls that do not move")
            _scale(hosted, DOWNTIME, part_downtime_hours_per_month, requests)
            _scale(at_api, DOWNTIME, part_downtime_hours_per_month, others)

        breakdown = CostBreakdown(
            (*_part(frontier_lines(at_api), "api", "API"), *_part(rented_lines(hosted), "fleet", "fleet"))
        )
        pinned = "success_fraction" in situation.scenario
        if retries(whole) or (situation.choices.outcomes is not None and not pinned):
            parts = whole.node(SHARE), hosted.node("success_fraction"), at_api.node("success_fraction")
            whole.apply(success_fraction, *parts)
        elif not pinned:
            whole.evaluate(success_fraction)
        stays = f"the rest {describe(cut.kept or situation.demand)}" if np.any(cut.rest.value) else "nothing stays"
        buys = f"{machine.label} for {cut.moves}; {stays}{capacity_words(hosted)}"
        wider = _wider(staircase, cut.share)
        facts = (*fleet_facts(hosted), *cut.facts)
        return option_cost(self, whole, breakdown, buys, staircase=wider, facts=facts)


def _bind_fleet_success(hosted: Binder, model: ModelSpec, situation: Situation, cut: _Cut) -> None:
    """On the calls that move: as the scenario says, as measured, as an audit found, or as assumed of easier work."""
    if SUCCESS not in situation.scenario and has_measured(situation, model):
        bind_open_model_success(hosted, model, situation, cut.moved, "moved")
    else:
        bind_assumed_success(hosted, situation, SUCCESS, "the easier share of the work", cut.moved)


def _wider(stairs: Staircase, share: Node) -> Staircase:
    """The steps of the fleet, on the axis of the whole volume."""
    assert stairs.step_of_draws_mtok is not None
    return replace(
        stairs,
        step_mtok=stairs.step_mtok / float(share.value.flat[0]),
        step_of_draws_mtok=stairs.step_of_draws_mtok / np.maximum(share.value, SMALLEST_SHARE_FRACTION),
    )


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where the demand is cut."""

    share: Node
    """Share of the tokens that move."""
    rest: Node
    """Share of the tokens that stay."""
    moves: str
    """What moves, for the table."""
    moved: Demand | None = None
    """The calls that move, as the log shows them; None: like all the others."""
    kept: Demand | None = None
    """The calls that stay, as the log shows them; None: like all the others."""
    facts: tuple[Node, ...] = ()


def _split(situation: Situation) -> TaskSplit | None:
    """The log's tasks in two, by the scenario's names or by the audit; None where a share is to be assumed."""
    demand, choices = situation.demand, situation.choices
    if SHARE in situation.scenario or not demand.tasks:
        return None
    if choices.audited is not None and not choices.names_commodity_tasks:
        return split_by_audit(demand, choices.audited.tasks)
    return split_by_task(demand, choices.commodity_tasks)


def _audited(situation: Situation, split: TaskSplit | None) -> dict[str, Assumption]:
    """What an audit says of the work that moves."""
    audited = situation.choices.audited
    if audited is None or split is None:
        return {}
    prior = situation.catalog.assumptions[SUCCESS]
    return {SUCCESS: audited.success(prior, split.moved.demand, split.tasks)}


def _cut(situation: Situation, whole: Binder, split: TaskSplit | None) -> _Cut:
    """By the tasks of the log, else by the share that is assumed; a share that the scenario sets wins over both."""
    demand = situation.demand
    if split is None:
        share = whole.node(SHARE)
        rest = whole.apply(kept_fraction, share, name="kept_tokens_fraction")
        return _Cut(share, rest, f"{100 * median_of(share.value):.0f} % of the tokens")
    moved, kept, log = split.moved, split.kept, demand.source
    how = f"measured, {'tasks' if len(split.tasks) > 1 else 'task'} {shortened(split.tasks)}"
    tokens = whole.derive("moved_tokens_fraction", moved.tokens_fraction, how, source=log)
    requests = whole.derive("moved_requests_fraction", moved.requests_fraction, how, source=log)
    rest = whole.derive("kept_tokens_fraction", kept.tokens_fraction, "measured, all other calls", source=log)
    whole.derive(SHARE, requests.value, "calls of the tasks that move", requests)
    parts = f"{100 * tokens.value:.0f} % of the tokens, {100 * requests.value:.0f} % of the calls"
    moves = f"{shortened(split.tasks)} ({parts})"
    return _Cut(tokens, rest, moves, moved.demand, kept.demand, (tokens, requests))


def _part(lines: tuple[CostLine, ...], name: str, title: str) -> tuple[CostLine, ...]:
    return tuple(replace(line, name=f"{name}_{line.name}", title=f"{line.title} ({title})") for line in lines)


def _without_what_the_fleet_pays(situation: Situation) -> Situation:
    """People, tools and incidents that the scenario sets are the whole option's: the fleet's lines hold them once."""
    set_by_user = {name: situation.scenario[name] for name in SET_FOR_THE_WHOLE if name in situation.scenario}
    nothing = {name: replace(fact, low=0.0, typical=0.0, high=0.0) for name, fact in set_by_user.items()}
    return replace(situation, scenario={**situation.scenario, **nothing})


def _scale(binder: Binder, name: str, by_share: Formula, share: Node) -> None:
    binder.apply(by_share, binder.node(name), share, name=name)


OPTIONS = (Hybrid(),)
