"""Admin ports made up: answer by a script, so that each way in which a gateway can fail to answer can be seen."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

METRICS = "\n".join(
    (
        "# HELP breakeven_build_info 1",
        'breakeven_build_info{version="9.9"} 1.0',
        'breakeven_requests_total{operation="chat",result="delivered"} %d',
        "",
    )
)
TOKEN = "admin-token-canary-2718281828"


@dataclass
class AdminPort:
    """What it answers, and what it was asked."""

    port: int = 0
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path, and the authorization that came with it."""

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def says(self, path: str, document: Any, status: int = 200) -> None:
        """Answer a path so."""
        body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
        self.answers[path] = (status, body)

    def counts(self, requests_count: int) -> None:
        """Metrics with so many requests."""
        self.says("/metrics", METRICS % requests_count)


@contextmanager
def admin_port(context: ssl.SSLContext | None = None) -> Iterator[AdminPort]:
    """An admin port on loopback that is ready, without a policy or keys."""
    port = AdminPort()
    port.counts(0)
    port.says("/readyz", {"status": "ready", "relays": 1, "wanted": 1})
    port.says("/admin/policy", {"policy": None, "versions": [], "served_by_relays": {}})
    port.says("/admin/keys", {"keys": []})
    port.says("/admin/settings", {"models": {}, "upstreams": []})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            port.asked.append((self.path, self.headers.get("authorization")))
            status, body = port.answers.get(self.path, (404, b"{}"))
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **port.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            """Nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    port.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left, or spoke another protocol, is what is tested."""


def exposition(samples: Mapping[str, float]) -> str:
    """Lines as they are, and what makes it a gateway's."""
    lines = ['breakeven_build_info{version="9.9"} 1.0', *(f"{name} {value}" for name, value in samples.items())]
    return "\n".join(lines) + "\n"
