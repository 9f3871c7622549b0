"""Load: what is asked of an endpoint: lengths, levels, limits; impossible wishes are refused in words."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Literal

from breakeven.errors import BenchError

CONCURRENCY_MAX_COUNT: Final = 10_000
Api = Literal["chat", "completions"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait for what."""

    connect_s: float = 10.0
    first_token_s: float = 120.0
    """From the start of the request to the first event with text."""
    idle_s: float = 60.0
    """Between two events after the first."""
    total_s: float = 900.0

    def __post_init__(self) -> None:
        for name in ("connect_s", "first_token_s", "idle_s", "total_s"):
            if not 0 < getattr(self, name) < math.inf:
                raise BenchError(f"a timeout of {getattr(self, name):g} s; wanted more than 0 ({name})")


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long prompts and answers are."""

    input_tokens: int = 256
    output_tokens: int = 128
    spread_fraction: float = 0.0
    """Lengths are uniform between (1 - spread) and (1 + spread) times the typical one."""
    shared_prefix_tokens: int = 0
    """Tokens that all prompts begin with: what a prefix cache can reuse."""

    def __post_init__(self) -> None:
        for name in ("input_tokens", "output_tokens"):
            if getattr(self, name) < 1:
                raise BenchError(f"{name.replace('_', ' ')} {getattr(self, name)}; wanted 1 or more")
        if not 0 <= self.spread_fraction < 1:
            raise BenchError(
                f"length spread {self.spread_fraction:g}; wanted 0 to below 1, e.g. 0.5 for half to one and a half"
            )
        if not 0 <= self.shared_prefix_tokens < self.input_tokens:
            raise BenchError(
                f"shared prefix of {self.shared_prefix_tokens} tokens in a prompt of {self.input_tokens}; "
                "wanted from 0 to fewer than the prompt has"
            )


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request of an open loop."""

    at_s: float
    """Seconds after the level began."""
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """A fixed number of users, each sending its next request when the answer to the last one is there."""

    concurrency_count: int
    requests_max_count: int | None
    duration_s: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.concurrency_count <= CONCURRENCY_MAX_COUNT:
            raise BenchError(
                f"concurrency {self.concurrency_count}; wanted 1 to {CONCURRENCY_MAX_COUNT:,}, e.g. 1,4,16"
            )
        check_extent(self.requests_max_count, self.duration_s)

    @property
    def title(self) -> str:
        """How the level is called."""
        return f"concurrency {self.concurrency_count}"


@dataclass(frozen=True, slots=True)
class OpenLoop:
    """Requests that arrive at their own times, however the server is doing."""

    arrivals: tuple[Arrival, ...]
    title: str
    rate_req_per_s: float | None = None
    """The rate that was asked for; None for a trace."""
    in_flight_max_count: int = 2_000
    """More in flight than that are not sent, and counted as failures."""
    lengths_from: Literal["options", "trace"] = field(default="options")

    def __post_init__(self) -> None:
        if not self.arrivals:
            raise BenchError(f"{self.title}: no request to send; wanted a longer --duration or more --requests")


Level = ClosedLoop | OpenLoop


def check_extent(requests_max_count: int | None, duration_s: float | None) -> None:
    """Raises BenchError unless the number of requests and the duration, where given, are possible."""
    if requests_max_count is None and duration_s is None:
        raise BenchError("no end: wanted a number of requests or a duration")
    if requests_max_count is not None and requests_max_count < 1:
        raise BenchError(f"{requests_max_count} requests; wanted 1 or more")
    if duration_s is not None and not 0 < duration_s < math.inf:
        raise BenchError(f"a duration of {duration_s:g} s; wanted more than 0")
