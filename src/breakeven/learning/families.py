"""Family: policies of one kind that differ in one setting, from the safest to the boldest; learning picks one of them.

A setting of a router is what a success is worth; of a cascade, how much an answer must be trusted to be given out. The
choices of a family are made on requests learnt from (by predictions that did not see their outcomes) and on those kept
for calibration, by the rule that the policy will follow when it serves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import LearningError
from breakeven.learning.allocation import Allocation, Limits, allocate
from breakeven.learning.cascades import Cascade
from breakeven.learning.frontier import Sweep, choose, value_sweep
from breakeven.learning.group_shares import Groups, Shares, divided, drawn, groups_of, is_by_group
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable
from breakeven.routing.policy import Kind
from breakeven.routing.policy_document import CascadePlan

Flags = npt.NDArray[np.bool_]

NEVER_USD: Final = 1e6
"""Added to the cost of a model that may not take a request, so that no setting chooses it."""
ALLOCATIONS_COUNT: Final = 24
"""Settings for which the program of capacities is solved."""
ALLOCATION_ROWS_MAX_COUNT: Final = 1_500
TIGHTENING_MAX_COUNT: Final = 200
VALUE_STEP_RATIO: Final = 0.97


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
    shares: tuple[Shares, ...] | None = None
    """At each setting, each group's shares; None where requests are decided one by one."""
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
    return Family(kind, name, side_of(train, values, free), side_of(calibration, values, free))


def allocation(name: str, train: Judged, calibration: Judged, limits: Capacities, seed: int) -> Family:
    """The cheapest split within the limits for each value of a success, by a linear program.

    Where the groups decide, it divides them; where a scorer does, it gives prices of capacity for the same rule.
    """
    by_group = is_by_group(calibration.table, calibration.scores)
    found = None if by_group else _by_request(name, train, calibration, limits, seed)
    return found or _by_group(name, train, calibration, limits)


def _by_group(name: str, train: Judged, calibration: Judged, limits: Capacities) -> Family:
    models = train.table.models
    groups = groups_of(train.table, train.scores, train.failure_usd)
    allowed = groups_of(train.table, train.expected_usd, train.failure_usd).scores < NEVER_USD / 2
    shares: list[Shares] = []
    found: list[Allocation] = []
    for value in _values(groups, allowed):
        mine, split = divided(groups, models, program_limits(limits, float(value)), allowed)
        if not shares or mine != shares[-1]:
            shares.append(mine)
            found.append(split)
    worth = np.array([each.value_usd_per_success for each in found])
    price = np.array([each.capacity_usd_per_request for each in found])
    sides = [drawn_side(each, worth, price, shares) for each in (train, calibration)]
    return Family("allocation", name, sides[0], sides[1], price, tuple(shares))


def _values(groups: Groups, allowed: Flags) -> Floats:
    """What a success may be worth: where groups turn from one model to another, and far above; largest first."""
    usd = np.where(allowed, groups.cost_usd, groups.cost_usd.max())
    found = value_sweep(np.where(allowed, groups.scores, 0.0), usd, ALLOCATIONS_COUNT).settings
    known = found[np.isfinite(found)]
    return np.concatenate([known, [10 * max(float(known.max()), float(usd.max()))]])[::-1]


def program_limits(limits: Capacities, value_usd: float | None) -> Limits:
    """The limits of the linear program, where a success is worth so much; None: the cost of a success is minimised."""
    return Limits(limits.capacity_fraction, limits.budget_usd_per_request, None, value_usd)


def drawn_side(judged: Judged, values: Floats, prices: Floats, shares: Sequence[Shares]) -> Side:
    """Choices by shares; a group that was not seen is decided by the rule with prices."""
    plain = side_of(judged, values, prices)
    choices = np.stack([drawn(each, judged.table, row) for each, row in zip(shares, plain.sweep.choices, strict=True)])
    rows = np.arange(judged.table.requests_count)
    return Side(judged.table, Sweep(values, choices), judged.table.cost_usd[rows[None, :], choices])


