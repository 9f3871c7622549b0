"""Outcomes seen: what the log's own outcomes say of a small model, task by task, against today's other models.

The share that a small model can do is its success over that of the others (at most 1): what nobody can do is nobody's
loss. Calls that went to the small model by choice may be the easy ones, so they count in part; those of a lot (a
propensity is logged) count in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from breakeven.audit.assignment import TASK
from breakeven.audit.small_model import is_small
from breakeven.catalog.load import Catalog

if TYPE_CHECKING:
    from ibis import Table

OUTCOMES_MIN_COUNT: Final = 10
"""Fewer outcomes of a small model say nothing that labels would not say better."""
EFFECTIVE_MAX_COUNT: Final = 400.0
"""However many outcomes: what else may differ between the calls keeps them from counting more than this."""
_DRAWS_COUNT: Final = 20_000


@dataclass(frozen=True, slots=True)
class OutcomeEvidence:
    """Outcomes of one task as counts for the posterior."""

    can_count: float
    cannot_count: float
    small_calls_count: int
    randomised: bool
    note: str


@dataclass(slots=True)
class _Tally:
    successes: float = 0.0
    calls: float = 0.0


def outcome_evidence(
    table: Table, catalog: Catalog, unrandomised_weight_fraction: float, seed: int
) -> dict[str, OutcomeEvidence]:
    """By task, where a small model has outcomes enough; `table` is `measures.prepared`."""
    known = table.filter(table.outcome.notnull())
    keyed = known.mutate(by_lot=known.propensity.notnull())
    grouped = keyed.group_by(TASK, "price_provider", "price_model", "by_lot").aggregate(
        calls=keyed.count(), successes=keyed.outcome.sum()
    )
    tallies: dict[str, dict[tuple[bool, bool], _Tally]] = {}
    for row in grouped.order_by(TASK, "price_provider", "price_model", "by_lot").to_pyarrow().to_pylist():
        small = is_small(f"{row['price_provider']}/{row['price_model']}", catalog)
        tally = tallies.setdefault(row[TASK], {}).setdefault((small, row["by_lot"]), _Tally())
        tally.calls += row["calls"]
        tally.successes += row["successes"]
    found = {}
    for task, by in tallies.items():
        if (evidence := _of_task(by, unrandomised_weight_fraction, np.random.default_rng([seed, 3]))) is not None:
            found[task] = evidence
    return found


def _of_task(
    by: dict[tuple[bool, bool], _Tally], unrandomised_weight_fraction: float, rng: np.random.Generator
) -> OutcomeEvidence | None:
    """From the calls of a lot where there are enough of both, else from all."""
    lot_small, lot_large = by.get((True, True), _Tally()), by.get((False, True), _Tally())
    randomised = min(lot_small.calls, lot_large.calls) >= OUTCOMES_MIN_COUNT
    small = lot_small if randomised else _sum(by, small=True)
    large = lot_large if randomised else _sum(by, small=False)
    if small.calls < OUTCOMES_MIN_COUNT:
        return None
    ratio = np.minimum(_draws(small, rng) / (_draws(large, rng) if large.calls >= OUTCOMES_MIN_COUNT else 1.0), 1.0)
    mean, variance = float(ratio.mean()), max(float(ratio.var()), 1e-9)
    effective = min(max(mean * (1 - mean) / variance - 1, 0.0), EFFECTIVE_MAX_COUNT)
    effective *= 1.0 if randomised else unrandomised_weight_fraction
    note = (
        f"a small model succeeds in {100 * small.successes / small.calls:.0f} % of {small.calls:,.0f} calls"
        + (
            f", today's others in {100 * large.successes / large.calls:.0f} % of {large.calls:,.0f}"
            if large.calls
            else ""
        )
        + ("" if randomised else "; not by lot: the easy calls may have gone to it, so this counts in part")
    )
    return OutcomeEvidence(effective * mean, effective * (1 - mean), round(small.calls), randomised, note)


def _sum(by: dict[tuple[bool, bool], _Tally], *, small: bool) -> _Tally:
    mine = [tally for (is_small_model, _), tally in by.items() if is_small_model == small]
    return _Tally(sum(each.successes for each in mine), sum(each.calls for each in mine))


def _draws(tally: _Tally, rng: np.random.Generator) -> np.ndarray:
    return rng.beta(tally.successes + 0.5, max(tally.calls - tally.successes, 0.0) + 0.5, _DRAWS_COUNT)
