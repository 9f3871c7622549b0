"""Bent kernel: the bits of one array at a time."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.decision.horizon.bent_kernel import bent_rows


@pytest.mark.parametrize("draws_count", [1, 7, 1024, 3001])
@pytest.mark.parametrize("nodes", [[1.0, 2.0], [1.0, 2.0, 3.0, 5.0, 9.0, 17.0, 31.0, 60.0], [0.02, 0.3, 4.4]])
def test_pieces_are_those_of_whole_arrays_to_the_bit(nodes: list[float], draws_count: int) -> None:
    random, places = np.random.default_rng(len(nodes)), np.array(nodes)
    units = places * (1 - 1e-9)
    priced = random.lognormal(9.0, 1.0, (places.size, draws_count))
    per_unit, factor = random.lognormal(6.0, 1.0, draws_count), random.lognormal(0.0, 0.1, draws_count)
    found = np.empty_like(priced)
    bent_rows(priced, per_unit, units, factor, places, found)

    values = (priced - per_unit * units[:, None]) * factor
    slopes = (values[1:] - values[:-1]) / np.diff(places)[:, None]
    wanted = np.concatenate([values[:1] - slopes[:1] * places[0], slopes[:1], slopes[1:] - slopes[:-1]])
    assert np.array_equal(found, wanted)
