"""Histogram quantiles: percentiles of what fell into buckets, and the bucket's edges, between which the truth lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True, slots=True)
class Quantile:
    """One percentile."""

    value_s: float | None
    """Straight between the edges of its bucket; None: nothing was counted, or it lies beyond the last edge."""
    low_s: float
    high_s: float | None
    """Upper edge of its bucket; None: there is none."""


def quantile(buckets: Sequence[float], edges_s: Sequence[float], fraction: float) -> Quantile | None:
    """A percentile of counts by bucket, the last one without an edge; None where nothing was counted.

    >>> quantile((0, 10, 10, 0), (0.5, 1.0, 2.0), 0.75)
    Quantile(value_s=1.5, low_s=1.0, high_s=2.0)
    >>> quantile((0, 0, 0, 3), (0.5, 1.0, 2.0), 0.5)
    Quantile(value_s=None, low_s=2.0, high_s=None)
    """
    total = sum(buckets)
    if total <= 0 or not isfinite(total) or len(buckets) != len(edges_s) + 1:
        return None
    wanted, seen = fraction * total, 0.0
    for i, count in enumerate(buckets):
        if count > 0 and seen + count >= wanted - 1e-9:
            low_s = edges_s[i - 1] if i else 0.0
            if i == len(edges_s):
                return Quantile(None, low_s, None)
            share = min(max((wanted - seen) / count, 0.0), 1.0)
            return Quantile(low_s + share * (edges_s[i] - low_s), low_s, edges_s[i])
        seen += count
    return None
