"""Fleet plan: the replicas that a log's own requests need, what they cost in hours, and what the requests would see.

1. Each bin of some minutes gets its need from the fluid model (`fleet_bins.py`).
2. The busiest hour is simulated request by request; the smallest number of replicas at which enough of its requests
   meet the targets is the need of the peak, and corrects the fluid need of all bins in proportion.
3. The schedule (`fleet_schedule.py`) says how many replicas run when.
4. The whole log is simulated on that schedule: attainment, busy hours, losses to interruptions and cold starts.

Where a log has buckets only, requests are drawn from them (Poisson arrivals, exponential lengths) and the plan says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.errors import ServingError
from breakeven.serving.fleet_bins import Bins, LatencyTarget, bins_of, needed_replicas
from breakeven.serving.fleet_schedule import FleetPolicy, Schedule, Stay, schedule, wanted
from breakeven.serving.fluid import saturated_req_per_s, steady
from breakeven.serving.prefix_reuse import reused_tokens
from breakeven.serving.replica_timing import ReplicaTiming
from breakeven.serving.simulate import FleetRun, Traffic, simulate_fleet
from breakeven.units import SECONDS_PER_HOUR
from breakeven.workload.arrivals import Arrivals

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PEAK_S: Final = SECONDS_PER_HOUR
PEAK_REQUESTS_MAX: Final = 1_000_000
"""The peak is narrowed to so many requests."""
SIMULATED_REQUESTS_MAX: Final = 4_000_000
"""A longer log is simulated around its peak only; the rest counts by the fluid model."""
REPLICAS_MAX: Final = 5_000
_ALONE_MAX: Final = 20_000


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
    """Share of the simulated requests that met the targets."""
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

    @property
    def idle_fraction(self) -> float:
        """Share of the paid hours in which no iteration runs."""
        return 1 - self.busy_hours / self.paid_hours if self.paid_hours > 0 else 0.0

    @property
    def meets_target(self) -> bool:
        """Over the whole log, in the simulation."""
        return self.attained_fraction >= self.policy.target.quantile_fraction


def plan_fleet(
    timing: ReplicaTiming, arrivals: Arrivals, policy: FleetPolicy, say: Callable[[str], None] = lambda _: None
) -> FleetPlan:
    """Size a fleet of identical replicas; raises ServingError when no number of them meets the targets."""
    rng = np.random.default_rng(policy.seed)
    bins = bins_of(arrivals, policy.decision_s)
    say("looking for the busiest hour")
    fluid = needed_replicas(timing, bins, policy.target)
    requests = _requests_of(arrivals, bins, fluid, rng)
    _refuse_the_impossible(timing, requests.traffic, policy.target)
    peak_s = _peak(fluid, bins.bin_s, requests)
    at_peak = requests.between(*peak_s)
    fluid_peak = max(int(np.ceil(fluid.max() - 1e-9)), 1)
    peak = _smallest(timing, at_peak, policy, fluid_peak, say)
    most = float(fluid.max()) if peak.count > fluid_peak else max(float(fluid.max()), 1.0)
    needed = np.minimum(fluid * peak.count / most, peak.count)
    numbers = wanted(policy, needed, _seen_s(requests, bins), arrivals.observed_s, peak.count)
    plan = schedule(policy, numbers)
    say(f"simulating {requests.traffic.requests_count:,} requests on up to {plan.replicas_count:,} replicas")
    traffic = requests.with_reuse(timing, policy, plan.replicas_count)
    run = simulate_fleet(timing, traffic, plan.replicas_count, events=plan.events, absent=plan.absent)
    edges = np.append(np.arange(bins.requests_count.size) * bins.bin_s, arrivals.observed_s)
    mean_count = numbers.mean_count(np.asarray(edges, np.float64))
    hours = np.append(np.arange(0.0, arrivals.observed_s, SECONDS_PER_HOUR), arrivals.observed_s)
    paid_s = _paid_s(plan, run, traffic, arrivals.observed_s)
    capacity = saturated_req_per_s(timing, bins.overall_lengths())
    return FleetPlan(
        policy=policy,
        bins=bins,
        bin_needed_count=np.ceil(needed - 1e-9).astype(np.int64),
        bin_mean_count=mean_count,
        peak_needed_count=peak.count,
        fluid_needed_count=fluid_peak,
        replicas_most_count=int(numbers.count.max()),
        hourly_replicas_count=numbers.most_count(hours),
        observed_hours=arrivals.observed_s / SECONDS_PER_HOUR,
        paid_hours=paid_s / SECONDS_PER_HOUR,
        busy_hours=min(_busy_s(timing, requests, run, bins, mean_count), paid_s) / SECONDS_PER_HOUR,
        load_fraction=float(arrivals.requests_count / (paid_s * capacity)),
        attained_fraction=run.attained_fraction(policy.target.ttft_s, policy.target.tpot_s),
        covered_fraction=float(bins.requests_count[mean_count >= needed - 1e-9].sum() / bins.requests_count.sum()),
        peak_attained_fraction=peak.attained_fraction,
        peak_s=peak_s,
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
    )


@dataclass(frozen=True, slots=True)
class _Requests:
    """Requests to simulate, with what is needed to say which of their tokens a cache holds."""

    traffic: Traffic
    arrivals: Arrivals | None
    """Where the prefixes are named and all requests are here."""
    drawn_fraction: float
    is_whole: bool
    """All of the log's requests, not a stretch around the peak."""

    def between(self, first_s: float, last_s: float) -> _Requests:
        inside = slice(*np.searchsorted(self.traffic.arrival_s, (first_s, last_s)))
        return replace(self, traffic=_part(self.traffic, inside), arrivals=_part_of(self.arrivals, inside))

    def with_reuse(self, timing: ReplicaTiming, policy: FleetPolicy, replicas_count: int) -> Traffic:
        """As if requests went round the replicas whatever their prefix; a named prefix wins over the log's figure."""
        if self.arrivals is None or self.arrivals.prefixes is None:
            return self.traffic
        found = reused_tokens(
            self.arrivals.prefixes,
            timing.cache_capacity_tokens * policy.reuse_fraction,
            replica=np.arange(self.traffic.requests_count) % replicas_count,
        )
        inputs = self.traffic.input_tokens
        return replace(self.traffic, cached_tokens=np.minimum(found, inputs - 1))


