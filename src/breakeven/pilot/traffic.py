"""Traffic: the requests a month that a pilot's tasks have, by the design or as the pilot saw them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.pilot.design import Design, TaskPlan
from breakeven.pilot.observations import BASELINE, Flags, Floats, Observations
from breakeven.pilot.verdict import Range
from breakeven.units import DAYS_PER_MONTH, HOURS_PER_MONTH, SECONDS_PER_HOUR

SECONDS_PER_DAY: Final = 24.0 * SECONDS_PER_HOUR
DAYS_MIN_COUNT: Final = 7
"""Fewer days do not show how weeks differ."""


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


def requests_seen(design: Design, observations: Observations) -> Range:
    """Requests a month of all rows, from the pilot's whole days; the interval is Student's t over days, of one look."""
    days, note = _daily(design, observations)
    if not len(days):
        return Range(None, None, None, why_not=note)
    monthly = days * DAYS_PER_MONTH
    value = float(monthly.mean())
    if len(days) < DAYS_MIN_COUNT:
        few = f"{len(days)} whole days; an interval takes {DAYS_MIN_COUNT}"
        return Range(value, None, None, why_not=few)
    from scipy.stats import t

    reach = float(t.ppf(0.975, len(days) - 1)) * float(monthly.std(ddof=1)) / len(days) ** 0.5
    return Range(value, max(value - reach, 0.0), value + reach, method="t over whole days, of one look")


def _seen(design: Design, observations: Observations) -> Traffic:
    days, note = _daily(design, observations)
    if not len(days):
        return Traffic(None, f"nobody stated how many requests there are (requests_per_hour), and {note}")
    return Traffic(float(days.mean()) * DAYS_PER_MONTH, f"at the traffic that the pilot saw in {len(days)} days")


def _daily(design: Design, observations: Observations) -> tuple[Floats, str]:
    """Requests on each whole day since the first one; empty, and why, where they say nothing of a month."""
    if design.mode == "offline":
        return np.zeros(0), "files of outcomes may be samples"
    counted = np.isfinite(observations.start_unix_s)
    scale = 1.0
    if design.mode == "shadow":
        counted, scale = counted & (observations.arm == BASELINE), 1.0 / design.share_fraction
    begins = observations.start_unix_s[counted]
    seen_s = float(np.ptp(begins)) if len(begins) else 0.0
    whole = int(seen_s // SECONDS_PER_DAY)
    if whole < 1:
        return np.zeros(0), f"the pilot saw {seen_s / SECONDS_PER_HOUR:.3g} hours, not a day"
    day = ((begins - begins.min()) // SECONDS_PER_DAY).astype(np.intp)
    return np.asarray(np.bincount(day, minlength=whole)[:whole] * scale, dtype=np.float64), ""
