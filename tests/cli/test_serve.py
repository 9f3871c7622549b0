"""serve: what it checks and says, and a whole gateway as a user starts it: recorded, administered, reloaded, ended."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.routing.policies_at_hand import task_map

from breakeven.cli.main import group
from breakeven.errors import ConfigError
from breakeven.gateway.config.reference import EXAMPLE
from breakeven.routing.policy_file import save

TOKEN = "admin-token-of-the-test-0123456789"
CONFIG = """\
listen: 127.0.0.1:0
admin: 127.0.0.1:0
admin_token_sha256: "{token}"
state: state
policy: policy
upstreams:
  main: {{base_url: "{url}"}}
models:
  small: {{upstream: main, price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}}}
  big: {{upstream: main, price: {{input_usd_per_mtok: 10, output_usd_per_mtok: 20}}}}
default_model: big
timeouts: {{drain_s: 10}}
"""


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(group, ["serve", *arguments])


def write_config(folder: Path, url: str = "http://127.0.0.1:9/v1", **replaced: str) -> Path:
    text = CONFIG.format(token=sha256(TOKEN.encode()).hexdigest(), url=url)
    for old, new in replaced.items():
        text = text.replace(old, new)
    save(task_map(), folder / "policy")
    path = folder / "gateway.yaml"
    path.write_text(text)
    return path


def test_help_has_an_example() -> None:
    text = invoke("--help").output
    assert all(f"  {line}" in text for line in EXAMPLE.splitlines()), "a whole configuration"
    assert "Example: breakeven serve --upstream https://api.openai.com/v1" in text.replace("\n", " ")


@pytest.mark.parametrize("arguments", [(), ("--config", "a.yaml", "--upstream", "http://x/v1")])
def test_a_file_or_an_upstream(arguments: tuple[str, ...]) -> None:
    done = invoke(*arguments)
    assert done.exit_code == 2 and "--upstream URL" in done.output


def test_check_shows_what_would_be_served(tmp_path: Path) -> None:
    done = invoke("--config", str(write_config(tmp_path)), "--check", "--processes", "3")
    assert done.exit_code == 0
    assert done.output.startswith("Good. It would listen on 127.0.0.1:0 with 3 relay processes")
    for part in ("small", "big", "10 / 20", "main"):
        assert part in done.output


def test_check_as_json_says_options_over_the_file(tmp_path: Path) -> None:
    options = ("--durability", "request", "--listen", "127.0.0.1:1234", "--state", str(tmp_path / "elsewhere"))
    page = json.loads(invoke("--config", str(write_config(tmp_path)), "--check", "--json", *options).output)
    assert (page["durability"], page["listen"]) == ("request", "127.0.0.1:1234")
    assert page["state_folder"] == str(tmp_path / "elsewhere")
    assert page["models"]["small"][0]["price"]["output_usd_per_mtok"] == 2
    assert TOKEN not in json.dumps(page)


def test_check_of_an_upstream_needs_no_file() -> None:
    page = json.loads(invoke("--upstream", "https://api.openai.com/v1", "--port", "5000", "--check", "--json").output)
    assert (page["listen"], page["is_open"], page["passthrough"]) == ("127.0.0.1:5000", True, "upstream")


def test_what_may_surprise_is_said() -> None:
    output = invoke("--upstream", "https://api.openai.com/v1", "--listen", "0.0.0.0:4000", "--check").output
    assert "Mind: It is open and listens on 0.0.0.0" in output.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--upstream", "ftp://x"), "saw the base URL"),
        (("--upstream", "http://x/v1", "--listen", "4000"), "--listen 4000"),
        (("--upstream", "http://x/v1", "--port", "4001"), "both connect to port 4001"),
        (("--upstream", "http://x/v1", "--listen", "0.0.0.0:7", "--admin", "127.0.0.1:7"), "both connect to port 7"),
    ],
)
def test_wrong_addresses_are_named(arguments: tuple[str, ...], words: str) -> None:
    done = invoke(*arguments, "--check")
    assert isinstance(done.exception, ConfigError) and words in str(done.exception)


def test_a_wrong_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = write_config(tmp_path, **{"default_model: big": "default_modl: big"})
    done = invoke("--config", str(path), "--check")
    assert isinstance(done.exception, ConfigError)
    assert f"{path}:11" in str(done.exception) and "default_model" in str(done.exception)


class Upstream:
    """Answers with the model that was asked for, 11 tokens in and 2 out."""

    def __init__(self) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                message = {"role": "assistant", "content": "Hello."}
                answer = {
                    "id": "x",
                    "object": "chat.completion",
                    "created": 1,
                    "model": asked["model"],
                    "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": 11, "completion_tokens": 2, "total_tokens": 13},
                }
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class Gateway:
    """`breakeven serve --json` as a process."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.log = (folder / "log.jsonl").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "breakeven.cli.main", "serve", *arguments, "--json"],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            cwd=folder,
        )
        ready = self.until("ready")
        self.base_url, self.admin = ready["base_url"], f"http://{ready['admin']}"

    def until(self, event: str) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found: dict[str, Any] = json.loads(line)
            if found["event"] == event:
                return found
        self.log.seek(0)
        raise AssertionError(f"ended without {event}: {self.log.read()}")

    def ask(self, url: str, body: object = None, method: str | None = None, **headers: str) -> tuple[int, Any, Any]:
        """Status, headers and document."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, json.loads(error.read() or b"null")

    def chat(self, secret: str, model: str = "auto") -> tuple[int, Any, Any]:
        message = {"role": "user", "content": "Where is my parcel?"}
        headers = {"authorization": f"Bearer {secret}", "x-breakeven-task": "faq"}
        return self.ask(f"{self.base_url}/chat/completions", {"model": model, "messages": [message]}, **headers)

    def administer(self, path: str, body: object = None, method: str | None = None) -> Any:
        return self.ask(self.admin + path, body, method, authorization=f"Bearer {TOKEN}")[2]

    def metric(self, name: str, *labels: str) -> float:
        with urllib.request.urlopen(f"{self.admin}/metrics", timeout=20) as answer:
            lines = answer.read().decode().splitlines()
        found = [each for each in lines if each.startswith(name) and all(label in each for label in labels)]
        return sum(float(each.rpartition(" ")[2]) for each in found)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    running: list[Gateway] = []

    def begin(*arguments: str) -> Gateway:
        running.append(Gateway(tmp_path, *arguments))
        return running[-1]

    yield begin
    for each in running:
        each.process.kill()
        each.process.communicate()
        each.log.close()


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    yield made
    made.server.shutdown()
    made.server.server_close()


def within(limit_s: float, holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.05)
    return False


def test_a_gateway_is_administered_while_it_serves(
    serve: Callable[..., Gateway], upstream: Upstream, tmp_path: Path
) -> None:
    """A key made and shut, a policy changed and rolled back, an outcome given, a broken file refused; all counted."""
    config = write_config(tmp_path, upstream.url)
    gateway = serve("--config", str(config), "--processes", "2")
    made = gateway.administer("/admin/keys", {"id": "team-a", "budget_usd": 1})
    secret = made["secret"]
    knows_key = lambda: all(gateway.chat(secret)[0] == 200 for _ in range(12))  # noqa: E731 - either relay may answer
    assert within(20, knows_key), "relays learn of a new key"
    status, headers, document = gateway.chat(secret)
    assert (status, headers["x-breakeven-model"], document["model"]) == (200, "small", "small")
    assert gateway.chat("bk-wrong")[0] == 401

    request_id = headers["x-breakeven-request-id"]
    bearer = {"authorization": f"Bearer {secret}"}
    given = gateway.ask(f"{gateway.base_url}/outcomes", {"request_id": request_id, "success": True}, **bearer)
    assert (given[0], given[2]["result"]) == (201, "stored")
    again = gateway.ask(f"{gateway.base_url}/outcomes", {"request_id": request_id, "success": False}, **bearer)
    assert (again[0], again[2]["error"]["code"]) == (409, "outcome_conflict")

    groups = tuple(replace(each, model="big") if each.path == ("faq",) else each for each in task_map().groups)
    second = save(replace(task_map(), groups=groups), tmp_path / "policy")
    assert within(20, lambda: gateway.chat(secret)[1]["x-breakeven-model"] == "big"), "a new policy is taken"
    assert within(20, lambda: gateway.administer("/admin/policy")["versions"][0] == second.hash)
    assert gateway.administer("/admin/policy/rollback", {})["policy"]["is_rolled_back"] is True
    assert within(20, lambda: gateway.chat(secret)[1]["x-breakeven-model"] == "small"), "one step back"
    (tmp_path / "policy" / "policy.json").write_text("{")
    assert within(20, lambda: gateway.metric("breakeven_policy_errors_total") >= 1)
    assert gateway.chat(secret)[0] == 200, "a broken policy changes nothing"

    config.write_text(config.read_text().replace("big: {upstream: main", "big: {upstrem: main"))
    gateway.process.send_signal(signal.SIGHUP)
    assert f"{config}:10" in gateway.until("not_reloaded")["why"]

    gateway.administer("/admin/keys/team-a/disable", {})
    assert within(20, lambda: gateway.chat(secret)[0] in (401, 403)), "a key that is shut"
    assert within(20, lambda: gateway.metric("breakeven_refusals_total") >= 2)

    def tokens_add_up() -> bool:
        """Relays tell their numbers once a second."""
        delivered = gateway.metric("breakeven_requests_total", 'operation="chat"', 'result="delivered"')
        return gateway.metric("breakeven_tokens_total", 'kind="input"') == 11 * delivered > 11 * 12

    assert within(20, tokens_add_up)
    assert gateway.metric("breakeven_outcomes_total", 'result="stored"') == 1
    assert gateway.end() == 0
    lines = [json.loads(each) for each in (tmp_path / "state" / "outcomes" / "outcomes.jsonl").read_text().splitlines()]
    assert [(each["request_id"], each["key_id"]) for each in lines] == [(request_id, "team-a")]


def test_recording_needs_no_file_and_its_calls_are_imported(
    serve: Callable[..., Gateway], upstream: Upstream, tmp_path: Path
) -> None:
    gateway = serve("--upstream", upstream.url, "--port", "0", "--admin", "127.0.0.1:0", "--durability", "request")
    for _ in range(5):
        assert gateway.chat("the-client's-own", "gpt-x")[0] == 200
    assert gateway.end() == 0
    done = CliRunner().invoke(
        group, ["import", str(tmp_path / "gateway-state" / "calls"), "--store", str(tmp_path / "store")]
    )
    assert done.exit_code == 0, done.output
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file())
    assert b"the-client's-own" not in written and b"parcel" not in written
    assert "5 calls" in done.output
