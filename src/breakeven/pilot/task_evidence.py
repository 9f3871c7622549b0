"""Task evidence: the test that fits a task's outcomes, made of those that count.

- **paired** where requests have an answer of both arms (shadow, offline), **two-sample** where each has one (canary);
- **audited** where most requests outside the audit have no outcome of a true source: the judge's labels, put right by
  the audit. A judge without an audit leaves the other tests without outcomes, and those say so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from breakeven.pilot.bets import INFERIOR_BELOW_MARGIN_RATIO, best_stake_ratio
from breakeven.pilot.clusters import in_order, numbered
from breakeven.pilot.design import Design, TaskPlan
from breakeven.pilot.evidence_tests import ArmOutcomes, EvidenceTest, IncrementTest, PairTest
from breakeven.pilot.increments import Increments, Stakes, planned_stakes
from breakeven.pilot.noninferiority import counts_of
from breakeven.pilot.observations import Codes, Flags, Floats, Observations, PairCounts
from breakeven.pilot.pair_chances import pair_chances
from breakeven.pilot.pairing import arrays_of, pairs_of, rows_of_pairs, with_absent
from breakeven.pilot.prediction_powered import (
    Audit,
    audited_dealt,
    audited_pairs,
    usable,
    why_not,
    widening_ratio,
)
from breakeven.pilot.settled import Settled, best_for_candidate, settled, worst_for_candidate
from breakeven.pilot.two_sample import dealt, two_sample_increments, two_sample_stake_ratio, why_no_lot
from breakeven.pilot.verdict import Test

WITHIN_UNIT_FRACTION: Final = 0.05
"""Correlation of a unit's requests, planned; only the first bets rest on it."""


@dataclass(frozen=True, slots=True)
class TaskEvidence:
    """What a task's outcomes say, at the worst and the best that open ones may turn out."""

    kind: Test
    rows: Observations
    """Those in the comparison, by time."""
    state: Settled
    seen: EvidenceTest
    """Of the outcomes that are there."""
    worst: EvidenceTest
    """Missing outcomes against the candidate, where they may not be left out; else the same as `seen`."""
    best: EvidenceTest
    at_once: EvidenceTest | None
    """Of all requests, those that still wait for their outcome against the candidate; None where none waits."""
    missing_count: int
    why_not: str
    """Why nothing may be concluded; empty where something may."""

    @property
    def ln_e(self) -> float:
        """Evidence that the candidate keeps the margin."""
        found = max(each.ln_e() for each in (self.worst, self.at_once) if each is not None)
        return min(found, 0.0) if self.why_not else found

    @property
    def ln_inferior_e(self) -> float:
        """Evidence that it does not."""
        found = self.best.ln_inferior_e()
        return min(found, 0.0) if self.why_not else found


def task_evidence(
    design: Design, plan: TaskPlan, observations: Observations, as_of_unix_s: float | None = None
) -> TaskEvidence:
    """Choose the test for the rows of one task (or of all) and make it."""
    is_paired, rows, is_absent = compared(design, observations)
    is_audit = is_audited_kind(rows)
    if is_audit:
        kept = usable(audit_of(rows))
        rows, is_absent = rows.where(kept), is_absent[kept]
    wanted = rows.is_audited if is_audit else np.ones(rows.rows_count, dtype=np.bool_)
    wait = 0.0 if design.mode == "offline" else design.outcome_wait_hours
    state = settled(rows, wanted, wait, as_of_unix_s, is_absent, design.margin_ratio)
    maker = _Maker(design, plan, rows, is_paired, is_audit)
    counted, missing = state.is_counted, state.is_missing
    seen = maker.test(counted, rows.success)
    worst = best = seen
    if (missing & counted).any() and (is_audit or not state.is_ignorable):
        worst = maker.test(counted, worst_for_candidate(rows, missing))
        best = maker.test(counted, best_for_candidate(rows, missing))
    at_once = None
    if state.is_waiting.any():
        is_open = state.is_waiting | missing if worst is not seen else state.is_waiting
        at_once = maker.test(np.ones(rows.rows_count, dtype=np.bool_), worst_for_candidate(rows, is_open))
    kind: Test = "audited" if is_audit else "paired" if is_paired else "two-sample"
    reason = _why_no_audit(rows, is_paired) if is_audit else ""
    reason = reason or ("" if is_paired else why_no_lot(observations, rows))
    return TaskEvidence(
        kind, rows, state, seen, worst, best, at_once, int((wanted & np.isnan(rows.success)).sum()), reason
    )


