"""Fuzzed bodies and heads: never an error of ours (5xx), never a hang, no growth of memory, no descriptor left open.

`BREAKEVEN_FUZZ_COUNT=100000 pytest tests/gateway/security/test_fuzz.py` is the long run.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from breakeven.gateway.config.settings import Timeouts
from gateway.parts.fault_scripts import Repertoire
from gateway.parts.raw_client import RawClient, chat, raw_client, request
from gateway.parts.running import RunningGateway, run, running_gateway, until
from gateway.parts.scripted_upstream import scripted_upstream
from gateway.parts.settings_for_tests import SECRET, key, models_at, settings_for, upstream_at

COUNT = int(os.environ.get("BREAKEVEN_FUZZ_COUNT", "2000"))
CONNECTIONS = 8
ROUNDS = 25
PATHS = ("chat/completions", "completions", "embeddings", "responses", "messages", "messages/count_tokens")
KEYS = (
    *("model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "tools", "system"),
    *("tool_choice", "input", "prompt", "content", "role", "type", "text", "image_url", "url", "source", "data", "id"),
    *("name", "function", "arguments", "parameters", "tool_calls", "tool_call_id", "tool_use_id", "is_error", "user"),
    *("thinking", "response_format", "json_schema", "schema", "stop", "temperature", "cache_control", "include_usage"),
)
SCALARS: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63, -(2**63), 10**30, 1e308, 0.1, -0.0, "", "good", "claude", "user"),
    *("system", "assistant", "tool", "text", "image", "tool_use", "tool_result", "x" * 3_000, "\ud800", "\0", "é🦊"),
    *("data:,", "auto", "http://127.0.0.1/", "\r\nX-Evil: 1", "function", "ephemeral", "json_object", "../..", "%s%n"),
)


def value(draw: random.Random, depth: int) -> Any:
    """Anything JSON can say, with the names that the APIs use."""
    kind = draw.random()
    if depth <= 0 or kind < 0.5:
        return draw.choice(SCALARS)
    if kind < 0.75:
        return [value(draw, depth - 1) for _ in range(draw.randrange(4))]
    return {draw.choice(KEYS): value(draw, depth - 1) for _ in range(draw.randrange(5))}


def message(draw: random.Random) -> Any:
    """Nearly a message."""
    content = draw.choice(["hello", "", None, [{"type": "text", "text": "hello"}], value(draw, 3)])
    made = {"role": draw.choice(["user", "assistant", "system", "tool", "developer"]), "content": content}
    if draw.random() < 0.3:
        made[draw.choice(KEYS)] = value(draw, 3)
    return made


def body(draw: random.Random) -> bytes:
    """Nearly a request; some of them broken as bytes."""
    document: Any = {"model": draw.choice(["good", "good", "claude", value(draw, 1)])}
    document["messages"] = [message(draw) for _ in range(draw.randrange(4))] if draw.random() < 0.9 else value(draw, 3)
    document["input" if draw.random() < 0.5 else "prompt"] = draw.choice(["hello", ["a", "b"], value(draw, 3)])
    for _ in range(draw.randrange(5)):
        document[draw.choice(KEYS)] = value(draw, 4)
    if draw.random() < 0.05:
        document = value(draw, 6)
    data = json.dumps(document).encode()
    if draw.random() < 0.3:
        data = broken(draw, data)
    return data


def broken(draw: random.Random, data: bytes) -> bytes:
    """Bytes put in, taken away, doubled, cut."""
    mutable = bytearray(data)
    for _ in range(draw.randrange(1, 4)):
        at = draw.randrange(len(mutable) + 1)
        how = draw.randrange(5)
        if how == 0:
            mutable[at:at] = draw.randbytes(draw.randrange(1, 4))
        elif how == 1:
            del mutable[at : at + draw.randrange(1, 9)]
        elif how == 2:
            mutable[at:at] = mutable[max(0, at - 20) : at]
        elif how == 3:
            mutable[at:at] = draw.choice([b"\\u0000", b'"', b"\\ud83d", b"[" * 1_100, b"\xff", b"1e999", b"//", b"\\"])
        else:
            del mutable[at:]
    return bytes(mutable)


async def one(client: RawClient, draw: random.Random, wrong: list[str]) -> None:
    """One fuzzed body; what must hold of every answer."""
    path, data = f"/v1/{draw.choice(PATHS)}", body(draw)
    await client.send(request(path, headers={"Authorization": f"Bearer {SECRET}"}, body=data))
    answer = await client.answer()
    if answer.status >= 500 or not answer.is_whole or answer.header("x-evil") is not None:
        wrong.append(f"{answer.status} {path} {data[:400]!r} -> {answer.body[:200]!r}")
    elif answer.status >= 400:
        assert answer.document["error"]["message"]
        assert answer.header("x-breakeven-request-id")


def test_fuzzed_bodies(tmp_path: Path) -> None:
    process = psutil.Process()

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main, other = upstream_at(upstream.port), upstream_at(upstream.port, "b", "anthropic")
            models = models_at(main, "good") | models_at(other, "claude")
            keys = (key(budget_usd=1e6, tokens_per_minute=1e12, requests_per_minute=1e9),)
            settings = settings_for(tmp_path, [main, other], models, keys=keys, default_model="good")
            settings = replace(settings, timeouts=Timeouts())
            async with running_gateway(settings) as gateway:
                wrong: list[str] = []

                async def many(seed: int, count: int) -> None:
                    draw = random.Random(seed)
                    async with raw_client(gateway.url) as client:
                        for _ in range(count):
                            await one(client, draw, wrong)

                held = []
                for number in range(ROUNDS):  # what the test keeps is given away after each
                    seeds = range(number * CONNECTIONS, (number + 1) * CONNECTIONS)
                    await asyncio.gather(*(many(seed, COUNT // ROUNDS // CONNECTIONS) for seed in seeds))
                    held.append(_held(process, gateway, upstream))
                before, after = held[ROUNDS // 2], held[-1]
                assert not wrong, f"{len(wrong)} of {COUNT}: {wrong[:3]}"
                await gateway.settled()
                await until(lambda: gateway.relay.clients_count == 0)
                assert after[0] <= before[0] + CONNECTIONS, "descriptors"
                assert after[1] - before[1] < 12_000_000, f"memory: {[rss // 1_000_000 for _, rss in held]} MB"
                assert not [each for each in upstream.oddities if "unread" not in each]

    run(test())


def _held(process: psutil.Process, gateway: RunningGateway, upstream: Any) -> tuple[int, int]:
    """Open descriptors and resident bytes; what the test itself keeps is given away first."""
    assert len(gateway.calls_of("good")) == len(upstream.asked_for("good"))
    gateway.sink.lines.clear()
    upstream.asked.clear()
    gc.collect()
    return process.num_fds(), process.memory_info().rss


def head_pieces(draw: random.Random) -> Iterator[bytes]:
    """A request whose head was broken."""
    whole = request("/v1/chat/completions", chat("good"), {"Authorization": f"Bearer {SECRET}"})
    end = whole.index(b"\r\n\r\n")
    yield broken(draw, whole[:end]) + whole[end:]


def test_fuzzed_heads(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            async with running_gateway(settings_for(tmp_path, [main], models_at(main, "good"))) as gateway:
                draw = random.Random(7)
                for _ in range(COUNT // 5):
                    async with raw_client(gateway.url) as client:
                        for piece in head_pieces(draw):
                            await client.send(piece)
                        if client.writer.can_write_eof():
                            client.writer.write_eof()
                        try:
                            answer = await client.answer()
                        except (asyncio.IncompleteReadError, ConnectionError):
                            continue  # it asked for more than came: it is let go
                        assert answer.status < 500 or answer.status in {501, 505}, answer.body
                await gateway.settled()
                assert not upstream.oddities
                assert {each.path for each in upstream.asked} <= {f"/v1/{path}" for path in PATHS}
                assert (await gateway.ask(chat("good"))).status == 200

    run(test())
