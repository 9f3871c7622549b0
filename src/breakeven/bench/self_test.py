"""Self-test: what the generator itself costs, measured against a mock server in a process of its own.

Processor time per request and per event come from two runs whose answers have one and many tokens. The lag of an event
is the time from its sending by the mock to its time stamp here: the kernel, the client and its queue of other events.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from breakeven.bench.document import Spread
from breakeven.bench.endpoint import endpoint_at
from breakeven.bench.generator import Generator, LevelRun, Say
from breakeven.bench.http_client import connected
from breakeven.bench.load import ClosedLoop, Lengths, Limits
from breakeven.bench.mock_server import MODEL
from breakeven.bench.prompts import PromptMaker, Tokenisation
from breakeven.bench.summary import spread
from breakeven.errors import BenchError
from breakeven.units import MS_PER_S

_INPUT_TOKENS: Final = 256
_MANY_TOKENS: Final = 129
_PACE_MS: Final = 10.0
_LAG_USERS_COUNT: Final = 16


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What the generator costs and what it can drive, on this machine and now."""

    request_cpu_ms: float
    """Processor time of one request with one token."""
    event_cpu_ms: float
    """Processor time of one further event."""
    first_token_ms: Spread
    """Time to first token that an idle mock server, which answers at once, seems to have."""
    event_lag_ms: Spread
    """From the sending of an event to its time stamp, at `lag_tok_per_s`."""
    lag_tok_per_s: float
    driven_req_per_s: float
    """Requests per second that were driven, one token each; the mock server uses another core of the same machine."""
    driven_tok_per_s: float
    """Events per second that were driven, one token each."""
    users_count: int
    """Concurrency of the two figures above."""
    requests_count: int
    """Requests sent in all."""
    failures_count: int


def self_test(say: Say, *, users_count: int = 64, scale_count: int = 4) -> SelfTest:
    """Measure the generator; `scale_count` multiplies the requests (4: a few seconds)."""
    return asyncio.run(_self_test(say, users_count, scale_count))


async def _self_test(say: Say, users: int, scale: int) -> SelfTest:
    with mock_process() as port:
        say("requests with one token")
        alone = await _run(port, ClosedLoop(1, 25 * scale), 1)
        short = await _run(port, ClosedLoop(users, 2 * users * scale), 1)
        say("requests with many tokens")
        long = await _run(port, ClosedLoop(users, users * scale), _MANY_TOKENS)
    lags: list[float] = []
    with mock_process("--tpot-ms", str(_PACE_MS)) as port:
        say("lag of events")
        paced = await _run(port, ClosedLoop(_LAG_USERS_COUNT, _LAG_USERS_COUNT * scale // 2 or 1), _MANY_TOKENS, lags)
    runs = (alone, short, long, paced)
    failed = sum(each.failed_count for each in runs)
    if failed:
        seen = next(each for run in runs for each in run.records if not each.succeeded)
        raise BenchError(
            f"the mock server failed {failed} requests ({seen.failure}: {seen.detail}); is the machine busy?"
        )
    request_cpu_s = short.cpu_s / short.succeeded_count
    event_cpu_s = (long.cpu_s / long.succeeded_count - request_cpu_s) / (_MANY_TOKENS - 1)
    return SelfTest(
        request_cpu_ms=request_cpu_s * MS_PER_S,
        event_cpu_ms=event_cpu_s * MS_PER_S,
        first_token_ms=_some([each.ttft_ms for each in alone.records]),
        event_lag_ms=_some(lags),
        lag_tok_per_s=paced.tokens_count / (paced.ended_s - paced.started_s),
        driven_req_per_s=short.succeeded_count / (short.ended_s - short.started_s),
        driven_tok_per_s=long.tokens_count / (long.ended_s - long.started_s),
        users_count=users,
        requests_count=sum(len(each.records) for each in runs),
        failures_count=failed,
    )


async def _run(port: int, level: ClosedLoop, output_tokens: int, lags_ms: list[float] | None = None) -> LevelRun:
    found: list[float] = []

    def observe(at_s: float, data: bytes) -> None:
        found.append((at_s - json.loads(data)["sent_s"]) * MS_PER_S)

    lengths = Lengths(_INPUT_TOKENS, output_tokens)
    prompts = PromptMaker(0, "self-test", lengths, Tokenisation())
    endpoint = endpoint_at(f"127.0.0.1:{port}", MODEL, "chat")
    async with connected(Limits(), {}, None if lags_ms is None else observe) as client:
        generator = Generator(client, endpoint, prompts, asyncio.Event(), lambda _: None)
        await generator.run(ClosedLoop(level.concurrency_count, level.concurrency_count), "warm-up")
        found.clear()
        run = await generator.run(level, "run")
    if lags_ms is not None:
        lags_ms += found
    return run


@contextmanager
def mock_process(*options: str) -> Iterator[int]:
    """A mock server in a process of its own; gives its port."""
    command = [sys.executable, "-m", "breakeven.bench.mock_server", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line.strip().isdigit():
                raise BenchError(f"the mock server did not start: {' '.join(command)} printed {line!r}")
            yield int(line)
        finally:
            process.terminate()


def _some(values: Sequence[float]) -> Spread:
    found = spread(values)
    assert found is not None
    return found
