"""Traffic: the requests a month that a pilot's tasks have, by the design or as the pilot saw them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.pilot.design import Design, TaskPlan
from breakeven.pilot.observations import BASELINE, Flags, Observations
from breakeven.units import HOURS_PER_MONTH, SECONDS_PER_HOUR

HOURS_MIN_HOURS: Final = 24.0
"""A shorter pilot says nothing about a month."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests a month; None where nobody knows."""

    requests_per_month: float | None
    note: str


def rows_of_tasks(design: Design, observations: Observations, tasks: Collection[str]) -> Flags:
    """Rows whose task, or whose plan, is among `tasks`; the plan without a name takes every task that has none."""
    wanted = [name in tasks or plan_of(design, name) in tasks for name in observations.tasks]
    return np.asarray(wanted, dtype=np.bool_)[observations.task] if wanted else np.zeros(0, dtype=np.bool_)


def plan_of(design: Design, task: str) -> str:
    """Name of the plan that a task's requests fall under."""
    return task if any(each.task == task for each in design.tasks) else ""


def traffic(design: Design, observations: Observations, tasks: Collection[str]) -> Traffic:
    """Requests a month of `tasks`: the design's, else those of the pilot if it watched a day or more of them all."""
    stated = [_stated(design, observations, plan, tasks) for plan in design.tasks]
    parts = [each for each in stated if each != 0.0]
    if parts and all(each is not None for each in parts):
        total = sum(each for each in parts if each is not None)
        return Traffic(total * HOURS_PER_MONTH, "at the traffic of the design")
    return _seen(design, observations.where(rows_of_tasks(design, observations, tasks)))


def _stated(design: Design, observations: Observations, plan: TaskPlan, tasks: Collection[str]) -> float | None:
    """Requests an hour of the part of a plan that `tasks` cover; None: not stated."""
    if plan.task in tasks:
        return plan.requests_per_hour
    names = [plan_of(design, name) for name in observations.tasks]
    under = np.asarray([name == plan.task for name in names], dtype=np.bool_)
    inside = np.asarray([name in tasks for name in observations.tasks], dtype=np.bool_)
    if plan.task or not (under & inside).any():
        return 0.0
    if plan.requests_per_hour is None:
        return None
    counts = np.bincount(observations.task, minlength=len(names))
    return plan.requests_per_hour * float(counts[under & inside].sum()) / float(max(counts[under].sum(), 1))


def _seen(design: Design, observations: Observations) -> Traffic:
    if design.mode == "offline":
        return Traffic(None, "nobody stated how many requests there are (requests_per_hour), and files may be samples")
    begins = observations.start_unix_s[np.isfinite(observations.start_unix_s)]
    hours = float(np.ptp(begins)) / SECONDS_PER_HOUR if len(begins) else 0.0
    if hours < HOURS_MIN_HOURS:
        return Traffic(
            None, f"nobody stated how many requests there are (requests_per_hour), and {hours:.1f} h are no day"
        )
    requests = float(observations.rows_count)
    if design.mode == "shadow":
        requests = float(np.sum(observations.arm == BASELINE)) / design.share_fraction
    return Traffic(requests / hours * HOURS_PER_MONTH, f"at the traffic that the pilot saw in {hours:,.0f} hours")
