"""Promotion: a scorer of prompts is used only where it beats the groups' rates on requests that neither saw.

Both predict each request from folds that lack it (the scorer's own choices are made inside those folds); their
cost-quality curves are compared by the area under them, with a paired interval over the requests. Below 300 requests
on which two models or more were tried the answer is no, whatever the figures say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from breakeven.learning.frontier import costs, most_successful, taken, value_sweep
from breakeven.learning.loss_gain import loss_gain
from breakeven.learning.resampling import figure, resampled_means
from breakeven.learning.scorer import cross_fitted, cross_fitted_left_out
from breakeven.learning.splits import mixed_folds, splits, task_folds
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable

PAIRS_MIN_COUNT: Final = 300
"""Requests with outcomes of two models or more."""
FOLDS_COUNT: Final = 4
UNSEEN_TASKS_MIN_COUNT: Final = 8
RESAMPLES_COUNT: Final = 1000


@dataclass(frozen=True, slots=True)
class Promotion:
    """Whether the scorer pays."""

    gain_fraction: float | None
    """Mean success over all budgets from the cheapest to the dearest model, the scorer's less the groups'; None where
    it was not measured."""
    low_fraction: float | None
    """Its 95 % interval."""
    high_fraction: float | None
    promoted: bool
    why: str
    scores: Floats | None = None
    """The scorer's out-of-fold predictions by `mixed_folds(table, 4, seed)`."""
    residual: bool = False
    """Of tasks left out: whether to add what makes a request harder or easier than its own group."""


def scorer_pays(table: OutcomeTable, seed: int, keeps_rows: bool = False) -> Promotion:
    """Whether a scorer of prompts beats the groups' rates on requests like those of the table."""
    if (refused := _refused(table)) is not None:
        return refused
    fold_of = mixed_folds(table, FOLDS_COUNT, seed)
    scores = cross_fitted(table, fold_of, seed, "scorer", keeps_rows)
    groups = centred(cross_fitted(table, fold_of, seed, "groups"), fold_of)
    found = _compared(table, groups, centred(scores, fold_of), seed, "the groups' rates")
    return replace(found, scores=scores)


def unseen_pays(table: OutcomeTable, seed: int) -> Promotion:
    """Whether the scorer helps on tasks that it never saw, beside mixing single models: whole tasks are left out.

    Where it does not, requests of unknown groups belong to the default model.
    """
    if (refused := _refused(table)) is not None:
        return refused
    tasks = len(set(table.tasks))
    if tasks < UNSEEN_TASKS_MIN_COUNT:
        why = f"{tasks} tasks; from {UNSEEN_TASKS_MIN_COUNT} on it can be told what carries over to others"
        return Promotion(None, None, None, False, why)
    fold_of = task_folds(table, FOLDS_COUNT, seed)
    left_out = cross_fitted_left_out(table, fold_of, seed)
    residual = loss_gain(left_out.plain, left_out.with_residual, table.success).pays
    scores = left_out.with_residual if residual else left_out.plain
    groups = cross_fitted(table, fold_of, seed, "groups")
    whole = _compared(table, groups, scores, seed, "one model for all, on tasks that were left out")
    for split in splits(table, fold_of):
        part = _compared(table.rows(split.test), groups[split.test], scores[split.test], seed, "")
        if whole.promoted and part.gain_fraction is not None and part.gain_fraction <= 0:
            why = f"{whole.why}; but not in each part of the tasks"
            return Promotion(whole.gain_fraction, whole.low_fraction, whole.high_fraction, False, why, scores)
    return replace(whole, residual=residual)


def _refused(table: OutcomeTable) -> Promotion | None:
    tried = ~np.isnan(table.success)
    pairs = int((tried.sum(axis=1) >= 2).sum())
    if pairs < PAIRS_MIN_COUNT:
        why = f"{pairs} requests on which two models were tried; a scorer of prompts needs {PAIRS_MIN_COUNT}"
        return Promotion(None, None, None, False, why)
    if not any(each.strip() for each in table.prompts):
        return Promotion(None, None, None, False, "no prompt was kept")
    if tried.all(axis=1).sum() < PAIRS_MIN_COUNT:
        why = f"all models were tried on {int(tried.all(axis=1).sum())} requests; to compare takes {PAIRS_MIN_COUNT}"
        return Promotion(None, None, None, False, why)
    return None


def centred(scores: Floats, fold_of: Indexes) -> Floats:
    """Scores whose mean is the same in each fold.

    A fold that happens to hold many successes was predicted from folds with fewer: left as they are, fold by fold, the
    predictions of both sides would be a little worse than nothing, and the groups' more so.
    """
    found = scores.copy()
    for fold in np.unique(fold_of):
        mine = fold_of == fold
        found[mine] += scores.mean(axis=0) - scores[mine].mean(axis=0)
    return found


def _area(cost: Floats, won: Floats, alone_cost: Floats) -> Floats:
    """Mean success over the costs from the cheapest to the dearest model, setting by setting; shape (draws,).

    Not the area under the hull (AIQ): a hull keeps the luckiest settings, so that even a scorer of noise looks better
    than groups with few settings.
    """
    cheapest, dearest = alone_cost.min(axis=1), alone_cost.max(axis=1)
    steps = (cost[:, 1:] - cost[:, :-1]) * (won[:, 1:] + won[:, :-1]) / 2
    rest = (dearest - cost[:, -1]) * won[:, -1] + (cost[:, 0] - cheapest) * won[:, 0]
    return np.asarray((steps.sum(axis=1) + rest) / np.where(dearest > cheapest, dearest - cheapest, 1.0))


def _compared(table: OutcomeTable, groups: Floats, scorer: Floats, seed: int, beside: str) -> Promotion:
    whole = np.flatnonzero(~np.isnan(table.success).any(axis=1))
    success = table.success[whole]
    money, _ = costs(success, table.cost_usd[whole], most_successful(success))
    blocks = [success, money]
    for scores in (groups[whole], scorer[whole]):
        sweep = value_sweep(scores, money.mean(axis=0))
        blocks += [taken(sweep, success).T, taken(sweep, money).T]
    columns = np.concatenate(blocks, axis=1)
    own = columns.mean(axis=0)[None]
    means = np.concatenate([own, resampled_means(columns, RESAMPLES_COUNT, seed)])
    edges = np.cumsum([each.shape[1] for each in blocks])[:-1]
    _, alone_cost, *curves = np.split(means, edges, axis=1)
    areas = [_area(cost, won, alone_cost) for won, cost in zip(curves[::2], curves[1::2], strict=True)]
    lead = areas[1] - areas[0]
    gain = figure(float(lead[0]), lead[1:])
    low = gain.low if gain.low is not None else -np.inf
    promoted = low > 0
    verb = "beats" if promoted else "does not surely beat"
    why = f"{verb} {beside}: {100 * lead[0]:+.2f} points of success at equal cost"
    if gain.low is not None and gain.high is not None:
        why += f" (95 %: {100 * gain.low:+.2f} to {100 * gain.high:+.2f})"
    return Promotion(gain.value, gain.low, gain.high, promoted, why, scorer)
