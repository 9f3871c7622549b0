"""Quality monitoring: judge calls and audits that watch whether another model's answers stay good enough."""

from __future__ import annotations

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder
from breakeven.units import TOKENS_PER_MTOK


@formula
def judge_usd_per_month(
    requests_per_month: Draws, judged_share_fraction: Draws, tokens_per_request: Draws, judge_usd_per_mtok: Draws
) -> Draws:
    """A judge model reads a sample of the requests with their answers.

    >>> float(judge_usd_per_month(1_000_000.0, 0.01, 2_000.0, 2.0))
    40.0
    """
    return requests_per_month * judged_share_fraction * tokens_per_request * judge_usd_per_mtok / TOKENS_PER_MTOK


@formula
def audit_usd_per_month(audit_hours_per_month: Draws, engineer_usd_per_hour: Draws) -> Draws:
    """People read a sample of what the judge said.

    >>> float(audit_usd_per_month(4.0, 100.0))
    400.0
    """
    return audit_hours_per_month * engineer_usd_per_hour


@formula
def quality_monitoring_usd_per_month(judge_usd_per_month: Draws, audit_usd_per_month: Draws) -> Draws:
    """Judge calls and audits.

    >>> float(quality_monitoring_usd_per_month(40.0, 400.0))
    440.0
    """
    return judge_usd_per_month + audit_usd_per_month


def line(binder: Binder) -> CostLine:
    """Watching another model; an Option that changes no model has no such line."""
    binder.evaluate(judge_usd_per_month)
    binder.evaluate(audit_usd_per_month)
    return CostLine(
        "quality_monitoring",
        "Monitoring quality (judge calls, audits)",
        binder.evaluate(quality_monitoring_usd_per_month),
        binder.node("audit_hours_per_month"),
    )
