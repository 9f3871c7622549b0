"""Quality floor: the boldest setting of a router that provably keeps, say, 95 % of the reference model's successes.

The promise: the chance that the router's success is below `floor * success of the reference` is at most 5 %, for
requests like those it was calibrated on. On labelled requests that neither the scorer nor the settings were made from,
settings are tested from a safe one to the boldest (Learn then Test with a fixed sequence: Angelopoulos et al., arXiv
2110.01052), each on the gains `success of the chosen model - floor * success of the reference`, whose mean must be
above zero (`betting.py`); the first that cannot be shown ends the search. Success may be a fraction. Where not even the
first can be shown the answer is "not enough evidence", and how many labelled requests are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.errors import LearningError
from breakeven.learning.betting import LARGEST_STAKE_FRACTION, mean_above_zero
from breakeven.learning.frontier import Sweep
from breakeven.outcomes.outcome import Floats, Indexes
from breakeven.routing.policy_document import Guarantee

METHOD: Final = "learn-then-test, fixed sequence, betting bound"
SETTINGS_COUNT: Final = 100
POWER_FRACTION: Final = 0.8
"""Chance of a proof that the missing requests are counted for."""
USEFUL_MOVED_FRACTION: Final = 0.05
"""Settings that move less of the traffic are not worth waiting for."""
MISSING_MAX_COUNT: Final = 1_000_000
_SAFE_ERRORS: Final = 4.0
"""Standard errors above zero at which a setting is shown nearly always."""
_PAYABLE_RATIO: Final = 1.2
_POWER_TRIALS: Final = 100
_NORMAL_NEEDED: Final = 2.5
"""Quantiles of a one-sided 95 % test with 80 % power, added: 1.645 + 0.842."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Mean and mean square of the gains of each setting, on requests other than the calibration's. Shape (settings,).

    It says where the search begins and how much is staked: a good guess finds more, a bad one breaks no promise.
    """

    mean: Floats
    square: Floats


@dataclass(frozen=True, slots=True)
class FloorChoice:
    """The boldest setting that keeps the floor, or why there is none."""

    at: int | None
    """Row of the sweep; None: all requests go to the reference model."""
    quality_floor_ratio: float
    confidence_fraction: float
    calibration_requests_count: int
    left_out_requests_count: int
    """Calibration requests that some model was not tried on."""
    moved_fraction: float
    """Of the calibration requests that leave the reference model; 0 where nothing could be shown."""
    success_ratio: float | None
    """The setting's success over the reference's, as measured on the calibration requests."""
    missing_requests_count: int | None
    """Labelled requests to add until a setting can probably be shown; None where one was, or where more of the same
    would not help."""
    why: str

    @property
    def holds(self) -> bool:
        """Whether a setting that moves traffic keeps the floor."""
        return self.at is not None

    def guarantee(self, against_model: str) -> Guarantee:
        """As the policy file says it."""
        return Guarantee(
            quality_floor_ratio=self.quality_floor_ratio,
            against_model=against_model,
            confidence_fraction=self.confidence_fraction,
            method=METHOD,
            calibration_requests_count=self.calibration_requests_count,
            holds=self.holds,
            missing_requests_count=self.missing_requests_count,
        )


def leaving_margins(scores: Floats, expected_usd: Floats, reference: int) -> Floats:
    """How much lower than the reference's a cheaper model's predicted success is, where it is least; shape (requests,).

    Infinite where no model is cheaper.
    """
    usd = np.broadcast_to(expected_usd, scores.shape)
    cheaper = usd < usd[:, [reference]]
    found: Floats = np.where(cheaper, scores[:, [reference]] - scores, np.inf).min(axis=1)
    return found


def margins_between(margins: Floats, settings_count: int = SETTINGS_COUNT) -> Floats:
    """Margins to try, so that each lets about as many more requests leave; `margins` of other than the calibration
    requests."""
    finite = margins[np.isfinite(margins)]
    if not len(finite):
        raise LearningError("no model is cheaper than the reference model: there is nothing to save. Name another one.")
    return np.unique(np.quantile(finite, np.arange(1, settings_count + 1) / settings_count))


def margin_sweep(scores: Floats, expected_usd: Floats, reference: int, margins: Floats) -> Sweep:
    """The cheapest model whose predicted success is at most `margin` below the reference's; the reference else.

    Safest first. Equally cheap ones: the likelier to succeed.
    """
    usd = np.broadcast_to(expected_usd, scores.shape)
    loss = scores[:, [reference]] - scores
    choices = []
    for margin in margins:
        allowed = (loss <= margin) & (usd < usd[:, [reference]])
        allowed[:, reference] = True
        cost = np.where(allowed, usd, np.inf)
        best = np.where(cost == cost.min(axis=1, keepdims=True), scores, -np.inf)
        choices.append(np.argmax(best, axis=1))
    return Sweep(np.asarray(margins, dtype=float), np.stack(choices))


def gains(choices: Indexes, success: Floats, reference: int, quality_floor_ratio: float) -> Floats:
    """Success of the chosen model less the floor's part of the reference's; shape (requests, settings)."""
    rows = np.arange(len(success))[:, None]
    return np.asarray(success[rows, choices.T] - quality_floor_ratio * success[:, [reference]])


def expected(choices: Indexes, success: Floats, reference: int, quality_floor_ratio: float) -> Expected:
    """The gains as the requests learnt from tell them (by predictions that did not see their outcomes)."""
    known = ~np.isnan(success).any(axis=1)
    found = gains(choices[:, known], success[known], reference, quality_floor_ratio)
    return Expected(found.mean(axis=0), (found**2).mean(axis=0))


def choose(
    sweep: Sweep,
    success: Floats,
    reference: int,
    quality_floor_ratio: float = 0.95,
    confidence_fraction: float = 0.95,
    seed: int = 0,
    learnt: Expected | None = None,
    future_requests_count: int | None = None,
) -> FloorChoice:
    """The boldest setting of a sweep (safest first) that keeps the floor on calibration outcomes (requests, models).

    The sweep's scores and settings, and `learnt`, must come from other requests. The promise is about the success rate
    of requests like these; with `future_requests_count` it is about the ratio as it will be counted on so many of them,
    whose own luck then is part of the risk (by a normal approximation).
    """
    _check(quality_floor_ratio, confidence_fraction, sweep, success)
    known = ~np.isnan(success).any(axis=1)
    order = np.random.default_rng(seed).permutation(np.flatnonzero(known))
    choices, success = sweep.choices[:, order], success[order]
    rows = len(order)
    moved = (choices != reference).mean(axis=1) if rows else np.zeros(len(choices))
    gained = gains(choices, success, reference, quality_floor_ratio)
    reserve = _reserve(gained, learnt, confidence_fraction, future_requests_count)
    first = 0 if learnt is None else _first_setting(learnt, rows, quality_floor_ratio, confidence_fraction)
    tested = np.arange(first, len(choices))
    squares = None if learnt is None else learnt.square[tested]
    lowest = -quality_floor_ratio - reserve[tested]
    shown = mean_above_zero(gained[:, tested] - reserve[tested], lowest, confidence_fraction, squares)
    run = len(shown) if shown.all() else int(np.argmin(shown))
    at = int(tested[run - 1]) if run and moved[tested[run - 1]] > 0 else None
    if at is None:
        missing, why = _missing(gained, moved, quality_floor_ratio, confidence_fraction, seed, learnt)
    else:
        missing, why = None, f"{100 * moved[at]:.0f} % of the requests leave the reference model"
    rate = float(success[:, reference].mean()) if rows else 0.0
    return FloorChoice(
        at=at,
        quality_floor_ratio=quality_floor_ratio,
        confidence_fraction=confidence_fraction,
        calibration_requests_count=rows,
        left_out_requests_count=int((~known).sum()),
        moved_fraction=float(moved[at]) if at is not None else 0.0,
        success_ratio=float(gained[:, at].mean()) / rate + quality_floor_ratio if at is not None and rate > 0 else None,
        missing_requests_count=missing,
        why=why,
    )


def ratio_lower_bound(policy: Floats, reference: Floats, confidence_fraction: float = 0.95, seed: int = 0) -> float:
    """The highest floor, in steps of 0.0025, that one fixed policy provably keeps on these outcomes; 0 where none.

    Only for a policy that was chosen on other requests.
    """
    order = np.random.default_rng(seed).permutation(len(policy))
    floors = np.arange(0.0025, 1.5, 0.0025)
    shown = mean_above_zero(policy[order, None] - floors * reference[order, None], -floors, confidence_fraction)
    first = int(np.argmin(shown))
    return float(floors[first - 1]) if first else 0.0


def _first_setting(learnt: Expected, rows: int, quality_floor_ratio: float, confidence_fraction: float) -> int:
    """The safest setting that can be expected to be shown; where none can, the one with the best chance.

    A setting that moves hardly any request gains too little for any stake.
    """
    most = LARGEST_STAKE_FRACTION / quality_floor_ratio
    payable = rows * learnt.mean * most > _PAYABLE_RATIO * np.log(1.0 / (1.0 - confidence_fraction))
    errors = np.where(payable, learnt.mean / np.sqrt(np.maximum(learnt.square, 1e-300)) * np.sqrt(rows), -np.inf)
    safe = np.flatnonzero(errors >= _SAFE_ERRORS)
    return int(safe[0]) if len(safe) else int(np.argmax(errors))


def _reserve(
    gained: Floats, learnt: Expected | None, confidence_fraction: float, future_requests_count: int | None
) -> Floats:
    """How far above zero the mean gain must be shown to be, so that so many future requests stay above it as well."""
    rows = len(gained)
    if future_requests_count is None or not rows:
        return np.zeros(gained.shape[1])
    from scipy.special import ndtri

    spread = gained.std(axis=0) if learnt is None else np.sqrt(np.maximum(learnt.square - learnt.mean**2, 0.0))
    errors = float(ndtri(confidence_fraction))
    return np.asarray(errors * spread * (np.sqrt(1 / rows + 1 / future_requests_count) - np.sqrt(1 / rows)))


def _check(quality_floor_ratio: float, confidence_fraction: float, sweep: Sweep, success: Floats) -> None:
    if not 0.0 < quality_floor_ratio <= 1.5:
        raise LearningError(f"quality floor {quality_floor_ratio}: wanted a ratio above 0, such as 0.95")
    if not 0.5 <= confidence_fraction < 1.0:
        raise LearningError(f"confidence {confidence_fraction}: wanted a fraction from 0.5 to below 1, such as 0.95")
    if sweep.choices.shape[1] != len(success):
        raise LearningError(f"{sweep.choices.shape[1]} choices for {len(success)} calibration requests: wanted as many")


def _missing(
    gained: Floats,
    moved: Floats,
    quality_floor_ratio: float,
    confidence_fraction: float,
    seed: int,
    learnt: Expected | None,
) -> tuple[int | None, str]:
    """How many more requests, resampled from these, would show some useful setting four times in five.

    What the gains are on average is taken from the requests learnt from, where given: they are more.
    """
    rows = len(gained)
    useful = np.flatnonzero(moved >= USEFUL_MOVED_FRACTION)
    if rows < 2 or not len(useful):
        return None, f"not enough evidence: {rows} labelled requests, of which hardly one could move"
    spread = gained[:, useful].std(axis=0)
    mean = gained[:, useful].mean(axis=0) if learnt is None else learnt.mean[useful]
    if mean.max() <= 0:
        return None, (
            f"every setting that moves requests keeps less than {100 * quality_floor_ratio:.0f} % of the "
            f"reference's success, as far as {rows} requests tell: more of the same would not help"
        )
    needed = np.where(mean > 0, (_NORMAL_NEEDED * spread / np.where(mean > 0, mean, 1.0)) ** 2, np.inf)
    best = int(np.argmin(needed))
    shift = mean[best] - gained[:, useful[best]].mean()
    likely, lowest = gained[:, useful[best]] + shift, min(shift, 0.0) - quality_floor_ratio
    total = max(float(needed[best]), np.log(1.0 / (1.0 - confidence_fraction)) / float(mean[best]), 1.1 * rows)
    rng = np.random.default_rng(seed)
    while total < MISSING_MAX_COUNT:
        drawn = rng.choice(likely, (int(total), _POWER_TRIALS))
        if mean_above_zero(drawn, lowest, confidence_fraction).mean() >= POWER_FRACTION:
            missing = int(np.ceil(total)) - rows
            return missing, f"not enough evidence: about {missing:,} more labelled requests of this kind are missing"
        total *= 1.15
    return None, f"not enough evidence, and not with {MISSING_MAX_COUNT:,} requests of this kind either"
