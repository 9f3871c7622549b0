"""Head fitting: a linear model of hashed terms, a forest, and a bank of neighbours, each for all models together.

What is fitted are the heads that `routing.heads` and `routing.forest` read, so that offline and online agree. Outcomes
may be fractions, and NaN where a model was not tried.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from breakeven.learning.one_thread import one_thread
from breakeven.outcomes.outcome import Floats, Indexes
from breakeven.routing.features import SURFACE_COUNT, TERM_BITS_COUNT, TermMatrix, surface_matrix, term_matrix
from breakeven.routing.forest import ForestHead
from breakeven.routing.heads import LinearHead, NeighboursHead, logit, sigmoid
from breakeven.routing.term_weights import TermWeights

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TERM_ROWS_MIN_COUNT: Final = 2
"""A term is known from so many prompts on."""
PENALTY_RATIO: Final = 2.0
"""Penalty on the squared weights of terms, in units of the log-likelihood (rows of terms have length 1)."""
LINEAR_STEPS_COUNT: Final = 20
TREES_COUNT: Final = 100
LEAF_ROWS_MIN_COUNT: Final = 20
RESIDUAL_LEAF_ROWS_MIN_COUNT: Final = 60
DEPTH_MAX_COUNT: Final = 16
INPUTS_FRACTION: Final = 0.4
"""Of the inputs, tried at each node of a tree."""
DIRECTIONS_COUNT: Final = 16
"""Of the terms (singular vectors), of which the trees see a prompt's coordinates."""
DIRECTIONS_STEPS_COUNT: Final = 3
NEIGHBOURS_COUNT: Final = 50
PRIOR_RATIO: Final = 5.0
"""Similarity that the group's rate is worth beside the neighbours'."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Features of many prompts."""

    surface: Floats
    """Shape (prompts, SURFACE_COUNT)."""
    terms: TermMatrix

    def rows(self, indexes: Indexes) -> Texts:
        """The prompts at `indexes`, in that order."""
        sizes = np.diff(self.terms.offsets)[indexes]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        at = np.repeat(self.terms.offsets[:-1][indexes] - offsets[:-1], sizes) + np.arange(offsets[-1])
        terms = TermMatrix(offsets, self.terms.indexes[at], self.terms.counts[at], self.terms.columns_count)
        return Texts(self.surface[indexes], terms)


@lru_cache(maxsize=3)
def texts_of(prompts: tuple[str, ...]) -> Texts:
    """Features of prompts; the last few tables' are kept, since each is fitted and predicted more than once."""
    return Texts(surface_matrix(prompts), term_matrix(prompts, TERM_BITS_COUNT))


def fit_terms(terms: TermMatrix) -> TermWeights:
    """Terms that stand in two prompts or more; the rarer, the heavier."""
    rows = len(terms.offsets) - 1
    prompts_with = np.bincount(terms.indexes, minlength=terms.columns_count)
    columns = np.flatnonzero(prompts_with >= TERM_ROWS_MIN_COUNT).astype(np.uint32)
    idf = np.log((1 + rows) / (1 + prompts_with[columns])) + 1
    return TermWeights(columns, idf.astype(np.float32), int(terms.columns_count).bit_length() - 1)


def weighed(terms: TermMatrix, known: TermWeights) -> csr_array:
    """Rows of weighted known terms of length 1, as `TermWeights.weigh` gives them one by one."""
    from scipy.sparse import csr_array

    slot = np.full(terms.columns_count, -1, dtype=np.int32)
    slot[known.columns] = np.arange(known.columns.size, dtype=np.int32)
    slots = slot[terms.indexes]
    keep = slots >= 0
    row = np.repeat(np.arange(len(terms.offsets) - 1), np.diff(terms.offsets))[keep]
    values = (np.log(terms.counts[keep]) + np.float32(1)) * known.idf[slots[keep]]
    lengths = np.sqrt(np.bincount(row, weights=np.square(values, dtype=np.float64), minlength=len(terms.offsets) - 1))
    values = values / np.where(lengths > 0, lengths, 1.0)[row]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(terms.offsets) - 1))])
    return csr_array((values, slots[keep], offsets), shape=(len(terms.offsets) - 1, known.columns.size))


