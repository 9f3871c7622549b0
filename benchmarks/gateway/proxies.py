"""Proxies: nginx, this gateway and LiteLLM in front of one mock upstream, each as one process on one core."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.plan import Key
from breakeven.gateway.upstream import Target, TokenPrice, Upstream

HERE = Path(__file__).parent
READY_S = 90.0
SECRET = "bk-benchmark-0123456789abcdef"
MODELS = ("model-0", "model-1")

_NGINX = """
daemon off; worker_processes 1; error_log {folder}/error.log; pid {folder}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  upstream mock {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_request_buffering off;
    }}
  }}
}}
"""

_LITELLM = """
model_list:
  - model_name: model-0
    litellm_params: {{model: openai/model-0, api_base: "http://127.0.0.1:{upstream}/v1", api_key: none}}
  - model_name: model-1
    litellm_params: {{model: openai/model-1, api_base: "http://127.0.0.1:{upstream}/v1", api_key: none}}
general_settings: {{master_key: {key}}}
"""


@dataclass(frozen=True, slots=True)
class Proxy:
    """One that runs."""

    name: str
    url: str
    pids: list[int]
    headers: dict[str, str] = field(default_factory=dict)


@contextmanager
def mock_upstream(folder: Path) -> Iterator[int]:
    """The port of the mock, compiled here."""
    program, port = folder / "mock_upstream", free_port()
    subprocess.run(["cc", "-O2", "-o", str(program), str(HERE / "mock_upstream.c")], check=True)
    with _running([str(program), str(port)], port, folder / "mock.log"):
        yield port


@contextmanager
def nginx(folder: Path, upstream_port: int, core: int = 0) -> Iterator[Proxy]:
    """nginx as a plain reverse proxy, one worker."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, upstream=upstream_port, port=port))
    command = ["taskset", "-c", str(core), "nginx", "-p", str(folder), "-c", str(config)]
    with _running(command, port, folder / "nginx.log") as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield Proxy("nginx", f"http://127.0.0.1:{port}", [int(each) for each in children])


@contextmanager
def ours(
    folder: Path, upstream_port: int, policy: Path | None, name: str = "breakeven", processes_count: int = 1
) -> Iterator[Proxy]:
    """This gateway's relay processes with a policy, a key with a budget and rates, metering and counters."""
    port = free_port()
    state = folder / name.replace(" ", "-")
    state.mkdir()
    settings = gateway_settings(state, upstream_port, port, policy, processes_count)
    processes = []
    try:
        for index in range(processes_count):
            core = "0" if processes_count == 1 else f"0-{(os.cpu_count() or 1) - 1}"
            command = ["taskset", "-c", core, sys.executable, str(HERE / "relay_child.py"), str(index)]
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=(folder / "relay.log").open("ab"))
            assert child.stdin is not None
            import pickle

            pickle.dump(settings, child.stdin)
            child.stdin.flush()
            processes.append(child)
        _wait_for(port)
        time.sleep(1.0)
        yield Proxy(name, f"http://127.0.0.1:{port}", [each.pid for each in processes], _headers(SECRET))
    finally:
        for each in processes:
            each.terminate()
        for each in processes:
            each.wait()


@contextmanager
def litellm(folder: Path, upstream_port: int, program: Path, core: int = 0) -> Iterator[Proxy]:
    """LiteLLM's proxy, one worker, no database, out of an environment of its own."""
    port, key = free_port(), "sk-" + secrets.token_hex(24)
    config = folder / "litellm.yaml"
    config.write_text(_LITELLM.format(upstream=upstream_port, key=key))
    command = ["taskset", "-c", str(core), str(program), "--config", str(config), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--num_workers", "1", "--telemetry", "False"]
    environment = {**os.environ, "LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    with _running(command, port, folder / "litellm.log", environment) as process:
        yield Proxy("LiteLLM", f"http://127.0.0.1:{port}", [process.pid], _headers(key))


def gateway_settings(
    state: Path, upstream_port: int, port: int, policy: Path | None, processes_count: int
) -> GatewaySettings:
    """Two models at the mock; one key that has every limit and reaches none."""
    mock = Upstream("mock", "127.0.0.1", upstream_port, False, b"/v1", "openai", ((b"authorization", b"Bearer x"),))
    price = TokenPrice(2.0, 8.0, 0.5)
    digest = hashlib.sha256(SECRET.encode()).digest()
    key = Key("bench", digest, "bench", budget_usd=1e9, requests_per_minute=1e9, tokens_per_minute=1e12)
    settings = GatewaySettings(
        "127.0.0.1",
        port,
        "127.0.0.1",
        0,
        processes_count,
        state,
        {"mock": mock},
        {name: (Target(name, mock, name, price),) for name in MODELS},
        default_model=MODELS[0],
        fallbacks={MODELS[0]: (MODELS[1],)},
        keys=(key,),
    )
    return replace(settings, policy_folder=policy)


def free_port() -> int:
    """A port of loopback where nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def has(program: str) -> bool:
    """Whether a program is installed."""
    return shutil.which(program) is not None


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "x-breakeven-task": "faq"}


@contextmanager
def _running(
    command: list[str], port: int, log: Path, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment)
        try:
            _wait_for(port)
            yield process
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    until_s = time.monotonic() + READY_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > until_s:
            raise TimeoutError(f"nobody listens at {port} after {READY_S:g} s")
        time.sleep(0.05)
