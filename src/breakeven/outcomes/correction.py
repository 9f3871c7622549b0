"""Correction: what a request costs until it is resolved, where a person, who always succeeds, takes what failed.

"Cost-of-Pass" (Erol et al., arXiv 2504.13359) divides the price of a try by its success rate, which holds for tries
without end and without memory. A team stops after a few and somebody does the work; then the price of that work, not
the price of the tries, decides which model is cheaper.
"""

from __future__ import annotations

import numpy as np

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula


@formula
def tried_usd_per_request(
    try_usd_per_request: Draws, check_usd_per_request: Draws, expected_tries_count: Draws
) -> Draws:
    """All tries of one request; each is checked, or nobody would know that it failed.

    >>> round(float(tried_usd_per_request(0.001, 0.0005, 1.56)), 6)
    0.00234
    """
    return (try_usd_per_request + check_usd_per_request) * expected_tries_count


@formula
def resolved_usd_per_request(
    tried_usd_per_request: Draws, all_tries_fail_fraction: Draws, correction_usd_per_request: Draws
) -> Draws:
    """Cost of a request that is resolved in any case: the tries, and a person for those that all fail.

    >>> round(float(resolved_usd_per_request(0.00156, 0.064, 0.5)), 6)
    0.03356
    """
    return tried_usd_per_request + all_tries_fail_fraction * correction_usd_per_request


@formula
def retried_usd_per_success(tried_usd_per_request: Draws, all_tries_fail_fraction: Draws) -> Draws:
    """Cost of one success where nobody takes what failed; for independent tries the price of a try over its success.

    >>> round(float(retried_usd_per_success(0.00156, 0.064)), 9)
    0.001666667
    """
    return tried_usd_per_request / (1 - all_tries_fail_fraction)


@formula
def failing_usd_per_success(
    tried_usd_per_request: Draws, all_tries_fail_fraction: Draws, failure_usd_per_request: Draws
) -> Draws:
    """Cost of one success where each failure costs something and gives nothing: rework, a refund, a lost customer.

    >>> round(float(failing_usd_per_success(0.01, 0.1, 0.5)), 9)
    0.066666667
    """
    spent = tried_usd_per_request + all_tries_fail_fraction * failure_usd_per_request
    return spent / (1 - all_tries_fail_fraction)


@formula
def even_correction_usd_per_request(
    small_tried_usd_per_request: Draws,
    big_tried_usd_per_request: Draws,
    small_fails_fraction: Draws,
    big_fails_fraction: Draws,
) -> Draws:
    """Cost of a correction above which the big model is the cheaper one; NaN: it fails no less often.

    Negative: the big model is cheaper already when corrections are free.

    >>> round(float(even_correction_usd_per_request(0.001, 0.01, 0.4, 0.05)), 6)
    0.025714
    """
    fewer = small_fails_fraction - big_fails_fraction
    return (big_tried_usd_per_request - small_tried_usd_per_request) / np.where(fewer > 0, fewer, np.nan)