def compared(design: Design, observations: Observations) -> tuple[bool, Observations, Flags]:
    """Whether requests are compared in pairs, the rows that take part, by time, and which of them never were.

    A request of a shadow that has a row of one arm alone gets the other's, without an outcome: a copy that nobody
    answered, or a failure that nobody wrote down, must not pass for a request that was never made.
    """
    chance = observations.propensity_fraction
    is_dealt = (chance > 0) & (chance < 1)
    is_unpaired = design.mode == "offline" and is_dealt.any() and not len(rows_of_pairs(observations))
    if design.mode != "canary" and not is_unpaired:
        rows, is_absent = with_absent(observations)
        return True, rows, is_absent
    rows = observations.where(is_dealt)
    if (np.diff(rows.start_unix_s) < 0).any():
        rows = in_time(rows)
    return False, rows, np.zeros(rows.rows_count, dtype=np.bool_)


def in_time(rows: Observations) -> Observations:
    """The same rows by time."""
    order = np.argsort(rows.start_unix_s, kind="stable")
    arrays = {name: getattr(rows, name)[order] for name in arrays_of(rows)}
    return replace(rows, request_ids=tuple(rows.request_ids[int(i)] for i in order), **arrays)


def is_audited_kind(rows: Observations) -> bool:
    """Whether outcomes come from an audit: outside it, fewer requests have one of a true source than have none."""
    outside = ~rows.is_audited
    known = int((outside & np.isfinite(rows.success)).sum())
    return bool(usable(audit_of(rows)).any() and outside.any() and known < int(outside.sum()) - known)


def audit_of(rows: Observations) -> Audit:
    """The audit as logged."""
    return Audit(rows.is_audited, rows.audit_fraction)


def _audit_of_pairs(rows: Observations, places: Codes) -> Audit:
    """A pair was drawn if either answer was: a label that is then lacking counts against the candidate."""
    return Audit(np.asarray(rows.is_audited[places].any(axis=1)), rows.audit_fraction[places[:, 0]])


