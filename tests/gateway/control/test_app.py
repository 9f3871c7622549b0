"""The admin API and the outcomes' socket: who may, what is answered, and what never shows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from tests.gateway.parts.settings_for_tests import SECRET, UPSTREAM_SECRET, models_at, settings_for, upstream_at
from tests.gateway.telemetry.told import attempt, plan
from tests.routing.policies_at_hand import task_map

from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.control.app import admin_app, outcomes_app
from breakeven.gateway.control.outcome_request import BODY_MAX_BYTES
from breakeven.gateway.control.state import ControlState
from breakeven.gateway.limits.key_state import KeySpend
from breakeven.gateway.plan import Key
from breakeven.gateway.telemetry.counters import Counters
from breakeven.gateway.telemetry.json_log import JsonLog
from breakeven.gateway.telemetry.snapshot_file import SnapshotWriter
from breakeven.routing.policy_file import save
from breakeven.routing.trial import Trial, TrialPart

TOKEN = "admin-canary-31415926535"
REDIS_SECRET = "redis-canary-1123581321"
ADMIN = {"authorization": f"Bearer {TOKEN}"}


def settings_at(tmp_path: Path, **more: Any) -> GatewaySettings:
    upstream = upstream_at(1, "main")
    given = {"admin_token_hash": sha256(TOKEN.encode()).digest()} | more
    return settings_for(tmp_path / "state", [upstream], models_at(upstream, "small", "big"), **given)


class Desk:
    """A control state with a client on each of its sockets."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.state = ControlState(settings, Counters(), JsonLog("control"))
        self.admin = TestClient(admin_app(self.state), raise_server_exceptions=False)
        self.outcomes = TestClient(outcomes_app(self.state), raise_server_exceptions=False)

    def get(self, path: str) -> Any:
        answer = self.admin.get(path, headers=ADMIN)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(settings_at(tmp_path))
    yield made
    made.state.close()


