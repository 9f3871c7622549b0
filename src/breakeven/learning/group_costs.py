"""Group costs: what a call of each model is expected to cost in each group of requests, few calls drawn to the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.learning.digits import rounded
from breakeven.learning.group_rates import Path, paths_of
from breakeven.outcomes.outcome import Floats, OutcomeTable

PARENT_CALLS_COUNT: Final = 20.0
"""Calls that the mean of the group above is worth: a guess that only small groups feel."""


@dataclass(frozen=True, slots=True)
class GroupCosts:
    """Expected USD of one call, by group and model; NaN for a model of which no cost is known."""

    models: tuple[str, ...]
    usd_of: Mapping[Path, Floats]
    """Path, or the beginning of one -> USD per call, shape (models,); the empty path is everything."""

    def usd(self, paths: Sequence[Path]) -> Floats:
        """Of each path, or of the nearest known group above it, shape (paths, models)."""
        return np.array([self.nearest(path) for path in paths]).reshape(len(paths), len(self.models))

    def nearest(self, path: Path) -> Floats:
        """Of one path."""
        for length in range(len(path), 0, -1):
            if (found := self.usd_of.get(path[:length])) is not None:
                return found
        return self.usd_of[()]


def fit_group_costs(table: OutcomeTable) -> GroupCosts:
    """Mean costs of all groups of a table, coarse to fine.

    >>> known = np.array([[1.0], [3.0]])
    >>> table = OutcomeTable(("a", "b"), ("m",), known, known, ("", ""), {"task": ("t", "u")})
    >>> fit_group_costs(table).usd([("t",), ("new",)]).round(3).ravel().tolist()
    [1.952, 2.0]
    """
    paths = paths_of(table)
    known = np.isfinite(table.cost_usd)
    costs = np.where(known, table.cost_usd, 0.0)
    counts = known.sum(axis=0)
    mean = np.where(counts > 0, costs.sum(axis=0) / np.maximum(counts, 1), np.nan)
    usd_of: dict[Path, Floats] = {(): rounded(mean)}
    for level in range(len(table.levels)):
        rows: dict[Path, list[int]] = {}
        for at, path in enumerate(paths):
            rows.setdefault(path[: level + 1], []).append(at)
        for path, mine in rows.items():
            above = usd_of[path[:-1]]
            total = costs[mine].sum(axis=0) + PARENT_CALLS_COUNT * above
            usd_of[path] = rounded(total / (known[mine].sum(axis=0) + PARENT_CALLS_COUNT))
    return GroupCosts(table.models, usd_of)
