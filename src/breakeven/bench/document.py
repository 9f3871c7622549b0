"""Bench document: the results of a measurement as JSON, with a version; what is written, and what is read back."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

KIND: Final = "breakeven.bench"
SCHEMA_VERSION: Final = "1.0"


class Part(BaseModel):
    """Closed, so that a misspelt field is noticed when it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="null")


class Spread(Part):
    """How a latency is distributed, milliseconds."""

    mean_ms: float
    p10_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    values_count: int
    """Observations behind it."""


class Failures(Part):
    """Requests that failed in one way."""

    kind: str
    count: int
    example: str
    """What was seen the first time."""


class RequestRow(Part):
    """One request (`--raw`). Times in seconds after the level began."""

    scheduled_s: float
    started_s: float
    ended_s: float
    input_tokens: int
    output_tokens: int
    ttft_ms: float | None
    tpot_ms: float | None
    failure: str | None
    text_times_s: list[float]


class LevelResult(Part):
    """One level of load. Failed requests are counted and appear in no other figure."""

    title: str
    loop: Literal["closed", "open"]
    concurrency_count: int | None
    """Users of a closed loop; null for an open one."""
    rate_req_per_s: float | None
    """The rate that was asked for; null for a closed loop and for a trace."""
    mean_in_flight_count: float
    """Requests under way, averaged over time (Little's law)."""
    succeeded_count: int
    failed_count: int
    unfinished_count: int
    """Under way when the measurement was stopped; in no figure."""
    gave_up: bool
    """True when everything failed and the level was ended early."""
    failures: list[Failures]
    duration_s: float
    steady_s: float
    """While all users of a closed loop were busy, or until the last arrival of an open loop."""
    output_tok_per_s: float | None
    """Output tokens that arrived in the steady time, per second of it."""
    whole_output_tok_per_s: float | None
    """Output tokens over the whole duration, tail included: what `vllm bench serve` reports."""
    rate_done_req_per_s: float | None
    """Answers per second of the whole duration."""
    input_tokens: float | None
    """Mean of a prompt."""
    output_tokens: float | None
    """Mean of an answer."""
    asked_output_tokens: float
    ttft_ms: Spread | None
    inter_token_ms: Spread | None
    """Times between two events with text."""
    tpot_ms: Spread | None
    """Time per output token after the first, one value per answer."""
    end_to_end_ms: Spread | None
    start_lag_ms: Spread | None
    """How late the generator itself was in sending."""
    tokens_per_event_ratio: float | None
    generator_busy_fraction: float
    """Processor time of the generator over the duration; near 1 the figures are its own."""
    notes: list[str]
    requests: list[RequestRow] | None


class Counting(Part):
    """Where token counts come from."""

    output_tokens: Literal["server", "estimated from events", "mixed", "none"]
    input_tokens: Literal["server", "estimated from words", "mixed", "none"]


class Plan(Part):
    """What was asked for."""

    api: Literal["chat", "completions"]
    input_tokens: int
    output_tokens: int
    length_spread_fraction: float
    shared_prefix_tokens: int
    ignore_eos: bool
    """True when `ignore_eos` and `min_tokens` were sent and taken."""
    include_usage: bool
    seed: int
    warm_up_requests_count: int
    tokens_per_word_ratio: float
    template_tokens: float
    connect_timeout_s: float
    first_token_timeout_s: float
    idle_timeout_s: float
    total_timeout_s: float


class BenchDocument(Part):
    """One measurement of one endpoint."""

    kind: Literal["breakeven.bench"] = "breakeven.bench"
    schema_version: str = SCHEMA_VERSION
    breakeven_version: str
    measured_at: str
    """UTC, ISO 8601."""
    url: str
    """Without user, password and query."""
    model: str
    server: str
    """What the server calls itself."""
    interrupted: bool
    """True when the measurement was stopped; what was finished is in it."""
    plan: Plan
    counting: Counting
    levels: list[LevelResult]
    notes: list[str]


def to_json(document: BenchDocument) -> str:
    """The document as text; per-request rows only where they were kept."""
    exclude = {"levels": {"__all__": {"requests"}}} if all(each.requests is None for each in document.levels) else None
    return document.model_dump_json(indent=2, exclude=exclude) + "\n"
