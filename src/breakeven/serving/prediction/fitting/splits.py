"""Splits: predictions of rows by models that never saw them: neighbours, deployments, models or GPUs left out whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from breakeven.serving.prediction.columns import Floats
from breakeven.serving.prediction.fitted_model import FittedModel
from breakeven.serving.prediction.fitting.model import RowPredictions, fit_model, predict_rows
from breakeven.serving.prediction.fitting.rows import MeasuredRows

Split = Literal["known", "deployment", "model", "gpu"]
SPLITS: Final[dict[Split, str]] = {
    "known": "known deployment (single rows held out)",
    "deployment": "new deployment (deployments held out)",
    "model": "unseen model (each model held out)",
    "gpu": "unseen GPU (each GPU held out)",
}
FOLDS_COUNT: Final = 5
SEED: Final = 20_261_125


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Predictions of closed-loop rows, each by a model that did not see its group."""

    split: Split
    rows: MeasuredRows
    predicted: RowPredictions
    is_moe: NDArray[np.bool_]
    near_limit: NDArray[np.bool_]
    """Concurrency above 80 % of the sequences that fit."""

    @property
    def log_error(self) -> Floats:
        """ln(predicted / measured) of throughput; NaN where the model says it does not fit."""
        return np.asarray(np.log(self.predicted.output_tok_per_s / self.rows.output_tok_per_s))


def folds(rows: MeasuredRows, split: Split) -> NDArray[np.int64]:
    """Fold of each row; rows of one group share it."""
    if split == "known":
        return np.random.default_rng(SEED).integers(0, FOLDS_COUNT, len(rows.rows))
    names, index = np.unique(rows.labels(split), return_inverse=True)
    if split in ("model", "gpu"):
        return np.asarray(index, np.int64)
    dealt = np.random.default_rng(SEED).permutation(names.size) % FOLDS_COUNT
    return np.asarray(dealt[index], np.int64)


def held_out(
    rows: MeasuredRows,
    split: Split,
    fit: Callable[[MeasuredRows], FittedModel] = fit_model,
    say: Callable[[str], None] = lambda _: None,
    *,
    closed_loops: bool = True,
) -> HeldOut:
    """Fit once per fold without it, and predict the fold's closed loops (or all its other rows)."""
    fold = folds(rows, split)
    closed = (rows.labels("load") == "closed_loop") == closed_loops
    parts, order = [], []
    for each in np.unique(fold[closed]):
        test = np.flatnonzero((fold == each) & closed)
        model = fit(rows[fold != each])
        parts.append(predict_rows(model, rows[test]))
        order.append(test)
        say(f"{split}: {sum(map(len, order))} of {int(closed.sum())} rows")
    where = np.concatenate(order)
    tested = rows[where]
    names = RowPredictions.__dataclass_fields__
    predicted = RowPredictions(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
    per_replica = tested.columns.concurrency_count
    return HeldOut(split, tested, predicted, tested.columns.is_moe, per_replica > 0.8 * predicted.sequences_count)
