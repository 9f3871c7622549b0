"""Evidence tests: one face for the tests of a pilot, whichever fits what was seen.

Pairs whose outcomes are known and whose units are single requests go to the exact test of the four counts
(`noninferiority.py`); all else (a canary, units that come back, audited outcomes) is made of increments
(`increments.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from breakeven.pilot.bets import Bets, planned_bets, planned_inferior_bets
from breakeven.pilot.confidence_sequence import ratio_sequence, success_sequence
from breakeven.pilot.design import TaskPlan
from breakeven.pilot.increments import (
    Increments,
    Stakes,
    grid_stakes,
    ln_e_value,
    ln_wealths,
    of_one_mean,
    ratio_bounds,
)
from breakeven.pilot.noninferiority import counts_of, ln_inferior_e_value
from breakeven.pilot.noninferiority import ln_e_value as ln_e_of_pairs
from breakeven.pilot.noninferiority import ln_wealths as ln_wealths_of_pairs
from breakeven.pilot.observations import Codes, Floats, PairCounts, Pairs
from breakeven.pilot.verdict import Range

BETTING: Final = "confidence sequence by betting; holds however often one looks"
BY_UNIT: Final = (
    "betting on sums of units; exact at one look, over many looks in the normal limit; a busy unit counts less than "
    "its requests"
)
GROWTH_PRIOR_COUNT: Final = 100.0
"""Outcomes that the plan is worth, before any is seen, where it is foretold how many more are needed."""


class EvidenceTest(Protocol):
    """What a test says of the outcomes it was made of."""

    @property
    def outcomes_count(self) -> int:
        """Pairs, or requests of both arms."""

    @property
    def counts(self) -> PairCounts | None:
        """Where all outcomes of pairs are 0 or 1."""

    def ln_e(self) -> float:
        """Evidence that the candidate keeps the margin."""

    def ln_inferior_e(self) -> float:
        """Evidence that it does not."""

    def growth_ratio(self, is_inferior: bool) -> float:
        """What one outcome added to the evidence, by the stake that did best."""

    def ratio(self, alpha_fraction: float) -> Range:
        """Success of the candidate over that of the baseline."""

    def success(self, arm: int, alpha_fraction: float) -> Range:
        """Of one arm."""


@dataclass(frozen=True, slots=True)
class PairTest:
    """Pairs of single requests."""

    pairs: Pairs
    plan: TaskPlan
    margin_ratio: float

    @property
    def outcomes_count(self) -> int:
        """Pairs."""
        return len(self.pairs.baseline)

    @property
    def counts(self) -> PairCounts | None:
        """The four counts, where outcomes are 0 or 1."""
        return counts_of(self.pairs)

    def ln_e(self) -> float:
        """Exact at any time."""
        return ln_e_of_pairs(self._seen, self.margin_ratio, bets_of(self.plan, self.margin_ratio))

    def ln_inferior_e(self) -> float:
        """Exact at any time."""
        return ln_inferior_e_value(self._seen, self.margin_ratio, inferior_bets_of(self.plan, self.margin_ratio))

    def growth_ratio(self, is_inferior: bool) -> float:
        """By the best of the stakes."""
        bets = (inferior_bets_of if is_inferior else bets_of)(self.plan, self.margin_ratio)
        logs = ln_wealths_of_pairs(self._seen, self.margin_ratio, bets)
        return float(logs.max()) / max(self.outcomes_count, 1)

    def ratio(self, alpha_fraction: float) -> Range:
        """Exact at any time."""
        bets, against = bets_of(self.plan, self.margin_ratio), inferior_bets_of(self.plan, self.margin_ratio)
        return ratio_sequence(self._seen, alpha_fraction, bets, against)

    def success(self, arm: int, alpha_fraction: float) -> Range:
        """Exact at any time."""
        values = self.pairs.candidate if arm else self.pairs.baseline
        return success_sequence(math.fsum(values.tolist()), len(values), alpha_fraction)

    @property
    def _seen(self) -> PairCounts | Pairs:
        return self.counts or self.pairs


@dataclass(frozen=True, slots=True)
class ArmOutcomes:
    """Outcomes of one arm with the bounds of each, for its success rate."""

    values: Floats
    low: Floats
    high: Floats
    unit: Codes | None


@dataclass(frozen=True, slots=True)
class IncrementTest:
    """Anything that is made of increments."""

    increments: Increments
    arms: tuple[ArmOutcomes, ArmOutcomes]
    stakes: Stakes
    inferior_stakes: Stakes
    margin_ratio: float
    outcomes_count: int
    counts: PairCounts | None = None

    def ln_e(self) -> float:
        """At the margin."""
        if not self.outcomes_count:
            return 0.0
        return ln_e_value(self.increments, self.margin_ratio, self.stakes)

    def ln_inferior_e(self) -> float:
        """At the margin."""
        if not self.outcomes_count:
            return 0.0
        return ln_e_value(self.increments, self.margin_ratio, self.inferior_stakes, is_inferior=True)

    def growth_ratio(self, is_inferior: bool) -> float:
        """By the best of the stakes."""
        if not self.outcomes_count:
            return 0.0
        stakes = self.inferior_stakes if is_inferior else self.stakes
        return float(ln_wealths(self.increments, self.margin_ratio, stakes, is_inferior).max()) / self.outcomes_count

    def ratio(self, alpha_fraction: float) -> Range:
        """By betting on every ratio."""
        confidence = 1.0 - alpha_fraction
        if not self.outcomes_count:
            return Range(None, None, None, confidence, self._method, "no outcome of both arms yet")
        candidate, baseline = float(self.increments.candidate.sum()), float(self.increments.baseline.sum())
        value = max(candidate, 0.0) / baseline if baseline > 0 else None
        low, high = ratio_bounds(self.increments, alpha_fraction, _without_plan(self.stakes))
        return Range(
            value,
            low if value is None else min(low, value),
            None if not math.isfinite(high) else high if value is None else max(high, value),
            confidence,
            self._method,
            "" if value is not None else "the baseline has no success yet",
        )

    def success(self, arm: int, alpha_fraction: float) -> Range:
        """By betting on every rate."""
        rows = self.arms[arm]
        confidence = 1.0 - alpha_fraction
        if not len(rows.values):
            return Range(None, None, None, confidence, self._method, "no outcome yet")
        value = float(np.clip(rows.values.mean(), 0.0, 1.0))
        plain = rows.unit is None and rows.low.min() >= 0 and rows.high.max() <= 1
        if plain:
            return success_sequence(math.fsum(rows.values.tolist()), len(rows.values), alpha_fraction)
        told = of_one_mean(rows.values, rows.low, rows.high, rows.unit)
        low, high = ratio_bounds(told, alpha_fraction, _without_plan(self.stakes))
        return Range(value, min(low, value), max(min(high, 1.0), value), confidence, self._method)

    @property
    def _method(self) -> str:
        return BETTING if self.increments.unit is None else BY_UNIT


def bets_of(plan: TaskPlan, margin_ratio: float) -> Bets:
    """Bets on pairs by the plan of a task."""
    return planned_bets(
        margin_ratio, plan.baseline_success_fraction, plan.candidate_to_baseline_ratio, plan.correlation_fraction
    )


def inferior_bets_of(plan: TaskPlan, margin_ratio: float) -> Bets:
    """Bets against the candidate."""
    return planned_inferior_bets(margin_ratio, plan.baseline_success_fraction, plan.correlation_fraction)


def _without_plan(stakes: Stakes) -> Stakes:
    """The grid alone, at the scale of these stakes: an interval takes no sides."""
    return grid_stakes(stakes.scale_ratio)
