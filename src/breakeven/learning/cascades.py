"""Cascades: a cheap model answers first, and what a check of its answer flags goes to the reference model.

Answers carry the signal that prompts lack. A check is an answer's validators, the agreement of a second cheap model, or
a scorer's confidence in the answer. Every request pays the first model and its check; escalated ones pay the last model
too. Which requests the last model answers is measured on rows where both were tried: independence is never assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import LearningError
from breakeven.learning.frontier import Sweep
from breakeven.learning.group_rates import fit_group_rates
from breakeven.learning.scorer import cross_fitted, fit_scorer
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable
from breakeven.routing.answers import COMPARISONS, same_answer
from breakeven.routing.policy_document import CascadePlan
from breakeven.routing.scorer import Scorer
from breakeven.routing.validators import ANSWER_MAX_COUNT, Validator, check_answer

Flags = npt.NDArray[np.bool_]

ANSWERS_MIN_COUNT: Final = 50
"""Fewer answers kept than this say nothing of a check."""
CONFIDENT_MIN_COUNT: Final = 300
"""Answers from which a scorer of answers is fitted."""
CONFIDENT_MODELS_COUNT: Final = 2
"""Models for which one is fitted: it takes time."""
FOLDS_COUNT: Final = 4


@dataclass(frozen=True, slots=True)
class Cascade:
    """A first model, a check, and the reference model behind it, on the rows of one table."""

    plan: CascadePlan
    first: int
    last: int
    checker: int | None
    """Column of the model that is asked too, where agreement is the check."""
    trust: Floats
    """How much the check trusts each first answer, shape (requests,): 0 or 1 of a check that says yes or no, NaN where
    no answer was kept."""

    @property
    def name(self) -> str:
        """What it is, for a reader: the words of its plan."""
        return cascade_words(self.plan)

    def choices(self, trust_min_fraction: float) -> Indexes:
        """The model whose answer each request is given."""
        return np.where(self.trust >= trust_min_fraction, self.first, self.last)

    def sweep(self, thresholds: Floats) -> Sweep:
        """The cascade at each threshold, the most suspicious first."""
        settings = np.sort(np.asarray(thresholds, dtype=float))[::-1]
        return Sweep(settings, np.stack([self.choices(each) for each in settings]))

    def cost_usd(self, choices: Indexes, cost_usd: Floats, check_usd_per_request: float = 0.0) -> Floats:
        """What each request costs: the first model and its check always, the last model where it is asked."""
        asked = cost_usd[:, self.first] + check_usd_per_request
        if self.checker is not None:
            asked = asked + cost_usd[:, self.checker]
        return np.asarray(asked + np.where(choices == self.last, cost_usd[:, self.last], 0.0))


@dataclass(frozen=True, slots=True)
class CascadeFigures:
    """A cascade at one threshold, and a mix without a look at content that costs the same."""

    usd_per_request: float
    success_fraction: float
    escalated_fraction: float
    mix_success_fraction: float
    """Of first and last model drawn by lot at the same cost; the control that a check must beat."""

    @property
    def usd_per_success(self) -> float:
        """Cost of one success; infinite where nothing succeeds."""
        return self.usd_per_request / self.success_fraction if self.success_fraction > 0 else float("inf")


def cascade_words(plan: CascadePlan) -> str:
    """A plan in one line.

    >>> cascade_words(CascadePlan(("small", "big"), agreement_model="other", agreement="number"))
    'small, checked by agreement with other (number), else big'
    """
    checks = []
    if plan.checks_by_task:
        checks.append("validators")
    if plan.agreement_model is not None:
        checks.append(f"agreement with {plan.agreement_model} ({plan.agreement})")
    if plan.confidence_min_fraction is not None:
        checks.append("confidence in the answer")
    return f"{plan.order[0]}, checked by {' and '.join(checks) or 'nothing'}, else {plan.order[-1]}"


def agreement_cascades(table: OutcomeTable, reference: int) -> Iterator[Cascade]:
    """Every pair of cheaper models whose answers the table holds: one answers, the other must say the same.

    How answers are compared (words, last number, label, JSON) is what separates right from wrong first answers best on
    these rows: use training rows.
    """
    for first, checker in _pairs(table, reference):
        mine, other = table.responses[table.models[first]], table.responses[table.models[checker]]
        right = table.success[:, first]
        kept = np.array([bool(a and b) for a, b in zip(mine, other, strict=True)])
        if (kept & np.isfinite(right)).sum() < ANSWERS_MIN_COUNT:
            continue
        agreements = {each: _agreement(mine, other, each) for each in COMPARISONS}
        best = max(COMPARISONS, key=lambda each: _separation(agreements[each], right, kept))
        plan = CascadePlan(
            (table.models[first], table.models[reference]), agreement_model=table.models[checker], agreement=best
        )
        yield Cascade(plan, first, reference, checker, np.where(kept, agreements[best], np.nan))


def validator_cascades(
    table: OutcomeTable,
    reference: int,
    declarations: Mapping[str, Mapping[str, object]],
    checks: Mapping[str, Sequence[Validator]],
) -> Iterator[Cascade]:
    """Each cheaper model whose answers the table holds, checked by the validators that are declared for its tasks."""
    for first in _answering(table, reference):
        answers = table.responses[table.models[first]]
        kept = np.array([bool(each) for each in answers])
        if kept.sum() < ANSWERS_MIN_COUNT:
            continue
        passed = np.array(
            [
                bool(answer) and check_answer(checks.get(task, checks.get("", ())), answer).ok
                for task, answer in zip(table.tasks, answers, strict=True)
            ]
        )
        plan = CascadePlan((table.models[first], table.models[reference]), checks_by_task=declarations)
        yield Cascade(plan, first, reference, None, np.where(kept, passed, np.nan).astype(float))


@dataclass(frozen=True, slots=True)
class ConfidentCascade:
    """A cascade that trusts an answer as far as a scorer of answers does, on both sides of a split."""

    train: Cascade
    calibration: Cascade
    scorer: Scorer


def confidence_cascades(
    train: OutcomeTable, calibration: OutcomeTable, reference: int, seed: int
) -> Iterator[ConfidentCascade]:
    """The most successful cheaper models whose answers were kept, each checked by the words of its answer.

    Trust on the training rows is predicted by scorers that did not see them.
    """
    rates = fit_group_rates(train)
    answering = sorted(_answering(train, reference), key=lambda at: -_mean(train.success[:, at]))
    for first in answering[:CONFIDENT_MODELS_COUNT]:
        name = train.models[first]
        sides = [replace(each, prompts=each.responses.get(name, ())) for each in (train, calibration)]
        if not sides[1].prompts or sum(map(bool, sides[0].prompts)) < CONFIDENT_MIN_COUNT:
            continue
        fitted = fit_scorer(sides[0], rates, seed, for_new=False)
        trust = (cross_fitted(sides[0], FOLDS_COUNT, seed, "scorer"), fitted.predict(sides[1]))
        plan = CascadePlan((name, train.models[reference]), confidence_min_fraction=0.5)
        found = [
            Cascade(plan, first, reference, None, np.where([bool(text.strip()) for text in side.prompts], told, np.nan))
            for side, told in zip(sides, (each[:, first] for each in trust), strict=True)
        ]
        yield ConfidentCascade(found[0], found[1], fitted.scorer)


def applied(
    plan: CascadePlan,
    table: OutcomeTable,
    checks: Mapping[str, Sequence[Validator]],
    confidence: Callable[[str, str], float] | None = None,
) -> Cascade:
    """A plan on the rows of another table; LearningError where its answers were not kept.

    `confidence` says how far an answer to a task is trusted, (answer, task); needed where the plan asks for it.
    """
    names = [plan.order[0], plan.order[-1], *([plan.agreement_model] if plan.agreement_model else [])]
    if absent := [each for each in names if each not in table.models]:
        raise LearningError(f"the cascade asks {', '.join(absent)}, which these outcomes do not know")
    looked_at = [plan.order[0], *([plan.agreement_model] if plan.agreement_model else [])]
    if untold := [each for each in looked_at if each not in table.responses]:
        raise LearningError(
            f"the cascade looks at the answers of {' and '.join(untold)}, which these outcomes do not hold; add a "
            "column `response`"
        )
    answers = table.responses[plan.order[0]]
    kept = np.array([bool(each) for each in answers])
    asked = checks if plan.checks_by_task else {}  # without any, what is too long to be checked still fails
    trusted = kept & [
        len(plan.order_of(task)) > 1 and check_answer(asked.get(task, asked.get("", ())), answer).ok
        for task, answer in zip(table.tasks, answers, strict=True)
    ]
    checker = None
    if plan.agreement_model is not None:
        checker = table.models.index(plan.agreement_model)
        trusted &= _agreement(answers, table.responses[plan.agreement_model], plan.agreement)
    if plan.confidence_min_fraction is not None and confidence is not None:
        told = np.array([confidence(answer, task) for answer, task in zip(answers, table.tasks, strict=True)])
        trusted = trusted & (told >= np.array([plan.confidence_of(task) for task in table.tasks], dtype=float))
    first, last = table.models.index(plan.order[0]), table.models.index(plan.order[-1])
    return Cascade(plan, first, last, checker, np.where(kept, trusted, np.nan).astype(float))


def figures(
    cascade: Cascade, choices: Indexes, success: Floats, cost_usd: Floats, check_usd_per_request: float = 0.0
) -> CascadeFigures:
    """A cascade's cost and success on rows where both models were tried.

    >>> from breakeven.routing.policy_document import CascadePlan
    >>> sure = Cascade(CascadePlan(("small", "big")), 0, 1, None, np.array([1.0, 0.0]))
    >>> found = figures(sure, sure.choices(0.5), np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 10.0]] * 2))
    >>> found.usd_per_request, found.success_fraction, found.escalated_fraction, round(found.mix_success_fraction, 3)
    (6.0, 1.0, 0.5, 0.778)
    """
    rows = np.arange(len(choices))
    cost = float(cascade.cost_usd(choices, cost_usd, check_usd_per_request).mean())
    cheap, dear = (float(cost_usd[:, each].mean()) for each in (cascade.first, cascade.last))
    low, high = (float(success[:, each].mean()) for each in (cascade.first, cascade.last))
    part = min(max((cost - cheap) / (dear - cheap), 0.0), 1.0) if dear > cheap else 1.0
    return CascadeFigures(
        cost,
        float(success[rows, choices].mean()),
        float((choices == cascade.last).mean()),
        low + part * (high - low),
    )


def _pairs(table: OutcomeTable, reference: int) -> Iterator[tuple[int, int]]:
    answering = _answering(table, reference)
    for first in answering:
        for checker in answering:
            if checker != first:
                yield first, checker


def _answering(table: OutcomeTable, reference: int) -> list[int]:
    """Models that cost less than the reference and whose answers were kept."""
    means = np.array([_mean(table.cost_usd[:, at]) for at in range(len(table.models))])
    return [
        at
        for at, name in enumerate(table.models)
        if at != reference and name in table.responses and not means[at] >= means[reference]
    ]


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _agreement(mine: Sequence[str], other: Sequence[str], comparison: str) -> Flags:
    """As a gateway finds it: nobody looks at an answer that is too long to be checked."""
    return np.array(
        [len(a) <= ANSWER_MAX_COUNT and same_answer(a, b, comparison) for a, b in zip(mine, other, strict=True)],
        dtype=np.bool_,
    )


def _separation(agrees: Flags, right: Floats, kept: Flags) -> float:
    """How much more often an accepted answer is right than a flagged one (Youden's index of the check)."""
    known = kept & np.isfinite(right)
    good, bad = right[known], 1 - right[known]
    if good.sum() <= 0 or bad.sum() <= 0:
        return 0.0
    return float((agrees[known] * good).sum() / good.sum() - (agrees[known] * bad).sum() / bad.sum())
