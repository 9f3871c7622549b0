"""Planted outcomes: observations of a pilot whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from breakeven.pilot.design import Design, Mode, TaskPlan
from breakeven.pilot.observations import BASELINE, CANDIDATE, Codes, Flags, Floats, Observations

START_UNIX_S = 1.79e9


def design(mode: Mode = "shadow", tasks: tuple[str, ...] = ("",), **changes: Any) -> Design:
    plans = tuple(TaskPlan(task, "big", "small", requests_per_hour=100.0) for task in tasks)
    return Design("planted", mode, plans, "2026-11-26T00:00:00Z", **changes)


def observations(
    request_ids: tuple[str, ...],
    arm: Codes,
    success: Floats,
    *,
    unit: Codes | None = None,
    task: Codes | None = None,
    tasks: tuple[str, ...] = ("",),
    propensity_fraction: Floats | None = None,
    start_unix_s: Floats | None = None,
    is_error: Flags | None = None,
    latency_s: Floats | None = None,
    cost_usd: Floats | None = None,
    tokens_in: Floats | None = None,
    judged: Floats | None = None,
    is_audited: Flags | None = None,
    audit_fraction: Floats | None = None,
) -> Observations:
    rows = len(arm)
    ids = {name: i for i, name in enumerate(dict.fromkeys(request_ids))}
    return Observations(
        request_ids=request_ids,
        arm=arm.astype(np.intp),
        task=np.zeros(rows, dtype=np.intp) if task is None else task.astype(np.intp),
        unit=np.array([ids[each] for each in request_ids], dtype=np.intp) if unit is None else unit.astype(np.intp),
        start_unix_s=START_UNIX_S + np.arange(rows, dtype=float) if start_unix_s is None else start_unix_s,
        success=success.astype(float),
        judged=np.full(rows, np.nan) if judged is None else judged,
        is_audited=np.zeros(rows, dtype=np.bool_) if is_audited is None else is_audited,
        audit_fraction=np.full(rows, np.nan) if audit_fraction is None else audit_fraction,
        cost_usd=np.full(rows, 0.01) if cost_usd is None else cost_usd,
        latency_s=np.ones(rows) if latency_s is None else latency_s,
        is_error=np.zeros(rows, dtype=np.bool_) if is_error is None else is_error,
        propensity_fraction=np.ones(rows) if propensity_fraction is None else propensity_fraction,
        tasks=tasks,
        tokens_in=np.full(rows, 500.0) if tokens_in is None else tokens_in,
        tokens_out=np.full(rows, 100.0),
        retries_count=np.zeros(rows),
    )


def paired_outcomes(
    rng: np.random.Generator, pairs: int, baseline: float, ratio: float, phi: float
) -> tuple[Floats, Floats]:
    """Two outcomes of each request with these rates and this correlation."""
    candidate = baseline * ratio
    both = baseline * candidate + phi * np.sqrt(baseline * (1 - baseline) * candidate * (1 - candidate))
    one = rng.uniform(size=pairs) < baseline
    chance = np.where(one, both / baseline, (candidate - both) / (1 - baseline))
    return one.astype(float), (rng.uniform(size=pairs) < chance).astype(float)


def shadow(
    rng: np.random.Generator, pairs: int, ratio: float, baseline: float = 0.9, phi: float = 0.3, **given: Any
) -> Observations:
    """Rows of both arms, request after request."""
    one, other = paired_outcomes(rng, pairs, baseline, ratio, phi)
    ids = tuple(f"r{i // 2}" for i in range(2 * pairs))
    arm = np.tile([BASELINE, CANDIDATE], pairs)
    start = START_UNIX_S + np.repeat(np.arange(pairs), 2) * 36.0
    return observations(ids, arm, np.column_stack([one, other]).ravel(), **({"start_unix_s": start} | given))


def canary(
    rng: np.random.Generator,
    requests: int,
    ratio: float,
    baseline: float | Floats = 0.9,
    share: float | Floats = 0.5,
    **given: Any,
) -> Observations:
    """Requests dealt to arms by lot."""
    chance = np.broadcast_to(np.asarray(share, dtype=float), (requests,))
    is_candidate = rng.uniform(size=requests) < chance
    success = rng.uniform(size=requests) < np.where(is_candidate, ratio, 1.0) * baseline
    ids = tuple(f"r{i}" for i in range(requests))
    return observations(
        ids,
        np.where(is_candidate, CANDIDATE, BASELINE),
        success.astype(float),
        **({"propensity_fraction": np.where(is_candidate, chance, 1 - chance)} | given),
    )


def audited(
    rng: np.random.Generator, rows: Observations, audit: float, lenient: float, right: float = 0.96
) -> Observations:
    """The same where a judge labels all answers, too kindly to the candidate's, and people a random few."""
    kind = np.where(rows.arm == CANDIDATE, lenient, 1 - right)
    judged = rng.uniform(size=rows.rows_count) < np.where(rows.success > 0.5, right, kind)
    drawn_units = rng.uniform(size=int(rows.unit.max()) + 1) < audit
    drawn = drawn_units[rows.unit]
    return replace(
        rows,
        judged=judged.astype(float),
        is_audited=drawn,
        audit_fraction=np.full(rows.rows_count, audit),
        success=np.where(drawn, rows.success, np.nan),
    )
