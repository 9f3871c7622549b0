"""What tests of the answers share: a few comparisons of typed-in demands, each made once per process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from breakeven.decision.answers.outlook import Outlook, outlook_of
from breakeven.decision.compare import compare, typical
from breakeven.decision.comparison import Comparison
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, Option, OptionCost, Situation
from costing import demand, pinned, situation

DRAWS_LOG2 = 9


@dataclass(frozen=True, slots=True)
class World:
    """One comparison with everything it was made from."""

    situation: Situation
    options: Mapping[str, Option]
    draws: DrawSet
    comparison: Comparison
    at_typical: Mapping[str, OptionCost] = field(repr=False)

    @property
    def outlook(self) -> Outlook:
        """This month's money."""
        return outlook_of(self.comparison)


def world_of(told: Situation, draws_log2: int = DRAWS_LOG2) -> World:
    """Compare every option in a situation."""
    options, draws = discover_options(), DrawSet(draws_log2=draws_log2)
    comparison = compare(told, options, draws, with_bands=False)
    at_typical = {each.name: options[each.name].cost(told, Evaluation(typical)) for each in comparison.options}
    return World(told, options, draws, comparison, at_typical)


@cache
def world(volume_mtok: float) -> World:
    """The catalogue's world at a volume."""
    return world_of(situation(demand(volume_mtok)))


@cache
def bordered(border: str) -> World:
    """2 billion tokens whose data may not leave."""
    return world_of(situation(demand(2_000), data_may_not_leave=border))


@cache
def dear_api(volume_mtok: float) -> World:
    """An API ten times as dear, and an open model that is as good: GPUs win."""
    prices = {"input_usd_per_mtok": 12.5, "cache_read_usd_per_mtok": 1.25, "output_usd_per_mtok": 100.0}
    facts = pinned({"open_model_success_fraction": 0.9, "frontier_success_fraction": 0.9})
    return world_of(situation(demand(volume_mtok, prices={**prices, "cache_write_usd_per_mtok": 12.5}), facts))
