"""Sobol indices: which share of the variance of an answer each input explains, alone and with all its interactions.

Pick-freeze on two scrambled Sobol matrices A and B: f is also evaluated where one input at a time comes from B and the
rest from A. First order by Saltelli et al. ("Variance based sensitivity analysis of model output", Computer Physics
Communications 181(2), 2010), total by Jansen (Computer Physics Communications 117(1-2), 1999). Where inputs are
correlated, the first-order index holds what an input explains through the others too, and the total index what it
explains beyond them (Mara and Tarantola, Reliability Engineering & System Safety 107, 2012).

Variance is no guide to what is worth knowing: that is `value_of_information`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]
Model = Callable[[Floats], Floats]
"""From cumulative probabilities, shape ``(inputs, draws)``, to one answer per draw."""
DRAWS_LOG2: Final = 10
BATCH_DRAWS_COUNT: Final = 16_384
"""Draws that the model is asked for at once."""
_SMALLEST_PROBABILITY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class SobolIndex:
    """One input's share of the variance."""

    first_order_fraction: float
    """Explained by the input alone; an estimate below 0 is noise and counts as 0."""
    total_fraction: float
    """Explained by the input and everything in which it takes part."""


def sobol_indices(
    model: Model, inputs_count: int, *, seed: int, draws_log2: int = DRAWS_LOG2, correlation: Floats | None = None
) -> tuple[SobolIndex, ...]:
    """The indices of every input of `model`; all 0 where nothing varies.

    `correlation`: of the normal scores, shape ``(inputs, inputs)``; None: independent.
    """
    first, second = _two_samples(inputs_count, seed, draws_log2)
    frozen = _independent if correlation is None else _Correlated(correlation)
    if correlation is not None:
        factor = _factor(correlation)
        first, second = factor @ first, factor @ second
    scores = [first, second]
    for index in range(inputs_count):
        scores += frozen(first, second, index)
    answers = _in_batches(model, scores)
    of_first, of_second = answers[0], answers[1]
    mean, variance = float(np.mean(answers[:2])), float(np.var(answers[:2]))
    found, at = [], 2
    for index in range(inputs_count):
        count = len(frozen(first[:, :0], second[:, :0], index))
        alone, beyond = answers[at], answers[at + count - 1]
        at += count
        found.append(_index(of_first - mean, of_second - mean, alone - mean, beyond - mean, variance))
    return tuple(found)


def compressed(saving_usd: Floats, size_usd: float) -> Floats:
    """Money on a scale that a few extreme futures do not rule: asinh(saving / size).

    Straight near 0, logarithmic far from it, and of the same sign: a future in which the decision is right stays one. A
    saving that is heavy-tailed to either side has a variance that its rarest futures decide, and no estimate of it
    settles; a logarithm is not there for a loss. `size_usd`: the median size of the saving does.

    >>> compressed(np.array([-2.0, 0.0, 2.0, 2000.0]), 1.0).round(2).tolist()
    [-1.44, 0.0, 1.44, 8.29]
    """
    return np.asarray(np.arcsinh(saving_usd / size_usd)) if size_usd > 0 else np.zeros_like(saving_usd)


def _two_samples(inputs_count: int, seed: int, draws_log2: int) -> tuple[Floats, Floats]:
    """Normal scores of two independent samples, each of shape ``(inputs, draws)``."""
    from scipy.stats import qmc

    engine = qmc.Sobol(d=2 * inputs_count, scramble=True, rng=np.random.default_rng([seed, 2 * inputs_count]))
    points = np.clip(engine.random_base2(draws_log2), _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
    scores = ndtri(points.T)
    return scores[:inputs_count], scores[inputs_count:]


def _independent(first: Floats, second: Floats, index: int) -> list[Floats]:
    mixed = first.copy()
    mixed[index] = second[index]
    return [mixed]


class _Correlated:
    """Moves one input together with what hangs on it, and then beyond it, given all the others."""

    def __init__(self, correlation: Floats) -> None:
        self._correlation = correlation

    def __call__(self, first: Floats, second: Floats, index: int) -> list[Floats]:
        """For the first-order index, then for the total one; one sample for an input that is in no pair."""
        row = self._correlation[index]
        if np.count_nonzero(row) == 1:
            return _independent(first, second, index)
        together = first + row[:, None] * (second[index] - first[index])
        others = np.arange(len(row)) != index
        pull = row[others] @ np.linalg.pinv(self._correlation[np.ix_(others, others)])
        beyond = first.copy()
        beyond[index] = pull @ first[others] + (second[index] - pull @ second[others])
        return [together, beyond]


def _factor(correlation: Floats) -> Floats:
    """A square root of the matrix, singular or not."""
    values, vectors = np.linalg.eigh(correlation)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _in_batches(model: Model, scores: list[Floats]) -> Floats:
    """The model's answers for every sample, shape ``(samples, draws)``."""
    draws_count = scores[0].shape[1]
    each = max(1, BATCH_DRAWS_COUNT // draws_count)
    answers = []
    for start in range(0, len(scores), each):
        probabilities = ndtr(np.concatenate(scores[start : start + each], axis=1))
        probabilities = np.clip(probabilities, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
        answers.append(np.asarray(model(probabilities)).reshape(-1, draws_count))
    return np.concatenate(answers)


def _index(first: Floats, second: Floats, alone: Floats, beyond: Floats, variance: float) -> SobolIndex:
    """Saltelli's first-order and Jansen's total estimator, of centred answers."""
    if variance <= 0:
        return SobolIndex(0.0, 0.0)
    first_order = float(np.mean(second * (alone - first))) / variance
    total = float(np.mean((first - beyond) ** 2)) / (2.0 * variance)
    return SobolIndex(max(first_order, 0.0), total)
