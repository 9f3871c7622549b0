"""Exit criteria: at each threshold both options cost the same, and beyond it the other one costs less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from answered import World, dear_api, world
from breakeven.decision.answers.changes import API_PRICE, VOLUME, Change, Kind, at_price, changed_demand
from breakeven.decision.answers.exit_criteria import ExitCriterion, ExitPlan, exit_plan
from breakeven.decision.answers.expected import Expectation
from breakeven.decision.compare import typical
from breakeven.decision.horizon.present import present_costs_usd
from breakeven.options.option import Evaluation, Situation
from costing import pinned


def plan_of(here: World, recommended: str, rival: str | None) -> ExitPlan:
    return exit_plan(here.comparison, here.situation, here.options, here.at_typical, recommended, rival)


def gap_at(here: World, mover: str, each: ExitCriterion, value: float) -> float:
    """Mover less today's API at typical values with the criterion's number at `value`, costed from scratch."""
    told, own, volumes = here.situation, here.situation, None
    if each.metric == "volume":
        volumes = np.array([value])
    elif each.metric == "api_price":
        told = own = replace(told, demand=at_price(told.demand, value / each.typical))
    else:
        own = replace(told, scenario={**told.scenario, **pinned({each.fact: value})})
    return _cost(here, mover, own, told, volumes)


def _cost(here: World, mover: str, own: Situation, told: Situation, volumes: np.ndarray | None) -> float:
    base = here.options["frontier_api"].cost(told, Evaluation(typical, volumes))
    cost = here.options[mover].cost(own, Evaluation(typical, volumes))
    found = cost.total.value * base.success.value / cost.success.value - base.total.value
    return float(np.ravel(found)[0])


MOVES = [(2_000.0, "brokered"), (20_000.0, "rented_one_year"), (20_000.0, "managed_together"), (60_000.0, "owned_gpus")]


@pytest.mark.parametrize(("volume", "mover"), MOVES)
def test_beyond_each_threshold_today_costs_less_again(volume: float, mover: str) -> None:
    here = world(volume)
    plan = plan_of(here, mover, "frontier_api")
    assert plan.mover == mover and not plan.stays
    assert {"volume", "success"} <= {each.metric for each in plan.criteria}
    for each in plan.criteria:
        beyond = each.value * (1.001 if each.above else 0.999)
        before = each.value * (0.999 if each.above else 1.001)
        assert gap_at(here, mover, each, beyond) > 0 > gap_at(here, mover, each, before), each
        assert (each.value > each.typical) == each.above


def test_whoever_stays_is_told_when_to_move() -> None:
    here = world(300)
    plan = plan_of(here, "frontier_api", "rented_one_year")
    assert plan.stays and plan.mover == "rented_one_year"
    metrics = {each.metric: each for each in plan.criteria}
    assert metrics["volume"].above and metrics["api_price"].above
    for each in plan.criteria:
        beyond = each.value * (1.001 if each.above else 0.999)
        assert gap_at(here, "rented_one_year", each, beyond) < 0, each


def test_a_fleet_has_all_five_where_each_can_turn_it() -> None:
    here = dear_api(5_000)
    plan = plan_of(here, "rented_on_demand", "frontier_api")
    assert {each.metric for each in plan.criteria} >= {"volume", "api_price", "gpu_rent"}
    rent = next(each for each in plan.criteria if each.metric == "gpu_rent")
    assert rent.above and rent.typical == pytest.approx(
        here.at_typical["rented_on_demand"].total.leaves()[rent.fact].value[0]
    )


def test_the_volume_is_the_nearest_crossing_of_the_exact_curves() -> None:
    here = world(20_000)
    plan = plan_of(here, "rented_one_year", "frontier_api")
    pair = next(each for each in here.comparison.pairs if each.option == "rented_one_year")
    volume = next(each for each in plan.criteria if each.metric == "volume")
    assert volume.value == max(each.mtok_per_month for each in pair.report.crossings if each.mtok_per_month < 20_000)


def test_a_bill_by_the_token_has_no_rent_and_no_incidents_of_a_fleet() -> None:
    metrics = {each.metric for each in plan_of(world(2_000), "brokered", "frontier_api").criteria}
    assert not metrics & {"gpu_rent", "incidents"}


def test_where_typical_values_disagree_with_the_recommendation_nothing_is_claimed() -> None:
    assert plan_of(world(300), "rented_one_year", "frontier_api").criteria == ()
    assert plan_of(world(20_000), "frontier_api", "rented_one_year").criteria == ()


def test_one_option_alone_has_nothing_to_go_back_to() -> None:
    assert plan_of(world(300), "frontier_api", None) == ExitPlan(None, True, ())


def ahead_of(here: World) -> tuple[Expectation, str, str]:
    """What the months to come expect, and the two options of the lowest expected present cost."""
    expected = Expectation(here.situation, here.options, here.draws, {})
    names = here.outlook.open_names
    costs = expected.costs_usd(here.situation, names)
    best = min(names, key=lambda name: float(np.mean(costs[name])))
    others = [name for name in names if name != best]
    rival = "frontier_api" if best != "frontier_api" else min(others, key=lambda name: float(np.mean(costs[name])))
    return expected, best, rival


@pytest.mark.parametrize("here", [world(300), world(3_000), dear_api(5_000)], ids=["stays", "middle", "moves"])
def test_over_the_horizon_a_condition_put_into_the_what_if_turns_the_two(here: World) -> None:
    expected, best, rival = ahead_of(here)
    plan = exit_plan(here.comparison, here.situation, here.options, here.at_typical, best, rival, expected)
    assert plan.criteria and plan.months_count == 36 and plan.other == rival
    for each in plan.criteria:
        for factor in (0.9, 1.1):
            change = Change(
                "x", *_named(each), value=each.value * factor / (each.typical if each.metric == "api_price" else 1)
            )
            if each.metric == "success" and float(change.value) > 1:
                continue
            told = told_of(here, change)
            costs = present_costs_usd(
                told, {name: here.options[name] for name in {"frontier_api", best, rival}}, here.draws.of
            )
            turned = float(np.mean(costs[best])) > float(np.mean(costs[rival]))
            assert turned == ((factor > 1) == each.above), (each, factor)


def test_whoever_stays_is_told_of_what_wins_first() -> None:
    here = world(300)
    expected, best, rival = ahead_of(here)
    names = here.outlook.open_names
    others = [name for name in names if name not in (best, rival)]
    plan = exit_plan(here.comparison, here.situation, here.options, here.at_typical, best, rival, expected, others[:6])
    assert best == "frontier_api" and {"volume", "api_price"} <= {each.metric for each in plan.criteria}
    held = [best, rival, *others[:6]]
    for each in plan.criteria:
        for factor in (0.95, 1.05):
            size = each.value * factor / (each.typical if each.metric == "api_price" else 1)
            costs = expected.costs_usd(told_of(here, Change("x", *_named(each), value=size)), held)
            wins = min(held, key=lambda name: float(np.mean(costs[name])))
            assert wins == (each.other if (factor > 1) == each.above else best), (each, factor)


def _named(each: ExitCriterion) -> tuple[str, Kind]:
    if each.metric == "volume":
        return VOLUME, "volume"
    return (API_PRICE, "api_price") if each.metric == "api_price" else (each.fact, "fact")


def told_of(here: World, change: Change) -> Situation:
    """The situation of a what-if."""
    if change.kind == "fact":
        stated = pinned({change.name: float(change.value)})
        return replace(here.situation, scenario={**here.situation.scenario, **stated})
    hours = here.situation.catalog.assumptions["hours_per_month"].typical
    return replace(here.situation, demand=changed_demand(here.situation.demand, [change], hours))


def test_one_month_at_typical_values_is_not_the_horizon() -> None:
    """The volume at which a month's typical costs cross turns nothing in expectation over the months."""
    here = world(300)
    expected, best, rival = ahead_of(here)
    assert best == "frontier_api"
    month, ahead = (
        exit_plan(here.comparison, here.situation, here.options, here.at_typical, best, rival, each).criteria
        for each in (None, expected)
    )
    marks = [next(each.value for each in found if each.metric == "volume") for found in (month, ahead)]
    gap = expected.mean_gap(expected.with_volume(here.comparison.typical_volume_mtok), best, rival)
    assert gap(marks[0] * 1.1) < 0 < gap(marks[1] * 1.1)
