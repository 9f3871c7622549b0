"""Success rate: how often a model's answers succeed at a kind of work, with the interval that the counts allow.

Jeffreys' interval where a group has tries enough, else the rate pooled over groups (`pooling.py`). A request counts
once, with the mean of its tries, so repeated tries do not pass for more requests. Successes between 0 and 1 are added
up as fractions: that reads them as the most uncertain scores with that mean, so the interval is, if anything, wide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import OutcomeError, nearest
from breakeven.facts.assumption import HIGH_QUANTILE, LOW_QUANTILE
from breakeven.outcomes.counted import rate_draws
from breakeven.outcomes.outcome import SOURCES, Floats, OutcomeTable
from breakeven.outcomes.pooling import GROUPS_MIN_COUNT, pooled_rates
from breakeven.outcomes.success_cost import SuccessCost, success_cost

ALL: Final = ""
"""The group of all requests."""
RARE_COUNT: Final = 30
"""A group with fewer judged answers of a model shows the pooled rate."""


@dataclass(frozen=True, slots=True)
class RateRange:
    """A rate with its 90 % interval."""

    success_fraction: float
    low_fraction: float
    high_fraction: float


@dataclass(frozen=True, slots=True)
class SuccessRate:
    """One model in one group."""

    group: str
    """`ALL` for all requests, else the value of the column."""
    model: str
    tries_count: int
    """Requests with a judged answer."""
    successes_count: float
    counted: RateRange
    """From its own counts alone: Jeffreys."""
    pooled: RateRange
    """Drawn towards the model's other groups."""
    cost: SuccessCost
    sources: Mapping[str, int]
    """Who judged -> answers."""

    @property
    def is_rare(self) -> bool:
        """True: too few tries to stand alone where other groups tell something, `shown` is the pooled rate."""
        return self.pooled != self.counted and self.tries_count < RARE_COUNT

    @property
    def shown(self) -> RateRange:
        """The rate to print."""
        return self.pooled if self.is_rare else self.counted


def jeffreys(successes_count: float, tries_count: float) -> RateRange:
    """Rate and 90 % interval of counts; one end is 0 where nothing succeeded, the other 1 where nothing failed.

    >>> found = jeffreys(45, 50)
    >>> [round(each, 4) for each in (found.success_fraction, found.low_fraction, found.high_fraction)]
    [0.9, 0.8136, 0.9532]
    """
    failures = tries_count - successes_count
    low, high = rate_draws(successes_count, failures, np.array([LOW_QUANTILE, HIGH_QUANTILE]))
    if tries_count == 0:
        return RateRange(float("nan"), 0.0, 1.0)
    return RateRange(
        successes_count / tries_count,
        0.0 if successes_count <= 0 else float(low),
        1.0 if failures <= 0 else float(high),
    )


def success_rates(
    table: OutcomeTable, source_codes: npt.NDArray[np.int8] | None = None, by: str = "task", seed: int = 0
) -> tuple[SuccessRate, ...]:
    """Rates of every model: first over all requests, then by value of the column `by`, most requests first.

    `by` is a group column of the table; "" asks for the whole only. Groups that a model did not try are left out.
    """
    codes = np.full(table.success.shape, -1, dtype=np.int8) if source_codes is None else source_codes
    groups = _groups(table, by)
    found = [_rate(table, codes, ALL, np.arange(table.requests_count), m, seed) for m in range(len(table.models))]
    for m in range(len(table.models)):
        mine = [_rate(table, codes, name, rows, m, seed) for name, rows in groups.items()]
        if sum(each.tries_count > 0 for each in mine) < GROUPS_MIN_COUNT:
            found += mine
            continue
        pooled = pooled_rates(
            [each.tries_count for each in mine], [each.successes_count for each in mine], LOW_QUANTILE, HIGH_QUANTILE
        )
        ends = zip(pooled.success_fractions, pooled.low_fractions, pooled.high_fractions, strict=True)
        ranges = [RateRange(*map(float, end)) for end in ends]
        counts = zip(pooled.alpha_counts.tolist(), pooled.beta_counts.tolist(), strict=True)
        found += [
            _with_pooled(each, pooled_range, success_cost(table.cost_usd[rows, m], table.success[rows, m], seed, beta))
            for each, rows, pooled_range, beta in zip(mine, groups.values(), ranges, counts, strict=True)
        ]
    order = {name: i for i, name in enumerate([ALL, *groups])}
    tried = [each for each in found if each.tries_count]
    return tuple(
        sorted(tried, key=lambda each: (order[each.group] if each.group else -1, table.models.index(each.model)))
    )


def _groups(table: OutcomeTable, by: str) -> dict[str, npt.NDArray[np.intp]]:
    if not by:
        return {}
    if by not in table.groups:
        if by == "task":
            return {}
        raise OutcomeError(f"the outcomes have no column '{by}'; {nearest(by, list(table.levels) or ['none'])}")
    values = np.array([each or NO_NAME for each in table.groups[by]], dtype=object)
    names, counts = np.unique(values.astype(str), return_counts=True)
    if len(names) < 2:
        return {}
    ordered = sorted(zip(names.tolist(), counts.tolist(), strict=True), key=lambda each: (-each[1], each[0]))
    return {name: np.flatnonzero(values == name) for name, _ in ordered}


NO_NAME: Final = "(not named)"
"""Group of requests whose column is empty."""


def _rate(
    table: OutcomeTable, codes: npt.NDArray[np.int8], group: str, rows: npt.NDArray[np.intp], model: int, seed: int
) -> SuccessRate:
    success: Floats = table.success[rows, model]
    known = ~np.isnan(success)
    tries, successes = int(known.sum()), float(success[known].sum())
    own = jeffreys(successes, tries)
    seen, counts = np.unique(codes[rows, model][known], return_counts=True)
    sources = {SOURCES[int(code)] if code >= 0 else "": int(n) for code, n in zip(seen, counts, strict=True)}
    cost = success_cost(table.cost_usd[rows, model], success, seed)
    return SuccessRate(group, table.models[model], tries, successes, own, own, cost, sources)


def _with_pooled(rate: SuccessRate, pooled: RateRange, cost: SuccessCost) -> SuccessRate:
    """With the pooled rate, and where that is shown, with what a success costs at it."""
    from dataclasses import replace

    found = replace(rate, pooled=pooled)
    return replace(found, cost=cost) if found.is_rare else found


def of_group(rates: Sequence[SuccessRate], group: str) -> tuple[SuccessRate, ...]:
    """The models of one group, in their order."""
    return tuple(each for each in rates if each.group == group)
