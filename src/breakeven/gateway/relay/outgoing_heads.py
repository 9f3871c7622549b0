"""Outgoing heads: how a request is addressed to one upstream: prepared once, completed per request."""

from __future__ import annotations

from typing import Final

from breakeven.gateway.plan import Head, Plan
from breakeven.gateway.relay.pool import Pool
from breakeven.gateway.upstream import Target, Upstream
from breakeven.gateway.wire.outgoing import extra_headers, outgoing_path

_PASSED: Final = frozenset(
    (
        b"anthropic-beta",
        b"anthropic-version",
        b"idempotency-key",
        b"openai-beta",
        b"traceparent",
        b"tracestate",
    )
)
"""What goes on to an upstream that we pay for. Not the client's key, address, cookies or wishes about routing."""
_NEVER_PASSED: Final = frozenset(
    (
        b"accept-encoding",
        b"connection",
        b"content-length",
        b"content-type",
        b"cookie",
        b"expect",
        b"forwarded",
        b"host",
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"via",
    )
)


class OutgoingHeads:
    """The heads of requests to one upstream, and its connections."""

    __slots__ = ("_is_transparent", "_starts", "pool", "upstream")

    def __init__(self, upstream: Upstream, pool: Pool, is_open: bool) -> None:
        self.upstream = upstream
        self.pool = pool
        self._is_transparent = is_open and not upstream.auth_headers
        """The client's own key and headers go through: it is only watched."""
        self._starts: dict[str, bytes] = {}
        """By operation."""

    def head(self, plan: Plan, target: Target, body_bytes_count: int) -> bytes:
        """The whole head of one request. Raises Untranslatable where the upstream has no such operation."""
        facts = plan.facts
        start = self._starts.get(facts.operation) or self._start(plan, target)
        query = plan.head.query
        if query and (self._is_transparent or query == b"beta=true"):
            start = start.replace(b" HTTP/1.1\r\n", b"?" + query + b" HTTP/1.1\r\n", 1)
        pieces = [start]
        if self._is_transparent:
            pieces += [
                b"%b: %b\r\n" % header
                for header in plan.head.headers
                if header[0] not in _NEVER_PASSED and not header[0].startswith(b"x-breakeven-")
            ]
        else:
            for header in plan.head.headers:
                if header[0] in _PASSED:
                    pieces.append(b"%b: %b\r\n" % header)
        if facts.operation == "outcomes" and plan.key is not None:
            pieces.append(b"x-breakeven-key-id: %b\r\n" % plan.key.id.encode("ascii", "replace"))
        pieces.append(b"content-length: %d\r\n\r\n" % body_bytes_count)
        return b"".join(pieces)

    def list_head(self, head: Head) -> bytes:
        """A request for the upstream's list of models, or for one of them."""
        prefix = self.upstream.path_prefix
        if self.upstream.dialect == "anthropic" and not prefix.endswith(b"/v1"):
            prefix += b"/v1"
        path = prefix + b"/models" + head.path.partition(b"/models")[2]
        if head.query:
            path += b"?" + head.query
        headers = [*self._own_headers()]
        for header in head.headers:
            is_passed = header[0] not in _NEVER_PASSED if self._is_transparent else header[0] in _PASSED
            if is_passed and not header[0].startswith(b"x-breakeven-"):
                headers.append(header)
        return b"GET " + path + b" HTTP/1.1\r\n" + b"".join(b"%b: %b\r\n" % each for each in headers) + b"\r\n"

    def _start(self, plan: Plan, target: Target) -> bytes:
        headers = [*self._own_headers(), (b"content-type", b"application/json"), *extra_headers(plan.facts, target)]
        path = outgoing_path(plan.facts, target)
        start = b"POST " + path + b" HTTP/1.1\r\n" + b"".join(b"%b: %b\r\n" % header for header in headers)
        self._starts[plan.facts.operation] = start
        return start

    def _own_headers(self) -> list[tuple[bytes, bytes]]:
        upstream = self.upstream
        is_usual_port = upstream.port == (443 if upstream.is_tls else 80)
        name = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
        host = name if is_usual_port or upstream.socket_path else f"{name}:{upstream.port}"
        headers = [(b"host", host.encode("idna" if not host.isascii() else "ascii")), *upstream.auth_headers]
        headers.append((b"accept-encoding", b"identity"))
        if not self._is_transparent:
            headers.append((b"user-agent", b"breakeven"))
        return headers
