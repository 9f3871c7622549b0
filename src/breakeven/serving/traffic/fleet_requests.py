"""Fleet requests: the requests of a log that are simulated: all of them, or those around the peak of a log too long.

Where a log has buckets only, requests are drawn from them: Poisson arrivals, geometric lengths.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.errors import ServingError
from breakeven.serving.traffic.fleet_bins import Bins
from breakeven.serving.traffic.fleet_schedule import FleetPolicy
from breakeven.serving.traffic.prefix_reuse import reused_tokens
from breakeven.serving.traffic.replica_timing import ReplicaTiming
from breakeven.serving.traffic.simulate import Traffic
from breakeven.workload.arrivals import Arrivals

Floats = NDArray[np.float64]
SIMULATED_REQUESTS_MAX: Final = 4_000_000
"""A longer log is simulated around its peak only; the rest counts by the fluid model."""


@dataclass(frozen=True, slots=True)
class FleetRequests:
    """Requests to simulate, with what is needed to say which of their tokens a cache holds."""

    traffic: Traffic
    arrivals: Arrivals | None
    """Where the prefixes are named and all requests are here."""
    drawn_fraction: float
    is_whole: bool
    """All of the log's requests, not a stretch around the peak."""

    def between(self, first_s: float, last_s: float) -> FleetRequests:
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


def requests_of(arrivals: Arrivals, bins: Bins, fluid: Floats, rng: np.random.Generator) -> FleetRequests:
    logged = Traffic.of(arrivals.start_s, arrivals.input_tokens, arrivals.output_tokens, arrivals.cached_tokens)
    if arrivals.spans is None and logged.requests_count <= SIMULATED_REQUESTS_MAX:
        return FleetRequests(logged, arrivals, 0.0, True)
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
    return FleetRequests(traffic, None, drawn / traffic.requests_count, total <= SIMULATED_REQUESTS_MAX)


def seen_s(requests: FleetRequests, bins: Bins) -> Floats:
    """When requests come: those simulated, and one a minute in the other bins that have any."""
    arrival_s = requests.traffic.arrival_s
    if requests.is_whole:
        return arrival_s
    minutes = np.arange(0.0, bins.bin_s, 60.0)
    other = (np.flatnonzero(bins.requests_count > 0)[:, None] * bins.bin_s + minutes).ravel()
    return np.sort(np.concatenate([arrival_s, other]))


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
