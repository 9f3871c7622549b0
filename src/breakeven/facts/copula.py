"""Copula: which Assumptions move together, on top of the range that each keeps for itself.

Gaussian copula: independent draws U become z = L ndtri(U) with L L' the matrix of correlations, and the new cumulative
probabilities are ndtr(z). Every range keeps its quantiles, and a name that is in no pair keeps its draws to the bit; so
does the first name of each group, the others lean on those before them. A pair that nobody named has correlation 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from breakeven.facts.distribution import Draws

Floats = NDArray[np.float64]
_SMALLEST_PROBABILITY = 1e-12
_SINGULAR = 1e-9
"""A pivot this close to zero is zero: two names with correlation 1 are one."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of draws: the name and the dimension by which an Assumption finds it."""

    name: str
    dimension: int | None

    @property
    def key(self) -> str | int:
        """What a `DrawSet` keeps the column under."""
        return self.name if self.dimension is None else self.dimension


@dataclass(frozen=True, slots=True)
class Pair:
    """Two columns and the correlation of their normal scores."""

    one: Column
    other: Column
    correlation_ratio: float
    """From -1 to 1, of the normal scores; `of_ranks` makes it from a rank correlation."""


@dataclass(frozen=True, slots=True)
class Copula:
    """The columns that are drawn together, in the order in which they were named first."""

    columns: tuple[Column, ...]
    matrix: tuple[tuple[float, ...], ...]
    """Correlations of the normal scores."""
    factor: tuple[tuple[float, ...], ...]
    """Its lower triangular factor L."""

    def __contains__(self, key: object) -> bool:
        return any(column.key == key for column in self.columns)

    def uniform(self, key: str | int, independent: Callable[[Column], Draws]) -> Draws:
        """Cumulative probabilities of the column `key`, from those that are drawn independently."""
        row = next(index for index, column in enumerate(self.columns) if column.key == key)
        weights = [(column, weight) for column, weight in zip(self.columns, self.factor[row], strict=True) if weight]
        if weights == [(self.columns[row], 1.0)]:
            return independent(self.columns[row])
        z = sum(weight * ndtri(independent(column)) for column, weight in weights)
        return np.clip(ndtr(z), _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)


def of_ranks(rank_correlation_ratio: float) -> float:
    """Correlation of the normal scores that gives this rank correlation (Spearman's): 2 sin(pi r / 6).

    >>> round(of_ranks(0.5), 6), of_ranks(0.0), round(of_ranks(-1.0), 9)
    (0.517638, 0.0, -1.0)
    """
    return 2.0 * math.sin(math.pi * rank_correlation_ratio / 6.0)


def copula_of(pairs: Sequence[Pair]) -> Copula | None:
    """The copula of `pairs`, each named once; None when no copula has these correlations.

    >>> a, b = Column("a_usd", 1), Column("b_usd", 2)
    >>> made = copula_of([Pair(a, b, 0.6)])
    >>> [[round(each, 3) for each in row] for row in made.factor] if made else None
    [[1.0, 0.0], [0.6, 0.8]]
    """
    columns = tuple(dict.fromkeys(column for pair in pairs for column in (pair.one, pair.other)))
    matrix = np.eye(len(columns))
    for pair in pairs:
        row, column = columns.index(pair.one), columns.index(pair.other)
        matrix[row, column] = matrix[column, row] = pair.correlation_ratio
    factor = _lower_factor(matrix)
    return None if factor is None else Copula(columns, _rows(matrix), _rows(factor))


def _lower_factor(matrix: Floats) -> Floats | None:
    """Cholesky's factor, a zero pivot allowed where the whole column is zero; None when a pivot is negative."""
    size = len(matrix)
    factor = np.zeros_like(matrix)
    for column in range(size):
        rest = matrix[column:, column] - factor[column:, :column] @ factor[column, :column]
        if rest[0] < -_SINGULAR or (rest[0] <= _SINGULAR and np.abs(rest[1:]).max(initial=0.0) > math.sqrt(_SINGULAR)):
            return None
        if rest[0] > _SINGULAR:
            factor[column:, column] = rest / math.sqrt(rest[0])
    return factor


def _rows(matrix: Floats) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(each) for each in row) for row in matrix)
