"""Expectations: what a pilot may expect of a task before it starts, from what is there; the rest are guesses, marked.

Files of outcomes tell the success of both models and how far it goes together, a learnt policy the success of each, a
store of calls the traffic and what a request costs today. Later sources fill in only what earlier ones do not tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from breakeven.errors import OutcomeError, PilotError, PolicyError
from breakeven.outcomes.outcome import OutcomeTable
from breakeven.pilot.design import TaskPlan
from breakeven.units import SECONDS_PER_HOUR

PAIRS_MIN_COUNT: Final = 20
"""Fewer requests that both models answered tell too little to plan by."""
_SURE_MAX_FRACTION: Final = 0.995
"""No plan expects that an answer never fails."""


@dataclass(frozen=True, slots=True)
class Known:
    """What sources tell of one task; None: nothing."""

    requests_per_hour: float | None = None
    baseline_success_fraction: float | None = None
    candidate_to_baseline_ratio: float | None = None
    correlation_fraction: float | None = None
    baseline_usd_per_request: float | None = None
    candidate_usd_per_request: float | None = None
    told_by: tuple[str, ...] = ()


def planned(plan: TaskPlan, known: Sequence[Known]) -> TaskPlan:
    """The plan with what the sources tell, the first that tells something of each figure."""
    figures: dict[str, Any] = {}
    told: list[str] = []
    for each in known:
        new = {name: value for name in _FIGURES if name not in figures and (value := getattr(each, name)) is not None}
        if new:
            figures |= new
            told += [words for words in each.told_by if words not in told]
    return replace(plan, **figures, expected_from="; ".join(told) or "guess") if figures else plan


_FIGURES: Final = (
    "requests_per_hour",
    "baseline_success_fraction",
    "candidate_to_baseline_ratio",
    "correlation_fraction",
    "baseline_usd_per_request",
    "candidate_usd_per_request",
)


def of_outcomes(files: Sequence[Path], plan: TaskPlan, *, is_judged_by_them: bool = False) -> Known:
    """What files of outcomes tell of a task.

    A pilot that is judged by the same files takes only costs from them: who bets with a plan made of the outcomes that
    decide the bet is right too often.
    """
    from breakeven.outcomes.reading import read_outcomes

    try:
        table = read_outcomes(list(files)).table
    except OutcomeError as error:
        raise PilotError(str(error)) from None
    names = ", ".join(each.name for each in files)
    known = known_of_table(table, plan, f"outcomes {names}")
    if not is_judged_by_them:
        return known
    costs = (known.baseline_usd_per_request, known.candidate_usd_per_request)
    words = (f"costs: outcomes {names}; success: guess",) if costs != (None, None) else ()
    return Known(baseline_usd_per_request=costs[0], candidate_usd_per_request=costs[1], told_by=words)


def known_of_table(table: OutcomeTable, plan: TaskPlan, words: str) -> Known:
    """What a table of outcomes tells of a task: of the requests that both models answered."""
    if plan.baseline_model not in table.models or plan.candidate_model not in table.models:
        return Known()
    mine = np.array([not plan.task or each == plan.task for each in table.tasks], dtype=np.bool_)
    base = table.success[mine, table.models.index(plan.baseline_model)]
    new = table.success[mine, table.models.index(plan.candidate_model)]
    both = ~np.isnan(base) & ~np.isnan(new)
    costs = [
        _mean(table.cost_usd[mine, table.models.index(name)]) for name in (plan.baseline_model, plan.candidate_model)
    ]
    if int(both.sum()) < PAIRS_MIN_COUNT or base[both].mean() == 0:
        has_cost = any(each is not None for each in costs)
        return Known(
            baseline_usd_per_request=costs[0],
            candidate_usd_per_request=costs[1],
            told_by=(words,) if has_cost else (),
        )
    base, new = base[both], new[both]
    spread = base.std() > 0 and new.std() > 0
    return Known(
        baseline_success_fraction=float(min(base.mean(), _SURE_MAX_FRACTION)),
        candidate_to_baseline_ratio=float(new.mean() / base.mean()),
        correlation_fraction=float(np.clip(np.corrcoef(base, new)[0, 1], 0.0, 0.95)) if spread else 0.0,
        baseline_usd_per_request=costs[0],
        candidate_usd_per_request=costs[1],
        told_by=(f"{words} ({len(base):,} pairs)",),
    )


def of_policy(folder: Path, plan: TaskPlan) -> Known:
    """What a learnt policy tells of a task: success and cost of each model in its group."""
    from breakeven.routing.policy_file import load

    try:
        document = load(folder).document
    except PolicyError as error:
        raise PilotError(str(error)) from None
    at = document.levels.index("task") if "task" in document.levels else -1
    groups = [
        each
        for each in document.groups
        if (len(each.path) > at >= 0 and each.path[at] == plan.task and plan.task) or (not each.path and not plan.task)
    ]
    if not groups:
        return Known()
    weights = [max(each.tries_count, 1) for each in groups]

    def mean(field: str, model: str) -> float | None:
        told = [
            (value, weight)
            for each, weight in zip(groups, weights, strict=True)
            if (value := getattr(each, field).get(model)) is not None
        ]
        return sum(value * weight for value, weight in told) / sum(weight for _, weight in told) if told else None

    base, new = mean("success_fractions", plan.baseline_model), mean("success_fractions", plan.candidate_model)
    ratio = new / base if base and new is not None else None
    costs = [mean("usd_per_request", each) for each in (plan.baseline_model, plan.candidate_model)]
    if all(each is None for each in (base, ratio, *costs)):
        return Known()
    return Known(
        baseline_success_fraction=None if base is None else min(base, _SURE_MAX_FRACTION),
        candidate_to_baseline_ratio=ratio,
        baseline_usd_per_request=costs[0],
        candidate_usd_per_request=costs[1],
        told_by=(f"learn {folder}",),
    )


def of_store(folder: Path, plan: TaskPlan) -> Known:
    """What imported calls tell of a task: requests an hour over their span, and what one costs at either model."""
    from breakeven.usage.store import CallStore

    if not (folder / "manifest.json").exists():
        raise PilotError(f"{folder}: no store of calls; run `breakeven import YOUR-LOG --store {folder}` first")
    with CallStore(folder) as store:
        calls = store.calls()
        single = calls.filter((calls.grain == "request") & calls.retry_of.isnull() & calls.parent_id.isnull())
        mine = single.filter(single.task == plan.task) if plan.task else single
        span = single.aggregate(first=single.start_time.min(), last=single.start_time.max()).to_pyarrow().to_pylist()[0]
        count = float(mine.weight.sum().to_pyarrow().as_py() or 0.0)
        by_model = (
            mine.mutate(model=mine.model_key.coalesce(mine.response_model, mine.request_model))
            .group_by("model")
            .aggregate(usd=lambda t: t.cost_usd.mean())
            .to_pyarrow()
            .to_pylist()
        )
    if span["first"] is None or not count:
        return Known()
    hours = max((span["last"] - span["first"]).total_seconds() / SECONDS_PER_HOUR, 1.0)
    usd = {each["model"]: each["usd"] for each in by_model}
    return Known(
        requests_per_hour=count / hours,
        baseline_usd_per_request=usd.get(plan.baseline_model),
        candidate_usd_per_request=usd.get(plan.candidate_model),
        told_by=(f"calls in {folder}",),
    )


def tasks_of_store(folder: Path, tasks_max_count: int = 20) -> tuple[str, ...]:
    """The tasks that imported calls name, the most frequent first."""
    from breakeven.usage.store import CallStore

    with CallStore(folder) as store:
        calls = store.calls()
        rows = calls.filter(calls.task.notnull()).group_by("task").aggregate(n=lambda t: t.count()).to_pyarrow()
    counted = sorted(rows.to_pylist(), key=lambda each: (-each["n"], each["task"]))
    return tuple(each["task"] for each in counted[:tasks_max_count])


def _mean(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
