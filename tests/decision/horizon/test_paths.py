"""Paths: their formulas at known points, the law of the rent's chance, and impossible growth refused."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.decision.compare import typical
from breakeven.decision.horizon.exact import Setting, setting_of
from breakeven.decision.horizon.paths import (
    SHOCKS,
    api_list_price_ratio,
    gpu_rent_trend_ratio,
    moved_fraction,
    rent_chance,
    shock_loadings,
    volume_level_ratio,
    volume_ratio,
)
from breakeven.errors import ScenarioError
from breakeven.facts.draws import DrawSet
from costing import demand, pinned, situation

MONTHS = np.arange(36.0)


def setting(**overrides: float) -> Setting:
    return setting_of(situation(demand(300), scenario=pinned(overrides)), typical, {})


def test_month_one_is_today() -> None:
    paths = setting().paths
    for name in ("volume", "api_list_price", "open_token_price", "open_model_work", "gpu_rent"):
        assert getattr(paths, name)[0] == pytest.approx(1.0)
        assert getattr(paths, name).shape == (36, 1)


def test_growth_without_damping_compounds() -> None:
    grown = setting(volume_growth_fraction_per_month=0.04, growth_half_life_months=1e5).paths.volume[:, 0]
    assert grown == pytest.approx(1.04**MONTHS, rel=3e-4)


def test_growth_is_damped_as_a_sum_of_halving_steps() -> None:
    keeps = 2 ** (-1 / 12)
    steps = np.cumsum([0.0] + [np.log1p(0.04) * keeps**k for k in range(35)])
    assert volume_ratio(0.04, 12.0, 1.0, MONTHS) == pytest.approx(np.exp(steps), rel=1e-12)


def test_only_a_buyer_who_switches_receives_the_fall_of_equal_quality_prices() -> None:
    stays = api_list_price_ratio(0.0, 10.0, 0.0, MONTHS)
    moves = api_list_price_ratio(0.0, 10.0, 1.0, MONTHS)
    assert stays == pytest.approx(1.0)
    assert moves[12] == pytest.approx(0.1)
    assert moves[24] == pytest.approx(0.01)


def test_rents_go_half_of_the_way_in_a_half_life_and_both_ways() -> None:
    assert gpu_rent_trend_ratio(4.0, 6.0, np.array(6.0)) == pytest.approx(2.0)
    assert gpu_rent_trend_ratio(0.25, 6.0, np.array(6.0)) == pytest.approx(0.5)


def test_the_traffic_moves_in_equal_parts() -> None:
    assert moved_fraction(3.0, MONTHS[:5]) == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])
    assert moved_fraction(0.0, MONTHS[:2]) == pytest.approx([1.0, 1.0])


def test_chance_has_at_most_the_variance_of_the_process_and_later_most_of_it() -> None:
    """Ornstein-Uhlenbeck from a known start: s^2 / (2k) (1 - e^(-2 k t))."""
    half_life, speed = 12.0, np.log(2) / 12.0
    full = (1 / 12) / (2 * speed) * (1 - np.exp(-2 * speed * MONTHS))
    shown = np.sum(shock_loadings(36, half_life) ** 2, axis=1)
    assert np.all(shown <= full + 1e-12)
    assert shown[6:].sum() > 0.8 * full[6:].sum()  # 85 % at this half-life


@pytest.mark.parametrize("months_count", [1, 2, 3, 4, 36, 120])
@pytest.mark.parametrize("half_life", [3.0, 12.0, 600.0])
def test_loadings_are_the_largest_principal_components_of_the_process(months_count: int, half_life: float) -> None:
    months, speed = np.arange(months_count, dtype=float), np.log(2) / half_life
    apart, together = np.abs(np.subtract.outer(months, months)), np.add.outer(months, months)
    covariance = (1 / 12) / (2 * speed) * (np.exp(-speed * apart) - np.exp(-speed * together))
    values, vectors = np.linalg.eigh(covariance)
    components = vectors[:, -3:] * np.sqrt(np.maximum(values[-3:], 0.0))
    loadings = shock_loadings(months_count, half_life)
    assert loadings @ loadings.T == pytest.approx(components @ components.T, rel=1e-9, abs=1e-12)
    assert np.all(loadings[-1] >= 0) and np.all(np.diff(np.sum(loadings**2, axis=0)) <= 0)


def test_three_shocks_carry_what_the_months_add_up_to() -> None:
    """Against a process simulated step by step: the spread of the mean over years, which present costs hang on.

    Ups and downs of a few weeks are smoothed: only three numbers are drawn for 36 months.
    """
    rng = np.random.default_rng(7)
    half_life, draws_count = 12.0, 40_000
    speed = np.log(2) / half_life
    path = np.zeros((36, draws_count))
    step = np.sqrt((1 / 12) / (2 * speed) * (1 - np.exp(-2 * speed)))
    for month in range(1, 36):
        path[month] = path[month - 1] * np.exp(-speed) + step * rng.standard_normal(draws_count)
    short = shock_loadings(36, half_life) @ rng.standard_normal((3, draws_count))
    for months in (slice(0, 36), slice(0, 12), slice(24, 36)):
        assert np.std(short[months].mean(axis=0)) == pytest.approx(np.std(path[months].mean(axis=0)), rel=0.06)


def test_rents_move_both_ways_around_today() -> None:
    drawn = setting_of(situation(demand(300)), DrawSet(draws_log2=10).of, {})
    last = drawn.paths.gpu_rent[-1]
    assert 0.3 < np.mean(last > 1) < 0.6
    assert np.std(rent_chance(drawn.facts)[12]) == pytest.approx(0.35 * np.sqrt(0.54), rel=0.25)
    assert all(name in drawn.facts.nodes for name in SHOCKS)


@pytest.mark.parametrize("growth", [0.9, 1.0])
def test_growth_that_overflows_is_refused_by_name(growth: float) -> None:
    with pytest.raises(ScenarioError, match=r"volume_growth_fraction_per_month.*times today's"):
        setting(volume_growth_fraction_per_month=growth, growth_half_life_months=1000)


@pytest.mark.parametrize("growth", [-0.2, 0.0, 0.05, 0.3])
def test_the_level_of_month_one_is_that_of_the_end_of_the_log(growth: float) -> None:
    """Against the sum of an exponential day by day: the mean of the month after the log over the mean of the log."""
    days = np.arange(0, 120 + 30.4, 0.01)
    volume = (1 + growth) ** (days / (365 / 12))
    length = 120 / (365 / 12)
    expected = volume[days >= 120].mean() / volume[days < 120].mean()
    found = float(volume_level_ratio(growth, length / 2 + 0.5, length, 1.0))
    assert found == pytest.approx(expected, rel=0.005)


def test_a_log_that_grows_lifts_every_month_and_one_that_does_not_none() -> None:
    shown = pinned({"log_growth_fraction_per_month": 0.3, "log_lead_months": 2.5, "log_length_months": 4.0})
    asked = situation(demand(300), scenario=pinned({"volume_growth_fraction_per_month": 0.0}))
    grown = setting_of(asked, typical, shown).paths.volume[:, 0]
    assert grown == pytest.approx(np.full(36, float(volume_level_ratio(0.3, 2.5, 4.0, 1.0))))
    assert setting_of(asked, typical, {}).paths.volume[:, 0] == pytest.approx(np.ones(36))


def test_a_level_shift_lifts_every_month_with_growth_and_without() -> None:
    asked = situation(demand(300), scenario=pinned({"volume_growth_fraction_per_month": 0.0}))
    shifted = pinned({"log_present_ratio": 1.2})
    assert setting_of(asked, typical, shifted).paths.volume[:, 0] == pytest.approx(np.full(36, 1.2))
    both = shifted | pinned({"log_growth_fraction_per_month": 0.3, "log_lead_months": 2.5, "log_length_months": 4.0})
    level = 1.2 * float(volume_level_ratio(0.3, 2.5, 4.0, 1.0))
    assert setting_of(asked, typical, both).paths.volume[:, 0] == pytest.approx(np.full(36, level))
