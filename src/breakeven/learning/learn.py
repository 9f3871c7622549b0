"""Learn: from outcomes to a policy that keeps a quality floor, or to the answer that there is none worth having.

The requests are split once: most are learnt from, the others calibrate. What is learnt from them (group rates, a scorer
where it beats the groups, checks of answers) proposes families of policies; the family that would be cheapest at the
floor, by predictions that did not see their outcomes, goes to the calibration requests, where its boldest setting that
provably keeps the floor is taken. The verdict is passed on those requests too, and may be: do not route.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from breakeven.learning.as_allowed import both_as_allowed, may_take, stand_ins
from breakeven.learning.cascades import agreement_cascades, applied, confidence_cascades, validator_cascades
from breakeven.learning.families import (
    NEVER_USD,
    Family,
    Judged,
    Side,
    allocation,
    boldest,
    cascade,
    left_to,
    router,
)
from breakeven.learning.floors_within_limits import Asked, calibrated_within_limits
from breakeven.learning.frontier import most_successful
from breakeven.learning.group_costs import GroupCosts, fit_group_costs
from breakeven.learning.group_rates import GroupRates, Path, fit_group_rates, paths_of
from breakeven.learning.isotonic import StepsTrial, calibrated
from breakeven.learning.judged_labels import JudgeAccount, judge_account, judged_parts, not_promised
from breakeven.learning.nested import FOLDS_COUNT, Promotion, scorer_pays, unseen_pays
from breakeven.learning.quality_floor import FloorChoice, choose, expected
from breakeven.learning.scorer import cross_fitted, fit_scorer
from breakeven.learning.settings import LearnSettings
from breakeven.learning.splits import mixed_folds, splits
from breakeven.learning.task_floors import OTHERS, choices_by_part, chosen_by_part
from breakeven.learning.usable import allowed_models, usable_outcomes
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable
from breakeven.routing.scorer import Scorer
from breakeven.routing.validators import validators_of

Flags = npt.NDArray[np.bool_]

CALIBRATION_FRACTION: Final = 0.25
CALIBRATION_MIN_COUNT: Final = 300
"""Requests that calibration gets before a quarter of all is more, up to half of them."""
_NOT_ASKED: Final = Promotion(None, None, None, False, "no scorer is used")


@dataclass(frozen=True, slots=True)
class Draft:
    """A family and how it did on the requests learnt from."""

    family: Family
    at: int
    """Boldest setting that keeps the floor there."""
    usd_per_request: float
    success_fraction: float
    failures_usd_per_request: float
    """Stated cost of its failures."""
    scorer: Scorer | None = None

    @property
    def burden_usd_per_request(self) -> float:
        """Cost of a request and of its failures: by this drafts are compared."""
        return self.usd_per_request + self.failures_usd_per_request

    @property
    def usd_per_success(self) -> float:
        """Cost of a success there."""
        return self.usd_per_request / self.success_fraction if self.success_fraction > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class Learnt:
    """What came of it; `policy_writing.document_of` makes the policy file."""

    settings: LearnSettings
    reference: str
    train: OutcomeTable
    calibration: OutcomeTable
    rates: GroupRates
    costs: GroupCosts
    allowed: Mapping[tuple[str, ...], tuple[str, ...]]
    """Group -> the models that may take it; absent: all."""
    promotion: Promotion
    unseen: Promotion
    """Whether the scorer helps on tasks that it never saw; if not, they go to the reference model."""
    drafts: tuple[Draft, ...]
    """Cheapest at the floor first, by the requests learnt from."""
    floor: FloorChoice
    """Of the first draft; with floors by task that of the other tasks."""
    train_scores: Floats
    """Predicted success of the requests learnt from, by models that did not see their outcomes."""
    calibration_scores: Floats
    """Predicted success of the calibration requests."""
    notes: tuple[str, ...]
    judge: JudgeAccount | None = None
    """What became of a judge's labels; None where no judge speaks."""
    steps: tuple[StepsTrial, ...] = ()
    """Whether isotonic steps make a model's scores better; empty where no scorer is used."""
    task_floors: Mapping[str, FloorChoice] = field(default_factory=dict)
    """Task with a floor of its own -> its setting."""

    @property
    def draft(self) -> Draft:
        """The one that was calibrated."""
        return self.drafts[0]

    @property
    def moves_nothing(self) -> bool:
        """Whether no floor could be shown, so that all requests stay with the reference model."""
        return self.floor.at is None and all(each.at is None for each in self.task_floors.values())

    def choices(self, side: Side) -> tuple[Indexes, Floats]:
        """The model of each request of one of the family's sides at the settings that were calibrated, and its cost."""
        at = {OTHERS: self.floor.at, **{task: each.at for task, each in self.task_floors.items()}}
        return choices_by_part(side, at, self.train.models.index(self.reference), self.settings.floors)

    def answering(self, choices: Indexes) -> Indexes:
        """Who answers calibration requests: where the model that is chosen may not, its stand-in does."""
        if not self.allowed:
            return choices
        may = may_take(self.calibration, self.allowed, self.settings.allowed_by_task)
        at = stand_ins(may, self.rates.rates(paths_of(self.calibration)))
        return np.where(may[np.arange(len(choices)), choices], choices, at)


