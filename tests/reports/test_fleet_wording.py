"""Fleet wording: the sentences for answers made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from breakeven.catalog.load import load_catalog
from breakeven.catalog.names import find_gpu, find_model
from breakeven.reports import fleet_wording as wording
from breakeven.reports.fleet_answer import FleetAnswer, FleetQuestion, Rent
from breakeven.serving.commitments import GpuPrices, Reservation, mix_by_percentile
from breakeven.serving.prediction.deployment import Deployment
from breakeven.serving.traffic.fleet_bins import LatencyTarget
from breakeven.serving.traffic.fleet_plan import plan_fleet
from breakeven.serving.traffic.fleet_schedule import FleetPolicy
from fleet_logs import H100, log

CATALOG = load_catalog(date(2026, 11, 25))
LOG = log(np.arange(0, 3600.0, 1.0), 800, 100, until_s=3600.0)


def answer(**changed: object) -> FleetAnswer:
    """One replica for an hour; on demand 2 USD, one year 1 USD."""
    policy = FleetPolicy(LatencyTarget(0.5, 0.05))
    deployment = Deployment(find_model(CATALOG, "Llama-3.1-8B"), find_gpu(CATALOG, "H100"), 2, "bf16")
    plan = plan_fleet(H100, LOG, policy)
    rents = (Rent("on_demand", 1.5, 2.0, 4.0, "offer", None), Rent("one_year", 1.0, 1.0, 1.0, "yours", None))
    prices = GpuPrices(2.0, (Reservation("one_year", 1.0, 12.0),), horizon_months=12.0)
    mix = mix_by_percentile(plan.hourly_replicas_count * 2, prices)
    made = FleetAnswer(
        FleetQuestion("m", "g", policy), deployment, plan, rents, ("spot",), mix, "known deployment", False, 1.25, 1, 1
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def test_the_verdict_names_replicas_service_and_money() -> None:
    assert wording.verdict(answer()) == (
        "1 replica of 2 x H100-SXM-80 carries this log: 100 % of the simulated requests see TTFT at most 500 ms and "
        "TPOT at most 50 ms, for about $2,920 a month on demand."
    )


def test_the_odds_of_the_need() -> None:
    assert "(80 % odds that the peak needs 1 to 3)" in wording.verdict(answer(peak_most_count=3))
    assert "no number will do" in wording.verdict(answer(peak_most_count=None))
    assert wording.peak_range(answer(peak_most_count=3)) == "1 to 3 if speeds are off by a factor of 1.25 either way"


def test_a_fleet_that_does_not_do_is_said_first() -> None:
    few = answer()
    poor = answer(plan=replace(few.plan, attained_fraction=0.4, requests_count=7200.0, refused_count=2))
    assert wording.verdict(poor).startswith("Not enough: with 1 replica of 2 x H100-SXM-80 only 40 %")
    said = list(wording.remarks(poor, LOG))
    assert "2 requests are longer than a replica's cache and are never served." in said
    assert any(each.startswith("Only 3,600 requests around the peak were simulated") for each in said)


def test_calls_longer_than_the_context_come_first_and_are_not_served() -> None:
    made = answer()
    policy = FleetPolicy(LatencyTarget(0.5, 0.05))
    lengths = np.where(np.arange(3600) % 5, 800, 9_000)
    mixed = log(np.arange(0, 3600.0, 1.0), lengths, 100, until_s=3600.0)
    plan = plan_fleet(H100, mixed, policy, context_tokens=8_192)
    assert plan.beyond_context_count == 720 and plan.carries_the_rest and not plan.meets_target
    assert plan.attained_fraction == pytest.approx(0.8) and plan.peak_attained_fraction == pytest.approx(0.8)
    model = replace(made.deployment.model, context_tokens=8_192)
    deployment = replace(made.deployment, model=model)
    found = answer(plan=plan, beyond_context_count=720, deployment=deployment)
    said = wording.verdict(found)
    assert said.startswith(
        "720 of 3,600 calls are longer than the context of Llama-3.1-8B (8,192 tokens) and are not served; 1 replica "
        "of 2 x H100-SXM-80 carries the others: 80 % of the simulated requests see TTFT at most 500 ms"
    )
    assert "; 95 % were asked for, for about" in said
    assert any("take a longer context" in each for each in wording.remarks(found, mixed))


def test_without_a_target_the_verdict_says_so() -> None:
    plan = replace(answer().plan, policy=FleetPolicy(LatencyTarget()))
    said = wording.verdict(answer(plan=plan))
    assert "served, with no queue that grows (no target given; 95 % see the first token within" in said
    assert "served, with no queue that grows" in wording.targets(plan.policy)


def test_a_better_way_is_named_first() -> None:
    asked = answer()
    fewer = replace(asked.plan, paid_hours=0.6)
    assert next(wording.remarks(answer(others=(("autoscaled", fewer),)), LOG)) == (
        "Run autoscaled, the targets are met with 40 % fewer paid hours."
    )
    poor = replace(asked.plan, attained_fraction=0.9)
    said = next(wording.remarks(answer(plan=poor, others=(("always on", replace(asked.plan, paid_hours=1.5)),)), LOG))
    assert said == "Run always on, 100 % meet the targets with 1.5 paid replica hours instead of 1."
    none = next(wording.remarks(answer(plan=poor, others=(("autoscaled", poor),)), LOG))
    assert none.startswith("None of the other ways")


def test_the_cost_with_and_without_a_commitment() -> None:
    lines = list(wording.cost_lines(answer()))
    assert lines[0] == "All on demand: $2,920 (2.2k-5.8k) a month, at $2.00 per GPU hour (offer)"
    assert lines[1] == ("Cheapest mix by whole hours over 12 months: $1,460 a month: 2 GPUs reserved one-year")
    assert lines[2] == "Unpriced and left out of the mix: spot (--rent spot=USD)"
    none = answer(mix=mix_by_percentile(np.array([2]), GpuPrices(2.0)), rents=answer().rents[:1])
    assert list(wording.cost_lines(none))[1].startswith("No mix by whole hours is cheaper: the best costs $2,920")


def test_without_a_price_it_is_unpriced() -> None:
    lines = list(wording.cost_lines(answer(rents=(), mix=None)))
    assert lines == [
        "UNPRICED: nobody names an on-demand rent of H100-SXM-80; 1,460 GPU hours a month wait for a price "
        "(--rent on_demand=USD)"
    ]
    assert "a month" not in wording.verdict(answer(rents=(), mix=None))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "always on"),
        ({"is_autoscaled": True, "spare_count": 1}, "autoscaled, 1 spare"),
        (
            {"is_autoscaled": True, "scales_to_zero": True, "interruption_events_per_replica_month": 0.2},
            "autoscaled, to zero when idle, on spot",
        ),
    ],
)
def test_ways(fields: dict[str, object], said: str) -> None:
    assert wording.way(FleetPolicy(LatencyTarget(), **fields)) == said  # type: ignore[arg-type]
