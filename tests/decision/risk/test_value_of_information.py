"""What knowing is worth: closed forms, nested simulation, and what must hold for any costs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import norm, qmc

from breakeven.decision.risk.inputs import drawn_from, key_of
from breakeven.decision.risk.value_of_information import conditional_costs, evpi_usd
from breakeven.facts.draws import DrawSet
from small_company import FACTS, OPTIONS, evaluate, matrix

MEAN, SD = 0.5, 2.0
EVPI, EVSI = 0.572689, 0.41922
"""Worked example 13: a difference N(0.5, sd 2) against 0; a sample of 4 with noise sd 3."""
POINTS = qmc.Sobol(2, rng=np.random.default_rng(3)).random_base2(14)
DIFFERENCE = MEAN + SD * ndtri(POINTS[:, 0])


def two_options(noise: np.ndarray | float = 0.0) -> np.ndarray:
    return np.stack([DIFFERENCE + noise, np.zeros_like(DIFFERENCE)])


def test_knowing_everything_about_a_normal_difference() -> None:
    """Unit normal loss: sd pdf(m/sd) - m cdf(-m/sd)."""
    exact = SD * norm.pdf(MEAN / SD) - MEAN * norm.cdf(-MEAN / SD)
    assert exact == pytest.approx(EVPI, abs=5e-7)
    assert evpi_usd(two_options()) == pytest.approx(EVPI, abs=1e-4)
    assert conditional_costs(two_options(), POINTS[:, 0]).evppi_usd == pytest.approx(EVPI, abs=1e-4)


def test_knowing_one_of_two_numbers() -> None:
    """The difference is the sum of what can be known and of what cannot: only the former counts."""
    costs = two_options(3.0 * ndtri(POINTS[:, 1]))
    total = np.hypot(SD, 3.0)
    exact = total * norm.pdf(MEAN / total) - MEAN * norm.cdf(-MEAN / total)
    assert evpi_usd(costs) == pytest.approx(exact, rel=2e-3)
    assert conditional_costs(costs, POINTS[:, 0]).evppi_usd == pytest.approx(EVPI, rel=5e-3)


def test_a_sample_of_four_with_noise() -> None:
    given_it = conditional_costs(two_options(), POINTS[:, 0])
    assert given_it.evsi_usd(4, 3.0 / SD) == pytest.approx(EVSI, abs=5e-5)
    assert given_it.evsi_usd(0, 3.0 / SD) == 0.0
    assert given_it.evsi_usd(1e9, 3.0 / SD) == pytest.approx(given_it.evppi_usd, rel=1e-6)


def nested(name: str, draws_log2: int = 12, values_count: int = 160) -> float:
    """Oracle: fix the fact at equally likely values, average over everything else each time."""
    draws = DrawSet(seed=11, draws_log2=draws_log2)
    fact = FACTS[name]
    means = []
    for u in (np.arange(values_count) + 0.5) / values_count:
        columns = {key_of(each): draws.uniform(each.name, each.dimension) for each in FACTS.values()}
        columns[key_of(fact)] = np.full(draws.draws_count, u)
        costs = evaluate(drawn_from(columns, draws.draws_count))
        means.append([costs[option].mean() for option in OPTIONS])
    table = np.array(means)
    return float(table.mean(axis=0).min() - table.min(axis=1).mean())


def test_regression_agrees_with_nested_simulation() -> None:
    """Within 5 % for every fact above 3 % of the EVPI, and below 1 % where the nested answer is."""
    draws = DrawSet(seed=2)
    costs = matrix(draws)
    everything = evpi_usd(costs)
    checked = 0
    for name, fact in FACTS.items():
        if fact.is_certain:
            continue
        found = conditional_costs(costs, draws.uniform(name, fact.dimension))
        oracle = nested(name)
        if oracle > 0.03 * everything:
            checked += 1
            assert found.evppi_usd == pytest.approx(oracle, rel=0.05), name
        else:
            assert found.evppi_usd == pytest.approx(oracle, abs=0.005 * everything), name
    assert checked >= 3


def test_a_number_that_no_cost_reads_is_noise() -> None:
    draws = DrawSet(seed=2)
    found = conditional_costs(matrix(draws), draws.uniform("something_else_usd", 63))
    assert found.is_noise
    assert found.evppi_usd < 0.01 * found.evpi_usd


def test_a_decision_that_nothing_can_change_is_worth_no_information() -> None:
    u = POINTS[:, 0]
    found = conditional_costs(np.stack([1.0 + u, 5.0 + u, 9.0 + u]), u)
    assert (found.evpi_usd, found.evppi_usd, found.is_noise) == (0.0, 0.0, True)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 5), st.integers(0, 2**31), st.floats(0.1, 3.0))
def test_bounds_and_order_hold_for_any_costs(options: int, seed: int, sigma: float) -> None:
    """0 <= a sample <= one number <= everything; a constant added to all costs changes nothing."""
    rng = np.random.default_rng(seed)
    u = rng.random(512)
    costs = np.exp(sigma * (rng.normal(size=(options, 1)) * ndtri(u) + 0.3 * rng.normal(size=(options, 512))))
    found = conditional_costs(costs, u)
    assert 0.0 <= found.evsi_usd(1, 1.0) <= found.evsi_usd(9, 1.0) + 1e-12
    assert found.evsi_usd(9, 1.0) <= found.evppi_usd <= found.evpi_usd
    shifted = conditional_costs(costs + 1000.0, u)
    assert shifted.evppi_usd == pytest.approx(found.evppi_usd, abs=1e-6)
