"""Traffic days: how many days a number of outcomes takes at a task's traffic, and what the candidate answers by then.

A shadow copies a share of the requests. A canary goes up in steps, each of which lasts until the candidate has answered
enough requests and enough hours have passed; at a small share a request tells less, so outcomes are counted in requests
at the last share. The time that an outcome takes to come (`outcome_wait_hours`) is not in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from breakeven.pilot.canary_stopping import told_ratio
from breakeven.pilot.design import Design, TaskPlan

HOURS_PER_DAY: Final = 24.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time at one share."""

    share_fraction: float
    """Of the candidate (canary), or copied (shadow)."""
    outcomes_per_day_count: float
    """In outcomes of the test: pairs, or what requests of both arms tell in requests at the last share."""
    candidate_requests_per_day_count: float
    lasts_days: float
    """Infinite for the last one."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What has happened when so many outcomes are there."""

    days: float | None
    """None: nobody knows the traffic, or it is all there already."""
    candidate_requests_count: float
    share_fraction: float


def stretches(design: Design, plan: TaskPlan) -> tuple[Stretch, ...]:
    """The pilot's time line at the plan's traffic; empty where that is not known, or nothing is sent (offline)."""
    if design.mode == "offline" or not plan.requests_per_hour:
        return ()
    per_day = plan.requests_per_hour * HOURS_PER_DAY
    if design.mode == "shadow":
        pairs = per_day * design.share_fraction
        return (Stretch(design.share_fraction, pairs, pairs, math.inf),)
    last = design.ramp[-1].share_fraction
    found = []
    for at, step in enumerate(design.ramp):
        share = step.share_fraction
        told = told_ratio(
            plan.baseline_success_fraction, plan.candidate_to_baseline_ratio, design.margin_ratio, share, last
        )
        lasts = max(step.requests_min_count / (per_day * share), step.hours_min_hours / HOURS_PER_DAY)
        is_last = at + 1 == len(design.ramp)
        found.append(Stretch(share, per_day * told, per_day * share, math.inf if is_last else lasts))
    return tuple(found)


def reached(design: Design, plan: TaskPlan, outcomes_count: float) -> Reached:
    """When so many outcomes are there, and how many requests the candidate has answered by then."""
    line = stretches(design, plan)
    if not line:
        share = design.ramp[-1].share_fraction if design.mode == "canary" else 1.0
        return Reached(None, outcomes_count * share, share)
    days, candidates, left = 0.0, 0.0, outcomes_count
    for each in line:
        needed = left / each.outcomes_per_day_count
        spent = min(needed, each.lasts_days)
        days, candidates = days + spent, candidates + spent * each.candidate_requests_per_day_count
        left -= spent * each.outcomes_per_day_count
        if needed <= each.lasts_days:
            break
    return Reached(days, candidates, each.share_fraction)


def outcomes_by(design: Design, plan: TaskPlan, days: float) -> float | None:
    """Outcomes that are there after so many days; None where the traffic is not known."""
    line = stretches(design, plan)
    if not line:
        return None
    outcomes, left = 0.0, days
    for each in line:
        spent = min(left, each.lasts_days)
        outcomes += spent * each.outcomes_per_day_count
        left -= spent
    return outcomes