def learn(table: OutcomeTable, settings: LearnSettings, say: Callable[[str], None] = lambda _: None) -> Learnt:
    """Learn a policy from priced outcomes.

    Raises LearningError where there is nothing to choose between: fewer than two models, or hardly any request on
    which all were tried.
    """
    usable, notes = usable_outcomes(table, settings)
    train, calibration, judge = _parts(usable, settings)
    say("rates of groups")
    allowed, rates = allowed_models(train, settings), fit_group_rates(train)
    at = _reference(train, settings, allowed)
    if allowed:
        by_task = settings.allowed_by_task
        train, calibration, barred = both_as_allowed(train, calibration, rates, allowed, by_task)
        rates, notes = fit_group_rates(train), (*notes, *barred)
    costs = fit_group_costs(train)
    inner = mixed_folds(train, FOLDS_COUNT, settings.seed)
    sides = [_Side(each, costs, settings, allowed) for each in (train, calibration)]
    group_scores = (cross_fitted(train, inner, settings.seed, "groups"), rates.rates(paths_of(calibration)))
    proposals: list[tuple[Family, Scorer | None]] = []
    of_new = ~rates.known(paths_of(calibration))  # the reference takes them: that is how it will be served
    family = _family("task_map", "rates of groups", sides, group_scores, settings)
    proposals.append((left_to(family, at, of_new), None))
    say("whether a scorer of prompts beats its group")
    promotion, unseen = scorer_pays(train, settings.seed, settings.keeps_rows), _NOT_ASKED
    scores, trials = group_scores, tuple[StepsTrial, ...]()
    abstains = of_new
    if promotion.promoted and promotion.scores is not None:
        say("what carries over to tasks that were not seen")
        unseen = unseen_pays(train, settings.seed)
        say("a scorer of prompts")
        fitted = fit_scorer(train, rates, settings.seed, settings.keeps_rows, unseen.residual)
        steps = calibrated(promotion.scores, train.success, inner, train.models)
        trials, fitted = steps.trials, replace(fitted, scorer=replace(fitted.scorer, calibration=steps.calibration))
        scores = (steps.scores, fitted.predict(calibration))
        family = _family("threshold", "a scorer of prompts", sides, scores, settings)
        stay_if_new = bool(settings.floor_by_task) or not unseen.promoted
        abstains = _abstains(calibration, fitted.scorer, rates) | (of_new & stay_if_new)
        proposals.append((left_to(family, at, abstains), fitted.scorer))
    say("checks of answers")
    proposals += _cascades(train, calibration, at, settings)
    notes = (*notes, *_cascades_left_out(train, settings))
    drafts = sorted(
        (_draft(family, scorer, at, settings) for family, scorer in proposals),
        key=lambda each: each.burden_usd_per_request,
    )
    say("the quality floor")
    floor, task_floors = _floor(drafts[0], at, settings), dict[str, FloorChoice]()
    if settings.floor_by_task and settings.limits:
        is_scored = drafts[0].scorer is not None
        mine = scores if is_scored else group_scores
        asked = Asked(
            drafts[0].family.name,
            sides[0].judged(mine[0]),
            sides[1].judged(mine[1]),
            settings.limits,
            settings.floors,
            at,
            abstains if is_scored else of_new,
        )
        tried, task_floors = calibrated_within_limits(asked)
        drafts[0] = replace(drafts[0], family=tried or drafts[0].family)
        floor = task_floors.pop(OTHERS)
    elif settings.floor_by_task:
        task_floors = chosen_by_part(drafts[0].family, at, settings.floors)
        floor = task_floors.pop(OTHERS)
    if judge is not None and judge.is_alone:
        floor = not_promised(floor, judge)
        task_floors = {task: not_promised(each, judge) for task, each in task_floors.items()}
    return Learnt(
        settings,
        train.models[at],
        train,
        calibration,
        rates,
        costs,
        allowed,
        promotion,
        unseen,
        tuple(drafts),
        floor,
        *scores,
        notes,
        judge,
        trials,
        task_floors,
    )


