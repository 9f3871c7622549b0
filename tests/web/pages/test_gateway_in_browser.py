"""Gateway page in a real browser: it looks right at each width, keeps itself up to date, and rests while hidden."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from syrupy.assertion import SnapshotAssertion

from breakeven.web.gateway.client import GatewayClient
from breakeven.web.gateway.watch import GatewayWatch
from breakeven.web.pages import gateway
from breakeven.web.project import Project
from web.admin_ports import TOKEN, AdminPort, admin_port, exposition
from web.browser import opened, visit
from web.dashboards import server_of
from web.made_project import desk_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = "<b>evil</b>" + "x" * 120
EDGES = ("0.1", "0.5", "1.0", "+Inf")


def busy(n: int) -> dict[str, float]:
    """Metrics of a gateway after `n` steps."""
    found: dict[str, float] = {
        'breakeven_requests_total{operation="chat",result="delivered"}': 90 * n,
        'breakeven_requests_total{operation="chat",result="failed"}': 2 * n,
        'breakeven_refusals_total{code="over_budget"}': n,
        'breakeven_breaker_state{upstream="openai"}': 0,
        'breakeven_breaker_state{upstream="own-gpus"}': 2,
        'breakeven_relay_up{process="0"}': 1,
        "breakeven_requests_in_flight": 4,
        "breakeven_calls_dropped_total": 3,
        f'breakeven_policy_info{{hash="{"ab" * 32}",kind="task_map"}}': 2,
        'breakeven_calls_total{model="qwen3-8b",upstream="own-gpus",task="",kind="fallback",result="connect"}': n,
    }
    for i, (model, usd) in enumerate((("gpt-5", 0.9), ("qwen3-8b", 0.05), (HOSTILE, 0.0))):
        labels = f'model="{model}",task=""'
        found |= {
            f'breakeven_calls_total{{{labels},upstream="openai",kind="first",result="ok"}}': 30 * n,
            f"breakeven_cost_usd_total{{{labels}}}": usd * n,
            f"breakeven_unpriced_calls_total{{{labels}}}": 0 if usd else 30 * n,
            f'breakeven_tokens_total{{{labels},kind="input"}}': 30_000 * n,
            f'breakeven_tokens_total{{{labels},kind="output"}}': 6_000 * n,
        }
        for name in ("request_duration_seconds", "first_byte_seconds"):
            for place, edge in enumerate(EDGES):
                found[f'breakeven_{name}_bucket{{{labels},le="{edge}"}}'] = min(30, 10 * (place + i)) * n
    return found


def admin_pages(port: AdminPort) -> None:
    """What the admin API of such a gateway says."""
    spend = {"spent_usd": 47.2, "reserved_usd": 0.3, "period_ends_unix_s": 1.8e9}
    price: dict[str, Any] = {"source": "list", "as_of": "2026-11-01"}
    port.says("/admin/keys", {"keys": [{"id": "search", "application": "web", "budget_usd": 50.0, "spend": spend}]})
    port.says(
        "/admin/settings",
        {
            "models": {"gpt-5": [{"price": price}], "qwen3-8b": [{"price": {**price, "source": "amortised"}}]},
            "upstreams": [{"name": "openai", "base_url": "https://api.openai.com:443/v1"}],
            "breaker": {"failures_count": 5, "failing_fraction": 0.5, "window_count": 20, "open_s": 30.0},
        },
    )
    policy = {"hash": "ab" * 32, "kind": "task_map", "created": "2026-11-01", "made_by": "breakeven"}
    port.says("/admin/policy", {"policy": policy, "versions": []})


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard of a gateway with a past of some minutes, at a moment that stays."""
    clock = [1.79e9]
    with admin_port() as port:
        admin_pages(port)
        desk = desk_of(project(tmp_path_factory.mktemp("past"), port.url))
        watch = gateway._watches[desk.jobs] = GatewayWatch(GatewayClient(port.url, TOKEN), lambda: clock[0])
        for step in range(32):
            port.says("/metrics", exposition(busy(step * 3 + step % 4)))
            clock[0] += 15.0
            watch.read()
        watch.read = lambda: None  # type: ignore[method-assign]
        with server_of(desk) as url:
            yield url


def project(folder: Path, url: str) -> Project:
    """An empty one with a gateway."""
    (folder / "support-desk").mkdir()
    return replace(Project.at(folder / "support-desk"), gateway_url=url, gateway_token=TOKEN)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_a_busy_gateway(width: int, scheme: str, past: str, browser: Browser, snapshot: SnapshotAssertion) -> None:
    seen = visit(browser, f"{past}/gateway", width, scheme).check()  # type: ignore[arg-type]
    assert "UNPRICED" in seen.text and "The breaker of own-gpus is OPEN" in seen.text
    assert "3 call records lost" in seen.text and "$47.20 of $50.00" in seen.text
    assert seen.outline == snapshot


def test_it_keeps_itself_up_to_date_and_rests_while_hidden(tmp_path: Path, browser: Browser) -> None:
    with admin_port() as port:
        admin_pages(port)
        port.says("/metrics", exposition(busy(3)))
        with (
            server_of(desk_of(project(tmp_path, port.url))) as url,
            opened(browser, f"{url}/gateway") as it,
        ):
            page = it.page
            page.get_by_text("As a table").click(timeout=60_000)
            page.locator("#gateway-minutes table").wait_for()
            port.says("/readyz", {"status": "draining", "relays": 1, "wanted": 1}, 503)
            page.get_by_text("The gateway is draining").first.wait_for(timeout=60_000)
            assert page.locator("#gateway-minutes table").is_visible(), "what was opened stays open"
            asked: list[str] = []
            page.on("request", lambda each: asked.append(each.url))
            hide(page, True)
            page.wait_for_timeout(2_500)
            asked.clear()
            page.wait_for_timeout(4_500)
            assert not asked, "a page that nobody sees asks nothing"
            port.says("/readyz", {"status": "ready", "relays": 1, "wanted": 1})
            hide(page, False)
            page.get_by_text("SERVING").first.wait_for(timeout=60_000)
            assert (it.console, it.failed, it.outside) == ([], [], [])


def hide(page: Any, is_hidden: bool) -> None:
    """As if the reader had gone to another tab, or come back."""
    page.evaluate(
        "(is) => { Object.defineProperty(document, 'hidden', {value: is, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        is_hidden,
    )


def test_a_gateway_that_is_not_there(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("gone") / "team"
    folder.mkdir()
    project = replace(Project.at(folder), gateway_url="http://127.0.0.1:9", gateway_token=None)
    with server_of(desk_of(project)) as url:
        seen = visit(browser, f"{url}/gateway", 360, "light").check()
        assert "Nothing listens at http://127.0.0.1:9" in seen.text
