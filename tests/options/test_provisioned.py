"""Provisioned throughput: never without a quote; whole units for the peak; busy and idle add up to the commitment."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.decision.compare import typical
from breakeven.decision.scenario import Scenario
from breakeven.errors import CatalogError, ScenarioError, UnknownPrice
from breakeven.options.option import Evaluation, OptionCost
from breakeven.options.provisioned import Provisioned
from costing import demand, pinned, situation

QUOTE = {"provisioned_usd_per_unit_hour": 2.0, "provisioned_unit_tok_per_s": 700.0}
PEAK = {"hourly_peak_to_mean_ratio": 2.0, "burst_headroom_ratio": 1.5, "hours_per_month": 730.0}


def cost(volume: float, **facts: float) -> OptionCost:
    here = situation(demand(2100), pinned({**QUOTE, **PEAK, **facts}))
    return Provisioned().cost(here, Evaluation(typical, np.array([volume])))


def lines(each: OptionCost) -> dict[str, float]:
    return {line.name: float(line.usd_per_month.value.flat[0]) for line in each.breakdown.lines}


@settings(deadline=None, max_examples=40)
@given(volume=st.floats(1, 200_000), fewest=st.integers(1, 20))
def test_whole_units_for_the_peak_by_brute_force(volume: float, fewest: int) -> None:
    each = cost(volume, provisioned_units_min_count=float(fewest))
    mean = volume * 1e6 / (730 * 3600)
    units = fewest
    while units * 700.0 < mean * 3.0 * (1 - 1e-12):
        units += 1
    found = lines(each)
    assert found["provisioned_busy"] + found["idle_capacity"] == pytest.approx(units * 2.0 * 730, rel=1e-9)
    assert found["provisioned_busy"] == pytest.approx(mean / 700.0 * 2.0 * 730, rel=1e-9)


def test_the_staircase_names_its_own_steps() -> None:
    stair = cost(2100.0, provisioned_units_min_count=2.0).staircase
    assert stair is not None
    edges = stair.steps_mtok(stair.step_mtok * 5.5)
    assert edges.size == 4
    for edge in edges:
        below, above = (lines(cost(float(edge) * f, provisioned_units_min_count=2.0)) for f in (1 - 1e-9, 1 + 1e-9))
        jump = above["provisioned_busy"] + above["idle_capacity"] - below["provisioned_busy"] - below["idle_capacity"]
        assert jump == pytest.approx(2.0 * 730, rel=1e-6)  # one more unit


@pytest.mark.parametrize("given_facts", [{}, *({name: value} for name, value in QUOTE.items())])
def test_without_a_whole_quote_there_is_no_price(given_facts: dict[str, float]) -> None:
    missing = [name for name in QUOTE if name not in given_facts]
    with pytest.raises(UnknownPrice, match=f"needs your quote: set {' and '.join(missing)} under overrides"):
        Provisioned().cost(situation(demand(2100), pinned(given_facts)), Evaluation(typical))


def test_the_scenario_takes_the_names_of_a_quote_and_refuses_impossible_ones() -> None:
    catalog = situation(demand(1)).catalog
    facts = Scenario(overrides={**QUOTE, "provisioned_units_min_count": 3.0}).facts(catalog)
    assert facts["provisioned_usd_per_unit_hour"].unit == "usd/hour"
    with pytest.raises(ScenarioError, match="provisioned_unit_tok_per_s' is 0; wanted more than zero"):
        Scenario(overrides={"provisioned_unit_tok_per_s": 0.0}).facts(catalog)
    with pytest.raises(ScenarioError, match="did you mean 'provisioned_usd_per_unit_hour'"):
        Scenario(overrides={"provisioned_usd_per_units_hour": 2.0}).facts(catalog)


def test_an_absurd_number_of_units_is_a_slip() -> None:
    here = situation(demand(2100), pinned({**QUOTE, **PEAK, "provisioned_unit_tok_per_s": 1e-6}))
    with pytest.raises(CatalogError, match="look at provisioned_unit_tok_per_s"):
        Provisioned().cost(here, Evaluation(typical))


def test_the_busy_share_is_never_more_than_the_commitment() -> None:
    """Peak below the mean is a slip of the user's; the lines must still add up."""
    found = lines(cost(50_000.0, hourly_peak_to_mean_ratio=0.1, burst_headroom_ratio=1.0))
    assert found["idle_capacity"] >= 0
    assert math.isfinite(found["provisioned_busy"])
