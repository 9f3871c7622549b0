"""Gateway page: what a real gateway counts is what is shown; killed, gone, drained and denied, it says so."""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from breakeven.web.gateway.client import Answer, Trouble, Unreached
from breakeven.web.page import Desk
from breakeven.web.pages.gateway import watch_of
from breakeven.web.project import Project
from gateway.parts.fault_scripts import Repertoire
from gateway.parts.raw_client import chat
from gateway.parts.scripted_upstream import upstream_thread
from gateway.parts.served import ADMIN_SECRET, Served, config, served
from web.admin_ports import TOKEN, admin_port, exposition
from web.dashboards import client_of
from web.made_project import desk_of
from web.pages.page_words import until, words

HOSTILE = "evil<img src=x onerror=alert(1)>"


@contextmanager
def asking(folder: Path, url: str | None, token: str | None = None) -> Iterator[tuple[TestClient, Desk]]:
    """A dashboard that was started with this gateway."""
    folder.mkdir(exist_ok=True)
    desk = desk_of(replace(Project.at(folder), gateway_url=url, gateway_token=token))
    with client_of(desk) as client:
        yield client, desk


def told(client: TestClient) -> dict[str, Any]:
    """The document."""
    return dict(client.get("/api/gateway").json())


def when(client: TestClient, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The first document for which it holds."""
    found: dict[str, Any] = {}

    def asked() -> object:
        found.update(told(client))
        return holds(found)

    until(asked)
    return found


def test_without_a_gateway_the_page_says_how_to_begin(tmp_path: Path) -> None:
    with asking(tmp_path / "team", None) as (client, _):
        text = words(client.get("/gateway").text)
        assert "breakeven serve --upstream" in text and "breakeven ui --gateway http://127.0.0.1:4001" in text
        assert told(client)["state"] == "not_configured"
        assert client.get("/gateway/live").status_code == 404


def settings(upstream_url: str) -> dict[str, Any]:
    """A gateway with each kind of price, an upstream that is dead, and any other model passed on."""
    models: dict[str, Any] = {
        "good": "good",
        "bad": "status:500",
        "free": {"upstream": "main", "model": "good"},
        "own": {"upstream": "main", "model": "good", "price": {"usd_per_month": 4000, "tokens_per_month": 2e9}},
        "dead": {"upstream": "dead", "model": "x"},
    }
    rule = {"failures_count": 3, "window_count": 20, "failing_fraction": 1.0, "open_s": 600}
    made = config("state", upstream_url, models, breaker=rule, passthrough="main")
    made["upstreams"]["dead"] = {"base_url": "http://127.0.0.1:9/v1", "vendor": "openai", "api_key_env": "MAIN_KEY"}
    made["keys"].append({"id": "search", "sha256": "a" * 64, "budget_usd": 5, "budget_days": 30})
    return made


def traffic(gateway: Served) -> dict[str, int]:
    """Some of everything; how many were asked of each model."""
    asked = {"good": 6, "bad": 2, "free": 2, "own": 3, "dead": 4, HOSTILE: 2}
    for model, count in asked.items():
        for n in range(count):
            gateway.ask(chat(model, stream=n % 2 == 0))
    return asked


def test_a_real_gateway_with_traffic_killed_and_started_again(tmp_path: Path) -> None:
    with upstream_thread(Repertoire()) as upstream:
        made = settings(upstream.url)
        with (
            served(tmp_path, made) as gateway,
            asking(tmp_path / "team", gateway.admin_url, ADMIN_SECRET) as (client, _),
        ):
            first = told(client)
            assert (first["state"], first["relays_count"], first["trouble"]) == ("serving", 1, None)
            asked = traffic(gateway)
            found = when(client, lambda each: each["traffic"]["requests_total_count"] == sum(asked.values()))
            check_figures(found, gateway)
            check_page(client.get("/gateway").text)
            gateway.process.kill()
            gone = when(client, lambda each: each["state"] == "unreached")
            assert gone["trouble"]["kind"] == "refused" and gone["traffic"]["requests_total_count"] == sum(
                asked.values()
            )
            text = words(client.get("/gateway").text)
            assert "Nothing listens at" in text and "figures below are of the last good reading" in text
            assert "relays up" not in text and "When it was last read: " in text
            assert re.search(r"When last reached, (at|on) [^:]*\d\d:\d\d UTC: The breaker of dead was OPEN", text)
            assert "no request went there. Of its last 3 attempts" in text and "budgets left them out" in text
            assert "The breaker of dead is OPEN" not in text
            for relay in gateway.relays():
                relay.kill()
            with served(tmp_path, made) as again:
                found = when(client, lambda each: each["state"] == "serving")
                assert again.ask(chat("good"))[0] == 200
                found = when(client, lambda each: each["traffic"]["requests_total_count"] > sum(asked.values()))
                rates = [each["value"] for each in found["series"][0]["points"] if each["value"] is not None]
                assert all(0 <= each < sum(asked.values()) for each in rates), "a new start is no spike"
                again.signal(signal.SIGTERM)
                again.process.wait(30)


def check_figures(found: dict[str, Any], gateway: Served) -> None:
    """As the gateway counted, and as it was asked."""
    models = {each["model"]: each for each in found["models"]}
    assert models["good"]["total_calls_count"] == 6 and models["good"]["price_sources"] == ["list"]
    assert models["own"]["price_sources"] == ["amortised"] and models["own"]["total_cost_usd"] > 0
    assert models["free"]["price_sources"] == ["unpriced"] and models["free"]["total_unpriced_count"] == 2
    assert models["bad"]["failed_count"] + models["bad"]["calls_count"] > 0
    upstreams = {each["upstream"]: each for each in found["upstreams"]}
    assert upstreams["dead"]["breaker"] == "open" and upstreams["dead"]["total_failures"] == {"connect": 3.0}
    assert upstreams["main"]["breaker"] == "closed" and upstreams["main"]["total_failures"] == {"http_500": 2.0}
    keys = {each["id"]: each for each in found["keys"]}
    assert (keys["search"]["budget_usd"], keys["search"]["spent_usd"]) == (5.0, 0.0)
    status, body = gateway.admin("/admin/keys")
    assert status == 200 and {each["id"] for each in json.loads(body)["keys"]} == set(keys)
    assert found["durations"]["answers_count"] <= sum(each["total_calls_count"] for each in models.values())
    text = json.dumps(found)
    assert ADMIN_SECRET not in text and "a" * 64 not in text


def check_page(page: str) -> None:
    """What must not be overlooked is said, and no name writes the page."""
    text = words(page)
    assert "UNPRICED" in text and "list price" in text and "amortised" in text
    assert "When last reached" not in text
    assert "The breaker of dead is OPEN: no request goes there. Of its last 3 attempts, 3 not reached." in text
    assert "$0 of $5.00" in text
    assert "1 of 1 relays up" in text and "Failed attempts" in text
    assert ADMIN_SECRET not in page and "a" * 64 not in page
    assert "<img src=x" not in page
    assert '<script src="/static/live.js' in page and 'data-live="/gateway/live"' in page


def test_the_part_that_changes_is_sent_once(tmp_path: Path) -> None:
    with admin_port() as port, asking(tmp_path / "team", port.url, TOKEN) as (client, _):
        first = client.get("/gateway/live")
        again = client.get("/gateway/live", headers={"if-none-match": first.headers["etag"]})
        assert again.status_code in (200, 304)
        port.answers.clear()
        until(lambda: "not with a gateway's metrics" in words(client.get("/gateway/live").text))
        steady = client.get("/gateway/live").headers["etag"]
        answer = client.get("/gateway/live", headers={"if-none-match": steady})
        assert answer.status_code == 304 and not answer.content


def test_the_page_never_asks_whom_a_browser_names(tmp_path: Path) -> None:
    with admin_port() as port, admin_port() as other, asking(tmp_path / "team", port.url, TOKEN) as (client, _):
        for query in (f"url={other.url}", f"gateway={other.url}", f"gateway_url={other.url}&next={other.url}"):
            client.get(f"/gateway?{query}")
            client.get(f"/api/gateway?{query}")
            client.get(f"/gateway/live?{query}")
        assert port.asked and not other.asked


def test_a_wrong_token_and_none_say_what_to_do(tmp_path: Path) -> None:
    with admin_port() as port:
        port.says("/admin/policy", {"error": {"code": "invalid_admin_token"}}, 401)
        with asking(tmp_path / "team", port.url, TOKEN) as (client, _):
            text = words(client.get("/gateway").text)
            assert "refused the admin token" in text and "BREAKEVEN_ADMIN_TOKEN" in text
        with asking(tmp_path / "team", port.url) as (client, _):
            text = words(client.get("/gateway").text)
            assert "has no admin token" in text and "SERVING" in text
            assert told(client)["admin_trouble"]["kind"] == "no_token"


def test_a_gateway_that_drains_says_so(tmp_path: Path) -> None:
    with admin_port() as port, asking(tmp_path / "team", port.url, TOKEN) as (client, _):
        port.says("/readyz", {"status": "draining", "relays": 0, "wanted": 1}, 503)
        assert "The gateway is draining" in words(client.get("/gateway").text)


def test_the_policy_in_force_is_told_with_its_age(tmp_path: Path) -> None:
    policy = {
        "hash": "ab" * 32, "kind": "task_map", "created": "2026-11-01", "made_by": "breakeven", "is_rolled_back": True,
        "in_force_since_unix_s": time.time() - 7200, "trouble": None, "trial": {"pilot": "faq-0123"},
    }  # fmt: skip
    with admin_port() as port, asking(tmp_path / "team", port.url, TOKEN) as (client, _):
        name = f'breakeven_policy_info{{hash="{"ab" * 32}",kind="task_map"}}'
        port.says("/metrics", exposition({name: 2}))
        port.says("/admin/policy", {"policy": policy, "versions": []})
        text = words(client.get("/gateway").text)
        assert "abababababab (task_map), served by 2 relay processes" in text
        assert "In force for 2 hours" in text and "an earlier version is in force" in text and "faq-0123" in text


@pytest.mark.parametrize("path", ["/gateway", "/gateway/live", "/api/gateway"])
def test_a_gateway_that_hangs_holds_up_no_page(path: str, tmp_path: Path) -> None:
    with admin_port() as port, asking(tmp_path / "team", port.url) as (client, desk):
        client.get(path)
        watch = watch_of(desk)
        assert watch is not None
        asked, ends = threading.Event(), threading.Event()

        def hang(*_args: object, **_more: object) -> Answer:
            asked.set()
            ends.wait(60)
            raise Unreached(Trouble("silent", "It hung."))

        watch.client.get = hang  # type: ignore[method-assign]
        try:
            assert asked.wait(30)
            assert client.get(path).status_code == 200, "what is known is shown while the gateway is being asked"
        finally:
            ends.set()
