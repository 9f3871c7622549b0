"""Fleet bins: a log cut into stretches of some minutes, and the replicas that each of them needs.

The need of a bin is the work of its busy minutes (the 95th percentile over its minutes, since requests come in bursts)
over what one replica can take at the latency targets, given the bin's own lengths (`fluid.py`). It is a first answer,
made for search and for scaling; the simulation corrects it at the peak.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.serving.traffic.fluid import Lengths, max_rate_req_per_s, saturated_req_per_s
from breakeven.serving.traffic.replica_timing import ReplicaTiming
from breakeven.workload.arrivals import Arrivals

Floats = NDArray[np.float64]
MINUTE_S: Final = 60.0
BURST_QUANTILE: Final = 0.95
USUAL_CV2_RATIO: Final = 1.0
"""Spread of lengths where a log gives means only: exponential."""


@dataclass(frozen=True, slots=True)
class LatencyTarget:
    """What most requests must see. None: not asked."""

    ttft_s: float | None = None
    tpot_s: float | None = None
    quantile_fraction: float = 0.95
    """Share of the requests that must meet both."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Stretches of equal length; arrays of one value per bin. Bins without a request have no lengths (NaN)."""

    bin_s: float
    requests_count: Floats
    input_tokens: Floats
    """Means per request."""
    output_tokens: Floats
    cached_tokens: Floats
    input_cv2_ratio: Floats
    output_cv2_ratio: Floats
    burst_ratio: Floats
    """Work of the busy minutes over that of the mean minute."""

    @property
    def arrival_req_per_s(self) -> Floats:
        """Mean rates."""
        return self.requests_count / self.bin_s

    def lengths(self) -> Lengths:
        """Of each bin; where it is empty, of a request of one token."""
        return Lengths.of(
            *(np.nan_to_num(each, nan=1.0).clip(min=1.0) for each in (self.input_tokens, self.output_tokens)),
            input_cv2_ratio=np.nan_to_num(self.input_cv2_ratio),
            output_cv2_ratio=np.nan_to_num(self.output_cv2_ratio),
            cached_fraction=np.nan_to_num(self.cached_tokens / self.input_tokens),
        )

    def overall_lengths(self) -> Lengths:
        """Of all requests together."""
        some = self.requests_count > 0
        share = self.requests_count[some] / self.requests_count.sum()
        means, spreads = [], []
        for mean, cv2 in ((self.input_tokens, self.input_cv2_ratio), (self.output_tokens, self.output_cv2_ratio)):
            total = float(share @ mean[some])
            means.append(max(total, 1.0))
            spreads.append(max(float(share @ (mean[some] ** 2 * (1 + cv2[some]))) / total**2 - 1, 0.0))
        cached = float(share @ self.cached_tokens[some]) / means[0]
        return Lengths.of(*means, input_cv2_ratio=spreads[0], output_cv2_ratio=spreads[1], cached_fraction=cached)


def bins_of(arrivals: Arrivals, bin_s: float, cached_tokens: Floats | None = None) -> Bins:
    """Cut a log; buckets of calls are spread evenly over their span. `cached_tokens` replace those of the log."""
    count = max(int(np.ceil(arrivals.observed_s / bin_s - 1e-9)), 1)
    at = np.minimum((arrivals.start_s / bin_s).astype(np.int64), count - 1)
    cached = arrivals.cached_tokens if cached_tokens is None else cached_tokens
    columns = [np.asarray(each, np.float64) for each in (arrivals.input_tokens, arrivals.output_tokens, cached)]
    requests = np.bincount(at, minlength=count).astype(np.float64)
    sums: list[Floats] = [np.bincount(at, each, count).astype(np.float64) for each in columns]
    squares: list[Floats] = [np.bincount(at, each**2, count).astype(np.float64) for each in columns[:2]]
    burst = _burst_ratio(arrivals, bin_s, count)
    if arrivals.spans is not None:
        spans = arrivals.spans
        share = _overlap_s(spans.start_s, spans.length_s, bin_s, count) / spans.length_s[:, None]
        weight = share * spans.requests_count[:, None]
        requests = requests + weight.sum(axis=0)
        for index, each in enumerate((spans.input_tokens, spans.output_tokens, spans.cached_tokens)):
            sums[index] = sums[index] + each @ weight
            if index < 2:
                squares[index] = squares[index] + (each**2 * (1 + USUAL_CV2_RATIO)) @ weight
    with np.errstate(invalid="ignore", divide="ignore"):
        means = [each / requests for each in sums]
        spreads = [
            np.maximum(square / requests / mean**2 - 1, 0.0) for square, mean in zip(squares, means, strict=False)
        ]
    return Bins(bin_s, requests, means[0], means[1], means[2], spreads[0], spreads[1], burst)


def needed_replicas(timing: ReplicaTiming, bins: Bins, target: LatencyTarget) -> Floats:
    """Replicas that each bin needs, not rounded; 0 without requests."""
    overall = bins.overall_lengths()
    most = {"ttft_s": target.ttft_s, "tpot_s": target.tpot_s, "quantile_fraction": target.quantile_fraction}
    each = max_rate_req_per_s(timing, bins.lengths(), **most)  # type: ignore[arg-type]
    usual = float(max_rate_req_per_s(timing, overall, **most))  # type: ignore[arg-type]
    # a bin whose few requests are so long that none meets the target counts by its work
    saturated, usual_saturated = (
        saturated_req_per_s(timing, bins.lengths()),
        float(saturated_req_per_s(timing, overall)),
    )
    share = usual / usual_saturated if usual_saturated > 0 and usual > 0 else 0.5
    rate = np.where(each > 0, each, np.maximum(saturated, 1e-12) * share)
    return np.where(bins.requests_count > 0, bins.arrival_req_per_s * bins.burst_ratio / rate, 0.0)


def _burst_ratio(arrivals: Arrivals, bin_s: float, count: int) -> Floats:
    """Work counted as tokens, an output token as four of the input: enough to see when minutes are busy."""
    minutes = max(round(bin_s / MINUTE_S), 1)
    if arrivals.start_s.size == 0 or minutes == 1:
        return np.ones(count)
    work = arrivals.input_tokens - arrivals.cached_tokens + 4.0 * arrivals.output_tokens
    at = np.minimum((arrivals.start_s / bin_s * minutes).astype(np.int64), count * minutes - 1)
    by_minute = np.bincount(at, work, count * minutes).reshape(count, minutes)
    mean = by_minute.mean(axis=1)
    busy = np.quantile(by_minute, BURST_QUANTILE, axis=1)
    return np.where(mean > 0, np.maximum(busy / np.where(mean > 0, mean, 1.0), 1.0), 1.0)


def _overlap_s(start_s: Floats, length_s: Floats, bin_s: float, count: int) -> Floats:
    """Seconds of each span in each bin; shape ``(spans, bins)``."""
    edges = np.arange(count + 1) * bin_s
    first = np.maximum(start_s[:, None], edges[None, :-1])
    last = np.minimum((start_s + length_s)[:, None], edges[None, 1:])
    return np.asarray(np.maximum(last - first, 0.0))
