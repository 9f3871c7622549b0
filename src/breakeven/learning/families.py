"""Family: policies of one kind that differ in one setting, from the safest to the boldest; learning picks one of them.

A setting of a router is what a success is worth; of a cascade, how much an answer must be trusted to be given out. The
choices of a family are made on requests learnt from (by predictions that did not see their outcomes) and on those kept
for calibration, by the rule that the policy will follow when it serves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.learning.allocation import Limits, allocate
from breakeven.learning.cascades import Cascade
from breakeven.learning.frontier import Sweep, choose, value_sweep
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable
from breakeven.routing.policy import Kind
from breakeven.routing.policy_document import CascadePlan

Flags = npt.NDArray[np.bool_]

NEVER_USD: Final = 1e6
"""Added to the cost of a model that may not take a request, so that no setting chooses it."""
ALLOCATIONS_COUNT: Final = 24
"""Settings for which the program of capacities is solved."""
ALLOCATION_ROWS_MAX_COUNT: Final = 1_500


@dataclass(frozen=True, slots=True)
class Judged:
    """What a router knows of some requests; arrays of shape (requests, models)."""

    table: OutcomeTable
    scores: Floats
    """Predicted success."""
    expected_usd: Floats
    """What a call is expected to cost, with `NEVER_USD` where the model may not take it."""
    failure_usd: Floats
    """What a failed answer costs, shape (requests,): a success is worth that at least."""


@dataclass(frozen=True, slots=True)
class Side:
    """A family's choices on some requests, at each setting."""

    table: OutcomeTable
    sweep: Sweep
    cost_usd: Floats
    """What each request cost, shape (settings, requests); NaN where a cost is not known."""


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of policy at each of its settings."""

    kind: Kind
    name: str
    train: Side
    calibration: Side
    capacity_usd: Floats | None = None
    """Prices of capacity at each setting, shape (settings, models)."""
    plan: CascadePlan | None = None

    @property
    def settings(self) -> Floats:
        """USD that a success is worth, or least trust in an answer; safest first."""
        return self.train.sweep.settings


@dataclass(frozen=True, slots=True)
class Capacities:
    """Limits of an allocation, but for what a success is worth."""

    capacity_fraction: Mapping[str, float] = field(default_factory=dict)
    budget_usd_per_request: float | None = None

    def __bool__(self) -> bool:
        return bool(self.capacity_fraction) or self.budget_usd_per_request is not None


def router(kind: Kind, name: str, train: Judged, calibration: Judged) -> Family:
    """The rule `lowest cost + value * (1 - success)` for values from without limit to nothing."""
    values = value_sweep(train.scores, train.expected_usd).settings[::-1]
    free = np.zeros((len(values), 1))
    return Family(kind, name, _side(train, values, free), _side(calibration, values, free))


def allocation(name: str, train: Judged, calibration: Judged, limits: Capacities, seed: int) -> Family:
    """The same rule with prices of capacity, which a linear program finds for each value of a success."""
    values = value_sweep(train.scores, train.expected_usd, ALLOCATIONS_COUNT).settings[::-1]
    values = values[np.isfinite(values)]
    rows = np.random.default_rng(seed).permutation(len(train.scores))[:ALLOCATION_ROWS_MAX_COUNT]
    allowed = train.expected_usd[rows] < NEVER_USD
    prices = np.array(
        [
            allocate(
                train.table.models,
                train.expected_usd[rows],
                train.scores[rows],
                Limits(limits.capacity_fraction, limits.budget_usd_per_request, None, float(value)),
                allowed,
            ).capacity_usd_per_request
            for value in values
        ]
    )
    return Family("allocation", name, _side(train, values, prices), _side(calibration, values, prices), prices)


def cascade(train: Cascade, calibration: Cascade, sides: tuple[OutcomeTable, OutcomeTable], check_usd: float) -> Family:
    """A cascade at each level of trust that tells answers apart."""
    known = train.trust[np.isfinite(train.trust)]
    thresholds = np.unique(np.quantile(known, np.linspace(0.02, 0.98, 60))) if len(known) else np.array([0.5])
    if set(np.unique(known)) <= {0.0, 1.0}:
        thresholds = np.array([0.5])
    return Family(
        "cascade",
        train.name,
        _cascade_side(train, sides[0], thresholds, check_usd),
        _cascade_side(calibration, sides[1], thresholds, check_usd),
        plan=train.plan,
    )


def _cascade_side(mine: Cascade, table: OutcomeTable, thresholds: Floats, check_usd: float) -> Side:
    sweep = mine.sweep(thresholds)
    return Side(table, sweep, np.stack([mine.cost_usd(row, table.cost_usd, check_usd) for row in sweep.choices]))


def _side(judged: Judged, values: Floats, prices: Floats) -> Side:
    choices = np.stack(
        [
            chosen_models(judged.scores, judged.expected_usd + price, np.maximum(value, judged.failure_usd))
            for value, price in zip(values, prices, strict=True)
        ]
    )
    rows = np.arange(judged.table.requests_count)
    return Side(judged.table, Sweep(values, choices), judged.table.cost_usd[rows[None, :], choices])


def chosen_models(scores: Floats, expected_usd: Floats, value_usd: Floats) -> Indexes:
    """The model with the lowest cost + value * (1 - success) of each request; `value_usd` has shape (requests,).

    >>> chosen_models(np.array([[0.5, 0.9]] * 2), np.array([[1.0, 3.0]] * 2), np.array([1.0, 10.0])).tolist()
    [0, 1]
    """
    found = np.zeros(len(scores), dtype=np.intp)
    for value in np.unique(value_usd):
        mine = value_usd == value
        found[mine] = choose(scores[mine], expected_usd[mine], float(value))
    return found


def boldest(family: Family, reference: int, quality_floor_ratio: float) -> int:
    """The boldest setting before which all keep the floor on the requests learnt from: an estimate, not a proof."""
    success = family.train.table.success
    rows = np.arange(len(success))[None, :]
    kept = success[rows, family.train.sweep.choices].mean(axis=1) >= quality_floor_ratio * success[:, reference].mean()
    return int(len(kept) - 1 if kept.all() else max(int(np.argmin(kept)) - 1, 0))
