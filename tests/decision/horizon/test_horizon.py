"""Horizon: recommendation, odds, regret, payback and waiting agree with one another; impossible horizons refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from breakeven.catalog.load import load_catalog
from breakeven.decision.compare import STATUS_QUO
from breakeven.decision.horizon.horizon import Horizon, look_ahead
from breakeven.decision.horizon.present import present_costs_usd
from breakeven.decision.scenario import load_scenario
from breakeven.errors import ScenarioError
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import select_options
from costing import demand, pinned, situation

NAMES = ("frontier_api", "brokered", "rented_on_demand", "owned_gpus", "sunk_gpus")
DRAWS = DrawSet(draws_log2=9)


@pytest.fixture(scope="module")
def found() -> Horizon:
    return look_ahead(situation(demand(3_000)), select_options(NAMES), DRAWS, only_if=("sunk_gpus",))


def test_the_recommended_has_the_lowest_expected_present_cost_of_those_open_to_all(found: Horizon) -> None:
    means = {name: float(np.mean(found.present_cost_usd[name])) for name in found.open_to_all}
    assert found.recommended == min(means, key=lambda name: means[name])
    assert "sunk_gpus" not in found.open_to_all
    assert [float(np.mean(each.present_cost_usd)) for each in found.options] == sorted(
        float(np.mean(each.present_cost_usd)) for each in found.options
    )


def test_odds_add_up_and_regret_is_zero_where_it_is_best(found: Horizon) -> None:
    everybody = [found.option(name) for name in found.open_to_all]
    assert sum(each.cheapest_fraction for each in everybody) == pytest.approx(1)
    for each in everybody:
        assert np.mean(each.regret_usd <= 1e-9) == pytest.approx(each.cheapest_fraction, abs=0.01)
        assert each.regret_usd.min() >= -1e-9
    monthly = sum(each.cheapest_by_month_fraction for each in everybody)
    assert monthly == pytest.approx(np.ones(36))


def test_payback_never_is_infinite_and_the_status_quo_has_none_to_wait_for(found: Horizon) -> None:
    assert np.all(found.option(STATUS_QUO).payback_months == 0)
    owned = found.option("owned_gpus")
    saves = found.present_cost_usd[STATUS_QUO] - owned.present_cost_usd
    kept = saves[: owned.payback_months.size]
    assert np.isinf(owned.payback_months[kept < -1e6]).mean() > 0.5


def test_waiting_for_ever_is_staying(found: Horizon) -> None:
    assert found.waiting is not None
    never = found.waiting.waits[-1]
    assert never.wait_months is None
    assert never.present_cost_usd == pytest.approx(found.present_cost_usd[STATUS_QUO])
    now = found.waiting.waits[0]
    assert now.wait_months == 0
    assert now.present_cost_usd == pytest.approx(found.present_cost_usd[found.waiting.moves_to])


def test_the_value_of_a_quarter_uses_only_what_is_known_then(found: Horizon) -> None:
    """Deciding later never beats knowing everything then, and never loses more than waiting blindly."""
    assert found.waiting is not None
    now, later, *_, stay = (each.present_cost_usd for each in found.waiting.waits)
    act_now = min(np.mean(now), np.mean(stay))
    blind = act_now - min(np.mean(later), np.mean(stay))
    all_known = act_now - np.mean(np.minimum(later, stay))
    assert blind - 1e-6 * abs(act_now) <= found.waiting.value_of_a_quarter_usd <= all_known + 1e-9


def test_present_costs_under_other_draws_are_the_same_function(found: Horizon) -> None:
    """What sensitivity asks again gives the horizon's own figures for the horizon's own draws."""
    options = select_options(NAMES)
    again = present_costs_usd(situation(demand(3_000)), options, DRAWS.of)
    for name in NAMES:
        assert again[name] == pytest.approx(found.present_cost_usd[name], rel=1e-12)
    few = present_costs_usd(situation(demand(3_000)), options, lambda fact: DRAWS.of(fact)[:8])
    for name in ("frontier_api", "brokered"):
        assert few[name] == pytest.approx(found.present_cost_usd[name][:8], rel=1e-9)


def test_the_error_of_the_fast_form_is_measured(found: Horizon) -> None:
    assert 0 <= found.approximation_error_fraction < 0.03


def test_growth_of_the_log_is_an_estimate_that_the_scenario_overrides() -> None:
    name = "volume_growth_fraction_per_month"
    shown = pinned({name: 0.06})
    options = select_options(("frontier_api", "brokered"))
    grown = look_ahead(situation(demand(300)), options, DRAWS, estimates=shown)
    still = look_ahead(situation(demand(300), scenario=pinned({name: 0.0})), options, DRAWS, estimates=shown)
    assert grown.typical_paths.volume[-1, 0] > 1.5
    assert still.typical_paths.volume[-1, 0] == pytest.approx(1.0)


def test_a_short_horizon_does_not_pay_for_a_fleet() -> None:
    asked = situation(demand(3_000), scenario=pinned({"horizon_months": 2.0}))
    found = look_ahead(asked, select_options(("frontier_api", "owned_gpus")), DRAWS)
    assert found.months_count == 2
    assert found.recommended == STATUS_QUO
    assert found.waiting is not None
    assert found.waiting.value_of_a_quarter_usd == 0.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("overrides: {horizon_months: 0}", r"line 1: overrides: 'horizon_months' is 0; wanted more than zero"),
        ("overrides: {horizon_months: 1.5}", "wanted a whole number"),
        ("overrides: {horizon_months: 500}", "wanted at most 120"),
        ("overrides:\n  volume_growth_fraction_per_month: 1.5", r"line 2: .*wanted at most 1"),
        ("overrides: {volume_growth_fraction_per_month: -0.9}", "wanted at least -0.5"),
        ("overrides: {model_switching_fraction: 1.2}", "a fraction lies between 0 and 1"),
        ("overrides: {equal_quality_price_decline_ratio: 0.5}", "wanted at least 1"),
        (
            "overrides:\n  gpu_rent_long_run_ratio: {low: 2, typical: 1, high: 3}",
            r"line 2.*low <= typical <= high does not hold",
        ),
    ],
)
def test_impossible_horizons_are_refused_with_their_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=message):
        load_scenario(path).facts(load_catalog(date(2026, 11, 23)))
