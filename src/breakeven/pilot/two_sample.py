"""Two-sample test of a canary: proof, at any time, that the candidate keeps the margin where each unit tried one arm.

A request had the chance p of the candidate, by lot and logged. Its increment weighs what it got by what it might have
got, around predictions m1 and m0 of both arms that were made before it (`running_means.py`):

    candidate part   p (1 - p) m1 + (1 - p) (y - m1) if the candidate answered, else p (1 - p) m1
    baseline part    p (1 - p) m0 + p (y - m0)       if the baseline answered,  else p (1 - p) m0

The mean of candidate part - ratio * baseline part over the lot is p (1 - p) times the true difference, whatever the
predictions are worth (augmented inverse propensity weighting; Robins, Rotnitzky and Zhao, JASA 89, 1994), so shares may
change in steps and the baseline may drift. The weight p (1 - p) is that of least variance and keeps every increment
between -2 and 2, even at a share of 1 %. With `increments.py` this is a proof for units of one request, asymptotic over
looks for units that come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.pilot.clusters import in_order
from breakeven.pilot.increments import Increments, Stakes, planned_stakes
from breakeven.pilot.observations import CANDIDATE, Codes, Floats, Observations
from breakeven.pilot.running_means import earlier_means

EVEN_FRACTION: Final = 0.5
LOT_TOLERANCE_SD_RATIO: Final = 4.0
"""So many standard deviations between the arms seen and the chances logged are no accident."""


@dataclass(frozen=True, slots=True)
class Dealt:
    """Requests that were dealt to arms by lot, in order of time."""

    is_candidate: Floats
    """1 or 0."""
    candidate_fraction: Floats
    """Chance of the candidate."""
    success: Floats
    unit: Codes
    stratum: Codes
    """What was known before the arms were drawn: task, length, ..."""
    success_low: Floats
    """The least that `success` could have been; below 0 where an audit's correction weighs it."""
    success_high: Floats


def dealt(observations: Observations, success: Floats) -> Dealt:
    """Rows of a canary with a known chance strictly between 0 and 1; `success` in place of the recorded one."""
    is_candidate = (observations.arm == CANDIDATE).astype(float)
    own = observations.propensity_fraction
    chance = np.where(is_candidate > 0, own, 1.0 - own)
    kept = np.isfinite(success) & (chance > 0) & (chance < 1)
    return Dealt(
        is_candidate[kept],
        chance[kept],
        success[kept],
        observations.unit[kept],
        strata(observations)[kept],
        np.zeros(int(kept.sum())),
        np.ones(int(kept.sum())),
    )


def why_no_lot(observations: Observations, rows: Observations) -> str:
    """Why the arms were not dealt as logged, so that nothing may be concluded; empty where they may have been.

    `rows` are those of `observations` with a chance strictly between 0 and 1. Units that come back may have stuck to
    one arm.
    """
    if observations.rows_count and not rows.rows_count:
        return f"requests with a logged chance of their arm between 0 and 1: none of {observations.rows_count:,}"
    is_candidate = rows.arm == CANDIDATE
    chance = np.where(is_candidate, rows.propensity_fraction, 1.0 - rows.propensity_fraction)
    unit, _ = in_order(rows.unit)
    sizes = np.bincount(unit).astype(float)
    mean = np.bincount(unit, chance) / np.maximum(sizes, 1.0)
    spread = float(np.sqrt((sizes**2 * mean * (1 - mean)).sum()))
    seen, promised = int(is_candidate.sum()), float(chance.sum())
    if abs(seen - promised) <= LOT_TOLERANCE_SD_RATIO * spread + 1:
        return ""
    words = (
        f"requests of the candidate: {seen:,} of {rows.rows_count:,} where the logged chances promise {promised:,.0f}"
    )
    return f"{words}; they were not dealt by that lot"


def strata(observations: Observations) -> Codes:
    """Task and doubling of the length in tokens: fixed beforehand, known before any answer."""
    tokens = np.nan_to_num(observations.tokens_in, nan=0.0)
    doubling = np.floor(np.log2(np.maximum(tokens, 0.0) + 1.0)).astype(np.intp)
    return observations.task * 64 + np.minimum(doubling, 63)


def two_sample_increments(rows: Dealt, baseline_success_fraction: float, ratio: float = 1.0) -> Increments:
    """The increments; the two figures are the plan's, where predictions start.

    Bounds hold for any predictions: stakes that followed these would weigh requests by what is known of them, and a
    candidate that loses the margin on average may keep it on those.
    """
    p, arm = rows.candidate_fraction, rows.is_candidate
    order, unit = in_order(rows.unit)
    m0, m1 = _predictions(rows, order, baseline_success_fraction, ratio)
    even = p * (1 - p)
    low, high = rows.success_low, rows.success_high
    idle1, idle0, nothing = even * m1, even * m0, np.zeros(len(p))
    candidate = idle1 + arm * (1 - p) * (rows.success - m1)
    baseline = idle0 + (1 - arm) * p * (rows.success - m0)
    return Increments(
        candidate,
        baseline,
        np.column_stack([(1 - p) * (low - (1 - p)), nothing]),
        np.column_stack([(1 - p) * high, even]),
        np.column_stack([nothing, p * (low - p)]),
        np.column_stack([even, p * high]),
        np.ones(len(p)),
        unit,
    )


def two_sample_stakes(baseline_success_fraction: float, ratio: float, margin_ratio: float) -> Stakes:
    """Most on the stake that the plan calls best, some around it and on the grid."""
    return planned_stakes(two_sample_stake_ratio(baseline_success_fraction, ratio, margin_ratio))


def two_sample_stake_ratio(baseline_success_fraction: float, ratio: float, margin_ratio: float) -> float:
    """The stake that a plan calls best: expected gain over its variance; negative where it loses the margin."""
    candidate = min(baseline_success_fraction * ratio, 1.0)
    gain = candidate - margin_ratio * baseline_success_fraction
    noise = candidate * (1 - candidate) + margin_ratio**2 * baseline_success_fraction * (1 - baseline_success_fraction)
    return gain / max(EVEN_FRACTION * noise + EVEN_FRACTION**2 * gain**2, 1e-6)


def _predictions(rows: Dealt, order: Codes, baseline_success: float, ratio: float) -> tuple[Floats, Floats]:
    """Of the baseline, and of the candidate: the baseline's times the plan's ratio until enough of it was seen."""
    planned = np.full(len(order), baseline_success)
    m0 = earlier_means(rows.success, 1.0 - rows.is_candidate, rows.stratum, order, planned)
    m1 = earlier_means(rows.success, rows.is_candidate, rows.stratum, order, np.minimum(m0 * ratio, 1.0))
    return m0, m1
