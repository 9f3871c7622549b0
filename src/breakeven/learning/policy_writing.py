"""Policy writing: what was learnt as the document of a policy file, with the evidence that a reader asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from typing import Any

import numpy as np

from breakeven.learning.digits import plain_rounded
from breakeven.learning.drift import cheapest, drift_reference
from breakeven.learning.families import NEVER_USD, chosen_models
from breakeven.learning.group_rates import Path, group_name, paths_of, task_of
from breakeven.learning.group_shares import Shares, prompts_are_kept
from breakeven.learning.judgement import Judgement
from breakeven.learning.learn import Draft, Learnt
from breakeven.learning.limits import refuse_broken
from breakeven.learning.pricing import ModelPrice
from breakeven.outcomes.outcome import Floats, OutcomeTable
from breakeven.routing.policy_document import GroupChoice, PolicyDocument, PricedModel

NO_PRICES: Mapping[str, Floats] = {}

GROUPS_MAX_COUNT = 20_000
"""Groups written; a file with more groups than that groups by something like a request's id."""


def document_of(
    learnt: Learnt,
    prices: tuple[ModelPrice, ...],
    created: date,
    made_by: str,
    evidence: Mapping[str, Any],
    judgement: Judgement,
) -> PolicyDocument:
    """The policy: the calibrated setting, or the one model for everything where the verdict is not to route.

    Raises LearningError where that would pass a limit of capacity or the budget.
    """
    written = _written(learnt, prices, created, made_by, judgement)
    checked = {"check_usd_per_request": learnt.settings.check_usd_per_request}
    watched = {"drift_reference": asdict(_reference(learnt, written))}
    return replace(written, evidence=plain_rounded({**evidence, **checked, **watched}))


def _written(
    learnt: Learnt, prices: tuple[ModelPrice, ...], created: date, made_by: str, judgement: Judgement
) -> PolicyDocument:
    """The policy without what it rests on."""
    draft, at = learnt.draft, learnt.floor.at
    one = judgement.single or (learnt.reference if learnt.moves_nothing else _constant(learnt, draft))
    refuse_broken(learnt, one)
    priced = {each.model.name: each.model for each in prices}
    models = tuple(priced.get(name, PricedModel(name)) for name in learnt.train.models)
    base = PolicyDocument(
        kind="single",
        models=models,
        default_model=one or learnt.reference,
        incumbent_model=learnt.settings.incumbent,
        levels=learnt.train.levels,
        allowed_by_task=dict(learnt.settings.allowed_by_task),
        failure_usd_per_request=dict(learnt.settings.failure_usd),
        guarantee=judgement.guarantee,
        evidence={},
        created=created.isoformat(),
        made_by=made_by,
    )
    if one is not None:
        return replace(base, groups=_groups(learnt, np.inf, None, one))
    if learnt.task_floors and draft.family.kind == "cascade":
        return _cascade_by_part(base, learnt)
    if at is None or learnt.task_floors:
        return _by_part(base, learnt)
    value = float(draft.family.settings[at])
    if draft.family.kind == "cascade":
        return _cascade(base, draft, value, learnt)
    prices_usd = None if draft.family.capacity_usd is None else draft.family.capacity_usd[at]
    capacity = None if prices_usd is None else _named(learnt, prices_usd)
    shares = None if draft.family.shares is None else draft.family.shares[at]
    groups = _groups(learnt, value, prices_usd, None)
    return replace(
        base,
        kind=draft.family.kind,
        groups=groups if shares is None else _divided(groups, shares, prompts_are_kept(learnt.train)),
        value_usd_per_success=value if np.isfinite(value) else None,
        capacity_usd_per_request=capacity,
        scorer=draft.scorer,
    )


