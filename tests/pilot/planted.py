"""Planted pilots: observations drawn with a known truth, for the tests and the benchmarks of savings and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from breakeven.pilot.design import Design, TaskPlan
from breakeven.pilot.observations import BASELINE, CANDIDATE, Floats, Observations

HOUR_S = 3600.0


def design(**changes: Any) -> Design:
    """A shadow of one task."""
    plan = TaskPlan("faq", "openai/gpt-5", "qwen3-8b", requests_per_hour=100.0)
    return Design(**{"name": "faq", "mode": "shadow", "tasks": (plan,), "created": "2026-11-01T00:00:00Z", **changes})


def observations(
    cost_usd: Floats,
    success: Floats,
    arm: Floats,
    *,
    request: Floats | None = None,
    unit: Floats | None = None,
    tasks: tuple[str, ...] = ("faq",),
    **columns: Any,
) -> Observations:
    """Rows as given; what is not given is plain: one request a minute, unit = request, no retries."""
    rows = len(arm)
    request = np.arange(rows) if request is None else np.asarray(request)
    plain: dict[str, Any] = {
        "task": np.zeros(rows, dtype=np.intp),
        "start_unix_s": np.asarray(request, dtype=np.float64) * 60.0,
        "judged": np.full(rows, np.nan),
        "is_audited": np.zeros(rows, dtype=np.bool_),
        "audit_fraction": np.zeros(rows),
        "latency_s": np.ones(rows),
        "is_error": np.zeros(rows, dtype=np.bool_),
        "propensity_fraction": np.ones(rows),
        "tokens_in": np.full(rows, 1000.0),
        "tokens_out": np.full(rows, 200.0),
        "retries_count": np.zeros(rows),
    }
    return Observations(
        request_ids=tuple(f"r{int(each)}" for each in request),
        arm=np.asarray(arm, dtype=np.intp),
        unit=np.asarray(request if unit is None else unit, dtype=np.intp),
        success=np.asarray(success, dtype=np.float64),
        cost_usd=np.asarray(cost_usd, dtype=np.float64),
        tasks=tasks,
        **{**plain, **columns},
    )


def paired(
    baseline_usd: Floats, candidate_usd: Floats, baseline: Floats, candidate: Floats, **more: Any
) -> Observations:
    """A shadow: requests with two rows each, one after the other."""
    pairs = len(baseline_usd)
    both = np.stack([baseline_usd, candidate_usd], axis=1).ravel()
    success = np.stack([baseline, candidate], axis=1).ravel()
    request = np.repeat(np.arange(pairs), 2)
    unit = more.pop("unit", None)
    unit = None if unit is None else np.repeat(unit, 2)
    return observations(both, success, np.tile([BASELINE, CANDIDATE], pairs), request=request, unit=unit, **more)


@dataclass(frozen=True, slots=True)
class Costs:
    """A heavy-tailed cost and its mean."""

    draws: Floats
    mean_usd: float


def heavy_costs(kind: str, rng: np.random.Generator, count: int) -> Costs:
    """Costs of requests: `lognormal` (sigma 1.5), `pareto` (tail index 2.5) or `even`, around a cent."""
    if kind == "lognormal":
        return Costs(0.01 * np.exp(1.5 * rng.standard_normal(count)), 0.01 * float(np.exp(1.125)))
    if kind == "pareto":
        return Costs(0.01 * (1.0 + rng.pareto(2.5, count)), 0.01 * 2.5 / 1.5)
    return Costs(0.01 + 0.002 * rng.standard_normal(count), 0.01)
