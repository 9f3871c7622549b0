"""Own cost: what a pilot itself is expected to cost: the candidate's calls, and labels by people.

In a shadow every copy costs what the candidate costs. In a canary a request costs what the candidate asks above the
baseline, which is less than nothing where the candidate is cheaper. Offline nothing is sent. People label the audited
share of the requests (both answers of a pair) where no declared checks judge the task.
"""

from __future__ import annotations

from typing import Any

from breakeven.pilot.design import Design, TaskPlan
from breakeven.pilot.stopping import SizeFigures
from breakeven.pilot.traffic_days import reached


def own_cost(design: Design, plan: TaskPlan, figures: SizeFigures) -> dict[str, Any]:
    """Mean, and low and high as nine in ten pilots have it; None where a price is not stated."""
    per_request = _usd_per_candidate_request(design, plan)
    labels = _labels_per_outcome_count(design, plan)
    not_stated = []
    if per_request is None:
        not_stated.append("price of a request" if design.mode == "canary" else "price of a request of the candidate")
    if labels and design.label_usd is None:
        not_stated.append("price of a label")
    counts = (figures.mean_count, figures.p5_count or figures.cap_count, figures.p95_count or figures.cap_count)
    candidates = [reached(design, plan, count).candidate_requests_count for count in counts]
    calls = None if per_request is None else [per_request * each for each in candidates]
    by_people = [labels * count * (design.label_usd or 0.0) for count in counts]
    lines = [{"name": "calls", **_figures(calls)}]
    if labels and design.label_usd is not None:
        lines.append({"name": "labels", **_figures(by_people)})
    total = None if calls is None else [a + b for a, b in zip(calls, by_people, strict=True)]
    return {**_figures(total), "lines": lines, "not_stated": not_stated}


def _figures(mean_few_many: list[float] | None) -> dict[str, float | None]:
    """Mean, low and high; what is saved (below 0) is least where the pilot is longest."""
    if mean_few_many is None:
        return dict.fromkeys(("mean_usd", "low_usd", "high_usd"))
    low, high = sorted(mean_few_many[1:])
    return {"mean_usd": _digits(mean_few_many[0]), "low_usd": _digits(low), "high_usd": _digits(high)}


def _usd_per_candidate_request(design: Design, plan: TaskPlan) -> float | None:
    if design.mode == "offline":
        return 0.0
    if design.mode == "shadow":
        return plan.candidate_usd_per_request
    if plan.candidate_usd_per_request is None or plan.baseline_usd_per_request is None:
        return None
    return plan.candidate_usd_per_request - plan.baseline_usd_per_request


def _labels_per_outcome_count(design: Design, plan: TaskPlan) -> float:
    """Labels by people for each outcome of the test; 0 where declared checks judge."""
    if plan.task in design.checks_by_task or "" in design.checks_by_task:
        return 0.0
    return design.audit_fraction * (1.0 if design.mode == "canary" else 2.0)


def _digits(value: float) -> float:
    return float(f"{value:.4g}")
