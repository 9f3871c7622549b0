"""Routing document: what `learn` found, as JSON: verdict first, then the floor, the figures, the tasks, the sources.

The page on a terminal, the chart and `--json` show this document and nothing else.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from breakeven.learning.baselines import pair_of
from breakeven.learning.evaluation_document import EvaluationDocument, VerdictPart, evaluation_document
from breakeven.learning.examples import Example, examples_of
from breakeven.learning.frontier import curve
from breakeven.learning.isotonic import StepsTrial
from breakeven.learning.judged_labels import JudgeAccount
from breakeven.learning.judgement import Judgement
from breakeven.learning.learn import Learnt
from breakeven.learning.pricing import ModelPrice
from breakeven.learning.quality_floor import FloorChoice
from breakeven.learning.task_floors import Mask
from breakeven.reports.routing_evidence import CalibrationPart, TaskPart, calibration_of, tasks_of
from breakeven.routing.policy_document import GroupChoice, PolicyDocument

SCHEMA_VERSION: Final = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SplitPart(_Part):
    """Which requests were for what."""

    learnt_from_requests: int
    calibration_requests: int
    seed: int


class TaskFloorPart(_Part):
    """The promise about a task with a floor of its own."""

    task: str
    quality_floor_ratio: float
    holds: bool
    calibration_requests: int
    moved_fraction: float
    """Of the task's requests."""
    success_ratio: float | None
    """As measured, of the reference's success."""
    missing_requests: int | None
    sentence: str


class FloorPart(_Part):
    """The promise, and whether the evidence bears it."""

    quality_floor_ratio: float
    against_model: str
    confidence: float
    holds: bool
    method: str
    moved_fraction: float
    """Of the requests: they leave the reference model."""
    success_ratio: float | None
    """As measured, of the reference's success."""
    missing_requests: int | None
    sentence: str
    by_task: list[TaskFloorPart] = []
    """Tasks with a floor of their own: the rest of this is about all others, but for `moved_fraction`."""


class CorrectedPart(_Part):
    """A model's success by a judge, and without his errors."""

    model: str
    judged_fraction: float
    success_fraction: float
    low_fraction: float
    high_fraction: float
    gold_labels: int
    corrected_in_training: bool
    """Whether the labels learnt from were corrected too."""


class JudgePart(_Part):
    """What became of the labels of a judge model, or of agreement."""

    judged_answers: int
    answers: int
    gold_requests: int
    """With a careful label of every model."""
    is_alone: bool
    """True: too few of these; no floor is promised."""
    corrected: list[CorrectedPart]


class DraftPart(_Part):
    """A way to route that was weighed, by the requests learnt from."""

    name: str
    kind: str
    usd_per_request: float
    success_fraction: float
    failures_usd_per_request: float
    calibrated: bool


class StepsPart(_Part):
    """What isotonic calibration does to a model's scores, on folds that it was not fitted on."""

    model: str
    used: bool
    log_loss_before_ratio: float
    log_loss_after_ratio: float
    standard_error_ratio: float
    """Of the difference of the log losses."""
    brier_before_ratio: float
    brier_after_ratio: float


class ScorerPart(_Part):
    """Whether a scorer of prompts beats the groups."""

    used: bool
    gain_fraction: float | None
    """Mean success over all budgets, the scorer's less the groups'."""
    low_fraction: float | None
    high_fraction: float | None
    why: str
    steps: list[StepsPart] = []
    """Of each model's scores; empty where no scorer was tried, and in documents older than this field."""


class PricePart(_Part):
    """What a model's call costs, and who says so."""

    model: str
    usd_per_request: float | None
    input_usd_per_mtok: float | None
    output_usd_per_mtok: float | None
    by: str
    words: str


class GroupPart(_Part):
    """One group of requests."""

    group: dict[str, str]
    model: str
    requests: int
    success: dict[str, float]
    usd_per_request: dict[str, float]


class PointPart(_Part):
    """One setting of a router."""

    usd_per_request: float
    success_fraction: float


class ExamplePart(_Part):
    """One request near the line, or far from it."""

    request_id: str
    group: str
    prompt: str
    """Its beginning; empty where prompts are not kept."""
    model: str
    predicted: dict[str, float]


