"""A client that leaves, or reads slowly: its upstream is told at once, what was made is billed, memory is bounded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.parts.fault_scripts import Repertoire
from gateway.parts.llama import busy_slots, generated_tokens
from gateway.parts.raw_client import RawClient, chat, raw_client, request
from gateway.parts.running import RunningGateway, run, running_gateway, until
from gateway.parts.scripted_upstream import ScriptedUpstream, scripted_upstream
from gateway.parts.settings_for_tests import SECRET, SHORT, THREE_TRIES, models_at, settings_for, upstream_at

KEY = {"Authorization": f"Bearer {SECRET}"}
AT_ONCE_S = 0.1
LONG = replace(SHORT, first_byte_s=20.0, idle_s=20.0)
Body = Callable[[ScriptedUpstream, RunningGateway], Awaitable[None]]


def with_gateway(folder: Path, body: Body, *models: str, **more: Any) -> None:
    """Runs the test against a scripted upstream and a gateway."""

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            settings = settings_for(folder, [main], models_at(main, *models), **({"timeouts": LONG} | more))
            async with running_gateway(settings) as gateway:
                await body(upstream, gateway)

    run(test())


async def read_events(client: RawClient, count: int) -> None:
    """So many events of a stream."""
    for _ in range(count):
        await client.reader.readuntil(b"\n\n")


@pytest.mark.parametrize(
    ("model", "is_stream", "events_count"),
    [("endless", True, 3), ("endless", True, 40), ("endless", False, 0), ("stall_before", True, 0)],
)
def test_the_upstream_is_left_at_once(model: str, is_stream: bool, events_count: int, tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        waits_s = []
        for round_number in range(5):  # the machine may be busy in some of them, not in all
            async with raw_client(gateway.url) as client:
                await client.send(request("/v1/chat/completions", chat(model, stream=is_stream), KEY))
                await until(lambda n=round_number: len(upstream.asked) > n)  # type: ignore[misc]
                await read_events(client, events_count)
                left_s = time.monotonic()
                client.abort()
                asked = upstream.asked[-1]
                await until(lambda a=asked: a.left_monotonic_s is not None)  # type: ignore[misc]
            assert asked.left_monotonic_s is not None
            waits_s.append(asked.left_monotonic_s - left_s)
        assert min(waits_s) < AT_ONCE_S
        await gateway.settled()
        assert [each["status"] for each in gateway.calls] == ["cancelled"] * 5
        for call in gateway.calls:
            assert call["usage_estimated"] and call["input_tokens"] > 0 and call["cost_usd"] > 0
            assert (call["output_tokens"] > 0) is (events_count > 0)
        assert len(upstream.asked) == 5

    with_gateway(tmp_path, body, model)


def test_nobody_else_is_asked_for_a_client_that_left(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with raw_client(gateway.url) as client:
            await client.send(request("/v1/chat/completions", chat("stall_before"), KEY))
            await until(lambda: len(upstream.asked) == 1)
        await gateway.settled()
        await asyncio.sleep(0.05)
        assert [each.model for each in upstream.asked] == ["stall_before"]
        assert [each["status"] for each in gateway.calls] == ["cancelled"]

    more = {"fallbacks": {"stall_before": ("good",)}, "retries": THREE_TRIES}
    with_gateway(tmp_path, body, "stall_before", "good", **more)


def test_a_client_that_leaves_between_two_attempts_has_one_call(tmp_path: Path) -> None:
    slow_retries = replace(THREE_TRIES, backoff_base_s=5.0, backoff_max_s=5.0)

    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with raw_client(gateway.url) as client:
            await client.send(request("/v1/chat/completions", chat("status:429"), KEY))
            await until(lambda: len(upstream.asked) == 1 and upstream.asked[0].is_whole)
            await asyncio.sleep(0.05)
        await gateway.settled()
        assert len(upstream.asked) == len(gateway.calls) == 1
        assert gateway.calls[0]["status"] == "error"

    with_gateway(tmp_path, body, "status:429", retries=slow_retries)


def test_half_a_request_is_no_call(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        whole = request("/v1/chat/completions", chat("good"), KEY)
        for end in (1, 20, len(whole) // 2, len(whole) - 1):
            async with raw_client(gateway.url) as client:
                await client.send(whole[:end])
                await asyncio.sleep(0.005)
        await until(lambda: gateway.relay.clients_count == 0)
        assert not upstream.asked and not gateway.calls

    with_gateway(tmp_path, body, "good")


@pytest.mark.parametrize("is_stream", [False, True], ids=["plain", "stream"])
def test_a_slow_reader_holds_the_upstream_back(is_stream: bool, tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with raw_client(gateway.url, limit_bytes=1024) as client:
            await client.send(request("/v1/chat/completions", chat("flood", stream=is_stream), KEY))
            await client.head()
            asked, written = upstream.asked[0], -1
            while written < asked.written_bytes:  # until all buffers are full
                written = asked.written_bytes
                await asyncio.sleep(0.25)
            assert written < 40_000_000, "what nobody reads is not fetched"
            left = asked.written_bytes + 10_000_000
            while asked.written_bytes < left:  # reads on: more comes
                await client.reader.read(262_144)

    async def test() -> None:
        async with scripted_upstream(Repertoire({"flood": _flood})) as upstream:
            main = upstream_at(upstream.port)
            settings = settings_for(tmp_path, [main], models_at(main, "flood"), timeouts=LONG)
            async with running_gateway(settings) as gateway:
                await body(upstream, gateway)
                await gateway.settled()
                assert [each["status"] for each in gateway.calls] == ["cancelled"]

    run(test())


def _flood(asked: Any) -> Any:
    """200 MB: a stream of events of a few kilobytes, or one plain answer."""
    from gateway.parts.answers import STREAM_HEAD, chat_chunk, chunk, event
    from gateway.parts.fault_scripts import huge

    if not asked.is_stream:
        yield from huge(asked, 200)
        return
    yield STREAM_HEAD
    one = chunk(event(chat_chunk(asked, {"content": "word " * 800})))
    for _ in range(50_000):
        yield one


def test_a_client_that_stops_reading_is_let_go(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire({"flood": _flood})) as upstream:
            main = upstream_at(upstream.port)
            timeouts = replace(LONG, idle_s=0.3)
            settings = settings_for(tmp_path, [main], models_at(main, "flood"), timeouts=timeouts)
            async with running_gateway(settings) as gateway, raw_client(gateway.url, limit_bytes=1024) as client:
                await client.send(request("/v1/chat/completions", chat("flood", stream=True), KEY))
                await client.head()
                await gateway.settled()
                assert [each["status"] for each in gateway.calls] == ["cancelled"]
                await until(lambda: upstream.asked[0].left_monotonic_s is not None)

    run(test())


def test_a_real_server_stops_generating(llama_url: str, tmp_path: Path) -> None:
    port = int(llama_url.rsplit(":", 1)[1])

    async def test() -> None:
        main = upstream_at(port)
        settings = settings_for(tmp_path, [main], models_at(main, "tiny"), timeouts=LONG)
        async with running_gateway(settings) as gateway:
            for events_count in (0, 5):  # it stops for streams only: a plain answer it makes to its end
                before = await asyncio.to_thread(generated_tokens, llama_url)
                async with raw_client(gateway.url) as client:
                    document = chat("tiny", stream=True, max_tokens=900, ignore_eos=True)
                    await client.send(request("/v1/chat/completions", document, KEY))
                    while not await asyncio.to_thread(busy_slots, llama_url):
                        await asyncio.sleep(0.001)
                    await read_events(client, events_count)
                while await asyncio.to_thread(busy_slots, llama_url):
                    await asyncio.sleep(0.01)
                made = await asyncio.to_thread(generated_tokens, llama_url) - before
                assert made < 600, "it was told to stop"
            await gateway.settled()
            assert [each["status"] for each in gateway.calls] == ["cancelled", "cancelled"]
            assert gateway.calls[1]["usage_estimated"] and gateway.calls[1]["output_tokens"] > 0

    run(test())
