"""Streams on a lane against streams that take the ordinary way: the same answers, records, limits and counters."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from breakeven.gateway.config.settings import Breaker, Retries, Timeouts
from breakeven.gateway.relay.dispatch import Dispatch
from breakeven.gateway.relay.lane_stream import LaneStream
from gateway.parts.answers import DONE, STREAM_HEAD, chat_chunk, chat_events, chunk, event, stream
from gateway.parts.fault_scripts import Repertoire, all_endings
from gateway.parts.raw_client import chat, raw_client
from gateway.parts.running import RunningGateway, run, running_gateway, until
from gateway.parts.scripted_upstream import Asked, Step, scripted_upstream
from gateway.parts.settings_for_tests import PRICE, key, models_at, settings_for, upstream_at
from gateway.relay.test_express import WARM, Said, compared, said

LONG_COUNT = 30_000
"""Words of a stream that no socket's buffers hold."""


@dataclass
class Ways:
    """How streams went on lanes: to their end, or over to an Exchange."""

    ended: list[bool] = field(default_factory=list)
    left: list[bool] = field(default_factory=list)
    """Whether the head had gone out, of each that left."""


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    found = Ways()
    end, leave = LaneStream.answer_end, LaneStream._dispatch

    def ended(self: LaneStream) -> None:
        left_count = len(found.left)
        end(self)
        if len(found.left) == left_count:
            found.ended.append(True)

    def left(self: LaneStream, is_connected: bool = True) -> Dispatch:
        found.left.append(self._is_head_sent)
        return leave(self, is_connected)

    monkeypatch.setattr(LaneStream, "answer_end", ended)
    monkeypatch.setattr(LaneStream, "_dispatch", left)
    return found


def streamed(model: str, prompt: str = "Hi", **more: Any) -> Said:
    """A request for a stream."""
    return said(chat(model, prompt, stream=True) | more)


def _whole(asked: Asked) -> Iterator[Step]:
    """Head, pieces and end in one write."""
    yield STREAM_HEAD + b"".join(map(chunk, chat_events(asked, 4))) + b"0\r\n\r\n"


def _cut(asked: Asked) -> Iterator[Step]:
    """The same bytes, cut anywhere."""
    data = STREAM_HEAD + b"".join(map(chunk, chat_events(asked, 6))) + b"0\r\n\r\n"
    for at in range(0, len(data), 97):
        yield data[at : at + 97]
        yield 0.001


def _many_in_a_chunk(asked: Asked) -> Iterator[Step]:
    yield from stream([b"".join(chat_events(asked, 9))])


def _own_head(asked: Asked) -> Iterator[Step]:
    """What of another head the client gets is that of its own stream."""
    own = b"x-request-id: upstream-%d\r\nServer: x\r\n" % asked.number
    yield STREAM_HEAD.replace(b"Content-Type", own + b"Content-Type")
    yield from list(stream(chat_events(asked, 5)))[1:]


def _comments(asked: Asked) -> Iterator[Step]:
    yield from stream([b": wait\n\n", *chat_events(asked, 3)[:-1], b": done\n\n", DONE])


def _nothing_but_the_mark(asked: Asked) -> Iterator[Step]:
    yield from stream([DONE])


def _nothing(asked: Asked) -> Iterator[Step]:
    yield from stream([])


def _refusal_in_a_stream(asked: Asked) -> Iterator[Step]:
    """A status that is none, with the type of a stream."""
    yield STREAM_HEAD.replace(b"200 OK", b"503 Busy")
    yield from list(stream(chat_events(asked, 2)))[1:]


def _of_known_length(asked: Asked) -> Iterator[Step]:
    body = b"".join(chat_events(asked, 3))
    yield STREAM_HEAD.replace(b"Transfer-Encoding: chunked", b"Content-Length: %d" % len(body)) + body


def _zipped(asked: Asked) -> Iterator[Step]:
    yield STREAM_HEAD.replace(b"Content-Type", b"Content-Encoding: gzip\r\nContent-Type")
    yield from list(stream(chat_events(asked, 2)))[1:]


def _rest_after_the_end(asked: Asked) -> Iterator[Step]:
    yield from stream(chat_events(asked, 2))
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


SCRIPTS = {
    each.__name__.lstrip("_"): each
    for each in (
        _whole,
        _cut,
        _many_in_a_chunk,
        _own_head,
        _comments,
        _nothing_but_the_mark,
        _nothing,
        _refusal_in_a_stream,
        _of_known_length,
        _zipped,
        _rest_after_the_end,
    )
}


