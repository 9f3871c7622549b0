"""Fleet peak: the fewest replicas with which enough requests of the busiest stretch of a log meet the targets.

The fluid model says where the stretch is and where to begin; each number of replicas is then simulated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.errors import ServingError
from breakeven.serving.traffic.fleet_bins import Bins, LatencyTarget, bins_of, needed_replicas
from breakeven.serving.traffic.fleet_requests import FleetRequests, requests_of
from breakeven.serving.traffic.fleet_schedule import FleetPolicy
from breakeven.serving.traffic.replica_timing import ReplicaTiming
from breakeven.serving.traffic.simulate import FleetRun, Traffic, simulate_fleet
from breakeven.units import SECONDS_PER_HOUR
from breakeven.workload.arrivals import Arrivals

Floats = NDArray[np.float64]
PEAK_S: Final = SECONDS_PER_HOUR
PEAK_REQUESTS_MAX: Final = 1_000_000
"""The peak is narrowed to so many requests."""
REPLICAS_MAX: Final = 5_000
_ALONE_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Smallest:
    """A number of replicas, and the share of the peak's requests that meet the targets with it.

    Of all its requests: one that is longer than the model's context is load, and does not meet them.
    """

    count: int
    attained_fraction: float


@dataclass(frozen=True, slots=True)
class PeakNeed:
    """What the search for the peak found."""

    bins: Bins
    fluid: Floats
    requests: FleetRequests
    peak_s: tuple[float, float]
    peak: Smallest
    fluid_peak_count: int

    @property
    def needed(self) -> Floats:
        """Of each bin, corrected at the peak, not rounded."""
        most = float(self.fluid.max())
        if self.peak.count <= self.fluid_peak_count:
            most = max(most, 1.0)
        return np.minimum(self.fluid * self.peak.count / most, self.peak.count)


def peak_need(
    timing: ReplicaTiming,
    arrivals: Arrivals,
    policy: FleetPolicy,
    say: Callable[[str], None],
    context_tokens: float = math.inf,
) -> PeakNeed:
    """Size the fleet for the busiest stretch; raises ServingError when no number of replicas will do."""
    rng = np.random.default_rng(policy.seed)
    bins = bins_of(arrivals, policy.decision_s)
    say("looking for the busiest hour (the very first run compiles the simulation: half a minute)")
    fluid = needed_replicas(timing, bins, policy.target)
    requests = requests_of(arrivals, bins, fluid, rng)
    _refuse_the_impossible(timing, requests.traffic, policy.target)
    peak_s = _peak(fluid, bins.bin_s, requests)
    fluid_peak = max(int(np.ceil(fluid.max() - 1e-9)), 1)
    peak = _smallest(timing, requests.between(*peak_s), policy, fluid_peak, say, context_tokens)
    return PeakNeed(bins, fluid, requests, peak_s, peak, fluid_peak)


def peak_replicas(timing: ReplicaTiming, arrivals: Arrivals, policy: FleetPolicy) -> int:
    """Replicas that the busiest stretch needs, simulated; raises ServingError when no number of them will do."""
    return peak_need(timing, arrivals, policy, lambda _: None).peak.count


def slowed(timing: ReplicaTiming, ratio: float) -> ReplicaTiming:
    """The same replica with iterations that take `ratio` times as long."""
    return replace(
        timing,
        step_s=timing.step_s * ratio,
        sequence_s=timing.sequence_s * ratio,
        cache_read_s_per_token=timing.cache_read_s_per_token * ratio,
        attention_s_per_pair=timing.attention_s_per_pair * ratio,
    )


def _refuse_the_impossible(timing: ReplicaTiming, traffic: Traffic, target: LatencyTarget) -> None:
    """With a replica for every request, do enough of them meet the targets?"""
    chosen = np.linspace(0, traffic.requests_count - 1, min(traffic.requests_count, _ALONE_MAX)).astype(np.int64)
    some = Traffic(*(getattr(traffic, each)[chosen] for each in Traffic.__dataclass_fields__))
    tokens = some.input_tokens + some.output_tokens
    too_long = float(np.mean(tokens > timing.cache_capacity_tokens))
    if too_long > 1 - target.quantile_fraction:
        raise ServingError(
            f"{100 * too_long:.0f} % of the requests do not fit: the cache of a replica holds "
            f"{timing.cache_capacity_tokens:,.0f} tokens, they have up to {tokens.max():,}; give each replica more "
            "GPUs (--gpus), or a smaller precision"
        )
    apart_s = _longest_s(timing, some)
    alone = simulate_fleet(timing, replace(some, arrival_s=np.arange(chosen.size, dtype=np.float64) * apart_s), 1)
    share = alone.attained_fraction(target.ttft_s, target.tpot_s)
    if share < target.quantile_fraction:
        ttft, tpot = (_high(each, target.quantile_fraction) * 1e3 for each in (alone.ttft_s, alone.tpot_s))
        asked = [
            f"{name} {value * 1e3:,.0f} ms"
            for name, value in (("TTFT", target.ttft_s), ("TPOT", target.tpot_s))
            if value is not None
        ]
        raise ServingError(
            f"no number of replicas meets {' and '.join(asked)} for "
            f"{100 * target.quantile_fraction:.0f} % of the requests: "
            f"even alone on a replica {100 * share:.0f} % do (at that share TTFT {ttft:,.0f} ms, "
            f"TPOT {tpot:,.1f} ms); relax the target, or take a faster GPU, "
            f"more GPUs per replica or a smaller model"
        )


def _longest_s(timing: ReplicaTiming, traffic: Traffic) -> float:
    """More than any of the requests takes alone."""
    tokens = float(traffic.output_tokens.max() + traffic.input_tokens.max())
    slowest = timing.iteration_s(1, tokens, min(tokens, timing.step_max_tokens), tokens * timing.step_max_tokens)
    iterations = float(traffic.output_tokens.max()) + np.ceil(tokens / timing.step_max_tokens)
    return float(slowest * iterations + timing.first_token_s + 1.0)


def _peak(fluid: Floats, bin_s: float, requests: FleetRequests) -> tuple[float, float]:
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


def beyond_context(traffic: Traffic, context_tokens: float) -> NDArray[np.bool_]:
    """Which requests the model was not made for: the replica would hold them, its answer is worth nothing."""
    return np.asarray(traffic.input_tokens + traffic.output_tokens > context_tokens)


def _smallest(
    timing: ReplicaTiming,
    peak: FleetRequests,
    policy: FleetPolicy,
    guess: int,
    say: Callable[[str], None],
    context_tokens: float,
) -> Smallest:
    """The fewest replicas with which enough requests of the peak meet the targets: double or halve, then halve in."""
    target, seen, served = policy.target, dict[int, float](), dict[int, float]()
    beyond = beyond_context(peak.traffic, context_tokens)

    def meets(count: int) -> bool:
        if count not in seen:
            say(f"simulating the busiest stretch on {count:,} replicas")
            run = simulate_fleet(timing, peak.with_reuse(timing, policy, count), count)
            seen[count] = run.attained_fraction(target.ttft_s, target.tpot_s) if _keeps_up(run, peak.traffic) else 0.0
            within = run.attained(target.ttft_s, target.tpot_s) & ~beyond
            served[count] = float(within.mean()) if seen[count] and beyond.any() else seen[count]
        return seen[count] >= target.quantile_fraction

    low, high = 0, min(guess, REPLICAS_MAX)
    step = max(high // 8, 1)
    while not meets(high):
        if high >= REPLICAS_MAX:
            raise ServingError(
                f"{REPLICAS_MAX:,} replicas do not meet the targets at the peak: "
                f"{100 * seen[high]:.0f} % of the requests do"
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
    return Smallest(high, served[high])


def _keeps_up(run: FleetRun, traffic: Traffic) -> bool:
    """Without a latency target: the queue must not grow through the stretch."""
    span_s = float(traffic.arrival_s[-1] - traffic.arrival_s[0])
    tail = run.ttft_s[-max(traffic.requests_count // 20, 1) :]
    return bool(np.nanmean(tail) < max(0.02 * span_s, 10.0)) if np.isfinite(tail).any() else True


def _high(values: Floats, fraction: float) -> float:
    known = values[np.isfinite(values)]
    return float(np.quantile(known, fraction)) if known.size else 0.0
