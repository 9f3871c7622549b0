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

from breakeven.errors import LearningError
from breakeven.learning.cascades import agreement_cascades, applied, confidence_cascades, validator_cascades
from breakeven.learning.families import (
    NEVER_USD,
    Capacities,
    Family,
    Judged,
    Side,
    allocation,
    boldest,
    cascade,
    router,
)
from breakeven.learning.frontier import most_successful
from breakeven.learning.group_costs import GroupCosts, fit_group_costs
from breakeven.learning.group_rates import GroupRates, fit_group_rates, paths_of
from breakeven.learning.isotonic import StepsTrial, calibrated
from breakeven.learning.judged_labels import JudgeAccount, judge_account, judged_parts, not_promised
from breakeven.learning.nested import FOLDS_COUNT, Promotion, scorer_pays, unseen_pays
from breakeven.learning.quality_floor import FloorChoice, choose, expected
from breakeven.learning.scorer import cross_fitted, fit_scorer
from breakeven.learning.splits import mixed_folds, splits
from breakeven.learning.task_floors import OTHERS, Floors, choices_by_part, chosen_by_part
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable
from breakeven.routing.scorer import Scorer
from breakeven.routing.validators import validators_of

Flags = npt.NDArray[np.bool_]

CALIBRATION_FRACTION: Final = 0.25
CALIBRATION_MIN_COUNT: Final = 300
"""Requests that calibration gets before a quarter of all is more, up to half of them."""
TRIED_MIN_FRACTION: Final = 0.5
"""A model tried on fewer of the requests is left out."""
REQUESTS_MIN_COUNT: Final = 20
_NOT_ASKED: Final = Promotion(None, None, None, False, "no scorer is used")


@dataclass(frozen=True, slots=True)
class LearnSettings:
    """What the user asks for."""

    quality_floor_ratio: float = 0.95
    """Of the reference model's success."""
    confidence_fraction: float = 0.95
    floor_by_task: Mapping[str, float] = field(default_factory=dict)
    """Task -> a floor of its own; the other tasks keep the one above together."""
    reference: str | None = None
    """The model against which the floor is kept; the incumbent, else the most successful one."""
    incumbent: str | None = None
    """The model in use today."""
    failure_usd: Mapping[str, float] = field(default_factory=dict)
    """Task -> what one failed answer costs; "" for all other tasks."""
    limits: Capacities = field(default_factory=Capacities)
    allowed_by_task: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Task -> the only models that may take it (residency)."""
    latency_max_s: float | None = None
    """Models whose 95 % quantile of latency is longer are left out of a group."""
    validators: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Task -> declaration of the checks of its answers."""
    check_usd_per_request: float = 0.0
    """Cost of one check of an answer (a judge model, a test run)."""
    keeps_rows: bool = False
    """True: a scorer may hold training rows, to compare prompts with."""
    seed: int = 0

    @property
    def floors(self) -> Floors:
        """The floors of all parts."""
        return Floors(self.quality_floor_ratio, self.floor_by_task, self.confidence_fraction, self.seed)

    def failure_usd_of(self, task: str) -> float:
        """What a failed answer to a task costs; 0 where nothing is stated."""
        return self.failure_usd.get(task, self.failure_usd.get("", 0.0))


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

    def choices(self, side: Side) -> Indexes:
        """The model of each request of one of the family's sides, at the settings that were calibrated."""
        at = {OTHERS: self.floor.at, **{task: each.at for task, each in self.task_floors.items()}}
        return choices_by_part(side, at, self.train.models.index(self.reference), self.settings.floors)