def test_good_streams_stay_on_their_lane(tmp_path: Path, ways: Ways) -> None:
    asks_usage = {"stream_options": {"include_usage": True}}
    corpus = [WARM]
    for model in ("good", "good:300", "good:1", "tools", "unreported", *all_endings()):
        corpus += [streamed(model), streamed(model, "Straße " * 40), streamed(model, **asks_usage)]
    heard = compared(tmp_path, corpus, keys=(key(budget_usd=100.0, tokens_per_minute=1e9),))
    assert len(ways.ended) > len(corpus), "each is sent twice"
    assert len({call.get("finish_reason") for call in heard.calls if call["stream"]}) > 1
    assert any(call.get("usage_estimated") for call in heard.calls if call["stream"])
    assert all(call["cost_usd"] > 0 for call in heard.calls)


def test_streams_in_any_pieces_and_heads(tmp_path: Path, ways: Ways) -> None:
    corpus = [WARM]
    for name in SCRIPTS:
        corpus += [streamed(name), streamed(name, "again"), WARM]
    heard = compared(tmp_path, corpus, dict(SCRIPTS))
    assert len(ways.ended) >= 10 and ways.left
    ids = [dict(each[1]).get("x-request-id") for each in heard.answers]
    assert len(set(filter(None, ids))) == 4, "each stream has the id of its own head"


def test_faults_in_the_middle_are_an_exchanges(tmp_path: Path, ways: Ways) -> None:
    names = ("reset_mid_answer", "close_mid_answer", "end_without_mark", "error_event", "bad_chunk", "stall_mid_answer")
    more = ("error_event_first", "stall_in_head", "drip", "huge_event", "invalid_json", "status:503", "until_close")
    corpus = [WARM]
    for name in (*names, *more):
        corpus += [streamed(name), WARM]
    hedging = Retries(attempts_max_count=3, hedge_after_s=0.2, budget_fraction=1.0, backoff_base_s=0.001)
    heard = compared(tmp_path, corpus, retries=hedging, fallbacks=dict.fromkeys((*names[::2], *more), ("good",)))
    assert {True, False} == set(ways.left)
    assert any(not each[3] for each in heard.answers) and {"ok", "error"} <= {call["status"] for call in heard.calls}


@pytest.mark.parametrize("may_use_lanes", [True, False])
def test_a_stream_that_takes_too_long_is_broken_off(may_use_lanes: bool, tmp_path: Path, ways: Ways) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main, short = upstream_at(upstream.port), Timeouts(first_byte_s=0.4, idle_s=0.4, total_s=0.3)
            settings = settings_for(tmp_path, [main], models_at(main, "good", "slow:20"), timeouts=short)
            async with running_gateway(settings, may_use_lanes=may_use_lanes) as gateway:
                await gateway.ask(chat("good"))
                async with raw_client(gateway.url) as client:
                    await client.send(streamed("slow:20").raw)
                    answer = await client.answer()
                    assert not answer.is_whole and b"upstream_timeout" in answer.events[-1]
                await gateway.settled()
                assert gateway.calls[1]["error_type"] == "total_timeout"
        assert ways.left == ([True] if may_use_lanes else [])

    run(test())


@pytest.mark.parametrize("may_use_lanes", [True, False])
def test_who_leaves_a_stream_is_recorded_and_cancels_upstream(may_use_lanes: bool, tmp_path: Path, ways: Ways) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            settings = settings_for(tmp_path, [main := upstream_at(upstream.port)], models_at(main, "good", "endless"))
            async with running_gateway(settings, may_use_lanes=may_use_lanes) as gateway:
                await gateway.ask(chat("good"))
                async with raw_client(gateway.url) as client:
                    await client.send(streamed("endless").raw)
                    await client.head()
                    for _ in range(5):
                        await client.reader.readuntil(b"word ")
                await until(lambda: upstream.asked[1].left_monotonic_s is not None)
                await until(lambda: len(gateway.calls) == 2)
                call = gateway.calls[1]
                assert (call["status"], call["error_type"], call["usage_estimated"]) == (
                    "cancelled",
                    "client_gone",
                    True,
                )
                assert 5 <= call["output_tokens"] < 5_000 and call["ttft_s"] < call["duration_s"]
                await gateway.settled()
                assert gateway.engine.open_requests() == 0 and not gateway.relay.open_requests_count
        assert ways.left == ([True] if may_use_lanes else [])

    run(test())


