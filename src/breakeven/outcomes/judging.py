"""Judging: what a judge model's word is worth, and the success rate once its errors are taken out.

A judge is cheap and sees all answers; careful labels (gold) are dear and few. Prediction-powered inference (PPI++:
Angelopoulos, Duchi and Zrnic 2023, arXiv 2311.01453) uses both: the judge's mean over all answers, shifted by its
mean error on a random sample that has gold, with a weight that the data choose, so that a useless judge costs
nothing. Where only the judge's sensitivity and specificity are known, from another sample, Rogan and Gladen (1978).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import OutcomeError
from breakeven.facts.assumption import HIGH_QUANTILE, LOW_QUANTILE
from breakeven.outcomes.outcome import Floats

GOLD_MIN_COUNT: Final = 10
"""Fewer gold labels of a model correct nothing: their own spread is not known."""
DRAWS_COUNT: Final = 4000
NORMAL_WIDTH_RATIO: Final = 3.2897
"""Width of a 90 % interval, in standard deviations."""
_WIDTH_MIN_FRACTION: Final = 1e-6
_STEPS_COUNT: Final = 12
"""Of the search for a Beta distribution with a given interval; a few are enough."""


@dataclass(frozen=True, slots=True)
class CorrectedRate:
    """A judged success rate after correction, with its 90 % interval."""

    success_fraction: float
    low_fraction: float
    high_fraction: float
    judged_fraction: float
    """What the judge says of the same answers."""
    judge_weight_ratio: float
    """PPI++'s lambda: 0 ignores the judge, 1 takes its word for a whole label."""
    judged_count: int
    """Answers that only the judge saw."""
    gold_count: int

    @property
    def bias_fraction(self) -> float:
        """By how much the judge is too kind (over 0) or too strict."""
        return self.judged_fraction - self.success_fraction

    @property
    def answers_count(self) -> int:
        """Answers that anybody judged."""
        return self.judged_count + self.gold_count

    def moved(self, by_fraction: float) -> CorrectedRate:
        """The rate and its interval, moved, within 0 and 1."""
        ends = (self.success_fraction, self.low_fraction, self.high_fraction)
        mean, low, high = (min(max(each + by_fraction, 0.0), 1.0) for each in ends)
        return replace(self, success_fraction=mean, low_fraction=low, high_fraction=high)

    @property
    def beta_counts(self) -> tuple[float, float]:
        """Alpha and beta of the Beta distribution that has this interval; its mean is nearly the rate.

        >>> alpha, beta = CorrectedRate(0.6, 0.55, 0.65, 0.8, 0.5, 900, 100).beta_counts
        >>> round(alpha / (alpha + beta), 3), round(alpha + beta)
        (0.6, 259)
        """
        from scipy.special import betaincinv

        width = max(self.high_fraction - self.low_fraction, _WIDTH_MIN_FRACTION)
        inner = (self.low_fraction + width / 4, self.high_fraction - width / 4)
        mean = float(np.clip(self.success_fraction, *inner))
        total = max(mean * (1 - mean) / (width / NORMAL_WIDTH_RATIO) ** 2 - 1, 1.0)
        if self.low_fraction <= 0 or self.high_fraction >= 1:
            return mean * total, (1 - mean) * total  # no Beta distribution has its interval at an end
        for _ in range(_STEPS_COUNT):
            low, high = betaincinv(mean * total, (1 - mean) * total, np.array([LOW_QUANTILE, HIGH_QUANTILE]))
            mean = float(np.clip(mean + (self.low_fraction + self.high_fraction - low - high) / 2, *inner))
            total = max(total * float((high - low) / width) ** 2, 1.0)
        return mean * total, (1 - mean) * total


def prediction_powered(gold: Floats, judged_of_gold: Floats, judged_alone: Floats, seed: int = 0) -> CorrectedRate:
    """PPI++ mean of success from a random sample with both labels and the answers that only the judge saw.

    The point is that of the paper. Its normal interval covers far less often than it says near 0 and 1 (at 0.99 with 50
    gold labels in 4 of 10 cases instead of 9), so the interval splits the answers by the judge's word, at a half, and
    adds up what gold says of either part.

    >>> gold = np.r_[np.ones(30), np.zeros(10)]
    >>> found = prediction_powered(gold, gold, np.r_[np.ones(600), np.zeros(400)])
    >>> round(found.success_fraction, 3), round(found.judge_weight_ratio, 3)
    (0.637, 0.754)
    """
    _need(gold, judged_of_gold)
    n, more = len(gold), len(judged_alone)
    weight = _weight(gold, judged_of_gold, judged_alone)
    own_mean = float(judged_of_gold.mean())
    alone = float(judged_alone.mean()) if more else own_mean
    mean = float(np.clip(gold.mean() + weight * (alone - own_mean), 0, 1))
    low, high = _interval(gold, judged_of_gold, judged_alone, seed)
    judged = (own_mean * n + alone * more) / (n + more)
    return CorrectedRate(mean, min(low, mean), max(high, mean), judged, weight, more, n)


