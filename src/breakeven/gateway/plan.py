"""Plan: what will happen to one request: who asked, which models may answer, in what order, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from breakeven.gateway.attempt import Attempt
from breakeven.gateway.trial_terms import TrialTerms
from breakeven.gateway.upstream import Target

Operation = Literal["chat", "completions", "embeddings", "responses", "messages", "count_tokens", "outcomes"]
"""What the client speaks: OpenAI's first four, Anthropic's next two, and feedback for the control process."""


@dataclass(slots=True)
class Head:
    """The head of a client's request. Names of headers are lower-case; a name that stands twice stands twice."""

    method: bytes
    path: bytes
    """Without the query."""
    query: bytes
    headers: list[tuple[bytes, bytes]]
    peer: str = ""
    """Address of the client."""

    def header(self, name: bytes) -> bytes | None:
        """The first header of that name."""
        for each, value in self.headers:
            if each == name:
                return value
        return None


@dataclass(slots=True)
class RequestFacts:
    """What the gateway needs to know of a body; the body itself stays as it came."""

    operation: Operation
    document: Mapping[str, Any]
    """The body, parsed once."""
    body: bytes
    model: str
    """As the client asked."""
    is_stream: bool
    is_usage_asked: bool
    """The client wants usage in its stream (Anthropic's always do)."""
    output_tokens_max: int | None
    answers_count: int = 1


@dataclass(frozen=True, slots=True)
class Key:
    """One client, by its key. The key itself is not kept, only its SHA-256."""

    id: str
    key_hash: bytes
    """SHA-256 digest of the secret."""
    application: str | None = None
    allowed_models: tuple[str, ...] = ()
    """None named: all."""
    may_override: bool = False
    """May choose its model by `x-breakeven-model`."""
    may_give_outcomes: bool = True
    budget_usd: float | None = None
    budget_period_s: float = 30 * 86_400.0
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    expires_unix_s: float | None = None
    is_disabled: bool = False

    @property
    def is_limited(self) -> bool:
        """Whether any amount must be counted for it."""
        return not (self.budget_usd is None and self.requests_per_minute is None and self.tokens_per_minute is None)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of our own in place of a model's."""

    http_status: int
    code: str
    """Machine-readable, e.g. `invalid_api_key`; documented in docs/reference/gateway-errors.md."""
    message: str
    """What was seen, wanted, and what to do; holds no secret and no prompt."""
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was set aside of a key's limits before dispatch."""

    key_id: str
    usd: float
    tokens_count: int
    period: int = 0
    """Which budget period it was taken from."""


@dataclass(slots=True)
class Plan:
    """What will happen to one request."""

    request_id: str
    head: Head
    facts: RequestFacts
    key: Key | None
    targets: tuple[Target, ...]
    """In the order of trial: the chosen one, then those that may take its place. Never empty."""
    reason: str
    """Why the first was chosen: the policy's words, `override`, `passthrough`, ..."""
    task: str | None = None
    task_source: str | None = None
    application: str | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    policy_hash: str | None = None
    arm: str | None = None
    propensity: float | None = None
    unit_hash: str | None = None
    session_id: str | None = None
    trace_id: str | None = None
    parent_id: str | None = None
    escalate_to: tuple[Target, ...] = ()
    """Of a cascade: who is asked next when an answer fails its checks."""
    shadow: Target | None = None
    """A model that gets a copy; its answer goes nowhere but to the record."""
    is_pinned: bool = False
    """A residency rule named the upstreams: nobody else may ever take it, whatever fails."""
    reservation: Reservation | None = None
    received_unix_s: float = 0.0
    received_monotonic_s: float = 0.0
    answer_checks: Any = None
    """The policy's `accepts`, where answers are checked before they are given out; else None."""
    is_buffered: bool = False
    """The client asked for a stream, the upstream is not: the answer is put into one when it has passed its checks."""
    notes: Any = None
    """Admission's own: what was tried, which probes are held."""
    trial: TrialTerms | None = None
    """Of a request in a pilot's trial: how its answers are judged and kept, once they are out."""
    checker: Target | None = None
    """Of a cascade that compares answers: who is asked at the same time, and must say the same."""
    check: Attempt | None = None
    """That attempt, once it is under way."""

    def is_last(self, target: Target) -> bool:
        """Whether nobody is asked after a model of a cascade, so that its answer is taken."""
        return not self.escalate_to or target.name == self.escalate_to[-1].name
