"""Standing: how each task of a pilot stands, and what all that count have in common: points of success, days, pace."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

import numpy as np

from breakeven.pilot.arm_figures import figures_of
from breakeven.pilot.arm_outcomes import ArmOutcomes, outcomes_of
from breakeven.pilot.design import Design
from breakeven.pilot.mean_sequence import any_time_range
from breakeven.pilot.observations import BASELINE, CANDIDATE, Floats, Observations
from breakeven.pilot.traffic import SECONDS_PER_DAY, rows_of_tasks
from breakeven.pilot.verdict import GuardState, Quality, Range

MORE_DAYS_MAX_RATIO: Final = 100.0
"""Nobody foretells more than so many times the days that were seen."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The tasks of a pilot, sorted by how they stand; in the order of the design."""

    accepted: tuple[str, ...]
    stopped: tuple[str, ...]
    """A guard fired, or the candidate is proven worse than the margin."""
    open: tuple[str, ...]


def standing(
    design: Design, observations: Observations, tasks: Sequence[Quality], guards: Sequence[GuardState]
) -> Standing:
    """A guard outweighs an acceptance; without an outcome of a true source in both arms nothing is accepted."""
    names = tuple(each.task for each in design.tasks)
    fired = {name for each in guards if each.has_fired for name in ([each.task] if each.task in names else names)}
    fired |= {name for each in guards if each.has_fired and each.name == "spend" for name in names}
    stopped = fired | {each.task for each in tasks if each.is_inferior}
    proven = {each.task for each in tasks if each.is_accepted and _is_judged_by_truth(design, observations, each.task)}
    return Standing(
        tuple(name for name in names if name in proven - stopped),
        tuple(name for name in names if name in stopped),
        tuple(name for name in names if name not in stopped | proven),
    )


def _is_judged_by_truth(design: Design, observations: Observations, task: str) -> bool:
    known = rows_of_tasks(design, observations, (task,)) & np.isfinite(observations.success)
    return all(bool(np.any(known & (observations.arm == arm))) for arm in (BASELINE, CANDIDATE))


def points_range(
    design: Design, observations: Observations, qualities: Collection[Quality], as_of_unix_s: float | None
) -> Range:
    """Success of the candidate less that of the baseline, as a fraction; wide enough for missing outcomes.

    Of the tasks whose ratio can be told: where a judge alone spoke, there is no quality to speak of.
    """
    tasks = [each.task for each in qualities if each.ratio.value is not None]
    if not tasks:
        return Range(None, None, None, why_not=next((e.ratio.why_not for e in qualities if e.ratio.why_not), ""))
    rows = observations.where(rows_of_tasks(design, observations, tasks))
    outcomes = outcomes_of(design, rows, as_of_unix_s)
    seen = _points(design, outcomes, outcomes.seen)
    if not outcomes.is_bounded:
        return seen
    worst, best = _points(design, outcomes, outcomes.worst), _points(design, outcomes, outcomes.best)
    return replace(seen, low=worst.low, high=best.high)


def _points(design: Design, outcomes: ArmOutcomes, success: Floats) -> Range:
    """Never beyond a hundred points, whatever the audit's corrections add up to."""
    baseline, candidate = (each.success for each in figures_of(design, outcomes, success))
    less = None if baseline is None or candidate is None else candidate - baseline
    found = any_time_range(less, why_not="no outcome of one arm is known")
    ends = (None if each is None else min(max(each, -1.0), 1.0) for each in (found.value, found.low, found.high))
    value, low, high = ends
    return replace(found, value=value, low=low, high=high)


def days_seen(observations: Observations) -> float:
    """Days from the first request to the last."""
    starts = observations.start_unix_s[np.isfinite(observations.start_unix_s)]
    return float(np.ptp(starts)) / SECONDS_PER_DAY if len(starts) else 0.0


def days_left(
    design: Design, observations: Observations, as_of_unix_s: float, started_unix_s: float | None = None
) -> float | None:
    """Days of the design that remain, from its start or its first request; None where time does not matter (files)."""
    starts = observations.start_unix_s[np.isfinite(observations.start_unix_s)]
    begins = [float(starts.min())] if len(starts) else []
    if started_unix_s is not None:
        begins.append(started_unix_s)
    if design.mode == "offline" or not begins:
        return None
    return design.days_max_days - max(as_of_unix_s - min(begins), 0.0) / SECONDS_PER_DAY


def days_to_proof(saved: Range, seen_days: float) -> float | None:
    """Days until the low end of the savings would pass 0 if all goes on as it went; None where it would not.

    Ends close in with the square root of time.

    >>> days_to_proof(Range(1.0, -1.0, 3.0), 10.0)
    30.0
    """
    if saved.value is None or saved.low is None or saved.value <= 0 or seen_days <= 0:
        return None
    ratio = ((saved.value - saved.low) / saved.value) ** 2 - 1.0
    return ratio * seen_days if 0 < ratio <= MORE_DAYS_MAX_RATIO else None


def whole_days(days: float) -> int:
    """Days as they are spoken of: one at least.

    >>> whole_days(0.2), whole_days(5.01)
    (1, 6)
    """
    return max(ceil(days - 1e-9), 1)