def _need(gold: Floats, judged: Floats) -> None:
    if len(gold) != len(judged):
        raise OutcomeError(f"{len(gold)} gold labels and {len(judged)} of the judge; wanted both of each answer")
    if len(gold) < GOLD_MIN_COUNT:
        raise OutcomeError(
            f"{len(gold)} gold labels; wanted at least {GOLD_MIN_COUNT} of each model to correct a judge"
        )


def _weight(gold: Floats, judged_of_gold: Floats, judged_alone: Floats) -> float:
    """Lambda that gives the least variance, kept within 0 and 1."""
    n, more = len(gold), len(judged_alone)
    spread = float(np.var(np.concatenate([judged_of_gold, judged_alone]), ddof=1))
    if not more or spread == 0:
        return 0.0
    together = float(np.cov(gold, judged_of_gold, ddof=0)[0, 1])
    return float(np.clip(together / ((1 + n / more) * spread), 0.0, 1.0))


def _interval(gold: Floats, judged_of_gold: Floats, judged_alone: Floats, seed: int) -> tuple[float, float]:
    """90 %, from three shares with Jeffreys' prior: passed by the judge, and right among passed and among failed."""
    rng = np.random.default_rng([seed, 13])
    passed = judged_of_gold >= 0.5
    all_passed = int(passed.sum() + np.sum(judged_alone >= 0.5))
    passes = _beta(rng, all_passed, len(gold) + len(judged_alone) - all_passed)
    right = [_beta(rng, float(each.sum()), float((1 - each).sum())) for each in (gold[passed], gold[~passed])]
    low, high = np.quantile(passes * right[0] + (1 - passes) * right[1], [LOW_QUANTILE, HIGH_QUANTILE])
    return 0.0 if gold.max() == 0 else float(low), 1.0 if gold.min() == 1 else float(high)


@dataclass(frozen=True, slots=True)
class Confusion:
    """A judge's words on answers whose truth is known."""

    passed_good_count: int
    failed_good_count: int
    failed_bad_count: int
    passed_bad_count: int

    @property
    def sensitivity_fraction(self) -> float:
        """Share of good answers that the judge passes."""
        return self.passed_good_count / max(self.passed_good_count + self.failed_good_count, 1)

    @property
    def specificity_fraction(self) -> float:
        """Share of bad answers that the judge fails."""
        return self.failed_bad_count / max(self.failed_bad_count + self.passed_bad_count, 1)

    @property
    def false_accept_fraction(self) -> float:
        """Share of bad answers that the judge passes."""
        return 1 - self.specificity_fraction


def confusion_of(gold: Floats, judged: Floats) -> Confusion:
    """Counts at a half; arrays of shape (answers,)."""
    good, passed = gold >= 0.5, judged >= 0.5
    return Confusion(
        int(np.sum(good & passed)),
        int(np.sum(good & ~passed)),
        int(np.sum(~good & ~passed)),
        int(np.sum(~good & passed)),
    )


def rogan_gladen(passed_count: float, judged_count: float, confusion: Confusion, seed: int = 0) -> CorrectedRate:
    """Success from the judge's pass rate and its two error rates, which were measured on another sample.

    Raises OutcomeError where the judge passes bad answers as often as good ones: it tells nothing.

    >>> round(rogan_gladen(700, 1000, Confusion(95, 5, 80, 20)).success_fraction, 3)
    0.667
    """
    told = confusion.sensitivity_fraction + confusion.specificity_fraction - 1
    if told <= 0:
        raise OutcomeError(
            f"the judge passes {100 * confusion.sensitivity_fraction:.0f} % of good answers and "
            f"{100 * confusion.false_accept_fraction:.0f} % of bad ones: its word says nothing about success"
        )
    rate = passed_count / judged_count
    rng = np.random.default_rng([seed, 11])
    passed = _beta(rng, passed_count, judged_count - passed_count)
    sensitivity = _beta(rng, confusion.passed_good_count, confusion.failed_good_count)
    specificity = _beta(rng, confusion.failed_bad_count, confusion.passed_bad_count)
    usable = sensitivity + specificity > 1
    draws = (passed + specificity - 1)[usable] / (sensitivity + specificity - 1)[usable]
    low, high = np.clip(np.quantile(draws, [LOW_QUANTILE, HIGH_QUANTILE]), 0, 1)
    point = float(np.clip((rate + confusion.specificity_fraction - 1) / told, 0, 1))
    gold_count = sum(
        (
            confusion.passed_good_count,
            confusion.failed_good_count,
            confusion.failed_bad_count,
            confusion.passed_bad_count,
        )
    )
    return CorrectedRate(point, float(low), float(high), rate, 1 / told, int(judged_count), gold_count)


def _beta(rng: np.random.Generator, yes: float, no: float) -> npt.NDArray[np.float64]:
    return rng.beta(yes + 0.5, no + 0.5, DRAWS_COUNT)
