"""Each engineer hour and each dollar has one owner."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.costs.breakdown import CostBreakdown
from breakeven.facts.draws import DrawSet
from breakeven.facts.trace import Node
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, OptionCost
from costing import demand, situation_of

DRAWS = DrawSet(draws_log2=8)


def cost(name: str) -> OptionCost:
    return discover_options()[name].cost(situation_of(name, demand(2100)), Evaluation(DRAWS.of))


def find(node: Node, name: str) -> list[Node]:
    found = [node] if node.name == name else []
    for each in node.inputs:
        found += find(each, name)
    return found


@pytest.mark.parametrize("name", sorted(discover_options()))
def test_the_lines_add_up_to_the_total(name: str) -> None:
    each = cost(name)
    counted = sum(line.usd_per_month.value for line in each.breakdown.lines if not line.apart)
    assert np.allclose(each.total.value, counted, rtol=1e-12)


BESIDE_HOURS: dict[str, tuple[str, ...]] = {
    "engineering_labour": ("recruiting_usd_per_month",),
    "quality_monitoring": ("judge_usd_per_month",),
    "incident_response": ("on_call_usd_per_month", "lost_business_usd_per_month"),
    "migration": (),
}
"""Lines with engineer hours -> what else than hours they hold."""


def plain(line_name: str) -> str:
    for part in ("api_", "fleet_", "broker_", "routing_", "small_", "big_"):
        line_name = line_name.removeprefix(part)
    return line_name


@pytest.mark.parametrize("name", sorted(discover_options()))
def test_every_engineer_hour_is_paid_once(name: str) -> None:
    """Labour dollars over all lines are the hours over all lines at the engineer's rate: no hour without pay."""
    lines = [line for line in cost(name).breakdown.lines if line.engineer_hours_per_month is not None]
    assert {"engineering_labour", "incident_response"} <= {plain(line.name) for line in lines}
    for line in lines:
        assert line.engineer_hours_per_month is not None
        rate = find(line.usd_per_month, "engineer_usd_per_hour")[0].value
        pay = line.engineer_hours_per_month.value * rate
        other = sum(find(line.usd_per_month, each)[0].value for each in BESIDE_HOURS[plain(line.name)])
        assert np.allclose(line.usd_per_month.value, pay + other, rtol=1e-12), line.name


SHARED_BY_RULE = {
    "capacity_usd_per_month",
    "gpu_rent_usd_per_month",
    "ownership_usd_per_month",
    "annuity_usd_per_month",
    "colocation_usd_per_month",
    "engineering_labour_usd_per_month",
    "incident_labour_usd_per_month",
    "recruiting_usd_per_month",
    "provisioned_usd_per_month",
}
"""Amounts that two lines share: by busy and idle hours, or one takes a premium on the other's. Tests below."""


@pytest.mark.parametrize("name", sorted(discover_options()))
def test_nothing_is_paid_by_two_lines(name: str) -> None:
    """A monthly amount that one line is computed from is no other line's input, but for what is shared by rule."""
    owners: dict[str, str] = {}
    for line in cost(name).breakdown.lines:
        part = line.name.removesuffix(plain(line.name))
        for node in amounts_below(line.usd_per_month) - SHARED_BY_RULE:
            owner = owners.setdefault(part + node, line.name)
            assert owner == line.name, f"{node} is paid in {owner} and in {line.name}"


def amounts_below(node: Node) -> set[str]:
    """Names of all monthly amounts in the tree."""
    found = {node.name} if node.unit == "usd/month" else set()
    for each in node.inputs:
        found |= amounts_below(each)
    return found


def test_new_hires_are_whole_people_whose_hours_are_paid_once() -> None:
    """With `team: new_hires` planned and unplanned hours together are whole people; nothing is displaced."""
    here = situation_of("rented_on_demand", demand(2100), team="new_hires")
    lines = {
        line.name: line
        for line in discover_options()["rented_on_demand"].cost(here, Evaluation(DRAWS.of)).breakdown.lines
    }
    labour, incidents = lines["engineering_labour"], lines["incident_response"]
    assert labour.engineer_hours_per_month is not None
    assert incidents.engineer_hours_per_month is not None
    hours = labour.engineer_hours_per_month.value + incidents.engineer_hours_per_month.value
    yearly = find(labour.usd_per_month, "engineer_hours_per_year")[0].value
    people = hours * 12 / yearly
    assert np.allclose(people, np.round(people), atol=1e-9)
    assert np.all(np.round(people) >= 1)
    assert np.all(find(labour.usd_per_month, "recruiting_usd_per_month")[0].value > 0)
    assert np.all(lines["opportunity_cost"].usd_per_month.value == 0)


@pytest.mark.parametrize("name", ["rented_on_demand", "rented_spot"])
def test_busy_and_idle_rent_are_the_whole_rent(name: str) -> None:
    each = cost(name)
    gpus, busy = (
        next(fact for fact in each.facts if fact.name == wanted) for wanted in ("gpus_count", "busy_fraction")
    )
    rent_line = next(line for line in each.breakdown.lines if line.name == "gpu_rent_busy")
    rate = find(rent_line.usd_per_month, "gpu_rent_usd_per_gpu_hour")[0].value
    rent = each.breakdown.raw_rent_usd_per_month()
    assert rent is not None
    assert np.allclose(rent, gpus.value * rate * 730, rtol=1e-12)
    assert np.allclose(rent_line.usd_per_month.value, rent * busy.value, rtol=1e-12)


@pytest.mark.parametrize("name", sorted(discover_options()))
def test_no_line_counts_another_lines_dollars(name: str) -> None:
    """A line may be computed from another (opportunity from labour), but then as a share beyond it, not again."""
    lines = {line.name: line for line in cost(name).breakdown.lines}
    for line in lines.values():
        if line.name.endswith("opportunity_cost"):
            prefix = line.name.removesuffix("opportunity_cost")
            planned = lines[prefix + "engineering_labour"].usd_per_month.value
            incidents = lines[prefix + "incident_response"].usd_per_month
            pay = planned + find(incidents, "incident_labour_usd_per_month")[0].value
            premium = find(line.usd_per_month, "opportunity_premium_fraction")[0].value
            assert np.allclose(line.usd_per_month.value, pay * premium, rtol=1e-12)


def test_a_line_with_two_owners_is_refused() -> None:
    line = cost("frontier_api").breakdown.lines[0]
    with pytest.raises(ValueError, match="two owners: tokens"):
        CostBreakdown((line, line))


def test_expected_losses_stand_apart() -> None:
    each = cost("frontier_api")
    apart = {line.name for line in each.breakdown.apart}
    assert apart == {"breach_risk"}
    difference = each.breakdown.total_with_losses_usd_per_month() - each.breakdown.total_usd_per_month()
    assert np.all(difference > 0)
