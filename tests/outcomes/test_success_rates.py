"""Success rates: coverage of the intervals, exact and simulated; what a success costs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from breakeven.errors import OutcomeError
from breakeven.outcomes.outcome import OutcomeTable
from breakeven.outcomes.success_cost import success_cost
from breakeven.outcomes.success_rates import ALL, jeffreys, of_group, success_rates


def _coverage(success: float, tries: int) -> float:
    """Exact: the probability of all counts whose interval holds the truth."""
    found = [jeffreys(k, tries) for k in range(tries + 1)]
    holds = np.array([each.low_fraction <= success <= each.high_fraction for each in found])
    return float(binom.pmf(np.arange(tries + 1), tries, success)[holds].sum())


@pytest.mark.parametrize("tries", [5, 10, 50, 500])
def test_jeffreys_covers_on_average(tries: int) -> None:
    """Over rates from 0.01 to 0.99; single rates dip, because counts are whole (Brown, Cai and DasGupta 2001)."""
    found = [_coverage(rate, tries) for rate in np.linspace(0.01, 0.99, 99)]
    assert np.mean(found) >= 0.89
    assert min(found) >= 0.75


@pytest.mark.parametrize(("tries", "at_least"), [(5, 0.95), (20, 0.98), (50, 0.9), (300, 0.89)])
def test_jeffreys_covers_at_ninety_nine_percent(tries: int, at_least: float) -> None:
    assert _coverage(0.99, tries) >= at_least


def test_jeffreys_by_simulation_agrees_with_the_exact_coverage() -> None:
    rng = np.random.default_rng(8)
    found = {k: jeffreys(k, 5) for k in range(6)}
    hits = [found[k].low_fraction <= 0.99 <= found[k].high_fraction for k in rng.binomial(5, 0.99, 20_000)]
    assert np.mean(hits) == pytest.approx(_coverage(0.99, 5), abs=0.005)


def test_scores_between_0_and_1_are_covered_at_least_as_often() -> None:
    """Beta scores with mean 0.8: fractions added up are read as the most uncertain scores with that mean."""
    rng = np.random.default_rng(9)
    hits = 0
    for _ in range(500):
        found = jeffreys(float(rng.beta(4, 1, 30).sum()), 30)
        hits += found.low_fraction <= 0.8 <= found.high_fraction
    assert hits / 500 >= 0.95


def test_no_tries_tell_nothing() -> None:
    found = jeffreys(0, 0)
    assert np.isnan(found.success_fraction)
    assert (found.low_fraction, found.high_fraction) == (0, 1)


def _table(success: np.ndarray, tasks: list[str], cost: np.ndarray | None = None) -> OutcomeTable:
    models = tuple("ab"[: success.shape[1]])
    costs = np.full(success.shape, np.nan) if cost is None else cost
    ids = tuple(map(str, range(len(tasks))))
    return OutcomeTable(ids, models, success, costs, ("",) * len(tasks), {"task": tuple(tasks)})


def test_rates_by_task_and_model() -> None:
    success = np.full((110, 2), np.nan)
    success[:100, 0] = np.r_[np.ones(80), np.zeros(20)]
    success[100:110, 0], success[100:104, 1] = 1, [1, 0, 1, 1]
    rates = success_rates(_table(success, ["faq"] * 100 + ["law"] * 10))
    assert [(each.group, each.model, each.tries_count) for each in rates] == [
        (ALL, "a", 110),
        (ALL, "b", 4),
        ("faq", "a", 100),
        ("law", "a", 10),
        ("law", "b", 4),
    ]
    by_place = {(each.group, each.model): each for each in rates}
    assert by_place["faq", "a"].shown == jeffreys(80, 100)
    alone = by_place["law", "a"]  # two tasks do not tell what tasks have in common
    assert not alone.is_rare
    assert alone.shown == jeffreys(10, 10)
    assert len(of_group(rates, ALL)) == 2


def test_a_rare_task_is_drawn_towards_the_others() -> None:
    rng = np.random.default_rng(3)
    tasks = [f"task {i}" for i in range(8) for _ in range(200)] + ["rare"] * 3
    success = np.r_[rng.binomial(1, 0.9, 1600), [0, 1, 1]].astype(float)[:, None]
    rates = {each.group: each for each in success_rates(_table(success, tasks))}
    assert rates["rare"].is_rare
    assert not rates["task 0"].is_rare
    assert rates["rare"].counted.success_fraction == pytest.approx(2 / 3)
    assert 0.8 < rates["rare"].shown.success_fraction < 0.95


def test_one_task_or_no_tasks_are_the_whole() -> None:
    success = np.ones((5, 1))
    assert [each.group for each in success_rates(_table(success, ["faq"] * 5))] == [ALL]
    assert [each.group for each in success_rates(_table(success, list("abcde")), by="")] == [ALL]


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(OutcomeError, match="no column 'endpoint'"):
        success_rates(_table(np.ones((2, 1)), ["a", "b"]), by="endpoint")


def test_tables_without_success() -> None:
    assert success_rates(_table(np.full((2, 1), np.nan), ["a", "b"])) == ()


def test_worked_example_nine() -> None:
    found = success_cost(np.full(50, 0.01), np.r_[np.ones(45), np.zeros(5)])
    assert found.usd_per_success == pytest.approx(0.011111, abs=5e-7)
    assert found.low_usd_per_success == pytest.approx(0.010491, abs=5e-7)
    assert found.high_usd_per_success == pytest.approx(0.012291, abs=5e-7)


def test_cost_of_a_success_covers_when_both_vary_together() -> None:
    """Failing calls cost three times as much, and costs are skewed; 90 % intervals of the ratio of means."""
    rng = np.random.default_rng(10)
    truth = (0.8 * 1.0 + 0.2 * 3.0) * np.exp(0.5**2 / 2) / 0.8
    hits = 0
    for at in range(300):
        success = rng.binomial(1, 0.8, 150).astype(float)
        cost = np.where(success == 1, 1.0, 3.0) * rng.lognormal(0, 0.5, 150)
        found = success_cost(cost, success, at)
        assert found.low_usd_per_success is not None
        assert found.high_usd_per_success is not None
        hits += found.low_usd_per_success <= truth <= found.high_usd_per_success
    assert hits / 300 >= 0.9 - 3 * np.sqrt(0.09 / 300)


def test_without_a_price_or_a_success_there_is_no_cost_of_one() -> None:
    assert success_cost(np.full(3, np.nan), np.ones(3)).usd_per_request is None
    none = success_cost(np.full(10, 0.5), np.zeros(10))
    assert none.usd_per_success is None
    assert none.low_usd_per_success is not None
    assert none.low_usd_per_success > 0.5


def test_a_pooled_row_costs_what_its_rate_says() -> None:
    rng = np.random.default_rng(8)
    tasks = [f"t{i % 4}" for i in range(400)] + ["rare"] * 5
    success = np.r_[(rng.random(400) < 0.8).astype(float), [1, 0, 0, 1, 0]][:, np.newaxis]
    costs = rng.uniform(0.5, 1.5, success.shape)
    table = OutcomeTable(tuple(map(str, range(405))), ("a",), success, costs, ("",) * 405, {"task": tuple(tasks)})
    rates = {each.group: each for each in success_rates(table)}
    assert rates["rare"].is_rare
    for each in rates.values():
        cost = each.cost
        assert cost.usd_per_success == pytest.approx(cost.usd_per_request / each.shown.success_fraction)
        assert cost.low_usd_per_success < cost.usd_per_success < cost.high_usd_per_success
