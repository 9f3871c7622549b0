"""Cluster: prompts with words in common, for calls that neither the log nor a template tells apart.

Hashed TF-IDF over `prompt_terms`, its leading singular vectors, k-means on the sphere; seeded. The number of clusters
is that of a fixed list whose mean simplified silhouette (own centre against the nearest other) is highest. What comes
out are weights of terms: a prompt belongs to the cluster whose terms weigh most in it, which is one join for any
number of calls. Embeddings of kept texts, where somebody has a model on disk, may stand in for the singular vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
CLUSTERS_COUNTS: Final = (2, 3, 4, 6, 8, 12, 16, 24, 32)
"""Numbers of clusters that are tried."""
CALLS_PER_CLUSTER_COUNT: Final = 20
"""No more clusters than one per so many calls."""
DIMENSIONS_COUNT: Final = 48
RARE_TERM_CALLS_COUNT: Final = 3
"""A term in fewer calls cannot tell clusters apart."""
COMMON_TERM_FRACTION: Final = 0.6
"""A term in more of the calls tells nothing."""
TERMS_PER_CLUSTER_COUNT: Final = 150
STARTS_COUNT: Final = 2
ROUNDS_MAX_COUNT: Final = 20
SILHOUETTE_CALLS_COUNT: Final = 5_000
_SMOOTHING: Final = 0.5


@dataclass(frozen=True, slots=True)
class Clustering:
    """Clusters of some calls, largest first."""

    cluster_of: NDArray[np.int64]
    """Cluster of each call, by the weights below; -1: none of its terms is among them. Shape (calls,)."""
    weights: tuple[dict[int, float], ...]
    """Per cluster: hashed term -> weight."""
    silhouette_ratio: float
    """Mean, from -1 to 1."""
    agreement_fraction: float
    """Calls that the weights put where k-means had put them."""

    @property
    def clusters_count(self) -> int:
        """Number of clusters."""
        return len(self.weights)


def cluster(prompt_terms: Sequence[Sequence[int]], seed: int, embedded: Floats | None = None) -> Clustering | None:
    """Clusters of prompts given as hashed terms; None when there is too little to tell any apart.

    `embedded` are embeddings of the same prompts, one row each; without them TF-IDF does.
    """
    counted = _counted(prompt_terms)
    if counted is None:
        return None
    matrix, vocabulary = counted
    has_terms = np.flatnonzero(np.diff(matrix.indptr))
    if has_terms.size < 2 * CALLS_PER_CLUSTER_COUNT:
        return None
    space = _unit(embedded[has_terms]) if embedded is not None else _singular_space(matrix, has_terms, seed)
    if space is None:
        return None
    found = _best(space, np.random.default_rng([seed, 1]))
    if found is None:
        return None
    labels, silhouette = found
    return _with_weights(matrix, vocabulary, has_terms, labels, silhouette)


def _counted(prompt_terms: Sequence[Sequence[int]]) -> tuple[csr_array, NDArray[np.int64]] | None:
    """Calls x terms, ones; and the hash of each column."""
    from scipy.sparse import csr_array

    lengths = np.array([len(each) for each in prompt_terms], dtype=np.int64)
    flat = np.array([term for each in prompt_terms for term in each], dtype=np.int64)
    terms, columns, counts = np.unique(flat, return_inverse=True, return_counts=True)
    kept = (counts >= RARE_TERM_CALLS_COUNT) & (counts <= COMMON_TERM_FRACTION * lengths.size)
    if kept.sum() < 2:
        return None
    renamed = np.cumsum(kept) - 1
    chosen = kept[columns]
    rows = np.repeat(np.arange(lengths.size), lengths)[chosen]
    cells = (np.ones(rows.size), (rows, renamed[columns[chosen]]))
    matrix = csr_array(cells, shape=(lengths.size, int(kept.sum())))
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix, terms[kept]


def _singular_space(matrix: csr_array, rows: NDArray[np.int64], seed: int) -> Floats | None:
    """The calls in the leading singular vectors of TF-IDF, on the unit sphere."""
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import svds

    used = matrix[rows]
    frequency = np.asarray(used.sum(axis=0)).ravel()
    inverse = np.log((1 + rows.size) / (1 + frequency)) + 1
    weighted = used @ diags_array(inverse)
    norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    unit = diags_array(1 / np.maximum(norms, 1e-12)) @ weighted
    dimensions = min(DIMENSIONS_COUNT, min(unit.shape) - 1)
    if dimensions < 1:
        return None
    start = np.random.default_rng([seed, 0]).standard_normal(min(unit.shape))
    left, values, _ = svds(unit.tocsr(), k=dimensions, v0=start)
    return _unit(left * values)


def _unit(rows: Floats) -> Floats:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, 1e-12), dtype=np.float64)


def _best(space: Floats, rng: np.random.Generator) -> tuple[NDArray[np.int64], float] | None:
    """The clustering with the highest silhouette."""
    best: tuple[NDArray[np.int64], float] | None = None
    most = min(space.shape[0] // CALLS_PER_CLUSTER_COUNT, space.shape[0] - 1)
    judged = rng.permutation(space.shape[0])[:SILHOUETTE_CALLS_COUNT]
    for count in (each for each in CLUSTERS_COUNTS if each <= most):
        labels, centres = _k_means(space, count, rng)
        silhouette = _silhouette(space[judged], labels[judged], centres)
        if best is None or silhouette > best[1]:
            best = (labels, silhouette)
    return best


def _k_means(space: Floats, count: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], Floats]:
    """k-means on the unit sphere: the best of a few k-means++ starts."""
    best, least = None, np.inf
    for _ in range(STARTS_COUNT):
        labels, centres, cost = _lloyd(space, _spread_out(space, count, rng))
        if cost < least:
            best, least = (labels, centres), cost
    assert best is not None
    return best


def _spread_out(space: Floats, count: int, rng: np.random.Generator) -> Floats:
    """k-means++: each next centre is drawn by its distance from those before."""
    centres = [space[rng.integers(space.shape[0])]]
    distance = np.maximum(1 - space @ centres[0], 0)
    for _ in range(count - 1):
        total = distance.sum()
        at = rng.choice(space.shape[0], p=distance / total) if total > 0 else rng.integers(space.shape[0])
        centres.append(space[at])
        distance = np.minimum(distance, np.maximum(1 - space @ centres[-1], 0))
    return np.array(centres)


def _lloyd(space: Floats, centres: Floats) -> tuple[NDArray[np.int64], Floats, float]:
    labels = np.full(space.shape[0], -1, dtype=np.int64)
    for _ in range(ROUNDS_MAX_COUNT):
        closeness = space @ centres.T
        found = np.argmax(closeness, axis=1)
        if np.array_equal(found, labels):
            break
        labels = found
        members = labels[None, :] == np.arange(centres.shape[0])[:, None]
        sums, has_calls = members.astype(np.float64) @ space, members.any(axis=1)
        centres = np.where(has_calls[:, None], _unit(sums), centres)
    return labels, centres, float(1 - (space @ centres.T).max(axis=1).mean())


def _silhouette(space: Floats, labels: NDArray[np.int64], centres: Floats) -> float:
    """Mean of (b - a) / max(a, b): a the distance to the own centre, b to the nearest other."""
    distance = np.maximum(1 - space @ centres.T, 0)
    rows = np.arange(labels.size)
    own = distance[rows, labels]
    distance[rows, labels] = np.inf
    other = distance.min(axis=1)
    return float(np.mean((other - own) / np.maximum(np.maximum(own, other), 1e-12)))


def _with_weights(
    matrix: csr_array, vocabulary: NDArray[np.int64], rows: NDArray[np.int64], labels: NDArray[np.int64], mean: float
) -> Clustering:
    """Log odds of each term in a cluster against all calls; the strongest terms of each cluster are kept."""
    order = np.argsort(-np.bincount(labels), kind="stable")
    sizes = np.bincount(labels)[order]
    renamed = np.argsort(order)[labels]
    used = matrix[rows]
    inside = np.array([np.asarray(used[renamed == at].sum(axis=0)).ravel() for at in range(sizes.size) if sizes[at]])
    sizes = sizes[sizes > 0]
    frequency = inside.sum(axis=0)
    share = (inside + _SMOOTHING * frequency / rows.size) / (sizes[:, None] + _SMOOTHING)
    odds = np.log(share / (frequency / rows.size))
    strength = odds * np.sqrt(inside)
    table = np.zeros_like(odds)
    for at in range(sizes.size):
        top = np.argsort(-strength[at], kind="stable")[:TERMS_PER_CLUSTER_COUNT]
        top = top[odds[at, top] > 0]
        table[at, top] = np.round(odds[at, top], 3)
    weights = tuple({int(vocabulary[at]): float(row[at]) for at in np.flatnonzero(row)} for row in table)
    scores = np.asarray(matrix @ table.T)
    found = np.where(scores.max(axis=1) > 0, scores.argmax(axis=1), -1)
    return Clustering(found.astype(np.int64), weights, mean, float(np.mean(found[rows] == renamed)))
