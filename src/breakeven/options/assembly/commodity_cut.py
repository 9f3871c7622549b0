"""Commodity cut: where a demand is cut in two, so that an open model takes the easier part and today's models the rest.

Where the log names its tasks, or an audit found them, whole tasks move, each part with its own tokens and lengths as
the log shows them; where neither is so, a stated share of calls like all the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from breakeven.catalog.model import ModelSpec
from breakeven.costs.line import CostLine
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws, median_of
from breakeven.facts.formula import Formula, formula
from breakeven.facts.source import Grade
from breakeven.facts.trace import Binder, Layer, Node
from breakeven.options.assembly.audited_work import SUCCESS
from breakeven.options.assembly.demand import Demand
from breakeven.options.assembly.mix import shortened
from breakeven.options.assembly.retries import TRIES, retries
from breakeven.options.assembly.situation import Situation
from breakeven.options.assembly.success import SUCCESS as WHOLE
from breakeven.options.assembly.success import (
    bind_assumed_success,
    bind_open_model_success,
    bind_todays_success,
    has_measured,
)
from breakeven.options.assembly.task_split import TaskSplit, split_by_audit, split_by_task

UNMEASURED: Final = "no outcome measured yet: assumed"
SHARE: Final = "hybrid_commodity_share_fraction"
MOVED_REQUESTS: Final = "moved_requests_fraction"
DOWNTIME: Final = "downtime_hours_per_month"
EXPOSURE: Final = "breach_exposure_ratio"
SET_FOR_THE_WHOLE: Final = (
    "engineering_fte_count",
    "monitoring_usd_per_month",
    "incident_events_per_month",
    DOWNTIME,
)
"""What a scenario sets for an Option as a whole, so that one part of it alone may count it."""


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
def guessed_success_fraction(guessed_success_fraction: Draws, todays_success_fraction: Draws) -> Draws:
    """A guess never makes another model better than today's on the same calls.

    >>> float(guessed_success_fraction(0.95, 0.92)), float(guessed_success_fraction(0.85, 0.92))
    (0.92, 0.85)
    """
    return np.minimum(guessed_success_fraction, todays_success_fraction)


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
class CommodityCut:
    """Where the demand is cut."""

    share: Node
    """Share of the tokens that move."""
    rest: Node
    """Share of the tokens that stay."""
    requests: Node
    """Share of the calls that move."""
    moves: str
    """What moves, for the table."""
    moved: Demand | None = None
    """The calls that move, as the log shows them; None: like all the others."""
    kept: Demand | None = None
    """The calls that stay, as the log shows them; None: like all the others."""
    facts: tuple[Node, ...] = ()


def commodity_split(situation: Situation) -> TaskSplit | None:
    """The log's tasks in two, by the scenario's names or by the audit; None where a share is to be assumed."""
    demand, choices = situation.demand, situation.choices
    if SHARE in situation.scenario or not demand.tasks:
        return None
    if choices.audited is not None and not choices.names_commodity_tasks:
        return split_by_audit(demand, choices.audited.tasks)
    return split_by_task(demand, choices.commodity_tasks)


def audited_success(situation: Situation, split: TaskSplit | None) -> dict[str, Assumption]:
    """What an audit says of the work that moves."""
    audited = situation.choices.audited
    if audited is None or split is None:
        return {}
    prior = situation.catalog.assumptions[SUCCESS]
    return {SUCCESS: audited.success(prior, split.moved.demand, split.tasks)}


def commodity_cut(situation: Situation, whole: Binder, split: TaskSplit | None) -> CommodityCut:
    """By the tasks of the log, else by the share that is assumed; a share that the scenario sets wins over both."""
    demand = situation.demand
    if split is None:
        share = whole.node(SHARE)
        rest = whole.apply(kept_fraction, share, name="kept_tokens_fraction")
        return CommodityCut(share, rest, share, f"{100 * median_of(share.value):.0f} % of the tokens")
    moved, kept, log = split.moved, split.kept, demand.source
    how = f"measured, {'tasks' if len(split.tasks) > 1 else 'task'} {shortened(split.tasks)}"
    tokens = whole.derive("moved_tokens_fraction", moved.tokens_fraction, how, source=log)
    requests = whole.derive(MOVED_REQUESTS, moved.requests_fraction, how, source=log)
    rest = whole.derive("kept_tokens_fraction", kept.tokens_fraction, "measured, all other calls", source=log)
    calls = whole.derive(SHARE, requests.value, "calls of the tasks that move", requests)
    parts = f"{100 * tokens.value:.0f} % of the tokens, {100 * requests.value:.0f} % of the calls"
    moves = f"{shortened(split.tasks)} ({parts})"
    return CommodityCut(tokens, rest, calls, moves, moved.demand, kept.demand, (tokens, requests))


def bind_moved_success(binder: Binder, model: ModelSpec, situation: Situation, cut: CommodityCut) -> Node:
    """On the calls that move: as the scenario says, as measured, as an audit found, or as assumed of easier work.

    What nobody measured, judged or stated counts for no better than today's models on the same calls.
    """
    if SUCCESS not in situation.scenario and has_measured(situation, model):
        return bind_open_model_success(binder, model, situation, cut.moved)
    if WHOLE not in situation.scenario and is_guess(guess := binder.node(SUCCESS)):
        once = situation
        if TRIES in situation.scenario:  # of one try, as the guess is
            once = replace(situation, scenario={k: v for k, v in situation.scenario.items() if k != TRIES})
        today = Binder(binder.draw, situation.catalog.assumptions, {}, once.scenario)
        bind_todays_success(today, once, UNMEASURED, cut.moved)
        binder.apply(guessed_success_fraction, guess, today.node(WHOLE), name=SUCCESS)
    return bind_assumed_success(binder, situation, SUCCESS, "the easier share of the work", cut.moved)


def bind_kept_success(binder: Binder, situation: Situation, cut: CommodityCut) -> Node:
    """On the calls that stay, today's models."""
    return bind_todays_success(binder, situation, UNMEASURED, cut.kept)


