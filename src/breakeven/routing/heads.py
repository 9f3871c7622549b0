"""Heads of a scorer: ways to predict each model's success from a prompt; each gives probabilities of shape (models,).

- **linear**: logistic regression on weighted terms, surface features and the logit of the group's rate.
- **neighbours**: success on the most similar prompts of a bank, drawn towards the group's rate. Holds training rows.
- **forest** (`forest.py`): trees over surface features, group rates and sums of terms.
- **group**: the group's rate as it is.

Arrays are plain numpy, so that a policy file can hold them; what fits them is offline.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from breakeven.routing.term_weights import Floats32, Indexes32, WeightedTerms

Floats = npt.NDArray[np.float64]

SMALLEST_FRACTION: Final = 1e-3
"""Predictions stay within [0.001, 0.999]."""
_NEAREST: Final = 1e-9
"""Rows less alike than this have nothing in common with the prompt."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the heads look at: one prompt and the rates of its group."""

    surface: Floats
    """`features.surface_features`."""
    terms: WeightedTerms
    rates: Floats
    """The group's success fraction of each model."""
    logits: Floats
    """The same as logits, shape (models,)."""
    similarity: Floats | None = None
    """Cosine with each row of the bank, where there is one."""


class Head(Protocol):
    """A way to predict."""

    def success(self, seen: Seen) -> Floats:
        """Probability that each model succeeds."""
        ...


@dataclass(frozen=True, slots=True)
class LinearHead:
    """Logistic regression, one column of weights per model."""

    term_weights: Floats32
    """Shape (known terms, models)."""
    surface_weights: Floats
    """Shape (SURFACE_COUNT, models), on features made `(x - mean) / scale`; all zero where not used."""
    surface_mean: Floats
    surface_scale: Floats
    group_weights: Floats
    """Weight of the logit of the model's own group rate, shape (models,); 1 makes it an offset."""
    intercepts: Floats

    def success(self, seen: Seen) -> Floats:
        """Probability that each model succeeds."""
        logits = seen.terms.weights @ self.term_weights.take(seen.terms.rows, axis=0)
        surface = (seen.surface - self.surface_mean) / self.surface_scale
        return sigmoid(logits + surface @ self.surface_weights + self.group_weights * seen.logits + self.intercepts)


@dataclass(frozen=True, slots=True)
class NeighboursHead:
    """Success on the most similar prompts of a bank."""

    offsets: npt.NDArray[np.int64]
    """Postings of known term t are at `offsets[t]:offsets[t + 1]`; shape (known terms + 1,). Common terms have none."""
    rows: Indexes32
    """Bank row of each posting."""
    weights: Floats32
    """Weight of the term in that row."""
    outcomes: Floats32
    """Success of each model on each row of the bank, NaN where not tried, shape (bank rows, models)."""
    neighbours_count: int
    prior_ratio: float
    """Similarity that the group's rate is worth."""
    query_terms_count: int = 96
    """Only so many terms of a prompt are looked up, those of the greatest weight."""
    _tried: Floats = field(init=False, repr=False, compare=False)
    """1 where a model was tried, else 0."""
    _won: Floats = field(init=False, repr=False, compare=False)
    """Success where it was tried, else 0."""

    def __post_init__(self) -> None:
        tried = ~np.isnan(self.outcomes)
        object.__setattr__(self, "_tried", tried.astype(np.float64))
        object.__setattr__(self, "_won", np.where(tried, self.outcomes, 0.0).astype(np.float64))

    def success(self, seen: Seen) -> Floats:
        """Probability that each model succeeds."""
        similarity = self.similarities(seen.terms) if seen.similarity is None else seen.similarity
        count = min(self.neighbours_count, similarity.size)
        if count == 0:
            return seen.rates.copy()
        nearest = _nearest(similarity, count)
        weights = similarity[nearest]
        won = weights @ self._won[nearest] + self.prior_ratio * seen.rates
        total = weights @ self._tried[nearest] + self.prior_ratio
        return np.where(total > 0, won / np.maximum(total, _NEAREST), seen.rates)

    def similarities(self, terms: WeightedTerms) -> Floats:
        """Cosine of the prompt with each row of the bank."""
        at, weights = terms.rows, terms.weights
        if at.size > self.query_terms_count:
            # the greatest, and of equals the first: the same on every machine
            keep = np.sort(np.argsort(-weights, kind="stable")[: self.query_terms_count])
            at, weights = at[keep], weights[keep]
        starts = self.offsets[at]
        sizes = self.offsets[at + 1] - starts
        ends = np.cumsum(sizes)
        total = int(ends[-1]) if ends.size else 0
        if not total:
            return np.zeros(len(self.outcomes))
        postings = np.arange(total) + np.repeat(starts - ends + sizes, sizes)
        products = self.weights[postings] * np.repeat(weights, sizes)
        return np.asarray(np.bincount(self.rows[postings], weights=products, minlength=len(self.outcomes)), np.float64)


def _nearest(similarity: Floats, count: int) -> npt.NDArray[np.intp]:
    """Rows of the `count` greatest similarities; rows as near as the last of them count too, so no order decides."""
    # each of `count` blocks has a row at its maximum or above the least maximum: far fewer rows are left to sort
    width = similarity.size // count
    bound = similarity[: width * count].reshape(count, width).max(axis=1).min()
    candidates = np.flatnonzero(similarity >= max(float(bound), _NEAREST))
    if candidates.size <= count:
        return candidates
    near = similarity[candidates]
    least = float(np.partition(near, near.size - count)[near.size - count])
    return candidates[near >= least]


@dataclass(frozen=True, slots=True)
class GroupHead:
    """The group's rate as it is."""

    def success(self, seen: Seen) -> Floats:
        """Probability that each model succeeds."""
        return seen.rates.copy()


def sigmoid(logits: Floats) -> Floats:
    """Probabilities of logits, without overflow.

    >>> sigmoid(np.array([0.0, -1e6])).tolist()
    [0.5, 0.0]
    """
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)))


def logit(fractions: Floats) -> Floats:
    """Logits of fractions kept within [0.001, 0.999]."""
    kept = within(fractions)
    return np.asarray(np.log(kept / (1 - kept)))


def within(fractions: Floats) -> Floats:
    """Fractions kept within [0.001, 0.999]."""
    return np.asarray(np.minimum(np.maximum(fractions, SMALLEST_FRACTION), 1 - SMALLEST_FRACTION))
