"""Promises: read from the document of the real chain, line by line, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from breakeven.errors import PilotError
from breakeven.pilot.promises import bound_of, lines_of, promises_of
from breakeven.reports.document import to_json
from breakeven.units import unit_of
from decision_documents import real_document

OPTIONS = ("frontier_api", "brokered", "cheaper_tier", "rented_on_demand", "hybrid", "routed")


@pytest.fixture(scope="module")
def comparison() -> dict[str, Any]:
    """What `breakeven compare --json` prints for a small log."""
    found = json.loads(to_json(real_document(OPTIONS)))
    assert isinstance(found, dict)
    return found


def option(comparison: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in comparison["options"] if each["name"] == name)


def test_every_promise_is_a_number_with_a_unit(comparison: dict[str, Any]) -> None:
    for each in comparison["options"]:
        if each["name"] != "frontier_api":
            promised = promises_of(comparison, each["name"])
            assert all(isinstance(value, float) and unit_of(name) for name, value in promised.items())


def test_figures_are_the_documents_own(comparison: dict[str, Any]) -> None:
    promised = promises_of(comparison, "brokered")
    brokered, today, log = option(comparison, "brokered"), option(comparison, "frontier_api"), comparison["workload"]
    tokens_usd = next(each for each in brokered["lines"] if each["name"] == "tokens")["usd_per_month"]["p50"]
    assert promised["candidate_serving_usd_per_request"] == pytest.approx(tokens_usd / log["requests_per_month"])
    assert promised["frontier_success_fraction"] == today["success_fraction"]["p50"]
    assert promised["moe_model_success_low_fraction"] == brokered["success_fraction"]["p10"]
    assert promised["savings_usd_per_month"] == -brokered["extra_usd_per_month"]["p50"]
    assert promised["baseline_input_tokens_per_request"] == log["input_tokens"] / log["requests_count"]
    assert promised["savings_low_usd_per_month"] < promised["savings_usd_per_month"]


def test_the_lines_of_both_arms_add_up_to_the_totals(comparison: dict[str, Any]) -> None:
    """Nothing of the bill gets lost between what a pilot sees and what it does not."""
    promised = promises_of(comparison, "rented_on_demand")
    requests = promised["requests_per_month"]

    def gap(name: str) -> float:
        return (promised[f"candidate_{name}_usd_per_request"] - promised[f"baseline_{name}_usd_per_request"]) * requests

    extra = sum(usd for name, usd in promised.items() if name.startswith("extra_"))
    lines = [
        sum(each["usd_per_month"]["p50"] for each in option(comparison, name)["lines"] if not each["apart"])
        for name in ("rented_on_demand", "frontier_api")
    ]
    assert gap("serving") + gap("failed_answers") + extra == pytest.approx(lines[0] - lines[1], abs=10.0)
    assert promised["extra_engineering_labour_usd_per_month"] > 100
    assert promised["candidate_capacity_req_per_s"] > 0


def test_of_a_hybrid_the_part_that_moves_is_promised(comparison: dict[str, Any]) -> None:
    promised, hybrid = promises_of(comparison, "hybrid"), option(comparison, "hybrid")
    moved = hybrid["facts"]["moved_requests_fraction"]["p50"] * promised["requests_per_month"]
    served = sum(
        each["usd_per_month"]["p50"]
        for each in hybrid["lines"]
        if each["name"] in ("fleet_gpu_rent_busy", "fleet_idle_capacity")
    )
    assert promised["candidate_serving_usd_per_request"] == pytest.approx(served / moved)
    assert promised["open_model_commodity_success_fraction"] == pytest.approx(0.93)


def test_of_a_routed_option_the_bill_of_the_broker_is_promised(comparison: dict[str, Any]) -> None:
    promised, routed = promises_of(comparison, "routed"), option(comparison, "routed")
    moved = routed["facts"]["moved_requests_fraction"]["p50"] * promised["requests_per_month"]
    lines = {each["name"]: each["usd_per_month"]["p50"] for each in routed["lines"]}
    assert promised["candidate_serving_usd_per_request"] == pytest.approx(lines["broker_tokens"] / moved)
    assert promised["candidate_failed_answers_usd_per_request"] == pytest.approx(lines["broker_failed_answers"] / moved)
    assert promised["extra_engineering_labour_usd_per_month"] == pytest.approx(lines["routing_engineering_labour"])
    both = lines["broker_migration"] + lines["routing_migration"]
    assert promised["extra_migration_usd_per_month"] == pytest.approx(both)


def test_the_recommended_option_unless_it_is_today(comparison: dict[str, Any]) -> None:
    for recommended, rival, chosen in (("brokered", "frontier_api", "brokered"), ("frontier_api", "hybrid", "hybrid")):
        document = {**comparison, "verdict": {**comparison["verdict"], "recommended": recommended, "rival": rival}}
        assert promises_of(document) == promises_of(comparison, chosen)


def test_what_demo_prints_is_read_too(comparison: dict[str, Any]) -> None:
    assert promises_of({"report": "demo/report.html", "document": comparison}) == promises_of(comparison)


@pytest.mark.parametrize(
    "damaged", [{}, {"kind": "pilot"}, {"kind": "comparison"}, {"kind": "comparison", "options": 3}]
)
def test_what_is_no_comparison_is_refused(damaged: dict[str, Any]) -> None:
    with pytest.raises(PilotError, match="compare"):
        promises_of(damaged)


def test_an_unknown_option_is_refused_by_name(comparison: dict[str, Any]) -> None:
    with pytest.raises(PilotError, match=r"no option 'nobody'.*brokered"):
        promises_of(comparison, "nobody")
    with pytest.raises(PilotError, match="no option 'frontier_api'"):
        promises_of(comparison, "frontier_api")


def test_ranges_are_no_lines_of_their_own() -> None:
    promised = {"x_fraction": 0.5, "x_low_fraction": 0.4, "x_high_fraction": 0.6, "y_usd": 1.0}
    assert lines_of(promised) == ("x_fraction", "y_usd")
    assert bound_of("requests_per_month", "low") == "low_requests_per_month"
