"""Many options at once: evaluating all volumes together changes nothing, conditions and twins stay out of the odds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from breakeven.decision import compare as module
from breakeven.decision.compare import STATUS_QUO, compare, typical
from breakeven.decision.comparison import Comparison, leaf_nodes
from breakeven.decision.recommendation import changes_model, recommend
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.facts.trace import Layer, Node
from breakeven.options.discover import discover_options, select_options
from breakeven.options.option import Evaluation, Family, Option, OptionCost, Situation
from costing import demand, pinned, situation

DRAWS_LOG2 = 7
SOME = (
    STATUS_QUO, "brokered", "cheaper_tier", "batch_api", "hybrid", "routed", "rented_spot", "owned_gpus", "small_gpu",
    "sunk_gpus", "managed_huggingface_scale_to_zero",
)  # fmt: skip


@pytest.fixture(scope="module")
def few() -> Comparison:
    return compare(situation(demand(2_100)), select_options(SOME), DrawSet(draws_log2=DRAWS_LOG2))


def test_bands_are_those_of_each_volume_on_its_own(few: Comparison) -> None:
    """Brute force: every option at every volume, one at a time, and the odds counted draw by draw."""
    draws, here, options = DrawSet(draws_log2=DRAWS_LOG2), situation(demand(2_100)), select_options(SOME)
    grid = few.bands[0].volumes_mtok
    assert grid.size > module.BAND_CHUNK_POINTS_COUNT
    bands = {each.option: each for each in few.bands}
    everybody = [name for name in SOME if not few.option(name).cost.only_if]
    for point in range(0, grid.size, 9):
        at = np.asarray([grid[point]])
        costs = {name: option.cost(here, Evaluation(draws.of, at)) for name, option in options.items()}
        base = costs[STATUS_QUO].success.value
        equal = {
            name: np.broadcast_to(cost.total.value * (base / cost.success.value), (draws.draws_count,))
            for name, cost in costs.items()
        }
        cheapest = np.argmin([equal[name] for name in everybody], axis=0)
        for name, band in bands.items():
            p10, p50, p90 = np.quantile(equal[name], (0.1, 0.5, 0.9))
            seen = (band.p10_usd_per_month[point], band.p50_usd_per_month[point], band.p90_usd_per_month[point])
            assert seen == pytest.approx((p10, p50, p90), rel=1e-12)
            odds = np.mean(cheapest == everybody.index(name)) if name in everybody else 0.0
            assert band.cheapest_fraction[point] == odds
        at_typical = {name: option.cost(here, Evaluation(typical, at)) for name, option in options.items()}
        success = at_typical[STATUS_QUO].success.value
        for name, cost in at_typical.items():
            line = float((cost.total.value * (success / cost.success.value)).flat[0])
            assert bands[name].typical_usd_per_month[point] == pytest.approx(line, rel=1e-12)


def test_how_many_volumes_are_evaluated_at_once_changes_nothing(
    few: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BAND_CHUNK_POINTS_COUNT", 5)
    again = compare(situation(demand(2_100)), select_options(SOME), DrawSet(draws_log2=DRAWS_LOG2))
    for one, two in zip(few.bands, again.bands, strict=True):
        assert np.array_equal(one.p50_usd_per_month, two.p50_usd_per_month)
        assert np.array_equal(one.cheapest_fraction, two.cheapest_fraction)


def test_an_option_with_a_condition_is_neither_recommended_nor_in_the_odds(few: Comparison) -> None:
    sunk = few.option("sunk_gpus")
    assert sunk.cost.only_if
    everybody = [each for each in few.options if each.name != "sunk_gpus"]
    assert sum(each.cheapest_fraction for each in everybody) == pytest.approx(1)
    assert "sunk_gpus" not in {each.option for each in few.envelope.stretches}
    free = tuple(replace(each, usd_per_success=replace(each.usd_per_success, mean=0.0)) if each is sunk else each
                 for each in few.options)  # fmt: skip
    assert recommend(replace(few, options=free)).option.name != "sunk_gpus"


def test_whoever_owns_gpus_may_be_told_to_keep_them() -> None:
    here = situation(demand(2_100), pinned({"gpus_already_owned_count": 8}))
    found = compare(here, select_options((STATUS_QUO, "sunk_gpus")), DrawSet(draws_log2=6))
    assert not found.option("sunk_gpus").cost.only_if
    assert sum(each.cheapest_fraction for each in found.options) == pytest.approx(1)


def test_a_rival_with_a_condition_is_better_than_none() -> None:
    found = compare(situation(demand(2_100)), select_options((STATUS_QUO, "sunk_gpus")), DrawSet(draws_log2=6))
    assert found.best.name == STATUS_QUO
    assert found.rival is not None
    assert found.rival.name == "sunk_gpus"


@dataclass(frozen=True)
class Renamed:
    """Another option under another name."""

    of: Option
    name: str
    title: str = "The same again"
    family: Family = "brokered"

    def cost(self, here: Situation, evaluation: Evaluation) -> OptionCost:
        return replace(self.of.cost(here, evaluation), name=self.name, title=self.title)


def test_a_twin_is_named_and_its_odds_are_counted_once() -> None:
    options = select_options((STATUS_QUO, "brokered"))
    options["again"] = Renamed(options["brokered"], "again")
    found = compare(situation(demand(2_100)), options, DrawSet(draws_log2=6))
    assert {each.name: each.same_as for each in found.options} == {
        STATUS_QUO: None, "brokered": None, "again": "brokered",
    }  # fmt: skip
    assert sum(each.cheapest_fraction for each in found.options) == pytest.approx(1)
    assert found.option("again").cheapest_fraction == 0


def test_levers_move_facts_that_only_one_of_the_two_reads() -> None:
    """Brute force: both options costed again for each lever, nothing remembered."""
    here, options = situation(demand(2_100)), select_options((STATUS_QUO, "owned_gpus"))
    found = compare(here, options, DrawSet(draws_log2=6))
    names = {each.name for each in found.levers}
    assert {"gpu_price_usd", "frontier_success_fraction"} <= names
    best, rival = found.best.name, found.rival.name if found.rival else ""

    def gap(name: str, end: str) -> float:
        draw = lambda fact: np.asarray([getattr(fact, end if fact.name == name else "typical")])  # noqa: E731
        costs = {each: option.cost(here, Evaluation(draw)) for each, option in options.items()}
        base = costs[STATUS_QUO].success.value
        equal = {each: float((cost.total.value * (base / cost.success.value)).flat[0]) for each, cost in costs.items()}
        return equal[rival] - equal[best]

    for lever in found.levers:
        assert lever.gap_at_low_usd_per_month == pytest.approx(gap(lever.name, "low"), rel=1e-12)
        assert lever.gap_at_high_usd_per_month == pytest.approx(gap(lever.name, "high"), rel=1e-12)


def test_unavailable_options_say_family_and_kind() -> None:
    here = situation(demand(300), require={"jurisdictions": ["AQ"]})
    found = compare(here, discover_options(), DrawSet(draws_log2=6))
    kinds = {each.name: (each.family, each.kind) for each in found.unavailable}
    assert kinds["provisioned"] == ("api", "price")
    assert kinds["brokered"] == ("brokered", "constraint")


def test_a_new_model_needs_a_check_and_an_old_one_none(few: Comparison) -> None:
    same = {each.name for each in few.options if not changes_model(each)}
    assert same == {STATUS_QUO, "batch_api"}


def test_leaves_are_met_once_each_the_later_of_a_name_last() -> None:
    def node(name: str, *inputs: Node) -> Node:
        value: Draws = np.ones(1)
        return Node(name, "count", value, Layer.DERIVED, inputs)

    first, second, other = node("a_count"), node("a_count"), node("b_count")
    shared = node("c_count", first, other)
    root = node("d_count", shared, node("e_count", shared, second), shared)
    found = leaf_nodes([root])
    assert len(found) == 3
    assert {each.name: each for each in found}["a_count"] is root.leaves()["a_count"]
    assert {id(each) for each in found} == {id(first), id(second), id(other)}