def learn(table: OutcomeTable, settings: LearnSettings, say: Callable[[str], None] = lambda _: None) -> Learnt:
    """Learn a policy from priced outcomes.

    Raises LearningError where there is nothing to choose between: fewer than two models, or hardly any request on
    which all were tried.
    """
    if settings.floor_by_task and settings.limits:
        raise LearningError(
            "floors by task and limits of capacity or budget cannot be had together: a task that stays where it is to "
            "keep its floor would take what the limits share out. Leave one of them out, or beside limits keep such a "
            "task on one model: --only TASK=MODEL"
        )
    usable, notes = usable_outcomes(table, settings)
    train, calibration, judge = _parts(usable, settings)
    at = _reference(train, settings)
    say("rates of groups")
    rates, costs = fit_group_rates(train), fit_group_costs(train)
    inner = mixed_folds(train, FOLDS_COUNT, settings.seed)
    allowed = allowed_models(train, settings)
    sides = [_Side(each, costs, settings, allowed) for each in (train, calibration)]
    group_scores = (cross_fitted(train, inner, settings.seed, "groups"), rates.rates(paths_of(calibration)))
    proposals: list[tuple[Family, Scorer | None]] = []
    name = "rates of groups"
    proposals.append((_family("task_map", name, sides, group_scores, settings), None))
    say("whether a scorer of prompts beats its group")
    promotion, unseen = scorer_pays(train, settings.seed, settings.keeps_rows), _NOT_ASKED
    scores, trials = group_scores, tuple[StepsTrial, ...]()
    if promotion.promoted and promotion.scores is not None:
        say("what carries over to tasks that were not seen")
        unseen = unseen_pays(train, settings.seed)
        say("a scorer of prompts")
        fitted = fit_scorer(train, rates, settings.seed, settings.keeps_rows)
        steps = calibrated(promotion.scores, train.success, inner, train.models)
        trials, fitted = steps.trials, replace(fitted, scorer=replace(fitted.scorer, calibration=steps.calibration))
        scores = (steps.scores, fitted.predict(calibration))
        family = _family("threshold", "a scorer of prompts", sides, scores, settings)
        proposals.append((abstaining(family, fitted.scorer, rates, at), fitted.scorer))
    say("checks of answers")
    proposals += _cascades(train, calibration, at, settings)
    notes = (*notes, *_cascades_left_out(train, settings))
    drafts = sorted(
        (_draft(family, scorer, at, settings) for family, scorer in proposals),
        key=lambda each: each.burden_usd_per_request,
    )
    say("the quality floor")
    floor, task_floors = _floor(drafts[0], at, settings), dict[str, FloorChoice]()
    if settings.floor_by_task:
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


def abstaining(family: Family, scorer: Scorer, rates: GroupRates, reference: int) -> Family:
    """The same with calibration requests too new to be judged, or without words, at the reference: as it will serve."""
    table = family.calibration.table
    abstains = np.array(
        [
            not prompt.strip() or bool(scorer.judge(prompt, rate).novel)
            for prompt, rate in zip(table.prompts, rates.rates(paths_of(table)), strict=True)
        ]
    )
    choices = np.where(abstains, reference, family.calibration.sweep.choices)
    cost = table.cost_usd[np.arange(table.requests_count)[None, :], choices]
    sweep = replace(family.calibration.sweep, choices=choices)
    return replace(family, calibration=replace(family.calibration, sweep=sweep, cost_usd=cost))


def usable_outcomes(table: OutcomeTable, settings: LearnSettings) -> tuple[OutcomeTable, tuple[str, ...]]:
    """Models that were tried on enough requests and whose cost is known, and the requests on which all of them were."""
    notes = []
    known = np.isfinite(table.success)
    kept = []
    for at, name in enumerate(table.models):
        tried_fraction = float(known[:, at].mean())
        if tried_fraction < TRIED_MIN_FRACTION:
            notes.append(f"{name} is left out: tried on {100 * tried_fraction:.0f} % of the requests")
        elif np.isnan(table.cost_usd[known[:, at], at]).all():
            notes.append(f"{name} is left out: unpriced; give a price with --price {name}=USD")
        else:
            kept.append(name)
    if len(kept) < 2:
        raise LearningError(
            f"{'one model' if kept else 'no model'} can be weighed ({'; '.join(notes) or ', '.join(table.models)}): "
            "routing chooses between two or more that were tried on the same requests and have a price"
        )
    for wanted in (settings.reference, settings.incumbent):
        if wanted is not None and wanted not in kept:
            raise LearningError(f"{wanted} is not among the models that can be weighed: {', '.join(kept)}")
    usable = table.of_models(tuple(kept))
    tried = np.isfinite(usable.success).all(axis=1)
    priced = np.isfinite(usable.cost_usd).all(axis=1)
    if not tried.all():
        notes.append(f"{int((~tried).sum()):,} requests are left out: not every model was tried on them")
    if (unpriced := int((tried & ~priced).sum())) > 0:
        notes.append(f"{unpriced:,} requests are left out: the cost of some call is not known")
    whole = np.flatnonzero(tried & priced)
    named = {*settings.floor_by_task, *settings.failure_usd, *settings.allowed_by_task, *settings.validators} - {
        "",
        *usable.tasks,
    }
    if named:
        raise LearningError(
            f"no request has the task {', '.join(sorted(named))}; the tasks are "
            f"{', '.join(sorted(set(usable.tasks))[:12]) or 'not named in these outcomes'}"
        )
    if len(whole) < REQUESTS_MIN_COUNT:
        raise LearningError(
            f"{len(whole)} requests on which {', '.join(kept)} were all tried; wanted {REQUESTS_MIN_COUNT} or more to "
            "learn from at all, and some hundreds to promise anything"
        )
    return usable.rows(whole), tuple(notes)


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


