"""Gateway watch: every way in which a gateway does not answer has its words; what is remembered is bounded."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from breakeven.errors import DashboardError
from breakeven.web.gateway.client import GatewayClient, Trouble, checked_address
from breakeven.web.gateway.document import as_json, gateway_document
from breakeven.web.gateway.exposition_reading import read_exposition
from breakeven.web.gateway.series import series_of
from breakeven.web.gateway.totals import ModelTotals, Totals, totals_of
from breakeven.web.gateway.watch import REMEMBERED_S, GatewayWatch, Seen
from breakeven.web.gateway.words import alarms, last_reached, sentence, tiles
from web.admin_ports import TOKEN, admin_port, exposition


def kind_of(url: str, token: str | None = None, timeout_s: float = 2.0) -> tuple[str, str]:
    """How one reading fails, and its words."""
    watch = GatewayWatch(GatewayClient(url, token, timeout_s))
    watch.read()
    trouble = watch.seen.trouble or watch.seen.admin_trouble
    assert trouble is not None and (trouble.todo or trouble.kind == "broken")
    assert TOKEN not in f"{trouble}"
    return trouble.kind, trouble.seen


def closed_port() -> int:
    """Where nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_nobody_listens() -> None:
    kind, words = kind_of(f"http://127.0.0.1:{closed_port()}")
    assert kind == "refused" and "Nothing listens at http://127.0.0.1:" in words


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert kind_of(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.2)[0] == "silent"


def test_a_connection_that_ends_without_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.recv(4096)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        assert kind_of(f"http://127.0.0.1:{server.getsockname()[1]}")[0] == "tls_wanted"
        thread.join()


def test_a_server_that_is_no_gateway_and_one_that_sends_elsewhere() -> None:
    with admin_port() as port, admin_port() as elsewhere:
        port.says("/metrics", "<html>", 404)
        kind, words = kind_of(port.url)
        assert kind == "not_a_gateway" and "404" in words
        port.says("/metrics", "", 302)
        port.headers["location"] = f"{elsewhere.url}/metrics"
        assert kind_of(port.url, TOKEN)[0] == "not_a_gateway"
        assert not elsewhere.asked, "no redirect is followed, with or without the token"
        port.headers.clear()
        port.says("/metrics", "x" * (33 * 2**20))
        assert kind_of(port.url)[0] == "broken"


