"""Energy: idle and busy add up to what the options say they draw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from answered import world
from breakeven.costs.energy import energy_kwh_per_month
from breakeven.decision.answers.energy import fleet_energy, idle_energy_kwh_per_month

SHARE = st.floats(0, 1)


@given(st.floats(1, 64), st.floats(100, 2_000), st.floats(1, 2), SHARE, SHARE, SHARE)
def test_idle_and_busy_are_the_whole(
    gpus: float, watts: float, pue: float, idle_power: float, one: float, two: float
) -> None:
    busy, billed = sorted((one, two))
    whole = float(energy_kwh_per_month(gpus, watts, pue, idle_power, busy, billed, 730.0))
    idle = float(idle_energy_kwh_per_month(gpus, watts, pue, idle_power, busy, billed, 730.0))
    working = gpus * watts / 1000 * pue * busy * 730.0
    assert idle + working == pytest.approx(whole)
    assert idle >= 0


def test_every_fleet_of_the_comparison_is_there_and_agrees_with_it() -> None:
    comparison = world(2_000).comparison
    found = {each.option: each for each in fleet_energy(comparison)}
    for result in comparison.options:
        facts = {node.name: node for node in result.cost.facts}
        assert (result.name in found) == ("energy_kwh_per_month" in facts)
        if result.name in found:
            energy = facts["energy_kwh_per_month"].value
            assert found[result.name].energy_kwh_per_month.p50 == pytest.approx(float(np.median(energy)))
            assert found[result.name].idle_energy_kwh_per_month.mean <= found[result.name].energy_kwh_per_month.mean
            share = found[result.name].idle_carbon_kg_per_month.mean / found[result.name].carbon_kg_per_month.mean
            assert 0 < share < 1
    assert len(found) > 5


def test_a_quiet_fleet_draws_mostly_while_idle() -> None:
    quiet = {each.option: each for each in fleet_energy(world(300).comparison)}["rented_on_demand"]
    assert quiet.idle_energy_kwh_per_month.mean > 0.9 * quiet.energy_kwh_per_month.mean
