"""Arm figures: means of both arms on equal terms: cost, success, tokens, time, each with the errors of its units.

Equal terms are: in a shadow only requests that both arms answered; in a canary weights of `1 - propensity` (overlap
weights; Li, Morgan and Zaslavsky, JASA 113, 2018), by which both arms stand for the same tasks and moments although the
candidate's share rose from step to step and the traffic drifted meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.pilot.arm_outcomes import ArmOutcomes
from breakeven.pilot.design import Design
from breakeven.pilot.estimate import Estimate, mean_of, success_of
from breakeven.pilot.observations import BASELINE, CANDIDATE, Codes, Flags, Floats, Observations
from breakeven.pilot.pairing import rows_of_pairs

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
    successes_count: int
    """Known ones, added up: what a cost per success rests on."""
    calls_usd: Estimate | None
    """All calls of a request."""
    retried_usd: Estimate | None
    """The part of it that went to requests which took more than one call."""
    success: Estimate | None
    tokens_in: Estimate | None
    tokens_out: Estimate | None


def arm_figures(
    design: Design, observations: Observations, success: Floats | None = None, is_lonely: Flags | None = None
) -> tuple[ArmFigures, ArmFigures]:
    """Baseline and candidate, over all rows given.

    `success` (rows,) in place of the recorded one; `is_lonely` (rows,): whose money is not compared, None: that of
    requests which a pair lacks.
    """
    lonely = ~rows_on_equal_terms(design, observations) if is_lonely is None else is_lonely
    told = np.where(lonely, np.nan, observations.success) if success is None else success
    weights = weights_of(design, observations)
    _, units = np.unique(observations.unit, return_inverse=True)
    baseline, candidate = (_figures(observations, arm, units, weights, told, lonely) for arm in ARMS)
    return baseline, candidate


def figures_of(design: Design, outcomes: ArmOutcomes, success: Floats) -> tuple[ArmFigures, ArmFigures]:
    """The same of outcomes as they count: `success` is one of them."""
    return arm_figures(design, outcomes.rows, success, outcomes.is_lonely)


def rows_on_equal_terms(design: Design, observations: Observations) -> Flags:
    """The rows that both arms are compared by: where requests have an answer of each arm, those requests alone."""
    every = np.ones(observations.rows_count, dtype=np.bool_)
    if design.mode == "canary":
        return every
    pairs = rows_of_pairs(observations)
    if not len(pairs) and design.mode == "offline":
        return every
    paired = np.zeros(observations.rows_count, dtype=np.bool_)
    paired[pairs] = True
    return paired


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


def _figures(rows: Observations, arm: int, units: Codes, weights: Floats, success: Floats, lonely: Flags) -> ArmFigures:
    here = rows.arm == arm
    paid = here & ~lonely
    retried = np.where(rows.retries_count > 0, rows.cost_usd, 0.0)
    return ArmFigures(
        requests_count=int(paid.sum()),
        unpriced_count=int(np.sum(paid & np.isnan(rows.cost_usd))),
        unknown_success_count=int(np.sum(here & np.isnan(success))),
        successes_count=int(np.nansum(success[here])),
        calls_usd=mean_of(rows.cost_usd, paid, units, weights),
        retried_usd=mean_of(retried, paid, units, weights),
        success=success_of(success, here, units, weights, arm),
        tokens_in=mean_of(rows.tokens_in, paid, units, weights),
        tokens_out=mean_of(rows.tokens_out, paid, units, weights),
    )
