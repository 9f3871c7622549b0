"""The worked examples of cost per success, to the digits in which they are printed."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest
from scipy.stats import beta

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
    resolved_usd_per_request,
    retried_usd_per_success,
    tried_usd_per_request,
)
from breakeven.outcomes.counted import counted_cost
from breakeven.outcomes.tries import all_tries_fail_fraction, expected_tries_count, retry_correlation_fraction

HUMAN_USD: Final = 0.5
BETA: Final = (1.2, 0.8)


def resolved_usd(try_usd: float, success: float, correlation: float, tries: float, human_usd: float) -> float:
    spent = tried_usd_per_request(try_usd, 0.0, expected_tries_count(success, correlation, tries))
    return float(resolved_usd_per_request(spent, all_tries_fail_fraction(success, correlation, tries), human_usd))


def test_capped_retries_of_independent_tries() -> None:
    assert round(resolved_usd(0.001, 0.6, 0.0, 3, HUMAN_USD), 9) == 0.03356
    assert round(float(all_tries_fail_fraction(0.6, 0.0, 5)), 9) == 0.01024


def test_capped_retries_of_tries_that_hang_together() -> None:
    a, b = BETA
    correlation = float(retry_correlation_fraction(a + b))
    success = a / (a + b)
    assert round(resolved_usd(0.001, success, correlation, 3, HUMAN_USD), 9) == 0.08564
    assert round(float(all_tries_fail_fraction(success, correlation, 3)), 9) == 0.168
    assert round(float(all_tries_fail_fraction(success, correlation, 5)), 9) == 0.102144


@pytest.mark.parametrize("tries", [1, 2, 3, 7])
def test_without_a_human_any_cap_costs_the_price_of_a_try_over_its_success(tries: int) -> None:
    spent = tried_usd_per_request(0.001, 0.0005, expected_tries_count(0.6, 0.0, tries))
    cost = float(retried_usd_per_success(spent, all_tries_fail_fraction(0.6, 0.0, tries)))
    assert cost == pytest.approx((0.001 + 0.0005) / 0.6, rel=1e-12)


@pytest.mark.parametrize(
    ("small", "big", "tries", "wanted"),
    [
        (0.6, 0.95, 1, 0.025714),
        (0.6, 0.95, 3, 0.140352),
        (0.8, 0.95, 1, 0.06),
        (0.9, 0.95, 1, 0.18),
        (0.95, 0.97, 1, 0.45),
        (0.3, 0.9, 5, 0.049613),
    ],
)
def test_small_or_big(small: float, big: float, tries: int, wanted: float) -> None:
    spent = [c * expected_tries_count(p, 0.0, tries) for c, p in ((0.001, small), (0.01, big))]
    failing = [all_tries_fail_fraction(p, 0.0, tries) for p in (small, big)]
    assert round(float(even_correction_usd_per_request(*spent, *failing)), 6) == wanted


def test_the_guides_five_failed_runs_flip_at_five_times_the_small_models_cost() -> None:
    small_usd = 0.001
    spent = small_usd * expected_tries_count(0.0, 0.0, 5), 10 * small_usd * expected_tries_count(1.0, 0.0, 5)
    even = even_correction_usd_per_request(*spent, all_tries_fail_fraction(0.0, 0.0, 5), 0.0)
    assert float(even) == pytest.approx(5 * small_usd, rel=1e-12)


def test_cascade_with_a_perfect_verifier() -> None:
    escalated = escalated_fraction(0.8, 1.0, 0.0)
    spent = cascade_usd_per_request(0.001, 0.0005, 0.01, escalated)

    def resolved(big_after_failure: float) -> float:
        failing = escalated_failure_fraction(0.8, 1.0, 0.0, big_after_failure, 1.0)
        lost = false_accept_fraction(0.8, 1.0)
        return float(cascade_resolved_usd_per_request(spent, failing, HUMAN_USD, lost, HUMAN_USD))

    alone = resolved_usd_per_request(0.01, 1 - 0.95, HUMAN_USD)
    assert round(resolved(0.8), 9) == 0.0235
    assert round(float(alone), 9) == 0.035
    assert round(resolved(0.95), 9) == 0.0085


def test_cascade_with_a_noisy_verifier() -> None:
    escalated = escalated_fraction(0.8, 0.7, 0.1)
    failing = escalated_failure_fraction(0.8, 0.7, 0.1, 0.8, 0.9875)
    lost = false_accept_fraction(0.8, 0.7)
    spent = cascade_usd_per_request(0.001, 0.0005, 0.01, escalated)
    assert round(float(cascade_resolved_usd_per_request(spent, failing, 0.5, lost, 0.5)), 9) == 0.0482
    assert round(float(cascade_success_fraction(lost, failing)), 9) == 0.911
    assert round(float(big_success_after_success_fraction(0.8, 0.95, 0.8)), 9) == 0.9875


def test_success_after_a_failure_lies_between_independence_and_nesting() -> None:
    found = big_success_after_failure_fraction(0.8, 0.95, np.array([0.0, 0.75, 1.0]))
    assert found.round(9).tolist() == [0.95, 0.8, 0.75]


@pytest.mark.parametrize(
    ("successes", "tries", "middle", "low", "high"),
    [(45, 50, 0.011111, 0.010491, 0.012291), (450, 500, 0.011111, 0.010865, 0.011413)],
)
def test_interval_of_counts(successes: int, tries: int, middle: float, low: float, high: float) -> None:
    found = counted_cost(0.01, successes, tries)
    assert (round(found.usd_per_success, 6), round(found.low_usd_per_success, 6)) == (middle, low)
    assert round(found.high_usd_per_success, 6) == high
    again = 0.01 / beta.ppf([0.95, 0.05], successes + 0.5, tries - successes + 0.5)
    assert [found.low_usd_per_success, found.high_usd_per_success] == pytest.approx(list(again), rel=1e-9)
