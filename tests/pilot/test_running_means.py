"""Running means: what earlier units say, and nothing of a unit's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.pilot.clusters import in_order
from breakeven.pilot.running_means import earlier_means, earlier_sums


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.booleans(), st.booleans()), min_size=1, max_size=25))
def test_sums_are_those_of_earlier_units(rows: list[tuple[int, int, bool, bool]]) -> None:
    stratum, unit, value, is_counted = (np.array(each) for each in zip(*rows, strict=True))
    order, _ = in_order(unit)
    sums, counts = earlier_sums(value.astype(float), is_counted.astype(float), stratum, order)
    for i in range(len(rows)):
        earlier = (order < order[i]) & (stratum == stratum[i]) & is_counted
        assert sums[i] == pytest.approx(value[earlier].sum())
        assert counts[i] == earlier.sum()


def test_a_units_own_outcomes_do_not_touch_its_predictions() -> None:
    rng = np.random.default_rng(1)
    unit, stratum = rng.integers(0, 10, 200), rng.integers(0, 3, 200)
    order, _ = in_order(unit)
    values = rng.uniform(size=200)
    told = earlier_means(values, np.ones(200), stratum, order, np.full(200, 0.5))
    others = earlier_means(np.where(order == 4, 1 - values, values), np.ones(200), stratum, order, np.full(200, 0.5))
    assert np.array_equal(told[order <= 4], others[order <= 4])
    assert not np.array_equal(told[order > 4], others[order > 4])


def test_the_mean_is_found_and_starts_at_the_plan() -> None:
    rng = np.random.default_rng(2)
    stratum = rng.integers(0, 2, 4_000)
    values = (rng.uniform(size=4_000) < np.where(stratum == 0, 0.9, 0.3)).astype(float)
    told = earlier_means(values, np.ones(4_000), stratum, np.arange(4_000), np.full(4_000, 0.5))
    assert told[0] == 0.5
    assert told[-1] == pytest.approx(0.9 if stratum[-1] == 0 else 0.3, abs=0.04)
