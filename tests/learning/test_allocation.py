"""Allocations against brute force, duality and planted limits."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import LearningError
from breakeven.learning.allocation import Limits, PartFloor, allocate, chosen

MODELS = ("small", "mid", "large")


def planted(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    cost = np.array([0.001, 0.004, 0.02]) * rng.uniform(0.5, 1.5, (rows, 3))
    hard = rng.uniform(size=(rows, 1))
    return cost, np.clip(np.array([0.95, 0.97, 0.99]) - hard * np.array([0.6, 0.3, 0.1]), 0.01, 0.99)


def best_by_brute_force(cost: np.ndarray, chance: np.ndarray, floor: float) -> float:
    """Lowest cost per success of every way to give each request one model."""
    rows = np.arange(len(cost))
    found = np.inf
    for choice in product(range(3), repeat=len(cost)):
        success = chance[rows, choice].mean()
        if success >= floor:
            found = min(found, cost[rows, choice].mean() / success)
    return found


@pytest.mark.parametrize("floor", [0.0, 0.8, 0.88])
def test_cost_per_success_is_at_most_that_of_the_best_whole_split(floor: float) -> None:
    cost, chance = planted(7, 3)
    exact = best_by_brute_force(cost, chance, floor)
    found = allocate(MODELS, cost, chance, Limits(quality_floor_fraction=floor))
    assert found.success_fraction >= floor - 1e-9
    assert found.usd_per_success <= exact + 1e-12
    if not found.divided_requests_count:
        assert found.usd_per_success == pytest.approx(exact, rel=1e-6)


def test_a_known_cost_of_failure_decides_each_request_alone() -> None:
    cost, chance = planted(400, 1)
    found = allocate(MODELS, cost, chance, Limits(failure_usd_per_request=0.02))
    best = (cost + 0.02 * (1 - chance)).min(axis=1).mean()
    assert found.usd_per_request + 0.02 * (1 - found.success_fraction) == pytest.approx(best, rel=1e-9)
    assert found.value_usd_per_success == pytest.approx(0.02)
    assert found.capacity_usd_per_request == (0.0, 0.0, 0.0)


def test_nothing_but_the_cheapest_where_failures_cost_nothing() -> None:
    cost, chance = planted(50, 2)
    cost[:, 0] = 1e-4
    assert allocate(MODELS, cost, chance, Limits(failure_usd_per_request=0.0)).share_fractions == (1.0, 0.0, 0.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_rule_of_prices_chooses_as_the_program_does(seed: int) -> None:
    cost, chance = planted(600, seed)
    limits = Limits({"small": 0.25, "mid": 0.3}, quality_floor_fraction=0.8)
    found = allocate(MODELS, cost, chance, limits)
    assert found.divided_requests_count <= 3  # one for each limit
    assert found.agreement_fraction >= 0.99
    rule = chosen(cost, chance, found)
    shares = np.bincount(rule, minlength=3) / len(rule)
    assert shares == pytest.approx(found.share_fractions, abs=0.01)
    assert found.capacity_usd_per_request[0] > 0


def test_prices_are_what_more_capacity_saves() -> None:
    cost, chance = planted(600, 9)
    limits = [Limits({"small": share}, failure_usd_per_request=0.02) for share in (0.30, 0.31)]
    fewer, more = (allocate(MODELS, cost, chance, each) for each in limits)
    burdens = [each.usd_per_request + 0.02 * (1 - each.success_fraction) for each in (fewer, more)]
    assert (burdens[0] - burdens[1]) / 0.01 == pytest.approx(fewer.capacity_usd_per_request[0], rel=0.1)


def test_a_budget_is_kept_and_raises_the_price_of_success() -> None:
    cost, chance = planted(500, 4)
    free = allocate(MODELS, cost, chance, Limits(failure_usd_per_request=0.2))
    held = allocate(
        MODELS, cost, chance, Limits(failure_usd_per_request=0.2, budget_usd_per_request=free.usd_per_request / 2)
    )
    assert held.usd_per_request == pytest.approx(free.usd_per_request / 2, rel=1e-9)
    assert held.value_usd_per_success < free.value_usd_per_success
    assert held.agreement_fraction >= 0.99


def test_a_model_that_may_not_take_a_request_does_not() -> None:
    cost, chance = planted(60, 5)
    may = np.ones_like(cost, bool)
    may[:, 0] = False
    found = allocate(MODELS, cost, chance, Limits(failure_usd_per_request=0.01), may)
    assert found.share_fractions[0] == 0
    assert not (chosen(cost, chance, found, may) == 0).any()


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(dict.fromkeys(MODELS, 0.2)), "the capacities hold 60 %"),
        (Limits({"tiny": 0.2}), "a capacity for tiny, which no outcome names; known: small, mid, large"),
        (Limits(quality_floor_fraction=0.999), "no split reaches a success of 0.999"),
        (Limits(budget_usd_per_request=1e-9), "is below the cheapest split"),
    ],
)
def test_limits_that_cannot_be_kept_are_named(limits: Limits, words: str) -> None:
    with pytest.raises(LearningError, match=words):
        allocate(MODELS, *planted(20, 0), limits)


def test_an_unknown_cost_is_no_zero() -> None:
    cost, chance = planted(20, 0)
    cost[3, 1] = np.nan
    with pytest.raises(LearningError, match="is not known; give prices"):
        allocate(MODELS, cost, chance, Limits())


@given(st.integers(0, 10_000), st.floats(0.1, 1.0), st.floats(0.0, 0.9))
def test_every_limit_is_kept(seed: int, share: float, floor: float) -> None:
    cost, chance = planted(30, seed)
    try:
        found = allocate(MODELS, cost, chance, Limits({"large": share}, quality_floor_fraction=floor))
    except LearningError:
        return
    assert found.share_fractions[2] <= share + 1e-7
    assert found.success_fraction >= floor - 1e-7
    assert sum(found.share_fractions) == pytest.approx(1)


@given(st.integers(0, 10_000), st.floats(0.2, 1.0), st.floats(0.5, 0.97), st.floats(0.5, 0.97))
def test_each_part_keeps_its_floor_and_the_rule_with_its_value_chooses_as_the_program(
    seed: int, share: float, first: float, second: float
) -> None:
    cost, chance = planted(200, seed)
    mine = np.arange(200) < 80
    floors = {"contract": PartFloor(mine, first), "": PartFloor(~mine, second)}
    try:
        found = allocate(
            MODELS, cost, chance, Limits({"large": share}, failure_usd_per_request=0.001), part_floors=floors
        )
    except LearningError:
        return
    split = found.split_fractions
    success = (split * chance).sum(axis=1)
    assert success[mine].mean() >= first - 1e-6
    assert success[~mine].mean() >= second - 1e-6
    assert found.share_fractions[2] <= share + 1e-7
    worth = np.where(mine, found.value_usd_by_part["contract"], found.value_usd_by_part[""])
    assert worth.min() >= 0.001 - 1e-12
    burden = cost + np.array(found.capacity_usd_per_request) + worth[:, None] * (1 - chance)
    whole = split.max(axis=1) >= 1 - 1e-6
    assert (~whole).sum() <= 3  # one for each line of the program
    rule, program = burden.min(axis=1), burden[np.arange(200), split.argmax(axis=1)]
    assert program[whole] == pytest.approx(rule[whole], rel=1e-6, abs=1e-9)


def test_a_floor_that_no_model_reaches_in_its_part_is_named() -> None:
    cost, chance = planted(20, 0)
    floors = {"contract": PartFloor(np.arange(20) < 5, 0.999)}
    with pytest.raises(LearningError, match=r"no split reaches a success of 0\.999 in contract"):
        allocate(MODELS, cost, chance, Limits(), part_floors=floors)


def test_the_price_of_a_floor_is_what_a_little_less_of_it_saves() -> None:
    cost, chance = planted(600, 9)
    mine = np.arange(600) < 200
    limits = Limits(failure_usd_per_request=0.0)
    found = [
        allocate(MODELS, cost, chance, limits, part_floors={"contract": PartFloor(mine, floor)})
        for floor in (0.85, 0.851)
    ]
    saved = (found[1].usd_per_request - found[0].usd_per_request) * 600
    assert saved / (200 * 0.001) == pytest.approx(found[0].value_usd_by_part["contract"], rel=0.1)
