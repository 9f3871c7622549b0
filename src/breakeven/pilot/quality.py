"""Quality: what the outcomes say of each task and of all together: evidence, ratio, and whether it is decided.

One test for each task (`task_evidence.py`), the tasks judged together (`multiplicity.py`). The test of all tasks
together asks another question, whether the mix as it was seen keeps the margin, at its own risk alpha; nothing is
promoted by it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from breakeven.pilot.design import Design, TaskPlan
from breakeven.pilot.evidence_tests import GROWTH_PRIOR_COUNT, EvidenceTest
from breakeven.pilot.multiplicity import ln_alone, ln_boundary
from breakeven.pilot.observations import Observations
from breakeven.pilot.pair_chances import gains, pair_chances
from breakeven.pilot.task_evidence import TaskEvidence, task_evidence
from breakeven.pilot.traffic import SECONDS_PER_DAY, rows_of_tasks
from breakeven.pilot.traffic_days import reached
from breakeven.pilot.two_sample import EVEN_FRACTION
from breakeven.pilot.verdict import Quality, Range

PLAN_FORGOTTEN_COUNT: Final = 400.0
"""After so many outcomes what is foretold rests on them alone."""
SEEN_MIN_S: Final = 60.0
"""A shorter time says nothing about the traffic."""
WHATEVER_IS_MISSING: Final = "bounded by the worst and the best that the missing outcomes may have been"


def qualities(
    design: Design, observations: Observations, as_of_unix_s: float | None = None
) -> tuple[tuple[Quality, ...], Quality | None]:
    """Each task of the design in its order, and all of them together (None where there is one task)."""
    found = evidence_by_task(design, observations, as_of_unix_s)
    ln_e = {task: each.ln_e for task, each in found.items()}
    tasks = tuple(
        _quality(
            design,
            plan,
            found[plan.task],
            ln_boundary(ln_e, plan.task, design.alpha_fraction, design.multiplicity),
        )
        for plan in design.tasks
    )
    if len(design.tasks) < 2:
        return tasks, None
    every = rows_of_tasks(design, observations, [each.task for each in design.tasks])
    plan = pooled_plan(design)
    evidence = task_evidence(design, plan, observations.where(every), as_of_unix_s)
    overall = _quality(design, plan, evidence, ln_alone(design.alpha_fraction))
    return tasks, replace(overall, task="", is_overall=True)


def evidence_by_task(
    design: Design, observations: Observations, as_of_unix_s: float | None = None
) -> dict[str, TaskEvidence]:
    """The test of each task of the design, made of the outcomes that count."""
    found = {}
    for plan in design.tasks:
        rows = observations.where(rows_of_tasks(design, observations, [plan.task]))
        found[plan.task] = task_evidence(design, plan, rows, as_of_unix_s)
    return found


def pooled_plan(design: Design) -> TaskPlan:
    """What is expected of all tasks together: means by traffic, where it is stated of every task."""
    hours = [each.requests_per_hour for each in design.tasks]
    known = [each for each in hours if each is not None]
    is_stated = len(known) == len(hours) and sum(known) > 0
    weights = np.array(known if is_stated else np.ones(len(hours)), dtype=float)
    weights /= weights.sum()

    def mean(name: str) -> float:
        return float(weights @ np.array([getattr(each, name) for each in design.tasks]))

    return replace(
        design.tasks[0],
        task="",
        requests_per_hour=sum(known) if is_stated else None,
        baseline_success_fraction=mean("baseline_success_fraction"),
        candidate_to_baseline_ratio=mean("candidate_to_baseline_ratio"),
        correlation_fraction=mean("correlation_fraction"),
    )


def _quality(design: Design, plan: TaskPlan, evidence: TaskEvidence, ln_boundary_ratio: float) -> Quality:
    ln_e, ln_inferior_e = evidence.ln_e, evidence.ln_inferior_e
    is_inferior = ln_inferior_e >= ln_alone(design.guards.inferior_alpha_fraction)
    is_accepted = ln_e >= ln_boundary_ratio and not is_inferior
    more = None if is_accepted or is_inferior else more_outcomes_count(design, plan, evidence, ln_boundary_ratio)
    return Quality(
        task=plan.task,
        is_overall=False,
        test=evidence.kind,
        outcomes_count=evidence.seen.outcomes_count,
        missing_count=evidence.missing_count,
        counts=evidence.seen.counts,
        ln_e_ratio=ln_e,
        ln_boundary_ratio=ln_boundary_ratio,
        ln_inferior_e_ratio=ln_inferior_e,
        ratio=ratio_range(design, evidence),
        baseline_success=_told(evidence, evidence.seen.success(0, design.alpha_fraction)),
        candidate_success=_told(evidence, evidence.seen.success(1, design.alpha_fraction)),
        is_accepted=is_accepted,
        is_inferior=is_inferior,
        more_outcomes_count=more,
        more_days=None if more is None else more_days(design, plan, evidence, more),
    )


def ratio_range(design: Design, evidence: TaskEvidence) -> Range:
    """Of the outcomes seen; where missing ones may not be left out, wide enough for whatever they were."""
    seen = _told(evidence, evidence.seen.ratio(design.alpha_fraction))
    if evidence.worst is evidence.seen or evidence.why_not:
        return seen
    low = evidence.worst.ratio(design.alpha_fraction).low
    high = evidence.best.ratio(design.alpha_fraction).high
    return replace(seen, low=low, high=high, method=f"{seen.method}; {WHATEVER_IS_MISSING}")


def _told(evidence: TaskEvidence, seen: Range) -> Range:
    """No figure where nothing may be concluded."""
    return replace(seen, value=None, low=None, high=None, why_not=evidence.why_not) if evidence.why_not else seen


def more_outcomes_count(design: Design, plan: TaskPlan, evidence: TaskEvidence, ln_boundary_ratio: float) -> int | None:
    """Outcomes that are still needed at the pace of those so far and of the plan; None where neither side gains."""
    if evidence.why_not:
        return None
    pace = _growth(plan, evidence, evidence.worst, design, is_inferior=False)
    if pace > 0:
        return max(1, round((ln_boundary_ratio - evidence.ln_e) / pace))
    pace = _growth(plan, evidence, evidence.best, design, is_inferior=True)
    missing = ln_alone(design.guards.inferior_alpha_fraction) - evidence.ln_inferior_e
    return max(1, round(missing / pace)) if pace > 0 else None


def _growth(plan: TaskPlan, evidence: TaskEvidence, test: EvidenceTest, design: Design, is_inferior: bool) -> float:
    """Evidence by outcome (of a canary: at the last share), as seen; the plan counts less and less beside it."""
    share = design.ramp[-1].share_fraction if design.mode == "canary" and design.ramp else EVEN_FRACTION
    planned = _planned_growth(plan, design.mode == "canary", design.margin_ratio) * 4 * share * (1 - share)
    gained = test.growth_ratio(is_inferior) * test.outcomes_count
    count = _outcomes_at_share(evidence.rows, share) if evidence.kind != "paired" else float(test.outcomes_count)
    worth = GROWTH_PRIOR_COUNT * max(0.0, 1.0 - count / PLAN_FORGOTTEN_COUNT)
    mixed = (gained + (-planned if is_inferior else planned) * worth) / max(count + worth, 1.0)
    return mixed if abs(mixed) > 1e-9 else 0.0


def _outcomes_at_share(rows: Observations, share: float) -> float:
    """Requests at this share of the candidate that would have told as much as those at the shares that they had."""
    chance = rows.propensity_fraction
    told = np.where((chance > 0) & (chance < 1), chance * (1 - chance) / (share * (1 - share)), 1.0)
    return float(told.sum())


def _planned_growth(plan: TaskPlan, is_canary: bool, margin: float) -> float:
    """Half of the squared expected score over its mean square, with the sign of the expected score."""
    phi = 0.0 if is_canary else plan.correlation_fraction
    chances = pair_chances(plan.baseline_success_fraction, plan.candidate_to_baseline_ratio, phi).array
    gain, square = float(chances @ gains(margin)), float(chances @ gains(margin) ** 2)
    growth = gain**2 / max(2 * square, 1e-12) * (0.5 if is_canary else 1.0)
    return float(np.copysign(growth, gain))


def more_days(design: Design, plan: TaskPlan, evidence: TaskEvidence, more_count: int) -> float | None:
    """Days until so many more are there, by the design's traffic and ramp, else as seen; None where nobody knows."""
    answered = 1.0 - max(evidence.state.missing_fractions)
    if plan.requests_per_hour and answered > 0:
        is_canary = design.mode == "canary" and bool(design.ramp)
        seen = _outcomes_at_share(evidence.rows, design.ramp[-1].share_fraction) if is_canary else 0.0
        until, since = (reached(design, plan, each / answered).days for each in (seen + more_count, seen))
        return None if until is None or since is None else until - since
    start = evidence.rows.start_unix_s[np.isfinite(evidence.rows.start_unix_s)]
    span = float(np.ptp(start)) if len(start) else 0.0
    if design.mode == "offline" or span < SEEN_MIN_S or not evidence.seen.outcomes_count:
        return None
    return more_count / evidence.seen.outcomes_count * span / SECONDS_PER_DAY
