"""Evaluation document: an evaluation, and the verdict with it, as the JSON that `evaluate --json` prints.

`apgr`, `cpt50`, `cpt80`, `aiq`, `savings_at_95`, `savings_at_98`, `savings_at_100` stand at the top, each with `value`,
`low` and `high` (95 %); a value that cannot be told is null, and `why` says why.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from breakeven.learning.evaluation import Evaluation, ModelShare
from breakeven.learning.judged import Judged
from breakeven.learning.resampling import CONFIDENCE_FRACTION, Figure
from breakeven.learning.savings import Saving
from breakeven.learning.verdict import Standing, Verdict

SCHEMA_VERSION: Final = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FigurePart(_Part):
    """A number with its 95 % interval."""

    value: float | None
    low: float | None
    high: float | None
    why: str = ""
    """Why there is no value, or no interval."""


class JudgedPart(_Part):
    """A baseline, or the policy among them."""

    name: str
    what: str
    cost_per_request: FigurePart
    success: FigurePart
    strong_share: FigurePart
    apgr: FigurePart
    cpt50: FigurePart
    cpt80: FigurePart
    aiq: FigurePart
    savings_at_95: FigurePart
    savings_at_98: FigurePart
    savings_at_100: FigurePart
    success_at_policy_cost: FigurePart
    policy_leads_apgr: FigurePart
    policy_leads_aiq: FigurePart


class ModelPart(_Part):
    """A model under the policy, and alone."""

    model: str
    share_fraction: float | None
    alone_usd_per_request: float | None
    alone_success_fraction: float
    usd_per_request: FigurePart
    success: FigurePart


class SavingPart(_Part):
    """What the policy saves beside one way to do without it; negative where it costs more."""

    against: str
    model: str
    before_usd_per_request: float | None
    after_usd_per_request: float | None
    saved_usd_per_request: FigurePart
    saved_fraction: FigurePart
    success_change: FigurePart
    sentence: str


class StandingPart(_Part):
    """One way to serve the held-out requests."""

    name: str
    single_model: bool
    cost_per_request: FigurePart
    success: FigurePart
    keeps_floor: bool
    gain_per_request: FigurePart
    beats_best_single: bool
    lead_over_chance: FigurePart


class VerdictPart(_Part):
    """Route, do not route, or not enough evidence."""

    answer: Literal["route", "do not route", "not enough evidence"]
    sentence: str
    model: str | None
    router: str | None
    cheaper_model_will_do: bool
    missing_requests: int | None
    standings: list[StandingPart]


class EvaluationDocument(_Part):
    """A policy judged on outcomes that it was not learnt from."""

    schema_version: int = SCHEMA_VERSION
    outcomes: str
    requests: int
    untried_requests: int
    unpriced_requests: int
    cost_basis: Literal["usd", "strong_calls"]
    weak_model: str
    strong_model: str
    confidence: float = CONFIDENCE_FRACTION
    resamples: int
    seed: int
    apgr: FigurePart
    cpt50: FigurePart
    cpt80: FigurePart
    aiq: FigurePart
    savings_at_95: FigurePart
    savings_at_98: FigurePart
    savings_at_100: FigurePart
    usd_per_request: FigurePart
    success: FigurePart
    strong_share: FigurePart
    models: list[ModelPart]
    baselines: list[JudgedPart]
    savings: list[SavingPart]
    charges_usd_per_request: dict[str, float | None]
    verdict: VerdictPart | None
    notes: list[str]


def evaluation_document(evaluation: Evaluation, verdict: Verdict | None = None) -> EvaluationDocument:
    """The document of an evaluation."""
    policy = _judged(evaluation.policy)
    priced = evaluation.cost_basis == "usd"
    return EvaluationDocument(
        outcomes=evaluation.label,
        requests=evaluation.requests_count,
        untried_requests=evaluation.untried_requests_count,
        unpriced_requests=evaluation.unpriced_requests_count,
        cost_basis=evaluation.cost_basis,
        weak_model=evaluation.weak_model,
        strong_model=evaluation.strong_model,
        resamples=evaluation.resamples_count,
        seed=evaluation.seed,
        apgr=policy.apgr,
        cpt50=policy.cpt50,
        cpt80=policy.cpt80,
        aiq=policy.aiq,
        savings_at_95=policy.savings_at_95,
        savings_at_98=policy.savings_at_98,
        savings_at_100=policy.savings_at_100,
        usd_per_request=policy.cost_per_request if priced else _figure(Figure(None, why=_first_note(evaluation))),
        success=policy.success,
        strong_share=policy.strong_share,
        models=[_model(each) for each in evaluation.models],
        baselines=[_judged(each) for each in evaluation.baselines],
        savings=[_saving(each) for each in evaluation.savings],
        charges_usd_per_request=dict(evaluation.charges.items()),
        verdict=None if verdict is None else _verdict(verdict),
        notes=list(evaluation.notes),
    )


def as_json(document: EvaluationDocument) -> dict[str, Any]:
    """Plain values, in the order of the fields."""
    return document.model_dump(mode="json")


def _first_note(evaluation: Evaluation) -> str:
    return next((each for each in evaluation.notes if each.startswith("no money")), "no money")


def _figure(each: Figure) -> FigurePart:
    return FigurePart(value=each.value, low=each.low, high=each.high, why=each.why)


def _judged(each: Judged) -> JudgedPart:
    at_95, at_98, at_100 = (_figure(saved) for saved in each.savings_at)
    return JudgedPart(
        name=each.name,
        what=each.what,
        cost_per_request=_figure(each.cost_per_request),
        success=_figure(each.success_fraction),
        strong_share=_figure(each.strong_share),
        apgr=_figure(each.apgr),
        cpt50=_figure(each.cpt50),
        cpt80=_figure(each.cpt80),
        aiq=_figure(each.aiq),
        savings_at_95=at_95,
        savings_at_98=at_98,
        savings_at_100=at_100,
        success_at_policy_cost=_figure(each.success_at_policy_cost),
        policy_leads_apgr=_figure(each.policy_leads_apgr),
        policy_leads_aiq=_figure(each.policy_leads_aiq),
    )


def _model(each: ModelShare) -> ModelPart:
    return ModelPart(
        model=each.model,
        share_fraction=each.share_fraction,
        alone_usd_per_request=each.usd_per_request,
        alone_success_fraction=each.success_fraction,
        usd_per_request=_figure(each.usd_per_request_taken),
        success=_figure(each.success_taken),
    )


def _saving(each: Saving) -> SavingPart:
    return SavingPart(
        against=each.against,
        model=each.model,
        before_usd_per_request=each.before_usd_per_request,
        after_usd_per_request=each.after_usd_per_request,
        saved_usd_per_request=_figure(each.saved_usd_per_request),
        saved_fraction=_figure(each.saved_fraction),
        success_change=_figure(each.success_change_fraction),
        sentence=each.sentence,
    )


def _verdict(each: Verdict) -> VerdictPart:
    return VerdictPart(
        answer=each.answer,
        sentence=each.sentence,
        model=each.model,
        router=each.router,
        cheaper_model_will_do=each.cheaper_model_will_do,
        missing_requests=each.missing_requests_count,
        standings=[_standing(standing) for standing in each.standings],
    )


def _standing(each: Standing) -> StandingPart:
    return StandingPart(
        name=each.name,
        single_model=each.is_single,
        cost_per_request=_figure(each.cost_per_request),
        success=_figure(each.success_fraction),
        keeps_floor=each.keeps_floor,
        gain_per_request=_figure(each.gain_per_request),
        beats_best_single=each.beats_best_single,
        lead_over_chance=_figure(each.lead_over_chance),
    )