@pytest.mark.parametrize("may_use_lanes", [True, False])
def test_a_drained_relay_ends_its_streams(may_use_lanes: bool, tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            settings = settings_for(tmp_path, [main := upstream_at(upstream.port)], models_at(main, "good", "slow:5"))
            async with running_gateway(settings, may_use_lanes=may_use_lanes) as gateway:
                await gateway.ask(chat("good"))
                async with raw_client(gateway.url) as client:
                    await client.send(streamed("slow:5").raw)
                    head = await client.head()
                    assert gateway.relay.open_requests_count == 1
                    draining = asyncio.create_task(gateway.relay.drain())
                    rest = await client.reader.read()
                    assert head.status == 200 and rest.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
                await draining
                assert [each["status"] for each in gateway.calls] == ["ok", "ok"]

    run(test())


def test_durability_that_is_asked_for_in_between_holds(tmp_path: Path) -> None:
    """A stream that began on a lane, and ends when answers wait for the disk."""

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            settings = settings_for(tmp_path, [main := upstream_at(upstream.port)], models_at(main, "good", "slow:5"))
            async with running_gateway(settings) as gateway:
                await gateway.ask(chat("good"))
                async with raw_client(gateway.url) as client:
                    await client.send(streamed("slow:5").raw)
                    await client.head()
                    _reload(gateway, durability="request")
                    assert (await client.reader.readuntil(b"\r\n0\r\n\r\n")).count(b"data: ") > 40
                    assert len(gateway.calls) == 2, "it is on the disk when its client hears the end"

    run(test())


def test_breakers_that_open_in_between_hear_of_a_stream_at_once(tmp_path: Path, ways: Ways) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            models = models_at(main := upstream_at(upstream.port), "good", "slow:5", "status:503")
            breaker = Breaker(failures_count=1, open_s=60.0)
            settings = settings_for(tmp_path, [main], models, breaker=breaker)
            async with running_gateway(settings) as gateway:
                await gateway.ask(chat("good"))
                async with raw_client(gateway.url) as client:
                    await client.send(streamed("slow:5").raw)
                    await client.head()
                    await gateway.ask(chat("status:503"))
                    assert gateway.engine.lanes.availability.is_troubled
                    await client.reader.readuntil(b"\r\n0\r\n\r\n")
                await gateway.settled()
                assert not gateway.engine.lanes.availability.is_troubled, "the server has answered"
        assert ways.left == [True]

    run(test())


def _reload(gateway: RunningGateway, **more: Any) -> None:
    settings = replace(gateway.engine._settings, **more)
    gateway.engine.reload(settings)
    gateway.relay.reload(settings)


def _long(asked: Asked) -> Iterator[Step]:
    yield STREAM_HEAD
    for _ in range(LONG_COUNT // 100):
        yield chunk(event(chat_chunk(asked, {"content": "word "}))) * 100
    yield from list(stream([event(chat_chunk(asked, {}, "stop")), DONE]))[1:]


@pytest.mark.parametrize("may_use_lanes", [True, False])
def test_a_client_that_reads_slowly_gets_every_word(may_use_lanes: bool, tmp_path: Path, ways: Ways) -> None:
    async def test(stack: ExitStack) -> None:
        async with scripted_upstream(Repertoire({"long": _long})) as upstream:
            main = upstream_at(upstream.port)
            settings = settings_for(tmp_path, [main], models_at(main, "good", "long"), timeouts=Timeouts(idle_s=20.0))
            async with running_gateway(settings, may_use_lanes=may_use_lanes) as gateway:
                await gateway.ask(chat("good"))
                loop, plug = asyncio.get_running_loop(), stack.enter_context(socket.socket())
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                plug.setblocking(False)
                where = urlsplit(gateway.url)
                await loop.sock_connect(plug, (str(where.hostname), where.port))
                await loop.sock_sendall(plug, streamed("long").raw)
                await asyncio.sleep(0.5)
                [client] = [each for each in gateway.relay._clients if each.under_way is not None]
                assert 0 < client.unsent_bytes_count < 2 * 2**20, "the upstream waits, too"
                got = b""
                while not got.endswith(b"\r\n0\r\n\r\n"):
                    piece = await asyncio.wait_for(loop.sock_recv(plug, 1 << 20), 30)
                    assert piece, "the stream goes on"
                    got += piece
                assert got.count(b"word ") == LONG_COUNT
                await gateway.settled()
                gateway.engine.record_lanes()
                call = gateway.calls[-1]
                assert (call["model_key"], call["status"], call["finish_reason"]) == ("long", "ok", "stop")
                assert gateway.engine.open_requests() == 0
        assert ways.left == ([True] if may_use_lanes else []), "an Exchange holds the upstream back"

    with ExitStack() as stack:
        run(test(stack))


def test_the_first_byte_and_the_last_are_told_apart(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            listed = models_at(main, "good", "slow:5", price=PRICE)
            async with running_gateway(settings_for(tmp_path, [main], listed)) as gateway:
                await gateway.ask(chat("good"))
                async with raw_client(gateway.url) as client:
                    await client.send(streamed("slow:5").raw)
                    assert (await client.answer()).events[-1] == b"[DONE]"
                gateway.engine.record_lanes()
                call = gateway.calls[-1]
                assert 0 < call["ttft_s"] < 0.15 < 0.2 <= call["duration_s"]

    run(test())
