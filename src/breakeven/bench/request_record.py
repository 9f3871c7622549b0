"""Request record: what happened to one request, in the generator's own clock; a failure has a kind and no latency."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Final

from breakeven.units import MS_PER_S


class FailureKind(StrEnum):
    """How a request failed. An HTTP error is `http_` and its status, e.g. ``http_429``."""

    REFUSED = "refused"
    """No connection: nothing listens there, the name is unknown, or TLS fails."""
    CONNECT_TIMEOUT = "connect_timeout"
    NO_FIRST_TOKEN = "stalled_before_first_token"  # noqa: S105 - no password
    STALLED = "stalled_mid_stream"
    TOO_LONG = "total_timeout"
    NOT_A_STREAM = "not_a_stream"
    """An answer of another content type: HTML, or one JSON document."""
    GARBAGE = "garbage"
    """Something that is no event of a completion."""
    ERROR_EVENT = "error_in_stream"
    """The server reports an error after it began to stream."""
    CLOSED_EARLY = "closed_early"
    """The connection ended before [DONE]."""
    NO_TOKENS = "no_tokens"
    """A complete answer without text."""
    IMPOSSIBLE_USAGE = "impossible_usage"
    """The server counts more tokens than were asked for."""
    IN_FLIGHT_LIMIT = "generator_in_flight_limit"
    """Never sent: the open loop had too many requests in flight already."""


UNFINISHED: Final = "unfinished"
"""Not a failure: the measurement ended (Ctrl-C) while the request was under way."""


@dataclass(slots=True)
class RequestRecord:
    """One request. Times in seconds of one monotonic clock."""

    started_s: float
    scheduled_s: float
    """When it was to start: the generator's own lateness is the difference."""
    wanted_input_tokens: int
    wanted_output_tokens: int
    text_times_s: list[float] = field(default_factory=list)
    """When each event with text arrived."""
    ended_s: float = 0.0
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    """As the server counts them; None: it does not say."""
    finish_reason: str | None = None
    is_done: bool = False
    """True once [DONE] arrived."""
    failure: str | None = None
    """A FailureKind, ``http_NNN``, or `UNFINISHED`; None: success."""
    detail: str = ""
    """What was seen, in words."""

    @property
    def succeeded(self) -> bool:
        """True when the answer arrived whole."""
        return self.failure is None

    @property
    def output_tokens(self) -> int:
        """Tokens of the answer: the server's count, else one per event with text."""
        return self.completion_tokens if self.completion_tokens else len(self.text_times_s)

    @property
    def is_estimated(self) -> bool:
        """True when the tokens of the answer were counted from events."""
        return not self.completion_tokens

    @property
    def ttft_ms(self) -> float:
        """From the start of the request to the first event with text."""
        return (self.text_times_s[0] - self.started_s) * MS_PER_S

    @property
    def e2e_ms(self) -> float:
        """From the start of the request to the last event with text."""
        return (self.text_times_s[-1] - self.started_s) * MS_PER_S

    @property
    def tpot_ms(self) -> float | None:
        """Mean time of a token after the first; None with one token, or when the answer came in one piece."""
        tokens = self.output_tokens
        if tokens < 2 or len(self.text_times_s) < 2:
            return None
        return (self.text_times_s[-1] - self.text_times_s[0]) * MS_PER_S / (tokens - 1)

    @property
    def gaps_ms(self) -> list[float]:
        """Times between events with text."""
        times = self.text_times_s
        return [(after - before) * MS_PER_S for before, after in pairwise(times)]
