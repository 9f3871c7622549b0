"""Sobol indices against closed forms, SALib, and what they cannot say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtri

from breakeven.decision.risk.sobol import compressed, sobol_indices
from breakeven.decision.risk.value_of_information import conditional_costs

Floats = NDArray[np.float64]
A, B = 7.0, 0.1


def ishigami(u: Floats) -> Floats:
    x, y, z = (2 * u - 1) * np.pi
    return np.sin(x) + A * np.sin(y) ** 2 + B * z**4 * np.sin(x)


def small_costs(u: Floats) -> Floats:
    """Saving of a fleet against a price per token: volume, price, rent, capacity."""
    volume, price, rent, capacity = np.exp(np.array([[9.0], [0.5], [7.0], [8.0]]) + 0.3 * ndtri(u))
    return volume * price - np.ceil(volume / capacity) * rent


def test_ishigami_has_its_known_indices() -> None:
    """Ishigami and Homma (1990): the variance and its parts in closed form."""
    variance = A**2 / 8 + B * np.pi**4 / 5 + B**2 * np.pi**8 / 18 + 0.5
    first = np.array([0.5 * (1 + B * np.pi**4 / 5) ** 2, A**2 / 8, 0.0]) / variance
    together = 8 * B**2 * np.pi**8 / 225 / variance
    found = sobol_indices(ishigami, 3, seed=1, draws_log2=14)
    assert [each.first_order_fraction for each in found] == pytest.approx(first, abs=0.01)
    assert [each.total_fraction for each in found] == pytest.approx(np.add(first, [together, 0, together]), abs=0.004)


@pytest.mark.parametrize("model", [ishigami, small_costs])
def test_salib_agrees(model: object) -> None:
    """Oracle: SALib on a sample of its own; both are within the half-width that SALib states of each other."""
    from SALib.analyze import sobol as analyze
    from SALib.sample import sobol as sample

    names = ["a", "b", "c"] if model is ishigami else ["a", "b", "c", "d"]
    problem = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    points = sample.sample(problem, 2**13, calc_second_order=False, seed=3)
    points = np.clip(points, 1e-9, 1 - 1e-9)
    theirs = analyze.analyze(problem, model(points.T), calc_second_order=False, seed=3)  # type: ignore[operator]
    ours = sobol_indices(model, len(names), seed=3, draws_log2=13)  # type: ignore[arg-type]
    for index, each in enumerate(ours):
        assert abs(each.first_order_fraction - theirs["S1"][index]) < 0.01 + theirs["S1_conf"][index]
        assert abs(each.total_fraction - theirs["ST"][index]) < 0.01 + theirs["ST_conf"][index]


def test_few_draws_do() -> None:
    """The default number of draws is within 0.02 of sixteen times as many, on the cost model."""
    few = sobol_indices(small_costs, 4, seed=5)
    many = sobol_indices(small_costs, 4, seed=6, draws_log2=14)
    for one, other in zip(few, many, strict=True):
        assert one.first_order_fraction == pytest.approx(other.first_order_fraction, abs=0.02)
        assert one.total_fraction == pytest.approx(other.total_fraction, abs=0.02)


@pytest.mark.parametrize("rho", [0.6, -0.5])
def test_correlated_inputs_of_a_sum(rho: float) -> None:
    """X + Y of unit variance: alone an input explains (1 + rho) / 2, beyond the other (1 - rho) / 2; a third adds."""
    matrix = np.array([[1.0, rho, 0.0], [rho, 1.0, 0.0], [0.0, 0.0, 1.0]])
    found = sobol_indices(lambda u: ndtri(u).sum(axis=0), 3, seed=2, draws_log2=13, correlation=matrix)
    variance = 3 + 2 * rho
    expected = [(1 + rho) ** 2 / variance, (1 + rho) ** 2 / variance, 1 / variance]
    assert [each.first_order_fraction for each in found] == pytest.approx(expected, abs=0.01)
    beyond = [(1 - rho**2) / variance, (1 - rho**2) / variance, 1 / variance]
    assert [each.total_fraction for each in found] == pytest.approx(beyond, abs=0.01)


def test_two_names_that_are_one_explain_nothing_beyond_each_other() -> None:
    found = sobol_indices(lambda u: ndtri(u).sum(axis=0), 2, seed=2, draws_log2=12, correlation=np.ones((2, 2)))
    assert [each.first_order_fraction for each in found] == pytest.approx([1.0, 1.0], abs=0.01)
    assert [each.total_fraction for each in found] == pytest.approx([0.0, 0.0], abs=1e-9)


def test_nothing_varies() -> None:
    found = sobol_indices(lambda u: np.zeros(u.shape[1]), 2, seed=0)
    assert [(each.first_order_fraction, each.total_fraction) for each in found] == [(0.0, 0.0)] * 2


def test_the_scale_of_money_keeps_signs_and_order() -> None:
    saving = np.array([-1e9, -3.0, 0.0, 2.0, 5.0, 1e9])
    scaled = compressed(saving, 3.0)
    assert np.array_equal(np.sign(scaled), np.sign(saving))
    assert np.all(np.diff(scaled) > 0)
    assert np.array_equal(compressed(np.zeros(3), 0.0), np.zeros(3))


def test_heavy_tails_settle_on_that_scale_and_not_before() -> None:
    """Twelve scrambles of a saving that a lognormal of sigma 3 rules: the spread of the largest index."""

    def saving(u: Floats) -> Floats:
        volume, price = np.exp(3.0 * ndtri(u[0])), np.exp(0.5 * ndtri(u[1]))
        return volume * (price - 1.2)

    raw = [sobol_indices(saving, 2, seed=seed)[1].total_fraction for seed in range(12)]
    calm = [sobol_indices(lambda u: compressed(saving(u), 1.0), 2, seed=seed)[1].total_fraction for seed in range(12)]
    assert np.std(calm) < 0.1 * np.std(raw)


def test_what_moves_the_saving_most_need_not_be_worth_knowing() -> None:
    """Volume explains most of the variance of the saving and cannot change the decision: its EVPPI is nothing."""

    def costs(u: Floats) -> Floats:
        volume, price = np.exp(1.0 * ndtri(u[0])), 1.2 + 0.1 * ndtri(u[1])
        return np.stack([volume * price, volume * np.ones_like(price)])

    def saving(u: Floats) -> Floats:
        api, fleet = costs(u)
        return compressed(api - fleet, 0.2)

    volume, price = sobol_indices(saving, 2, seed=4, draws_log2=13)
    assert volume.total_fraction > 1.5 * price.total_fraction
    points = np.random.default_rng(0).random((2, 2**14))
    of_volume, of_price = (conditional_costs(costs(points), u).evppi_usd for u in points)
    assert of_volume < 1e-6
    assert of_price > 0.001