def test_tls_that_is_not_trusted_and_tls_where_there_is_none() -> None:
    trustme = pytest.importorskip("trustme", reason="no certificates: trustme is not installed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with admin_port(context) as port:
        kind, words = kind_of(port.url.replace("http:", "https:"), TOKEN)
        assert kind == "tls" and "TLS was refused" in words
        assert not port.asked, "no token goes to whom nobody trusts"
    with admin_port() as port:
        assert kind_of(port.url.replace("http:", "https:"))[0] == "not_tls"


@pytest.mark.parametrize(("status", "kind"), [(401, "wrong_token"), (403, "admin_disabled")])
def test_a_token_that_is_refused_is_not_shown_again_at_once(status: int, kind: str) -> None:
    with admin_port() as port:
        port.says("/admin/policy", {"error": {"code": "x"}}, status)
        watch = GatewayWatch(GatewayClient(port.url, TOKEN))
        watch.read()
        watch.read()
        assert [path for path, given in port.asked if given] == ["/admin/policy"]
        assert watch.seen.trouble is None and watch.seen.admin_trouble is not None
        assert watch.seen.admin_trouble.kind == kind
        document = gateway_document(watch.seen, watch.client.address)
        assert document.state == "serving" and document.traffic is not None, "the metrics are shown all the same"


def test_the_token_goes_only_where_it_is_needed() -> None:
    with admin_port() as port:
        watch = GatewayWatch(GatewayClient(port.url, TOKEN))
        watch.read()
        assert {path for path, given in port.asked if given} == {"/admin/policy", "/admin/keys", "/admin/settings"}
        assert {path for path, given in port.asked if not given} == {"/metrics", "/readyz"}
        assert TOKEN not in json.dumps(as_json(gateway_document(watch.seen, watch.client.address)))
    assert GatewayClient("http://10.0.0.9:4001", TOKEN).tells_everybody
    assert not GatewayClient("https://10.0.0.9:4001", TOKEN).tells_everybody


@pytest.mark.parametrize(
    "url", ["", "ftp://x:1", "//x", "http://", "http://x:notaport", "http://x:1/?a=b", "file:///x"]
)
def test_only_an_admin_port_is_an_address(url: str) -> None:
    with pytest.raises(DashboardError, match="no address of a gateway"):
        checked_address(url)


def test_an_address_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(DashboardError) as refused:
        checked_address("http://admin:hunter2secret@x:1")
    assert "hunter2secret" not in str(refused.value)


def moments(count: int, step_s: float = 2.0) -> list[Totals]:
    """Readings of a gateway that gets one request a second and spends a cent on each."""
    return [
        Totals(
            i * step_s,
            (0.5, 1.0),
            {"delivered": i * step_s},
            models={"m": ModelTotals(i * step_s, cost_usd=i * step_s / 100, durations=(0.0, i * step_s, 0.0))},
        )
        for i in range(count)
    ]


def test_what_is_remembered_is_bounded_and_reaches_a_quarter_of_an_hour() -> None:
    watch = GatewayWatch(GatewayClient("http://127.0.0.1:1", None))
    for each in moments(5_000):
        watch._remember(each)
    kept = watch.seen.moments
    assert len(kept) <= 110
    assert REMEMBERED_S <= kept[-1].at_unix_s - kept[0].at_unix_s <= REMEMBERED_S + 40
    (requests, *_rest) = series_of(kept, REMEMBERED_S)
    assert 55 <= len(requests.points) <= 75
    assert all(each.value == pytest.approx(1.0) for each in requests.points)
    spend = next(each for each in series_of(kept, REMEMBERED_S) if each.name == "spend")
    assert all(value == pytest.approx(36.0) for value in spend.values), "a cent a second is 36 USD an hour"


def test_a_time_when_nobody_read_is_a_gap_and_no_slope() -> None:
    first, later = moments(30), [replace(each, at_unix_s=each.at_unix_s + 600) for each in moments(60)[30:]]
    (requests, *_rest) = series_of([*first, *later], REMEMBERED_S)
    assert [each.value for each in requests.points].count(None) == 1
    document = gateway_document(Seen((*first, *later[:1]), ready={"status": "ready"}), "x")
    assert document.traffic is not None and document.traffic.requests_req_per_s is None


def test_spend_of_calls_without_a_price_is_unpriced_and_never_zero() -> None:
    unpriced = [
        replace(
            each, models={"m": replace(each.models["m"], cost_usd=0.0, unpriced_count=each.models["m"].calls_count)}
        )
        for each in moments(30)
    ]
    document = gateway_document(Seen(tuple(unpriced), ready={"status": "ready"}), "x")
    said = sentence(document)
    assert "spend unpriced" in said and "$" not in said
    spend = next(each for each in tiles(document) if each.label == "Spend an hour")
    assert spend.value == "unpriced" and "nothing priced since the counters began" in spend.basis
    assert "$36.00 an hour" in sentence(gateway_document(Seen(tuple(moments(30)), ready={"status": "ready"}), "x"))


def test_what_was_read_before_the_gateway_was_lost_is_told_as_past() -> None:
    seen = Seen(tuple(moments(30)), ready={"status": "ready"})
    assert not sentence(gateway_document(seen, "x")).startswith("When")
    lost = replace(seen, trouble=Trouble("refused", "Nothing listens.", ()))
    assert sentence(gateway_document(lost, "x")).startswith("When it was last read: ")


def test_alarms_of_a_lost_gateway_are_of_then() -> None:
    samples = {
        'breakeven_breaker_state{upstream="far"}': 2.0,
        'breakeven_breaker_state{upstream="near"}': 1.0,
        'breakeven_unpriced_calls_total{model="own",task=""}': 5.0,
        'breakeven_calls_total{model="own",upstream="near",task="",kind="first",result="ok"}': 5.0,
    }
    at = datetime(2026, 11, 26, 14, 32, 7, tzinfo=UTC)
    seen = Seen((totals_of(read_exposition(exposition(samples)), at.timestamp()),), ready={"status": "ready"})
    now, lost = (
        gateway_document(seen, "x"),
        gateway_document(replace(seen, trouble=Trouble("refused", "Nothing listens.", ())), "x"),
    )
    assert last_reached(now, at) == ""
    assert last_reached(lost, at + timedelta(hours=9)) == "When last reached, at 14:32 UTC"
    assert last_reached(lost, at + timedelta(hours=10)) == "When last reached, on 26 Nov 2026 14:32 UTC"
    present, past = " ".join(alarms(now)), " ".join(alarms(lost))
    assert "far is OPEN: no request goes there" in present and "budgets leave them out" in present
    assert "far was OPEN: no request went there" in past and "near was half open: one request at a time tried" in past
    assert "budgets left them out" in past and " is " not in past
    assert last_reached(gateway_document(Seen((), trouble=Trouble("refused", "Nothing.", ())), "x"), at) == ""


def test_a_counter_that_lost_a_second_or_began_anew_makes_no_spike() -> None:
    text = exposition
    name = 'breakeven_requests_total{operation="chat",result="delivered"}'
    seen = [
        totals_of(read_exposition(text({name: n})), at) for n, at in ((1000, 0.0), (996, 15.0), (3, 30.0), (18, 45.0))
    ]
    (requests, *_rest) = series_of(seen, REMEMBERED_S)
    assert [each.value for each in requests.points] == [0.0, pytest.approx(3 / 15), pytest.approx(1.0)]


def test_names_that_clients_chose_cannot_write_the_page() -> None:
    hostile = '<img src=x onerror=alert(1)>\\n\u202eevil\x1b[31m"'
    label = hostile.replace("\\", "\\\\").replace('"', '\\"')
    samples = {
        f'breakeven_calls_total{{model="{label}",upstream="{label}",task="",kind="first",result="{label}"}}': 5.0,
        f'breakeven_unpriced_calls_total{{model="{label}",task=""}}': 5.0,
        f'breakeven_breaker_state{{upstream="{label}"}}': 2.0,
    }
    seen = Seen((totals_of(read_exposition(exposition(samples)), 0.0),), ready={"status": "ready"})
    document = gateway_document(seen, "http://x")
    assert document.models[0].model == hostile
    said = " ".join((sentence(document), *alarms(document)))
    assert "UNPRICED: 5 calls" in said and "is OPEN" in said
    assert "\x1b" not in said and "\u202e" not in said


def test_answers_that_are_not_as_agreed_are_left_out() -> None:
    with admin_port() as port:
        for path in ("/admin/policy", "/admin/keys", "/admin/settings", "/readyz"):
            port.says(path, [1, {"keys": 3}])
        watch = GatewayWatch(GatewayClient(port.url, TOKEN))
        watch.read()
        document = gateway_document(watch.seen, "x")
        assert (document.state, document.keys, document.policy) == ("not_ready", (), None)
        port.says("/admin/keys", {"keys": [7, {"id": "a", "budget_usd": "much", "spend": [1]}]})
        port.says("/admin/settings", {"models": {"m": [3]}, "upstreams": 5, "breaker": 3})
        watch = GatewayWatch(GatewayClient(port.url, TOKEN))
        watch.read()
        document = gateway_document(watch.seen, "x")
        assert document.breaker_rule is None
        (key,) = document.keys
        assert (key.id, key.budget_usd, key.spent_usd) == ("a", None, None)


def test_a_reading_that_never_ends_is_said_to_be_slow() -> None:
    with admin_port() as port:
        watch = GatewayWatch(GatewayClient(port.url, None))
        watch.read()
        assert watch.seen.trouble is None
        watch._reading_since_s = time.monotonic() - 60
        trouble = watch.seen.trouble
        assert trouble is not None and trouble.kind == "silent" and "for 60 s" in trouble.seen
        assert gateway_document(watch.seen, "x").state == "unreached", "old figures are not told as new ones"


def test_the_thread_ends_with_its_server() -> None:
    with admin_port() as port:
        watch = GatewayWatch(GatewayClient(port.url, None))
        watch.look()
        thread = watch._thread
        assert thread is not None and thread.is_alive()
        del watch
        thread.join(20)
        assert not thread.is_alive()
