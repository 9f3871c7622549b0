"""One name is one dimension: the same draws everywhere, unmoved by newcomers, better than plain Monte Carlo."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from breakeven.facts.assumption import Assumption
from breakeven.facts.draws import DrawSet
from breakeven.facts.source import Grade, Source

SOURCE = Source("test", "test", date(2026, 11, 23), Grade.GUESS)


def assumption(name: str, dimension: int | None, low: float = 1.0, high: float = 4.0) -> Assumption:
    return Assumption(name, "usd", low, 2.0, high, SOURCE, dimension=dimension)


def test_adding_an_assumption_moves_no_other() -> None:
    alone, together = DrawSet(seed=3), DrawSet(seed=3)
    first = alone.of(assumption("a_usd", 5))
    for dimension in (0, 1, 2, 40, 90):
        together.of(assumption(f"other{dimension}_usd", dimension))
    assert np.array_equal(first, together.of(assumption("a_usd", 5)))


def test_two_options_with_other_ranges_of_one_name_rank_alike() -> None:
    draws = DrawSet()
    spot, on_demand = assumption("rent_usd", 2, 1.0, 3.0), assumption("rent_usd", 2, 1.5, 9.0)
    assert np.array_equal(np.argsort(draws.of(spot)), np.argsort(draws.of(on_demand)))


def test_a_shorter_run_is_the_beginning_of_a_longer_one() -> None:
    short, long = DrawSet(seed=1, draws_log2=8), DrawSet(seed=1, draws_log2=12)
    fact = assumption("a_usd", 7)
    assert np.array_equal(short.of(fact), long.of(fact)[:256])


@pytest.mark.parametrize("dimension", [0, 1, 17, 80])
def test_each_column_is_stratified(dimension: int) -> None:
    """A scrambled Sobol column puts exactly one point into each of 2**n equal intervals."""
    column = DrawSet(seed=9, draws_log2=10).uniform(f"x{dimension}_usd", dimension)
    assert np.array_equal(np.sort(np.floor(column * 1024).astype(int)), np.arange(1024))
    assert 0 < column.min() < column.max() < 1


def test_pairs_of_dimensions_are_nets() -> None:
    """Elementary intervals: the first two Sobol dimensions fill a 32 x 32 grid evenly, scrambled or not."""
    draws = DrawSet(seed=4, draws_log2=10)
    x, y = (np.floor(draws.uniform(f"x{d}_usd", d) * 32).astype(int) for d in (0, 1))
    assert np.array_equal(np.bincount(x * 32 + y, minlength=1024), np.ones(1024))


def test_names_without_a_dimension_differ_and_depend_on_the_seed() -> None:
    one, two = DrawSet(seed=0), DrawSet(seed=1)
    a, b = one.uniform("a_usd", None), one.uniform("b_usd", None)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.05
    assert not np.array_equal(a, two.uniform("a_usd", None))
    assert np.array_equal(a, DrawSet(seed=0).uniform("a_usd", None))


def test_sobol_beats_monte_carlo_on_a_smooth_sum() -> None:
    """Root mean square error of the mean of five lognormals over 16 seeds, against the exact mean of the draws."""
    facts = [assumption(f"f{d}_usd", d) for d in range(5)]
    exact = np.mean([DrawSet(seed=99, draws_log2=17).of(fact).mean() for fact in facts]) * 5
    sobol = [sum(DrawSet(seed=s, draws_log2=10).of(fact) for fact in facts).mean() - exact for s in range(16)]
    rng = np.random.default_rng(0)
    from breakeven.facts.distribution import quantile

    plain = [sum(quantile(fact, rng.random(1024)) for fact in facts).mean() - exact for _ in range(16)]
    assert np.std(sobol) < np.std(plain) / 4


def test_columns_are_kept_for_later_sets_and_cannot_be_spoilt() -> None:
    one, other = DrawSet(seed=6, draws_log2=6), DrawSet(seed=6, draws_log2=6)
    column = one.uniform("a_usd", 3)
    assert other.uniform("a_usd", 3) is column
    assert not np.array_equal(DrawSet(seed=7, draws_log2=6).uniform("a_usd", 3), column)
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 0.5