def allowed_models(train: OutcomeTable, settings: LearnSettings) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Groups that not every model may take, by residency and by latency; at least one model must be left."""
    if not settings.allowed_by_task and settings.latency_max_s is None:
        return {}
    for task, names in settings.allowed_by_task.items():
        if unknown := [each for each in names if each not in train.models]:
            raise LearningError(f"task {task!r} may go to {', '.join(unknown)}, which is no model of these outcomes")
    rows: dict[tuple[str, ...], list[int]] = {}
    for at, path in enumerate(paths_of(train)):
        rows.setdefault(path, []).append(at)
    found = {}
    for path, mine in rows.items():
        task = path[train.levels.index("task")] if "task" in train.levels else ""
        names = settings.allowed_by_task.get(task, train.models)
        quick = tuple(each for each in names if _is_quick(train, mine, each, settings.latency_max_s))
        if not quick:
            raise LearningError(
                f"no model may take {' / '.join(path) or 'the requests'}: of {', '.join(names)} none answers within "
                f"{settings.latency_max_s:g} s in 95 % of its calls; loosen the latency"
            )
        if len(quick) < len(train.models):
            found[path] = quick
    return found


def _is_quick(train: OutcomeTable, rows: list[int], model: str, most_s: float | None) -> bool:
    if most_s is None:
        return True
    if train.latency_s is None:
        raise LearningError("a limit of latency, and outcomes without any: add a column `latency_s`")
    known = train.latency_s[rows, train.models.index(model)]
    known = known[np.isfinite(known)]
    return bool(len(known)) and float(np.quantile(known, 0.95)) <= most_s


@dataclass(frozen=True, slots=True)
class _Side:
    """Some requests, and what a router may know of their costs."""

    table: OutcomeTable
    costs: GroupCosts
    settings: LearnSettings
    allowed: Mapping[tuple[str, ...], tuple[str, ...]]

    def judged(self, scores: Floats) -> Judged:
        paths = paths_of(self.table)
        usd = self.costs.usd(paths)
        for row, path in enumerate(paths):
            if (names := self.allowed.get(path)) is not None:
                usd[row] += [0.0 if each in names else NEVER_USD for each in self.table.models]
        return Judged(self.table, scores, usd, failure_usd(self.table, self.settings))


def _family(kind: Any, name: str, sides: list[_Side], scores: tuple[Floats, Floats], settings: LearnSettings) -> Family:
    train, calibration = (side.judged(each) for side, each in zip(sides, scores, strict=True))
    if settings.limits:
        return allocation(f"{name} under limits of capacity", train, calibration, settings.limits, settings.seed)
    return router(kind, name, train, calibration)


def _cascades_left_out(train: OutcomeTable, settings: LearnSettings) -> list[str]:
    """Why cascades are not weighed, although the outcomes hold answers to check."""
    asked = {
        "floors by task": bool(settings.floor_by_task),
        "limits of capacity or budget": bool(settings.limits),
        "models named for tasks": bool(settings.allowed_by_task),
        "a longest latency": settings.latency_max_s is not None,
    }
    said = ", ".join(each for each, is_asked in asked.items() if is_asked)
    return [f"Cascades are not weighed beside {said}"] if said and train.responses else []


def _cascades(
    train: OutcomeTable, calibration: OutcomeTable, reference: int, settings: LearnSettings
) -> list[tuple[Family, Scorer | None]]:
    """Cascades are not weighed where capacity is finite (they ask two models for one answer), nor with task floors."""
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


def _reference(train: OutcomeTable, settings: LearnSettings) -> int:
    name = settings.reference or settings.incumbent
    return most_successful(train.success) if name is None else train.models.index(name)


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
