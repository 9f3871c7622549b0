"""Attempt: one call of an upstream as it went; each attempt that was sent becomes one Call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from breakeven.gateway.upstream import Target

Failure = Literal[
    "connect",  # refused, unreachable, TLS, no name, connect timeout
    "first_byte_timeout",
    "idle_timeout",
    "total_timeout",
    "reset",  # closed before the answer was whole
    "status",  # 429 or 5xx
    "bad_answer",  # no HTTP, no JSON where JSON was promised, an error inside a stream
    "too_large",
    "client_gone",
    "rejected",  # an answer that failed its checks
    "superseded",  # another attempt was faster, and this one was given up
]


@dataclass(slots=True)
class TokenCounts:
    """Tokens of one call, inclusive as in `usage/call.py`."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    is_estimated: bool = False
    """No usage was reported: counted by characters."""


AttemptKind = Literal["first", "retry", "fallback", "escalation", "check", "hedge", "shadow"]


@dataclass(slots=True)
class Attempt:
    """One call of an upstream."""

    target: Target
    number: int
    """From 1; further attempts of one request share its id and count up."""
    kind: AttemptKind = "first"
    """`check`: of the model whose answer must be the same as a cascade's; no client ever gets that answer."""
    started_unix_s: float = 0.0
    started_monotonic_s: float = 0.0
    first_byte_monotonic_s: float | None = None
    ended_monotonic_s: float | None = None
    http_status: int | None = None
    failure: Failure | None = None
    finish_reason: str | None = None
    response_model: str | None = None
    service_tier: str | None = None
    retry_after_s: float | None = None
    tokens: TokenCounts | None = None
    was_sent: bool = False
    """At least one byte of the request went out."""
    is_aborted: bool = False
    """The client left before the end."""
    cost_usd: float | None = None
    """None: unpriced."""
    outcome_fraction: float | None = None
    """What a trial's checks said of its answer; None: they said nothing."""

    @property
    def is_refused(self) -> bool:
        """Whether the upstream said that the request is wrong (4xx)."""
        return self.failure is None and self.http_status is not None and self.http_status >= 400


def kind_after(failed: Attempt, target: Target) -> AttemptKind:
    """What another attempt is that comes after one that failed."""
    if target is failed.target:
        return "retry"
    return "escalation" if failed.is_refused or failed.failure in ("rejected", "too_large") else "fallback"
