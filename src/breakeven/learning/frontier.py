"""Cost-quality curve: what a router costs and how often it succeeds at each of its settings, and the areas under that.

A setting is what a success is worth (or a threshold on a score): at nothing the cheapest model takes all, without limit
the one most likely to succeed. APGR and CPT are RouteLLM's (areas over the share of calls that the strong model takes),
AIQ is RouterBench's (area under the non-decreasing convex hull, over the costs from the cheapest to the dearest model).
Where no cost is known the share of strong calls stands for the cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from breakeven.errors import LearningError
from breakeven.learning.digits import rounded_up
from breakeven.outcomes.outcome import Floats, Indexes

CostBasis = Literal["usd", "strong_calls"]
SETTINGS_COUNT: Final = 60
"""Settings between the cheapest and the best."""
ROUTELLM_BINS_COUNT: Final = 10
"""RouteLLM's default: eleven thresholds at the deciles of the score."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """The model that a router takes for each request, at each of its settings."""

    settings: Floats
    """USD that a success is worth, or thresholds on a score; shape (settings,)."""
    choices: Indexes
    """Column of the model, shape (settings, requests)."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A sweep measured on outcomes, cheapest setting first. Arrays have shape (settings,)."""

    settings: Floats
    cost_per_request: Floats
    """USD, or calls of the strong model, as `cost_basis` says."""
    success_fraction: Floats
    shares: Floats
    """Of the requests that each model takes, shape (settings, models)."""
    cost_basis: CostBasis


def curve(
    scores: Floats,
    success: Floats,
    cost_usd: Floats | None,
    expected_usd: Floats | None = None,
    strong: int | None = None,
    settings_count: int = SETTINGS_COUNT,
) -> Curve:
    """The curve of predicted successes `scores`, measured on what happened; all of shape (requests, models).

    `expected_usd` is what the router believes that a call costs, shape (models,) or (requests, models); each model's
    mean cost where it is left out. `strong` is the model whose calls count where costs are not known: the most
    successful one where it is left out.

    >>> import numpy as np
    >>> sure = np.array([[1.0, 1.0], [0.0, 1.0]])
    >>> found = curve(sure, sure, np.array([[1.0, 3.0], [1.0, 3.0]]))
    >>> found.cost_per_request.tolist(), found.success_fraction.tolist()
    ([1.0, 2.0], [0.5, 1.0])
    """
    strong = most_successful(success) if strong is None else strong
    money, basis = costs(success, cost_usd, strong)
    if expected_usd is None or basis == "strong_calls":
        expected_usd = money.mean(axis=0)
    return measured(value_sweep(scores, expected_usd, settings_count), success, money, basis)


def costs(success: Floats, cost_usd: Floats | None, strong: int) -> tuple[Floats, CostBasis]:
    """What a call counts for, and in which unit: USD where all are known, else 1 for a call of the strong model."""
    if success.ndim != 2 or success.shape[1] < 2:
        raise LearningError(
            f"one model only ({success.shape[1] if success.ndim == 2 else 0} columns): there is nothing to choose. "
            "Add outcomes of a second model on the same requests."
        )
    if not len(success) or np.isnan(success).any():
        raise LearningError(
            "a curve wants each model's outcome of each request, and at least one request; "
            f"{int(np.isnan(success).any(axis=1).sum())} of {len(success)} requests lack some. Leave those out first."
        )
    if cost_usd is not None and not np.isnan(cost_usd).any():
        return cost_usd, "usd"
    calls = np.zeros_like(success)
    calls[:, strong] = 1.0
    return calls, "strong_calls"


def most_successful(success: Floats) -> int:
    """The model that succeeds most often where it was tried."""
    tried = ~np.isnan(success)
    return int(np.argmax(np.where(tried, success, 0.0).sum(axis=0) / np.maximum(tried.sum(axis=0), 1)))


def value_sweep(scores: Floats, expected_usd: Floats, settings_count: int = SETTINGS_COUNT) -> Sweep:
    """Least expected cost plus value of a success times the chance of failing, for values from nothing to no limit.

    Equal ones go to the cheaper, then to the first. Settings that choose alike are kept once.
    """
    if np.isnan(scores).any():
        raise LearningError(
            "predicted successes hold NaN; a router that cannot tell must fall back before it is judged"
        )
    usd = np.broadcast_to(expected_usd, scores.shape)
    values = np.concatenate([[0.0], _turning_values(scores, usd, settings_count), [np.inf]])
    choices = np.stack([choose(scores, usd, value) for value in values])
    kept = np.concatenate([[True], (choices[1:] != choices[:-1]).any(axis=1)])
    return Sweep(values[kept], choices[kept])


