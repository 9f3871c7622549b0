"""Soak: `breakeven serve` under steady traffic with faults: no Call lost or doubled, no unexpected answer, flat memory.

python benchmarks/soak.py MINUTES [--rate REQ_PER_S] [--processes N] [--dead-sink]

Everything is on loopback, and ends by itself. Half of the requests are streams, some clients leave in the middle, a
third of the upstreams' answers are faults. With `--dead-sink` every file that the relays write fails for the middle
third of the time: clients must not notice, memory must stay flat, what could not be written must be counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import uvloop

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from gateway.faults.table import TABLE
from gateway.parts.fault_scripts import Repertoire
from gateway.parts.raw_client import RawClient, chat, raw_client, request
from gateway.parts.scripted_upstream import ScriptedUpstream, scripted_upstream
from gateway.parts.served import Served, config, served, written_calls
from gateway.parts.settings_for_tests import SECRET

GOOD = ("good", "good:30", "tools:3", "ending:own_chunk", "ending:in_finish_chunk", "slow:2")
FAULTY = (
    *("status:429", "status:500", "status:400", "reset_mid_answer", "close_mid_answer", "end_without_mark", "zipped"),
    *("invalid_json", "error_event", "length_too_long", "length_too_short", "garbage", "page", "bad_chunk", "interim"),
    *("until_close", "keeps_not", "stall_mid_answer"),
)
"""Not those that break a pooled connection before any byte: such a request may be sent twice (gateway-faults.md)."""
FAULTY_FRACTION, LEAVING_FRACTION = 0.3, 0.05
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
CLIENTS = 48
KEY = {"Authorization": f"Bearer {SECRET}"}
FLAT_GROWTH_BYTES = 12_000_000


@dataclass
class Tally:
    """What was seen."""

    asked: Counter[str] = field(default_factory=Counter)
    """By the upstream, by model."""
    answered: Counter[int] = field(default_factory=Counter)
    left_count: int = 0
    unexpected: Counter[str] = field(default_factory=Counter)
    resident_bytes: list[tuple[float, int, int]] = field(default_factory=list)
    """Seconds since the start, bytes and descriptors of all relays."""


def main() -> int:
    """Runs, prints a table, and says by the exit code whether all marks were met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("minutes", type=float)
    parser.add_argument("--rate", type=float, default=200.0, help="requests per second")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--dead-sink", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return uvloop.run(soak(Path(folder), options))


async def soak(folder: Path, options: argparse.Namespace) -> int:
    """The run and its table."""
    async with scripted_upstream(Repertoire()) as upstream:
        models = {name: name for name in (*GOOD, *FAULTY)}
        settings = config("state", upstream.url, models) | {
            "timeouts": {"first_byte_s": 30, "idle_s": 5, "drain_s": 30}
        }
        arguments = ("--processes", str(options.processes))
        starting = served(folder, settings, *arguments)
        gateway = await asyncio.to_thread(starting.__enter__)
        tally = Tally()
        try:
            await drive(gateway, upstream, tally, options)
            gateway.signal(signal.SIGTERM)
            code = await asyncio.to_thread(gateway.process.wait, 60)
        finally:
            await asyncio.to_thread(starting.__exit__, None, None, None)
        count_asked(upstream, tally)
    calls = Counter(str(each["record_id"]) for each in written_calls(gateway.state))
    return report(tally, calls, dropped(gateway), upstream, code, options)


async def drive(gateway: Served, upstream: ScriptedUpstream, tally: Tally, options: argparse.Namespace) -> None:
    """Clients, and somebody who watches."""
    began_s, ends_s = time.monotonic(), time.monotonic() + 60 * options.minutes
    clients = [
        asyncio.create_task(client(number, gateway.url, tally, ends_s, CLIENTS / options.rate))
        for number in range(CLIENTS)
    ]
    is_dead = False
    while time.monotonic() < ends_s:
        await asyncio.sleep(min(2.0, max(0.0, ends_s - time.monotonic())))
        count_asked(upstream, tally)
        relays = gateway.relays()
        at_s = time.monotonic() - began_s
        tally.resident_bytes.append(
            (at_s, sum(each.memory_info().rss for each in relays), sum(each.num_fds() for each in relays))
        )
        if options.dead_sink and is_dead is not (1 / 3 < at_s / (60 * options.minutes) < 2 / 3):
            is_dead = not is_dead
            limit_files(relays, 0 if is_dead else resource.RLIM_INFINITY)
    await asyncio.gather(*clients)


def limit_files(relays: list[psutil.Process], size_bytes: int) -> None:
    """How large files of these processes may grow: with 0 every write fails."""
    for each in relays:
        _, most = each.rlimit(psutil.RLIMIT_FSIZE)
        each.rlimit(psutil.RLIMIT_FSIZE, (size_bytes, most))


def count_asked(upstream: ScriptedUpstream, tally: Tally) -> None:
    """What is over is counted, and forgotten: the run shall need no memory of its own."""
    open_now = [each for each in upstream.asked if not each.is_whole and each.left_monotonic_s is None]
    still = [each for each in open_now if time.monotonic() - each.received_monotonic_s < 60]
    kept = {id(each) for each in still}
    tally.asked.update(each.model for each in upstream.asked if id(each) not in kept)
    upstream.asked[:] = still


