"""Requests that two readers could understand in two ways: refused, the connection closed, the upstream never asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.parts.fault_scripts import Repertoire
from gateway.parts.raw_client import RawClient, chat, raw_client, request
from gateway.parts.running import RunningGateway, run, running_gateway
from gateway.parts.scripted_upstream import ScriptedUpstream, scripted_upstream
from gateway.parts.settings_for_tests import SECRET, models_at, settings_for, upstream_at

BODY = json.dumps(chat("good")).encode()
START = b"POST /v1/chat/completions HTTP/1.1\r\n"
HEAD = START + b"Host: h\r\nAuthorization: Bearer " + SECRET.encode() + b"\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
ONE_CHUNK = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
INNER = b"GET /admin/keys HTTP/1.1\r\nHost: h\r\n\r\n"
Body = Callable[[ScriptedUpstream, RunningGateway], Awaitable[None]]

SMUGGLING: dict[str, bytes] = {
    "CL.TE": HEAD + LENGTH + CHUNKED + b"\r\n0\r\n\r\n" + INNER,
    "TE.CL": HEAD + CHUNKED + b"Content-Length: 4\r\n\r\n" + ONE_CHUNK,
    "TE.TE": HEAD + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n" + ONE_CHUNK,
    "TE twice": HEAD + CHUNKED + CHUNKED + b"\r\n" + ONE_CHUNK,
    "TE list": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + ONE_CHUNK,
    "TE wrong order": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n" + ONE_CHUNK,
    "TE with a tab": HEAD + b"Transfer-Encoding:\tchunked\r\nContent-Length: 4\r\n\r\n" + ONE_CHUNK,
    "TE x": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + ONE_CHUNK,
    "TE quoted": HEAD + b'Transfer-Encoding: "chunked"\r\n\r\n' + ONE_CHUNK,
    "TE space before colon": HEAD + b"Transfer-Encoding : chunked\r\n" + LENGTH + b"\r\n" + BODY,
    "TE in HTTP/1.0": HEAD.replace(b"HTTP/1.1", b"HTTP/1.0") + CHUNKED + b"\r\n" + ONE_CHUNK,
    "CL twice, same": HEAD + LENGTH + LENGTH + b"\r\n" + BODY,
    "CL twice, other": HEAD + LENGTH + b"Content-Length: 5\r\n\r\n" + BODY,
    "CL list": HEAD + b"Content-Length: %d, %d\r\n\r\n" % (len(BODY), len(BODY)) + BODY,
    "CL plus": HEAD + b"Content-Length: +%d\r\n\r\n" % len(BODY) + BODY,
    "CL minus": HEAD + b"Content-Length: -1\r\n\r\n" + BODY,
    "CL hex": HEAD + b"Content-Length: 0x%x\r\n\r\n" % len(BODY) + BODY,
    "CL huge": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n" + BODY,
    "CL underscore": HEAD + b"Content-Length: 1_0\r\n\r\n" + BODY,
    "CL empty": HEAD + b"Content-Length: \r\n\r\n" + BODY,
    "CL fraction": HEAD + b"Content-Length: 5.0\r\n\r\n" + BODY,
    "CL other digits": HEAD + "Content-Length: ٥\r\n\r\n".encode() + BODY,
    "CL space before colon": HEAD + b"Content-Length : %d\r\n\r\n" % len(BODY) + BODY,
    "obs-fold": HEAD + b"X-A: b\r\n c\r\n" + LENGTH + b"\r\n" + BODY,
    "folded TE": HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + ONE_CHUNK,
    "bare LF lines": HEAD.replace(b"\r\n", b"\n") + LENGTH.replace(b"\r\n", b"\n") + b"\n" + BODY + b"\r\n\r\n",
    "one bare LF": HEAD + b"X-A: b\nX-B: c\r\n" + LENGTH + b"\r\n" + BODY,
    "bare CR": HEAD + b"X-A: b\rX-B: c\r\n" + LENGTH + b"\r\n" + BODY,
    "NUL": HEAD + b"X-A: b\0c\r\n" + LENGTH + b"\r\n" + BODY,
    "NUL in a name": HEAD + b"X\0A: b\r\n" + LENGTH + b"\r\n" + BODY,
    "space in a name": HEAD + b"X A: b\r\n" + LENGTH + b"\r\n" + BODY,
    "no name": HEAD + b": b\r\n" + LENGTH + b"\r\n" + BODY,
    "no colon": HEAD + b"nothing\r\n" + LENGTH + b"\r\n" + BODY,
    "no host": START + LENGTH + b"\r\n" + BODY,
    "two hosts": HEAD + b"Host: evil\r\n" + LENGTH + b"\r\n" + BODY,
    "first header folded": START + b" Host: h\r\n" + LENGTH + b"\r\n" + BODY,
    "no version": b"POST /v1/chat/completions\r\nHost: h\r\n\r\n",
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/1.2": HEAD.replace(b"HTTP/1.1", b"HTTP/1.2") + LENGTH + b"\r\n" + BODY,
    "HTTP/11": HEAD.replace(b"HTTP/1.1", b"HTTP/11") + LENGTH + b"\r\n" + BODY,
    "lower-case version": HEAD.replace(b"HTTP/1.1", b"http/1.1") + LENGTH + b"\r\n" + BODY,
    "two spaces": HEAD.replace(b"POST /", b"POST  /") + LENGTH + b"\r\n" + BODY,
    "tab for a space": HEAD.replace(b"POST /", b"POST\t/") + LENGTH + b"\r\n" + BODY,
    "absolute form": HEAD.replace(b" /v1", b" http://169.254.169.254/v1") + LENGTH + b"\r\n" + BODY,
    "authority form": b"CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: h\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
    "method with CR": b"PO\rST / HTTP/1.1\r\nHost: h\r\n\r\n",
    "path with controls": HEAD.replace(b"completions HTTP", b"completions\x0b HTTP") + LENGTH + b"\r\n" + BODY,
    "path with bytes": HEAD.replace(b"completions HTTP", b"completions\xff HTTP") + LENGTH + b"\r\n" + BODY,
    "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "chunk size minus": HEAD + CHUNKED + b"\r\n-1\r\n" + BODY,
    "chunk size plus": HEAD + CHUNKED + b"\r\n+%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
    "chunk size 0x": HEAD + CHUNKED + b"\r\n0x%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
    "chunk size underscore": HEAD + CHUNKED + b"\r\n1_0\r\n%s\r\n0\r\n\r\n" % BODY,
    "chunk size space": HEAD + CHUNKED + b"\r\n%x \r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
    "chunk size huge": HEAD + CHUNKED + b"\r\nffffffffffffffffff\r\n" + BODY,
    "chunk size 2**64 + n": HEAD + CHUNKED + b"\r\n1%016x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n",
    "chunk size empty": HEAD + CHUNKED + b"\r\n\r\n" + BODY,
    "chunk bare LF": HEAD + CHUNKED + b"\r\n%x\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
    "chunk ended by LF": HEAD + CHUNKED + b"\r\n%x\r\n%s\n0\r\n\r\n" % (len(BODY), BODY),
    "chunk too long": HEAD + CHUNKED + b"\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY) - 3, BODY),
    "chunk extension endless": HEAD + CHUNKED + b"\r\n%x;" % len(BODY) + b"a" * 70_000,
    "chunk extension with LF": HEAD + CHUNKED + b"\r\n%x;a\nb\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
    "trailer smuggles": HEAD + CHUNKED + b"\r\n%x\r\n%s\r\n0\r\nContent-Length: 9\nX: y\r\n\r\n" % (len(BODY), BODY),
}
REFUSED = {400, 404, 405, 413, 431, 501, 505}


def with_gateway(folder: Path, body: Body) -> None:
    """A gateway, and after the test: no connection of a client is left, and the upstream saw nothing odd."""

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            async with running_gateway(settings_for(folder, [main], models_at(main, "good"))) as gateway:
                await body(upstream, gateway)
                await gateway.settled()
                assert not upstream.oddities
                assert len(gateway.calls) == len(upstream.asked)

    run(test())


def test_the_smuggling_corpus(tmp_path: Path) -> None:
    async def one(gateway: RunningGateway, name: str) -> str | None:
        async with raw_client(gateway.url) as client:
            try:
                await client.send(SMUGGLING[name])
                answer = await client.answer()
                is_closed = await client.is_closed()
            except (ConnectionError, asyncio.IncompleteReadError):
                return f"{name}: closed without a word"
            if answer.status not in REFUSED:
                return f"{name}: {answer.status}"
            return None if is_closed else f"{name}: {answer.status}, and the connection stays open"

    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        wrong = [each for each in await asyncio.gather(*(one(gateway, name) for name in SMUGGLING)) if each]
        assert not wrong
        assert not upstream.asked, "none of it went on"

    with_gateway(tmp_path, body)


GOOD: dict[str, bytes] = {
    "length": HEAD + LENGTH + b"\r\n" + BODY,
    "one chunk": HEAD + CHUNKED + b"\r\n" + ONE_CHUNK,
    "upper-case hex, extensions": HEAD
    + CHUNKED
    + b"\r\n%X;a=1\r\n%s\r\n%X\r\n%s\r\n000\r\n\r\n" % (20, BODY[:20], len(BODY) - 20, BODY[20:]),
    "trailers": HEAD + CHUNKED + b"\r\n%x\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(BODY), BODY),
    "strange case": HEAD.replace(b"Content-Type", b"cOnTeNt-TyPe") + b"TRANSFER-ENCODING: Chunked\r\n\r\n" + ONE_CHUNK,
    "spaces around values": HEAD + b"Content-Length: \t %d \t\r\n\r\n" % len(BODY) + BODY,
    "leading zeros": HEAD + b"Content-Length: 000%d\r\n\r\n" % len(BODY) + BODY,
    "a line before": b"\r\n" + HEAD + LENGTH + b"\r\n" + BODY,
    "a query": HEAD.replace(b"completions HTTP", b"completions?api-version=1 HTTP") + LENGTH + b"\r\n" + BODY,
}


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_good_requests_in_pieces_of_any_size(size: int, tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        for name, data in GOOD.items():
            async with raw_client(gateway.url) as client:
                for at in range(0, len(data), size):
                    client.writer.write(data[at : at + size])
                    if size < 100 and at % 97 < size:
                        await asyncio.sleep(0)
                assert (await client.answer()).status == 200, name
        assert [each.document for each in upstream.asked] == [chat("good")] * len(GOOD)
        assert all(each.header("transfer-encoding") is None for each in upstream.asked)

    with_gateway(tmp_path, body)


def test_pipelined_requests_are_answered_in_their_order(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with raw_client(gateway.url) as client:
            texts = [f"number {number}" for number in range(20)]
            key = {"Authorization": f"Bearer {SECRET}"}
            await client.send(b"".join(request("/v1/chat/completions", chat("good", text), key) for text in texts))
            for _ in texts:
                assert (await client.answer()).status == 200
            assert [each.document["messages"][0]["content"] for each in upstream.asked] == texts

    with_gateway(tmp_path, body)


def test_what_follows_a_good_request_is_no_part_of_it(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with raw_client(gateway.url) as client:
            await client.send(GOOD["length"] + b"GPOST / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert (await client.answer()).status == 200
            assert (await client.answer()).status in REFUSED
        assert len(upstream.asked) == 1 and upstream.asked[0].body == BODY

    with_gateway(tmp_path, body)


async def _continues(client: RawClient) -> None:
    head = HEAD + LENGTH + b"Expect: 100-continue\r\n\r\n"
    await client.send(head)
    assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
    await client.send(BODY)
    assert (await client.answer()).status == 200


def test_expect_continue(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with raw_client(gateway.url) as client:
            await _continues(client)
            await _continues(client)
            await client.send(HEAD + b"Content-Length: 99000000\r\nExpect: 100-continue\r\n\r\n")
            answer = await client.answer()
            assert answer.status == 413 and not answer.interim, "it is not told to send what is refused"

    with_gateway(tmp_path, body)


def test_head_and_options(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with raw_client(gateway.url) as client:
            await client.send(b"HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
            head = await client.head()
            assert head.status == 200
            await client.send(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
            assert (await client.answer()).document == {"status": "ok"}, "the answer to HEAD had no body"
            await client.send(b"GET /v1/chat/completions HTTP/1.1\r\nHost: h\r\n\r\n")
            answer: Any = await client.answer()
            assert answer.status == 405 and "POST" in (answer.header("allow") or "")

    with_gateway(tmp_path, body)
