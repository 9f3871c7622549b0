"""Fleet plan: the replicas that a log's own requests need, what they cost in hours, and what the requests would see.

1. Each bin of some minutes gets its need from the fluid model (`fleet_bins.py`).
2. The busiest hour is simulated request by request; the smallest number of replicas at which enough of its requests
   meet the targets is the need of the peak, and corrects the fluid need of all bins in proportion.
3. The schedule (`fleet_schedule.py`) says how many replicas run when.
4. The whole log is simulated on that schedule: attainment, busy hours, losses to interruptions and cold starts.

Where a log has buckets only, requests are drawn from them (Poisson arrivals, exponential lengths) and the plan says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breakeven.serving.traffic.fleet_bins import Bins
from breakeven.serving.traffic.fleet_peak import beyond_context, peak_need
from breakeven.serving.traffic.fleet_presence import paid_presence, serving_presence
from breakeven.serving.traffic.fleet_requests import FleetRequests, seen_s
from breakeven.serving.traffic.fleet_schedule import FleetPolicy, schedule, wanted
from breakeven.serving.traffic.fluid import saturated_req_per_s, steady
from breakeven.serving.traffic.replica_timing import ReplicaTiming
from breakeven.serving.traffic.simulate import FleetRun, simulate_fleet
from breakeven.units import SECONDS_PER_HOUR
from breakeven.workload.arrivals import Arrivals

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Latencies:
    """What the simulated requests saw."""

    ttft_p50_s: float
    ttft_p95_s: float
    tpot_p50_s: float
    """Not a number when no request has a second token."""
    tpot_p95_s: float


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """The fleet, its hours and its service."""

    policy: FleetPolicy
    bins: Bins
    bin_needed_count: Ints
    """Replicas needed by each bin, after the correction at the peak; without spares."""
    bin_mean_count: Floats
    """Replicas wanted in each bin, on average."""
    bin_serving_count: Floats
    """Replicas that take requests, on average: not while they start."""
    bin_paid_count: Floats
    """Replicas paid for, on average: from asking for one until it has ended what it had."""
    peak_needed_count: int
    """Replicas with which the busiest stretch meets the targets, simulated; without spares."""
    fluid_needed_count: int
    """What the fluid model alone said."""
    replicas_most_count: int
    """Replicas at most, spares included."""
    hourly_replicas_count: Ints
    """The most in each hour of the log: what a commitment must carry."""
    observed_hours: float
    paid_hours: float
    """Replica hours."""
    busy_hours: float
    """Replica hours with an iteration running."""
    load_fraction: float
    """Share of what the paid hours could have served: how full they were."""
    attained_fraction: float
    """Share of the simulated requests that met the targets; none that is longer than the model's context."""
    covered_fraction: float
    """Share of all requests in bins with as many replicas as the bin needed."""
    peak_attained_fraction: float
    """In the busiest stretch, on the number of replicas the peak needs, all of them there."""
    peak_s: tuple[float, float]
    """The busiest stretch, seconds of the log."""
    latencies: Latencies
    requests_count: float
    simulated_count: int
    """As many as the log has, or those around the peak of a log that is too long."""
    drawn_fraction: float
    """Share of the simulated requests that were drawn from buckets."""
    refused_count: int
    """Longer than a replica's cache."""
    redone_count: int
    """Begun again after an interruption."""
    preempted_count: int
    cold_starts_count: int
    interruptions_count: int
    reused_fraction: float
    """Share of the input tokens found in the prefix cache."""
    beyond_context_count: int = 0
    """Simulated requests that are longer than the model's context: load, and served by no number of replicas."""

    @property
    def idle_fraction(self) -> float:
        """Share of the paid hours in which no iteration runs."""
        return 1 - self.busy_hours / self.paid_hours if self.paid_hours > 0 else 0.0

    @property
    def meets_target(self) -> bool:
        """Over the whole log, in the simulation."""
        return self.attained_fraction >= self.policy.target.quantile_fraction

    @property
    def carries_the_rest(self) -> bool:
        """Whether the targets are met for the requests that the model's context holds."""
        fits_fraction = 1 - self.beyond_context_count / max(self.simulated_count, 1)
        return self.attained_fraction >= self.policy.target.quantile_fraction * fits_fraction > 0


