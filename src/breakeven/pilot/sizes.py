"""Sizes: what a design promises of itself before it starts: how many outcomes, how many days, what power, what cost.

Everything is played through with a fixed seed (`stopping.py`): runs of the very test that will be carried out, under
the plan, under other true ratios (the power curve, with the early stop of bad candidates running beside it) and under
plans that turn out to be wrong. Beside it stands the fixed-sample test, looked at once.

The figures take every unit to be one request. Where users come back (`unit`), as much is learnt from fewer units.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from breakeven.pilot.bets import planned_bets, planned_inferior_bets
from breakeven.pilot.canary_stopping import canary_chances, mixture_of_requests
from breakeven.pilot.design import Design, TaskPlan
from breakeven.pilot.fixed_sample import fixed_sample_pairs_count, fixed_sample_two_arms_count
from breakeven.pilot.group_sequential import classic_looks, look_sizes
from breakeven.pilot.own_cost import own_cost
from breakeven.pilot.pair_chances import pair_chances
from breakeven.pilot.stopping import (
    LOOKS_COUNT,
    RUNS_COUNT,
    Ends,
    Mixture,
    SizeFigures,
    mixture_of_pairs,
    race,
    size_figures,
)
from breakeven.pilot.traffic_days import outcomes_by, reached

CURVE_RATIOS: Final = (0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 1.00, 1.01, 1.02)
CURVE_RUNS_COUNT: Final = 400
CURVE_LOOKS_COUNT: Final = 40
"""Coarser than for the sizes: they are overstated by 2.5 % at most."""
CAP_OVER_FIXED_RATIO: Final = 8
CAP_MIN_COUNT: Final = 2_000
CAP_MAX_COUNT: Final = 200_000
HOPELESS_CAP_COUNT: Final = 20_000
"""Where the plan does not beat the margin."""
FIXED_LOOKS_COUNT: Final = 5
LOWER_RATIO: Final = 0.5
"""A wrong plan: the true ratio lies so far between the margin and the plan."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a task, planned or not; hashable, so that equal tasks are played once."""

    baseline_success_fraction: float
    ratio: float
    correlation_fraction: float


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all truths of one task."""

    is_canary: bool
    share_fraction: float
    margin_ratio: float
    ln_boundary_ratio: float
    inferior_alpha_fraction: float
    alpha_fraction: float
    """Of one task alone."""
    power_fraction: float
    seed: int


def design_sizes(design: Design) -> Mapping[str, Any]:
    """`Design.expects`: plain JSON, the same for the same design; counts are outcomes (pairs, in a canary requests)."""
    setting = _setting(design)
    tasks = [_task_sizes(design, plan, setting) for plan in design.tasks]
    return {
        "outcome": "request" if design.mode == "canary" else "pair",
        "alpha_fraction": design.alpha_fraction,
        "boundary_e_ratio": _round(math.exp(setting.ln_boundary_ratio)),
        "seed": design.seed,
        "runs_count": RUNS_COUNT,
        "tasks": tasks,
        "overall": _overall(tasks),
        "notes": _notes(design),
    }


def expected_size(truth: Truth, setting: Setting, plan: Truth | None = None, runs_count: int = RUNS_COUNT) -> Ends:
    """Runs of the test under a truth, bets made by the plan (None: the truth), without the early stop."""
    return _played(truth, plan or truth, setting, _cap_count(truth, setting), runs_count, has_guard=False)


def fixed_count(truth: Truth, setting: Setting) -> int | None:
    """Outcomes of the test that is looked at once."""
    if setting.is_canary:
        return fixed_sample_two_arms_count(
            truth.baseline_success_fraction,
            truth.ratio,
            setting.margin_ratio,
            setting.share_fraction,
            setting.alpha_fraction,
            setting.power_fraction,
        )
    chances = pair_chances(truth.baseline_success_fraction, truth.ratio, truth.correlation_fraction)
    return fixed_sample_pairs_count(chances, setting.margin_ratio, setting.alpha_fraction, setting.power_fraction)


def _task_sizes(design: Design, plan: TaskPlan, setting: Setting) -> dict[str, Any]:
    truth = Truth(plan.baseline_success_fraction, plan.candidate_to_baseline_ratio, plan.correlation_fraction)
    stops = expected_size(truth, setting).stops
    figures = size_figures(stops, _cap_count(truth, setting))
    there = outcomes_by(design, plan, design.days_max_days)
    limit = max(1, int(min(figures.cap_count if there is None else there, CAP_MAX_COUNT)))
    fixed = fixed_count(truth, setting)
    return {
        "task": plan.task,
        "outcomes": _counts(figures),
        "fixed_sample_count": fixed,
        "mean_over_fixed_ratio": None if fixed is None else _round(figures.mean_count / fixed),
        "days": _days(design, plan, figures),
        "within_limit": {
            "days_max_days": design.days_max_days,
            "outcomes_count": _whole(there),
            "accepted_fraction": _round(float((stops <= limit).mean())),
        },
        "power_curve": {"limit_count": limit, "points": _curve(truth, setting, limit)},
        "wrong_plans": _wrong_plans(truth, setting),
        "fixed_looks": _fixed_looks(truth, setting),
        "own_cost": own_cost(design, plan, figures),
    }


def _curve(plan: Truth, setting: Setting, limit_count: int) -> list[dict[str, Any]]:
    """What happens by the limit at each true ratio: accepted, stopped as inferior, or undecided."""
    found = []
    for ratio in CURVE_RATIOS:
        truth = Truth(plan.baseline_success_fraction, ratio, plan.correlation_fraction)
        ends = _played(truth, plan, setting, limit_count, CURVE_RUNS_COUNT, has_guard=True)
        found.append(
            {
                "ratio": ratio,
                "accepted_fraction": _round(float((ends.winner == 0).mean())),
                "stopped_fraction": _round(float((ends.winner == 1).mean())),
                "mean_count": _whole(float(np.minimum(ends.stops, limit_count).mean())),
            }
        )
    return found


def _wrong_plans(plan: Truth, setting: Setting) -> list[dict[str, Any]]:
    """What the outcomes needed are when a figure of the plan is wrong, next to those with bets that knew it."""
    if plan.ratio <= setting.margin_ratio:
        return []
    worse = setting.margin_ratio + LOWER_RATIO * (plan.ratio - setting.margin_ratio)
    fails = min(2.0 * (1.0 - plan.baseline_success_fraction), 0.9)
    success, phi = plan.baseline_success_fraction, plan.correlation_fraction
    truths = [
        (f"the candidate keeps {worse:.3g} of the success, not {plan.ratio:.3g}", Truth(success, worse, phi)),
        (f"the baseline succeeds in {1 - fails:.3g}, not {success:.3g}", Truth(1.0 - fails, plan.ratio, phi)),
    ]
    if phi > 0 and not setting.is_canary:
        truths.append(
            (f"the two fail on different requests (correlation 0, not {phi:.2g})", Truth(success, plan.ratio, 0))
        )
    found = []
    for words, truth in truths:
        cap = _cap_count(truth, setting)
        wrong = size_figures(expected_size(truth, setting, plan, CURVE_RUNS_COUNT).stops, cap)
        right = size_figures(expected_size(truth, setting, None, CURVE_RUNS_COUNT).stops, cap)
        found.append(
            {
                "words": words,
                "mean_count": _whole(wrong.mean_count),
                "p80_count": _whole(wrong.p80_count),
                "with_right_plan_count": _whole(right.mean_count),
                "cost_ratio": _round(wrong.mean_count / right.mean_count),
            }
        )
    return found


def _fixed_looks(plan: Truth, setting: Setting) -> dict[str, Any] | None:
    """For those who want meetings at fixed numbers of pairs: O'Brien and Fleming; nobody may look in between."""
    if setting.is_canary:
        return None
    looks = classic_looks(FIXED_LOOKS_COUNT, setting.alpha_fraction)
    chances = pair_chances(plan.baseline_success_fraction, plan.ratio, plan.correlation_fraction)
    sizes = look_sizes(looks, chances, setting.margin_ratio, setting.power_fraction)
    if sizes is None:
        return None
    return {
        "rule": "O'Brien-Fleming",
        "pairs_at_looks": list(sizes.pairs_at_looks),
        "z_boundaries": [round(each, 3) for each in looks.z_boundaries],
        "mean_over_fixed_ratio": _round(sizes.mean_ratio),
    }


