"""Settings of gateways under test: models of a scripted upstream, priced, and times that are short enough to wait."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from breakeven.gateway.config.settings import Breaker, GatewaySettings, Retries, Timeouts, WireLimits
from breakeven.gateway.plan import Key
from breakeven.gateway.upstream import Dialect, Target, TokenPrice, Upstream

PRICE = TokenPrice(2.0, 8.0, 0.5, 2.5)
SECRET = "bk-client-canary-2718281828459045"
"""What the client of most tests shows."""
UPSTREAM_SECRET = "sk-vendor-canary-1618033988749894"
SHORT = Timeouts(
    connect_s=0.5,
    first_byte_s=0.4,
    idle_s=0.4,
    total_s=20.0,
    client_head_s=0.5,
    client_body_s=0.5,
    client_idle_s=5.0,
    drain_s=5.0,
)
NEVER_OPEN = Breaker(failures_count=10_000, failing_fraction=1.0, window_count=10_000)
ONE_TRY = Retries(attempts_max_count=1)
THREE_TRIES = Retries(attempts_max_count=3, budget_fraction=1.0, backoff_base_s=0.001, backoff_max_s=0.01)


def key(secret: str = SECRET, name: str = "tests", **more: Any) -> Key:
    """A client's key."""
    return Key(name, hashlib.sha256(secret.encode()).digest(), **more)


def upstream_at(port: int, name: str = "main", dialect: Dialect = "openai", **more: Any) -> Upstream:
    """A server on loopback."""
    header = (b"x-api-key", UPSTREAM_SECRET.encode())
    if dialect == "openai":
        header = (b"authorization", b"Bearer " + UPSTREAM_SECRET.encode())
    return Upstream(name, "127.0.0.1", port, False, b"/v1", dialect, (header,), quirks=dialect, **more)


def models_at(upstream: Upstream, *names: str, price: TokenPrice | None = PRICE) -> dict[str, tuple[Target, ...]]:
    """Models that are called there as they are called here."""
    return {name: (Target(name, upstream, name, price),) for name in names}


def settings_for(
    state: Path, upstreams: list[Upstream], models: dict[str, tuple[Target, ...]], **more: Any
) -> GatewaySettings:
    """A gateway of one process, one key, short times, no breaker, no retry: what a test wants else it says."""
    settings = GatewaySettings(
        listen_host="127.0.0.1",
        listen_port=0,
        admin_host="127.0.0.1",
        admin_port=0,
        processes_count=1,
        state_folder=state,
        upstreams={each.name: each for each in upstreams},
        models=models,
        keys=(key(),),
        timeouts=SHORT,
        retries=ONE_TRY,
        breaker=NEVER_OPEN,
        wire=WireLimits(body_max_bytes=2 * 2**20, answer_buffer_max_bytes=2**20),
    )
    return replace(settings, **more)
