"""The cost of a failed answer: a line of its own where the scenario says it, and where it would turn the answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from breakeven.decision.compare import compare, typical
from breakeven.decision.comparison import Comparison
from breakeven.decision.failure_flip import failure_flip
from breakeven.decision.scenario import Scenario
from breakeven.facts.draws import DrawSet
from breakeven.options.assembly.demand import Demand
from breakeven.options.discover import select_options
from breakeven.options.option import Evaluation, OptionCost, Situation
from breakeven.reports.wording import failure_details
from costing import PRICES, demand, demand_by_task, pinned, situation
from options.test_measured_success import outcomes

NAMES = ("frontier_api", "brokered", "deepseek_api")
TASKS = [
    {"task": "faq", "volume_mtok_per_month": 1200, "tokens_per_request": 1000},
    {"task": "contract review", "volume_mtok_per_month": 800, "tokens_per_request": 2000},
]


def comparison(facts: dict[str, float] | None = None, of: Demand | None = None) -> Comparison:
    at = situation(of or demand(30_000), pinned(facts or {}))
    return compare(at, select_options(NAMES), DrawSet(draws_log2=8), with_bands=False)


def cost(name: str, at: Situation) -> OptionCost:
    return select_options((name,))[name].cost(at, Evaluation(typical))


def loss_usd(found: OptionCost) -> float:
    lines = [each for each in found.breakdown.lines if each.name.endswith("failure_losses")]
    return sum(float(each.usd_per_month.value.flat[0]) for each in lines)


@pytest.mark.parametrize("counted", [0.0, 0.001])
def test_the_answer_turns_at_the_flip_and_not_before(counted: float) -> None:
    facts = {"failure_usd_per_request": counted} if counted else {}
    now = comparison(facts)
    flip = failure_flip(now)
    assert flip is not None
    assert flip.is_beyond_counted is bool(counted)
    assert flip.option.name != now.best.name
    before, after = (
        comparison({"failure_usd_per_request": counted + flip.more_usd_per_request * ratio}) for ratio in (0.999, 1.001)
    )
    assert before.best.name == now.best.name
    assert after.best.name == flip.option.name


def test_whoever_fails_least_is_never_turned() -> None:
    dear = comparison({"failure_usd_per_request": 50.0})
    assert dear.best.success_fraction.mean == max(each.success_fraction.mean for each in dear.options)
    assert failure_flip(dear) is None
    assert failure_details(dear) == []


def test_the_sentence_says_what_is_taken_and_where_it_turns() -> None:
    now = comparison()
    flip = failure_flip(now)
    assert flip is not None
    (said,) = failure_details(now)
    assert said.startswith("A failed answer is taken to break nothing (failure_usd_per_request); from $")
    (again,) = failure_details(comparison({"failure_usd_per_request": 0.001}))
    assert again.startswith("Were each failed answer $")


def test_without_a_cost_there_is_no_line() -> None:
    for name in (*NAMES, "rented_on_demand", "hybrid", "routed"):
        assert loss_usd(cost(name, situation(demand(300)))) == 0
        assert not any("failure_losses" in each.name for each in cost(name, situation(demand(300))).breakdown.lines)


@pytest.mark.parametrize("name", [*NAMES, "rented_on_demand", "hybrid", "routed", "cheaper_tier", "batch_api"])
def test_every_option_pays_for_what_it_fails(name: str) -> None:
    found = cost(name, situation(demand(300), pinned({"failure_usd_per_request": 0.5})))
    failing = float((found.requests.value * (1 - found.success.value)).flat[0])
    assert loss_usd(found) == pytest.approx(failing * 0.5, rel=1e-9)
    without = cost(name, situation(demand(300)))
    assert float(found.total.value.flat[0]) == pytest.approx(float(without.total.value.flat[0]) + failing * 0.5)


def with_costs(of: Demand, costs: dict[str, float], **facts: float) -> Situation:
    found = situation(of, pinned(facts))
    return replace(found, choices=replace(found.choices, failure_usd_per_request=costs))


def test_by_task_it_is_the_mean_over_the_calls() -> None:
    at = with_costs(demand_by_task(TASKS, PRICES), {"contract-review": 12.0, "other": 0.1})
    found = cost("frontier_api", at)
    failing = float((found.requests.value * (1 - found.success.value)).flat[0])
    assert loss_usd(found) == pytest.approx(failing * (0.75 * 0.1 + 0.25 * 12.0), rel=1e-9)


def test_a_hybrid_pays_for_each_part_what_fails_there() -> None:
    found = cost("hybrid", with_costs(demand_by_task(TASKS, PRICES), {"contract-review": 12.0, "other": 0.1}))
    requests = float(found.requests.value.flat[0])
    leaves = found.success.leaves()
    kept = float(leaves["frontier_success_fraction"].value.flat[0])
    moved = min(float(leaves["open_model_commodity_success_fraction"].value.flat[0]), kept)  # a guess, no better
    wanted = requests * (0.75 * (1 - moved) * 0.1 + 0.25 * (1 - kept) * 12.0)
    assert loss_usd(found) == pytest.approx(wanted, rel=1e-9)


def test_measured_tasks_count_by_how_often_they_fail() -> None:
    rates = {"gpt-5": {"faq": (9_900, 10_000), "contract review": (7_000, 10_000)}}
    at = with_costs(demand_by_task(TASKS, PRICES), {"contract review": 12.0, "other": 0.1})
    at = replace(at, choices=replace(at.choices, outcomes=outcomes(rates)))
    found = cost("frontier_api", at)
    requests = float(found.requests.value.flat[0])
    assert loss_usd(found) == pytest.approx(requests * (0.75 * 0.01 * 0.1 + 0.25 * 0.3 * 12.0), rel=0.01)


def test_one_number_for_all_calls_wins() -> None:
    costs = {"contract review": 12.0}
    at = with_costs(demand_by_task(TASKS, PRICES), costs, failure_usd_per_request=0.5)
    found = cost("frontier_api", at)
    assert loss_usd(found) == pytest.approx(
        float((found.requests.value * (1 - found.success.value)).flat[0]) * 0.5, rel=1e-9
    )


def test_a_scenario_says_it_by_task() -> None:
    scenario = Scenario(failure_usd_per_request={"faq": 0.1, "other": 1})
    assert scenario.choices().failure_usd_per_request == {"faq": 0.1, "other": 1}
    assert np.isfinite(cost("frontier_api", with_costs(demand(10), {"faq": 0.1})).total.value).all()
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        Scenario(failure_usd_per_request={"faq": -1.0})
