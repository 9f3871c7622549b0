"""Bootstrap: 80 % intervals of next quarter's total hold as often as they say, and scale with the series."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from breakeven.workload.bootstrap import total_ahead
from breakeven.workload.day_models import ALL_WEEKS
from breakeven.workload.rolling_origin import try_models
from workload.planted_days import Floats, scatter, series_of, weekly

DAYS = 90
KINDS: dict[str, Callable[[int, np.random.Generator], Floats]] = {
    "independent": lambda days, rng: np.exp(scatter(days, 0.0, rng)),
    "memory 0.5": lambda days, rng: np.exp(scatter(days, 0.5, rng)),
    "week": weekly,
    "week growing 1 % a week": lambda days, rng: weekly(days, rng, np.arange(days) * 0.01 / 7),
    "shift of +49 %": lambda days, rng: weekly(days, rng, np.where(np.arange(days) >= 40, np.log(1.49), 0.0)),
    "level a random walk": lambda days, rng: weekly(days, rng, np.cumsum(0.04 * rng.standard_normal(days))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_of_the_next_quarter_hold_as_often_as_they_say(kind: str) -> None:
    """70 to 90 % asked; of 60 logs the share lies within two and a half standard errors of that."""
    hits = []
    for seed in range(60):
        amounts = KINDS[kind](DAYS + 91, np.random.default_rng(seed))
        series = series_of(amounts[:DAYS])
        total = total_ahead(series, try_models(series).chosen, paths_count=300)
        hits.append(total.low <= amounts[DAYS:].sum() <= total.high)
    low, high = (each + sign * 2.5 * np.sqrt(each * (1 - each) / 60) for each, sign in ((0.7, -1), (0.9, 1)))
    assert low <= np.mean(hits) <= high


@pytest.mark.parametrize("days", [45, 90])
def test_a_level_that_walks_is_held_as_often_as_asked(days: int) -> None:
    """70 % or more, within two standard errors of 120 logs: so few days hardly show how far it goes."""
    hits = []
    for seed in range(1000, 1120):
        amounts = KINDS["level a random walk"](days + 91, np.random.default_rng(seed))
        total = total_ahead(series_of(amounts[:days]), ALL_WEEKS, paths_count=300)
        hits.append(total.low <= amounts[days:].sum() <= total.high)
    assert np.mean(hits) >= 0.7 - 2 * np.sqrt(0.7 * 0.3 / 120)


def test_the_total_scales_with_the_series_and_is_the_same_for_the_same_seed() -> None:
    amounts = weekly(DAYS, np.random.default_rng(3))
    one, thousand = total_ahead(series_of(amounts), ALL_WEEKS), total_ahead(series_of(amounts * 1000), ALL_WEEKS)
    assert (thousand.low, thousand.typical, thousand.high) == pytest.approx(
        (one.low * 1000, one.typical * 1000, one.high * 1000)
    )
    assert total_ahead(series_of(amounts), ALL_WEEKS) == one


def test_more_scatter_is_a_wider_interval() -> None:
    widths = [
        total_ahead(series_of(weekly(DAYS, np.random.default_rng(3), spread=each)), ALL_WEEKS).half_width_ratio
        for each in (0.05, 0.2, 0.6)
    ]
    assert widths == sorted(widths)


@pytest.mark.parametrize("amounts", [np.ones(14), np.zeros(20), np.tile([5.0, 0, 0, 0, 0, 0, 0], 6)])
def test_odd_series_have_finite_totals(amounts: Floats) -> None:
    total = total_ahead(series_of(amounts), ALL_WEEKS)
    assert np.isfinite([total.low, total.typical, total.high]).all()
    assert 0 <= total.low <= total.typical <= total.high