@dataclass(frozen=True, slots=True)
class _Smallest:
    count: int
    attained_fraction: float


def _part(traffic: Traffic, inside: slice) -> Traffic:
    return Traffic(*(getattr(traffic, each)[inside] for each in Traffic.__dataclass_fields__))


def _part_of(arrivals: Arrivals | None, inside: slice) -> Arrivals | None:
    if arrivals is None or arrivals.prefixes is None:
        return None
    ends = arrivals.prefixes.ends
    first = int(ends[inside.start - 1]) if inside.start > 0 else 0
    last = int(ends[inside.stop - 1]) if inside.stop > 0 else 0
    cut = replace(arrivals.prefixes, hashes=arrivals.prefixes.hashes[first:last], ends=ends[inside] - first)
    return replace(arrivals, prefixes=cut)


def _requests_of(arrivals: Arrivals, bins: Bins, fluid: Floats, rng: np.random.Generator) -> _Requests:
    logged = Traffic.of(arrivals.start_s, arrivals.input_tokens, arrivals.output_tokens, arrivals.cached_tokens)
    if arrivals.spans is None and logged.requests_count <= SIMULATED_REQUESTS_MAX:
        return _Requests(logged, arrivals, 0.0, True)
    spans = arrivals.spans
    total = arrivals.requests_count
    around = (0.0, arrivals.observed_s)
    if total > SIMULATED_REQUESTS_MAX:  # as many bins around the busiest one as fit
        per_bin = max(float(bins.requests_count.max()), 1.0)
        most = max(int(SIMULATED_REQUESTS_MAX / 2 / per_bin), 1)
        first = int(np.clip(np.argmax(fluid) - most // 2, 0, max(fluid.size - most, 0)))
        around = (first * bins.bin_s, (first + most) * bins.bin_s)
    inside = slice(*np.searchsorted(logged.arrival_s, around))
    kept = _part(logged, inside)
    columns = [np.asarray(getattr(kept, each)) for each in Traffic.__dataclass_fields__]
    drawn = 0
    if spans is not None:
        for at in range(spans.start_s.size):
            first_s = max(float(spans.start_s[at]), around[0])
            last_s = min(float(spans.start_s[at] + spans.length_s[at]), around[1])
            if last_s <= first_s:
                continue
            count = rng.poisson(spans.requests_count[at] * (last_s - first_s) / spans.length_s[at])
            drawn += count
            inputs = rng.geometric(1 / max(float(spans.input_tokens[at]), 1.0), count)
            cached = inputs * (spans.cached_tokens[at] / spans.input_tokens[at])
            outputs = rng.geometric(1 / max(float(spans.output_tokens[at]), 1.0), count)
            for index, each in enumerate((rng.uniform(first_s, last_s, count), inputs, outputs, cached)):
                columns[index] = np.concatenate([columns[index], each])
    traffic = Traffic.of(*columns)
    if traffic.requests_count == 0:
        raise ServingError("no request falls into the part of the log that is simulated")
    return _Requests(traffic, None, drawn / traffic.requests_count, total <= SIMULATED_REQUESTS_MAX)


def _seen_s(requests: _Requests, bins: Bins) -> Floats:
    """When requests come: those simulated, and one a minute in the other bins that have any."""
    arrival_s = requests.traffic.arrival_s
    if requests.is_whole:
        return arrival_s
    minutes = np.arange(0.0, bins.bin_s, 60.0)
    other = (np.flatnonzero(bins.requests_count > 0)[:, None] * bins.bin_s + minutes).ravel()
    return np.sort(np.concatenate([arrival_s, other]))


def _busy_s(timing: ReplicaTiming, requests: _Requests, run: FleetRun, bins: Bins, mean_count: Floats) -> float:
    """Replica seconds with an iteration running: simulated, or by the fluid model where the log is too long."""
    if requests.is_whole:
        return float(run.busy_s.sum())
    each = bins.arrival_req_per_s / np.maximum(mean_count, 1e-9)
    return float((steady(timing, each, bins.lengths()).busy_fraction * mean_count * bins.bin_s).sum())


def _refuse_the_impossible(timing: ReplicaTiming, traffic: Traffic, target: LatencyTarget) -> None:
    """With a replica for every request, do enough of them meet the targets?"""
    chosen = np.linspace(0, traffic.requests_count - 1, min(traffic.requests_count, _ALONE_MAX)).astype(np.int64)
    some = Traffic(*(getattr(traffic, each)[chosen] for each in Traffic.__dataclass_fields__))
    if not (some.input_tokens + some.output_tokens <= timing.cache_capacity_tokens).any():
        longest = int((some.input_tokens + some.output_tokens).max())
        raise ServingError(
            f"no request fits: the cache of a replica holds {timing.cache_capacity_tokens:,.0f} tokens, requests have "
            f"up to {longest:,}; give each replica more GPUs, or a smaller precision"
        )
    apart_s = _longest_s(timing, some)
    alone = simulate_fleet(timing, replace(some, arrival_s=np.arange(chosen.size, dtype=np.float64) * apart_s), 1)
    share = alone.attained_fraction(target.ttft_s, target.tpot_s)
    if share < target.quantile_fraction:
        seen = _latencies(alone, target.quantile_fraction)
        asked = [
            f"{name} {value * 1e3:,.0f} ms"
            for name, value in (("TTFT", target.ttft_s), ("TPOT", target.tpot_s))
            if value is not None
        ]
        raise ServingError(
            f"no number of replicas meets {' and '.join(asked)} for {target.quantile_fraction:.0%} of the requests: "
            f"even alone on a replica {share:.0%} do (at that share TTFT {seen.ttft_p95_s * 1e3:,.0f} ms, "
            f"TPOT {seen.tpot_p95_s * 1e3:,.1f} ms); relax the target, or take a faster GPU, "
            f"more GPUs per replica or a smaller model"
        )


def _longest_s(timing: ReplicaTiming, traffic: Traffic) -> float:
    """More than any of the requests takes alone."""
    tokens = float(traffic.output_tokens.max() + traffic.input_tokens.max())
    slowest = timing.iteration_s(1, tokens, min(tokens, timing.step_max_tokens), tokens * timing.step_max_tokens)
    iterations = float(traffic.output_tokens.max()) + np.ceil(tokens / timing.step_max_tokens)
    return float(slowest * iterations + timing.first_token_s + 1.0)


def _peak(fluid: Floats, bin_s: float, requests: _Requests) -> tuple[float, float]:
    """The hour with the largest need, narrowed when it has too many requests."""
    arrival_s = requests.traffic.arrival_s
    first, last = float(arrival_s[0]), float(arrival_s[-1])
    width = max(round(PEAK_S / bin_s), 1)
    busiest = int(np.argmax(fluid))
    sums = np.convolve(fluid, np.ones(min(width, fluid.size)), mode="valid")
    at = int(np.argmax(sums))
    start_s, end_s = at * bin_s, (at + width) * bin_s
    if not start_s <= busiest * bin_s < end_s:
        start_s = max(busiest * bin_s - PEAK_S / 2, 0.0)
        end_s = start_s + PEAK_S
    count = np.diff(np.searchsorted(arrival_s, (start_s, end_s)))[0]
    if count > PEAK_REQUESTS_MAX or not count:
        start_s, end_s = busiest * bin_s, (busiest + 1) * bin_s
    return max(start_s, min(first, start_s)), min(end_s, max(last + 1e-6, start_s + 1e-6))


def _smallest(
    timing: ReplicaTiming, peak: _Requests, policy: FleetPolicy, guess: int, say: Callable[[str], None]
) -> _Smallest:
    """The fewest replicas with which enough requests of the peak meet the targets: double or halve, then halve in."""
    target, seen = policy.target, dict[int, float]()

    def meets(count: int) -> bool:
        if count not in seen:
            say(f"simulating the busiest stretch on {count:,} replicas")
            run = simulate_fleet(timing, peak.with_reuse(timing, policy, count), count)
            seen[count] = run.attained_fraction(target.ttft_s, target.tpot_s) if _keeps_up(run, peak.traffic) else 0.0
        return seen[count] >= target.quantile_fraction

    low, high = 0, min(guess, REPLICAS_MAX)
    step = max(high // 8, 1)
    while not meets(high):
        if high >= REPLICAS_MAX:
            raise ServingError(
                f"{REPLICAS_MAX:,} replicas do not meet the targets at the peak: {seen[high]:.0%} of the requests do"
            )
        low, high, step = high, min(high + step, REPLICAS_MAX), 2 * step
    if low == 0:
        while high > 1 and meets(max(high - step, 1)):
            high, step = max(high - step, 1), 2 * step
        low = max(high - step, 0) if high > 1 else 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if meets(middle) else (middle, high)
    meets(high)
    return _Smallest(high, seen[high])


def _keeps_up(run: FleetRun, traffic: Traffic) -> bool:
    """Without a latency target: the queue must not grow through the stretch."""
    span_s = float(traffic.arrival_s[-1] - traffic.arrival_s[0])
    tail = run.ttft_s[-max(traffic.requests_count // 20, 1) :]
    return bool(np.nanmean(tail) < max(0.02 * span_s, 10.0)) if np.isfinite(tail).any() else True


def _paid_s(plan: Schedule, run: FleetRun, traffic: Traffic, until_s: float) -> float:
    """From asking for a replica until it has ended what it had."""
    total = 0.0
    by_replica: dict[int, list[Stay]] = {}
    for stay in plan.stays:
        by_replica.setdefault(stay.replica, []).append(stay)
    for replica, stays in by_replica.items():
        own = run.replica == replica
        arrived, ended = traffic.arrival_s[own], np.nan_to_num(run.end_s[own])
        latest = np.maximum.accumulate(ended) if ended.size else ended
        for index, stay in enumerate(stays):
            gone_s = stay.leaves_s
            before = int(np.searchsorted(arrived, stay.leaves_s, side="right"))
            if before and stay.leaves_s < until_s:
                gone_s = max(gone_s, float(latest[before - 1]))
            if index + 1 < len(stays):
                gone_s = min(gone_s, stays[index + 1].asked_s)
            total += min(gone_s, until_s) - stay.asked_s
    return total


def _latencies(run: FleetRun, high_fraction: float = 0.95) -> Latencies:
    ttft = run.ttft_s[np.isfinite(run.ttft_s)]
    tpot = run.tpot_s[np.isfinite(run.tpot_s)]
    figures = [
        float(np.quantile(each, share)) if each.size else float("nan")
        for each in (ttft, tpot)
        for share in (0.5, high_fraction)
    ]
    return Latencies(*figures)
