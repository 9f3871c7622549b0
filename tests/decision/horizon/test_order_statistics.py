"""Order statistics: the quantiles of numpy, to the bit, of whatever positive numbers."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.decision.horizon.order_statistics import WORTH_DRAWERS_COUNT, quantiles_of_loads

PLACES = (0.0, 0.02, 0.5, 0.98, 0.995, 1.0)


def quantiles_of(values: np.ndarray, probabilities: tuple[float, ...]) -> list[float]:
    return quantiles_of_loads([np.atleast_2d(values)], np.ones(1), np.ones(1), probabilities)


def drawn(seed: int, spread_ratio: float) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).normal(size=(36, 2048)) * spread_ratio)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(drawn(0, 1.0), id="as loads are"),
        pytest.param(drawn(1, 60.0), id="over many magnitudes"),
        pytest.param(drawn(2, 1e-6), id="all in one drawer"),
        pytest.param(np.full(WORTH_DRAWERS_COUNT + 1, 3.3), id="all the same"),
        pytest.param(np.round(drawn(3, 1.0)), id="many equal, some zero"),
        pytest.param(drawn(4, 1.0)[:, ::2], id="not side by side in memory"),
        pytest.param(drawn(5, 1.0) * 5e-324, id="too small to be normal"),
        pytest.param(drawn(6, 1.0) - 1.0, id="some below zero"),
        pytest.param(drawn(7, 1.0)[:2], id="few"),
    ],
)
def test_quantiles_are_those_of_numpy(values: np.ndarray) -> None:
    assert quantiles_of(values, PLACES) == [float(each) for each in np.quantile(values, PLACES)]


def test_what_is_not_a_number_is_told() -> None:
    values = drawn(0, 1.0)
    values[3, 5] = np.nan
    assert np.isnan(quantiles_of(values, PLACES)).all()


def test_loads_of_several_years_are_what_they_are_when_written_down() -> None:
    random = np.random.default_rng(8)
    years = [random.lognormal(0.0, 0.4, (12, 4096)), random.lognormal(0.3, 0.6, (5, 4096)), np.ones((1, 1))]
    volume, step = random.lognormal(5.0, 0.2, 4096), random.lognormal(3.0, 0.5, 4096)
    written = np.concatenate([np.broadcast_to(each, (len(each), 4096)) * volume / step for each in years])
    assert quantiles_of_loads(years, volume, step, PLACES) == [float(each) for each in np.quantile(written, PLACES)]
