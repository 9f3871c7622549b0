"""Server: drain, other settings, TLS on both sides, a Unix socket, and nothing left over."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from breakeven.gateway.config.settings import WireLimits
from breakeven.gateway.relay.exchange import Exchange
from breakeven.gateway.upstream import Target
from gateway.parts.answers import STREAM_HEAD, chunk, event, plain
from gateway.parts.fault_scripts import Repertoire
from gateway.parts.raw_client import RawClient, ask, chat, raw_client, request
from gateway.parts.running import run, running_gateway, until
from gateway.parts.scripted_upstream import Asked, Step, _Connection, closed_port, scripted_upstream
from gateway.parts.settings_for_tests import SECRET, SHORT, models_at, settings_for, upstream_at
from gateway.relay.relay_parts import served

PATH = "/v1/chat/completions"


def test_drain_lets_answers_end_and_takes_nothing_new(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            scripted_upstream(Repertoire()) as upstream,
            served(tmp_path, upstream.port, "slow:5") as found,
            raw_client(found.url) as idle,
            raw_client(found.url) as busy,
        ):
            await idle.send(request("/readyz", method="GET"))
            assert (await idle.answer()).status == 200
            await busy.send(request(PATH, chat("slow:5", stream=True)))
            await busy.head()
            draining = asyncio.create_task(found.relay.drain())
            assert await idle.is_closed()
            with pytest.raises(ConnectionError):
                await asyncio.sleep(0.05)
                await asyncio.open_connection("127.0.0.1", int(found.url.rpartition(":")[2]))
            answer = await busy_rest(busy)
            assert answer.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
            await draining
            assert found.only.delivered
            assert found.relay.clients_count == found.relay.upstream_connections_count == 0

    run(test())


async def busy_rest(client: RawClient) -> bytes:
    """Everything until the end."""
    return await client.reader.read(-1)


def test_drain_ends_what_takes_longer_than_it_may(tmp_path: Path) -> None:
    async def test() -> None:
        times = replace(SHORT, drain_s=0.2, first_byte_s=9.0)
        async with (
            scripted_upstream(Repertoire()) as upstream,
            served(tmp_path, upstream.port, "endless", timeouts=times) as found,
            raw_client(found.url) as client,
        ):
            await client.send(request(PATH, chat("endless", stream=True)))
            await client.head()
            await found.relay.drain()
            assert not found.only.delivered and found.only.attempts[0].tokens is not None
            await until(lambda: not upstream.open_connections)

    run(test())


def test_other_settings_do_not_touch_what_is_under_way(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            scripted_upstream(Repertoire()) as old,
            scripted_upstream(Repertoire()) as new,
            served(tmp_path, old.port, "slow:5") as found,
            raw_client(found.url) as client,
        ):
            await client.send(request(PATH, chat("slow:5", stream=True)))
            await client.head()
            other = upstream_at(new.port)
            settings = found.admission.settings
            target = Target("slow:5", other, "slow:5")
            changed = replace(
                settings,
                upstreams={"main": other},
                models={"slow:5": (target,)},
                wire=WireLimits(body_max_bytes=100),
            )
            found.admission.settings = changed
            found.relay.reload(changed)
            small = {"model": "slow:5", "messages": [], "stream": True}
            assert (await ask(found.url, small)).is_whole
            assert (await ask(found.url, chat("slow:5", "x" * 200))).status == 413
            rest = await client.reader.readuntil(b"0\r\n\r\n")
            assert b"[DONE]" in rest
            assert (len(old.asked), len(new.asked)) == (1, 1)
            await until(lambda: not old.open_connections)

    run(test())


def test_tls_on_both_sides(tmp_path: Path) -> None:
    trustme = pytest.importorskip("trustme", reason="no certificates: trustme is not installed")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(theirs)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    trust = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))

    async def test() -> None:
        async with scripted_upstream(Repertoire(), tls=theirs) as upstream:
            for ca_file, host, expected in (
                (str(tmp_path / "ca.pem"), "127.0.0.1", 200),
                (None, "127.0.0.1", 502),
                (str(tmp_path / "ca.pem"), "127.0.0.2", 502),
            ):
                where = replace(upstream_at(upstream.port), is_tls=True, ca_file=ca_file, host=host)
                tls: dict[str, Any] = {"tls_certificate": tmp_path / "server.pem", "tls_key": tmp_path / "server.pem"}
                times = replace(SHORT, connect_s=5.0, first_byte_s=5.0)
                async with served(tmp_path, 1, "good", upstream=where, timeouts=times, **tls) as found:
                    port = int(found.url.rpartition(":")[2])
                    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
                    client = RawClient(reader, writer)
                    for is_stream in (False, True):
                        await client.send(request(PATH, chat("good", stream=is_stream)))
                        answer = await client.answer()
                        assert (answer.status, answer.is_whole) == (expected, True)
                    await client.send(request(PATH, chat("good"), {"Connection": "close"}))
                    assert (await client.answer()).status == expected
                    assert await client.is_closed()
                    client.abort()

    run(test())


def test_a_unix_socket_as_upstream(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            path = str(tmp_path / "s")
            server = await asyncio.get_running_loop().create_unix_server(lambda: _Connection(upstream), path)
            async with served(tmp_path, 1, "good", upstream=upstream_at(1, socket_path=path)) as found:
                assert (await ask(found.url, chat("good"))).status == 200
            server.close()

    run(test())


def test_heads_to_upstreams(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            mine = {
                "Authorization": "Bearer client",
                "X-Api-Key": "client",
                "Cookie": "a=b",
                "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                "X-Breakeven-Task": "faq",
                "Accept-Encoding": "gzip",
                "X-Forwarded-Host": "elsewhere",
                "OpenAI-Beta": "x=1",
            }
            async with served(tmp_path, upstream.port, "good") as found:
                await ask(found.url, chat("good"), headers=mine)
                asked = upstream.asked[-1]
                assert asked.header("authorization") not in (None, "Bearer client")
                assert asked.header("traceparent") == mine["Traceparent"] and asked.header("openai-beta") == "x=1"
                for name in ("x-api-key", "cookie", "x-breakeven-task", "x-forwarded-host"):
                    assert asked.header(name) is None, name
                assert asked.header("accept-encoding") == "identity"
                assert asked.header("host") == f"127.0.0.1:{upstream.port}"
            keyless = replace(upstream_at(upstream.port), auth_headers=())
            async with served(tmp_path, 1, "good", upstream=keyless, is_open=True) as found:
                await ask(found.url, chat("good"), path=PATH + "?api-version=1", headers=mine)
                asked = upstream.asked[-1]
                assert asked.header("authorization") == "Bearer client" and asked.header("x-api-key") == "client"
                assert asked.path == PATH + "?api-version=1"
                assert asked.header("cookie") is None and asked.header("x-breakeven-task") is None
            assert not upstream.oddities

    run(test())


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_request_that_raises_when_it_is_looked_at_is_ended_and_the_clock_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_begun: bool
) -> None:
    looked = Exchange.look

    def look(self: Exchange, now_s: float) -> None:
        if self._plan is not None and self._plan.facts.model == "bad":
            raise ValueError(SECRET)
        looked(self, now_s)

    def script(asked: Asked) -> Iterator[Step]:
        if is_begun and asked.model == "bad":
            yield STREAM_HEAD
            yield chunk(event({"choices": [{"index": 0, "delta": {"content": "a"}}]}))
        yield "hold"

    async def test() -> None:
        async with scripted_upstream(script) as upstream:
            models = models_at(main := upstream_at(upstream.port), "bad", "good")
            settings = settings_for(tmp_path, [main], models)
            async with running_gateway(settings, may_use_lanes=False) as gateway:
                told: list[Exception] = []
                gateway.counters.on_mistake = told.append
                good = asyncio.create_task(gateway.ask(chat("good")))
                await until(lambda: upstream.counts()["good"] == 1)
                begun_s = monotonic()
                monkeypatch.setattr(Exchange, "look", look)
                if is_begun:
                    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                        assert not (await gateway.ask(chat("bad", stream=True))).is_whole
                        raise ConnectionError
                else:
                    answer = await gateway.ask(chat("bad"))
                    assert (answer.status, answer.code, answer.is_whole) == (500, "internal_error", True)
                    assert SECRET not in answer.body.decode()
                assert (await good).status == 504
                assert monotonic() - begun_s < 3.0, "its time was not up before"
                await gateway.settled()
                assert [type(each) for each in told] == [ValueError], "once"
                assert gateway.statuses()["ok"] == 0 and len(gateway.calls) == 2
                await until(lambda: gateway.relay.clients_count == 0)

    run(test())


def test_nothing_is_left_over(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            names = ["good", "status:500", "reset_mid_answer", "garbage", "close_mid_answer"]
            async with served(tmp_path, upstream.port, *names) as found:
                for _ in range(4):
                    asks = [
                        ask(found.url, chat(name, stream=is_stream)) for name in names for is_stream in (True, False)
                    ]
                    await asyncio.gather(*asks)
                await until(lambda: found.relay.clients_count == 0)
                assert found.relay.open_requests_count == 0
                assert len(found.admission.finished) == 40
                assert found.relay.upstream_connections_count <= 10

    run(test())


def test_a_list_of_models_is_the_upstreams_where_there_are_none_here(tmp_path: Path) -> None:
    def script(asked: Asked) -> Iterator[Step]:
        if asked.header("authorization") == "Bearer wrong":
            yield from plain_status(asked)
        else:
            yield plain({"object": "list", "data": [{"id": asked.path}]})

    def plain_status(asked: Asked) -> Iterator[Step]:
        yield plain({"error": {"message": f"bad key at {asked.path}"}}, "401 Unauthorized")

    async def test() -> None:
        async with scripted_upstream(script) as upstream:
            keyless = replace(upstream_at(upstream.port), auth_headers=())
            async with served(tmp_path, 1, upstream=keyless, is_open=True, passthrough="main") as found:
                async with raw_client(found.url) as client:
                    for path in ("/v1/models", "/v1/models/gpt-5?x=1"):
                        await client.send(request(path, method="GET", headers={"Authorization": "Bearer right"}))
                        answer = await client.answer()
                        assert (answer.status, answer.document["data"][0]["id"]) == (200, path)
                    await client.send(request("/v1/models", method="GET", headers={"Authorization": "Bearer wrong"}))
                    assert (await client.answer()).status == 401
                assert found.relay.open_requests_count == 0
                assert [each.method for each in upstream.asked] == ["GET"] * 3
            dead = replace(keyless, port=closed_port())
            async with (
                served(tmp_path, 1, upstream=dead, is_open=True, passthrough="main") as found,
                raw_client(found.url) as client,
            ):
                await client.send(request("/v1/models", method="GET"))
                assert (await client.answer()).status == 502

    run(test())
