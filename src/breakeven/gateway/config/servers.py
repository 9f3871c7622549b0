"""Servers of a configuration: an upstream's address, habits, key and headers, checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast

from breakeven.errors import nearest
from breakeven.gateway.config.base_url import place_of
from breakeven.gateway.config.schema import UpstreamEntry
from breakeven.gateway.upstream import Upstream
from breakeven.gateway.wire.quirks import QUIRKS, auth_headers, quirks_of, recognised

_HOP_HEADERS: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "keep-alive", "expect"}
)


def upstream_of(name: str, entry: UpstreamEntry, key: str | None, folder: Path) -> Upstream:
    """The server that an entry says; ValueError in words where it cannot be used."""
    if entry.vendor is not None and entry.vendor not in QUIRKS:
        raise ValueError(f"no vendor is named '{entry.vendor}'; {nearest(entry.vendor, list(QUIRKS))}")
    base_url = entry.base_url or (quirks_of(entry.vendor).base_url if entry.vendor else None)
    if base_url is None:
        raise ValueError("wanted `base_url:`, or `vendor:` with one of " + ", ".join(sorted(QUIRKS)))
    place = place_of(base_url)
    quirks = quirks_of(entry.vendor) if entry.vendor else recognised(place.host)
    headers = auth_headers(quirks, _plain(key, "its key")) if key is not None else ()
    for header, value in entry.headers.items():
        if not header.replace("-", "").isalnum() or not header.isascii() or header.lower() in _HOP_HEADERS:
            raise ValueError(f"the header {header!r} cannot be set")
        headers = (*headers, (header.lower().encode(), _plain(value, f"the header {header}").encode()))
    ca_file = None if entry.ca_file is None else (folder / entry.ca_file).absolute()
    if ca_file is not None and not ca_file.is_file():
        raise ValueError(f"{ca_file} is not there")
    return Upstream(
        name,
        place.host,
        place.port,
        place.is_tls,
        place.path_prefix,
        cast(Any, entry.dialect or quirks.dialect),
        headers,
        quirks.name,
        None if ca_file is None else str(ca_file),
        connections_max_count=entry.connections_max_count,
    )


def _plain(value: str, what: str) -> str:
    """A value that may stand in a header."""
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"{what} holds characters that no header may hold")
    return value