GUARDED = [
    ("GET", "/admin/keys"),
    ("POST", "/admin/keys"),
    ("GET", "/admin/keys/tests"),
    ("DELETE", "/admin/keys/tests"),
    ("POST", "/admin/keys/tests/disable"),
    ("POST", "/admin/keys/tests/enable"),
    ("GET", "/admin/policy"),
    ("POST", "/admin/policy/reload"),
    ("POST", "/admin/policy/rollback"),
    ("DELETE", "/admin/policy/rollback"),
    ("GET", "/admin/upstreams"),
    ("GET", "/admin/settings"),
]


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"]
)
def test_without_the_token_nothing_is_shown_or_done(desk: Desk, method: str, path: str, given: str | None) -> None:
    headers = {} if given is None else {"authorization": given}
    answer = desk.admin.request(method, path, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_admin_token")


def test_every_admin_route_is_in_the_list_above(desk: Desk) -> None:
    routes = {
        (method, route.path.replace("{key_id:path}", "tests"))  # type: ignore[attr-defined]
        for route in admin_app(desk.state).routes
        for method in route.methods - {"HEAD"}  # type: ignore[attr-defined]
    }
    assert routes == {*GUARDED, ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics")}


def test_without_a_configured_token_only_health_and_metrics(tmp_path: Path) -> None:
    desk = Desk(settings_at(tmp_path, admin_token_hash=None))
    assert (
        desk.admin.get("/admin/keys", headers={"authorization": "Bearer "}).json()["error"]["code"] == "admin_disabled"
    )
    assert desk.admin.get("/healthz").status_code == 200
    assert desk.admin.get("/metrics").status_code == 200
    desk.state.close()


def test_a_key_is_made_listed_shut_and_deleted(desk: Desk) -> None:
    made = desk.admin.post("/admin/keys", headers=ADMIN, json={"id": "team/a", "budget_usd": 10, "models": ["small"]})
    assert made.status_code == 201 and made.headers["cache-control"] == "no-store"
    secret = made.json()["secret"]
    listed = desk.get("/admin/keys")
    assert [(each["id"], each["origin"]) for each in listed["keys"]] == [
        ("tests", "configuration"),
        ("team/a", "admin"),
    ]
    assert secret not in json.dumps(listed) and sha256(secret.encode()).hexdigest() not in json.dumps(listed)
    assert desk.get("/admin/keys/team/a")["spend"]["spent_usd"] == 0
    assert desk.admin.post("/admin/keys/team/a/disable", headers=ADMIN).json()["is_disabled"] is True
    assert desk.admin.post("/admin/keys/team/a/enable", headers=ADMIN).json()["is_disabled"] is False
    assert desk.admin.delete("/admin/keys/team/a", headers=ADMIN).status_code == 204
    assert desk.admin.get("/admin/keys/team/a", headers=ADMIN).status_code == 404


def test_what_a_key_spent_is_shown(desk: Desk) -> None:
    from time import time

    from breakeven.gateway.limits.shared_limits import FILE_NAME, SharedLimits
    from breakeven.gateway.plan import Reservation

    desk.admin.post("/admin/keys", headers=ADMIN, json={"id": "a", "budget_usd": 10})
    key = next(each for each in desk.state.keys.all_keys() if each.id == "a")
    limits = SharedLimits(desk.state.settings.state_folder / FILE_NAME, [key])
    reserved = limits.reserve(key, 2.0, 10, time())
    assert isinstance(reserved, Reservation)
    assert desk.get("/admin/keys/a")["spend"]["reserved_usd"] == 2.0
    limits.settle(reserved, 0.5, 10)
    spend = desk.get("/admin/keys/a")["spend"]
    assert (spend["spent_usd"], spend["reserved_usd"]) == (0.5, 0.0)
    limits.close()


def test_limits_that_cannot_be_read_hide_no_key(desk: Desk) -> None:
    """Two keys with budgets, one question: the second does not wait for another timeout."""
    asked = []

    class Gone:
        async def spend(self, key: Key, now_unix_s: float) -> KeySpend:
            asked.append(key.id)
            raise RuntimeError("no Redis")

        def close(self) -> None:
            return

    desk.state._limits = Gone()
    for key_id in ("a", "b"):
        desk.admin.post("/admin/keys", headers=ADMIN, json={"id": key_id, "budget_usd": 10})
    keys = {each["id"]: each for each in desk.get("/admin/keys")["keys"]}
    assert set(keys) == {"tests", "a", "b"} and "spend" not in keys["a"]
    assert asked == ["a"]


def test_a_damaged_key_file_is_said_and_not_written_over(desk: Desk) -> None:
    path = desk.state.settings.state_folder / "keys.json"
    path.write_text("{")
    answer = desk.admin.post("/admin/keys", headers=ADMIN, json={"id": "a"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "state_unusable")
    assert path.read_text() == "{"


def test_no_secret_is_on_any_page(tmp_path: Path) -> None:
    desk = Desk(
        settings_at(
            tmp_path,
            redis_url=f"redis://user:{REDIS_SECRET}@cache:6379/0",
            trace_endpoint=f"https://user:{REDIS_SECRET}@collector:4318",
        )
    )
    pages = "".join(
        desk.admin.get(path, headers=ADMIN).text
        for path in (
            "/admin/keys",
            "/admin/policy",
            "/admin/upstreams",
            "/admin/settings",
            "/metrics",
            "/healthz",
            "/nope",
        )
    )
    hashes = [sha256(each.encode()).hexdigest() for each in (TOKEN, SECRET)]
    for each in (TOKEN, SECRET, UPSTREAM_SECRET, REDIS_SECRET, *hashes):
        assert each not in pages
    assert "redis at cache:6379" in pages
    desk.state.close()


def test_the_page_of_the_policy_tells_of_its_trial(tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    save(task_map(), folder)
    desk = Desk(settings_at(tmp_path, policy_folder=folder))
    assert desk.get("/admin/policy")["policy"]["trial"] is None
    trial = Trial("p-1", (TrialPart("faq", "small", "canary", 0.05),), "user")
    save(replace(task_map(), trial=trial), folder)
    assert desk.get("/admin/policy")["policy"]["trial"] == {
        "pilot": "p-1",
        "unit": "user",
        "parts": [{"task": "faq", "candidate": "small", "mode": "canary", "share_fraction": 0.05}],
    }
    desk.state.close()


def test_a_step_back_and_forth(tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    save(replace(task_map(), made_by="one"), folder)
    desk = Desk(settings_at(tmp_path, policy_folder=folder))
    os.utime(folder / "policy.json", (1.7e9, 1.7e9))
    first = desk.get("/admin/policy")["policy"]
    one = first["hash"]
    assert first["in_force_since_unix_s"] == 1.7e9
    assert desk.admin.post("/admin/policy/rollback", headers=ADMIN).json()["error"]["code"] == "no_step_back"
    two = save(replace(task_map(), made_by="two"), folder)
    desk.state.shelf.copy(two, folder)
    assert desk.get("/admin/policy")["policy"]["made_by"] == "two"
    back = desk.admin.post("/admin/policy/rollback", headers=ADMIN).json()["policy"]
    assert (back["hash"], back["is_rolled_back"]) == (one, True)
    assert back["in_force_since_unix_s"] == desk.state.shelf.pin_path.stat().st_mtime
    forth = desk.admin.delete("/admin/policy/rollback", headers=ADMIN).json()["policy"]
    assert (forth["hash"], forth["is_rolled_back"]) == (two.hash, False)
    assert desk.get("/admin/policy")["versions"] == [two.hash, one]
    desk.state.close()


def test_a_step_back_goes_where_it_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    desk = Desk(settings_at(tmp_path, policy_folder=folder))
    hashes = []
    for number in range(4):
        made = save(replace(task_map(), made_by=str(number)), folder)
        desk.state.shelf.copy(made, folder)
        hashes.append(made.hash)

    def ask(**body: object) -> tuple[int, Any]:
        answer = desk.admin.post("/admin/policy/rollback", headers=ADMIN, json=body)
        found = answer.json()
        return answer.status_code, found["policy"]["hash"] if "policy" in found else found["error"]["code"]

    assert ask(hash=hashes[1]) == (200, hashes[1])
    assert ask(hash="nope") == (404, "unknown_policy")
    assert ask(version=1) == (400, "invalid_request")
    assert ask(hash=7) == (400, "invalid_request")
    assert desk.get("/admin/policy")["policy"]["hash"] == hashes[1], "what was refused changed nothing"
    assert ask() == (200, hashes[0]), "and without a name one step back"
    desk.state.close()


def test_upstreams_show_their_breakers_and_readiness_counts_relays(desk: Desk) -> None:
    assert desk.admin.get("/readyz").status_code == 503
    counters = Counters(0)
    counters.gauge("breaker_state", 2, "main")
    counters.finished(plan(), [attempt("small", "main", "connect"), attempt("big", "main", number=2)], True)
    SnapshotWriter(counters, desk.state.settings.state_folder, "relay-0").write()
    (upstream,) = desk.get("/admin/upstreams")["upstreams"]
    assert (upstream["breaker"], upstream["attempts"]) == ("open", {"connect": 1, "ok": 1})
    assert desk.admin.get("/readyz").json() == {"status": "ready", "relays": 1, "wanted": 1}


def test_metrics_are_what_prometheus_reads(desk: Desk) -> None:
    desk.outcomes.post("/v1/outcomes", json={"request_id": "r", "success": True})
    answer = desk.admin.get("/metrics")
    families = {each.name: each for each in text_string_to_metric_families(answer.text)}
    assert [(each.labels, each.value) for each in families["breakeven_outcomes"].samples] == [({"result": "stored"}, 1)]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"request_id": "r", "success": true}', 201, None),
        (b"{", 400, "invalid_outcome"),
        (b"x" * (BODY_MAX_BYTES + 1), 413, "body_too_large"),
    ],
)
def test_outcomes_are_taken_or_refused(desk: Desk, body: bytes, status: int, code: str | None) -> None:
    answer = desk.outcomes.post("/v1/outcomes", content=body)
    assert answer.status_code == status
    assert answer.json().get("error", {}).get("code") == code


def test_outcomes_are_idempotent_over_the_wire(desk: Desk) -> None:
    def give(**more: object) -> tuple[int, str]:
        answer = desk.outcomes.post("/v1/outcomes", json={"request_id": "r"} | more)
        found = answer.json()
        return answer.status_code, found.get("result") or found["error"]["code"]

    assert give(success=True) == (201, "stored")
    assert give(success=True) == (200, "repeated")
    assert give(success=False) == (409, "outcome_conflict")
    assert give(success=False, replace=True) == (200, "replaced")


def test_the_key_of_an_outcome_is_kept(desk: Desk) -> None:
    desk.outcomes.post(
        "/v1/outcomes", json={"request_id": "r", "success": True}, headers={"x-breakeven-key-id": "team-a"}
    )
    path = desk.state.settings.state_folder / "outcomes" / "outcomes.jsonl"
    assert json.loads(path.read_text())["key_id"] == "team-a"


def test_the_outcomes_socket_has_no_other_page(desk: Desk) -> None:
    assert desk.outcomes.get("/admin/keys", headers=ADMIN).status_code == 404
    assert desk.outcomes.get("/v1/outcomes").status_code == 405


def test_new_settings_are_in_force_at_once(desk: Desk, tmp_path: Path) -> None:
    other = sha256(b"another").digest()
    desk.state.change(replace(desk.state.settings, admin_token_hash=other))
    assert desk.admin.get("/admin/keys", headers=ADMIN).status_code == 401
    assert desk.admin.get("/admin/keys", headers={"authorization": "Bearer another"}).status_code == 200
