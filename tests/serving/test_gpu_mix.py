"""GPU mix: the exact optimum, against every assignment tried by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from breakeven.serving.gpu_mix import cheapest_mix, gpus_kept_busy

MELANGE = gpus_kept_busy(30.0, [[0.2, 0.1], [0.5, 0.2]], [[[2, 1], [5, 2]], [[20, 20], [40, 20]]])
PRICES = [1.01, 3.67]


def brute_force(prices: list[float], busy: np.ndarray, slices: int) -> float:
    load = np.repeat(busy / slices, slices, axis=0)
    best = np.inf
    for choice in product(range(len(prices)), repeat=len(load)):
        used = np.zeros(len(prices))
        for index, gpu in enumerate(choice):
            used[gpu] += load[index, gpu]
        best = min(best, float(np.ceil(used.round(9)) @ np.asarray(prices)))
    return best


def test_the_example_of_the_paper() -> None:
    whole = cheapest_mix(PRICES, MELANGE)
    assert (whole.gpu_counts, whole.usd_per_hour) == ((3, 1), pytest.approx(6.70))
    split = cheapest_mix(PRICES, MELANGE, split=True)
    assert (split.gpu_counts, split.usd_per_hour) == ((1, 1), pytest.approx(4.68))


@pytest.mark.parametrize("seed", range(25))
def test_random_mixes_against_every_assignment(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes, types = int(rng.integers(2, 5)), int(rng.integers(2, 4))
    busy = rng.uniform(0.05, 3.0, (sizes, types))
    prices = [float(each) for each in rng.uniform(0.5, 5.0, types)]
    slices = int(rng.integers(1, 3))
    found = cheapest_mix(prices, busy, slices_count=slices)
    assert found.usd_per_hour == pytest.approx(brute_force(prices, busy, slices))
    finer = cheapest_mix(prices, busy, split=True)
    assert finer.usd_per_hour <= found.usd_per_hour + 1e-9
