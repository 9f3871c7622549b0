"""Speed of metering and limits: what one request costs before its answer is gone.

    python benchmarks/gateway_metering.py

Microseconds of CPU time for each call, the best of many short rounds (other work on the machine only adds). Compaction
is calls per second of one core. Redis runs on this machine where `redis-server` is installed; its rows are times of a
round trip with one request, and with 100 requests, under way.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from breakeven.gateway.limits.redis_limits import RedisLimits
from breakeven.gateway.limits.shared_limits import SharedLimits
from breakeven.gateway.metering.call_line import call_line, call_lines
from breakeven.gateway.metering.compaction import compact_once
from breakeven.gateway.metering.pricing import cost_usd
from breakeven.gateway.metering.segments import Segment
from breakeven.gateway.metering.write_ahead import WriteAhead, write_ahead_folder
from breakeven.gateway.plan import Key
from gateway.metering.calls_made import MINI, attempt, plan

ROUNDS_COUNT = 200
TIMES_COUNT = 1_000
NOW_S = 1_795_694_400.0
KEY = Key("k", bytes(32), budget_usd=1e6, requests_per_minute=1e9, tokens_per_minute=1e12)


def best_us(work: Callable[[], object], rounds_count: int = ROUNDS_COUNT, times_count: int = TIMES_COUNT) -> float:
    """CPU time of one call of `work`, microseconds, less that of calling nothing."""
    return _round_us(work, rounds_count, times_count) - _round_us(lambda: None, rounds_count, times_count)


def _round_us(work: Callable[[], object], rounds_count: int, times_count: int) -> float:
    found = float("inf")
    for _ in range(rounds_count):
        started_s = time.process_time()
        for _ in range(times_count):
            work()
        found = min(found, time.process_time() - started_s)
    return found / times_count * 1e6


def lines() -> None:
    """Call lines and costs."""
    asked, tried = plan(trace_id="f" * 32, groups={"system_hash": "a" * 16}), [attempt()]
    print_row("call_line", best_us(lambda: call_line(asked, tried[0])))
    print_row("call_lines (one attempt)", best_us(lambda: call_lines(asked, tried)))
    print_row("cost_usd", best_us(lambda: cost_usd(MINI.price, tried[0].tokens)))


async def sink(folder: Path) -> None:
    """Putting lines, with the writer's thread at work."""
    line = call_line(plan(trace_id="f" * 32), attempt())
    log = WriteAhead(folder, 0)
    log.start(asyncio.get_running_loop())
    found = float("inf")
    for _ in range(60):
        started_s = time.perf_counter()
        for _ in range(200):
            log.put(line)
        found = min(found, time.perf_counter() - started_s)
        await asyncio.sleep(0.005)
    print_row(f"put ({len(line)} bytes)", found / 200 * 1e6)
    count = 200_000
    cpu_s = time.process_time()
    for i in range(count):
        log.put(line)
        if i % 500 == 0:
            await asyncio.sleep(0)
    log.close(60.0)
    print_row("put, written and synced, all threads (CPU)", (time.process_time() - cpu_s) / count * 1e6)
    log = WriteAhead(folder, 1, "request")
    log.start(asyncio.get_running_loop())
    for at_once in (1, 64):
        waits = []
        for _ in range(100):
            started_s = time.perf_counter()
            log.put(line)
            await asyncio.gather(*(log.written() for _ in range(at_once)))
            waits.append(time.perf_counter() - started_s)
        print_row(f"written(), {at_once} at once: median wait", sorted(waits)[50] * 1e6)
    log.close()


def shared(folder: Path) -> None:
    """Reserving and settling in the shared file."""
    for is_shared in (False, True):
        limits = SharedLimits(folder / f"limits-{is_shared}.bin", [KEY], is_shared=is_shared)

        def both(limits: SharedLimits = limits) -> None:
            limits.settle(cast("Any", limits.reserve(KEY, 0.0001, 100, NOW_S)), 0.0001, 50)

        print_row(f"reserve + settle, memory, {'locked' if is_shared else 'one process'}", best_us(both))


async def redis(folder: Path) -> None:
    """Reserving and settling in Redis."""
    if shutil.which("redis-server") is None:
        print("no redis-server here")
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1", "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    limits = RedisLimits(f"redis://127.0.0.1:{port}/0", timeout_s=5.0)
    try:
        for at_once in (1, 100):
            spent = []
            for _ in range(30):
                started_s = time.perf_counter()
                asked = (cast("Awaitable[Any]", limits.reserve(KEY, 0.0001, 100, NOW_S)) for _ in range(at_once))
                found = await asyncio.gather(*asked)
                for each in found:
                    limits.settle(each, 0.0001, 50)
                while limits.waiting_count:
                    await asyncio.sleep(0)
                spent.append((time.perf_counter() - started_s) / at_once)
            print_row(f"reserve + settle, Redis, {at_once} at once", sorted(spent)[15] * 1e6)
    finally:
        await limits.close()
        server.kill()
        server.wait()


def compaction(folder: Path) -> None:
    """Write-ahead log to Parquet."""
    state = folder / "state"
    log = write_ahead_folder(state)
    log.mkdir(parents=True)
    count = 50_000
    segment = Segment(log, "relay-0-0")
    segment.write(b"".join(call_line(plan(f"r{i}"), attempt(started_unix_s=NOW_S + i / 10)) for i in range(count)))
    segment.close()
    started_s = time.process_time()
    done = compact_once(state, spill=folder / "spill")
    print_row("compaction, each Call", (time.process_time() - started_s) / done.calls_count * 1e6)
    bytes_count = sum(each.stat().st_size for each in (state / "calls").rglob("*.parquet"))
    print_row("Parquet, bytes each Call", bytes_count / done.calls_count)


def print_row(name: str, value: float) -> None:
    """One row."""
    print(f"{name:<48}{value:>10.2f}")


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{'':<48}{'us':>10}")
        lines()
        asyncio.run(sink(folder / "log"))
        shared(folder)
        asyncio.run(redis(folder))
        compaction(folder)


if __name__ == "__main__":
    main()
