"""Cascade: a small model answers, a verifier looks at the answer, and what it flags goes to a big model.

Every call pays the small model and the verifier. How well the big model does on what it is given is its success *given*
that the small one failed (or was right and flagged all the same), never its success over all requests: hard requests
are hard for both. The verifier's `verifier_sensitivity_fraction` is the share of the wrong answers that it flags,
its `verifier_false_alarm_fraction` the share of the right ones.
"""

from __future__ import annotations

import numpy as np

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula


@formula
def escalated_fraction(
    small_success_fraction: Draws, verifier_sensitivity_fraction: Draws, verifier_false_alarm_fraction: Draws
) -> Draws:
    """Share of the requests that go on to the big model.

    >>> round(float(escalated_fraction(0.8, 0.7, 0.1)), 9)
    0.22
    """
    wrong = (1 - small_success_fraction) * verifier_sensitivity_fraction
    return wrong + small_success_fraction * verifier_false_alarm_fraction


@formula
def false_accept_fraction(small_success_fraction: Draws, verifier_sensitivity_fraction: Draws) -> Draws:
    """Share of the requests whose wrong answer passes the verifier: nobody knows that it failed.

    >>> round(float(false_accept_fraction(0.8, 0.7)), 9)
    0.06
    """
    return (1 - small_success_fraction) * (1 - verifier_sensitivity_fraction)


@formula
def escalated_failure_fraction(
    small_success_fraction: Draws,
    verifier_sensitivity_fraction: Draws,
    verifier_false_alarm_fraction: Draws,
    big_success_after_failure_fraction: Draws,
    big_success_after_success_fraction: Draws,
) -> Draws:
    """Share of the requests that are escalated and fail at the big model too.

    >>> round(float(escalated_failure_fraction(0.8, 0.7, 0.1, 0.8, 0.9875)), 9)
    0.029
    """
    wrong = (1 - small_success_fraction) * verifier_sensitivity_fraction * (1 - big_success_after_failure_fraction)
    right = small_success_fraction * verifier_false_alarm_fraction * (1 - big_success_after_success_fraction)
    return wrong + right


@formula
def cascade_success_fraction(false_accept_fraction: Draws, escalated_failure_fraction: Draws) -> Draws:
    """Success of the whole: all but what passes wrongly and what fails at both.

    >>> round(float(cascade_success_fraction(0.06, 0.029)), 9)
    0.911
    """
    return 1 - false_accept_fraction - escalated_failure_fraction


@formula
def cascade_usd_per_request(
    small_usd_per_request: Draws, verifier_usd_per_request: Draws, big_usd_per_request: Draws, escalated_fraction: Draws
) -> Draws:
    """Models and verifier of one request: all pay the first two, the escalated ones the big model as well.

    >>> round(float(cascade_usd_per_request(0.001, 0.0005, 0.01, 0.22)), 9)
    0.0037
    """
    return small_usd_per_request + verifier_usd_per_request + escalated_fraction * big_usd_per_request


@formula
def cascade_resolved_usd_per_request(
    cascade_usd_per_request: Draws,
    escalated_failure_fraction: Draws,
    correction_usd_per_request: Draws,
    false_accept_fraction: Draws,
    false_accept_usd_per_request: Draws,
) -> Draws:
    """With a person for what fails at both, and what a wrong answer breaks that passed the verifier.

    >>> round(float(cascade_resolved_usd_per_request(0.0037, 0.029, 0.5, 0.06, 0.5)), 9)
    0.0482
    """
    corrected = escalated_failure_fraction * correction_usd_per_request
    return cascade_usd_per_request + corrected + false_accept_fraction * false_accept_usd_per_request


@formula
def big_success_after_failure_fraction(
    small_success_fraction: Draws, big_success_fraction: Draws, shared_failure_fraction: Draws
) -> Draws:
    """Success of the big model where the small one failed, when nobody measured it.

    `shared_failure_fraction` leads from independence (0: as over all requests) to the lowest possible value (1: all
    that the small model does right the big one does too, so its failures are among the small one's).

    >>> big_success_after_failure_fraction(0.8, 0.95, np.array([0.0, 1.0])).round(6).tolist()
    [0.95, 0.75]
    """
    failing = 1 - small_success_fraction
    lost = np.minimum(1 - big_success_fraction, failing)
    lowest = np.where(failing > 0, 1 - lost / np.where(failing > 0, failing, 1.0), big_success_fraction)
    return big_success_fraction - shared_failure_fraction * (big_success_fraction - lowest)


@formula
def big_success_after_success_fraction(
    small_success_fraction: Draws, big_success_fraction: Draws, big_success_after_failure_fraction: Draws
) -> Draws:
    """Success of the big model where the small one was right: what is left of its success over all requests.

    >>> round(float(big_success_after_success_fraction(0.8, 0.95, 0.8)), 6)
    0.9875
    """
    some = small_success_fraction > 0
    better = (big_success_fraction - big_success_after_failure_fraction) / np.where(some, small_success_fraction, 1.0)
    found = big_success_after_failure_fraction + better
    return np.clip(np.where(some, found, big_success_fraction), 0.0, 1.0)
