"""Dashboards at work: a client that asks the app directly, and a real server on a loopback port."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.testclient import TestClient

from breakeven.web.access import Access
from breakeven.web.app import application
from breakeven.web.page import Desk
from breakeven.web.serving import Server, listening


@contextmanager
def client_of(desk: Desk, access: Access | None = None) -> Iterator[TestClient]:
    """A client of any desk; brings the token along."""
    app = application(desk, access)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as made:
        found = re.search(r'name="csrf" (?:content|value)="([0-9a-f]+)"', made.get("/login").text)
        assert found
        made.headers["x-breakeven-csrf"] = found[1]
        yield made
    desk.jobs.close()


@contextmanager
def server_of(desk: Desk, access: Access | None = None) -> Iterator[str]:
    """A real server on a free loopback port; gives its address without a slash at the end."""
    ready = threading.Event()
    server = Server(application(desk, access), listening("127.0.0.1", 0), lambda _: ready.set())
    thread = threading.Thread(target=server.run, name="dashboard", daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield server.url.rstrip("/")
    finally:
        server.should_exit = True
        thread.join(30)
        desk.jobs.close()
