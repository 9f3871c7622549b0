"""Spending: what the pilot itself costs: copies in a shadow, the dearer arm in a canary, labels by people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breakeven.pilot.design import Design
from breakeven.pilot.observations import BASELINE, CANDIDATE, Observations
from breakeven.pilot.traffic import rows_of_tasks


@dataclass(frozen=True, slots=True)
class Spent:
    """Money that would not have been spent without the pilot."""

    usd: float
    words: str
    """What it is made of, and what of it is unknown."""


def spend(design: Design, observations: Observations) -> Spent:
    """Cost so far. A canary's calls cost what they cost above the mean of the baseline's of the same task."""
    is_candidate = observations.arm == CANDIDATE
    known = np.isfinite(observations.cost_usd)
    usd = float(observations.cost_usd[is_candidate & known].sum())
    parts = [f"{int((is_candidate & known).sum()):,} calls of the candidate {usd:,.2f}"]
    if design.mode == "canary":
        instead = _instead_usd(design, observations)
        usd -= instead
        parts.append(f"less {instead:,.2f} for the baseline's in their place")
    labels = int((observations.is_audited & np.isfinite(observations.success)).sum())
    if labels and design.label_usd:
        usd += labels * design.label_usd
        parts.append(f"{labels:,} labels {labels * design.label_usd:,.2f}")
    elif labels:
        parts.append(f"{labels:,} labels at a cost nobody stated")
    if unpriced := int((is_candidate & ~known).sum()):
        parts.append(f"{unpriced:,} calls without a price left out")
    return Spent(usd, ", ".join(parts))


def _instead_usd(design: Design, observations: Observations) -> float:
    """What the baseline would have cost for the requests that the candidate took."""
    total = 0.0
    for plan in design.tasks:
        here = rows_of_tasks(design, observations, [plan.task]) & np.isfinite(observations.cost_usd)
        cost = observations.cost_usd[here & (observations.arm == BASELINE)]
        taken = int((here & (observations.arm == CANDIDATE)).sum())
        planned = plan.baseline_usd_per_request or 0.0
        total += taken * (float(cost.mean()) if len(cost) else planned)
    return total
