"""Judged: the figures of one router, with paired intervals: its areas, its savings, its point, its lead over another.

All routers are measured on the same draws of the same requests: one matrix product gives every mean of every draw.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.learning.baselines import Contender, Pair
from breakeven.learning.frontier import aiq_of_draws, apgr, cost_at, cpt, taken
from breakeven.learning.resampling import Figure, figure, resampled_means, untold
from breakeven.outcomes.outcome import Floats

KEPT_FRACTIONS: Final = (0.95, 0.98, 1.0)
"""Of the strong model's success, for `savings_at`."""
_CELLS_MAX: Final = 15_000_000
"""Values averaged at once."""
_NO_GAP: Final = "the strong model does not succeed more often than the weak one"
_NO_CURVE: Final = "one setting only: there is no curve"
_NO_PAIR: Final = "one setting only: there are no thresholds"
_NO_POINT: Final = "settings only: none is in use"
_NOTHING_PAID: Final = "the strong model costs nothing or never succeeds"


@dataclass(frozen=True, slots=True)
class Judged:
    """The policy, or a baseline."""

    name: str
    what: str
    cost_per_request: Figure
    """At the setting in use, in the cost basis."""
    success_fraction: Figure
    strong_share: Figure
    """Of the requests, at the setting in use."""
    apgr: Figure
    cpt50: Figure
    cpt80: Figure
    aiq: Figure
    savings_at: tuple[Figure, ...]
    """For each of `KEPT_FRACTIONS`: part of the strong model's bill saved while so much of its success is kept; 0 where
    the strong model alone keeps it."""
    success_at_policy_cost: Figure
    """What it buys at the cost of the policy's setting."""
    policy_leads_apgr: Figure
    """The policy's less this one's, on the same draws."""
    policy_leads_aiq: Figure


@dataclass(frozen=True, slots=True)
class _Means:
    """Of every draw; the first is the requests themselves. None where the contender has none. Shapes (draws, ...)."""

    point: Floats | None
    """Cost, success, strong calls."""
    cost: Floats | None
    success: Floats | None
    """Of each setting over all models."""
    strong_share: Floats | None
    pair_success: Floats | None
    """Of each threshold between the pair."""


@dataclass(frozen=True, slots=True)
class _Measures:
    """Of every draw, the first being the requests themselves."""

    apgr: Floats | None
    cpt50: Floats | None
    cpt80: Floats | None
    aiq: Floats | None
    savings_at: tuple[Floats, ...]


def judge(
    everyone: Sequence[Contender],
    success: Floats,
    money: Floats,
    pair: Pair,
    resamples_count: int,
    seed: int,
    strata: Sequence[str] | None = None,
) -> tuple[Judged, ...]:
    """Measure contenders on complete outcomes (requests, models); the first is the policy that others are beside."""
    alone = np.concatenate([success, money], axis=1)
    blocks = itertools.chain([alone], (_columns(each, success, money, pair) for each in everyone))
    draws, *of_each = _drawn(blocks, len(success), resamples_count, seed, strata)
    width = success.shape[1]
    alone_success, alone_cost = draws[:, :width], draws[:, width : 2 * width]
    found: list[Judged] = []
    policy: tuple[_Means, _Measures] | None = None
    for each, mine in zip(everyone, of_each, strict=True):
        means = _means(each, mine)
        measures = _measures(means, alone_cost, alone_success, pair)
        policy = policy or (means, measures)
        found.append(_judged(each, means, measures, *policy))
    return tuple(found)


def _drawn(
    blocks: Iterable[Floats], rows: int, resamples_count: int, seed: int, strata: Sequence[str] | None
) -> list[Floats]:
    """Means of each block's columns: of the rows themselves, then of each draw. The draws are the same for all blocks,
    and as many blocks are averaged at once as memory bears."""
    found: list[Floats] = []
    waiting: list[npt.NDArray[np.float32]] = []

    def average() -> None:
        if not waiting:
            return
        columns = np.concatenate(waiting, axis=1)
        own = columns.mean(axis=0, dtype=np.float64)[None]
        means = np.concatenate([own, resampled_means(columns, resamples_count, seed, strata)])
        found.extend(np.split(means, np.cumsum([each.shape[1] for each in waiting])[:-1], axis=1))
        waiting.clear()

    for block in blocks:
        waiting.append(block.astype(np.float32))
        if rows * sum(each.shape[1] for each in waiting) > _CELLS_MAX:
            average()
    average()
    return found


