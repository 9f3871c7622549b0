"""Remembered: an option is asked again exactly where something that it read is different."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from weakref import ref

import numpy as np
import pytest

from breakeven.errors import UnknownPrice
from breakeven.facts.memory import Memory
from breakeven.options.frontier_api import FrontierApi
from breakeven.options.option import Evaluation, Family, OptionCost, Situation
from breakeven.options.remembered import KEPT_COUNT, Remembered, view_of
from breakeven.options.rented_gpus import OPTIONS as RENTED_OPTIONS
from costing import demand, pinned, situation

WAGES, POWER = "engineer_usd_per_year", "electricity_usd_per_kwh"
OWN_MTOK = 300.0
TYPICAL = Evaluation(lambda fact: np.asarray([fact.typical]))


@dataclass(slots=True)
class Asked:
    """An option that reads one fact, or all of them, and counts how often it is asked."""

    look: Callable[[Situation], Any]
    count: int = 0
    name: str = "asked"
    title: str = "Asked"
    family: Family = "api"

    def cost(self, situation: Situation, evaluation: Evaluation) -> Any:
        self.count += 1
        seen = self.look(situation)
        if seen == "no price":
            raise UnknownPrice("nobody sells it")
        volume = OWN_MTOK if evaluation.volume_mtok is None else evaluation.volume_mtok
        return SimpleNamespace(seen=seen, volume=SimpleNamespace(value=np.atleast_1d(volume)))


def wages(situation: Situation) -> float | None:
    fact = situation.scenario.get(WAGES)
    return fact.typical if fact else None


@pytest.fixture
def asked() -> Asked:
    return Asked(wages)


@pytest.fixture
def kept(asked: Asked) -> Remembered:
    return Remembered(asked, Memory())


HERE = situation(demand(OWN_MTOK))


def saying(**facts: float) -> Situation:
    return replace(HERE, scenario=pinned(facts))


def test_what_was_not_read_may_change(kept: Remembered, asked: Asked) -> None:
    first = kept.cost(saying(**{WAGES: 90_000.0, POWER: 0.1}), TYPICAL)
    assert kept.cost(saying(**{WAGES: 90_000.0, POWER: 0.3}), TYPICAL) is first
    assert asked.count == 1
    other: Any = kept.cost(saying(**{WAGES: 80_000.0, POWER: 0.1}), TYPICAL)
    assert other.seen == 80_000.0 and asked.count == 2


def test_a_fact_that_was_looked_for_in_vain_counts_as_read(kept: Remembered, asked: Asked) -> None:
    kept.cost(saying(), TYPICAL)
    kept.cost(saying(**{POWER: 0.3}), TYPICAL)
    assert asked.count == 1
    told: Any = kept.cost(saying(**{WAGES: 80_000.0}), TYPICAL)
    assert told.seen == 80_000.0


@pytest.mark.parametrize(
    ("look", "again"),
    [(lambda one: WAGES in one.scenario, 1), (lambda one: sorted(one.scenario), 2), (lambda one: len(one.scenario), 2)],
)
def test_who_goes_through_all_facts_reads_all(look: Callable[[Situation], Any], again: int) -> None:
    asked = Asked(look)
    kept = Remembered(asked, Memory())
    kept.cost(saying(**{WAGES: 90_000.0, POWER: 0.1}), TYPICAL)
    kept.cost(saying(**{WAGES: 90_000.0, POWER: 0.3}), TYPICAL)
    assert asked.count == again


@pytest.mark.parametrize(
    "moved",
    [
        replace(HERE, demand=replace(HERE.demand, observed_hours=365.0)),
        replace(HERE, catalog=replace(HERE.catalog)),
        replace(HERE, choices=replace(HERE.choices)),
    ],
)
def test_another_demand_catalogue_or_choice_is_another_question(
    kept: Remembered, asked: Asked, moved: Situation
) -> None:
    kept.cost(HERE, TYPICAL)
    kept.cost(moved, TYPICAL)
    assert asked.count == 2


def test_the_hours_of_the_log_say_nothing_at_a_given_volume(kept: Remembered, asked: Asked) -> None:
    at = Evaluation(TYPICAL.draw, np.array([7.0]))
    first = kept.cost(HERE, at)
    assert kept.cost(replace(HERE, demand=replace(HERE.demand, observed_hours=365.0)), at) is first
    kept.cost(HERE, Evaluation(TYPICAL.draw, np.array([8.0])))
    kept.cost(HERE, Evaluation(TYPICAL.draw, np.array([7.0]), np.array([0.5])))
    assert asked.count == 3


def test_the_own_volume_in_so_many_words_is_the_own_volume(kept: Remembered, asked: Asked) -> None:
    own = kept.cost(HERE, TYPICAL)
    assert kept.cost(HERE, Evaluation(TYPICAL.draw, np.array([OWN_MTOK]))) is own
    assert asked.count == 1


def test_a_refusal_is_remembered_too() -> None:
    asked = Asked(lambda _: "no price")
    kept = Remembered(asked, Memory())
    for _ in range(2):
        with pytest.raises(UnknownPrice, match="nobody sells it"):
            kept.cost(HERE, TYPICAL)
    assert asked.count == 1


def test_the_oldest_goes_first_and_what_is_pinned_stays(kept: Remembered, asked: Asked) -> None:
    kept.cost(saying(**{WAGES: 1.0}), TYPICAL)
    kept.pin()
    for usd in range(2, 3 + KEPT_COUNT):
        kept.cost(saying(**{WAGES: float(usd)}), TYPICAL)
    before = asked.count
    kept.cost(saying(**{WAGES: 1.0}), TYPICAL)
    kept.cost(saying(**{WAGES: float(2 + KEPT_COUNT)}), TYPICAL)
    assert asked.count == before
    kept.cost(saying(**{WAGES: 2.0}), TYPICAL)
    assert asked.count == before + 1


def test_a_view_is_remembered_apart_from_the_cost(kept: Remembered, asked: Asked) -> None:
    def seen(cost: Any) -> object:
        return cost.seen

    paid = saying(**{WAGES: 90_000.0})
    assert [view_of(kept, paid, TYPICAL, seen) for _ in range(2)] == [90_000.0, 90_000.0]
    assert asked.count == 1
    assert view_of(asked, paid, TYPICAL, seen) == 90_000.0, "an option that remembers nothing is asked"
    assert asked.count == 2


def test_a_kept_refusal_holds_nothing_of_who_asked() -> None:
    class Large:
        """Stands for the arrays of a state."""

    def ask() -> ref[Large]:
        large = Large()
        try:
            refusing.cost(HERE, TYPICAL)
        except UnknownPrice as error:
            assert str(error) == "nobody sells it"
        return ref(large)

    refusing = Remembered(Asked(lambda _: "no price"), Memory())
    held = [ask(), ask()]
    assert [each() for each in held] == [None, None]


def test_a_price_per_token_hangs_on_no_busy_hour() -> None:
    """What the log shows of its peaks is there for who sizes a fleet; the others are not costed again for it."""
    here = replace(HERE, demand=replace(HERE.demand, hourly_peak_to_mean_ratio=2.0, burst_headroom_ratio=1.5))
    busier = replace(here, scenario=pinned({"burst_headroom_ratio": 3.0}))
    api, fleet = (Remembered(each, Memory()) for each in (FrontierApi(), RENTED_OPTIONS[0]))
    assert api.cost(here, TYPICAL) is api.cost(busier, TYPICAL)
    assert headroom_ratio(fleet.cost(here, TYPICAL)) == 1.5
    assert headroom_ratio(fleet.cost(busier, TYPICAL)) == 3.0


def headroom_ratio(cost: OptionCost) -> float:
    """What a fleet was sized for."""
    leaves = {name: leaf for node in cost.facts for name, leaf in node.leaves().items()}
    return float(leaves["burst_headroom_ratio"].value.flat[0])
