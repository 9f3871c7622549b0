"""Tries: how often an answer that failed is asked for again, and how often all tries fail.

Tries of one request are no independent coin tosses: what a model failed at once, it fails at again more often. Each
request has a success rate of its own, Beta(a, b) over the requests; `retry_correlation_fraction` is the correlation
between two tries of one request, 1 / (a + b + 1): 0 for independent tries, 1 where a second try changes nothing.
A cap that is no whole number is a mix of the two next to it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula

TRIES_LIMIT_COUNT: Final = 1000
"""More tries than this are nobody's cap."""


@formula
def all_tries_fail_fraction(
    try_success_fraction: Draws, retry_correlation_fraction: Draws, tries_max_count: Draws
) -> Draws:
    """Share of the requests that fail at every try, of at most `tries_max_count`.

    >>> all_tries_fail_fraction(0.6, np.array([0.0, 1 / 3]), 3.0).round(6).tolist()
    [0.064, 0.168]
    """
    failing = 1 - try_success_fraction * _share_made(tries_max_count, 0)
    for earlier in range(1, _whole_cap(tries_max_count)):
        again = _fails_again(try_success_fraction, retry_correlation_fraction, earlier)
        failing = failing * (1 - _share_made(tries_max_count, earlier) * (1 - again))
    return failing


@formula
def expected_tries_count(
    try_success_fraction: Draws, retry_correlation_fraction: Draws, tries_max_count: Draws
) -> Draws:
    """Mean number of tries of one request: it is asked again until it succeeds or the cap is reached.

    >>> expected_tries_count(0.6, np.array([0.0, 1 / 3]), 3.0).round(6).tolist()
    [1.56, 1.64]
    """
    reached: Draws = np.ones(())
    tries = _share_made(tries_max_count, 0)
    for earlier in range(1, _whole_cap(tries_max_count)):
        reached = reached * _fails_again(try_success_fraction, retry_correlation_fraction, earlier - 1)
        tries = tries + _share_made(tries_max_count, earlier) * reached
    return tries


@formula
def retry_correlation_fraction(tries_until_even_count: Draws) -> Draws:
    """Correlation of two tries of one request whose own success rate is Beta(a, b); the argument is a + b.

    >>> round(float(retry_correlation_fraction(2.0)), 6)
    0.333333
    """
    return 1 / (1 + tries_until_even_count)


def _fails_again(success: Draws, correlation: Draws, earlier_count: int) -> Draws:
    """Probability that a try fails, given that all `earlier_count` before it failed: (b + j) / (a + b + j)."""
    if earlier_count == 0:
        return 1 - success
    learned = earlier_count * correlation
    return ((1 - success) * (1 - correlation) + learned) / ((1 - correlation) + learned)


def _share_made(cap: Draws, earlier_count: int) -> Draws:
    """Share of the requests, of those that fail so far, for which one more try than `earlier_count` is allowed."""
    return np.clip(cap - earlier_count, 0.0, 1.0)


def _whole_cap(cap: Draws) -> int:
    return int(np.ceil(min(float(np.max(cap)), TRIES_LIMIT_COUNT)))
