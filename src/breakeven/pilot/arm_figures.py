"""Arm figures: means of both arms on equal terms: cost, success, tokens, time, each with the errors of its units.

Equal terms are: in a shadow only requests that both arms answered; in a canary weights of `1 - propensity` (overlap
weights; Li, Morgan and Zaslavsky, JASA 113, 2018), by which both arms stand for the same tasks and moments although the
candidate's share rose from step to step and the traffic drifted meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.pilot.design import Design
from breakeven.pilot.estimate import Estimate, mean_of, success_of
from breakeven.pilot.observations import BASELINE, CANDIDATE, Codes, Floats, Observations

ARMS: Final = (BASELINE, CANDIDATE)
NAMES: Final = ("baseline", "candidate")
UNKNOWN_WEIGHT: Final = 0.5
"""Of a row whose chance of its arm nobody wrote down, among others: as if dealt evenly."""


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """Means per request of one arm; None where nothing is known."""

    requests_count: int
    unpriced_count: int
    unknown_success_count: int
    calls_usd: Estimate | None
    """All calls of a request."""
    retried_usd: Estimate | None
    """The part of it that went to requests which took more than one call."""
    success: Estimate | None
    tokens_in: Estimate | None
    tokens_out: Estimate | None
    latency_s: Floats
    """Of each request, unsorted: quantiles are asked of it."""


def arm_figures(design: Design, observations: Observations) -> tuple[ArmFigures, ArmFigures]:
    """Baseline and candidate, over all rows given; where their tasks differ, select rows before."""
    rows = on_equal_terms(design, observations)
    weights = weights_of(design, rows)
    _, units = np.unique(rows.unit, return_inverse=True)
    success = outcomes_of(rows)
    return _figures(rows, BASELINE, units, weights, success), _figures(rows, CANDIDATE, units, weights, success)


def on_equal_terms(design: Design, observations: Observations) -> Observations:
    """The rows that both arms are compared by: where requests have an answer of each arm, those requests alone."""
    if design.mode == "canary" or not observations.rows_count:
        return observations
    places: dict[str, int] = {}
    request = np.asarray([places.setdefault(each, len(places)) for each in observations.request_ids])
    seen = [np.bincount(request, observations.arm == arm) > 0 for arm in ARMS]
    both = seen[BASELINE] & seen[CANDIDATE]
    if not both.any() and design.mode == "offline":
        return observations
    return observations.where(both[request])


def weights_of(design: Design, observations: Observations) -> Floats:
    """What each row counts; shape (rows,)."""
    chance = observations.propensity_fraction
    known = np.isfinite(chance)
    plain = np.ones(observations.rows_count)
    if design.mode != "canary" or not known.any():
        return plain
    weights = np.where(known, 1.0 - np.where(known, chance, 0.0), UNKNOWN_WEIGHT)
    has_both = all(np.any(weights[observations.arm == arm] > 0) for arm in ARMS)
    return np.asarray(weights) if has_both else plain


def outcomes_of(observations: Observations) -> Floats:
    """Success of each row, NaN where unknown; where a judge model labels and people audit, the judge's word put right.

    A row that a judge labelled counts `judge + (truth - judge) / audit_fraction` when it was drawn for the audit and
    `judge` when it was not: on average the truth, however wrong the judge is. A drawn row without its label waits.
    """
    judged_alone = np.isnan(observations.success) & np.isfinite(observations.judged)
    audited = np.zeros(len(observations.tasks), dtype=np.bool_)
    audited[observations.task[judged_alone]] = True
    use = audited[observations.task] & np.isfinite(observations.judged) & (observations.audit_fraction > 0)
    chance = np.where(observations.audit_fraction > 0, observations.audit_fraction, 1.0)
    moved = np.where(observations.is_audited, (observations.success - observations.judged) / chance, 0.0)
    return np.asarray(np.where(use, observations.judged + moved, observations.success), dtype=np.float64)


def _figures(rows: Observations, arm: int, units: Codes, weights: Floats, success: Floats) -> ArmFigures:
    here = rows.arm == arm
    retried = np.where(rows.retries_count > 0, rows.cost_usd, 0.0)
    return ArmFigures(
        requests_count=int(here.sum()),
        unpriced_count=int(np.sum(here & np.isnan(rows.cost_usd))),
        unknown_success_count=int(np.sum(here & np.isnan(success))),
        calls_usd=mean_of(rows.cost_usd, here, units, weights),
        retried_usd=mean_of(retried, here, units, weights),
        success=success_of(success, here, units, weights, arm),
        tokens_in=mean_of(rows.tokens_in, here, units, weights),
        tokens_out=mean_of(rows.tokens_out, here, units, weights),
        latency_s=rows.latency_s[here & np.isfinite(rows.latency_s)],
    )