def _why_no_audit(rows: Observations, is_paired: bool) -> str:
    """By requests of a canary, by pairs where there are such: both answers of one are labelled, or it is not."""
    if not is_paired:
        return why_not(audit_of(rows), np.isfinite(rows.success))
    places = rows_of_pairs(rows)
    is_labelled = np.asarray(np.isfinite(rows.success[places]).all(axis=1))
    return why_not(_audit_of_pairs(rows, places), is_labelled)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the test of some rows, with one success or another in them."""

    design: Design
    plan: TaskPlan
    rows: Observations
    is_paired: bool
    is_audit: bool

    def test(self, counted: Flags, success: Floats) -> EvidenceTest:
        rows = replace(self.rows, success=np.where(counted, success, np.nan)).where(counted)
        if self.is_paired:
            return self._audited_pairs(rows) if self.is_audit else self._pairs(rows)
        return self._canary(rows)

    def _pairs(self, rows: Observations) -> EvidenceTest:
        pairs = pairs_of(rows)
        margin = self.design.margin_ratio
        unit = numbered(pairs.unit)
        if unit is None:
            return PairTest(pairs, self.plan, margin)
        zero, one = np.zeros((len(unit), 1)), np.ones((len(unit), 1))
        made = Increments(pairs.candidate, pairs.baseline, zero, one, zero, one, one[:, 0], unit)
        arms = (_plain(pairs.baseline, unit), _plain(pairs.candidate, unit))
        return self._of_increments(made, arms, unit_widening(unit), len(unit), counts_of(pairs))

    def _audited_pairs(self, rows: Observations) -> EvidenceTest:
        places = rows_of_pairs(rows)
        first = places[:, 0]
        audit = _audit_of_pairs(rows, places)
        has_labels = ~audit.is_audited | np.isfinite(rows.success[places]).all(axis=1)
        places, first = places[has_labels], first[has_labels]
        audit = Audit(audit.is_audited[has_labels], audit.audit_fraction[has_labels])
        made = audited_pairs(
            rows.success[places],
            rows.judged[places],
            audit,
            rows.unit[first],
            self.plan.baseline_success_fraction,
            self.plan.candidate_to_baseline_ratio,
        )
        low, high = made.candidate_low.min(axis=1), made.candidate_high.max(axis=1)
        arms = (
            ArmOutcomes(made.baseline, low, high, made.unit),
            ArmOutcomes(made.candidate, low, high, made.unit),
        )
        wider = widening_ratio(_mean(audit.audit_fraction)) * unit_widening(made.unit)
        return self._of_increments(made, arms, wider, len(places), None)

    def _canary(self, rows: Observations) -> EvidenceTest:
        plan, wider = self.plan, 1.0
        if self.is_audit:
            rows = rows.where(~rows.is_audited | np.isfinite(rows.success))
        lot = dealt(rows, np.where(rows.is_audited, rows.success, 0.0) if self.is_audit else rows.success)
        if self.is_audit:
            audit = audit_of(rows)
            lot = audited_dealt(
                lot, rows.judged, audit, plan.baseline_success_fraction, plan.candidate_to_baseline_ratio
            )
            wider = widening_ratio(_mean(audit.audit_fraction))
        made = two_sample_increments(lot, plan.baseline_success_fraction, plan.candidate_to_baseline_ratio)
        arms = []
        for arm in (0, 1):
            here = lot.is_candidate == arm
            unit = in_order(lot.unit[here])[1]
            arms.append(ArmOutcomes(lot.success[here], lot.success_low[here], lot.success_high[here], unit))
        return self._of_increments(made, (arms[0], arms[1]), wider * unit_widening(made.unit), len(lot.success), None)

    def _of_increments(
        self,
        made: Increments,
        arms: tuple[ArmOutcomes, ArmOutcomes],
        wider: float,
        count: int,
        counts: PairCounts | None,
    ) -> EvidenceTest:
        margin = self.design.margin_ratio
        feared = max(margin - INFERIOR_BELOW_MARGIN_RATIO, 0.0)
        return IncrementTest(
            made,
            arms,
            self._stakes(self.plan.candidate_to_baseline_ratio, wider, 1.0),
            self._stakes(feared, wider, -1.0),
            margin,
            count,
            counts,
        )

    def _stakes(self, ratio: float, wider: float, way: float) -> Stakes:
        success, margin = self.plan.baseline_success_fraction, self.design.margin_ratio
        if self.is_paired:
            best = best_stake_ratio(pair_chances(success, ratio, self.plan.correlation_fraction), margin)
        else:
            best = two_sample_stake_ratio(success, ratio, margin)
        return planned_stakes(way * best / wider, 1.0 / wider)


def _plain(values: Floats, unit: Codes | None) -> ArmOutcomes:
    return ArmOutcomes(values, np.zeros(len(values)), np.ones(len(values)), unit)


def unit_widening(unit: Codes | None) -> float:
    """By how much sums of units spread more than as many single requests, as planned (Kish's design effect)."""
    if unit is None or not len(unit):
        return 1.0
    sizes = np.bincount(unit).astype(float)
    return 1.0 + (float((sizes**2).sum() / sizes.sum()) - 1.0) * WITHIN_UNIT_FRACTION


def _mean(fractions: Floats) -> float:
    return float(fractions.mean()) if len(fractions) else 1.0
