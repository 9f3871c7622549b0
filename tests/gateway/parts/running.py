"""A gateway in the running loop: the real relay and the real engine, its Calls in a list, its counters at hand."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvloop

from breakeven.gateway.admission.engine import Engine
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.limits.shared_limits import SharedLimits
from breakeven.gateway.metering.audit_keeping import AuditKeeping
from breakeven.gateway.relay import server
from breakeven.gateway.telemetry.counters import Counters
from gateway.parts.raw_client import RawAnswer, ask
from gateway.parts.settings_for_tests import SECRET

WAIT_S = 10.0


def run(test: Coroutine[Any, Any, None]) -> None:
    """On the loop that the relay has in production."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test)
        runner.run(asyncio.sleep(0.002))  # uvloop closes what was aborted in its next rounds


@dataclass
class KeptCalls:
    """A sink that keeps its lines."""

    lines: list[bytes] = field(default_factory=list)

    def put(self, line: bytes) -> None:
        """One Call."""
        assert line.endswith(b"\n") and line.count(b"\n") == 1
        self.lines.append(line)

    def written(self) -> Awaitable[None]:
        """At once."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


@dataclass
class RunningGateway:
    """What a test can ask of it."""

    relay: server.Relay
    engine: Engine
    sink: KeptCalls
    counters: Counters

    @property
    def url(self) -> str:
        """Its address, without /v1."""
        return f"http://127.0.0.1:{self.relay.port}"

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What was recorded, in order."""
        self.engine.record_lanes()
        return [json.loads(line) for line in self.sink.lines]

    def calls_of(self, model: str) -> list[dict[str, Any]]:
        """Calls of one model."""
        return [each for each in self.calls if each["model_key"] == model]

    def statuses(self) -> Counter[str]:
        """Calls by status."""
        return Counter(each["status"] for each in self.calls)

    async def ask(
        self, document: Any, path: str = "/v1/chat/completions", headers: dict[str, str] | None = None
    ) -> RawAnswer:
        """One request under the tests' key, on a connection of its own."""
        return await ask(self.url, document, path, {"Authorization": f"Bearer {SECRET}"} | (headers or {}))

    async def settled(self) -> None:
        """Nothing is under way any longer."""
        await until(lambda: self.relay.open_requests_count == 0)


@asynccontextmanager
async def running_gateway(
    settings: GatewaySettings,
    policy: Any = None,
    now: Callable[[], float] = time.time,
    may_use_lanes: bool = True,
) -> AsyncIterator[RunningGateway]:
    """A gateway that listens at a free port until the end of the block."""
    counters, sink = Counters(), KeptCalls()
    settings.state_folder.mkdir(parents=True, exist_ok=True)
    limits = SharedLimits(settings.state_folder / "limits.bin", settings.keys, 0)
    engine = Engine(settings, policy, limits, sink, counters, now=now, may_use_lanes=may_use_lanes)
    audit = AuditKeeping(settings.state_folder, 0, counters)
    relay = await server.start(settings, engine, sink, counters, audit=audit)
    try:
        yield RunningGateway(relay, engine, sink, counters)
    finally:
        await relay.close()
        audit.close()


async def until(holds: Callable[[], bool], within_s: float = WAIT_S) -> float:
    """Waits until it holds; how long that took, in seconds."""
    start_s = time.monotonic()
    while not holds():
        assert time.monotonic() - start_s < within_s, "it never came to hold"
        await asyncio.sleep(0.002)
    return time.monotonic() - start_s
