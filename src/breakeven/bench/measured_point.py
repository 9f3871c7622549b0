"""Measured point: what one deployment did under one steady load, whichever tool measured it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class MeasuredPoint:
    """One load level of one measurement. Latencies are means over the requests that succeeded."""

    input_tokens: float
    """Mean tokens of a prompt."""
    output_tokens: float
    """Mean tokens of an answer."""
    concurrency_count: float
    """Requests in flight: the level of a closed loop, the mean (Little's law) of an open one."""
    output_tok_per_s: float
    """Output tokens per second of the whole deployment."""
    ttft_ms: float | None
    """Time to first token; None where the answer did not stream."""
    tpot_ms: float | None
    """Time per output token after the first; None where answers have one token or did not stream."""
    requests_count: int
    """Requests that succeeded."""
    failures_count: int
    """Requests that failed."""
    source: str
    """Tool and file."""
    measured_on: date | None = None
    rate_req_per_s: float | None = None
    """Rate of arrivals that was asked for; None for a closed loop."""
    is_open_loop: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the file says of the deployment: model, endpoint, engine."""
    notes: tuple[str, ...] = ()
    """What a reader of the point should know: estimated counts, answers cut short."""

    @property
    def failures_fraction(self) -> float:
        """Share of the requests that failed."""
        sent = self.requests_count + self.failures_count
        return self.failures_count / sent if sent else 0.0
