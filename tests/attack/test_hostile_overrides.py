"""Overrides at the edge of sense end in an answer or in an error with words, and mean the same in every option."""

from __future__ import annotations

import math

import pytest

from breakeven.decision.compare import compare
from breakeven.decision.comparison import Comparison
from breakeven.decision.scenario import RangeOverride, Scenario
from breakeven.errors import BreakevenError
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import discover_options
from breakeven.options.option import Situation
from costing import demand, situation

Override = float | RangeOverride


def compared(**overrides: Override) -> Comparison:
    """Every option on a few draws, under overrides as a scenario gives them."""
    plain = situation(demand(14_000.0))
    scenario = Scenario(overrides=overrides)
    facts = scenario.facts(plain.catalog)
    bound = Situation(plain.demand, plain.catalog, plain.choices, facts)
    return compare(bound, discover_options(), DrawSet(0, 6))


def span(low: float, typical: float, high: float) -> RangeOverride:
    """A range as a scenario file gives it."""
    return RangeOverride(low=low, typical=typical, high=high)


EDGES = [
    ("hybrid_commodity_share_fraction", 0.0),
    ("success_fraction", 0.0),
    ("open_model_success_fraction", 0.0),
    ("open_model_success_fraction", span(0.0, 0.5, 0.9)),
    ("month_window_volume_ratio", span(0.0, 1.0, 2.0)),
    ("engineer_hours_per_year", 0.0),
    ("hours_per_month", 0.0),
    ("replica_capacity_req_per_s", 0.0),
    ("replica_capacity_req_per_s", 1e-12),
    ("ttft_target_ms", 0.0),
    ("ttft_target_ms", span(1.0, 300.0, 1e6)),
    ("tpot_target_ms", 1e6),
    ("input_cv2_ratio", 1e6),
    ("output_cv2_ratio", 1e6),
    ("capacity_measured_over_model_ratio", 1e-6),
    ("capacity_measured_over_model_ratio", span(1e-3, 1.0, 1e3)),
    ("ollama_parallel_count", 1e6),
    ("prefix_cache_kept_fraction", 1.0),
    ("engineering_fte_cluster_count", 0.0),
    ("breach_loss_median_usd", 0.0),
    ("gpu_lifetime_months", 0.0),
    ("hourly_peak_to_mean_ratio", 0.0),
    ("engineer_usd_per_year", math.nan),
    ("engineer_usd_per_year", math.inf),
]


@pytest.mark.parametrize(("name", "value"), EDGES)
def test_an_edge_value_gives_finite_figures_or_an_error_that_names_it(name: str, value: Override) -> None:
    try:
        found = compared(**{name: value})
    except BreakevenError as error:
        assert name in str(error)
        return
    for each in found.options:
        assert math.isfinite(each.usd_per_month.mean)
        assert math.isfinite(each.usd_per_success.mean)
        assert math.isfinite(each.with_losses_usd_per_month.mean)


def test_a_range_of_hours_stretches_the_log_by_its_own_hours() -> None:
    found = compared(hours_per_month=span(700.0, 730.0, 744.0), month_window_volume_ratio=1.0)
    volume = found.option("frontier_api").cost.volume.value.mean()
    assert volume == pytest.approx(found.typical_volume_mtok, rel=0.01)


def test_a_range_of_minimum_replicas_rents_whole_replicas() -> None:
    found = compared(replicas_min_count=span(1.0, 2.0, 4.0))
    replicas = next(node for node in found.option("rented_on_demand").cost.facts if node.name == "replicas_count")
    assert (replicas.value == replicas.value.round()).all()


def test_people_set_for_every_option_alike_are_not_counted_twice_in_the_hybrid() -> None:
    found = compared(engineering_fte_count=0.5)
    people = {
        each.name: sum(line.usd_per_month.mean for line in each.lines if "engineering_labour" in line.line.name)
        for each in found.options
    }
    assert people["hybrid"] == pytest.approx(people["rented_on_demand"])


def test_the_mix_of_tokens_is_sourced_to_the_log_and_not_to_the_price_list() -> None:
    plain = situation(demand(14_000.0))
    found = compare(plain, discover_options(), DrawSet(0, 6))
    nodes = [found.option("frontier_api").cost.total]
    while nodes:
        node = nodes.pop()
        nodes += node.inputs
        if node.name == "output_fraction":
            assert node.source == plain.demand.source
