"""Upstream: a server that answers, and Target: one model there, under the name by which policies know it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Dialect = Literal["openai", "anthropic"]
PriceSource = Literal["list", "amortised"]


@dataclass(frozen=True, slots=True)
class Upstream:
    """A server, as the configuration names it."""

    name: str
    host: str
    port: int
    is_tls: bool
    path_prefix: bytes
    """Of its base URL, without a slash at the end: `b"/v1"`."""
    dialect: Dialect
    auth_headers: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    """Sent instead of the client's own; never logged."""
    quirks: str = "openai"
    """Which vendor's habits it has: a name of `wire.quirks`."""
    ca_file: str | None = None
    socket_path: str | None = None
    """A Unix socket in place of host and port: the gateway's own control process."""
    connections_max_count: int = 512


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """USD per million tokens on a day; None where nobody knows, never 0 for unknown."""

    input_usd_per_mtok: float | None
    output_usd_per_mtok: float | None
    cache_read_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None
    usd_per_request: float | None = None
    source: PriceSource = "list"
    """`amortised`: a reserved server's bill shared among the tokens it is planned for, never its busy time alone."""
    as_of: str | None = None
    """ISO date."""


@dataclass(frozen=True, slots=True)
class Target:
    """A model that requests can be sent to."""

    name: str
    """As policies, keys and clients call it."""
    upstream: Upstream
    model: str
    """As its upstream calls it."""
    price: TokenPrice | None = None
    """None: unpriced."""
