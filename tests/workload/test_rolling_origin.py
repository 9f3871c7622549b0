"""Rolling origin: models beat last week repeated where they should, and are not used where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.workload.day_models import ALL_WEEKS, MODELS, SEASONAL_NAIVE, TREND
from breakeven.workload.rolling_origin import Trial, try_models
from workload.planted_days import series_of, weekly


def tried(level: float, seed: int, days: int = 120) -> Trial:
    return try_models(series_of(weekly(days, np.random.default_rng(seed), np.arange(days) * level / 7)))


def test_the_chosen_model_has_the_smallest_error_of_the_totals() -> None:
    trial = tried(0.0, 1)
    assert [each.model for each in trial.errors] == list(MODELS)
    assert trial.errors[0].model == SEASONAL_NAIVE
    chosen = trial.error(trial.chosen)
    assert chosen is not None
    assert chosen.total_wape_fraction == min(each.total_wape_fraction for each in trial.errors)


def test_a_quiet_log_is_forecast_better_than_by_last_week() -> None:
    trials = [tried(0.0, seed) for seed in range(8)]
    better = [each.chosen != SEASONAL_NAIVE for each in trials]
    assert np.mean(better) >= 0.75


def test_fast_growth_is_forecast_by_the_trend() -> None:
    assert tried(0.10, 3).chosen == TREND


def test_a_repeated_week_leaves_nothing_to_better() -> None:
    trial = try_models(series_of(np.tile(np.arange(1.0, 8.0), 12)))
    assert trial.chosen == SEASONAL_NAIVE
    assert trial.errors[0].days_wape_fraction == 0


@pytest.mark.parametrize("days", [1, 9, 20, 27])
def test_a_short_log_tries_nothing(days: int) -> None:
    trial = tried(0.0, 4, days)
    assert (trial.errors, trial.chosen) == ((), ALL_WEEKS)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_repeats_what_never_changes(model: str) -> None:
    history = np.tile(np.arange(1.0, 8.0), 6)[None]
    assert MODELS[model](history, 3)[0] == pytest.approx(np.tile(np.arange(1.0, 8.0), 3))
