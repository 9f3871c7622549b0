"""Judgement: what was learnt, judged on the calibration requests: its savings, and whether to route at all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from breakeven.learning.evaluation import Evaluation, evaluate
from breakeven.learning.learn import Learnt, failure_usd
from breakeven.learning.limits import barred_models, mixes_within
from breakeven.learning.quality_floor import FloorChoice
from breakeven.learning.resampling import RESAMPLES_COUNT
from breakeven.learning.savings import Charges
from breakeven.learning.task_floors import below_some_floor
from breakeven.learning.verdict import Verdict, verdict
from breakeven.outcomes.outcome import Floats, Indexes
from breakeven.routing.policy_document import Guarantee, TaskFloor

ALONE_METHOD = "paired bootstrap, all ways compared at once"
REFERENCE_METHOD = "the reference model itself answers"

BY_GOLD = ", on careful labels"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A policy on requests that it was not learnt from."""

    choices: Indexes
    """The model whose answer each calibration request is given."""
    cost_usd: Floats
    """What each costs, shape (requests,)."""
    evaluation: Evaluation
    verdict: Verdict
    guarantee: Guarantee

    @property
    def single(self) -> str | None:
        """The one model to use, where the verdict is not to route."""
        return self.verdict.model


def judge_learnt(learnt: Learnt, charges: Charges | None = None, resamples_count: int = RESAMPLES_COUNT) -> Judgement:
    """Judge the calibrated policy. Its floor is proven by calibration; whether it is worth having is asked here.

    The setting was chosen on the same requests: a figure free of that comes from `evaluate` on others.
    """
    table, settings = learnt.calibration, learnt.settings
    reference = table.models.index(learnt.reference)
    family, at = learnt.draft.family, learnt.floor.at
    rows = np.arange(table.requests_count)
    if learnt.task_floors:
        choices, cost = learnt.choices(family.calibration)
    elif at is None:
        choices = np.full(table.requests_count, reference, dtype=np.intp)
        cost = table.cost_usd[rows, choices]
    else:
        choices, cost = family.calibration.sweep.choices[at], family.calibration.cost_usd[at]
    evaluation = evaluate(
        table,
        None if family.kind == "cascade" else learnt.calibration_scores,  # a cascade has no curve over prompts
        choices,
        training=learnt.train,
        strong=learnt.reference,
        incumbent=settings.incumbent,
        charges=charges,
        seed=settings.seed,
        resamples_count=resamples_count,
        paid_usd=cost,
    )
    tried = {} if learnt.moves_nothing else {learnt.draft.family.name: choices}
    passed = verdict(
        tried,
        table.success,
        table.cost_usd,
        table.models,
        reference,
        settings.quality_floor_ratio,
        failure_usd(table, settings) if settings.failure_usd else None,
        frozenset(tried),
        resamples_count,
        settings.seed,
        {name: cost + _charged(charges) for name in tried},
        _barred(learnt, reference),
        mixes_within(table.models, settings.limits.capacity_fraction),
    )
    if learnt.judge is not None and learnt.judge.is_alone:
        passed = _by_a_judge_alone(passed, learnt)
    return Judgement(choices, cost, evaluation, passed, _guarantee(learnt, passed))


def _barred(learnt: Learnt, reference: int) -> frozenset[int]:
    """Models that may not take everything alone: by capacity or budget, and any but the reference by a judge's word."""
    table, limits = learnt.calibration, learnt.settings.limits
    if learnt.judge is not None and learnt.judge.is_alone:
        return frozenset(range(len(table.models))) - {reference}
    below = below_some_floor(table, reference, learnt.settings.floors) if learnt.task_floors else frozenset()
    return below | (barred_models(table, limits, learnt.answering) if limits else frozenset())


def _by_a_judge_alone(passed: Verdict, learnt: Learnt) -> Verdict:
    """The verdict where nothing but a judge's word speaks for leaving the reference model."""
    assert learnt.judge is not None
    return replace(
        passed,
        answer="not enough evidence",
        sentence=f"Not enough evidence to route, stay with {learnt.reference}: {learnt.judge.why_alone}.",
        missing_requests_count=learnt.floor.missing_requests_count,
    )


def _charged(charges: Charges | None) -> float:
    return 0.0 if charges is None else charges.total_usd_per_request


def _guarantee(learnt: Learnt, passed: Verdict) -> Guarantee:
    """Of the calibrated setting, or of the one model that the verdict names."""
    calibrated = learnt.floor.guarantee(learnt.reference)
    if learnt.task_floors:
        by_task = tuple(_task_floor(task, each, passed) for task, each in sorted(learnt.task_floors.items()))
        calibrated = replace(calibrated, confidence_fraction=learnt.settings.confidence_fraction, by_task=by_task)
    if learnt.judge is not None and not learnt.judge.is_alone:
        calibrated = replace(calibrated, method=f"{calibrated.method}{BY_GOLD}")
    if passed.model is None:
        return calibrated
    if passed.model == learnt.reference:
        return replace(calibrated, holds=True, method=REFERENCE_METHOD)
    by = BY_GOLD if learnt.judge is not None else ""
    return replace(
        calibrated, holds=True, method=f"{ALONE_METHOD}{by}", missing_requests_count=passed.missing_requests_count
    )


def _task_floor(task: str, choice: FloorChoice, passed: Verdict) -> TaskFloor:
    """The promise about one task; one model for everything was tried against every floor, or is the reference."""
    alone = passed.model is not None
    return TaskFloor(
        task,
        choice.quality_floor_ratio,
        choice.calibration_requests_count,
        alone or choice.holds,
        None if alone else choice.missing_requests_count,
    )