class PolicyPart(_Part):
    """The policy that was written."""

    folder: str | None
    kind: str
    hash: str | None
    default_model: str
    models: list[str]
    levels: list[str]
    holds_training_rows: bool
    scorer_used: bool


class LearnDocument(_Part):
    """What `breakeven learn` found."""

    schema_version: int = SCHEMA_VERSION
    outcomes: str
    made_by: str
    created: str
    verdict: VerdictPart
    policy: PolicyPart
    split: SplitPart
    floor: FloorPart
    scorer: ScorerPart
    drafts: list[DraftPart]
    evaluation: EvaluationDocument
    """On the calibration requests."""
    curves: dict[str, list[PointPart]]
    singles: dict[str, PointPart]
    groups: list[GroupPart]
    tasks: list[TaskPart] = []
    """The groups on the calibration requests; empty in documents older than this field."""
    calibration: list[CalibrationPart] = []
    """Predicted against observed success; as above."""
    examples: list[ExamplePart]
    prices: list[PricePart]
    notes: list[str]
    judge: JudgePart | None = None
    """None where no judge speaks."""


def learn_document(
    learnt: Learnt,
    judgement: Judgement,
    prices: tuple[ModelPrice, ...],
    policy: PolicyDocument,
    *,
    folder: str | None,
    policy_hash: str | None,
    notes: tuple[str, ...] = (),
) -> LearnDocument:
    """The document of what was learnt."""
    evaluation = evaluation_document(judgement.evaluation, judgement.verdict)
    assert evaluation.verdict is not None
    holds_rows = policy.scorer is not None and policy.scorer.holds_training_rows
    return LearnDocument(
        outcomes=learnt.train.label,
        made_by=policy.made_by,
        created=policy.created,
        verdict=evaluation.verdict,
        policy=PolicyPart(
            folder=folder,
            kind=policy.kind,
            hash=policy_hash,
            default_model=policy.default_model,
            models=list(policy.model_names),
            levels=list(policy.levels),
            holds_training_rows=holds_rows,
            scorer_used=policy.scorer is not None,
        ),
        split=SplitPart(
            learnt_from_requests=learnt.train.requests_count,
            calibration_requests=learnt.calibration.requests_count,
            seed=learnt.settings.seed,
        ),
        floor=_floor(learnt, judgement),
        scorer=ScorerPart(
            used=policy.kind == "threshold" and policy.scorer is not None,
            gain_fraction=learnt.promotion.gain_fraction,
            low_fraction=learnt.promotion.low_fraction,
            high_fraction=learnt.promotion.high_fraction,
            why=learnt.promotion.why,
            steps=[_steps(each) for each in learnt.steps],
        ),
        drafts=[
            DraftPart(
                name=each.family.name,
                kind=each.family.kind,
                usd_per_request=each.usd_per_request,
                success_fraction=each.success_fraction,
                failures_usd_per_request=each.failures_usd_per_request,
                calibrated=at == 0,
            )
            for at, each in enumerate(learnt.drafts)
        ],
        evaluation=evaluation,
        curves=_curves(learnt),
        singles={
            name: PointPart(
                usd_per_request=float(learnt.calibration.cost_usd[:, at].mean()),
                success_fraction=float(learnt.calibration.success[:, at].mean()),
            )
            for at, name in enumerate(learnt.calibration.models)
        },
        groups=[_group(each, policy) for each in policy.groups if len(each.path) == len(policy.levels)],
        tasks=tasks_of(learnt, judgement, policy),
        calibration=calibration_of(learnt),
        examples=[_example(each) for each in examples_of(learnt, judgement)],
        prices=[_price(each) for each in prices],
        notes=[*_stated(learnt), *learnt.notes, *evaluation.notes, *notes],
        judge=None if learnt.judge is None else _judge(learnt.judge),
    )


def as_json(document: LearnDocument) -> dict[str, Any]:
    """Plain values, in the order of the fields."""
    return document.model_dump(mode="json")


def _steps(trial: StepsTrial) -> StepsPart:
    return StepsPart(
        model=trial.model,
        used=trial.used,
        log_loss_before_ratio=trial.log_loss_before_ratio,
        log_loss_after_ratio=trial.log_loss_after_ratio,
        standard_error_ratio=trial.gain_error_ratio,
        brier_before_ratio=trial.brier_before_ratio,
        brier_after_ratio=trial.brier_after_ratio,
    )


