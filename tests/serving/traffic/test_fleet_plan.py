"""Fleet plan: the fewest replicas that do, what is paid, and the public traces."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from breakeven.errors import ServingError
from breakeven.serving.traffic import fleet_requests
from breakeven.serving.traffic.fleet_bins import LatencyTarget
from breakeven.serving.traffic.fleet_plan import plan_fleet
from breakeven.serving.traffic.fleet_schedule import FleetPolicy
from breakeven.serving.traffic.simulate import Traffic, simulate_fleet
from breakeven.workload.arrivals import Arrivals, Prefixes, Spans
from fleet_logs import H100, day_and_night, log

TRACES = Path(__file__).parents[4] / "shared" / "data" / "traces"
TARGET = LatencyTarget(ttft_s=1.0, tpot_s=0.05)
ALWAYS = FleetPolicy(TARGET)
SCALED = FleetPolicy(TARGET, is_autoscaled=True)


def trace(name: str) -> Path:
    path = TRACES / name
    if not path.exists():
        pytest.skip(f"the trace {name} is not here")
    return path


def azure() -> Arrivals:
    rows = list(csv.DictReader(trace("azure_llm_2023_code.csv").read_text(encoding="utf-8").splitlines()))
    times = [datetime.fromisoformat(row["TIMESTAMP"][:26]).replace(tzinfo=UTC).timestamp() for row in rows]
    lengths = [[int(row[name]) for row in rows] for name in ("ContextTokens", "GeneratedTokens")]
    return log(np.array(times) - times[0], *lengths, until_s=times[-1] - times[0] + 1.0)


def mooncake() -> Arrivals:
    rows = [json.loads(line) for line in trace("mooncake_conversation.jsonl").read_text(encoding="utf-8").splitlines()]
    hashes = np.array([each for row in rows for each in row["hash_ids"]], np.int64)
    start = np.array([row["timestamp"] / 1e3 for row in rows])
    return log(
        start,
        [row["input_length"] for row in rows],
        [max(row["output_length"], 1) for row in rows],
        until_s=float(start[-1] + 1.0),
        prefixes=Prefixes(hashes, np.cumsum([len(row["hash_ids"]) for row in rows]).astype(np.int64)),
    )


def servegen(name: str) -> Arrivals:
    rows = list(csv.DictReader(trace(name).read_text(encoding="utf-8").splitlines()))
    column = {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}
    empty, none = np.zeros(0), np.zeros(0, np.int64)
    spans = Spans(
        column["t_s"],
        np.full(len(rows), 600.0),
        column["requests_per_s"] * 600.0,
        column["mean_input_tokens"],
        column["mean_output_tokens"],
        np.zeros(len(rows)),
    )
    until = float(column["t_s"][-1] + 600.0)
    return Arrivals(datetime(2026, 1, 1, tzinfo=UTC), until, empty, none, none, none, None, spans, 0, 0)


@pytest.fixture(scope="module")
def day() -> Arrivals:
    return day_and_night(seed=1, hours=24.0, req_per_s=2.5, tokens_in=5000, tokens_out=400)


def test_one_replica_less_does_not_do_at_the_peak(day: Arrivals) -> None:
    plan = plan_fleet(H100, day, ALWAYS)
    inside = (day.start_s >= plan.peak_s[0]) & (day.start_s < plan.peak_s[1])
    traffic = Traffic.of(day.start_s[inside], day.input_tokens[inside], day.output_tokens[inside])
    shares = [
        simulate_fleet(H100, traffic, count).attained_fraction(TARGET.ttft_s, TARGET.tpot_s)
        for count in (plan.peak_needed_count - 1, plan.peak_needed_count)
        if count
    ]
    assert shares[-1] == plan.peak_attained_fraction >= 0.95
    assert all(share < 0.95 for share in shares[:-1])
    assert abs(plan.fluid_needed_count - plan.peak_needed_count) <= 1


def test_always_on_pays_every_hour_and_autoscaling_fewer(day: Arrivals) -> None:
    always, scaled = plan_fleet(H100, day, ALWAYS), plan_fleet(H100, day, SCALED)
    assert always.paid_hours == pytest.approx(24.0 * always.peak_needed_count)
    assert always.meets_target
    assert scaled.paid_hours < always.paid_hours
    assert scaled.idle_fraction < always.idle_fraction or always.peak_needed_count == 1
    for plan in (always, scaled):
        assert plan.simulated_count == day.start_s.size and plan.drawn_fraction == 0
        assert 0 < plan.load_fraction < 1
        assert plan.busy_hours <= plan.paid_hours
        assert plan.hourly_replicas_count.size == 24
        assert plan.hourly_replicas_count.max() == plan.replicas_most_count


def test_spares_and_minimum_are_paid(day: Arrivals) -> None:
    one = plan_fleet(H100, day, ALWAYS)
    spare = plan_fleet(H100, day, replace(ALWAYS, spare_count=1))
    assert spare.paid_hours == pytest.approx(one.paid_hours + 24.0)
    assert spare.attained_fraction >= one.attained_fraction
    many = plan_fleet(H100, day, replace(SCALED, replicas_min_count=6))
    assert many.hourly_replicas_count.min() == 6


def test_scale_to_zero_pays_for_what_is_used_and_waits_for_cold_starts() -> None:
    arrivals = log([600.0, 4000.0, 4001.0, 9000.0], 500, 100, until_s=10_800.0)
    zero = replace(SCALED, scales_to_zero=True, replicas_min_count=0, idle_timeout_s=300.0, cold_start_s=120.0)
    plan = plan_fleet(H100, arrivals, zero)
    # asked for with the request, kept for the timeout after the last one of each group
    assert plan.paid_hours * 3600 == pytest.approx(3 * 300 + 1, abs=1)
    assert plan.cold_starts_count == 3
    assert plan.attained_fraction == 0.0
    assert plan.latencies.ttft_p50_s == pytest.approx(120, abs=1)
    awake = plan_fleet(H100, arrivals, SCALED)
    assert (awake.attained_fraction, awake.paid_hours) == (1.0, pytest.approx(3.0))


def test_interruptions_cost_service_and_lose_no_request(day: Arrivals) -> None:
    calm = plan_fleet(H100, day, SCALED)
    spot = plan_fleet(H100, day, replace(SCALED, interruption_events_per_replica_month=300.0))
    assert spot.interruptions_count > 5
    assert spot.redone_count > 0
    assert spot.attained_fraction < calm.attained_fraction
    assert spot.refused_count == 0


def test_a_target_that_no_replica_meets_is_an_error_that_says_what_one_sees() -> None:
    arrivals = log(np.arange(0, 600, 10.0), 4000, 50, until_s=600.0)
    with pytest.raises(ServingError, match=r"no number of replicas meets TTFT 20 ms .* even alone .* 0 % do"):
        plan_fleet(H100, arrivals, FleetPolicy(LatencyTarget(ttft_s=0.02)))


def test_requests_longer_than_the_cache() -> None:
    arrivals = log([0.0, 100.0, 200.0], [500_000, 100, 100], 10, until_s=600.0)
    plan = plan_fleet(H100, arrivals, FleetPolicy(LatencyTarget(quantile_fraction=0.5)))
    assert plan.refused_count == 1
    with pytest.raises(ServingError, match="100 % of the requests do not fit"):
        plan_fleet(H100, log([0.0, 100.0], 500_000, 10, until_s=600.0), ALWAYS)


def test_without_targets_the_queue_must_not_grow() -> None:
    arrivals = day_and_night(seed=3, hours=1.0, req_per_s=50.0, swing=0.0)
    plan = plan_fleet(H100, arrivals, FleetPolicy(LatencyTarget()))
    assert plan.peak_needed_count == plan.fluid_needed_count
    assert plan.load_fraction > 0.7


def test_the_same_log_gives_the_same_plan(day: Arrivals) -> None:
    often = replace(SCALED, interruption_events_per_replica_month=100.0)
    first, second = plan_fleet(H100, day, often), plan_fleet(H100, day, often)
    assert (first.paid_hours, first.attained_fraction) == (second.paid_hours, second.attained_fraction)


# the public traces, request by request


def test_azure_code() -> None:
    plan = plan_fleet(H100, azure(), ALWAYS)
    assert plan.simulated_count == 8819
    assert plan.meets_target and plan.peak_needed_count == 3
    spare = plan_fleet(H100, azure(), replace(SCALED, spare_count=1))
    assert spare.attained_fraction > plan.attained_fraction


def test_mooncake_with_its_prefixes() -> None:
    target = LatencyTarget(ttft_s=3.0, tpot_s=0.05)
    arrivals = mooncake()
    plan = plan_fleet(H100, arrivals, FleetPolicy(target))
    assert plan.simulated_count == 12031
    assert plan.meets_target
    assert plan.reused_fraction > 0.01
    forgetful = plan_fleet(H100, replace(arrivals, prefixes=None), FleetPolicy(target))
    assert forgetful.reused_fraction == 0
    assert forgetful.peak_needed_count >= plan.peak_needed_count


def test_servegen_windows_are_drawn_from() -> None:
    whole = servegen("servegen_deepseek_r1_10min.csv")
    assert whole.spans is not None
    morning = [getattr(whole.spans, each)[:54] for each in Spans.__dataclass_fields__]
    arrivals = replace(whole, spans=Spans(*morning), observed_s=54 * 600.0)
    plan = plan_fleet(H100, arrivals, replace(SCALED, spare_count=1))
    assert plan.drawn_fraction == 1.0
    assert plan.simulated_count == pytest.approx(arrivals.requests_count, rel=0.01)
    assert plan.meets_target
    always = plan_fleet(H100, arrivals, ALWAYS)
    assert plan.paid_hours < 0.8 * always.paid_hours


def test_a_log_too_long_is_simulated_around_its_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_requests, "SIMULATED_REQUESTS_MAX", 400_000)
    whole = servegen("servegen_m_mid_10min.csv")
    assert whole.spans is not None
    fewer = replace(whole, spans=replace(whole.spans, requests_count=whole.spans.requests_count / 5))
    plan = plan_fleet(H100, fewer, SCALED)
    assert plan.simulated_count < 2_000_000 < plan.requests_count
    assert plan.covered_fraction > 0.95
    assert 0 < plan.busy_hours <= plan.paid_hours


@pytest.mark.parametrize(
    "policy",
    [ALWAYS, SCALED, replace(SCALED, scales_to_zero=True, replicas_min_count=0, idle_timeout_s=60.0),
     replace(SCALED, interruption_events_per_replica_month=2_000.0)],
)  # fmt: skip
def test_paid_and_serving_replicas_stretch_by_stretch(day: Arrivals, policy: FleetPolicy) -> None:
    plan = plan_fleet(H100, day, policy)
    lengths = np.full(plan.bin_paid_count.size, policy.decision_s)
    lengths[-1] = day.observed_s - policy.decision_s * (lengths.size - 1)
    assert float(plan.bin_paid_count @ lengths) / 3600 == pytest.approx(plan.paid_hours)
    assert (plan.bin_serving_count <= plan.bin_paid_count + 1e-9).all()
    if policy is ALWAYS:
        assert (plan.bin_serving_count == plan.replicas_most_count).all()
    else:  # who starts is paid and serves nobody
        assert plan.bin_serving_count.sum() < plan.bin_paid_count.sum()
