"""Settings of a gateway: what `gateway.yaml` says, as values. `reading.py` makes them, everything else takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from breakeven.gateway.plan import Key
from breakeven.gateway.upstream import Target, Upstream


@dataclass(frozen=True, slots=True)
class Condition:
    """What a request must have, all of it; a part that is None is not asked."""

    task: str | None = None
    key_id: str | None = None
    header: tuple[bytes, str] | None = None
    """Lower-case name, and its value (`*`: any)."""
    path: str | None = None
    system_hash: str | None = None
    schema_hash: str | None = None
    pattern: str | None = None
    """A regular expression looked for in all text that goes out (a linear-time one: `routing.linear_regex`)."""


@dataclass(frozen=True, slots=True)
class ResidencyRule:
    """Requests that may go to these upstreams and to no other."""

    when: Condition
    upstreams: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class TaskRule:
    """How a request's task is told where no header names it."""

    when: Condition
    task: str


@dataclass(frozen=True, slots=True)
class Arms:
    """Arms of a pilot: by hash of the unit, so that every process chooses alike."""

    experiment: str
    unit: str
    """`request`, `key`, `session`, `user` (of the body), or `header:NAME`."""
    shares: Mapping[str, float]
    """Arm -> share; they sum to 1."""
    models: Mapping[str, str]
    """Arm -> the model that takes its requests; an arm without one follows the policy."""
    tasks: tuple[str, ...] = ()
    """Only these tasks; none named: all."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """A model that gets copies of some requests; its answers go nowhere but to the record."""

    model: str
    share_fraction: float
    in_flight_max_count: int = 8
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long is waited."""

    connect_s: float = 5.0
    first_byte_s: float = 120.0
    idle_s: float = 60.0
    """Between two pieces of an answer."""
    total_s: float = 900.0
    client_head_s: float = 15.0
    """From the first byte of a request to the end of its head."""
    client_body_s: float = 60.0
    client_idle_s: float = 75.0
    """Between two requests of a connection."""
    drain_s: float = 30.0
    """After SIGTERM, for answers that are under way."""


@dataclass(frozen=True, slots=True)
class Retries:
    """When another attempt is made."""

    attempts_max_count: int = 3
    """Of one request, all upstreams together."""
    budget_fraction: float = 0.2
    """Retries may be so large a part of all requests (and ten at least)."""
    backoff_base_s: float = 0.1
    backoff_max_s: float = 5.0
    hedge_after_s: float | None = None
    """Ask the next target too when no byte came for so long; None: never."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """When an upstream is left alone."""

    failures_count: int = 5
    """In a row, or ..."""
    failing_fraction: float = 0.5
    """... of the last `window_count` attempts."""
    window_count: int = 20
    open_s: float = 10.0
    """Then one probe is let through; each failed probe doubles the wait, to 16 times."""


@dataclass(frozen=True, slots=True)
class WireLimits:
    """How large things may be."""

    head_max_bytes: int = 32_768
    headers_max_count: int = 100
    body_max_bytes: int = 32 * 2**20
    answer_buffer_max_bytes: int = 4 * 2**20
    """A plain answer up to this size is held until it is whole, and so can be replaced; a larger one is passed on."""
    connections_max_count: int = 4_096
    requests_in_flight_max_count: int = 4_096


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """A gateway."""

    listen_host: str
    listen_port: int
    admin_host: str
    admin_port: int
    processes_count: int
    state_folder: Path
    upstreams: Mapping[str, Upstream]
    models: Mapping[str, tuple[Target, ...]]
    """Name -> where it can be had, in the order of trial."""
    default_model: str | None = None
    """Takes what no policy decides and no client names; None with no models: requests pass to the only upstream."""
    passthrough: str | None = None
    """The upstream that takes models which are not listed (record-only use); None: such requests are refused."""
    policy_folder: Path | None = None
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Model -> the models that may take its place when all its targets fail."""
    keys: tuple[Key, ...] = ()
    keys_file: Path | None = None
    """Keys that the admin API made (hashed)."""
    is_open: bool = False
    """True: no key is asked, and the client's own is passed on to the upstream (record-only use)."""
    residency: tuple[ResidencyRule, ...] = ()
    tasks: tuple[TaskRule, ...] = ()
    tasks_file: Path | None = None
    """A classifier of tasks, as `breakeven learn --tasks` writes it."""
    arms: Arms | None = None
    shadows: tuple[Shadow, ...] = ()
    timeouts: Timeouts = Timeouts()
    retries: Retries = Retries()
    breaker: Breaker = Breaker()
    wire: WireLimits = WireLimits()
    cascade_streams: Literal["unchecked", "buffered"] = "unchecked"
    durability: Literal["batch", "request"] = "batch"
    prompts: Literal["none", "redacted", "full"] = "none"
    redis_url: str | None = field(default=None, repr=False)
    admin_token_hash: bytes | None = None
    """SHA-256 digest of the token of the admin API; None: the admin API answers health and metrics only."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    admin_tls_certificate: Path | None = None
    admin_tls_key: Path | None = None
    trace_endpoint: str | None = None
    """OTLP over HTTP; None: no traces."""
