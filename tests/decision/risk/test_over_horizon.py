"""Risk over the horizon: its own costs, its own draws, and the facts of the months to come among the inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from breakeven.decision.compare import STATUS_QUO
from breakeven.decision.horizon.horizon import Horizon, look_ahead
from breakeven.decision.horizon.present import present_costs_usd
from breakeven.decision.risk.breakeven_odds import breakeven_odds
from breakeven.decision.risk.inputs import CHANCE, Draw
from breakeven.decision.risk.risk import Risk, weigh
from breakeven.decision.risk.value_of_information import evpi_usd
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import select_options
from breakeven.reports.option_titles import Titles
from breakeven.reports.risk_build import build_risk
from costing import demand, pinned, situation

HERE = situation(demand(6_000), pinned({"gpus_already_owned_count": 64}))
OPTIONS = select_options((STATUS_QUO, "brokered", "rented_on_demand", "sunk_gpus"))
DRAWS = DrawSet(seed=4, draws_log2=11)
AXIS = (10.0, 100_000.0)


@pytest.fixture(scope="module")
def horizon() -> Horizon:
    return look_ahead(HERE, OPTIONS, DRAWS, only_if=("sunk_gpus",))


@pytest.fixture(scope="module")
def risk(horizon: Horizon) -> Risk:
    def evaluate(draw: Draw, names: Sequence[str]) -> dict[str, Draws]:
        asked = {name: OPTIONS[name] for name in dict.fromkeys((STATUS_QUO, *names))}
        return present_costs_usd(HERE, asked, draw)

    return weigh(
        {name: horizon.present_cost_usd[name] for name in horizon.open_to_all},
        evaluate,
        DRAWS,
        recommended=horizon.recommended,
        rival=horizon.rival,
        breakeven_odds=breakeven_odds(HERE, OPTIONS, DRAWS, *AXIS),
        correlations=("said",),
    )


def test_knowing_everything_is_priced_on_the_horizons_own_costs(horizon: Horizon, risk: Risk) -> None:
    costs = np.stack([horizon.present_cost_usd[name] for name in horizon.open_to_all])
    assert "sunk_gpus" not in horizon.open_to_all
    assert risk.evpi_usd == evpi_usd(costs) > 0
    assert (risk.recommended, risk.rival) == (horizon.recommended, horizon.rival)


def test_prices_asked_again_with_the_same_draws_are_the_same(horizon: Horizon) -> None:
    """What value of information regresses on is what Sobol indices and tornado evaluate."""
    again = present_costs_usd(HERE, {name: OPTIONS[name] for name in (STATUS_QUO, "brokered")}, DRAWS.of)
    for name, cost in again.items():
        assert cost == pytest.approx(horizon.present_cost_usd[name], rel=1e-12)


def test_the_months_to_come_are_among_the_inputs_and_chance_is_never_proposed(risk: Risk) -> None:
    names = {each.of.name for each in risk.information}
    assert {"volume_growth_fraction_per_month", "model_switching_fraction", "gpu_rent_long_run_ratio"} <= names
    chance = [each for each in risk.information if each.of.name.startswith(CHANCE)]
    assert len(chance) == 3
    assert all(each.of.is_chance and not each.how_to_measure for each in chance)
    assert risk.measure_next is not None
    assert not risk.measure_next.of.is_chance


def test_the_part_speaks_of_the_horizon_and_of_every_option(horizon: Horizon, risk: Risk) -> None:
    titles = Titles({name: option.title for name, option in OPTIONS.items()})
    part = build_risk(risk, titles, horizon_months=horizon.months_count)
    assert f"over {horizon.months_count} months" in part.measure_next
    assert {each.option for each in part.breakeven_odds} == set(OPTIONS) - {STATUS_QUO}
    assert part.correlations == ("said",)
    assert 0.5 < sum(each.first_order_fraction for each in part.sobol) < 1.1
