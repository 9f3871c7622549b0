"""The three points of a range are its quantiles, however lopsided the range."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import quantile, scale_of
from breakeven.facts.source import Grade, Source

SOURCE = Source("test", "test", date(2026, 11, 23), Grade.GUESS)
PROBABILITIES = np.array([0.05, 0.5, 0.95])


def assumption(low: float, typical: float, high: float, unit: str = "usd", name: str = "a_usd") -> Assumption:
    return Assumption(name, unit, low, typical, high, SOURCE)


@pytest.mark.parametrize(
    ("low", "typical", "high", "unit"),
    [
        (1.7, 2.35, 2.65, "usd/hour"),  # not log-symmetric
        (0.25, 0.5, 1.0, "count"),
        (0.05, 0.05, 0.1, "ratio"),  # low equals typical
        (0.0, 29.0, 199.0, "usd/month"),  # zero low
        (0.02, 0.4, 0.7, "fraction"),
        (0.0, 0.5, 1.0, "fraction"),  # the edges of a share
        (-0.64, 0.0, 0.4, "ratio"),
        (3.0, 3.0, 3.0, "usd"),
    ],
)
def test_low_typical_high_are_the_quantiles(low: float, typical: float, high: float, unit: str) -> None:
    values = quantile(assumption(low, typical, high, unit), PROBABILITIES)
    assert values == pytest.approx([low, typical, high], rel=1e-12, abs=1e-12)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(1e-3, 1e6), min_size=3, max_size=3), st.sampled_from(["usd", "count"]))
def test_any_positive_range_is_honoured_and_monotone(points: list[float], unit: str) -> None:
    low, typical, high = sorted(points)
    fact = assumption(low, typical, high, unit)
    u = np.linspace(0.001, 0.999, 501)
    values = quantile(fact, u)
    assert np.all(np.diff(values) >= 0)
    assert np.all(values > 0)
    assert quantile(fact, PROBABILITIES) == pytest.approx([low, typical, high], rel=1e-9)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_a_share_stays_between_zero_and_one(points: list[float]) -> None:
    low, typical, high = sorted(points)
    values = quantile(assumption(low, typical, high, "fraction", "a_fraction"), np.linspace(1e-6, 1 - 1e-6, 999))
    assert np.all((values >= 0) & (values <= 1))


def test_a_symmetric_log_range_is_a_lognormal() -> None:
    """Oracle: SciPy's lognormal with the same median and 95 % quantile."""
    from scipy.stats import lognorm

    fact = assumption(1.0, 10.0, 100.0)
    u = np.linspace(0.01, 0.99, 99)
    sigma = np.log(10.0) / 1.6448536269514722
    assert quantile(fact, u) == pytest.approx(lognorm.ppf(u, sigma, scale=10.0), rel=1e-9)


def test_the_scale_follows_the_unit() -> None:
    assert scale_of(assumption(1, 2, 3)) == "log"
    assert scale_of(assumption(0.1, 0.2, 0.3, "fraction")) == "logit"
    assert scale_of(assumption(0.0, 0.2, 0.3, "fraction")) == "linear"
    assert scale_of(assumption(-1, 2, 3)) == "linear"
    assert scale_of(assumption(2, 2, 2)) == "certain"