async def client(number: int, url: str, tally: Tally, ends_s: float, every_s: float) -> None:
    """One client on one connection, as long as it holds."""
    draw = random.Random(number)
    await asyncio.sleep(every_s * draw.random())
    while time.monotonic() < ends_s:
        async with raw_client(url) as connection:
            while time.monotonic() < ends_s:
                began_s = time.monotonic()
                if not await one(connection, draw, tally):
                    break
                await asyncio.sleep(max(0.0, every_s - (time.monotonic() - began_s)))


async def one(connection: RawClient, draw: random.Random, tally: Tally) -> bool:
    """One request; whether the connection can take another."""
    model = draw.choice(FAULTY if draw.random() < FAULTY_FRACTION else GOOD)
    is_stream = draw.random() < 0.5
    document = chat(model, "word " * draw.randrange(1, 200), stream=is_stream, tools=TOOLS)
    try:
        await connection.send(request("/v1/chat/completions", document, KEY))
        if draw.random() < LEAVING_FRACTION:
            await asyncio.sleep(draw.random() * 0.03)
            connection.abort()
            tally.left_count += 1
            return False
        answer = await connection.answer()
    except (OSError, EOFError, TimeoutError) as error:
        tally.unexpected[f"{model}: {type(error).__name__}"] += 1
        return False
    tally.answered[answer.status] += 1
    if (answer.status, not answer.is_whole) not in _expected(model, is_stream):
        tally.unexpected[f"{model}{' streamed' if is_stream else ''}: {answer.status} {answer.is_whole}"] += 1
    return answer.is_whole and answer.header("connection") != "close"


def _expected(model: str, is_stream: bool) -> set[tuple[int, bool]]:
    """Status, and whether it is cut; a stream that breaks may do so before anything of it went out."""
    row = TABLE.get(model)
    if row is None:
        return {(200, False)}
    outcome = row.stream if is_stream else row.plain
    before = {(502, False), (504, False)} if outcome.is_cut else set()
    return before | {(outcome.status, outcome.is_cut)}


def dropped(gateway: Served) -> int:
    """Calls that the relays say they could not write anywhere."""
    snapshots = [json.loads(each.read_bytes()) for each in (gateway.state / "metrics").glob("relay-*.json")]
    return sum(int(each[-1]) for one in snapshots for each in one["counts"] if each[0] == "calls_dropped_total")


def report(
    tally: Tally,
    calls: Counter[str],
    dropped_count: int,
    upstream: ScriptedUpstream,
    code: int,
    options: argparse.Namespace,
) -> int:
    """The table; 0 when every mark is met."""
    asked_count, calls_count = sum(tally.asked.values()), len(calls)
    doubled = sum(count - 1 for count in calls.values())
    warm = [each for each in tally.resident_bytes if each[0] > 0.25 * 60 * options.minutes] or tally.resident_bytes
    growth = warm[-1][1] - warm[0][1]
    lost_count = asked_count - calls_count
    is_accounted = lost_count == dropped_count if options.dead_sink else lost_count == dropped_count == 0
    rows = [
        ("minutes, requests/s", f"{options.minutes:g}, {options.rate:g}", ""),
        ("answers by status", ", ".join(f"{k}: {n:,}" for k, n in sorted(tally.answered.items())), ""),
        ("clients that left", f"{tally.left_count:,}", ""),
        ("requests that reached the upstream", f"{asked_count:,}", ""),
        ("Calls on the disk", f"{calls_count:,}", ""),
        ("Calls lost, and counted as lost", f"{lost_count:,}, {dropped_count:,}", _mark(is_accounted)),
        ("Calls doubled", f"{doubled:,}", _mark(not doubled)),
        ("unexpected answers", f"{sum(tally.unexpected.values()):,}", _mark(not tally.unexpected)),
        ("oddities at the upstream", f"{len(upstream.oddities):,}", _mark(not upstream.oddities)),
        (
            "RSS of the relays, MB",
            f"{warm[0][1] / 1e6:.1f} -> {warm[-1][1] / 1e6:.1f}",
            _mark(growth < FLAT_GROWTH_BYTES),
        ),
        ("descriptors of the relays", f"{warm[0][2]} -> {warm[-1][2]}", _mark(warm[-1][2] < warm[0][2] + 2 * CLIENTS)),
        ("exit code after SIGTERM", str(code), _mark(code == 0)),
    ]
    for name, value, mark in rows:
        print(f"{name:36} {value:32} {mark}")
    for what, count in tally.unexpected.most_common(10):
        print(f"  unexpected {count:6,}  {what}")
    for what in upstream.oddities[:5]:
        print(f"  oddity {what}")
    return int(any(mark == "MISSED" for _, _, mark in rows))


def _mark(holds: bool) -> str:
    return "ok" if holds else "MISSED"


if __name__ == "__main__":
    raise SystemExit(main())
