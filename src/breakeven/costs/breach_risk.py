"""Breach risk: the expected loss from a data breach through the LLM path, capped, per month. Shown apart.

Frequency x severity (FAIR, Open Group O-RT 3.0): events per year, lognormal loss given by its median and 95 %
quantile, capped where the firm's loss ends. Only the difference between options can decide anything, and
self-hosting has a risk of its own.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder
from breakeven.units import MONTHS_PER_YEAR

_Z95 = float(ndtri(0.95))


@formula
def breach_loss_mean_usd(
    breach_loss_median_usd: Draws, breach_loss_p95_usd: Draws, breach_loss_cap_usd: Draws
) -> Draws:
    """Mean of a lognormal loss, each loss cut at the cap.

    E[min(X, c)] = exp(mu + s^2/2) Phi((ln c - mu - s^2)/s) + c (1 - Phi((ln c - mu)/s)).

    >>> round(0.093 * float(breach_loss_mean_usd(600_000.0, 30e6, 50e6)))
    431373
    """
    sigma = np.maximum(np.log(breach_loss_p95_usd / breach_loss_median_usd) / _Z95, 1e-9)
    log_cap = np.log(breach_loss_cap_usd / breach_loss_median_usd)  # relative to the median
    below: Draws = breach_loss_median_usd * np.exp(sigma**2 / 2) * ndtr((log_cap - sigma**2) / sigma)
    above: Draws = breach_loss_cap_usd * (1 - ndtr(log_cap / sigma))
    return below + above


@formula
def breach_risk_usd_per_month(
    breach_incident_events_per_year: Draws,
    breach_llm_path_fraction: Draws,
    breach_exposure_ratio: Draws,
    breach_loss_mean_usd: Draws,
) -> Draws:
    """Expected loss: incidents of an average firm x share through the LLM path x this option's relative exposure.

    >>> float(breach_risk_usd_per_month(0.12, 0.1, 1.0, 1_000_000.0))
    1000.0
    """
    events = breach_incident_events_per_year * breach_llm_path_fraction * breach_exposure_ratio
    return events * breach_loss_mean_usd / MONTHS_PER_YEAR


def line(binder: Binder) -> CostLine:
    """Expected breach loss, beside the total; needs `breach_exposure_ratio`, bound by the Option."""
    binder.evaluate(breach_loss_mean_usd)
    return CostLine(
        "breach_risk", "Breach risk (expected loss)", binder.evaluate(breach_risk_usd_per_month), apart=True
    )
