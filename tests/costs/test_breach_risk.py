"""Worked example 15 and the capped mean against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.costs.breach_risk import breach_loss_mean_usd, breach_risk_usd_per_month


def test_worked_example_15() -> None:
    """Rate 0.093 a year, median 600,000, P95 30 M: 943,906 a year; capped at 50 M: 431,373."""
    assert 0.093 * float(breach_loss_mean_usd(600_000.0, 30e6, 1e18)) == pytest.approx(943_906, abs=1)
    assert 0.093 * float(breach_loss_mean_usd(600_000.0, 30e6, 50e6)) == pytest.approx(431_373, abs=1)


def test_the_capped_mean_against_simulation() -> None:
    rng = np.random.default_rng(0)
    sigma = np.log(30e6 / 600_000) / 1.6448536269514722
    losses = np.minimum(600_000 * np.exp(sigma * rng.standard_normal(2_000_000)), 50e6)
    error = 4 * losses.std() / np.sqrt(losses.size)
    assert float(breach_loss_mean_usd(600_000.0, 30e6, 50e6)) == pytest.approx(losses.mean(), abs=error)


def test_a_certain_loss_is_itself() -> None:
    assert float(breach_loss_mean_usd(1e6, 1e6, 50e6)) == pytest.approx(1e6, rel=1e-6)


def test_self_hosting_is_not_zero_risk() -> None:
    assert float(breach_risk_usd_per_month(0.093, 0.02, 0.9, 1e6)) > 0
