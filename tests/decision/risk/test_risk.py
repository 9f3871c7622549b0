"""Doubt, priced: the parts fit together on a small company whose costs are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.decision.risk.inputs import drawn_from, inputs_read
from breakeven.decision.risk.risk import Risk, weigh
from breakeven.decision.risk.tornado import tornado
from breakeven.decision.risk.value_of_information import conditional_costs
from breakeven.facts.assumption import Assumption
from breakeven.facts.copula import Column, Pair, copula_of
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.facts.source import Grade, Source
from costing import LOG
from small_company import FACTS, OPTIONS, costs_of, evaluate, matrix

DRAWS = DrawSet(seed=3, draws_log2=12)
NAMES = {name for name, fact in FACTS.items() if not fact.is_certain}


def weighed(draws: DrawSet = DRAWS, rival: str | None = "api") -> Risk:
    costs = dict(zip(OPTIONS, matrix(draws), strict=True))
    return weigh(costs, evaluate, draws, recommended="fleet", rival=rival)


@pytest.fixture(scope="module")
def risk() -> Risk:
    return weighed()


def test_every_fact_with_a_range_is_weighed_and_no_other(risk: Risk) -> None:
    assert {each.of.name for each in risk.information} == NAMES
    assert {each.of.name for each in risk.variances} == NAMES
    assert risk.draws_count == 4096
    values = [each.evppi_usd for each in risk.information]
    assert values == sorted(values, reverse=True)
    assert all(0 <= value <= risk.evpi_usd for value in values)


def test_what_to_measure_next_is_the_most_valuable_number(risk: Risk) -> None:
    first = risk.measure_next
    assert first is risk.information[0]
    costs = matrix(DRAWS)
    fact = first.of.fact
    assert first.evppi_usd == conditional_costs(costs, DRAWS.uniform(fact.name, fact.dimension)).evppi_usd
    assert first.evppi_fraction == pytest.approx(first.evppi_usd / risk.evpi_usd)
    assert first.how_to_measure


def test_a_sample_is_worth_something_and_less_than_certainty(risk: Risk) -> None:
    sampled = [each for each in risk.information if each.evsi_usd is not None]
    assert {each.of.name for each in sampled} <= {"volume_over_observed_ratio", "open_model_success_fraction"}
    assert sampled
    for each in sampled:
        assert each.samples_count
        assert 0 < each.evsi_usd <= each.evppi_usd


def test_a_swing_is_the_saving_recomputed_with_one_fact_moved(risk: Risk) -> None:
    def saving(**moved: float) -> float:
        values = {name: np.array([moved.get(name, fact.typical)]) for name, fact in FACTS.items()}
        costs = costs_of(values)
        return float(costs["api"][0] - costs["fleet"][0])

    assert {each.of.name for each in risk.swings} == NAMES - {"broker_price_usd_per_mtok"}
    for each in risk.swings:
        fact = each.of.fact
        assert each.saves_at_low_usd == pytest.approx(saving(**{fact.name: fact.low}), rel=1e-9)
        assert each.saves_at_high_usd == pytest.approx(saving(**{fact.name: fact.high}), rel=1e-9)
        assert each.saves_usd == pytest.approx(saving(), rel=1e-9)
        assert each.flips == (min(each.saves_at_low_usd, each.saves_at_high_usd, each.saves_usd) < 0)
    sizes = [each.swing_usd for each in risk.swings]
    assert sizes == sorted(sizes, reverse=True)


def test_the_variance_is_shared_out(risk: Risk) -> None:
    """First-order shares add up to at most 1, totals to at least 1; a fact that neither option reads has none."""
    first = {each.of.name: each.index.first_order_fraction for each in risk.variances}
    total = {each.of.name: each.index.total_fraction for each in risk.variances}
    assert 0.7 < sum(first.values()) < 1.02
    assert sum(total.values()) > 0.98
    assert total["broker_price_usd_per_mtok"] == 0.0


def test_without_a_rival_there_is_no_saving_to_explain() -> None:
    alone = weighed(rival=None)
    assert (alone.swings, alone.variances) == ((), ())
    assert alone.evpi_usd > 0


def test_the_same_seed_gives_the_same_risk(risk: Risk) -> None:
    again = weighed(DrawSet(seed=3, draws_log2=12))
    assert [each.evppi_usd for each in again.information] == [each.evppi_usd for each in risk.information]
    assert [each.index for each in again.variances] == [each.index for each in risk.variances]


def test_chance_is_never_what_to_measure_next() -> None:
    """The most valuable number is a shock of the market: it is said, and the next one is proposed."""
    shock = Assumption("gpu_rent_shock_1_ratio", "ratio", -1.64, 0.0, 1.64, LOG, dimension=205)

    def shaken(draw: object, names: object) -> dict[str, Draws]:
        found = evaluate(draw, OPTIONS)  # type: ignore[arg-type]
        return {**found, "fleet": found["fleet"] * np.exp(0.8 * draw(shock))}  # type: ignore[operator]

    costs = shaken(DRAWS.of, OPTIONS)
    found = weigh(costs, shaken, DRAWS, recommended="fleet", rival="api")
    assert found.information[0].of.name == shock.name
    assert found.information[0].how_to_measure == ""
    assert found.measure_next is not None
    assert found.measure_next.of.name != shock.name


def test_nothing_is_worth_measuring_when_one_option_always_wins() -> None:
    def obvious(draw: object, names: object) -> dict[str, Draws]:
        found = evaluate(draw, OPTIONS)  # type: ignore[arg-type]
        return {"api": found["api"], "fleet": 0.01 * found["api"]}

    found = weigh(obvious(DRAWS.of, ()), obvious, DRAWS, recommended="fleet", rival="api")
    assert (found.evpi_usd, found.measure_next) == (0.0, None)


def test_one_column_with_two_ranges_is_one_input() -> None:
    """On demand and spot are one market: moved together, weighed once."""
    source = Source("test", "test", LOG.read, Grade.GUESS)
    spot = Assumption("spot_rent_usd_per_gpu_hour", "usd/hour", 1.0, 1.5, 2.0, source, dimension=0)
    demand = Assumption("gpu_rent_usd_per_gpu_hour", "usd/hour", 2.0, 2.5, 5.0, source, dimension=0)

    def market(draw: object, names: object) -> dict[str, Draws]:
        return {"spot": draw(spot) * 1.0, "on_demand": draw(demand) * 1.0}  # type: ignore[operator]

    (found,) = inputs_read(market, ("spot", "on_demand"))
    assert set(found.facts) == {spot, demand}
    assert found.read_by == {"spot", "on_demand"}
    (swing,) = tornado(market, [found], recommended="spot", rival="on_demand")
    assert swing.saves_at_low_usd == pytest.approx(1.0)
    assert swing.saves_at_high_usd == pytest.approx(3.0)


def test_what_both_options_pay_alike_is_no_row() -> None:
    """Each adds the same thing to other sums, so that the difference moves by rounding alone."""
    shared, own = FACTS["gpu_rent_usd_per_gpu_hour"], FACTS["engineering_fte_count"]

    def bills(draw: object, names: object) -> dict[str, Draws]:
        third, more = draw(shared) / 3, draw(own)  # type: ignore[operator]
        return {"one": 1e6 / 7 + third + more * 0, "two": third + 1e6 / 3 + more}

    inputs = inputs_read(bills, ("one", "two"))
    assert {each.name for each in inputs} == {shared.name, own.name}
    saves = tornado(bills, inputs, recommended="one", rival="two")
    assert [each.of.name for each in saves] == [own.name]


def test_what_has_no_column_is_typical() -> None:
    draw = drawn_from({}, 3)
    assert draw(FACTS["gpu_rent_usd_per_gpu_hour"]).tolist() == [2.4] * 3


def test_correlated_facts_carry_what_is_known_of_each_other() -> None:
    """Two prices that move together: knowing either is worth more than when they do not."""
    names = ("gpu_rent_usd_per_gpu_hour", "engineering_fte_count")
    one, other = (Column(name, FACTS[name].dimension) for name in names)
    together = DrawSet(seed=3, draws_log2=12, copula=copula_of([Pair(one, other, 0.9)]))
    apart, joined = weighed(), weighed(together)
    for name in names:
        before, after = (
            next(each.evppi_usd for each in found.information if each.of.name == name) for found in (apart, joined)
        )
        assert after > 1.2 * before
        first, second = (
            next(each.index for each in found.variances if each.of.name == name) for found in (apart, joined)
        )
        assert second.first_order_fraction > first.first_order_fraction
        assert second.total_fraction < first.total_fraction
