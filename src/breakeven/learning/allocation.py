"""Allocation: which model takes which requests where capacity and budget are finite, as a linear program (HiGHS).

A request goes to one model; a self-hosted model takes no more than its capacity; the mean predicted success keeps a
floor; the bill keeps a budget. What is minimised is the cost per successful outcome (a ratio: Dinkelbach, Management
Science 13, 1967), or cost plus the stated cost of failures. Some requests, as those of a task, may have a floor of
their own. The dual prices give the rule for one request at a time: the lowest `cost + capacity price + value of a
success * (1 - success)`, where the price of a floor is part of what a success of its requests is worth.

Predictions flatter the model they choose; the floor that is promised is checked on held-out outcomes
(`quality_floor.py`), never on these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import LearningError

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ROWS_MAX_COUNT: Final = 5_000
"""The program is solved for so many requests, drawn from all; prices hardly move with more."""
_ROUNDS_MAX_COUNT: Final = 30
_FLOOR: Final = "\0floor"
_BUDGET: Final = "\0budget"
_PART: Final = "\0part "
_TOLERANCE_RATIO: Final = 1e-9
_FULL_FRACTION: Final = 1 - 1e-6


@dataclass(frozen=True, slots=True)
class Limits:
    """What is finite."""

    capacity_fraction: Mapping[str, float] = field(default_factory=dict)
    """Model -> the largest share of the requests that it can take; a model that is absent takes all."""
    budget_usd_per_request: float | None = None
    quality_floor_fraction: float | None = None
    """Least mean predicted success."""
    failure_usd_per_request: float | None = None
    """What a failure costs; None: unknown, and the cost per successful outcome is minimised instead."""
    seed: int = 0
    """Of the draw of `ROWS_MAX_COUNT` requests, where there are more."""


@dataclass(frozen=True, slots=True)
class PartFloor:
    """A floor of its own for some of the requests."""

    rows: Flags
    """Which requests, shape (rows,)."""
    quality_floor_fraction: float
    """Their least mean predicted success."""


NO_PARTS: Final[Mapping[str, PartFloor]] = {}


@dataclass(frozen=True, slots=True)
class Allocation:
    """The best split, and the prices that make it."""

    models: tuple[str, ...]
    share_fractions: tuple[float, ...]
    """Of the requests, by model."""
    usd_per_request: float
    success_fraction: float
    """Predicted."""
    value_usd_per_success: float
    """What one more success is worth at the margin: the rule's weight on failures."""
    capacity_usd_per_request: tuple[float, ...]
    """By model: what one more request of its capacity is worth; 0 where there is room."""
    divided_requests_count: int
    """Requests that the program splits between models (at most one for each limit)."""
    agreement_fraction: float
    """Share of the undivided requests for which the rule of prices chooses as the program does."""
    split_fractions: Floats
    """How each row is split between the models, shape (rows, models)."""
    value_usd_by_part: Mapping[str, float] = field(default_factory=dict)
    """Part with a floor of its own -> what one more success of its requests is worth at the margin, instead."""

    @property
    def usd_per_success(self) -> float:
        """Cost of one predicted success."""
        return self.usd_per_request / self.success_fraction


def allocate(
    models: Sequence[str],
    cost_usd: Floats,
    success: Floats,
    limits: Limits,
    allowed: Flags | None = None,
    requests_count: Floats | None = None,
    failure_usd: Floats | None = None,
    part_floors: Mapping[str, PartFloor] = NO_PARTS,
) -> Allocation:
    """The cheapest split of the requests within `limits`.

    `cost_usd` and `success` (predicted) have shape (requests, models); `allowed` says which model may take which
    request (latency, residency). A row may stand for `requests_count` requests, shape (rows,), as those of a group;
    then all rows are used. `failure_usd`, shape (rows,), is the least that a success of a row is worth. `part_floors`
    have a name each; no row is in two of them. Raises LearningError where no split keeps every limit, naming how far
    off it is.

    >>> found = allocate(("own", "api"), np.array([[0.0, 1.0]] * 4), np.full((4, 2), 0.9), Limits({"own": 0.5}))
    >>> found.share_fractions, round(found.capacity_usd_per_request[0], 6)
    ((0.5, 0.5), 1.0)
    """
    at = _sampled(len(cost_usd), limits.seed) if requests_count is None else np.arange(len(cost_usd))
    count = np.ones(len(cost_usd)) if requests_count is None else requests_count
    least = np.zeros(len(cost_usd)) if failure_usd is None else failure_usd
    may = np.ones(cost_usd.shape, bool) if allowed is None else allowed
    parts = {name: replace(each, rows=each.rows[at]) for name, each in part_floors.items() if each.rows[at].any()}
    program = _Program(tuple(models), cost_usd[at], success[at], may[at], limits, count[at], least[at], parts)
    cost, chance, may = program.cost, program.chance, program.may
    _check(program)
    if limits.failure_usd_per_request is not None:
        return program.solved(limits.failure_usd_per_request)
    ratio = float(cost[may].mean() / max(chance[may].mean(), 1e-12))
    for _ in range(_ROUNDS_MAX_COUNT):
        found = program.solved(ratio)
        if abs(found.usd_per_success - ratio) <= _TOLERANCE_RATIO * max(abs(ratio), 1e-12):
            break
        ratio = found.usd_per_success
    return found