def _by_part(base: PolicyDocument, learnt: Learnt) -> PolicyDocument:
    """Each task with a floor of its own at its own setting; what could not be shown stays with the reference model."""
    family, at = learnt.draft.family, learnt.floor.at
    shown = {task: each.at for task, each in sorted(learnt.task_floors.items()) if each.at is not None}
    values = {task: float(family.settings[each]) for task, each in shown.items()}
    others = max(values.values()) if at is None else float(family.settings[at])
    written = replace(
        base,
        kind=family.kind,
        value_usd_per_success=others if np.isfinite(others) else None,
        value_usd_per_success_by_task=values,
        scorer=learnt.draft.scorer,
    )
    if family.capacity_usd is None or family.shares is None:
        return replace(written, groups=_groups(learnt, others, None, None))
    of_others = np.zeros(len(learnt.train.models)) if at is None else family.capacity_usd[at]
    by_task = {task: family.capacity_usd[each] for task, each in shown.items()}
    shares: dict[Path, Mapping[str, float]] = {}
    for each in (*shown.values(), *(() if at is None else (at,))):
        shares |= family.shares[each]  # a setting holds the groups of its own part alone
    groups = _groups(learnt, others, of_others, None, by_task)
    return replace(
        written,
        groups=_divided(groups, shares, prompts_are_kept(learnt.train)),
        capacity_usd_per_request=_named(learnt, of_others),
        capacity_usd_per_request_by_task={task: _named(learnt, each) for task, each in by_task.items()},
    )


def _named(learnt: Learnt, prices_usd: Floats) -> dict[str, float]:
    return dict(zip(learnt.train.models, map(float, prices_usd), strict=True))


def _cascade(base: PolicyDocument, draft: Draft, trust: float, learnt: Learnt) -> PolicyDocument:
    plan = draft.family.plan
    assert plan is not None
    if plan.confidence_min_fraction is not None:
        plan = replace(plan, confidence_min_fraction=trust)
    groups = _groups(learnt, np.inf, None, plan.order[0])
    return replace(base, kind="cascade", cascade=plan, groups=groups, scorer=draft.scorer)


def _cascade_by_part(base: PolicyDocument, learnt: Learnt) -> PolicyDocument:
    """The cascade with each part's own least confidence; a part that stays, and then what was not seen, asks no other
    model than the last."""
    plan, settings, at = learnt.draft.family.plan, learnt.draft.family.settings, learnt.floor.at
    assert plan is not None
    shown = {task: each.at for task, each in sorted(learnt.task_floors.items()) if each.at is not None}
    if plan.confidence_min_fraction is not None:
        least = {task: float(settings[each]) for task, each in shown.items()}
        others = max(least.values()) if at is None else float(settings[at])
        plan = replace(plan, confidence_min_fraction=others, confidence_min_fraction_by_task=least)
    known = sorted({*learnt.train.tasks, *learnt.calibration.tasks})
    last = (plan.order[-1],)
    if at is None or len(shown) < len(learnt.task_floors):
        order = {task: last if _stays(learnt, task, is_whole=True) else plan.order for task in known}
        plan = replace(plan, order_by_task={"": last, **order})
    groups = tuple(
        replace(each, model=last[0], why=_why(decided=True, stays=True))
        if len(each.path) == len(learnt.train.levels) and _stays(learnt, _task(learnt, each.path), is_whole=True)
        else each
        for each in _groups(learnt, np.inf, None, plan.order[0])
    )
    return replace(base, kind="cascade", cascade=plan, groups=groups, scorer=learnt.draft.scorer)


def _constant(learnt: Learnt, draft: Draft) -> str | None:
    """The one model that the settings choose for every request, if it is one."""
    sides = (draft.family.train, draft.family.calibration)
    chosen = np.unique(np.concatenate([learnt.choices(each)[0] for each in sides]))
    if len(chosen) > 1 or draft.family.kind == "cascade":
        return None
    return learnt.train.models[int(chosen[0])]


