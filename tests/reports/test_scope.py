"""What the totals hold and leave out follows from the lines and the facts that were read."""

from __future__ import annotations

from breakeven.decision.compare import compare
from breakeven.decision.comparison import Comparison
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import select_options
from breakeven.reports import scope
from costing import demand, pinned, situation

TODAY = "frontier_api"


def comparison(*names: str, **facts: float) -> Comparison:
    return compare(situation(demand(2_100), pinned(facts)), select_options((TODAY, *names)), DrawSet(draws_log2=6))


def told(lines: tuple[str, ...], words: str) -> bool:
    return any(words in line for line in lines)


def test_what_a_line_counts_is_not_said_to_be_left_out() -> None:
    """The issue's list: corrections, migration, quality, lost business and on-call are in the totals."""
    found = comparison("rented_spot", "brokered")
    inside, outside = scope.included(found), scope.excluded(found)
    for words in ("Correcting failed answers", "Migration", "Monitoring quality", "business lost", "on-call", "spot"):
        assert told(inside, words), words
        assert not told(outside, words), words
    assert told(inside, "Breach risk (expected loss), shown apart")


def test_what_no_option_reads_is_said_to_be_left_out() -> None:
    alone = comparison()
    inside, outside = scope.included(alone), scope.excluded(alone)
    for words in ("spot", "scale to zero", "on-call", "Migration"):
        assert not told(inside, words), words
    assert told(outside, "scale to zero: every fleet compared is always on")
    assert told(outside, "fine-tuning: the scenario plans none")
    assert told(outside, "a price on carbon")
    assert not told(outside, "autoscaling of fleets of your own")


def test_scale_to_zero_moves_from_outside_to_inside() -> None:
    found = comparison("managed_huggingface_scale_to_zero")
    assert told(scope.included(found), "scale to zero at managed endpoints")
    assert not told(scope.excluded(found), "always on")
    assert told(scope.excluded(found), "the wait for a cold start")
    assert told(scope.excluded(comparison("rented_spot")), "autoscaling of fleets of your own")


def test_planned_training_and_a_carbon_price_are_lines() -> None:
    found = comparison("rented_on_demand", fine_tune_campaigns_events_per_year=4, carbon_price_usd_per_tonne=80)
    assert told(scope.included(found), "Fine-tuning runs")
    assert told(scope.included(found), "Carbon, at your own price")
    assert not told(scope.excluded(found), "plans none")
    assert told(scope.excluded(found), "preparing data for fine-tuning")
    assert not told(scope.excluded(found), "price on carbon")


def test_latency_targets_are_in_where_a_fleet_is_sized_for_them() -> None:
    assert told(scope.included(comparison("rented_on_demand")), "latency targets: fleets under vLLM")
    assert not told(scope.included(comparison("rented_on_demand", replica_capacity_req_per_s=1)), "latency targets")
    assert not told(scope.included(comparison("brokered")), "latency targets")


def test_a_cost_set_to_nothing_is_not_claimed() -> None:
    free = comparison("rented_on_demand", downtime_usd_per_hour=0, corrected_by_hand_fraction=0)
    assert told(scope.excluded(free), "business lost while a provider or a fleet is down")
    assert told(scope.excluded(free), "correcting and debugging failed answers by hand")
    assert not told(scope.included(free), "Correcting failed answers")


def test_growth_taxes_and_parallel_running_are_never_in() -> None:
    outside = scope.excluded(comparison("brokered"))
    for words in ("growth of the workload", "side by side while moving", "latency targets", "taxes"):
        assert told(outside, words), words