def _by_request(name: str, train: Judged, calibration: Judged, limits: Capacities, seed: int) -> Family | None:
    """The rule with prices, made so tight that it keeps the limits on the requests learnt from; None where none can."""
    sweep = value_sweep(train.scores, train.expected_usd, ALLOCATIONS_COUNT).settings[::-1]
    rows = np.random.default_rng(seed).permutation(len(train.scores))[:ALLOCATION_ROWS_MAX_COUNT]
    allowed = train.expected_usd[rows] < NEVER_USD / 2
    settings = []
    for value in sweep[np.isfinite(sweep)]:
        try:
            found = allocate(
                train.table.models, train.expected_usd[rows], train.scores[rows], program_limits(limits, float(value)),
                allowed, None, train.failure_usd[rows],
            )  # fmt: skip
        except LearningError:
            return None  # the groups' program says what is wrong, if it is
        start = np.asarray(found.capacity_usd_per_request)
        worth = found.value_usd_per_success
        if (tight := tightened(train, worth, start, limits)) is not None:
            settings.append((tight[0] * worth, tight[1]))
    kept = _ever_cheaper(train, settings)
    if not kept:
        return None
    values, prices = np.array([each[0] for each in kept]), np.stack([each[1] for each in kept])
    return Family("allocation", name, side_of(train, values, prices), side_of(calibration, values, prices), prices)


def tightened(
    train: Judged, value_usd: Floats | float, price_usd: Floats, limits: Capacities
) -> tuple[float, Floats] | None:
    """By what part to lower the value of a success, and prices of capacity no lower, so that the rule keeps the limits.

    The value may be one for each request. None where no prices keep them.
    """
    part, price = 1.0, price_usd.copy()
    budget, models = limits.budget_usd_per_request, train.table.models
    for _ in range(TIGHTENING_MAX_COUNT):
        value = part * value_usd
        choices = ruled(train, value, price)
        usd = float(train.table.cost_usd[np.arange(len(choices)), choices].mean())
        over = [
            (at, limits.capacity_fraction.get(each, 1.0))
            for at, each in enumerate(models)
            if (choices == at).mean() > limits.capacity_fraction.get(each, 1.0) + 1e-9
        ]
        if not over and (budget is None or usd <= budget * (1 + 1e-9)):
            return part, price
        if budget is not None and usd > budget:
            part *= VALUE_STEP_RATIO
            value = part * value_usd
        for at, most in over:
            price[at] += _raise_usd(train, value, price, at, most)
    return None


def _ever_cheaper(train: Judged, settings: list[tuple[float, Floats]]) -> list[tuple[float, Floats]]:
    """The settings that cost less than all before them: prices of capacity may make a lower value no bolder."""
    kept: list[tuple[float, Floats]] = []
    least = np.inf
    for value, price in settings:
        choices = ruled(train, value, price)
        usd = float(train.table.cost_usd[np.arange(len(choices)), choices].mean())
        if usd < least * (1 - 1e-9):
            kept.append((value, price))
            least = usd
    return kept


def ruled(judged: Judged, value: Floats | float, price: Floats) -> Indexes:
    """The model of each request by the rule with prices of capacity."""
    return chosen_models(judged.scores, judged.expected_usd + price, np.maximum(value, judged.failure_usd))


def _raise_usd(judged: Judged, value: Floats | float, price: Floats, at: int, most: float) -> float:
    """By how much a model's price must rise so that no more than `most` of the requests still prefer it."""
    worth = np.maximum(value, judged.failure_usd)[:, None]
    burden = judged.expected_usd + price + worth * (1 - judged.scores)
    lead = np.sort(np.delete(burden, at, axis=1).min(axis=1) - burden[:, at])[::-1]
    first_out = lead[min(int(most * len(lead) + 1e-9), len(lead) - 1)]
    return max(float(first_out), 0.0) * (1 + 1e-9) + 1e-12 * float(np.abs(burden).max())


def left_to(family: Family, reference: int, rows: Flags) -> Family:
    """The same with some calibration requests at the reference model, as it will serve them."""
    table = family.calibration.table
    choices = np.where(rows, reference, family.calibration.sweep.choices)
    cost = table.cost_usd[np.arange(table.requests_count)[None, :], choices]
    sweep = Sweep(family.calibration.sweep.settings, choices)
    return replace(family, calibration=Side(table, sweep, cost))


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


def side_of(judged: Judged, values: Floats, prices: Floats) -> Side:
    """The rule's choices at each value of a success and its prices of capacity."""
    choices = np.stack([ruled(judged, value, price) for value, price in zip(values, prices, strict=True)])
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
