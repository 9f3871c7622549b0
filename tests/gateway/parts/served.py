"""`breakeven serve` as users start it: processes, signals, and what is on the disk afterwards."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pyarrow.parquet as pq

from gateway.parts.scripted_upstream import closed_port
from gateway.parts.settings_for_tests import SECRET, UPSTREAM_SECRET

START_WITHIN_S = 60.0
ADMIN_SECRET = "bk-admin-canary-5772156649015328"


def config(state: str, upstream_url: str, models: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A configuration (JSON is YAML); models are `name: name at the upstream`, or whole entries."""
    price = {"input_usd_per_mtok": 2, "output_usd_per_mtok": 8}
    return {
        "listen": f"127.0.0.1:{closed_port()}",
        "admin": f"127.0.0.1:{closed_port()}",
        "admin_token_sha256": hashlib.sha256(ADMIN_SECRET.encode()).hexdigest(),
        "state": state,
        "upstreams": {"main": {"base_url": upstream_url, "vendor": "openai", "api_key_env": "MAIN_KEY"}},
        "models": {
            name: {"upstream": "main", "model": told, "price": price} if isinstance(told, str) else told
            for name, told in models.items()
        },
        "keys": [{"id": "tests", "sha256": hashlib.sha256(SECRET.encode()).hexdigest()}],
        "timeouts": {"first_byte_s": 5, "idle_s": 5, "drain_s": 10},
        "retries": {"attempts_max_count": 1},
        "breaker": {"failures_count": 10_000, "window_count": 10_000, "failing_fraction": 1.0},
    } | more


@dataclass
class Served:
    """A gateway in processes of its own."""

    process: subprocess.Popen[str]
    file: Path
    settings: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Of the public port."""
        return f"http://{self.settings['listen']}"

    @property
    def admin_url(self) -> str:
        """Of the admin port."""
        return f"http://{self.settings['admin']}"

    @property
    def state(self) -> Path:
        """Its folder."""
        return self.file.parent / str(self.settings["state"])

    @property
    def log(self) -> str:
        """What it said on stderr."""
        return (self.file.parent / "stderr.txt").read_text(encoding="utf-8", errors="replace")

    def write(self, settings: dict[str, Any] | str) -> None:
        """Another configuration in the same file."""
        text = settings if isinstance(settings, str) else json.dumps(settings, indent=1)
        self.file.write_text(text, encoding="utf-8")

    def event(self, name: str, count: int = 1, within_s: float = START_WITHIN_S) -> dict[str, Any]:
        """Waits until that was said so often; the last of them."""
        give_up_s = time.monotonic() + within_s
        while time.monotonic() < give_up_s:
            found = [each for each in self.events if each["event"] == name]
            if len(found) >= count:
                return found[-1]
            assert self.process.poll() is None or name == "stopped", f"it ended: {self.log[-2000:]}"
            time.sleep(0.02)
        raise AssertionError(f"no '{name}' among {self.events}: {self.log[-2000:]}")

    def signal(self, number: signal.Signals) -> None:
        """To the supervisor, as an operator or Kubernetes sends it."""
        self.process.send_signal(number)

    def relays(self) -> list[psutil.Process]:
        """The relay processes, by their own word (written once a second)."""
        files = sorted((self.state / "metrics").glob("relay-*.json"))
        pids = [json.loads(each.read_bytes())["pid"] for each in files]
        return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]

    def ask(self, document: Any, path: str = "/v1/chat/completions", timeout_s: float = 20.0) -> tuple[int, bytes]:
        """One request on a connection of its own."""
        return post(self.url, document, path, SECRET, timeout_s)

    def admin(self, path: str, method: str = "GET", document: Any = None) -> tuple[int, bytes]:
        """One request of an administrator."""
        return post(self.admin_url, document, path, ADMIN_SECRET, method=method)


def post(
    url: str, document: Any, path: str, secret: str, timeout_s: float = 20.0, method: str = "POST"
) -> tuple[int, bytes]:
    """Status and body, or what came of it; ConnectionError and the like where there is no answer."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=timeout_s)
    try:
        body = None if document is None else json.dumps(document).encode()
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        try:
            return answer.status, answer.read()
        except http.client.IncompleteRead as cut:
            return answer.status, cut.partial
    finally:
        connection.close()


@contextmanager
def served(folder: Path, settings: dict[str, Any], *options: str) -> Iterator[Served]:
    """A gateway that is ready; killed at the end of the block if it still runs."""
    file = folder / "gateway.yaml"
    file.write_text(json.dumps(settings, indent=1), encoding="utf-8")
    command = [sys.executable, "-m", "breakeven.cli.main", "serve", "--config", str(file), "--json", *options]
    with (folder / "stderr.txt").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | {"MAIN_KEY": UPSTREAM_SECRET}
        )
    gateway = Served(process, file, settings)
    reader = threading.Thread(target=_read_events, args=(gateway,), daemon=True)
    reader.start()
    try:
        gateway.event("ready")
        yield gateway
    finally:
        children = _family(process)
        if process.poll() is None:
            process.kill()
        process.wait(10)
        for child in children:
            if child.is_running():
                child.kill()
        reader.join(5)
        if process.stdout is not None:
            process.stdout.close()


def _family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _read_events(gateway: Served) -> None:
    assert gateway.process.stdout is not None
    for line in gateway.process.stdout:
        try:
            gateway.events.append(json.loads(line))
        except ValueError:
            gateway.events.append({"event": "said", "text": line})


def written_calls(state: Path) -> list[dict[str, Any]]:
    """Every Call on the disk of a gateway that has ended: compacted ones, and those that still wait for it."""
    calls: list[dict[str, Any]] = []
    for file in sorted((state / "calls").rglob("*.parquet")):
        calls += pq.ParquetFile(file).read().to_pylist()
    for file in sorted(state.rglob("*.jsonl")):
        if {"outcomes", "audit"}.isdisjoint(file.parts):
            calls += [json.loads(line) for line in file.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    return calls