def _judge(account: JudgeAccount) -> JudgePart:
    return JudgePart(
        judged_answers=account.judged_answers_count,
        answers=account.answers_count,
        gold_requests=account.gold_requests_count,
        is_alone=account.is_alone,
        corrected=[
            CorrectedPart(
                model=name,
                judged_fraction=rate.judged_fraction,
                success_fraction=rate.success_fraction,
                low_fraction=rate.low_fraction,
                high_fraction=rate.high_fraction,
                gold_labels=rate.gold_count,
                corrected_in_training=name in account.corrected_in_training,
            )
            for name, rate in account.corrected.items()
        ],
    )


def _stated(learnt: Learnt) -> list[str]:
    """What the user said that decides more than any price."""
    failure = learnt.settings.failure_usd
    if not any(failure.values()):
        return []
    told = ", ".join(f"{task or 'any other task'} {usd:g} USD" for task, usd in failure.items())
    return [
        f"failed answers are weighed with what was stated ({told}); the dearer they are, the less leaves the reference"
    ]


def _floor(learnt: Learnt, judgement: Judgement) -> FloorPart:
    floor, guarantee = learnt.floor, judgement.guarantee
    moved = judgement.choices != learnt.calibration.models.index(learnt.reference)
    return FloorPart(
        quality_floor_ratio=guarantee.quality_floor_ratio,
        against_model=guarantee.against_model,
        confidence=guarantee.confidence_fraction,
        holds=guarantee.holds,
        method=guarantee.method,
        moved_fraction=float(np.mean(moved)),
        success_ratio=floor.success_ratio,
        missing_requests=guarantee.missing_requests_count,
        sentence=_proof(floor, judgement, learnt.reference),
        by_task=[
            TaskFloorPart(
                task=each.task,
                quality_floor_ratio=each.quality_floor_ratio,
                holds=each.holds,
                calibration_requests=each.calibration_requests_count,
                moved_fraction=_moved(learnt, moved, each.task),
                success_ratio=learnt.task_floors[each.task].success_ratio,
                missing_requests=each.missing_requests_count,
                sentence=_proof(learnt.task_floors[each.task], judgement, learnt.reference),
            )
            for each in guarantee.by_task
        ],
    )


def _moved(learnt: Learnt, moved: Mask, task: str) -> float:
    mine = moved[learnt.settings.floors.rows(learnt.calibration, task)]
    return float(mine.mean()) if len(mine) else 0.0


def _proof(floor: FloorChoice, judgement: Judgement, reference: str) -> str:
    if judgement.single is not None and judgement.single != reference:
        return f"{judgement.single} alone keeps the floor on the calibration requests beyond doubt"
    if floor.holds:
        return f"proven on {floor.calibration_requests_count:,} requests: {floor.why}"
    return f"nothing could be proven: {floor.why}"


def _curves(learnt: Learnt) -> dict[str, list[PointPart]]:
    table = learnt.calibration
    expected = learnt.train.cost_usd.mean(axis=0)
    strong = pair_of(table.success, expected, table.models.index(learnt.reference)).strong
    found = {}
    for name, scores in (("policy", learnt.calibration_scores), ("oracle", table.success)):
        drawn = curve(scores, table.success, table.cost_usd, expected, strong)
        found[name] = [
            PointPart(usd_per_request=float(usd), success_fraction=float(success))
            for usd, success in zip(drawn.cost_per_request, drawn.success_fraction, strict=True)
        ]
    return found


def _group(each: GroupChoice, policy: PolicyDocument) -> GroupPart:
    return GroupPart(
        group=dict(zip(policy.levels, each.path, strict=False)),
        model=each.model,
        requests=each.tries_count,
        success=dict(each.success_fractions),
        usd_per_request=dict(each.usd_per_request),
    )


def _example(each: Example) -> ExamplePart:
    return ExamplePart(
        request_id=each.request_id,
        group=each.group,
        prompt=each.prompt,
        model=each.model,
        predicted=dict(each.predicted),
    )


def _price(each: ModelPrice) -> PricePart:
    return PricePart(
        model=each.model.name,
        usd_per_request=each.model.usd_per_request,
        input_usd_per_mtok=each.model.input_usd_per_mtok,
        output_usd_per_mtok=each.model.output_usd_per_mtok,
        by=each.by,
        words=each.words,
    )
