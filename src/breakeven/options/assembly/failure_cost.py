"""Failure cost: what a failed answer breaks on the calls of an Option, from what the scenario says of each task.

A mean over the answers that fail, not over all calls: where outcomes are measured by task, a task that fails more often
counts for more. The weights are taken at the middle of what is known of the rates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from breakeven.costs.failed_answers import FAILURE
from breakeven.facts.source import Grade, Source
from breakeven.facts.trace import Binder
from breakeven.options.assembly.demand import ModelDemand
from breakeven.options.assembly.measured_success import MeasuredModel
from breakeven.options.assembly.offers import fixed_fact
from breakeven.options.assembly.task_split import matches

OTHER: Final = "other"
"""Key of the scenario for the calls of all tasks that it does not name."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Calls of one model of the log, and who answers them."""

    calls: ModelDemand
    measured: MeasuredModel | None
    """None: nobody measured it."""
    assumed_fraction: float
    """Success that is taken for it where nothing is measured."""


def bind_failure_cost(binder: Binder, costs: Mapping[str, float], answered: Iterable[Answered], read: date) -> None:
    """Bind `failure_usd_per_request` when the scenario has it by task; one number for all calls wins over it."""
    if not costs or FAILURE in binder.scenario:
        return
    failing, spent, told = 0.0, 0.0, set()
    for each in answered:
        for task, requests in _tasks(each.calls):
            count = requests * (1 - _rate(each, task))
            name, usd = cost_of_task(costs, task)
            failing, spent = failing + count, spent + count * usd
            told |= {f"{name} {usd:,g}"} if count else set()
    mean = spent / failing if failing else 0.0
    title = f"scenario, mean over the answers that fail: {', '.join(sorted(told)) or 'none fails'}"
    source = Source(title, "scenario file", read, Grade.QUOTED)
    binder.offer = {**binder.offer, FAILURE: fixed_fact(FAILURE, mean, source)}


def cost_of_task(costs: Mapping[str, float], task: str) -> tuple[str, float]:
    """The scenario's key for a task, the longest whose words stand in its name, and the USD; `other` else.

    >>> cost_of_task({"review": 5.0, "contract review": 12.0, "other": 0.5}, "Contract-Review")
    ('contract review', 12.0)
    >>> cost_of_task({"review": 5.0}, "faq")
    ('other', 0.0)
    """
    found = [name for name in costs if name != OTHER and matches(task, name)]
    name = max(found, key=len, default=OTHER)
    return name, costs.get(name, 0.0)


def _tasks(model: ModelDemand) -> list[tuple[str, int]]:
    """Task -> requests; the empty name stands for calls that name none."""
    named = [(each.task, each.requests_count) for each in model.by_task]
    rest = model.requests_count - sum(count for _, count in named)
    return [*named, ("", max(rest, 0))]


def _rate(each: Answered, task: str) -> float:
    if each.measured is None:
        return each.assumed_fraction
    return (each.measured.belief(task) or each.measured.overall).mean_fraction
