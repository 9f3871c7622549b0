"""Limits of size and time towards clients: refused as documented, nothing of it goes on, nothing is held for long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.gateway.config.settings import WireLimits
from gateway.parts.fault_scripts import Repertoire
from gateway.parts.raw_client import ask, chat, raw_client, request
from gateway.parts.running import RunningGateway, run, running_gateway, until
from gateway.parts.scripted_upstream import ScriptedUpstream, scripted_upstream
from gateway.parts.settings_for_tests import SECRET, SHORT, models_at, settings_for, upstream_at

KEY = {"Authorization": f"Bearer {SECRET}"}
SMALL = WireLimits(
    head_max_bytes=4_096,
    headers_max_count=20,
    body_max_bytes=65_536,
    connections_max_count=12,
    requests_in_flight_max_count=4,
)
Body = Callable[[ScriptedUpstream, RunningGateway], Awaitable[None]]


def with_gateway(folder: Path, body: Body, **more: Any) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            settings = settings_for(folder, [main], models_at(main, "good", "stall_before"), **({"wire": SMALL} | more))
            async with running_gateway(settings) as gateway:
                await body(upstream, gateway)
                await gateway.settled()
                assert not upstream.oddities

    run(test())


def padded(bytes_count: int) -> bytes:
    """A valid body of exactly that size."""
    empty = json.dumps(chat("good", "")).encode()
    return json.dumps(chat("good", "x" * (bytes_count - len(empty)))).encode()


@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunks"])
def test_bodies_up_to_the_limit_and_one_byte_over(is_chunked: bool, tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        for size, status in ((65_536, 200), (65_537, 413)):
            async with raw_client(gateway.url) as client:
                if is_chunked:
                    head = request("/v1/chat/completions", headers=KEY | {"Transfer-Encoding": "chunked"})
                    await client.send(head.replace(b"Content-Length: 0\r\n", b""))
                    data = padded(size)
                    for at in range(0, size, 9_000):
                        piece = data[at : at + 9_000]
                        await client.send(b"%x\r\n%s\r\n" % (len(piece), piece))
                    await client.send(b"0\r\n\r\n")
                else:
                    await client.send(request("/v1/chat/completions", headers=KEY, body=padded(size)))
                answer = await client.answer()
                assert answer.status == status
                if status == 413:
                    assert answer.code == "body_too_large" and await client.is_closed()
        assert len(upstream.asked) == 1

    with_gateway(tmp_path, body)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({f"X-{n}": "1" for n in range(12)}, 200),
        ({f"X-{n}": "1" for n in range(30)}, 431),
        ({"X-Long": "y" * 3_000}, 200),
        ({"X-Long": "y" * 5_000}, 431),
        ({"X-" + "n" * 5_000: "1"}, 431),
    ],
)
def test_heads(headers: dict[str, str], status: int, tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        answer = await gateway.ask(chat("good"), headers=headers)
        assert answer.status == status
        assert len(upstream.asked) == (status == 200)

    with_gateway(tmp_path, body)


def test_a_head_without_end_is_cut_off(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with raw_client(gateway.url) as client:
            await client.send(b"POST /v1/" + b"a" * 20_000)
            assert (await client.answer()).status == 431
        async with raw_client(gateway.url) as client:
            await client.send(b"a" * 3_000_000)  # no line end at all
            assert (await client.answer()).status in {400, 431}

    with_gateway(tmp_path, body)


def test_slow_clients_are_let_go(tmp_path: Path) -> None:
    """Slowloris: heads, bodies and chunks that come a byte at a time, and connections that say nothing."""
    timeouts = replace(SHORT, client_head_s=0.3, client_body_s=0.3, client_idle_s=0.6)
    whole = request("/v1/chat/completions", chat("good"), KEY)
    head_ends = whole.index(b"\r\n\r\n") + 4
    chunked = request("/v1/chat/completions", headers=KEY | {"Transfer-Encoding": "chunked"})
    begun = {
        "head": whole[:30],
        "head but one byte": whole[: head_ends - 1],
        "body": whole[: head_ends + 5],
        "chunks": chunked.replace(b"Content-Length: 0\r\n", b"") + b"5\r\n{",
    }

    async def drip(url: str, data: bytes) -> int | None:
        async with raw_client(url) as client:
            await client.send(data)
            try:
                for _ in range(100):
                    if client.reader.at_eof():
                        break
                    await client.send(b" " if data else b"")
                    await asyncio.sleep(0.02)
                return (await client.answer()).status
            except (ConnectionError, asyncio.IncompleteReadError):
                return None

    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        for name, status in zip(
            begun, await asyncio.gather(*(drip(gateway.url, b) for b in begun.values())), strict=True
        ):
            assert status in {408, 400, None}, name
        async with raw_client(gateway.url) as client:
            assert await client.is_closed()
        await until(lambda: gateway.relay.clients_count == 0)
        assert not upstream.asked

    with_gateway(tmp_path, body, timeouts=timeouts)


def test_requests_in_flight_are_bounded(tmp_path: Path) -> None:
    timeouts = replace(SHORT, first_byte_s=3.0)

    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        waiting = [asyncio.create_task(gateway.ask(chat("stall_before"))) for _ in range(4)]
        await until(lambda: len(upstream.asked) == 4)
        refused = await gateway.ask(chat("good"))
        assert refused.status == 503 and refused.code == "overloaded" and refused.header("retry-after")
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await gateway.settled()
        assert (await gateway.ask(chat("good"))).status == 200

    with_gateway(tmp_path, body, timeouts=timeouts)


def test_connections_are_bounded(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        idle = [await asyncio.open_connection("127.0.0.1", gateway.relay.port) for _ in range(12)]
        await until(lambda: gateway.relay.clients_count == 12)
        async with raw_client(gateway.url) as client:
            answer = await client.answer()
            assert answer.status == 503 and answer.code == "too_many_connections"
        for _, writer in idle:
            writer.transport.abort()
        await until(lambda: gateway.relay.clients_count < 12)
        assert (await gateway.ask(chat("good"))).status == 200

    with_gateway(tmp_path, body)


def test_a_client_that_does_not_hear_is_still_told(tmp_path: Path) -> None:
    """The answer to a body that is too large arrives though the client is still sending."""

    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        for _ in range(10):
            async with raw_client(gateway.url) as client:
                await client.send(request("/v1/chat/completions", headers=KEY, body=padded(700_000)))
                assert (await client.answer()).status == 413

    with_gateway(tmp_path, body)


NESTED = b'{"model":"good","messages":' + b"[" * 30_000 + b"]" * 30_000 + b"}"
BAD_BODIES: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"hello",
    "cut": b'{"model":"good","messages":[',
    "array": b"[]",
    "null": b"null",
    "number": b"1e999",
    "NaN": b'{"model":"good","messages":[],"temperature":NaN}',
    "UTF-16": '{"model":"good","messages":[]}'.encode("utf-16"),
    "BOM": b"\xef\xbb\xbf" + json.dumps(chat("good")).encode(),
    "bytes": b'{"model":"good","messages":"\xff\xfe"}',
    "lone surrogate": b'{"model":"\\ud800","messages":[]}',
    "deep": NESTED,
    "no model": b'{"messages":[]}',
    "model null": b'{"model":null,"messages":[]}',
    "model list": b'{"model":["good"],"messages":[]}',
    "model empty": b'{"model":"","messages":[]}',
    "model long": b'{"model":"' + b"m" * 60_000 + b'","messages":[]}',
    "model with CRLF": b'{"model":"good\\r\\nX-Evil: 1","messages":[]}',
    "model with NUL": b'{"model":"good\\u0000","messages":[]}',
    "model is a path": b'{"model":"../../admin","messages":[]}',
    "model is an address": b'{"model":"http://169.254.169.254/latest","messages":[]}',
    "two documents": b'{"model":"good"}{"model":"good"}',
}


def test_bad_bodies_are_refused_in_both_dialects(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        for path in ("/v1/chat/completions", "/v1/messages"):
            for name, data in BAD_BODIES.items():
                async with raw_client(gateway.url) as client:
                    await client.send(request(path, headers=KEY, body=data))
                    answer = await client.answer()
                    assert answer.status in {400, 404}, name
                    assert answer.document["error"]["message"] and answer.header("x-breakeven-request-id")
                    assert (answer.document.get("type") == "error") is (path == "/v1/messages")
                    assert not answer.header("x-evil")
                    await client.send(request("/v1/chat/completions", chat("good"), KEY))
                    assert (await client.answer()).status == 200, "the connection goes on"
        assert upstream.counts() == {"good": 2 * len(BAD_BODIES)}

    with_gateway(tmp_path, body, wire=replace(SMALL, body_max_bytes=200_000))


def test_a_name_that_stands_twice_is_one_name(tmp_path: Path) -> None:
    """Two `model` keys: what was allowed is what is asked."""

    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        both = b'{"model":"stall_before","messages":[],"mod\\u0065l":"good","stream":false}'
        async with raw_client(gateway.url) as client:
            await client.send(request("/v1/chat/completions", headers=KEY, body=both))
            answer = await client.answer()
        if answer.status == 200:
            assert answer.header("x-breakeven-model") == "good"
            pairs = json.loads(upstream.asked[0].body, object_pairs_hook=list)
            assert {value for name, value in pairs if name == "model"} == {"good"}, "whichever of them a reader takes"
        else:
            assert answer.status == 400

    with_gateway(tmp_path, body)


def test_unknown_paths_and_methods(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        for path in (
            "/",
            "/admin/keys",
            "/metrics",
            "/v1/../admin/keys",
            "/v1//chat/completions",
            "/v1/files",
            "/%2e%2e/",
        ):
            assert (await ask(gateway.url, chat("good"), path, KEY)).status in {404, 405}, path
        async with raw_client(gateway.url) as client:
            for method in ("PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "GET"):
                await client.send(request("/v1/chat/completions", chat("good"), KEY, method))
                assert (await client.answer()).status == 405, method
        assert not upstream.asked

    with_gateway(tmp_path, body)
