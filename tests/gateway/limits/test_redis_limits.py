"""Redis limits, over a real Redis server: races, the same rules as the shared file, and a server that goes away."""

from __future__ import annotations

import asyncio
import inspect
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from breakeven.gateway.limits import redis_limits
from breakeven.gateway.limits.redis_limits import RedisLimits
from breakeven.gateway.limits.shared_limits import SharedLimits
from breakeven.gateway.plan import Key, Refusal, Reservation

RACING = Path(__file__).with_name("racing.py")
NOW_S = 1_000_000.0
SECRET = bytes(32)


class Server:
    """A Redis server of our own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = ["--port", str(self.port), "--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        where = ["--dir", str(self.folder), "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(["redis-server", *options, *where], stdout=subprocess.DEVNULL)
        for _ in range(500):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise AssertionError("redis-server did not start")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server here: make system installs it")
    found = Server(tmp_path_factory.mktemp("redis"))
    yield found
    found.kill()


_ids = iter(range(10**9))


def _key(**limits: float) -> Key:
    return Key(f"k{next(_ids)}", SECRET, **limits)  # type: ignore[arg-type]


def _run(url: str, work: Callable[[RedisLimits], Coroutine[Any, Any, None]], **changes: Any) -> None:
    async def run() -> None:
        limits = RedisLimits(url, **{"timeout_s": 5.0, **changes})
        try:
            await work(limits)
        finally:
            await limits.close()

    asyncio.run(run())


async def _reserve(limits: RedisLimits, *asked: Any) -> Reservation | Refusal:
    found = limits.reserve(*asked)
    return await found if inspect.isawaitable(found) else found  # type: ignore[return-value]


async def _settled(limits: RedisLimits) -> None:
    for _ in range(1_000):
        if not limits.waiting_count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not settled within 10 s")


def test_two_processes_at_once_never_overspend(server: Server) -> None:
    command = [sys.executable, str(RACING), server.url, "3.0", "100"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [each.communicate()[0].split() for each in running]
    granted, settled = (sum(int(each[i]) for each in told) for i in (0, 1))

    async def look(limits: RedisLimits) -> None:
        spend = await limits.spend(Key("k", SECRET, budget_usd=3.0), NOW_S)
        assert spend.spent_usd == pytest.approx(settled * 0.01)
        assert spend.reserved_usd == pytest.approx((granted - settled) * 0.03)
        assert spend.spent_usd + spend.reserved_usd <= 3.0

    _run(server.url, look)
    assert 100 <= granted <= 200  # 100 fit at once; what was settled in between made room for more


def test_an_unlimited_key_asks_nobody() -> None:
    async def run(limits: RedisLimits) -> None:
        assert limits.reserve(Key("k", SECRET), 1.0, 2, NOW_S) == Reservation("k", 1.0, 2)

    _run("redis://127.0.0.1:1/0", run)


_steps = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "reserve", "settle"]),
        st.integers(0, 400),
        st.integers(0, 60),
        st.sampled_from([0, 0, 1, 7, 30, 60, 101, -20]),
        st.integers(0, 50),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps)
def test_the_scripts_agree_with_the_shared_file(
    server: Server, tmp_path: Path, steps: list[tuple[str, int, int, int, int]]
) -> None:
    """Which is checked against a brute-force model."""
    key = _key(budget_usd=1.0, budget_period_s=100.0, requests_per_minute=6.0, tokens_per_minute=120.0)
    file = SharedLimits(tmp_path / f"{key.id}.bin", [key])
    (tmp_path / f"{key.id}.bin").unlink()  # 10 MB for each example otherwise

    async def run(limits: RedisLimits) -> None:
        now_s, open_ones = 5_000.0, []
        for what, milli_usd, tokens_count, later_s, which in steps:
            now_s += later_s
            usd = milli_usd / 1_000
            if what == "reserve":
                ours = await _reserve(limits, key, usd, tokens_count, now_s)
                theirs = file.reserve(key, usd, tokens_count, now_s)
                assert type(ours) is Refusal if type(theirs) is Refusal else isinstance(ours, Reservation)
                if isinstance(ours, Refusal):
                    assert isinstance(theirs, Refusal) and (ours.code, ours.message) == (theirs.code, theirs.message)
                    assert ours.retry_after_s == pytest.approx(theirs.retry_after_s, abs=1e-5)
                else:
                    assert isinstance(theirs, Reservation) and ours.period == theirs.period
                    open_ones.append((ours, theirs))
            elif open_ones:
                for limit, each in zip((limits, file), open_ones.pop(which % len(open_ones)), strict=True):
                    limit.settle(each, usd, tokens_count)
                await _settled(limits)
        assert await limits.spend(key, now_s) == file.spend(key, now_s)

    _run(server.url, run)
    file.close()


def test_a_settlement_that_is_asked_twice_counts_once(server: Server) -> None:
    key = _key(budget_usd=1.0)

    async def run(limits: RedisLimits) -> None:
        found = await _reserve(limits, key, 0.5, 0, NOW_S)
        assert isinstance(found, Reservation)
        for _ in range(3):
            limits.settle(found, 0.25, 0)
        await _settled(limits)
        spend = await limits.spend(key, NOW_S)
        assert (spend.spent_usd, spend.reserved_usd) == (0.25, 0.0)

    _run(server.url, run)


def test_a_reservation_whose_answer_was_lost_is_taken_once(server: Server) -> None:
    key = _key(budget_usd=1.0)

    async def run(limits: RedisLimits) -> None:
        terms = limits._terms(key, "one", 400_000_000, 0, NOW_S)
        for _ in range(3):
            assert int((await limits._asked(redis_limits.RESERVE, terms))[0]) == 0
        assert (await limits.spend(key, NOW_S)).reserved_usd == pytest.approx(0.4)

    _run(server.url, run)


def test_what_a_dead_process_held_is_given_up_and_a_late_end_still_counts(server: Server) -> None:
    key = _key(budget_usd=1.0, budget_period_s=1e6)

    async def run(limits: RedisLimits) -> None:
        held = await _reserve(limits, key, 1.0, 0, NOW_S)
        assert isinstance(await _reserve(limits, key, 0.1, 0, NOW_S + 29.0), Refusal)
        assert isinstance(await _reserve(limits, key, 0.6, 0, NOW_S + 30.0), Reservation)
        assert isinstance(held, Reservation)
        for _ in range(2):
            limits.settle(held, 0.3, 0)
            await _settled(limits)
        spend = await limits.spend(key, NOW_S + 30.0)
        assert (spend.spent_usd, spend.reserved_usd) == (0.3, 0.6)

    _run(server.url, run, reservation_s=30.0)


def test_a_script_that_redis_forgot_is_loaded_again(server: Server) -> None:
    key = _key(budget_usd=1.0)

    async def run(limits: RedisLimits) -> None:
        first = await _reserve(limits, key, 0.1, 0, NOW_S)
        assert isinstance(first, Reservation)
        limits.settle(first, 0.1, 0)
        await _settled(limits)
        await limits._redis.script_flush()
        second = await _reserve(limits, key, 0.1, 0, NOW_S)
        assert isinstance(second, Reservation)
        limits.settle(second, 0.1, 0)
        await _settled(limits)
        assert (await limits.spend(key, NOW_S)).spent_usd == pytest.approx(0.2)

    _run(server.url, run)


def test_a_server_that_is_killed_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Budgets are refused, rates are kept alone, and no settlement is lost."""
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server here: make system installs it")
    monkeypatch.setattr(redis_limits, "DOWN_S", 0.1)
    server = Server(tmp_path)
    budget, rate = _key(budget_usd=1.0), _key(requests_per_minute=2.0)
    counted: dict[str, float] = {}

    class Counts:
        def count(self, name: str, n: float = 1) -> None:
            counted[name] = counted.get(name, 0) + n

    async def run(limits: RedisLimits) -> None:
        under_way = await _reserve(limits, budget, 0.4, 0, NOW_S)
        assert isinstance(under_way, Reservation)
        server.kill()
        refused = await _reserve(limits, budget, 0.1, 0, NOW_S)
        assert isinstance(refused, Refusal) and (refused.http_status, refused.code) == (503, "redis_unavailable")
        assert refused.retry_after_s is not None
        alone = [await _reserve(limits, rate, 0.0, 0, NOW_S) for _ in range(3)]
        assert [isinstance(each, Reservation) for each in alone] == [True, True, False]
        limits.settle(under_way, 0.3, 0)
        await asyncio.sleep(0.2)
        assert limits.waiting_count == 1 and counted["limits_errors_total"] >= 1
        server.start()
        await _settled(limits)
        for _ in range(300):
            found = await _reserve(limits, budget, 0.6, 0, NOW_S)
            if isinstance(found, Reservation):
                break
            await asyncio.sleep(0.02)
        spend = await limits.spend(budget, NOW_S)
        assert (spend.spent_usd, spend.reserved_usd) == (0.3, 0.6)

    try:
        _run(server.url, run, counters=Counts())
    finally:
        server.kill()