def _parts(usable: OutcomeTable, settings: LearnSettings) -> tuple[OutcomeTable, OutcomeTable, JudgeAccount | None]:
    """Requests to learn from, requests to calibrate on, and what became of a judge's labels."""
    count = calibration_count(usable.requests_count)
    judge = judge_account(usable, settings.seed)
    if judge is not None and not judge.is_alone:
        parts = judged_parts(usable, judge, count, settings.seed)
        return parts.train, parts.calibration, parts.account
    fold = mixed_folds(usable, max(2, usable.requests_count // count), settings.seed)
    split = next(iter(splits(usable, fold)))
    return usable.rows(split.train), usable.rows(split.test), judge


def _abstains(table: OutcomeTable, scorer: Scorer, rates: GroupRates) -> Flags:
    """Requests too new to be judged, or without words: the reference model takes them."""
    every = zip(table.prompts, rates.rates(paths_of(table)), strict=True)
    return np.array([not prompt.strip() or bool(scorer.judge(prompt, rate).novel) for prompt, rate in every])


def calibration_count(requests_count: int) -> int:
    """Requests that are kept for calibration.

    >>> [calibration_count(each) for each in (100, 500, 1_000, 8_000)]
    [50, 250, 300, 2000]
    """
    wanted = max(CALIBRATION_FRACTION * requests_count, CALIBRATION_MIN_COUNT)
    return max(round(min(wanted, requests_count / 2)), 1)


def failure_usd(table: OutcomeTable, settings: LearnSettings) -> Floats:
    """What a failed answer to each request costs, by its task; 0 where nothing is stated."""
    return np.array([settings.failure_usd_of(task) for task in table.tasks], dtype=float)


@dataclass(frozen=True, slots=True)
class _Side:
    """Some requests, and what a router may know of their costs."""

    table: OutcomeTable
    costs: GroupCosts
    settings: LearnSettings
    allowed: Mapping[tuple[str, ...], tuple[str, ...]]

    def judged(self, scores: Floats) -> Judged:
        usd = self.costs.usd(paths_of(self.table))
        if self.allowed:  # whatever a success is worth, nobody gets what he may not take
            may = may_take(self.table, self.allowed, self.settings.allowed_by_task)
            scores, usd = np.where(may, scores, -1.0), np.where(may, usd, usd + NEVER_USD)
        return Judged(self.table, scores, usd, failure_usd(self.table, self.settings))


def _family(kind: Any, name: str, sides: list[_Side], scores: tuple[Floats, Floats], settings: LearnSettings) -> Family:
    train, calibration = (side.judged(each) for side, each in zip(sides, scores, strict=True))
    if settings.limits:
        return allocation(f"{name} under limits of capacity", train, calibration, settings.limits, settings.seed)
    return router(kind, name, train, calibration)


def _cascades_left_out(train: OutcomeTable, settings: LearnSettings) -> list[str]:
    """Why cascades are not weighed, although the outcomes hold answers to check."""
    asked = {
        "limits of capacity or budget": bool(settings.limits),
        "models named for tasks": bool(settings.allowed_by_task),
        "a longest latency": settings.latency_max_s is not None,
    }
    said = ", ".join(each for each, is_asked in asked.items() if is_asked)
    return [f"Cascades are not weighed beside {said}"] if said and train.responses else []


def _cascades(
    train: OutcomeTable, calibration: OutcomeTable, reference: int, settings: LearnSettings
) -> list[tuple[Family, Scorer | None]]:
    """Cascades are not weighed where capacity is finite: they ask two models for one answer."""
    if not train.responses or _cascades_left_out(train, settings):
        return []
    checks = {task: validators_of(each) for task, each in settings.validators.items()}
    plain = list(agreement_cascades(train, reference))
    if checks:
        plain += validator_cascades(train, reference, settings.validators, checks)
    sides, check_usd = (train, calibration), settings.check_usd_per_request
    found: list[tuple[Family, Scorer | None]] = [
        (cascade(each, applied(each.plan, calibration, checks), sides, check_usd), None) for each in plain
    ]
    for each in confidence_cascades(train, calibration, reference, settings.seed):
        found.append((cascade(each.train, each.calibration, sides, check_usd), each.scorer))
    return found


def _reference(train: OutcomeTable, settings: LearnSettings, allowed: Mapping[Path, tuple[str, ...]]) -> int:
    """The model that the floor is a part of: as named, else the most successful of those that may take any request."""
    name = settings.reference or settings.incumbent
    if name is not None:
        return train.models.index(name)
    may = may_take(train, allowed, settings.allowed_by_task).any(axis=0)
    return most_successful(np.where(may, train.success, -1.0))


def _draft(family: Family, scorer: Scorer | None, reference: int, settings: LearnSettings) -> Draft:
    at = boldest(family, reference, settings.quality_floor_ratio)
    table = family.train.table
    success = table.success[np.arange(table.requests_count), family.train.sweep.choices[at]]
    failures = float((failure_usd(table, settings) * (1 - success)).mean())
    return Draft(family, at, float(family.train.cost_usd[at].mean()), float(success.mean()), failures, scorer)


def _floor(draft: Draft, reference: int, settings: LearnSettings) -> FloorChoice:
    family, floor = draft.family, settings.quality_floor_ratio
    learnt = expected(family.train.sweep.choices, family.train.table.success, reference, floor)
    return choose(
        family.calibration.sweep,
        family.calibration.table.success,
        reference,
        floor,
        settings.confidence_fraction,
        settings.seed,
        learnt,
    )
