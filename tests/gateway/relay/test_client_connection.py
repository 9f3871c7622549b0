"""Client connections: one request at a time, limits of size and time, old HTTP, slow readers, paths without a model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from breakeven.gateway.config.settings import WireLimits
from gateway.parts.answers import STREAM_HEAD, chat_answer, chat_events, chunk, plain
from gateway.parts.fault_scripts import Repertoire
from gateway.parts.raw_client import ask, chat, raw_client, request
from gateway.parts.running import run, until
from gateway.parts.scripted_upstream import Asked, Step, scripted_upstream
from gateway.parts.settings_for_tests import SHORT
from gateway.relay.relay_parts import served

PATH = "/v1/chat/completions"


def test_requests_that_come_at_once_are_answered_in_turn(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            scripted_upstream(Repertoire()) as upstream,
            served(tmp_path, upstream.port, "slow:1", "good") as found,
            raw_client(found.url) as client,
        ):
            names = ["slow:1", "good", "slow:1", "good"]
            await client.send(b"".join(request(PATH, chat(name, stream=name != "good")) for name in names))
            for name in names:
                answer = await client.answer()
                assert answer.status == 200 and answer.is_whole
                assert answer.header("x-breakeven-model") == name
            assert [each.model for each in upstream.asked] == names
            first, second = upstream.asked[:2]
            assert first.is_whole and second.received_monotonic_s > first.received_monotonic_s

    run(test())


def test_a_long_queue_is_not_read_before_its_turn(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream, served(tmp_path, upstream.port, "good") as found:
            async with raw_client(found.url) as client:
                body = chat("good", "x" * 3000)
                sending = asyncio.create_task(client.send(request(PATH, body) * 300))
                for _ in range(300):
                    assert (await client.answer()).status == 200
                await sending
            assert len(upstream.asked) == 300

    run(test())


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_expect_is_answered_and_a_body_may_come_in_pieces(tmp_path: Path, coding: str) -> None:
    async def test() -> None:
        async with (
            scripted_upstream(Repertoire()) as upstream,
            served(tmp_path, upstream.port, "good") as found,
            raw_client(found.url) as client,
        ):
            body = json.dumps(chat("good")).encode()
            framing = f"Content-Length: {len(body)}" if coding == "length" else "Transfer-Encoding: chunked"
            head = f"POST {PATH} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n{framing}\r\n\r\n".encode()
            await client.send(head)
            assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            data = body if coding == "length" else chunk(body[:10]) + chunk(body[10:]) + b"0\r\n\r\n"
            for byte in data:
                await client.send(bytes([byte]))
                await asyncio.sleep(0)
            assert (await client.answer()).status == 200
            await client.send(request(PATH, chat("good")))
            assert (await client.answer()).status == 200

    run(test())


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path, coding: str) -> None:
    async def test() -> None:
        limits = WireLimits(body_max_bytes=1000)
        async with served(tmp_path, 1, "good", wire=limits) as found, raw_client(found.url) as client:
            if coding == "length":
                await client.send(f"POST {PATH} HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n".encode())
            else:
                await client.send(f"POST {PATH} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
                await client.send(chunk(b"x" * 1001))
            answer = await client.answer()
            assert (answer.status, answer.code, answer.header("connection")) == (413, "body_too_large", "close")
            assert await client.is_closed()

    run(test())


def test_a_head_that_is_too_large(tmp_path: Path) -> None:
    async def test() -> None:
        limits = WireLimits(head_max_bytes=2000, headers_max_count=20)
        async with served(tmp_path, 1, "good", wire=limits) as found:
            for extra in ({"X-Long": "y" * 3000}, {f"X-{number}": "1" for number in range(30)}):
                async with raw_client(found.url) as client:
                    await client.send(request(PATH, chat("good"), extra))
                    assert (await client.answer()).status == 431
                    assert await client.is_closed()

    run(test())


@pytest.mark.parametrize("part", ["head", "body", "idle"])
def test_clients_that_take_too_long(tmp_path: Path, part: str) -> None:
    async def test() -> None:
        times = replace(SHORT, client_head_s=0.2, client_body_s=0.2, client_idle_s=0.2)
        async with served(tmp_path, 1, "good", timeouts=times) as found, raw_client(found.url) as client:
            if part == "head":
                await client.send(b"POST /v1/chat/comp")
            elif part == "body":
                await client.send(request(PATH, chat("good"))[:-5])
            if part != "idle":
                answer = await client.answer()
                assert (answer.status, answer.code) == (408, "request_timeout")
            assert await client.is_closed()
            await until(lambda: found.relay.clients_count == 0)

    run(test())


def test_old_http(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream, served(tmp_path, upstream.port, "good") as found:
            for is_stream in (False, True):
                async with raw_client(found.url) as client:
                    asked = request(PATH, chat("good", stream=is_stream)).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
                    await client.send(asked)
                    answer = await client.answer()
                    assert answer.status == 200 and answer.header("transfer-encoding") is None
                    assert answer.header("connection") == "close"
                    assert (b"[DONE]" in answer.body) == is_stream
                    assert await client.is_closed()

    run(test())


def test_paths_without_a_model(tmp_path: Path) -> None:
    async def test() -> None:
        async with served(tmp_path, 1, "good") as found, raw_client(found.url) as client:
            for method, path, status, told in (
                ("GET", "/healthz", 200, b'{"status":"ok"}'),
                ("GET", "/readyz", 200, b'{"status":"ready"}'),
                ("GET", "/v1/models", 200, b'{"object":"list","data":[]}'),
                ("GET", "/v1/models/good", 200, None),
                ("GET", PATH, 405, None),
                ("PUT", "/healthz", 405, None),
                ("OPTIONS", PATH, 405, None),
                ("GET", "/admin/keys", 404, None),
                ("POST", "/v1/nothing", 404, None),
            ):
                await client.send(request(path, method=method))
                answer = await client.answer()
                assert answer.status == status, path
                if told is not None:
                    assert answer.body == told
                if status >= 400:
                    assert answer.header("x-breakeven-request-id") and answer.document["error"]["code"]
                assert (answer.header("allow") is not None) == (status == 405)
            await client.send(request("/healthz", method="HEAD") + request("/healthz", method="GET"))
            head = await client.head()
            assert (head.status, head.header("content-length")) == (200, "15")
            assert (await client.answer()).body == b'{"status":"ok"}', "no body followed the answer to HEAD"

    run(test())


def test_as_many_as_it_takes(tmp_path: Path) -> None:
    async def test() -> None:
        limits = WireLimits(connections_max_count=3, requests_in_flight_max_count=1)
        times = replace(SHORT, first_byte_s=9.0)
        async with (
            scripted_upstream(Repertoire()) as upstream,
            served(tmp_path, upstream.port, "endless", wire=limits, timeouts=times) as found,
            raw_client(found.url) as first,
        ):
            await first.send(request(PATH, chat("endless")))
            await until(lambda: bool(upstream.asked))
            answer = await ask(found.url, chat("endless"))
            assert (answer.status, answer.code, answer.header("retry-after")) == (503, "overloaded", "1")
            async with raw_client(found.url), raw_client(found.url), raw_client(found.url) as fourth:
                answer = await fourth.answer()
                assert (answer.status, answer.code) == (503, "too_many_connections")

    run(test())


def flood(asked: Asked) -> Iterator[Step]:
    """A stream of 20 MB, as fast as it is taken."""
    yield STREAM_HEAD
    events = chat_events(asked, 1)
    padded = events[1].replace(b'"content":"', b'"content":"' + b"x" * 20_000)
    yield chunk(events[0])
    for _ in range(1000):
        yield chunk(padded)
    for each in events[-3:]:
        yield chunk(each)
    yield b"0\r\n\r\n"


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_slow_reader_slows_the_upstream_and_nothing_piles_up(tmp_path: Path, is_stream: bool) -> None:
    def script(asked: Asked) -> Iterator[Step]:
        if asked.is_stream:
            yield from flood(asked)
        else:
            lead, _, rest = plain(chat_answer(asked, 1)).partition(b'"content":"')
            size = 20_000_000 // 65_536 * 65_536
            length = int(lead.split(b"Content-Length: ")[1].split(b"\r\n")[0])
            yield lead.replace(b"Content-Length: %d" % length, b"Content-Length: %d" % (length + size)) + b'"content":"'
            yield size
            yield rest

    async def test() -> None:
        times = replace(SHORT, idle_s=5.0)
        async with (
            scripted_upstream(script) as upstream,
            served(tmp_path, upstream.port, "m", timeouts=times) as found,
            raw_client(found.url, limit_bytes=2**16) as client,
        ):
            await client.send(request(PATH, chat("m", stream=is_stream)))
            await client.head()
            sizes: list[int] = []
            for _ in range(20):
                await asyncio.sleep(0.02)
                sizes.append(found.relay.unsent_bytes_count)
            assert not upstream.asked[0].is_whole, "the upstream waits, too"
            assert max(sizes) < 2_000_000
            total = 0
            while total < 19_000_000:
                total += len(await client.reader.read(2**16))
            await until(lambda: bool(found.admission.finished))
            assert found.only.delivered

    run(test())


def test_a_reader_that_stands_still_is_left(tmp_path: Path) -> None:
    async def test() -> None:
        times = replace(SHORT, idle_s=0.3)
        async with (
            scripted_upstream(flood) as upstream,
            served(tmp_path, upstream.port, "m", timeouts=times) as found,
            raw_client(found.url, limit_bytes=2**16) as client,
        ):
            await client.send(request(PATH, chat("m", stream=True)))
            await until(lambda: bool(found.admission.finished))
            assert found.only.attempts[0].failure == "client_gone" and not found.only.delivered
            await until(lambda: found.relay.clients_count == 0 and not upstream.open_connections)

    run(test())


def test_last_bytes_take_their_time(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(flood) as upstream:
            times = replace(SHORT, idle_s=30.0)
            async with (
                served(tmp_path, upstream.port, "m", timeouts=times) as found,
                raw_client(found.url, limit_bytes=2**16) as client,
            ):
                await client.send(request(PATH, chat("m", stream=True), {"Connection": "close"}))
                head = await client.head()
                assert head.header("connection") == "close"
                data = b""
                while piece := await client.reader.read(2**18):
                    data += piece
                    if len(data) < 2_000_000:
                        await asyncio.sleep(0.05)
                assert data.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")

    run(test())


@pytest.mark.parametrize("expects", [False, True])
def test_a_large_body_is_not_read_for_a_stranger(tmp_path: Path, expects: bool) -> None:
    async def test() -> None:
        async with served(tmp_path, 1, "good") as found, raw_client(found.url) as client:
            mine = {"Authorization": "Bearer wrong", "Content-Length": "1000000"}
            more = {"Expect": "100-continue"} if expects else {}
            await client.send(request(PATH, headers=mine | more))
            answer = await client.answer()
            assert (answer.status, answer.interim, answer.header("connection")) == (401, [], "close")
            assert await client.is_closed()

    run(test())


def test_large_bodies_are_bounded_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breakeven.gateway.relay.client_connection.BODIES_MAX_BYTES", 3_000_000)

    async def test() -> None:
        async with (
            scripted_upstream(Repertoire()) as upstream,
            served(tmp_path, upstream.port, "good") as found,
            raw_client(found.url) as first,
            raw_client(found.url) as second,
        ):
            large = request(PATH, chat("good", "x" * 1_900_000))
            await first.send(large[:-10])
            await second.send(large[:-10])
            refused = await second.answer()
            assert (refused.status, refused.code) == (503, "overloaded")
            await first.send(large[-10:])
            assert (await first.answer()).status == 200
            assert (await ask(found.url, chat("good", "x" * 1_900_000))).status == 200, "there is room again"

    run(test())
