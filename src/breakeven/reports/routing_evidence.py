"""Routing evidence: each group of requests under a policy, and predicted against observed success, with intervals.

All of it is counted on the calibration requests, from which nothing was learnt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from breakeven.learning.evaluation_document import FigurePart
from breakeven.learning.group_rates import paths_of
from breakeven.learning.judgement import Judgement
from breakeven.learning.learn import Learnt
from breakeven.learning.resampling import CONFIDENCE_FRACTION
from breakeven.outcomes.outcome import Floats, Indexes
from breakeven.reports.amounts import fraction
from breakeven.routing.policy_document import GroupChoice, PolicyDocument

BINS_COUNT: Final = 10
BIN_MIN_COUNT: Final = 20
"""Requests in one bin of the calibration, where there are enough for more than one."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskPart(_Part):
    """One group of requests under the policy, on the calibration requests."""

    group: dict[str, str]
    share_fraction: float
    """Of all calibration requests."""
    requests: int
    """Calibration requests of the group: the evidence."""
    learnt_from_requests: int
    model_shares: dict[str, float]
    """Who takes the group's requests; the one that takes most comes first."""
    success: FigurePart
    usd_per_request: float | None
    usd_per_success: float | None
    reference_success: FigurePart
    reference_usd_per_request: float | None
    why: str


class CalibrationPart(_Part):
    """Requests for which about the same success of a model was predicted, and what came of it."""

    model: str
    predicted_fraction: float
    observed: FigurePart
    requests: int

    @property
    def is_inside(self) -> bool:
        """Whether the prediction lies within the interval of what was observed."""
        low, high = self.observed.low, self.observed.high
        return low is not None and high is not None and low <= self.predicted_fraction <= high


def tasks_of(learnt: Learnt, judgement: Judgement, policy: PolicyDocument) -> list[TaskPart]:
    """The groups, the largest first."""
    rows_of: dict[tuple[str, ...], list[int]] = {}
    for row, path in enumerate(paths_of(learnt.calibration)):
        rows_of.setdefault(path, []).append(row)
    known = {each.path: each for each in policy.groups}
    found = [
        _task(path, np.array(rows, dtype=np.intp), learnt, judgement, known.get(path)) for path, rows in rows_of.items()
    ]
    return sorted(found, key=lambda each: (-each.requests, tuple(each.group.values())))


def calibration_of(learnt: Learnt) -> list[CalibrationPart]:
    """Predicted against observed success of each model, in up to ten bins of about as many requests."""
    table = learnt.calibration
    return [
        part
        for at, model in enumerate(table.models)
        for part in _bins(model, learnt.calibration_scores[:, at], table.success[:, at])
    ]


def success_interval(mean_fraction: float, requests_count: int) -> FigurePart:
    """A success rate with its 95 % interval (Wilson's score; with outcomes that are fractions it is too wide, if off).

    >>> found = success_interval(0.5, 100)
    >>> round(found.low, 4), round(found.high, 4), success_interval(1.0, 20).high
    (0.4038, 0.5962, 1.0)
    """
    if requests_count == 0:
        return FigurePart(value=None, low=None, high=None, why="no request")
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE_FRACTION / 2)
    n, p = requests_count, mean_fraction
    middle, wide = (p + z * z / (2 * n)) / (1 + z * z / n), 1 + z * z / n
    half = z / wide * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return FigurePart(value=p, low=max(0.0, min(middle - half, p)), high=min(1.0, max(middle + half, p)))


def _task(
    path: tuple[str, ...], rows: Indexes, learnt: Learnt, judgement: Judgement, choice: GroupChoice | None
) -> TaskPart:
    table = learnt.calibration
    reference = table.models.index(learnt.reference)
    chosen = judgement.choices[rows]
    success = float(table.success[rows, chosen].mean())
    usd = float(judgement.cost_usd[rows].mean())
    counts = np.bincount(chosen, minlength=len(table.models))
    order = [int(at) for at in np.argsort(-counts, kind="stable") if counts[at]]
    predicted = learnt.calibration_scores[rows].mean(axis=0)
    return TaskPart(
        group=dict(zip(table.levels, path, strict=True)),
        share_fraction=len(rows) / table.requests_count,
        requests=len(rows),
        learnt_from_requests=choice.tries_count if choice else 0,
        model_shares={table.models[at]: float(counts[at] / len(rows)) for at in order},
        success=success_interval(success, len(rows)),
        usd_per_request=_finite(usd),
        usd_per_success=_finite(usd / success) if success > 0 else None,
        reference_success=success_interval(float(table.success[rows, reference].mean()), len(rows)),
        reference_usd_per_request=_finite(float(table.cost_usd[rows, reference].mean())),
        why=_why(order[0], len(order), predicted, table.cost_usd[rows].mean(axis=0), learnt, choice),
    )


def _why(
    model: int, models_count: int, predicted: Floats, usd: Floats, learnt: Learnt, choice: GroupChoice | None
) -> str:
    """What decided, in words."""
    names, reference = learnt.calibration.models, learnt.calibration.models.index(learnt.reference)
    if choice is not None and choice.allowed_models:
        return f"only {', '.join(choice.allowed_models)} may take it"
    if choice is not None and choice.why:
        return choice.why
    if models_count > 1:
        return "the prompt decides, request by request"
    if model == reference:
        cheaper = [at for at in range(len(names)) if usd[at] < usd[reference]]
        if not cheaper:
            return "nothing is cheaper here"
        best = max(cheaper, key=lambda at: float(predicted[at]))
        return (
            f"{names[best]} would be cheaper, but is predicted to succeed in {fraction(float(predicted[best]))}, "
            f"against {fraction(float(predicted[reference]))}"
        )
    part = f" at {fraction(float(usd[model] / usd[reference]))} of the cost" if usd[reference] > 0 else ""
    return (
        f"predicted to succeed in {fraction(float(predicted[model]))}, against "
        f"{fraction(float(predicted[reference]))} of {names[reference]}{part}"
    )


def _bins(model: str, predicted: Floats, observed: Floats) -> Iterator[CalibrationPart]:
    values = np.unique(predicted)
    most = max(1, min(BINS_COUNT, len(predicted) // BIN_MIN_COUNT))
    if len(values) <= most:
        edges = values[1:]
    else:
        edges = np.unique(np.quantile(predicted, np.linspace(0, 1, most + 1)[1:-1]))
    which = np.searchsorted(edges, predicted, side="right")
    for at in range(len(edges) + 1):
        mine = which == at
        if mine.any():
            yield CalibrationPart(
                model=model,
                predicted_fraction=float(predicted[mine].mean()),
                observed=success_interval(float(observed[mine].mean()), int(mine.sum())),
                requests=int(mine.sum()),
            )


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def group_words(group: Mapping[str, str]) -> str:
    """A group's name for a reader."""
    return " / ".join(each or "not named" for each in group.values()) or "all requests"
