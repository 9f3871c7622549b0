"""Risk on the real options: the regression against nested simulation, and a part without holes."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np
import pytest

from breakeven.decision.compare import STATUS_QUO
from breakeven.decision.risk.breakeven_odds import breakeven_odds
from breakeven.decision.risk.inputs import Draw, Input, drawn_from, inputs_read
from breakeven.decision.risk.risk import Risk, weigh
from breakeven.decision.risk.value_of_information import Floats, conditional_costs
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import select_options
from breakeven.options.option import Evaluation
from breakeven.reports.option_titles import Titles
from breakeven.reports.risk_build import build_risk
from costing import demand, situation

HERE = situation(demand(2_100))
OPTIONS = select_options((STATUS_QUO, "brokered", "cheaper_tier", "rented_one_year"))
DRAWS = DrawSet(seed=5, draws_log2=12)
MONTHS = 36.0


def evaluate(draw: Draw, names: Sequence[str]) -> dict[str, Draws]:
    """Three years of today's bill, for equal successful outcomes."""
    costs = {name: OPTIONS[name].cost(HERE, Evaluation(draw)) for name in {STATUS_QUO, *names}}
    base = costs[STATUS_QUO].success.value
    return {name: MONTHS * costs[name].total.value * (base / costs[name].success.value) for name in names}


@pytest.fixture(scope="module")
def risk() -> Risk:
    costs = evaluate(DRAWS.of, tuple(OPTIONS))
    odds = breakeven_odds(HERE, OPTIONS, DRAWS.first(8), 10.0, 100_000.0)
    return weigh(costs, evaluate, DRAWS, recommended="brokered", rival=STATUS_QUO, breakeven_odds=odds)


def matrix(draws: DrawSet, names: Sequence[str]) -> Floats:
    costs = evaluate(draws.of, names)
    return np.stack([np.broadcast_to(costs[name], (draws.draws_count,)) for name in names])


def nested_usd(of: Input, draws: DrawSet, names: Sequence[str], values_count: int = 120) -> float:
    """Fix one input at equally likely values, average over all the others."""
    inputs = inputs_read(evaluate, names)
    columns = {each.key: draws.uniform(each.fact.name, each.fact.dimension) for each in inputs}
    means = []
    for u in (np.arange(values_count) + 0.5) / values_count:
        costs = evaluate(drawn_from({**columns, of.key: np.full(draws.draws_count, u)}, draws.draws_count), names)
        means.append([float(np.mean(costs[name])) for name in names])
    table = np.array(means)
    return float(table.mean(axis=0).min() - table.min(axis=1).mean())


def test_the_most_valuable_number_is_what_nested_simulation_says() -> None:
    """Costs of failed answers have heavy tails: at these numbers of draws both sides know a percent or two."""
    names = (STATUS_QUO, "brokered", "cheaper_tier")
    (found,) = (each for each in inputs_read(evaluate, names) if each.name == "moe_model_success_fraction")
    regressed = []
    for seed in (0, 1):
        draws = DrawSet(seed=seed)
        given = conditional_costs(matrix(draws, names), draws.uniform(found.name, found.fact.dimension))
        assert given.evppi_usd > 0.03 * given.evpi_usd
        regressed.append(given.evppi_usd)
    assert np.mean(regressed) == pytest.approx(nested_usd(found, DrawSet(seed=8, draws_log2=13), names), rel=0.05)


def test_losses_that_stand_beside_the_total_are_worth_nothing_to_know(risk: Risk) -> None:
    beside = [each for each in risk.information if each.of.name.startswith("breach_")]
    assert len(beside) >= 3
    assert all(each.is_noise for each in beside)
    assert not {each.of.name for each in beside} & {each.of.name for each in risk.swings}


def test_the_part_has_no_holes(risk: Risk) -> None:
    part = build_risk(risk, Titles({name: option.title for name, option in OPTIONS.items()}), horizon_months=MONTHS)
    content = json.loads(part.model_dump_json())

    def numbers(value: object) -> list[float]:
        if isinstance(value, dict):
            return [number for each in value.values() for number in numbers(each)]
        if isinstance(value, list):
            return [number for each in value for number in numbers(each)]
        return [value] if isinstance(value, float) else []

    assert all(math.isfinite(number) for number in numbers(content))
    assert [each.option for each in part.breakeven_odds] == [name for name in OPTIONS if name != STATUS_QUO]
    assert part.measure_next.startswith("Measure ")
    assert all(each.how_to_measure for each in part.information)
    assert part.tornado[0].name == part.sobol[0].name == "moe_model_success_fraction"
