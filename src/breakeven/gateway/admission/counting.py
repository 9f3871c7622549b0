"""Counting: what admission reports of its work, as a protocol; `telemetry.counters` answers it."""

from __future__ import annotations

from typing import Protocol

from breakeven.gateway.attempt import Attempt
from breakeven.gateway.plan import Plan


class Counting(Protocol):
    """Where the engine counts: `telemetry.counters`."""

    def finished(self, plan: Plan, attempts: list[Attempt], delivered: bool) -> None:
        """A request is over."""
        ...

    def refused(self, code: str) -> None:
        """A request got an answer of our own."""
        ...

    def count(self, name: str, more_count: float = 1, label: str = "", /) -> None:
        """Something happened."""
        ...

    def gauge(self, name: str, value_ratio: float, label: str = "", /) -> None:
        """How much of something there is."""
        ...