def _columns(each: Contender, success: Floats, money: Floats, pair: Pair) -> Floats:
    """What of a contender is averaged: its point, its settings, its thresholds."""
    rows = np.arange(len(success))
    parts: list[Floats] = []
    if each.choices is not None:
        strong = (each.choices == pair.strong).astype(float)
        paid = money[rows, each.choices] if each.paid_usd is None else each.paid_usd
        parts.append(np.stack([paid, success[rows, each.choices], strong], axis=1))
    if each.sweep is not None:
        parts += [taken(each.sweep, money).T, taken(each.sweep, success).T]
    if each.pair is not None:
        parts += [(each.pair.choices == pair.strong).T.astype(float), taken(each.pair, success).T]
    return np.concatenate(parts, axis=1)


def _means(each: Contender, draws: Floats) -> _Means:
    """The columns of `_columns`, taken apart again."""
    point = None if each.choices is None else draws[:, :3]
    at = 0 if each.choices is None else 3
    settings = 0 if each.sweep is None else len(each.sweep.settings)
    thresholds = 0 if each.pair is None else len(each.pair.settings)
    cost, success = draws[:, at : at + settings], draws[:, at + settings : at + 2 * settings]
    at += 2 * settings
    share, pair_success = draws[:, at : at + thresholds], draws[:, at + thresholds :]
    return _Means(
        point,
        cost if settings else None,
        success if settings else None,
        share if thresholds else None,
        pair_success if thresholds else None,
    )


def _measures(means: _Means, alone_cost: Floats, alone_success: Floats, pair: Pair) -> _Measures:
    weak, strong = alone_success[:, pair.weak], alone_success[:, pair.strong]
    recovered: Floats | None = None
    cpt50: Floats | None = None
    cpt80: Floats | None = None
    if means.strong_share is not None and means.pair_success is not None:
        share, success = means.strong_share, means.pair_success
        recovered = apgr(share, success, weak, strong)
        cpt50, cpt80 = (cpt(share, success, weak, strong, each) for each in (0.5, 0.8))
    if means.cost is None or means.success is None:
        return _Measures(recovered, cpt50, cpt80, None, ())
    quality = aiq_of_draws(means.cost, means.success, alone_cost, alone_success)
    bill = alone_cost[:, pair.strong]
    cost = np.concatenate([means.cost, bill[:, None]], axis=1)
    success = np.concatenate([means.success, strong[:, None]], axis=1)
    payable = np.where((bill > 0) & (strong > 0), bill, np.nan)
    saved = tuple(1.0 - cost_at(cost, success, kept * strong) / payable for kept in KEPT_FRACTIONS)
    return _Measures(recovered, cpt50, cpt80, quality, saved)


def _judged(each: Contender, means: _Means, mine: _Measures, policy: _Means, theirs: _Measures) -> Judged:
    point = means.point
    strong_only = mine.savings_at or (None,) * len(KEPT_FRACTIONS)
    return Judged(
        name=each.name,
        what=each.what,
        cost_per_request=_told(None if point is None else point[:, 0], _NO_POINT),
        success_fraction=_told(None if point is None else point[:, 1], _NO_POINT),
        strong_share=_told(None if point is None else point[:, 2], _NO_POINT),
        apgr=_told(mine.apgr, _NO_PAIR, _NO_GAP),
        cpt50=_told(mine.cpt50, _NO_PAIR, _NO_GAP),
        cpt80=_told(mine.cpt80, _NO_PAIR, _NO_GAP),
        aiq=_told(mine.aiq, _NO_CURVE),
        savings_at=tuple(_told(saved, _NO_CURVE, _NOTHING_PAID) for saved in strong_only),
        success_at_policy_cost=_told(_at_cost(means, policy), _NO_POINT if policy.point is None else _NO_CURVE),
        policy_leads_apgr=_told(_lead(theirs.apgr, mine.apgr), _NO_PAIR, _NO_GAP),
        policy_leads_aiq=_told(_lead(theirs.aiq, mine.aiq), _NO_CURVE),
    )


def _told(values: Floats | None, why_none: str, why_undefined: str = "") -> Figure:
    return untold(why_none) if values is None else figure(float(values[0]), values[1:], why_undefined)


def _lead(policy: Floats | None, other: Floats | None) -> Floats | None:
    return None if policy is None or other is None else policy - other


def _at_cost(means: _Means, policy: _Means) -> Floats | None:
    """Success of the curve at the cost of the policy's setting, between its settings interpolated."""
    if policy.point is None or means.cost is None or means.success is None:
        return None
    order = np.argsort(means.cost, axis=1, kind="stable")
    cost, success = np.take_along_axis(means.cost, order, 1), np.take_along_axis(means.success, order, 1)
    spent = policy.point[:, 0]
    return np.array([np.interp(x, xs, ys) for x, xs, ys in zip(spent, cost, success, strict=True)])
