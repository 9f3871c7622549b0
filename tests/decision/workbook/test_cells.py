"""Cells: facts once for all, one cell for what is said twice, and what a model computed is given."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.decision.compare import typical
from breakeven.decision.workbook.cells import TERMS_MAX_COUNT, CellTable
from breakeven.facts.trace import Binder, Node
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, OptionCost
from costing import demand, pinned, situation


def cost_of(name: str, **overrides: float) -> OptionCost:
    return discover_options()[name].cost(situation(demand(3_000.0), pinned(overrides)), Evaluation(typical))


def table_of(*costs: OptionCost) -> CellTable:
    table = CellTable()
    for cost in costs:
        for line in cost.breakdown.lines:
            table.add(line.usd_per_month, cost.name)
        table.add(cost.total, cost.name)
    return table


def test_a_fact_is_one_cell_for_all_options() -> None:
    table = table_of(cost_of("frontier_api"), cost_of("brokered"), cost_of("rented_spot"))
    assert [key for key, each in table.cells.items() if each.name == "engineer_usd_per_year"] == [
        "engineer_usd_per_year"
    ]


def test_what_follows_from_facts_alone_is_shared_and_what_moves_is_not() -> None:
    table = table_of(cost_of("frontier_api"), cost_of("brokered"))
    assert table.cells["engineer_usd_per_hour"].owner == ""
    volumes = [each for each in table.cells.values() if each.name == "volume_mtok_per_month"]
    assert [each.owner for each in volumes] == ["frontier_api", "brokered"]
    assert all(each.moves for each in volumes)


def test_what_the_serving_model_computed_is_given_and_its_facts_are_fixed() -> None:
    table = table_of(cost_of("rented_on_demand"))
    capacity = table.cells["replica_capacity_req_per_s"]
    assert capacity.is_modelled
    assert not capacity.expression
    assert {"ttft_target_ms", "tpot_target_ms", "prefix_cache_kept_fraction"} <= table.fixed
    assert not table.fixed & set(table.inputs())
    assert "burst_headroom_ratio" in table.inputs()


def test_a_capacity_that_the_user_measured_is_an_input() -> None:
    table = table_of(cost_of("rented_on_demand", replica_capacity_req_per_s=3.0))
    assert "replica_capacity_req_per_s" in table.inputs()
    assert "ttft_target_ms" not in table.cells


def test_a_new_name_for_a_value_is_the_same_cell() -> None:
    table = table_of(cost_of("brokered"))
    assert "engineering_fte_count" not in {each.name for each in table.cells.values()}


def test_a_value_made_in_passing_is_given() -> None:
    """What an option of somebody else's derives without a formula."""
    binder = Binder(typical, situation(demand(1.0)).catalog.assumptions)
    hours = binder.node("hours_per_month")
    made = binder.derive("odd_hours_per_month", hours.value * np.sin(hours.value), "in passing", hours)
    table = CellTable()
    cell = table.cells[table.add(made, "odd")]
    assert cell.is_modelled
    assert "hours_per_month" in table.fixed


@pytest.mark.parametrize("count", [2, TERMS_MAX_COUNT, TERMS_MAX_COUNT + 1, 7 * TERMS_MAX_COUNT])
def test_a_sum_of_many_stays_short(count: int) -> None:
    books: list[Node] = []
    for at in range(count):
        books.append(Binder(typical, {}).derive("token_usd_per_mtok", np.asarray([at + 1.0]), f"model {at}"))
    weight = 0.3 / count
    total = sum(float(each.value[0]) * weight for each in books)
    node = Binder(typical, {}).derive("token_usd_per_mtok", total, "mean", *books, weights=(weight,) * count)
    table = CellTable()
    key = table.add(node, "mixed")
    assert table.today(key) == total
    assert not table.cells[key].is_modelled
    assert max(len(each.expression) for each in table.cells.values()) < 4_000
