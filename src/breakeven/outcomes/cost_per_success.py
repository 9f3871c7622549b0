"""Cost per successful outcome: what the money bought, counted in work that succeeded.

One try per request, no retry, no human correction: the simplest case of "Cost-of-Pass" (Erol et al.,
arXiv 2504.13359). Success rates are Assumptions until outcomes are measured.
"""

from __future__ import annotations

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula


@formula
def successes_per_month(requests_per_month: Draws, success_fraction: Draws) -> Draws:
    """Requests of a month whose answer succeeds at its task.

    >>> float(successes_per_month(1000.0, 0.9))
    900.0
    """
    return requests_per_month * success_fraction


@formula
def cost_usd_per_success(total_usd_per_month: Draws, successes_per_month: Draws) -> Draws:
    """Cost of one successful outcome, USD.

    >>> float(cost_usd_per_success(90.0, 900.0))
    0.1
    """
    return total_usd_per_month / successes_per_month