def bind_success_of_both(whole: Binder, cut: CommodityCut, moved: Binder, kept: Binder) -> None:
    """Success of the mix, by calls; of all tries together where there are several, whatever is set of one."""
    if retries(whole) or WHOLE not in whole.scenario:
        whole.apply(success_fraction, cut.requests, moved.node(WHOLE), kept.node(WHOLE))


def is_guess(node: Node) -> bool:
    """Whether a fact is nothing but a guess: nobody measured, judged or stated it."""
    return node.layer is not Layer.SCENARIO and node.source is not None and node.source.grade is Grade.GUESS


def rests_on_a_guess(success: Node) -> bool:
    """Whether a mix succeeds as guessed on the calls that move."""
    moved = success.leaves().get(SUCCESS)
    return moved is not None and is_guess(moved)


def moves_everything(success: Node) -> bool:
    """Whether a mix leaves no call to today's models."""
    found = success.leaves()
    moved = found.get(MOVED_REQUESTS, found.get(SHARE))
    return moved is not None and bool(np.all(moved.value >= 1))


def split_downtime(whole: Binder, situation: Situation, requests: Node, moved: Binder, kept: Binder) -> None:
    """Each part is down by itself, for its own calls; downtime that the scenario sets is the whole Option's."""
    if DOWNTIME in situation.scenario:
        return
    others = whole.apply(kept_fraction, requests, name="kept_requests_fraction", how="calls that do not move")
    scale(moved, DOWNTIME, part_downtime_hours_per_month, requests)
    scale(kept, DOWNTIME, part_downtime_hours_per_month, others)


def scale(binder: Binder, name: str, by_share: Formula, share: Node) -> None:
    """Bind `name` to a part's share of what it is."""
    binder.apply(by_share, binder.node(name), share, name=name)


def part_lines(lines: tuple[CostLine, ...], name: str, title: str) -> tuple[CostLine, ...]:
    """The lines of a part, under names that say which."""
    return tuple(replace(line, name=f"{name}_{line.name}", title=f"{line.title} ({title})") for line in lines)


def without_the_whole(situation: Situation) -> Situation:
    """For a part that shall not count people, tools and incidents that the scenario sets for the Option as a whole."""
    set_by_user = {name: situation.scenario[name] for name in SET_FOR_THE_WHOLE if name in situation.scenario}
    nothing = {name: replace(fact, low=0.0, typical=0.0, high=0.0) for name, fact in set_by_user.items()}
    return replace(situation, scenario={**situation.scenario, **nothing}) if nothing else situation
