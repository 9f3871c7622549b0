"""Scope: what the totals hold and what they leave out, read from the lines and the facts behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from breakeven.decision.comparison import Comparison, Costed, OptionResult, SideBySide, leaf_nodes
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade
from breakeven.facts.trace import Node
from breakeven.options.option import OF_PARTS


@dataclass(frozen=True, slots=True)
class _Told:
    """Something that is in the totals exactly when one fact was read and is more than zero somewhere."""

    fact: str
    included: str = ""
    """Empty: a line of its own says it."""
    excluded: str = ""


_TOLD: Final = (
    _Told("fleet_on_call_usd_per_month", "on-call rota of a fleet of your own"),
    _Told(
        "downtime_usd_per_hour",
        "business lost while a provider or a fleet is down",
        "business lost while a provider or a fleet is down",
    ),
    _Told("routing_engineering_fte_count", "people and machines that routing takes, and the gateway's own downtime"),
    _Told("spot_fallback_fraction", "on-demand prices while no spot capacity is to be had"),
    _Told(
        "ttft_target_ms", "latency targets: fleets under vLLM are sized to meet them (ttft_target_ms, tpot_target_ms)"
    ),
    _Told(
        "idle_timeout_s",
        "scale to zero at managed endpoints: only the hours awake are billed",
        "scale to zero: every fleet compared is always on",
    ),
    _Told(
        "corrected_by_hand_fraction",
        excluded="correcting and debugging failed answers by hand",
    ),
    _Told(
        "failure_usd_per_request",
        excluded="what failed answers break that nobody corrects: taken to be nothing, so that success rates only "
        "divide the cost (failure_usd_per_request)",
    ),
    _Told(
        "fine_tune_campaigns_events_per_year",
        excluded="fine-tuning: the scenario plans none (fine_tune_campaigns_events_per_year)",
    ),
    _Told(
        "carbon_price_usd_per_tonne",
        excluded="a price on carbon: the scenario sets none (carbon_price_usd_per_tonne)",
    ),
)
ALWAYS_EXCLUDED: Final = (
    "latency targets of what is billed by the token, and of Ollama: only fleets under vLLM are sized for them",
    "taxes, and discounts and negotiated rates that are not in the scenario",
)
"""Left out of every comparison, so that nobody finds out later."""
THIS_MONTH_ALONE: Final = (
    "growth of the workload and change of prices over time: one month at today's prices",
    "running old and new side by side while moving",
)
WITH_HORIZON: Final = (
    "inflation, and change of wages and of prices of tools: over the months they stay as they are today",
    "the engineer hours of switching to ever newer models, and a change of the price of hardware bought later",
    "success rates that change over the months: every option keeps today's",
)
WITH_FLEETS: Final = "autoscaling of fleets of your own: rented or bought, they are always on"
WITH_SCALE_TO_ZERO: Final = "the wait for a cold start: counted under the fleets, and not priced"
WITH_FINE_TUNING: Final = "preparing data for fine-tuning and judging its result"


def included(comparison: Comparison) -> tuple[str, ...]:
    """Titles of all lines that are more than zero somewhere, then what is told inside them."""
    titles = dict.fromkeys(
        line.line.title
        for result in comparison.options
        if result.cost.family not in OF_PARTS  # their lines repeat those of others, under longer titles
        for line in result.lines
        if line.usd_per_month.mean
    )
    apart = {line.line.title for result in comparison.options for line in result.lines if line.line.apart}
    read = _facts_read(comparison)
    inside = [
        f"{told.included}{' (a guess)' if _is_guess(read[told.fact]) else ''}"
        for told in _TOLD
        if told.included and told.fact in read
    ]
    return (*(f"{title}, shown apart" if title in apart else title for title in titles), *inside)


def excluded(comparison: Comparison) -> tuple[str, ...]:
    """What no total holds, although a reader could think so."""
    read = _facts_read(comparison)
    found = [told.excluded for told in _TOLD if told.excluded and told.fact not in read]
    if any(_is_own_fleet(each) for each in comparison.options):
        found.append(WITH_FLEETS)
    if "cold_start_s" in read:
        found.append(WITH_SCALE_TO_ZERO)
    if "fine_tune_campaigns_events_per_year" in read:
        found.append(WITH_FINE_TUNING)
    return (*found, *(WITH_HORIZON if comparison.choice else THIS_MONTH_ALONE), *ALWAYS_EXCLUDED)


def facts_behind(result: Costed) -> tuple[Node, ...]:
    """Every Fact behind one option: its lines, its cost per success, and what is shown of its fleet."""
    cost = result.cost
    return leaf_nodes([cost.cost_per_success, *(line.usd_per_month for line in cost.breakdown.lines), *cost.facts])


Readers = Mapping[str, Sequence[tuple[str, Assumption]]]
"""Name of a fact -> title of each option that reads it, and as what."""


def readers_of(comparison: SideBySide) -> Readers:
    """Who reads which fact, option by option."""
    found: dict[str, list[tuple[str, Assumption]]] = {}
    for result in comparison.options:
        for node in facts_behind(result):
            if node.assumption is not None:
                found.setdefault(node.name, []).append((result.cost.title, node.assumption))
    return found


def _facts_read(comparison: Comparison) -> Mapping[str, Node]:
    """The facts that some option read and that are not zero there."""
    return {
        node.name: node
        for result in comparison.options
        for node in facts_behind(result)
        if node.assumption is not None and node.assumption.high > 0
    }


def _is_own_fleet(result: OptionResult) -> bool:
    return result.cost.family in {"self_hosted", "hybrid"} and result.cost.staircase is not None


def _is_guess(node: Node) -> bool:
    """Whether the money itself is a guess."""
    return node.unit.startswith("usd") and node.source is not None and node.source.grade is Grade.GUESS