def choose(scores: Floats, expected_usd: Floats, value_usd_per_success: float) -> Indexes:
    """The model with the least cost plus value times chance of failing, for each request."""
    usd = np.broadcast_to(expected_usd, scores.shape)
    if np.isinf(value_usd_per_success):
        first, second = -scores, usd
    else:
        first, second = usd + value_usd_per_success * (1.0 - scores), usd
    least = first.min(axis=1, keepdims=True)
    near = first <= least + 1e-12 * np.abs(least)
    found: Indexes = np.argmin(np.where(near, second, np.inf), axis=1)
    return found


def threshold_sweep(scores: Floats, weak: int, strong: int, bins_count: int = ROUTELLM_BINS_COUNT) -> Sweep:
    """RouteLLM's thresholds: the strong model takes what scores at least each quantile; none above the last.

    `scores` says how much a request wants the strong model, shape (requests,). Quantiles that coincide count once;
    where many share the highest score there is a setting that sends just these to the strong model.
    """
    edges = np.unique(np.quantile(scores, np.linspace(0.0, 1.0, bins_count + 1)))
    takes = scores[None, :] >= edges[::-1, None]
    takes[0] &= takes[0].mean() * bins_count > 1.0 + 1e-9
    if takes[0].any():
        takes = np.concatenate([np.zeros((1, len(scores)), dtype=bool), takes])
    settings = np.concatenate([[np.inf] * (len(takes) - len(edges)), edges[::-1]])
    return Sweep(settings, np.where(takes, strong, weak))


def measured(sweep: Sweep, success: Floats, cost: Floats, cost_basis: CostBasis) -> Curve:
    """What each setting of a sweep costs and how often it succeeds."""
    shares = np.stack([(sweep.choices == model).mean(axis=1) for model in range(success.shape[1])], axis=1)
    return Curve(
        sweep.settings, taken(sweep, cost).mean(axis=1), taken(sweep, success).mean(axis=1), shares, cost_basis
    )


def taken(sweep: Sweep, values: Floats) -> Floats:
    """Of a value for each request and model, that of the model chosen; shape (settings, requests)."""
    return values[np.arange(values.shape[0])[None, :], sweep.choices]


def apgr(strong_share: Floats, success: Floats, weak_success: Floats, strong_success: Floats) -> Floats:
    """RouteLLM's average performance gap recovered: 0 as the weak model alone, 1 as the strong one; random is 0.5.

    Settings by rising share of strong calls along the last axis; the others are resamples. NaN where the strong model
    is not better.

    >>> import numpy as np
    >>> round(float(apgr(np.array([0.0, 0.5, 1.0]), np.array([0.6, 0.8, 0.8]), np.array(0.6), np.array(0.8))), 9)
    0.75
    """
    width = strong_share[..., -1] - strong_share[..., 0]
    gap = np.asarray(strong_success - weak_success, dtype=float)
    area = _area(strong_share, success) - weak_success * width
    return np.where(gap > 0, area / np.where(gap > 0, gap * width, 1.0), np.nan)


def cpt(
    strong_share: Floats, success: Floats, weak_success: Floats, strong_success: Floats, recovered_fraction: float
) -> Floats:
    """RouteLLM's call-performance threshold: the least share of strong calls that recovers so much of the gap.

    Between two settings the share is interpolated. NaN where no setting recovers it, or the strong model is not better.
    """
    gap = np.asarray(strong_success - weak_success, dtype=float)
    return np.where(gap > 0, first_crossing(strong_share, success, weak_success + recovered_fraction * gap), np.nan)


def cost_at(cost: Floats, success: Floats, target_fraction: Floats) -> Floats:
    """The least cost at which the curve reaches a success, between two settings interpolated; NaN where none does."""
    order = np.argsort(cost, axis=-1, kind="stable")
    cost, success = np.take_along_axis(cost, order, -1), np.take_along_axis(success, order, -1)
    return first_crossing(cost, success, np.asarray(target_fraction, dtype=float))


def first_crossing(x: Floats, y: Floats, target: Floats) -> Floats:
    """Where y first reaches the target along the last axis; NaN where it never does.

    >>> import numpy as np
    >>> float(first_crossing(np.array([0.0, 1.0, 2.0]), np.array([0.0, 4.0, 2.0]), np.array(3.0)))
    0.75
    """
    x, y = np.broadcast_arrays(x, y)
    reached = y >= np.asarray(target)[..., None] - 1e-12
    at = np.argmax(reached, axis=-1)[..., None]
    before = np.maximum(at - 1, 0)
    x1, y1 = np.take_along_axis(x, at, -1)[..., 0], np.take_along_axis(y, at, -1)[..., 0]
    x0, y0 = np.take_along_axis(x, before, -1)[..., 0], np.take_along_axis(y, before, -1)[..., 0]
    rise = np.where(y1 > y0, y1 - y0, 1.0)
    inside = x0 + (x1 - x0) * np.clip((target - y0) / rise, 0.0, 1.0)
    return np.where(reached.any(axis=-1), np.where((at[..., 0] > 0) & (y1 > y0), inside, x1), np.nan)


