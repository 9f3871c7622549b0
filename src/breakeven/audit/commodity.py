"""Commodity share: which part of all calls and of all spend a small model can do, and what routing it would save.

By simulation over the tasks: each draw gives each task its share of calls that a small model can do; the spend of
those calls is a smaller share, since calls it cannot do cost more than those it can (a ratio of the catalogue's).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breakeven.audit.measures import Measured, ModelUse
from breakeven.audit.small_model import SmallModelPrice, TokenUse, is_small
from breakeven.audit.suitability import interval
from breakeven.audit.task import CommodityShare, Evidence, Interval, Savings
from breakeven.catalog.load import Catalog
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import quantile

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Simulated:
    """The draws behind the totals."""

    can_do: Floats
    """Share of each task's calls; shape (draws, tasks)."""
    can_do_spend: Floats
    """Share of each task's spend; shape (draws, tasks)."""


def simulate(can_do: Floats, hard_call_cost: Assumption, seed: int) -> Simulated:
    """Shares of spend beside shares of calls; all tasks of a draw have the same ratio of costs."""
    u = np.random.default_rng([seed, 4]).permutation((np.arange(can_do.shape[0]) + 0.5) / can_do.shape[0])
    ratio = quantile(hard_call_cost, u)[:, None]
    return Simulated(can_do, spend_fraction(can_do, ratio))


def spend_fraction(can_do: Floats, hard_call_cost_ratio: Floats | float) -> Floats:
    """Share of the spend of the calls that can be done, when the others cost `hard_call_cost_ratio` times as much each.

    >>> float(spend_fraction(np.array(0.75), 3.0))
    0.5
    """
    return np.asarray(can_do / (can_do + (1 - can_do) * hard_call_cost_ratio))


@dataclass(frozen=True, slots=True)
class Moving:
    """What would be saved if all calls of a task that are not small yet moved to one small model."""

    small_model: str
    """``model at provider``."""
    saved_usd: tuple[float, ...]
    """Of each task, over the log."""
    today_usd: float
    """Priced spend of all tasks, over the log."""
    months_ratio: float
    """Stretches the log to a month."""
    input_usd_per_mtok: float
    cache_read_usd_per_mtok: float
    output_usd_per_mtok: float
    chosen: str


def total(
    calls: Floats,
    spend_usd: Floats,
    already_small_fraction: float,
    simulated: Simulated,
    resting_weights: Sequence[Mapping[Evidence, float]],
    moving: Moving | None,
) -> CommodityShare:
    """The shares over all tasks, and the saving; `calls` and `spend_usd` of each task."""
    by_calls = calls / max(calls.sum(), 1e-300)
    by_spend = spend_usd / spend_usd.sum() if spend_usd.sum() > 0 else by_calls
    resting: dict[Evidence, float] = {}
    for weights, share in zip(resting_weights, by_spend, strict=True):
        for evidence, weight in weights.items():
            resting[evidence] = resting.get(evidence, 0.0) + float(share) * weight
    spend_draws = simulated.can_do_spend if spend_usd.sum() > 0 else simulated.can_do
    return CommodityShare(
        interval(simulated.can_do @ by_calls),
        interval(spend_draws @ by_spend),
        already_small_fraction,
        resting,
        None if moving is None else _savings(simulated, moving),
    )


def already_small_fraction(measured: Sequence[Measured], catalog: Catalog) -> float:
    """Calls that go to a small model today, of all."""
    calls = np.array([each.calls_count for each in measured])
    small = sum(use.calls_count for each in measured for use in each.uses if is_small(_label(use), catalog))
    return float(small / max(calls.sum(), 1e-300))


def uses_to_move(measured: Sequence[Measured], catalog: Catalog) -> list[tuple[int, ModelUse]]:
    """Index of the task and use, of what is priced and does not go to a small model yet."""
    return [
        (at, use)
        for at, each in enumerate(measured)
        for use in each.uses
        if use.spend_usd is not None and use.spend_usd > 0 and not is_small(_label(use), catalog)
    ]


def token_use(uses: Sequence[ModelUse]) -> TokenUse:
    """Tokens of the priced calls of some uses that the provider saw."""
    left_out = [(use, use.unpriced_tokens + use.free_tokens) for use in uses]
    priced = [(use, 1 - tokens / use.tokens if use.tokens else 0.0) for use, tokens in left_out]
    return TokenUse(
        sum(use.input_tokens * share for use, share in priced),
        sum(use.cache_read_tokens * share for use, share in priced),
        sum(use.output_tokens * share for use, share in priced),
    )


def moving_of(
    measured: Sequence[Measured], catalog: Catalog, price: SmallModelPrice | None, months_ratio: float | None
) -> Moving | None:
    """Only what gets cheaper moves; failed calls are not sent again, people and hosting are not in it.

    None where no price of a small model is known, nothing could move, or a log cannot be stretched to a month.
    """
    uses = uses_to_move(measured, catalog)
    if price is None or months_ratio is None or not uses:
        return None
    saved = np.zeros(len(measured))
    for at, use in uses:
        saved[at] += max((use.spend_usd or 0.0) - price.cost_usd(token_use([use])), 0.0)
    row = price.row
    return Moving(
        price.label,
        tuple(saved.tolist()),
        sum(each.spend_usd or 0.0 for each in measured),
        months_ratio,
        row.input_usd_per_mtok or 0.0,
        row.cache_read_usd_per_mtok or 0.0,
        row.output_usd_per_mtok or 0.0,
        price.chosen,
    )


def saving_by_task(simulated: Simulated, moving: Moving | None, tasks_count: int) -> tuple[Interval | None, ...]:
    """What each task alone would save in a month; None where nothing of it would."""
    if moving is None:
        return (None,) * tasks_count
    return tuple(
        interval(simulated.can_do_spend[:, at] * saved * moving.months_ratio) if saved else None
        for at, saved in enumerate(moving.saved_usd)
    )


def _savings(simulated: Simulated, moving: Moving) -> Savings:
    saved = np.array(moving.saved_usd) * moving.months_ratio
    return Savings(
        moving.small_model,
        interval(simulated.can_do_spend @ saved),
        moving.today_usd * moving.months_ratio,
        moving.input_usd_per_mtok,
        moving.cache_read_usd_per_mtok,
        moving.output_usd_per_mtok,
        moving.chosen,
    )


def _label(use: ModelUse) -> str:
    return "/".join(part for part in (use.provider, use.model) if part)
