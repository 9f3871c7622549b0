"""Each engineer hour and each dollar has one owner."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.costs.breakdown import CostBreakdown
from breakeven.facts.draws import DrawSet
from breakeven.facts.trace import Node
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, OptionCost
from costing import demand, situation

DRAWS = DrawSet(draws_log2=8)


def cost(name: str) -> OptionCost:
    return discover_options()[name].cost(situation(demand(2100)), Evaluation(DRAWS.of))


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


@pytest.mark.parametrize("name", sorted(discover_options()))
def test_every_engineer_hour_is_paid_once(name: str) -> None:
    """Labour dollars over all lines are the hours over all lines at the engineer's rate: no hour without pay."""
    lines = [line for line in cost(name).breakdown.lines if line.engineer_hours_per_month is not None]
    assert {line.name.removeprefix("api_").removeprefix("fleet_") for line in lines} == {
        "engineering_labour",
        "incident_response",
    }
    for line in lines:
        rate = find(line.usd_per_month, "engineer_usd_per_hour")[0].value
        assert line.engineer_hours_per_month is not None
        assert np.allclose(line.usd_per_month.value, line.engineer_hours_per_month.value * rate, rtol=1e-12)


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
            pay = sum(lines[prefix + each].usd_per_month.value for each in ("engineering_labour", "incident_response"))
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