def plan_fleet(
    timing: ReplicaTiming,
    arrivals: Arrivals,
    policy: FleetPolicy,
    say: Callable[[str], None] = lambda _: None,
    context_tokens: float = math.inf,
) -> FleetPlan:
    """Size a fleet of identical replicas; raises ServingError when no number of them meets the targets.

    Requests longer than `context_tokens` load the replicas and meet no target.
    """
    sized = peak_need(timing, arrivals, policy, say, context_tokens)
    bins, requests, peak, needed = sized.bins, sized.requests, sized.peak, sized.needed
    numbers = wanted(policy, needed, seen_s(requests, bins), arrivals.observed_s, peak.count)
    plan = schedule(policy, numbers)
    say(f"simulating {requests.traffic.requests_count:,} requests on up to {plan.replicas_count:,} replicas")
    traffic = requests.with_reuse(timing, policy, plan.replicas_count)
    run = simulate_fleet(timing, traffic, plan.replicas_count, events=plan.events, absent=plan.absent)
    beyond = beyond_context(traffic, context_tokens)
    met = run.attained(policy.target.ttft_s, policy.target.tpot_s) & ~beyond
    starts = np.arange(bins.requests_count.size) * bins.bin_s
    edges = np.asarray(np.append(starts, arrivals.observed_s), np.float64)
    mean_count = numbers.mean_count(edges)
    hours = np.append(np.arange(0.0, arrivals.observed_s, SECONDS_PER_HOUR), arrivals.observed_s)
    paid = paid_presence(plan, run, traffic, arrivals.observed_s)
    paid_s = paid.total_s
    capacity = saturated_req_per_s(timing, bins.overall_lengths())
    return FleetPlan(
        policy=policy,
        bins=bins,
        bin_needed_count=np.ceil(needed - 1e-9).astype(np.int64),
        bin_mean_count=mean_count,
        bin_serving_count=serving_presence(plan, arrivals.observed_s).mean_count(edges),
        bin_paid_count=paid.mean_count(edges),
        peak_needed_count=peak.count,
        fluid_needed_count=sized.fluid_peak_count,
        replicas_most_count=int(numbers.count.max()),
        hourly_replicas_count=numbers.most_count(hours),
        observed_hours=arrivals.observed_s / SECONDS_PER_HOUR,
        paid_hours=paid_s / SECONDS_PER_HOUR,
        busy_hours=min(_busy_s(timing, requests, run, bins, mean_count), paid_s) / SECONDS_PER_HOUR,
        load_fraction=float(arrivals.requests_count / (paid_s * capacity)),
        attained_fraction=float(np.mean(met)) if met.size else 1.0,
        covered_fraction=float(bins.requests_count[mean_count >= needed - 1e-9].sum() / bins.requests_count.sum()),
        peak_attained_fraction=peak.attained_fraction,
        peak_s=sized.peak_s,
        latencies=_latencies(run),
        requests_count=arrivals.requests_count,
        simulated_count=traffic.requests_count,
        drawn_fraction=requests.drawn_fraction,
        refused_count=run.refused_count,
        redone_count=int((run.redone_count > 0).sum()),
        preempted_count=int(run.preempted_count.sum()),
        cold_starts_count=plan.cold_starts_count,
        interruptions_count=plan.interruptions_count,
        reused_fraction=float(traffic.cached_tokens.sum() / traffic.input_tokens.sum()),
        beyond_context_count=int(beyond.sum()),
    )


def _busy_s(timing: ReplicaTiming, requests: FleetRequests, run: FleetRun, bins: Bins, mean_count: Floats) -> float:
    """Replica seconds with an iteration running: simulated, or by the fluid model where the log is too long."""
    if requests.is_whole:
        return float(run.busy_s.sum())
    each = bins.arrival_req_per_s / np.maximum(mean_count, 1e-9)
    return float((steady(timing, each, bins.lengths()).busy_fraction * mean_count * bins.bin_s).sum())


def _latencies(run: FleetRun, high_fraction: float = 0.95) -> Latencies:
    ttft = run.ttft_s[np.isfinite(run.ttft_s)]
    tpot = run.tpot_s[np.isfinite(run.tpot_s)]
    figures = [
        float(np.quantile(each, share)) if each.size else float("nan")
        for each in (ttft, tpot)
        for share in (0.5, high_fraction)
    ]
    return Latencies(*figures)