def aiq(cost: Floats, success: Floats, single_cost: Floats, single_success: Floats) -> float:
    """RouterBench's average improvement in quality: mean height of the non-decreasing convex hull of the points, over
    the costs from the cheapest to the dearest single model.

    A curve that begins above the cheapest model's cost is joined to that model, which anybody can take. Where all
    models cost the same: the highest success at that cost.

    >>> import numpy as np
    >>> aiq(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.9, 0.7]), np.array([1.0, 3.0]), np.array([0.5, 0.7]))
    0.8
    """
    cheapest, dearest = float(single_cost.min()), float(single_cost.max())
    x, y = hull(cost, success)
    if x[0] > cheapest:
        x, y = hull(np.append(cost, cheapest), np.append(success, single_success[single_cost == cheapest].max()))
    if dearest <= cheapest:
        return float(np.interp(cheapest, x, y))
    corners = np.concatenate([[cheapest], x[(x > cheapest) & (x < dearest)], [dearest]])
    return float(_area(corners, np.interp(corners, x, y)) / (dearest - cheapest))


def aiq_of_draws(cost: Floats, success: Floats, single_cost: Floats, single_success: Floats) -> Floats:
    """`aiq` of each row at once, the hull wrapped corner by corner; shapes (draws, settings) and (draws, models)."""
    cheapest, dearest = single_cost.min(axis=1), single_cost.max(axis=1)
    if (dearest <= cheapest).any():
        rows = zip(cost, success, single_cost, single_success, strict=True)
        return np.array([aiq(*each) for each in rows])
    at_least = np.where(single_cost == cheapest[:, None], single_success, -np.inf).max(axis=1)
    late = cost.min(axis=1) > cheapest
    xs = np.column_stack([cost, np.where(late, cheapest, cost[:, 0])])
    ys = np.column_stack([success, np.where(late, at_least, success[:, 0])])
    x = xs.min(axis=1)
    y = np.where(xs == x[:, None], ys, -np.inf).max(axis=1)
    area = np.zeros(len(x))
    for _ in range(xs.shape[1]):
        ahead = (xs > x[:, None]) & (ys > y[:, None])
        if not ahead.any():
            break
        slope = np.where(ahead, (ys - y[:, None]) / np.where(ahead, xs - x[:, None], 1.0), 0.0)
        steepest = slope.max(axis=1)
        on_it = ahead & (slope >= steepest[:, None])
        next_x = np.where(on_it, xs, x[:, None]).max(axis=1)
        left, right = np.clip(x, cheapest, dearest), np.clip(next_x, cheapest, dearest)
        area += (right - left) * (y + steepest * ((left + right) / 2.0 - x))
        y = y + steepest * (next_x - x)
        x = next_x
    area += (dearest - np.clip(x, cheapest, dearest)) * y
    return np.asarray(area / (dearest - cheapest))


def hull(cost: Floats, success: Floats) -> tuple[Floats, Floats]:
    """Corners of the non-decreasing convex hull: costs, and the best success that mixing settings buys at each."""
    order = np.lexsort((-success, cost))
    xs, ys = cost[order].tolist(), success[order].tolist()
    corners: list[tuple[float, float]] = []
    for x, y in zip(xs[: ys.index(max(ys)) + 1], ys, strict=False):
        if corners and x <= corners[-1][0]:
            continue
        while len(corners) > 1 and _below(corners[-2], corners[-1], (x, y)):
            corners.pop()
        corners.append((x, y))
    found = np.array(corners)
    return found[:, 0], found[:, 1]


def _below(first: tuple[float, float], middle: tuple[float, float], last: tuple[float, float]) -> bool:
    """Whether the middle point lies on or under the line from the first to the last."""
    return (middle[1] - first[1]) * (last[0] - first[0]) <= (last[1] - first[1]) * (middle[0] - first[0])


def _turning_values(scores: Floats, usd: Floats, settings_count: int) -> Floats:
    """Values at which one model overtakes a cheaper one, thinned to `settings_count` quantiles."""
    models = scores.shape[1]
    turns = []
    for cheap in range(models):
        for dear in range(models):
            dearer, better = usd[:, dear] - usd[:, cheap], scores[:, dear] - scores[:, cheap]
            real = (dearer > 0) & (better > 0)
            turns.append(dearer[real] / better[real])
    found = np.unique(np.concatenate(turns))
    if len(found) > settings_count:
        found = np.unique(np.quantile(found, np.linspace(0.0, 1.0, settings_count), method="nearest"))
    return rounded_up(found * (1 + 1e-9))


def _area(x: Floats, y: Floats) -> Floats:
    """Trapezoids along the last axis."""
    return np.asarray(((x[..., 1:] - x[..., :-1]) * (y[..., 1:] + y[..., :-1]) / 2.0).sum(axis=-1))
