"""Rollout watch: after a candidate was promoted, whether its success still keeps what the pilot promised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from breakeven.outcomes.success_watch import FALSE_ALARM_FRACTION, SuccessWatch
from breakeven.pilot.design import Design
from breakeven.pilot.observations import CANDIDATE, Observations
from breakeven.pilot.verdict import Verdict

_FLOOR_MIN_FRACTION = 0.01
_FLOOR_MAX_FRACTION = 0.999


@dataclass(frozen=True, slots=True)
class TaskWatch:
    """One task of a promoted candidate."""

    task: str
    floor_fraction: float
    """What its success must keep: the margin's part of what the baseline did in the pilot."""
    outcomes_count: int
    success_fraction: float | None
    """Of all outcomes since the promotion; None before there is one."""
    is_alarm: bool
    alarm_at_count: int | None
    """Outcomes after which it rang."""
    false_alarm_fraction: float = FALSE_ALARM_FRACTION

    @property
    def words(self) -> str:
        """One sentence."""
        name = f"Task {self.task}" if self.task else "All requests"
        if self.success_fraction is None:
            return f"{name}: no outcome yet since the promotion; the floor is {100 * self.floor_fraction:.1f} %."
        seen = f"{name}: success {100 * self.success_fraction:.1f} % of {self.outcomes_count:,} outcomes"
        if self.is_alarm:
            return (
                f"{seen}, below the floor of {100 * self.floor_fraction:.1f} % (found after "
                f"{self.alarm_at_count:,}; without a "
                f"fall such an alarm rings in at most {100 * self.false_alarm_fraction:.0f} % of rollouts)."
            )
        return f"{seen}, floor {100 * self.floor_fraction:.1f} % kept."


def floors(design: Design, verdict: Verdict | None) -> dict[str, float]:
    """Task -> least success after a promotion: the margin's part of the baseline's, as seen, else as planned."""
    found = {}
    for plan in design.tasks:
        base = plan.baseline_success_fraction
        for each in verdict.tasks if verdict is not None else ():
            if each.task == plan.task and each.baseline_success.value is not None:
                base = each.baseline_success.value
        found[plan.task] = float(np.clip(base * design.margin_ratio, _FLOOR_MIN_FRACTION, _FLOOR_MAX_FRACTION))
    return found


def watched(seen: Observations, floor_by_task: Mapping[str, float], tasks: tuple[str, ...]) -> tuple[TaskWatch, ...]:
    """The promoted tasks, by all outcomes since (in order of time)."""
    found = []
    for task in tasks:
        floor = floor_by_task[task]
        mine = (seen.task == seen.tasks.index(task)) & (seen.arm == CANDIDATE) & ~np.isnan(seen.success)
        success = seen.success[mine]
        watch = SuccessWatch(floor)
        is_alarm = watch.see_all(success) if len(success) else False
        mean = float(success.mean()) if len(success) else None
        found.append(TaskWatch(task, floor, len(success), mean, is_alarm, watch.alarm_at_count))
    return tuple(found)