@lru_cache(maxsize=512)
def _played(truth: Truth, plan: Truth, setting: Setting, cap_count: int, runs_count: int, *, has_guard: bool) -> Ends:
    if setting.is_canary:
        chances = canary_chances(truth.baseline_success_fraction, truth.ratio, setting.share_fraction)
    else:
        chances = pair_chances(truth.baseline_success_fraction, truth.ratio, truth.correlation_fraction).array
    tests: tuple[Mixture, ...] = (_test(truth, plan, setting, is_inferior=False),)
    if has_guard:
        tests += (_test(truth, plan, setting, is_inferior=True),)
    looks = LOOKS_COUNT if runs_count == RUNS_COUNT else CURVE_LOOKS_COUNT
    return race(chances, tests, cap_count, setting.seed, runs_count, looks)


def _test(truth: Truth, plan: Truth, setting: Setting, *, is_inferior: bool) -> Mixture:
    """The test that accepts, or the one that stops a bad candidate."""
    boundary = -math.log(setting.inferior_alpha_fraction) if is_inferior else setting.ln_boundary_ratio
    margin, success = setting.margin_ratio, plan.baseline_success_fraction
    if setting.is_canary:
        return mixture_of_requests(
            truth.baseline_success_fraction,
            truth.ratio,
            margin,
            setting.share_fraction,
            boundary,
            (success, plan.ratio),
            is_inferior=is_inferior,
        )
    bets = (
        planned_inferior_bets(margin, success, plan.correlation_fraction)
        if is_inferior
        else planned_bets(margin, success, plan.ratio, plan.correlation_fraction)
    )
    return mixture_of_pairs(margin, bets, boundary)


