"""Names that move together: the correlation asked for, every range kept, and nobody else moved."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, spearmanr

from breakeven.facts.assumption import Assumption
from breakeven.facts.copula import Column, Pair, copula_of, of_ranks
from breakeven.facts.draws import DrawSet
from breakeven.facts.source import Grade, Source

SOURCE = Source("test", "test", date(2026, 11, 23), Grade.GUESS)
A, B, C = Column("a_usd", 5), Column("b_fraction", 9), Column("c_hours", None)
FACTS = {
    A: Assumption("a_usd", "usd", 1.0, 2.0, 9.0, SOURCE, dimension=5),
    B: Assumption("b_fraction", "fraction", 0.1, 0.5, 0.6, SOURCE, dimension=9),
    C: Assumption("c_hours", "hour", 0.0, 3.0, 4.0, SOURCE),
}


def draws_with(*pairs: Pair, draws_log2: int = 14) -> DrawSet:
    made = copula_of(pairs)
    assert made is not None
    return DrawSet(seed=1, draws_log2=draws_log2, copula=made)


@pytest.mark.parametrize("rank", [-0.95, -0.5, 0.3, 0.8])
def test_the_rank_correlation_asked_for_is_there(rank: float) -> None:
    draws = draws_with(Pair(A, B, of_ranks(rank)), Pair(B, C, of_ranks(-rank / 4)))
    values = {column: draws.of(fact) for column, fact in FACTS.items()}
    assert spearmanr(values[A], values[B]).statistic == pytest.approx(rank, abs=0.01)
    assert spearmanr(values[B], values[C]).statistic == pytest.approx(-rank / 4, abs=0.02)


@pytest.mark.parametrize("column", [A, B, C])
def test_every_range_keeps_its_quantiles(column: Column) -> None:
    """P5, P50 and P95 of the draws are low, typical and high, and the probabilities are uniform."""
    draws = draws_with(Pair(A, B, 0.9), Pair(B, C, 0.6), Pair(A, C, 0.5))
    fact = FACTS[column]
    u = draws.uniform(column.name, column.dimension)
    most = 0.012 if column is C else 0.004  # a random sample of this size has 0.0065; C is a hashed permutation
    assert kstest(u, "uniform").statistic < most
    for probability, value in zip((0.05, 0.5, 0.95), (fact.low, fact.typical, fact.high), strict=True):
        assert np.mean(draws.of(fact) <= value) == pytest.approx(probability, abs=0.004)


def test_no_name_outside_the_pairs_moves_nor_does_the_first_one() -> None:
    plain, joined = DrawSet(seed=1), draws_with(Pair(A, B, 0.7))
    assert np.array_equal(plain.uniform("a_usd", 5), joined.uniform("a_usd", 5))
    assert not np.array_equal(plain.uniform("b_fraction", 9), joined.uniform("b_fraction", 9))
    for dimension in (0, 1, 6, 40):
        assert np.array_equal(plain.uniform("x_usd", dimension), joined.uniform("x_usd", dimension))
    assert np.array_equal(plain.uniform("c_hours", None), joined.uniform("c_hours", None))


def test_a_pair_apart_does_not_move_another_pair() -> None:
    other = Pair(Column("x_usd", 20), Column("y_usd", 21), 0.5)
    alone, with_another = draws_with(Pair(A, B, 0.7)), draws_with(other, Pair(A, B, 0.7))
    assert np.array_equal(alone.uniform("b_fraction", 9), with_another.uniform("b_fraction", 9))


def test_a_shorter_run_is_the_beginning_of_a_longer_one() -> None:
    """Of columns with a dimension; a hashed permutation has none."""
    long = draws_with(Pair(A, B, 0.7), draws_log2=12)
    short = long.first(8)
    assert np.array_equal(short.uniform("b_fraction", 9), long.uniform("b_fraction", 9)[:256])


def test_two_names_with_correlation_one_are_one() -> None:
    draws = draws_with(Pair(A, B, 1.0))
    assert draws.uniform("b_fraction", 9) == pytest.approx(draws.uniform("a_usd", 5), abs=1e-12)
    opposite = draws_with(Pair(A, B, -1.0))
    assert opposite.uniform("b_fraction", 9) == pytest.approx(1 - opposite.uniform("a_usd", 5), abs=1e-12)


def test_what_cannot_be_has_no_copula() -> None:
    assert copula_of([Pair(A, B, 0.9), Pair(B, C, 0.9), Pair(A, C, -0.9)]) is None
    assert copula_of([Pair(A, B, 1.0), Pair(B, C, 1.0)]) is None  # then A and C must be one too
    assert copula_of([Pair(A, B, 1.0), Pair(B, C, 1.0), Pair(A, C, 1.0)]) is not None


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=3, max_size=3))
def test_the_factor_gives_the_matrix_back_exactly_when_it_is_positive(values: list[float]) -> None:
    """Oracle: eigenvalues."""
    found = copula_of([Pair(A, B, values[0]), Pair(B, C, values[1]), Pair(A, C, values[2])])
    matrix = np.array([[1, values[0], values[2]], [values[0], 1, values[1]], [values[2], values[1], 1]])
    smallest = np.linalg.eigvalsh(matrix).min()
    if smallest > 1e-4:
        assert found is not None
    if smallest < -1e-4:
        assert found is None
    if found is not None:
        factor = np.array(found.factor)
        assert np.allclose(factor @ factor.T, matrix, atol=1e-4)
        assert np.allclose(np.triu(factor, 1), 0)
