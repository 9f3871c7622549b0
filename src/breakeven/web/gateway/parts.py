"""Parts: the shape of a running gateway's document: traffic, percentiles, models, upstreams, keys, policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from breakeven.web.gateway.client import Trouble
from breakeven.web.gateway.histogram_quantiles import Quantile
from breakeven.web.gateway.series import Series


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of the answers in the window."""

    answers_count: float
    p50: Quantile | None
    p95: Quantile | None
    p99: Quantile | None


@dataclass(frozen=True, slots=True)
class Traffic:
    """What flows."""

    window_s: float
    """Seconds over which it is told; 0: one reading only."""
    requests_req_per_s: float | None
    failed_req_per_s: float | None
    """Admitted requests that no upstream answered."""
    refused_req_per_s: float | None
    """Requests that the gateway answered itself."""
    tokens_tok_per_s: float | None
    spend_window_s: float
    """Seconds over which spend is told."""
    usd_per_hour: float | None
    unpriced_calls_count: float | None
    """In that time: calls whose cost nobody knows."""
    in_flight_count: float
    client_connections_count: float
    requests_total_count: float
    cost_total_usd: float
    unpriced_total_count: float


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model."""

    model: str
    calls_count: float
    """In the window."""
    failed_count: float
    unpriced_count: float
    estimated_count: float
    usd_per_hour: float | None
    input_tokens: float
    output_tokens: float
    duration_p95: Quantile | None
    first_byte_p95: Quantile | None
    price_sources: tuple[str, ...]
    """`list`, `amortised`, `policy` (its snapshot), `unpriced`, or nothing where the settings are not known."""
    price_as_of: str | None
    total_calls_count: float
    total_cost_usd: float
    total_unpriced_count: float


@dataclass(frozen=True, slots=True)
class UpstreamRow:
    """One upstream."""

    upstream: str
    breaker: str
    base_url: str
    attempts_count: float
    """In the window."""
    failures: Mapping[str, float]
    """How attempts failed in the window."""
    total_failures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key; no secret."""

    id: str
    is_disabled: bool
    application: str | None
    budget_usd: float | None
    spent_usd: float | None
    reserved_usd: float | None
    period_ends_unix_s: float | None


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """The policy that the relays serve."""

    hash: str
    kind: str
    relays_count: int
    others: tuple[str, ...]
    """Other versions that some relays still serve."""
    created: str | None
    made_by: str | None
    since_unix_s: float | None
    is_rolled_back: bool
    trouble: str | None
    trial: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class GatewayDocument:
    """A gateway now."""

    schema_version: str
    kind: str
    address: str
    as_of: str | None
    """Of the last good reading."""
    state: str
    """`serving`, `draining`, `not_ready`, `unreached` (the figures are of the last good reading) or `never_reached`."""
    relays_count: int | None
    relays_wanted_count: int | None
    version: str
    trouble: Trouble | None
    admin_trouble: Trouble | None
    traffic: Traffic | None
    durations: Percentiles | None
    first_bytes: Percentiles | None
    kinds: Mapping[str, float]
    """Attempts beyond the first, in the window, by kind."""
    refusals: Mapping[str, float]
    """In the window, by code."""
    models: tuple[ModelRow, ...]
    upstreams: tuple[UpstreamRow, ...]
    keys: tuple[KeyRow, ...]
    policy: PolicyRow | None
    losses: Mapping[str, float]
    """Counters that ought to be 0, since the gateway's counters began; those that are not."""
    queue_bytes: int | None
    """Call records that wait for the disk."""
    breaker_rule: Mapping[str, float] | None
    series: tuple[Series, ...]