def _cap_count(truth: Truth, setting: Setting) -> int:
    fixed = fixed_count(truth, setting)
    if fixed is None:
        return HOPELESS_CAP_COUNT
    return min(max(CAP_OVER_FIXED_RATIO * fixed, CAP_MIN_COUNT), CAP_MAX_COUNT)


def _setting(design: Design) -> Setting:
    is_canary = design.mode == "canary"
    return Setting(
        is_canary,
        design.ramp[-1].share_fraction if is_canary else 1.0,
        design.margin_ratio,
        math.log(len(design.tasks) / design.alpha_fraction),
        design.guards.inferior_alpha_fraction,
        design.alpha_fraction / len(design.tasks),
        design.power_fraction,
        design.seed,
    )


def _counts(figures: SizeFigures) -> dict[str, Any]:
    return {
        "mean_count": _whole(figures.mean_count),
        "p5_count": _whole(figures.p5_count),
        "p50_count": _whole(figures.p50_count),
        "p80_count": _whole(figures.p80_count),
        "p95_count": _whole(figures.p95_count),
        "cap_count": _whole(figures.cap_count),
        "accepted_by_cap_fraction": _round(figures.stopped_fraction),
    }


def _days(design: Design, plan: TaskPlan, figures: SizeFigures) -> dict[str, Any] | None:
    """Days until the mean, the middle and 80 % of the runs are through; None where nobody knows the traffic."""
    if reached(design, plan, 1.0).days is None:
        return None
    counts = {
        "mean_days": figures.mean_count,
        "p50_days": figures.p50_count,
        "p80_days": figures.p80_count,
        "p95_days": figures.p95_count,
    }
    return {
        name: None if count is None else _round(reached(design, plan, count).days) for name, count in counts.items()
    }


def _overall(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """The slowest task, and all costs; None as soon as one is not known."""

    def slowest(name: str) -> float | None:
        known = [each["days"][name] for each in tasks if each["days"] is not None]
        return max(known) if len(known) == len(tasks) and None not in known else None

    def total(name: str) -> float | None:
        known = [each["own_cost"][name] for each in tasks]
        return None if None in known else _round(sum(known))

    return {
        "days": {name: slowest(name) for name in ("mean_days", "p50_days", "p80_days")},
        "own_cost": {name: total(name) for name in ("mean_usd", "low_usd", "high_usd")},
    }


def _notes(design: Design) -> list[str]:
    found = ["sizes are those of simulated pilots in which the plan holds; `wrong_plans` says what else may come"]
    if design.unit != "request":
        found.append(
            f"every request is counted as its own {design.unit}; where one {design.unit} sends many, more requests "
            "are needed"
        )
    if len(design.tasks) > 1:
        found.append(
            f"each task is sized for the boundary that it needs alone among {len(design.tasks)}; tasks that are good "
            "together need less with e-BH"
        )
    if design.outcome_wait_hours:
        found.append(f"outcomes may come up to {design.outcome_wait_hours:g} hours later; days do not count that")
    return found


def _whole(value: float | None) -> int | None:
    return None if value is None or not math.isfinite(value) else round(value)


def _round(value: float | None) -> float | None:
    """To four digits: a figure of a simulation, the same on every machine."""
    return None if value is None else float(f"{value:.4g}")
