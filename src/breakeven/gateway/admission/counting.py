"""Counting: what admission reports of its work, as a protocol; `telemetry.counters` answers it."""

from __future__ import annotations

from typing import Protocol

from breakeven.gateway.attempt import Attempt, TokenCounts
from breakeven.gateway.plan import Plan
from breakeven.gateway.upstream import Target

Delivered = tuple[float, float, int, int, float | None, TokenCounts | None]
"""An answer that was delivered: seconds that it took, and that its first byte took, input and output tokens, USD, and
all counts where there is more to tell than these."""


class Counting(Protocol):
    """Where the engine counts: `telemetry.counters`."""

    def finished(self, plan: Plan, attempts: list[Attempt], delivered: bool) -> None:
        """A request is over."""
        ...

    def delivered(self, target: Target, task: str | None, operation: str, answers: list[Delivered], /) -> None:
        """The same for requests that were answered at the first attempt."""
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
