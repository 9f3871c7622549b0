"""Formulas of cost per success against simulation, brute force, and what must hold for any input."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln

from breakeven.outcomes.cascade import (
    big_success_after_failure_fraction,
    big_success_after_success_fraction,
    cascade_resolved_usd_per_request,
    cascade_success_fraction,
    cascade_usd_per_request,
    escalated_failure_fraction,
    escalated_fraction,
    false_accept_fraction,
)
from breakeven.outcomes.correction import (
    even_correction_usd_per_request,
    failing_usd_per_success,
    resolved_usd_per_request,
    retried_usd_per_success,
    tried_usd_per_request,
)
from breakeven.outcomes.counted import cost_draws, counted_cost, rate_draws
from breakeven.outcomes.routing_mix import (
    judge_usd_per_request,
    lost_cache_usd_per_request,
    mix_success_fraction,
    mix_usd_per_request,
    mix_usd_per_success,
    routed_usd_per_request,
    shadow_usd_per_request,
)
from breakeven.outcomes.tries import all_tries_fail_fraction, expected_tries_count, retry_correlation_fraction

FRACTION = st.floats(0.0, 1.0)
INSIDE = st.floats(0.02, 0.98)
USD = st.floats(1e-5, 10.0)
CAP = st.floats(1.0, 12.0)
REQUESTS = 400_000


@pytest.mark.parametrize(("a", "b", "cap"), [(1.2, 0.8, 3), (0.4, 2.0, 5), (9.0, 1.0, 2), (0.5, 0.5, 8)])
def test_retries_against_a_simulation(a: float, b: float, cap: int) -> None:
    rng = np.random.default_rng(11)
    rates = rng.beta(a, b, REQUESTS)[:, None]
    right = rng.random((REQUESTS, cap)) < rates
    solved = right.any(axis=1)
    made = np.where(solved, right.argmax(axis=1) + 1, cap)
    correlation = retry_correlation_fraction(a + b)
    fails = float(all_tries_fail_fraction(a / (a + b), correlation, cap))
    tries = float(expected_tries_count(a / (a + b), correlation, cap))
    error = 4 / np.sqrt(REQUESTS)
    assert fails == pytest.approx(1 - solved.mean(), abs=error * 0.5)
    assert tries == pytest.approx(made.mean(), abs=error * made.std())


@given(a=st.floats(0.05, 20.0), b=st.floats(0.05, 20.0), cap=st.integers(1, 12))
def test_all_fail_is_the_moment_of_the_beta(a: float, b: float, cap: int) -> None:
    exact = np.exp(betaln(a, b + cap) - betaln(a, b))
    assert float(all_tries_fail_fraction(a / (a + b), 1 / (1 + a + b), cap)) == pytest.approx(exact, rel=1e-9)


@given(success=INSIDE, cap=st.integers(1, 12))
def test_independent_tries_are_geometric(success: float, cap: int) -> None:
    fails = (1 - success) ** cap
    assert float(all_tries_fail_fraction(success, 0.0, cap)) == pytest.approx(fails, rel=1e-9)
    assert float(expected_tries_count(success, 0.0, cap)) == pytest.approx((1 - fails) / success, rel=1e-9)


@given(success=FRACTION, correlation=FRACTION, cap=CAP, more=st.floats(0.0, 5.0))
def test_more_tries_never_fail_more_often(success: float, correlation: float, cap: float, more: float) -> None:
    before, after = (float(all_tries_fail_fraction(success, correlation, each)) for each in (cap, cap + more))
    assert -1e-12 <= after <= before + 1e-12
    tries = [float(expected_tries_count(success, correlation, each)) for each in (cap, cap + more)]
    assert 1 <= tries[0] <= tries[1] + 1e-12 <= cap + more + 1e-9


@given(success=FRACTION, cap=CAP, low=FRACTION, high=FRACTION)
def test_tries_that_hang_together_help_less(success: float, cap: float, low: float, high: float) -> None:
    low, high = sorted((low, high))
    fails = [float(all_tries_fail_fraction(success, each, cap)) for each in (low, high)]
    assert fails[0] <= fails[1] + 1e-12
    assert fails[1] <= 1 - success + 1e-12


@given(success=FRACTION, correlation=FRACTION)
def test_one_try_is_one_try(success: float, correlation: float) -> None:
    assert float(expected_tries_count(success, correlation, 1.0)) == 1.0
    assert float(all_tries_fail_fraction(success, correlation, 1.0)) == pytest.approx(1 - success, abs=1e-12)


def test_formulas_take_draws_of_any_shape() -> None:
    success = np.linspace(0.1, 0.9, 6).reshape(2, 1, 3)
    cap = np.array([1.0, 2.0, 3.5, 8.0])[:, None]
    fails, tries = all_tries_fail_fraction(success, 0.3, cap), expected_tries_count(success, 0.3, cap)
    assert fails.shape == tries.shape == (2, 4, 3)
    alone = float(all_tries_fail_fraction(success[1, 0, 2], 0.3, 3.5))
    assert fails[1, 2, 2] == pytest.approx(alone, rel=1e-12)
    three, four = (float(all_tries_fail_fraction(0.9, 0.3, each)) for each in (3.0, 4.0))
    assert alone == pytest.approx((three + four) / 2, rel=1e-12)


@given(try_usd=USD, success=INSIDE, correlation=FRACTION, cap=CAP, human=USD)
def test_who_never_corrects_pays_at_least_the_naive_price(
    try_usd: float, success: float, correlation: float, cap: float, human: float
) -> None:
    tries = expected_tries_count(success, correlation, cap)
    fails = all_tries_fail_fraction(success, correlation, cap)
    spent = tried_usd_per_request(try_usd, 0.0, tries)
    naive = try_usd / success
    assert float(retried_usd_per_success(spent, fails)) >= naive * (1 - 1e-9)
    failing = float(failing_usd_per_success(spent, fails, human))
    assert failing >= float(retried_usd_per_success(spent, fails)) * (1 - 1e-12)
    assert float(failing_usd_per_success(spent, fails, 0.0)) == float(retried_usd_per_success(spent, fails))


@given(small_usd=USD, big_usd=USD, small=INSIDE, big=INSIDE, cap=st.integers(1, 6), shift=st.floats(0.01, 0.5))
def test_the_even_correction_is_where_the_cheaper_one_changes(
    small_usd: float, big_usd: float, small: float, big: float, cap: int, shift: float
) -> None:
    fails = [float(all_tries_fail_fraction(each, 0.0, cap)) for each in (small, big)]
    spent = [
        float(tried_usd_per_request(usd, 0.0, expected_tries_count(p, 0.0, cap)))
        for usd, p in ((small_usd, small), (big_usd, big))
    ]
    even = float(even_correction_usd_per_request(*spent, *fails))
    if fails[0] - fails[1] < 1e-6:
        assert np.isnan(even) or fails[0] > fails[1]
        return
    scale = max(abs(even), 1.0) * shift
    for human, big_wins in ((even + scale, True), (even - scale, False)):
        small_cost, big_cost = (
            float(resolved_usd_per_request(cost, fail, human)) for cost, fail in zip(spent, fails, strict=True)
        )
        assert (big_cost < small_cost) is big_wins


@given(small=FRACTION, big=FRACTION, shared=FRACTION)
def test_success_given_failure_is_a_joint_distribution_that_can_be(small: float, big: float, shared: float) -> None:
    after_failure = float(big_success_after_failure_fraction(small, big, shared))
    after_success = float(big_success_after_success_fraction(small, big, after_failure))
    assert -1e-12 <= after_failure <= big + 1e-12
    assert big - 1e-12 <= after_success <= 1.0
    assert (1 - small) * after_failure + small * after_success == pytest.approx(big, abs=1e-9)


@given(small=INSIDE, sees=FRACTION, false_alarm=FRACTION, after_failure=FRACTION, after_success=FRACTION, human=USD)
def test_a_cascade_against_all_its_outcomes(
    small: float, sees: float, false_alarm: float, after_failure: float, after_success: float, human: float
) -> None:
    cost = success = 0.0
    for right, flagged, saved in product((True, False), repeat=3):
        flag = false_alarm if right else sees
        solves = after_success if right else after_failure
        odds = (small if right else 1 - small) * (flag if flagged else 1 - flag) * (solves if saved else 1 - solves)
        good = saved if flagged else right
        lost = 0.0 if good else (human if flagged else 2 * human)
        cost += odds * (0.001 + 0.0005 + (0.01 if flagged else 0.0) + lost)
        success += odds * good
    escalated = escalated_fraction(small, sees, false_alarm)
    failing = escalated_failure_fraction(small, sees, false_alarm, after_failure, after_success)
    lost_fraction = false_accept_fraction(small, sees)
    spent = cascade_usd_per_request(0.001, 0.0005, 0.01, escalated)
    found = cascade_resolved_usd_per_request(spent, failing, human, lost_fraction, 2 * human)
    assert float(found) == pytest.approx(cost, rel=1e-9)
    assert float(cascade_success_fraction(lost_fraction, failing)) == pytest.approx(success, rel=1e-9, abs=1e-12)


@given(small=INSIDE, big=INSIDE, shared=FRACTION, sees=FRACTION, alarm=FRACTION)
def test_a_perfect_verifier_gives_no_fewer_successes_than_either_model(
    small: float, big: float, shared: float, sees: float, alarm: float
) -> None:
    after_failure = big_success_after_failure_fraction(small, big, shared)
    after_success = big_success_after_success_fraction(small, big, after_failure)

    def success(sees: float, alarm: float) -> float:
        failing = escalated_failure_fraction(small, sees, alarm, after_failure, after_success)
        return float(cascade_success_fraction(false_accept_fraction(small, sees), failing))

    perfect = success(1.0, 0.0)
    assert perfect >= max(small, big) - 1e-9
    assert perfect >= success(sees, alarm) - 1e-9
    assert success(1.0, 1.0) == pytest.approx(big, abs=1e-9)
    assert success(0.0, 0.0) == pytest.approx(small, abs=1e-9)


@given(small=INSIDE, sees=FRACTION, alarm=FRACTION, small_usd=USD, verifier=USD, big_usd=USD)
def test_a_cascade_always_pays_the_small_model_and_the_verifier(
    small: float, sees: float, alarm: float, small_usd: float, verifier: float, big_usd: float
) -> None:
    cost = float(cascade_usd_per_request(small_usd, verifier, big_usd, escalated_fraction(small, sees, alarm)))
    assert small_usd + verifier <= cost <= (small_usd + verifier + big_usd) * (1 + 1e-12)


def test_a_cascade_against_a_simulation_of_requests_that_are_hard_for_both() -> None:
    rng = np.random.default_rng(5)
    ease = rng.normal(size=REQUESTS)
    small_right = ease + rng.normal(size=REQUESTS) > -1.2
    big_right = ease + rng.normal(size=REQUESTS) > -2.4
    flagged = rng.random(REQUESTS) < np.where(small_right, 0.1, 0.7)
    good = np.where(flagged, big_right, small_right)
    small, big = small_right.mean(), big_right.mean()
    after_failure, after_success = big_right[~small_right].mean(), big_right[small_right].mean()
    failing = escalated_failure_fraction(small, 0.7, 0.1, after_failure, after_success)
    found = float(cascade_success_fraction(false_accept_fraction(small, 0.7), failing))
    assert found == pytest.approx(good.mean(), abs=4 * good.std() / np.sqrt(REQUESTS))
    independent = escalated_failure_fraction(small, 0.7, 0.1, big, big)
    assert float(cascade_success_fraction(false_accept_fraction(small, 0.7), independent)) > good.mean() + 0.01


def test_a_mix_against_a_simulation() -> None:
    rng = np.random.default_rng(3)
    routed = rng.random(REQUESTS) < 0.7
    right = rng.random(REQUESTS) < np.where(routed, 0.9, 0.8)
    judged, shadowed = rng.random(REQUESTS) < 0.02, rng.random(REQUESTS) < 0.05
    lost = rng.random(REQUESTS) < 0.3
    here, other = np.where(routed, 0.001, 0.01), np.where(routed, 0.01, 0.001)
    each = here + 0.00001 + judged * 0.005 + shadowed * other + lost * 4000 * (1.25 - 0.125) / 1e6
    parts = (
        routed_usd_per_request(0.7, 0.001, 0.01),
        0.00001,
        judge_usd_per_request(0.02, 0.005),
        shadow_usd_per_request(0.05, 0.7, 0.001, 0.01),
        lost_cache_usd_per_request(4000.0, 0.3, 1.25, 0.125),
    )
    cost = mix_usd_per_request(*parts)
    assert float(cost) == pytest.approx(each.mean(), abs=4 * each.std() / np.sqrt(REQUESTS))
    success = mix_success_fraction(0.7, 0.9, 0.8)
    spent = each + np.where(right, 0.0, 0.2)
    wanted = spent.sum() / right.sum()
    assert float(mix_usd_per_success(cost, success, 0.2)) == pytest.approx(wanted, rel=0.01)


@given(successes=st.integers(1, 200), failures=st.integers(0, 200), usd=USD)
def test_an_interval_holds_the_middle_and_narrows(successes: int, failures: int, usd: float) -> None:
    few = counted_cost(usd, successes, successes + failures)
    many = counted_cost(usd, 10 * successes, 10 * (successes + failures))
    assert 0 < few.low_usd_per_success <= few.high_usd_per_success
    assert many.high_usd_per_success - many.low_usd_per_success < few.high_usd_per_success - few.low_usd_per_success
    if failures:
        assert few.low_usd_per_success < few.usd_per_success < few.high_usd_per_success


def test_without_a_success_the_cost_has_no_middle() -> None:
    found = counted_cost(0.01, 0, 20)
    assert np.isinf(found.usd_per_success)
    assert np.isfinite(found.low_usd_per_success)


@pytest.mark.parametrize("rate", [0.5, 0.8, 0.95])
def test_the_interval_covers_as_often_as_it_says(rate: float) -> None:
    rng = np.random.default_rng(2)
    counts = np.arange(101)
    low, high = (rate_draws(counts, 100 - counts, np.asarray(each)) for each in (0.05, 0.95))
    seen = rng.binomial(100, rate, 20_000)
    covered = np.mean((low[seen] <= rate) & (rate <= high[seen]))
    assert 0.86 <= covered <= 0.94


@settings(max_examples=25)
@given(usd=USD, successes=st.integers(0, 50), failures=st.integers(0, 50))
def test_cost_falls_as_the_rate_rises(usd: float, successes: int, failures: int) -> None:
    costs = cost_draws(np.asarray(usd), successes, failures, np.linspace(0.01, 0.99, 25))
    assert np.all(np.diff(costs) < 0)