def unknown_fractions(terms: TermMatrix, known: TermWeights) -> Floats:
    """Share of each prompt's distinct terms that are not known; 1 where it has none."""
    is_known = np.zeros(terms.columns_count)
    is_known[known.columns] = 1.0
    sums = np.concatenate([[0.0], np.cumsum(is_known[terms.indexes])])
    sizes = np.diff(terms.offsets)
    return np.asarray(1.0 - (sums[terms.offsets[1:]] - sums[terms.offsets[:-1]]) / np.maximum(sizes, 1))


def fit_linear(rows: csr_array, success: Floats, offsets: Floats, penalty_ratio: float = PENALTY_RATIO) -> LinearHead:
    """Logistic regression on terms, one column of weights per model, beside `offsets`, the logits of the groups' rates.

    Penalised likelihood, climbed by 20 steps of L-BFGS over all models at once; more steps changed no prediction that
    mattered.
    """
    from scipy.optimize import minimize

    known = ~np.isnan(success)
    target = np.where(known, success, 0.0)
    terms_count, models = rows.shape[1], success.shape[1]
    across = rows.T.tocsr()

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(terms_count + 1, models)
        logits = rows @ weights[:-1] + weights[-1] + offsets
        value = (np.logaddexp(0.0, logits) - target * logits)[known].sum() + 0.5 * penalty_ratio * np.square(
            weights[:-1]
        ).sum()
        wrong = np.where(known, sigmoid(logits) - target, 0.0)
        slope = np.concatenate([across @ wrong + penalty_ratio * weights[:-1], wrong.sum(axis=0)[None]])
        return float(value), slope.ravel()

    start = np.zeros((terms_count + 1) * models)
    with one_thread():
        result = minimize(
            loss, start, jac=True, method="L-BFGS-B", options={"maxiter": LINEAR_STEPS_COUNT, "ftol": 1e-7}
        )
    found = result.x.reshape(terms_count + 1, models)
    return LinearHead(
        term_weights=found[:-1].astype(np.float32),
        surface_weights=np.zeros((SURFACE_COUNT, models)),
        surface_mean=np.zeros(SURFACE_COUNT),
        surface_scale=np.ones(SURFACE_COUNT),
        group_weights=np.ones(models),
        intercepts=found[-1],
    )


def fit_directions(rows: csr_array) -> npt.NDArray[np.float32]:
    """Directions in which prompts differ most in their terms, shape (known terms, DIRECTIONS_COUNT); zeros where fewer.

    Right singular vectors of the weighed rows, by random subspace iteration from one fixed start. No outcome is looked
    at, so a training row's own coordinates say nothing of its outcome.
    """
    found = np.zeros((rows.shape[1], DIRECTIONS_COUNT), dtype=np.float32)
    count = min(DIRECTIONS_COUNT, *rows.shape)
    if count and rows.nnz:
        from sklearn.utils.extmath import randomized_svd  # type: ignore[import-untyped]

        _, _, across = randomized_svd(rows, count, n_iter=DIRECTIONS_STEPS_COUNT, random_state=0)
        found[:, :count] = across.T
    return found


def linear_success(head: LinearHead, rows: csr_array, rates: Floats) -> Floats:
    """What `LinearHead.success` says of each row."""
    return sigmoid(rows @ head.term_weights.astype(np.float64) + head.intercepts + head.group_weights * logit(rates))


def forest_inputs(surface: Floats, rates: Floats, sums: Floats) -> npt.NDArray[np.float32]:
    """What a forest looks at, shape (prompts, inputs)."""
    return np.concatenate([surface, logit(rates), sums], axis=1).astype(np.float32)


def fit_forest(
    inputs: npt.NDArray[np.float32], success: Floats, rates: Floats, term_weights: npt.NDArray[np.float32], seed: int
) -> ForestHead:
    """Extremely randomised trees (Geurts and others 2006) of all models together.

    Where a model was not tried its group's rate stands for the outcome.
    """
    return _forest(inputs, np.where(np.isnan(success), rates, success), LEAF_ROWS_MIN_COUNT, 0.0, term_weights, seed)


