"""`breakeven serve` in processes of its own: counts, reload under a stream, drain, kill -9 under load."""

from __future__ import annotations

import http.client
import json
import signal
import ssl
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.parts.fault_scripts import Repertoire
from gateway.parts.raw_client import chat
from gateway.parts.scripted_upstream import upstream_thread
from gateway.parts.served import ADMIN_SECRET, Served, config, served, written_calls
from gateway.parts.settings_for_tests import SECRET


class Stream(threading.Thread):
    """A stream that is read on a thread of its own."""

    def __init__(self, gateway: Served, model: str) -> None:
        super().__init__(daemon=True)
        self.gateway, self.model = gateway, model
        self.begun = threading.Event()
        self.body = b""
        self.start()
        assert self.begun.wait(20)

    def run(self) -> None:
        where = urlsplit(self.gateway.url)
        connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)
        headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(chat(self.model, stream=True)), headers)
        answer = connection.getresponse()
        while piece := answer.read1(65_536):
            self.body += piece
            self.begun.set()
        connection.close()

    def ended(self) -> bytes:
        """The whole body."""
        self.join(30)
        assert not self.is_alive()
        return self.body


def is_gone(gateway: Served) -> bool:
    """Nobody listens any longer."""
    try:
        gateway.ask(chat("good"), timeout_s=2)
    except OSError:
        return True
    return False


def test_reload_drain_and_exact_counts(tmp_path: Path) -> None:
    with upstream_thread(Repertoire()) as upstream:
        settings = config("state", upstream.url, {"good": "good", "slow": "slow:25", "bad": "status:500"})
        with served(tmp_path, settings, "--processes", "2") as gateway:
            assert gateway.ask(chat("later"))[0] == 404
            statuses = Counter(
                gateway.ask(chat(model, stream=n % 2 == 1))[0] for n in range(20) for model in ("good", "bad")
            )
            assert statuses == {200: 20, 502: 20}

            stream = Stream(gateway, "slow")  # a second long
            changed = settings | {"models": settings["models"] | {"later": settings["models"]["good"]}}
            gateway.write(changed)
            gateway.signal(signal.SIGHUP)
            gateway.event("reloaded")
            until_answers(gateway, "later")
            assert b"[DONE]" in stream.ended(), "a reload drops no stream"

            gateway.write(json.dumps(changed, indent=1).replace('"timeouts"', '"timeoutz"'))
            gateway.signal(signal.SIGHUP)
            refused = gateway.event("not_reloaded")
            assert "timeoutz" in str(refused) and "gateway.yaml:" in str(refused)
            assert gateway.ask(chat("later"))[0] == 200, "the old settings go on"

            stream = Stream(gateway, "slow")
            gateway.signal(signal.SIGTERM)
            give_up_s = time.monotonic() + 10
            while (ready := admin_says(gateway, "/readyz"))["status"] == "ready" and time.monotonic() < give_up_s:
                time.sleep(0.01)
            assert ready["status"] == "draining"
            assert b"[DONE]" in stream.ended(), "what is under way is finished"
            assert gateway.process.wait(30) == 0
            assert is_gone(gateway)
        calls = written_calls(gateway.state)
        assert len({each["record_id"] for each in calls}) == len(calls) == len(upstream.asked)
        assert Counter(each["status"] for each in calls) == {"error": 20, "ok": len(calls) - 20}
        assert sum(each["output_tokens"] or 0 for each in calls) == sum(each.output_tokens for each in upstream.asked)
        assert not upstream.oddities


def admin_says(gateway: Served, path: str) -> dict[str, Any]:
    """A page of the admin port that is open to all."""
    where = urlsplit(gateway.admin_url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=10)
    try:
        connection.request("GET", path)
        return dict(json.loads(connection.getresponse().read()))
    finally:
        connection.close()


def test_the_admin_port_speaks_tls_where_told(tmp_path: Path) -> None:
    trustme = pytest.importorskip("trustme", reason="no certificates: trustme is not installed")
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "admin.pem"))
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    pair = {"certificate": "admin.pem", "key": "admin.pem"}
    with upstream_thread(Repertoire()) as upstream:
        settings = config("state", upstream.url, {"good": "good"}, admin_tls=pair)
        with served(tmp_path, settings) as gateway:
            where = urlsplit(gateway.admin_url)
            secure = http.client.HTTPSConnection(str(where.hostname), where.port, timeout=10, context=trust)
            secure.request("GET", "/admin/keys", headers={"Authorization": f"Bearer {ADMIN_SECRET}"})
            assert [each["id"] for each in json.loads(secure.getresponse().read())["keys"]] == ["tests"]
            secure.close()
            with pytest.raises((OSError, http.client.HTTPException)):
                admin_says(gateway, "/healthz")
            assert gateway.ask(chat("good"))[0] == 200, "the public port is as it was"


def until_answers(gateway: Served, model: str) -> None:
    """Every process knows the new model: several answers in a row, on several connections."""
    give_up_s, good = time.monotonic() + 20, 0
    while good < 12:
        assert time.monotonic() < give_up_s
        good = good + 1 if gateway.ask(chat(model))[0] == 200 else 0


@pytest.mark.parametrize("durability", ["batch", "request"])
def test_kill_9_under_load_loses_no_call(durability: str, tmp_path: Path) -> None:
    """`batch`: none that was answered a second before; `request`: none at all."""
    with upstream_thread(Repertoire()) as upstream:
        settings = config("state", upstream.url, {"good": "good"})
        with served(tmp_path, settings, "--processes", "2", "--durability", durability) as gateway:
            answered: list[tuple[float, str]] = []
            ends = threading.Event()
            clients = [
                threading.Thread(target=keep_asking, args=(gateway, answered, ends), daemon=True) for _ in range(4)
            ]
            for each in clients:
                each.start()
            killed_s = []
            for _ in range(2):
                time.sleep(1.5)
                victim = gateway.relays()[0]
                victim.kill()
                killed_s.append(time.monotonic())
                victim.wait(10)
                gateway.event("restarted", len(killed_s))
            time.sleep(1.0)
            ends.set()
            for each in clients:
                each.join(30)
            gateway.signal(signal.SIGTERM)
            assert gateway.process.wait(30) == 0
        calls = Counter(str(each["record_id"]) for each in written_calls(gateway.state))
        assert max(calls.values()) == 1, "none is doubled"
        lag_s = 0.0 if durability == "request" else 1.0
        # an answer that the client read just after a kill may have been given just before it
        must = [name for at_s, name in answered if all(abs(at_s - kill_s) >= lag_s for kill_s in killed_s)]
        assert len(must) > 50
        lost = set(must) - set(calls)
        assert not lost, f"{len(lost)} of {len(must)}"
        assert len(calls) <= len(upstream.asked), "none is invented"


def keep_asking(gateway: Served, answered: list[tuple[float, str]], ends: threading.Event) -> None:
    """Requests one after another on one connection, until told to stop; notes those that were answered, and when."""
    where = urlsplit(gateway.url)
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=20)
    while not ends.is_set():
        try:
            connection.request("POST", "/v1/chat/completions", json.dumps(chat("good")), headers)
            answer = connection.getresponse()
            if answer.read() and answer.status == 200:
                answered.append((time.monotonic(), str(answer.getheader("x-breakeven-request-id"))))
            time.sleep(0.004)
        except (OSError, http.client.HTTPException):
            connection.close()
    connection.close()