def chosen(
    cost_usd: Floats, success: Floats, allocation: Allocation, allowed: Flags | None = None
) -> npt.NDArray[np.intp]:
    """The model of each request by the rule of prices."""
    prices = np.asarray(allocation.capacity_usd_per_request)
    burden = cost_usd + prices + allocation.value_usd_per_success * (1 - success)
    if allowed is not None:
        burden = np.where(allowed, burden, np.inf)
    found: npt.NDArray[np.intp] = np.argmin(burden, axis=1)
    return found


@dataclass(frozen=True, slots=True)
class _Limit:
    """One line of the program: row * x <= most."""

    name: str
    row: Floats
    most: float
    unit: float = 1.0
    """What the line was divided by."""


@dataclass(frozen=True, slots=True)
class _Program:
    models: tuple[str, ...]
    cost: Floats
    chance: Floats
    may: Flags
    limits: Limits
    count: Floats
    """Requests that each row stands for."""
    least_usd: Floats
    """What a success of each row is worth at least."""
    parts: Mapping[str, PartFloor]

    def solved(self, value_usd: float) -> Allocation:
        """Minimise cost - value * success, `value_usd` being what a success is worth before any floor asks for more."""
        from scipy.optimize import linprog
        from scipy.sparse import csr_array

        rows, width = self.cost.shape
        cells = np.arange(rows * width)
        each_once = csr_array((np.ones(rows * width), (cells // width, cells)), shape=(rows, rows * width))
        worth = np.maximum(value_usd, self.least_usd)[:, None]
        burden = (self.cost - worth * self.chance) * self.count[:, None]
        unit = float(np.abs(burden).mean()) or 1.0  # the solver's tolerances are absolute: let it see numbers near 1
        limits = self._limits(unit)
        result = linprog(  # type: ignore[call-overload] # its stubs know no sparse matrices
            (burden / unit).ravel(),
            A_ub=csr_array(np.stack([each.row for each in limits])) if limits else None,
            b_ub=[each.most for each in limits] or None,
            A_eq=each_once,
            b_eq=np.ones(rows),
            bounds=np.column_stack([np.zeros(rows * width), self.may.ravel().astype(float)]),
            method="highs",
        )
        if not result.success:
            raise LearningError(
                "no split keeps capacity, budget and floor together, though each alone can be kept: loosen one of them "
                f"({result.message})"
            )
        duals = {
            each.name: -float(dual) * unit / each.unit
            for each, dual in zip(limits, result.ineqlin.marginals if limits else (), strict=True)
        }
        return self._allocation(result.x.reshape(rows, width), value_usd, duals)

    def _limits(self, unit: float) -> list[_Limit]:
        rows, width = self.cost.shape
        count, total = self.count[:, None], float(self.count.sum())
        found = []
        for at, model in enumerate(self.models):
            if (share := self.limits.capacity_fraction.get(model, 1.0)) < 1:
                line = np.zeros((rows, width))
                line[:, at] = self.count
                found.append(_Limit(model, line.ravel(), share * total))
        if (floor := self.limits.quality_floor_fraction) is not None:
            found.append(_Limit(_FLOOR, -(self.chance * count).ravel(), -floor * total))
        for name, part in self.parts.items():
            mine = self.count * part.rows
            line = -self.chance * mine[:, None]
            found.append(_Limit(_PART + name, line.ravel(), -part.quality_floor_fraction * float(mine.sum())))
        if (budget := self.limits.budget_usd_per_request) is not None:
            found.append(_Limit(_BUDGET, (self.cost * count).ravel() / unit, budget * total / unit, unit))
        return found

    def _allocation(self, split: Floats, value_usd: float, duals: Mapping[str, float]) -> Allocation:
        scale = 1 + max(duals.get(_BUDGET, 0.0), 0.0)  # a binding budget makes each dollar count for more
        floor = max(duals.get(_FLOOR, 0.0), 0.0)
        value = (value_usd + floor) / scale
        prices = tuple(max(duals.get(each, 0.0), 0.0) / scale for each in self.models)
        whole = split.max(axis=1) >= _FULL_FRACTION
        worth = np.maximum(value, self.least_usd / scale)
        of_part = {}
        for name, part in self.parts.items():
            more = floor + max(duals.get(_PART + name, 0.0), 0.0)
            worth = np.where(part.rows, (np.maximum(value_usd, self.least_usd) + more) / scale, worth)
            of_part[name] = (max(value_usd, float(self.least_usd[part.rows].min())) + more) / scale
        burden = np.where(self.may, self.cost + np.asarray(prices) + worth[:, None] * (1 - self.chance), np.inf)
        best, mine = burden.min(axis=1), burden[np.arange(len(split)), split.argmax(axis=1)]
        agrees = mine <= best + 1e-9 * np.maximum(np.abs(best), 1e-12)  # of equal burdens either is the rule's choice
        return Allocation(
            self.models,
            tuple(_mean(each, self.count) for each in split.T),
            _mean((split * self.cost).sum(axis=1), self.count),
            _mean((split * self.chance).sum(axis=1), self.count),
            value,
            prices,
            int((~whole).sum()),
            float(agrees[whole].mean()) if whole.any() else 1.0,
            split,
            of_part,
        )


def _mean(values: Floats, count: Floats) -> float:
    return float((values * count).sum() / count.sum())


def _sampled(rows: int, seed: int) -> npt.NDArray[np.intp]:
    """The rows that the program is solved for."""
    if rows <= ROWS_MAX_COUNT:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, ROWS_MAX_COUNT, replace=False))


def _check(program: _Program) -> None:
    """Every limit alone must be within reach; together they may still not be, which the program then says."""
    models, limits = program.models, program.limits
    cost, chance, may, count = program.cost, program.chance, program.may, program.count
    if not len(cost):
        raise LearningError("no request to allocate; wanted outcomes of at least one")
    if not np.isfinite(cost[may]).all() or not np.isfinite(chance[may]).all():
        raise LearningError(
            "a cost or a predicted success is not known; give prices (--price MODEL=USD) or leave the model out"
        )
    unknown = sorted(set(limits.capacity_fraction) - set(models))
    if unknown:
        raise LearningError(f"a capacity for {', '.join(unknown)}, which no outcome names; known: {', '.join(models)}")
    if not may.any(axis=1).all():
        raise LearningError(f"{int((~may.any(axis=1)).sum())} requests may go to no model: loosen latency or residency")
    room = sum(limits.capacity_fraction.get(each, 1.0) for each in models)
    if room < 1:
        raise LearningError(
            f"the capacities hold {100 * room:.0f} % of the requests; add a model without a limit, or more capacity"
        )
    highest = np.where(may, chance, -np.inf).max(axis=1)
    best = _mean(highest, count)
    if limits.quality_floor_fraction is not None and best < limits.quality_floor_fraction:
        raise LearningError(
            f"no split reaches a success of {limits.quality_floor_fraction:.3f}: choosing the best model for every "
            f"request is predicted to reach {best:.3f}"
        )
    for name, part in program.parts.items():
        reach = _mean(highest[part.rows], count[part.rows])
        if reach < part.quality_floor_fraction:
            raise LearningError(
                f"no split reaches a success of {part.quality_floor_fraction:.3f} in {name or 'the other tasks'}: "
                f"choosing the best model for every request is predicted to reach {reach:.3f}"
            )
    least = _mean(np.where(may, cost, np.inf).min(axis=1), count)
    if limits.budget_usd_per_request is not None and least > limits.budget_usd_per_request:
        raise LearningError(
            f"the budget of {limits.budget_usd_per_request:.6g} USD a request is below the cheapest split, {least:.6g}"
        )
