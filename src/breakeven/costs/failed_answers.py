"""Failed answers: debugging and correcting by hand the wrong answers that somebody notices, and what they break.

What a failed answer breaks (a refund, a lost customer, a wrong booking) nobody can tell but the reader: with
`failure_usd_per_request` it is a line of its own, without it is taken to be nothing. Success rates divide the total
besides (`outcomes/cost_per_success`).
"""

from __future__ import annotations

from typing import Final

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder

FAILURE: Final = "failure_usd_per_request"


@formula
def corrected_answers_requests_per_month(
    requests_per_month: Draws, success_fraction: Draws, corrected_by_hand_fraction: Draws
) -> Draws:
    """Failed answers of a month that a person corrects.

    >>> float(corrected_answers_requests_per_month(100_000.0, 0.75, 0.01))
    250.0
    """
    return requests_per_month * (1 - success_fraction) * corrected_by_hand_fraction


@formula
def correction_usd_per_request(correction_hours_per_event: Draws, correction_usd_per_hour: Draws) -> Draws:
    """One correction by a person of the team that uses the answers.

    >>> float(correction_usd_per_request(0.1, 45.0))
    4.5
    """
    return correction_hours_per_event * correction_usd_per_hour


@formula
def failed_answers_usd_per_month(
    corrected_answers_requests_per_month: Draws, correction_usd_per_request: Draws
) -> Draws:
    """Pay for the corrections.

    >>> float(failed_answers_usd_per_month(100.0, 4.5))
    450.0
    """
    return corrected_answers_requests_per_month * correction_usd_per_request


@formula
def failure_losses_usd_per_month(
    requests_per_month: Draws, success_fraction: Draws, failure_usd_per_request: Draws
) -> Draws:
    """What the failed answers of a month break, beside the hands that correct some of them.

    >>> float(failure_losses_usd_per_month(100_000.0, 0.75, 0.5))
    12500.0
    """
    return requests_per_month * (1 - success_fraction) * failure_usd_per_request


def line(binder: Binder) -> CostLine:
    """Corrections by hand; needs `success_fraction`, bound by the Option. No engineer hours: other people's."""
    binder.evaluate(corrected_answers_requests_per_month)
    binder.evaluate(correction_usd_per_request)
    return CostLine("failed_answers", "Correcting failed answers", binder.evaluate(failed_answers_usd_per_month))


def loss_lines(binder: Binder) -> tuple[CostLine, ...]:
    """One line when the scenario says what a failed answer breaks; needs `success_fraction`."""
    if FAILURE not in binder.scenario and FAILURE not in binder.offer:
        return ()
    losses = binder.evaluate(failure_losses_usd_per_month)
    return (CostLine("failure_losses", "What failed answers break", losses),)