def fit_residual(
    inputs: npt.NDArray[np.float32], success: Floats, rates: Floats, term_weights: npt.NDArray[np.float32], seed: int
) -> ForestHead:
    """Trees of how much harder or easier requests are than their own group; `inputs` and `term_weights` as a forest's.

    They see the surface and the directions alone: neither rates, nor the linear head, which leans on telling groups
    apart.
    """
    models = success.shape[1]
    seen = np.r_[:SURFACE_COUNT, SURFACE_COUNT + 2 * models : inputs.shape[1]]
    target = np.where(np.isnan(success), 0.0, success - rates)
    found = _forest(inputs[:, seen], target, RESIDUAL_LEAF_ROWS_MIN_COUNT, -1.0, term_weights, seed)
    return replace(found, feature=seen[found.feature].astype(np.int32))


def _forest(
    inputs: npt.NDArray[np.float32],
    target: Floats,
    leaf_rows_count: int,
    least: float,
    term_weights: npt.NDArray[np.float32],
    seed: int,
) -> ForestHead:
    from sklearn.ensemble import ExtraTreesRegressor  # type: ignore[import-untyped]

    forest = ExtraTreesRegressor(
        TREES_COUNT,
        min_samples_leaf=max(1, min(leaf_rows_count, len(target) // 10)),
        max_depth=DEPTH_MAX_COUNT,
        max_features=INPUTS_FRACTION,
        random_state=seed % 2**32,
        n_jobs=1,
    ).fit(inputs, target)
    trees = [_Tree.of(each.tree_) for each in forest.estimators_]
    roots = np.concatenate([[0], np.cumsum([len(each.feature) for each in trees])[:-1]])
    return ForestHead(
        term_weights=term_weights,
        roots=roots.astype(np.int32),
        feature=np.concatenate([each.feature for each in trees]),
        threshold=np.concatenate([each.threshold for each in trees]),
        left=np.concatenate([each.left + root for each, root in zip(trees, roots, strict=True)]).astype(np.int32),
        value=np.clip(np.concatenate([each.value for each in trees]), least, 1.0),
        depth_count=max(each.depth_count for each in trees),
    )


@dataclass(frozen=True, slots=True)
class _Tree:
    """A tree whose siblings stand side by side."""

    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int32]
    value: npt.NDArray[np.float32]
    depth_count: int

    @classmethod
    def of(cls, tree: Any) -> _Tree:
        """scikit-learn's tree, in another order: the nodes below the i-th inner node are 2i + 1 and 2i + 2."""
        inner = np.flatnonzero(tree.children_left >= 0)
        place = np.zeros(tree.node_count, dtype=np.int32)
        place[tree.children_left[inner]] = 2 * np.arange(len(inner)) + 1
        place[tree.children_right[inner]] = 2 * np.arange(len(inner)) + 2
        feature = np.zeros(tree.node_count, dtype=np.int32)
        left = np.arange(tree.node_count, dtype=np.int32)
        threshold = np.full(tree.node_count, np.finfo(np.float32).max, dtype=np.float32)
        value = np.zeros((tree.node_count, tree.n_outputs), dtype=np.float32)
        feature[place[inner]] = tree.feature[inner]
        left[place[inner]] = place[tree.children_left[inner]]
        threshold[place[inner]] = _rounded_down(tree.threshold[inner])
        value[place] = tree.value[:, :, 0]
        return cls(feature, threshold, left, value, int(tree.max_depth))


def _rounded_down(thresholds: Floats) -> npt.NDArray[np.float32]:
    """The greatest float32 at or below each, so that float32 inputs compare with it as with the threshold itself."""
    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)


def fit_neighbours(rows: csr_array, success: Floats) -> NeighboursHead:
    """A bank of all prompts. It holds training rows."""
    across: Any = rows.tocsc()
    across.sort_indices()
    return NeighboursHead(
        offsets=across.indptr.astype(np.int64),
        rows=across.indices.astype(np.int32),
        weights=across.data.astype(np.float32),
        outcomes=success.astype(np.float32),
        neighbours_count=NEIGHBOURS_COUNT,
        prior_ratio=PRIOR_RATIO,
    )
