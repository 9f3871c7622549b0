"""Privacy: worked example 15, the exceedance curve against a simulation, and only differences that decide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from answered import World, bordered, dear_api, world, world_of
from breakeven.costs.breach_risk import breach_loss_mean_usd
from breakeven.decision.answers.outlook import outlook_of
from breakeven.decision.answers.privacy import (
    Privacy,
    Severity,
    any_event_fraction,
    flip_events_per_year,
    loss_above_fraction,
    loss_exceedance,
    loss_sigma_ratio,
    privacy,
    uncapped_loss_mean_usd,
)
from breakeven.errors import ScenarioError
from costing import demand, pinned, situation

RATE, MEDIAN, P95, CAP = 0.093, 600_000.0, 30e6, 50e6
NO_CAP = 1e15


def insured(here: World, discounted_months: float = 1.0) -> Privacy:
    return privacy(here.comparison, here.situation, here.at_typical, here.outlook, discounted_months=discounted_months)


def test_worked_example_fifteen() -> None:
    assert float(loss_sigma_ratio(MEDIAN, P95)) == pytest.approx(2.3783, abs=5e-5)
    assert RATE * float(uncapped_loss_mean_usd(MEDIAN, P95)) == pytest.approx(943_906, abs=0.5)
    assert RATE * float(breach_loss_mean_usd(MEDIAN, P95, CAP)) == pytest.approx(431_373, abs=0.5)
    assert float(any_event_fraction(RATE, 1.0)) == pytest.approx(0.0888, abs=5e-5)
    above = float(loss_above_fraction(10e6, MEDIAN, P95, NO_CAP))
    assert float(any_event_fraction(RATE, above)) == pytest.approx(0.01095, abs=5e-6)
    premium = float(flip_events_per_year(200_000.0, breach_loss_mean_usd(MEDIAN, P95, CAP)))
    assert premium == pytest.approx(0.0431, abs=5e-5), "against the capped mean"


def test_more_than_half_of_the_examples_mean_lies_beyond_the_cap() -> None:
    assert Severity(MEDIAN, P95, CAP).beyond_cap_fraction == pytest.approx(1 - 431_373 / 943_906, abs=1e-6)


def test_the_curve_is_what_a_simulation_of_years_gives() -> None:
    rng = np.random.default_rng(15)
    years = 400_000
    events = rng.poisson(RATE, years)
    sigma = float(loss_sigma_ratio(MEDIAN, P95))
    losses = np.minimum(MEDIAN * np.exp(sigma * rng.standard_normal(events.sum())), CAP)
    largest = np.zeros(years)
    np.maximum.at(largest, np.repeat(np.arange(years), events), losses)
    for point in loss_exceedance(Severity(MEDIAN, P95, CAP), RATE, RATE / 2)[::6]:
        seen = float(np.mean(largest > point.loss_usd))
        assert seen == pytest.approx(point.api_fraction, abs=4 * np.sqrt(0.09 / years))
        assert point.selfhost_fraction == pytest.approx(1 - np.sqrt(1 - point.api_fraction))
    assert float(np.sum(losses)) / years == pytest.approx(431_373, rel=0.03)


@given(st.floats(1e3, 1e8), st.floats(1.01, 1e3), st.floats(0.0, 2.0))
def test_the_curve_falls_and_ends_at_the_cap(median: float, spread: float, rate: float) -> None:
    severity = Severity(median, median * spread, median * spread * 2)
    curve = loss_exceedance(severity, rate, rate)
    odds = [each.api_fraction for each in curve]
    assert odds == sorted(odds, reverse=True) and odds[-1] == 0
    assert odds[0] <= 1 - np.exp(-rate) + 1e-12
    assert 0 <= severity.beyond_cap_fraction < 1


def test_each_options_loss_is_the_line_of_the_comparison_over_a_year() -> None:
    here = world(2_000)
    for risk in insured(here).risks:
        lines = [line for line in here.comparison.option(risk.name).lines if line.line.name.endswith("breach_risk")]
        assert risk.annual_loss.mean == pytest.approx(12 * sum(each.usd_per_month.mean for each in lines))
        assert risk.any_event_fraction == pytest.approx(-np.expm1(-risk.loss_events_per_year))
    assert len(insured(here).risks) == len(here.comparison.options)


def test_no_way_to_serve_is_free_of_risk() -> None:
    found = insured(world(2_000))
    assert all(each.loss_events_per_year > 0 and each.exposure_ratio > 0 for each in found.risks)
    assert all(each.selfhost_fraction > 0 for each in found.exceedance[:-1])


def test_the_exposure_of_a_mix_lies_between_its_parts() -> None:
    found = {each.name: each.exposure_ratio for each in insured(world(2_000)).risks}
    for mix, other in (("hybrid", "rented_on_demand"), ("routed", "brokered")):
        low, high = sorted((found["frontier_api"], found[other]))
        assert low <= found[mix] <= high


def test_an_exposure_that_is_set_for_all_is_everybodys() -> None:
    found = insured(world_of(situation(demand(2_000), pinned({"breach_exposure_ratio": 3.0})), 6))
    assert {round(each.exposure_ratio, 9) for each in found.risks if each.name != "hybrid"} == {3.0}
    assert all(each.api_fraction == each.selfhost_fraction for each in found.exceedance)
    premium = found.premium
    assert premium is not None and premium.exposure_cut_events_per_year == pytest.approx(0, abs=1e-12)


def test_only_a_premium_asks_for_a_cut() -> None:
    dear, cheap = insured(world(300)).premium, insured(dear_api(40_000)).premium
    assert dear is not None and cheap is not None
    assert dear.premium_usd_per_year > 0 and dear.flip_events_per_year is not None
    mean = insured(world(300)).severity.mean_usd
    assert dear.flip_events_per_year * mean == pytest.approx(dear.premium_usd_per_year)
    assert cheap.premium_usd_per_year < 0 and cheap.flip_events_per_year is None


def test_losses_can_turn_the_decision_and_are_then_named() -> None:
    """Exposure of all but the status quo ever so much larger, and large losses: staying costs least."""
    facts = pinned(
        {
            "api_breach_exposure_ratio": 0.001,
            "brokered_breach_exposure_ratio": 200.0,
            "selfhost_breach_exposure_ratio": 200.0,
            "managed_breach_exposure_ratio": 200.0,
            "cheaper_tier_success_fraction": 0.3,
            "batch_share_fraction": 0.0,
        }
    )
    here = world_of(situation(demand(20_000), facts), 7)
    assert here.outlook.recommended not in ("frontier_api", "batch_api")
    assert insured(here).recommended_with_losses in ("frontier_api", "batch_api")


def test_over_a_horizon_the_loss_of_every_month_counts() -> None:
    here = world(2_000)
    month = here.outlook
    horizon = replace(month, period="horizon", costs={name: 30 * usd for name, usd in month.costs.items()})
    found = privacy(here.comparison, here.situation, here.at_typical, horizon, discounted_months=30.0)
    assert found.with_losses_odds_fraction == pytest.approx(insured(here).with_losses_odds_fraction)
    assert found.recommended_with_losses == insured(here).recommended_with_losses


def test_peers_scale_the_loss_and_keep_the_cap() -> None:
    found = {each.name: each for each in insured(world(2_000)).peers}
    assert {"Health care", "Finance", "United States", "India"} <= set(found)
    assert found["United States"].relative_ratio == pytest.approx(10.22 / 4.44)
    plain = insured(world(2_000))
    rate = next(each.loss_events_per_year for each in plain.risks if each.name == "frontier_api")
    for peer in found.values():
        assert peer.api_usd_per_year == pytest.approx(rate * plain.severity.times(peer.relative_ratio).mean_usd)
        assert (peer.relative_ratio > 1) == (peer.api_usd_per_year > rate * plain.severity.mean_usd)


@pytest.mark.parametrize(("border", "kept"), [("eu", "rented_one_year"), ("own_vpc", "owned_gpus")])
def test_what_a_constraint_excludes_is_named_with_it(border: str, kept: str) -> None:
    here = bordered(border)
    found = {each.name: each.reason for each in insured(here).excluded}
    assert "frontier_api" in found and "brokered" in found and kept not in found
    words = "data may not leave the EU" if border == "eu" else "data may not leave your own VPC"
    assert all(words in reason for name, reason in found.items() if name != "frontier_api")
    assert kept in here.outlook.open_names


def test_a_provider_inside_ones_own_vpc_is_kept() -> None:
    told = situation(demand(2_000), data_may_not_leave="own_vpc", providers={"huggingface": {"in_own_vpc": True}})
    assert "managed_huggingface" in world_of(told, 6).outlook.open_names


def test_constraints_that_leave_nothing_are_an_error_that_says_what_to_do() -> None:
    require = {"certifications": ["of the moon"]}
    told = situation(demand(100), require=require, data_may_not_leave="eu")
    here = world(2_000)
    few = {name: here.options[name] for name in ("frontier_api", "brokered", "deepseek_api")}
    from breakeven.decision.compare import compare

    with pytest.raises(ScenarioError, match=r"the constraints leave no option: frontier_api.*Loosen one"):
        compare(told, few, here.draws)


def test_without_losses_is_the_outlook_itself() -> None:
    here = world(2_000)
    assert outlook_of(here.comparison).recommended == here.comparison.best.name
