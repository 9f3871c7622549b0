"""Rate table: the largest request rate of a replica within latency targets, tabulated for thousands of futures.

`fluid.max_rate_req_per_s` halves an interval for every point, which takes seconds for the draws of a comparison. Here
the latencies of one replica are computed once, for a grid of loads and of shares of the input that the prefix cache
holds, and the rate is read backwards from them: the load at which the latency that the usual share of requests stays
within reaches the target. A future in which iterations take longer is one with tighter targets and a slower clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from breakeven.serving.traffic.fluid import Floats, Lengths, saturated_req_per_s, steady
from breakeven.serving.traffic.replica_timing import ReplicaTiming

CACHED_NODES_COUNT: Final = 17
LOADS: Final = np.unique(
    np.concatenate([np.linspace(0.0, 1.0, 81)[:-1], np.geomspace(1e-4, 0.02, 12), 1 - np.geomspace(0.02, 1e-4, 24)])
)
"""Shares of the rate that can be sustained at which latencies are known."""
_TINY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class RateTable:
    """Latencies of one replica under requests of given lengths."""

    cached_fractions: Floats
    """Shape ``(nodes,)``, ascending: shares of the input that the prefix cache holds."""
    saturated_req_per_s: Floats
    """Shape ``(nodes,)``: what can be sustained, with no target."""
    log_ttft: Floats
    """Shape ``(nodes, loads)``: logarithm of the time to first token, less `first_s`, within which requests stay."""
    log_tpot: Floats
    """Shape ``(nodes, loads)``: the same of the time per output token."""
    alone_req_per_s: Floats
    """Shape ``(nodes,)``: requests that come one after the other, never two at once."""
    first_s: float
    """Part of the time to first token that slower iterations leave as it is."""

    @classmethod
    def of(cls, timing: ReplicaTiming, lengths: Lengths, cached_max_fraction: float) -> RateTable:
        """For every cached share up to `cached_max_fraction`; the share in `lengths` is not read."""
        count = CACHED_NODES_COUNT if cached_max_fraction > 0 else 1
        cached = np.linspace(0.0, cached_max_fraction, count)
        at_nodes = _repeated(lengths, cached, (count,))
        most = saturated_req_per_s(timing, at_nodes)
        shape = (count, LOADS.size)
        found = steady(timing, most[:, None] * LOADS, _repeated(lengths, cached[:, None], shape))
        after = np.maximum(lengths.output_tokens - 1, 0.0)
        alone_s = found.ttft_mean_s[:, 0] + after * found.tpot_mean_s[:, 0]
        first = timing.first_token_s
        return cls(
            cached, most, _rising(found.ttft_quantile_s - first), _rising(found.tpot_quantile_s), 1 / alone_s, first
        )

    def max_rate_req_per_s(
        self,
        *,
        ttft_s: ArrayLike = np.inf,
        tpot_s: ArrayLike = np.inf,
        time_ratio: ArrayLike = 1.0,
        cached_fraction: ArrayLike = 0.0,
    ) -> Floats:
        """Largest rate within the targets, where iterations take `time_ratio` times as long; 0: not even one request.

        Arguments broadcast. Within 0.5 % of `fluid.max_rate_req_per_s`, which a test checks.
        """
        given = (ttft_s, tpot_s, time_ratio, cached_fraction)
        arrays = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in given))
        ttft, tpot, slow, cached = (each.ravel() for each in arrays)
        ttft, tpot = (ttft - self.first_s) / slow, tpot / slow  # slower iterations are tighter targets
        between = self._between(cached)
        load = np.minimum(_load(self.log_ttft, between, ttft), _load(self.log_tpot, between, tpot))
        request_s = between.mixed(1 / np.maximum(self.saturated_req_per_s, _TINY))
        return np.asarray((load / (request_s * slow)).reshape(arrays[0].shape))

    def rate_alone_req_per_s(self, *, time_ratio: ArrayLike = 1.0, cached_fraction: ArrayLike = 0.0) -> Floats:
        """Rate of a replica that answers one request after the other without a pause."""
        cached = np.asarray(cached_fraction, np.float64)
        alone_s = np.interp(cached, self.cached_fractions, 1 / self.alone_req_per_s) - self.first_s
        return np.asarray(1 / (alone_s * np.asarray(time_ratio, np.float64) + self.first_s))

    def lone_latencies_s(self, *, time_ratio: float = 1.0, cached_fraction: float = 0.0) -> tuple[float, float]:
        """Time to first token and per output token within which a request stays that is alone on its replica."""
        ttft, tpot = (
            float(np.interp(cached_fraction, self.cached_fractions, np.exp(each[:, 0])))
            for each in (self.log_ttft, self.log_tpot)
        )
        return ttft * time_ratio + self.first_s, tpot * time_ratio

    def _between(self, cached: Floats) -> _Between:
        last = self.cached_fractions.size - 1
        if not last:
            return _Between(np.zeros(cached.size, np.int64), np.zeros(cached.size, np.int64), np.zeros(cached.size))
        place = np.clip(cached / self.cached_fractions[1], 0.0, last)
        left = np.minimum(place.astype(np.int64), last - 1)
        return _Between(left, left + 1, place - left)


@dataclass(frozen=True, slots=True)
class _Between:
    """Two nodes about each point, and how far towards the second it lies."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    share: Floats

    def mixed(self, known: Floats, column: NDArray[np.int64] | None = None) -> Floats:
        """What is known at the nodes (in a column for each point), at the points."""
        left, right = (known[at] if column is None else known[at, column] for at in (self.left, self.right))
        return np.asarray(left + self.share * (right - left))


def _load(known_log: Floats, between: _Between, target_s: Floats) -> Floats:
    """Load at which a target is just met; 0 where a lone request misses it."""
    wanted = np.log(np.maximum(target_s, _TINY))
    if known_log.shape[0] == 1:
        met = np.interp(wanted, known_log[0], LOADS, left=0.0)
        return np.where(np.isinf(target_s), 1.0, met)
    low, high = np.zeros(wanted.size, np.int64), np.full(wanted.size, LOADS.size - 1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        met = between.mixed(known_log, middle) <= wanted
        low, high = np.where(met, middle, low), np.where(met, high, middle)
    below, above = between.mixed(known_log, low), between.mixed(known_log, high)
    part = np.clip((wanted - below) / np.maximum(above - below, _TINY), 0.0, 1.0)
    found = LOADS[low] + np.where(np.isinf(target_s), 1.0, part) * (LOADS[high] - LOADS[low])
    found = np.where(between.mixed(known_log, np.zeros_like(low)) > wanted, 0.0, found)
    return np.where(np.isinf(target_s), 1.0, found)


def _repeated(lengths: Lengths, cached: Floats, shape: tuple[int, ...]) -> Lengths:
    fields = (lengths.input_tokens, lengths.output_tokens, lengths.input_cv2_ratio, lengths.output_cv2_ratio, cached)
    return Lengths(*(np.broadcast_to(each, shape) for each in fields))


def _rising(latency_s: Floats) -> Floats:
    """Logarithms that never fall with the load."""
    return np.asarray(np.maximum.accumulate(np.log(np.maximum(latency_s, _TINY)), axis=1))
