"""Engineering labour: fleets of many sizes at once need the people that each needs alone."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.costs.drains.engineering_labour import fleet_engineering_fte_count as people

DRAWS_COUNT = 2048
SIZES = [0.0, 1.0, 3.0, 8.0, 9.0, 64.0, 65.0, 500.0]


@pytest.mark.parametrize("facts_count", [1, DRAWS_COUNT])
@pytest.mark.parametrize("scatter_fraction", [0.0, 0.3])
def test_rows_of_fleets_are_those_of_one_fleet_at_a_time(facts_count: int, scatter_fraction: float) -> None:
    random = np.random.default_rng(1)
    facts = [typical * random.lognormal(0.0, 0.3, facts_count) for typical in (0.15, 0.5, 5.0, 0.5)]
    scatter = 1 + scatter_fraction * random.uniform(-1.0, 1.0, (len(SIZES), DRAWS_COUNT))
    fleets = np.array(SIZES)[:, None] * scatter
    together = people(fleets, *facts)
    assert together.shape == fleets.shape
    assert np.array_equal(together, people.function(fleets, *facts))
    for row in range(len(SIZES)):
        assert np.array_equal(together[row], people(fleets[row], *facts)), SIZES[row]
    alone = [[float(people(size, *(fact[0] for fact in facts))) for size in row[:3]] for row in fleets]
    if facts_count == 1:
        assert together[:, :3] == pytest.approx(np.array(alone), rel=1e-12)