def _groups(
    learnt: Learnt, value: float, capacity: Floats | None, one: str | None, by_task: Mapping[str, Floats] = NO_PRICES
) -> tuple[GroupChoice, ...]:
    """Rates, costs and choice of each group; requests of a group that was not seen go to the reference model."""
    models, tries = learnt.train.models, _tries(learnt.train)
    paths: list[Path] = sorted(learnt.rates.node_of, key=lambda each: (len(each), each))[:GROUPS_MAX_COUNT]
    rates, usd = learnt.rates.rates(paths), learnt.costs.usd(paths)
    tasks = [_task(learnt, path) for path in paths]
    burden = usd if capacity is None else usd + np.array([by_task.get(each, capacity) for each in tasks])
    may_take = np.array([[each in learnt.allowed.get(path, models) for each in models] for path in paths])
    of_task = {
        task: float(learnt.draft.family.settings[each.at])
        for task, each in learnt.task_floors.items()
        if each.at is not None
    }
    worth = np.maximum([of_task.get(each, value) for each in tasks], [_failure(learnt, path) for path in paths])
    chosen = chosen_models(np.where(may_take, rates, -1.0), np.where(may_take, burden, burden + NEVER_USD), worth)
    found = []
    judges_new = learnt.unseen.promoted and learnt.draft.scorer is not None
    for row, path in enumerate(paths):
        is_whole = len(path) == len(learnt.train.levels)
        stays = one is None and _stays(learnt, tasks[row], is_whole)
        model = one or (models[int(chosen[row])] if is_whole and not stays else learnt.reference)
        if not may_take[row, models.index(model)]:
            model = models[int(chosen[row])]
        found.append(
            GroupChoice(
                path=path,
                model=model,
                success_fractions={name: float(each) for name, each in zip(models, rates[row], strict=True)},
                usd_per_request={name: float(each) for name, each in zip(models, usd[row], strict=True)},
                tries_count=tries.get(path, 0),
                why=_why(is_whole or one is not None, stays),
                allowed_models=learnt.allowed.get(path, ()),
                is_fallback=stays or (not is_whole and not judges_new),
            )
        )
    return tuple(found)


def _stays(learnt: Learnt, task: str, is_whole: bool) -> bool:
    """Whether requests of a task stay with the reference model, for want of a proof of their floor."""
    if not learnt.task_floors:
        return False
    if not is_whole:  # of whatever task: no floor was shown on such requests
        return True
    return learnt.task_floors.get(task, learnt.floor).at is None


def _why(decided: bool, stays: bool) -> str:
    if not decided:
        return "requests of a group that was not seen"
    return "stays: its floor could not be shown" if stays else ""


def _divided(groups: tuple[GroupChoice, ...], shares: Shares, prompts_kept: bool) -> tuple[GroupChoice, ...]:
    """The groups with their shares; the model of a group is that of its largest share."""
    words = "divided by a hash of the prompt"
    words += "" if prompts_kept else ", which these outcomes do not hold: they were judged by a hash of their ids"
    found = []
    for each in groups:
        mine = dict(shares.get(each.path, {}))
        if mine:
            why = words if len(mine) > 1 else each.why
            each = replace(each, model=max(mine, key=mine.__getitem__), share_fractions=mine, why=why)
        found.append(each)
    return tuple(found)


def _task(learnt: Learnt, path: Path) -> str:
    return task_of(learnt.train.levels, path)


def _failure(learnt: Learnt, path: Path) -> float:
    return learnt.settings.failure_usd_of(_task(learnt, path))


def _tries(train: OutcomeTable) -> dict[Path, int]:
    counts: dict[Path, int] = {}
    for path in paths_of(train):
        for length in range(len(path) + 1):
            counts[path[:length]] = counts.get(path[:length], 0) + 1
    return counts


def _reference(learnt: Learnt, written: PolicyDocument) -> Any:
    """What drift is measured against: groups, and the success that the policy predicts of its cheapest model.

    Of the calibration requests: the policy's own predictions on requests that it did not learn from, as it will serve.
    Where it holds no scorer of prompts, whichever was tried, these are the rates of groups.
    """
    paths = paths_of(learnt.calibration)
    is_scored = written.scorer is not None and written.kind != "cascade"  # a cascade's looks at answers
    scores = learnt.calibration_scores if is_scored else learnt.rates.rates(paths)
    return drift_reference([group_name(path) for path in paths], scores[:, cheapest(written)])
