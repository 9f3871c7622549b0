"""Retry budget: retries are a part of all requests, so that a failing upstream is not asked many times as often.

Counted over the running and the last span of ten seconds: ten retries, and on top of them a fraction of the requests.
"""

from __future__ import annotations

from typing import Final

SPAN_S: Final = 10.0
ALWAYS_COUNT: Final = 10
"""Retries that few requests may have too."""


class RetryBudget:
    """How many more retries there may be now."""

    __slots__ = ("_before", "_fraction", "_requests_count", "_retries_count", "_span_ends_s")

    def __init__(self, fraction: float) -> None:
        self._fraction = fraction
        self._before = (0, 0)
        """Requests and retries of the last span."""
        self._requests_count = 0
        self._retries_count = 0
        self._span_ends_s = 0.0

    def request(self, now_s: float, requests_count: int = 1) -> None:
        """A request came, or several did."""
        if now_s >= self._span_ends_s:
            self._turn(now_s)
        self._requests_count += requests_count

    def take(self, now_s: float) -> bool:
        """Whether one more retry may be made; it counts if so."""
        if now_s >= self._span_ends_s:
            self._turn(now_s)
        requests, retries = self._before
        if self._retries_count + retries + 1 > ALWAYS_COUNT + self._fraction * (self._requests_count + requests):
            return False
        self._retries_count += 1
        return True

    def _turn(self, now_s: float) -> None:
        is_next = now_s < self._span_ends_s + SPAN_S
        self._before = (self._requests_count, self._retries_count) if is_next else (0, 0)
        self._requests_count = self._retries_count = 0
        self._span_ends_s = (self._span_ends_s if is_next else now_s) + SPAN_S
