"""Equal cost: a solution put back into the scenario makes the two options cost the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from answered import World, world
from breakeven.decision.answers.changes import API_PRICE, VOLUME, at_price
from breakeven.decision.answers.equal_cost import Solved, option_named, solve, solve_ahead
from breakeven.decision.answers.expected import Expectation
from breakeven.decision.answers.outlook import equal_success_of
from breakeven.decision.answers.solve import Bounds
from breakeven.decision.compare import typical
from breakeven.errors import ScenarioError, UnknownName
from breakeven.options.option import Evaluation, Situation
from costing import pinned


def solved(
    here: World, name: str, first: str, second: str, bounds: Bounds | None = None, ranges: bool = False
) -> Solved:
    one, two = (option_named(each, here.comparison) for each in (first, second))
    draws = here.draws if ranges else None
    return solve(here.situation, here.options, here.comparison, name, one, two, bounds=bounds, draws=draws)


def both(here: World, told: Situation, found: Solved, volumes: np.ndarray | None = None) -> tuple[float, float]:
    evaluation = Evaluation(typical, volumes)
    base = here.options["frontier_api"].cost(told, evaluation)
    one, two = (
        float(np.ravel(equal_success_of(here.options[name].cost(told, evaluation), base))[0])
        for name in (found.first, found.second)
    )
    return one, two


@pytest.mark.parametrize(
    ("volume", "name", "first", "second"),
    [
        (20_000.0, "gpu_rent_usd_per_gpu_hour", "self_host", "api"),
        (20_000.0, "engineer_usd_per_year", "self_host", "api"),
        (20_000.0, "moe_model_success_fraction", "self_host", "api"),
        (20_000.0, "open_model_success_fraction", "self_host", "api"),
        (900.0, "api_migration_hours", "batch_api", "api"),
        (20_000.0, "gpu_rent_usd_per_gpu_hour", "rented_spot", "api"),
    ],
)
def test_at_the_solution_both_cost_the_same(volume: float, name: str, first: str, second: str) -> None:
    here = world(volume)
    found = solved(here, name, first, second)
    assert found.found
    for each in found.found:
        told = replace(here.situation, scenario={**here.situation.scenario, **pinned({name: each.value})})
        one, two = both(here, told, found)
        assert one == pytest.approx(two, rel=1e-6) if each.kind == "crossing" else one != two
        above = replace(here.situation, scenario={**here.situation.scenario, **pinned({name: each.value * 1.0005})})
        one, two = both(here, above, found)
        assert (one < two) == each.falls


@pytest.mark.parametrize("second", ["api", "managed_together"])
def test_the_gap_as_things_are_leaves_each_option_its_own_value(second: str) -> None:
    here = world(20_000)
    found = solved(here, "gpu_rent_usd_per_gpu_hour", "rented_one_year", second)
    one, two = both(here, here.situation, found)
    assert found.gap_now_usd_per_month == pytest.approx(one - two)


def test_a_volume_is_a_crossing_of_the_exact_curves() -> None:
    here = world(2_000)
    found = solved(here, VOLUME, "rented_one_year", "api")
    pair = next(each for each in here.comparison.pairs if each.option == "rented_one_year")
    exact = [each.mtok_per_month for each in pair.report.crossings]
    for each in found.found:
        assert min(abs(each.value / mark - 1) for mark in exact) < 1e-6


def test_todays_price_is_solved_for_as_a_multiple() -> None:
    here = world(20_000)
    found = solved(here, API_PRICE, "rented_one_year", "api")
    (only,) = found.found
    one, two = both(here, replace(here.situation, demand=at_price(here.situation.demand, only.value)), found)
    assert one == pytest.approx(two, rel=1e-6) and only.falls


def test_no_solution_between_the_bounds_is_said_and_not_invented() -> None:
    found = solved(world(300), "gpu_rent_usd_per_gpu_hour", "self_host", "api")
    assert found.found == () and found.gap_now_usd_per_month > 0
    narrow = solved(world(20_000), "gpu_rent_usd_per_gpu_hour", "rented_one_year", "api", Bounds(0.1, 0.2))
    assert narrow.found == () and narrow.bounds == Bounds(0.1, 0.2)


def test_impossible_bounds_are_refused() -> None:
    with pytest.raises(ScenarioError, match="'hours_per_month' is 0 to 2000; wanted more than zero"):
        solved(world(20_000), "hours_per_month", "rented_one_year", "api", Bounds(0.0, 2_000.0))


def test_the_range_over_the_futures_holds_the_typical_solution() -> None:
    found = solved(world(20_000), "gpu_rent_usd_per_gpu_hour", "rented_one_year", "api", ranges=True)
    (only,) = found.found
    assert found.crossing is not None and found.never_fraction is not None
    assert found.crossing.p10 < only.value < found.crossing.p90
    assert 0 <= found.never_fraction < 0.6


def test_a_fact_that_neither_reads_is_refused() -> None:
    with pytest.raises(UnknownName, match="neither brokered nor frontier_api depends on 'gpu_rent_usd_per_gpu_hour'"):
        solved(world(2_000), "gpu_rent_usd_per_gpu_hour", "brokered", "api")


@pytest.mark.parametrize(
    ("said", "families"),
    [("self_host", ("self_hosted",)), ("managed", ("managed",)), ("gpus", ("self_hosted", "managed"))],
)
def test_a_kind_is_the_cheapest_of_it(said: str, families: tuple[str, ...]) -> None:
    comparison = world(2_000).comparison
    known = [each for each in comparison.options if each.cost.family in families and not each.cost.only_if]
    cheapest = min(known, key=lambda each: each.equal_success_usd_per_month.mean)
    assert option_named(said, comparison).name == cheapest.name


def test_an_unknown_option_is_refused_with_the_nearest_and_one_without_a_price_with_the_reason() -> None:
    comparison = world(2_000).comparison
    with pytest.raises(UnknownName, match="no option named 'rented_spott'; did you mean 'rented_spot'"):
        option_named("rented_spott", comparison)
    with pytest.raises(UnknownName, match="'provisioned' cannot be costed here: needs your quote"):
        option_named("provisioned", comparison)


@pytest.mark.parametrize(
    ("name", "first"),
    [(VOLUME, "rented_one_year"), (API_PRICE, "brokered"), ("gpu_rent_usd_per_gpu_hour", "rented_one_year")],
)
def test_over_the_horizon_the_expected_present_costs_are_equal(name: str, first: str) -> None:
    here = world(20_000)
    expected = Expectation(here.situation, here.options, here.draws, {})
    one, two = (option_named(each, here.comparison) for each in (first, "api"))
    found = solve_ahead(expected, here.comparison, name, one, two)
    assert found.months_count == 36 and found.found
    moved = {VOLUME: expected.with_volume(here.comparison.typical_volume_mtok), API_PRICE: expected.with_price()}
    for each in found.found:
        gaps = {
            factor: expected.gaps_usd(
                moved.get(name, expected.with_fact(found.fact))(each.value * factor), first, two.name
            )
            for factor in (0.99, 1.0, 1.01)
        }
        size = np.mean(np.abs(gaps[1.0]))
        assert abs(float(np.mean(gaps[1.0]))) < 1e-3 * float(size)
        assert (float(np.mean(gaps[0.99])) > 0 > float(np.mean(gaps[1.01]))) == each.falls
    now = expected.costs_usd(here.situation, (first, two.name))
    assert found.gap_now_present_usd == pytest.approx(float(np.mean(now[first] - now[two.name])))
