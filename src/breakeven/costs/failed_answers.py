"""Failed answers: debugging and correcting by hand the wrong answers that somebody notices.

The other failed answers cost what they break, which nobody has measured here: success rates divide the total
(`outcomes/cost_per_success`), and this line counts the hands alone.
"""

from __future__ import annotations

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder


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


def line(binder: Binder) -> CostLine:
    """Corrections by hand; needs `success_fraction`, bound by the Option. No engineer hours: other people's."""
    binder.evaluate(corrected_answers_requests_per_month)
    binder.evaluate(correction_usd_per_request)
    return CostLine("failed_answers", "Correcting failed answers", binder.evaluate(failed_answers_usd_per_month))
