"""Shared limits: against a brute-force model, and over processes that are killed."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import ConfigError
from breakeven.gateway.limits import limits_file, shared_limits
from breakeven.gateway.limits.limits_file import NUMBERS_AT
from breakeven.gateway.limits.shared_limits import SharedLimits
from breakeven.gateway.plan import Key, Refusal, Reservation

HAMMER = Path(__file__).with_name("hammer.py")
NOW_S = 1_000_000.0
SECRET = bytes(32)


def _limits(tmp_path: Path, *keys: Key, **settings: Any) -> SharedLimits:
    return SharedLimits(tmp_path / "limits.bin", keys, **settings)


def _reserved(found: object) -> Reservation:
    assert isinstance(found, Reservation)
    return found


def _refused(found: object) -> Refusal:
    assert isinstance(found, Refusal)
    return found


def test_a_budget_is_never_overspent_by_requests_at_once(tmp_path: Path) -> None:
    key = Key("k", SECRET, budget_usd=1.0)
    limits = _limits(tmp_path, key)
    found = [limits.reserve(key, 0.03, 0, NOW_S) for _ in range(200)]
    assert sum(isinstance(each, Reservation) for each in found) == 33
    refused = _refused(found[-1])
    assert (refused.http_status, refused.code) == (402, "budget_exceeded")
    assert "0.010000 USD left" in refused.message and SECRET.hex() not in refused.message


def test_a_spent_budget_says_when_the_next_begins(tmp_path: Path) -> None:
    key = Key("k", SECRET, budget_usd=1.0, budget_period_s=86_400.0)
    limits = _limits(tmp_path, key)
    noon_s = 20_000 * 86_400.0 + 43_200.0
    _reserved(limits.reserve(key, 0.9, 0, noon_s))
    refused = _refused(limits.reserve(key, 0.2, 0, noon_s))
    assert "the next period, which begins 2024-10-05 00:00 UTC" in refused.message
    assert refused.retry_after_s == 43_200.0
    never = _refused(limits.reserve(key, 1.5, 0, noon_s))
    assert "next period" not in never.message and never.retry_after_s is None


def test_settling_gives_back_what_was_not_used(tmp_path: Path) -> None:
    key = Key("k", SECRET, budget_usd=1.0)
    limits = _limits(tmp_path, key)
    first = _reserved(limits.reserve(key, 1.0, 0, NOW_S))
    assert isinstance(limits.reserve(key, 0.01, 0, NOW_S), Refusal)
    limits.settle(first, 0.4, 0)
    spent = limits.spend(key, NOW_S)
    assert (spent.spent_usd, spent.reserved_usd) == (0.4, 0.0)
    _reserved(limits.reserve(key, 0.6, 0, NOW_S))
    assert isinstance(limits.reserve(key, 0.001, 0, NOW_S), Refusal)


def test_an_answer_dearer_than_its_estimate_is_counted_whole(tmp_path: Path) -> None:
    key = Key("k", SECRET, budget_usd=1.0)
    limits = _limits(tmp_path, key)
    limits.settle(_reserved(limits.reserve(key, 0.5, 0, NOW_S)), 1.7, 0)
    assert limits.spend(key, NOW_S).spent_usd == 1.7
    assert isinstance(limits.reserve(key, 0.0, 0, NOW_S), Refusal)


def test_a_new_period_has_a_new_budget(tmp_path: Path) -> None:
    key = Key("k", SECRET, budget_usd=1.0, budget_period_s=100.0)
    limits = _limits(tmp_path, key)
    limits.settle(_reserved(limits.reserve(key, 0.8, 0, 1_099.0)), 0.7, 0)
    assert isinstance(limits.reserve(key, 0.4, 0, 1_099.9), Refusal)
    _reserved(limits.reserve(key, 0.4, 0, 1_100.0))
    spent = limits.spend(key, 1_100.0)
    assert (spent.period, spent.spent_usd, spent.reserved_usd, spent.spent_before_usd) == (11, 0.0, 0.4, 0.7)
    assert (spent.period_starts_unix_s, spent.period_ends_unix_s) == (1_100.0, 1_200.0)


def test_what_ends_after_its_period_is_settled_in_it(tmp_path: Path) -> None:
    key = Key("k", SECRET, budget_usd=1.0, budget_period_s=100.0)
    limits = _limits(tmp_path, key)
    late = _reserved(limits.reserve(key, 0.8, 0, 1_099.0))
    inside = _reserved(limits.reserve(key, 0.9, 0, 1_101.0))
    limits.settle(late, 0.6, 0)
    limits.settle(inside, 0.25, 0)
    spent = limits.spend(key, 1_101.0)
    assert (spent.spent_usd, spent.reserved_usd, spent.spent_before_usd) == (0.25, 0.0, 0.6)


def test_a_clock_that_goes_back_opens_no_new_budget(tmp_path: Path) -> None:
    key = Key("k", SECRET, budget_usd=1.0, budget_period_s=100.0)
    limits = _limits(tmp_path, key)
    limits.settle(_reserved(limits.reserve(key, 1.0, 0, 1_150.0)), 1.0, 0)
    for now_s in (1_050.0, 950.0, 1_150.0):
        assert isinstance(limits.reserve(key, 0.1, 0, now_s), Refusal)


def test_a_budget_of_another_length_forgives_nothing(tmp_path: Path) -> None:
    daily = Key("k", SECRET, budget_usd=1.0, budget_period_s=86_400.0)
    monthly = Key("k", SECRET, budget_usd=1.0, budget_period_s=30 * 86_400.0)
    limits = _limits(tmp_path, daily)
    limits.settle(_reserved(limits.reserve(daily, 0.5, 0, 1e9)), 0.5, 0)
    _reserved(limits.reserve(daily, 0.3, 0, 1e9))
    limits.set_keys([monthly])
    assert isinstance(limits.reserve(monthly, 0.3, 0, 1e9), Refusal)
    assert limits.spend(monthly, 1e9).spent_usd == 0.8
    _reserved(limits.reserve(monthly, 1.0, 0, 1e9 + 30 * 86_400.0))


def test_rates_leak(tmp_path: Path) -> None:
    key = Key("k", SECRET, requests_per_minute=6.0, tokens_per_minute=600.0)
    limits = _limits(tmp_path, key)
    for _ in range(6):
        _reserved(limits.reserve(key, 0.0, 10, NOW_S))
    refused = _refused(limits.reserve(key, 0.0, 10, NOW_S))
    assert (refused.http_status, refused.code) == (429, "rate_limited")
    assert refused.retry_after_s == pytest.approx(10.0)
    assert isinstance(limits.reserve(key, 0.0, 10, NOW_S + 9.9), Refusal)
    _reserved(limits.reserve(key, 0.0, 10, NOW_S + 10.0))
    _reserved(limits.reserve(key, 0.0, 590, NOW_S + 70.0))
    refused = _refused(limits.reserve(key, 0.0, 20, NOW_S + 70.0))
    assert "tokens a minute" in refused.message and refused.retry_after_s == pytest.approx(1.0)


def test_tokens_that_were_not_used_come_back(tmp_path: Path) -> None:
    key = Key("k", SECRET, tokens_per_minute=100.0)
    limits = _limits(tmp_path, key)
    first = _reserved(limits.reserve(key, 0.0, 100, NOW_S))
    assert isinstance(limits.reserve(key, 0.0, 60, NOW_S), Refusal)
    limits.settle(first, 0.0, 40)
    _reserved(limits.reserve(key, 0.0, 60, NOW_S))
    too_large = _refused(limits.reserve(key, 0.0, 101, NOW_S))
    assert (too_large.http_status, too_large.code) == (400, "tokens_over_limit")


def test_what_no_limit_asks_for_is_not_counted(tmp_path: Path) -> None:
    free = Key("k", SECRET, budget_usd=5.0)
    limits = _limits(tmp_path, free)
    for _ in range(50):
        _reserved(limits.reserve(free, 0.0, 1_000, NOW_S))
    strict = Key("k", SECRET, budget_usd=5.0, requests_per_minute=1.0, tokens_per_minute=1_000.0)
    limits.set_keys([strict])
    _reserved(limits.reserve(strict, 0.0, 1_000, NOW_S))


def test_an_unlimited_key_touches_no_file(tmp_path: Path) -> None:
    key = Key("k", SECRET)
    limits = _limits(tmp_path, key)
    assert _reserved(limits.reserve(key, 3.0, 5, NOW_S)) == Reservation("k", 3.0, 5)


def test_spending_outlives_the_gateway(tmp_path: Path) -> None:
    key = Key("k", SECRET, budget_usd=1.0)
    limits = _limits(tmp_path, key)
    limits.settle(_reserved(limits.reserve(key, 0.9, 0, NOW_S)), 0.9, 0)
    limits.close()
    again = _limits(tmp_path, key)
    assert isinstance(again.reserve(key, 0.2, 0, NOW_S), Refusal)
    assert again.spend(key, NOW_S).spent_usd == 0.9


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "limits.bin").write_bytes(b"budget: 5\n" * 10)
    with pytest.raises(ConfigError, match="no file of limits"):
        _limits(tmp_path)


def test_the_whole_file_is_on_the_disk_from_the_start(tmp_path: Path) -> None:
    """A full disk later must not kill a process that touches a page for the first time."""
    _limits(tmp_path)
    assert (tmp_path / "limits.bin").stat().st_blocks * 512 >= limits_file.FILE_BYTES


def test_no_room_for_the_file_is_said_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ConfigError, match="bytes of disk"):
        _limits(tmp_path)


def test_a_full_file_refuses_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_file, "KEYS_MAX_COUNT", 3)
    keys = [Key(f"k{i}", SECRET, budget_usd=1.0) for i in range(4)]
    free = [Key(f"free-{i}", SECRET) for i in range(10)]
    limits = _limits(tmp_path, *free, *keys[:3])
    assert _refused(limits.reserve(keys[3], 0.1, 0, NOW_S)).code == "limits_unavailable"
    with pytest.raises(ConfigError, match="room for 3 keys"):
        limits.set_keys(keys)


class _Held:
    """The lock of the file, held by somebody else."""

    def __init__(self, tmp_path: Path) -> None:
        self._fd = os.open(tmp_path / "limits.bin", os.O_RDWR)
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def let_go(self) -> None:
        """Not any longer."""
        os.close(self._fd)


def test_a_process_that_sleeps_with_the_lock_makes_others_wait_and_refuses_nobody(tmp_path: Path) -> None:
    asyncio.run(_while_another_sleeps(tmp_path))


async def _while_another_sleeps(tmp_path: Path) -> None:
    key = Key("k", SECRET, budget_usd=1.0)
    limits = _limits(tmp_path, key)
    first = _reserved(limits.reserve(key, 0.5, 0, NOW_S))
    held = _Held(tmp_path)
    loop = asyncio.get_running_loop()
    turns: list[float] = []
    asked = [limits.reserve(key, 0.2, 0, NOW_S) for _ in range(3)]
    assert all(isinstance(each, Awaitable) for each in asked)
    limits.settle(first, 0.3, 0)
    loop.call_later(0.2, held.let_go)  # six times as long as a request ever held up the loop
    loop.call_later(0.05, turns.append, 0.05)  # the loop goes on meanwhile
    found = await asyncio.gather(*(cast(Awaitable[Reservation | Refusal], each) for each in asked))
    assert turns == [0.05]
    assert [type(each) for each in found] == [Reservation, Reservation, Refusal]  # of the 0.5 that were left then
    assert _refused(found[2]).code == "budget_exceeded"
    _reserved(limits.reserve(key, 0.3, 0, NOW_S))  # what was settled meanwhile has its effect
    spent = limits.spend(key, NOW_S)
    assert (spent.spent_usd, spent.reserved_usd) == (0.3, 0.7)


def test_a_lock_held_by_a_stopped_process_refuses_and_settles_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_limits, "LOCKED_OUT_MAX_S", 0.1)
    asyncio.run(_while_another_is_stopped(tmp_path))


async def _while_another_is_stopped(tmp_path: Path) -> None:
    key = Key("k", SECRET, budget_usd=1.0)
    limits = _limits(tmp_path, key)
    first = _reserved(limits.reserve(key, 0.5, 0, NOW_S))
    held = _Held(tmp_path)
    waiting = limits.reserve(key, 0.1, 0, NOW_S)
    assert isinstance(waiting, Awaitable)
    assert _refused(await waiting).code == "limits_unavailable"
    await asyncio.sleep(0.01)
    assert _refused(limits.reserve(key, 0.1, 0, NOW_S)).code == "limits_unavailable"  # at once
    limits.settle(first, 0.2, 0)
    held.let_go()
    second = _reserved(limits.reserve(key, 0.8, 0, NOW_S))
    limits.settle(second, 0.1, 0)
    assert limits.spend(key, NOW_S).spent_usd == pytest.approx(0.3)


def test_what_could_not_be_settled_is_settled_at_the_end(tmp_path: Path) -> None:
    key = Key("k", SECRET, budget_usd=1.0)
    limits = _limits(tmp_path, key)
    first = _reserved(limits.reserve(key, 0.5, 0, NOW_S))
    held = _Held(tmp_path)
    limits.settle(first, 0.2, 0)
    timer = threading.Timer(0.1, held.let_go)
    timer.start()
    limits.close()
    timer.join()
    assert limits.lost_settlements_count == 0
    spent = _limits(tmp_path, key).spend(key, NOW_S)
    assert (spent.spent_usd, spent.reserved_usd) == (0.2, 0.0)


def _hammer(file: Path, budget_usd: float, tries_count: int, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(HAMMER), str(file), str(budget_usd), str(tries_count), how]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


def test_processes_that_hammer_one_budget_spend_it_exactly(tmp_path: Path) -> None:
    file = tmp_path / "limits.bin"
    running = [_hammer(file, 100.0, 3_000, "settle") for _ in range(3)]
    for each in running:
        assert each.communicate()[0] == "3000\n"
    key = Key("k", SECRET, budget_usd=100.0)
    spent = SharedLimits(file, [key]).spend(key, NOW_S)
    assert (spent.spent_usd, spent.reserved_usd) == (3 * 3_000 * 0.002, 0.0)


def test_processes_together_never_overspend(tmp_path: Path) -> None:
    running = [_hammer(tmp_path / "limits.bin", 1.0, 200, "hold") for _ in range(3)]
    granted = [int(each.stdout.readline()) for each in running if each.stdout is not None]
    for each in running:  # only now: what a process held is freed when it ends
        each.communicate()
    assert sum(granted) == 333


def test_what_a_killed_process_held_is_freed(tmp_path: Path) -> None:
    file = tmp_path / "limits.bin"
    key = Key("k", SECRET, budget_usd=0.3)
    limits = SharedLimits(file, [key])
    own = _reserved(limits.reserve(key, 0.1, 0, NOW_S))
    holding = _hammer(file, 0.3, 66, "hold")
    assert holding.stdout is not None and holding.stdout.readline() == "66\n"
    assert isinstance(limits.reserve(key, 0.05, 0, NOW_S), Refusal)
    holding.kill()
    holding.communicate()
    limits._swept_s = float("-inf")
    _reserved(limits.reserve(key, 0.2, 0, NOW_S))
    assert limits.spend(key, NOW_S).reserved_usd == pytest.approx(0.3)
    limits.settle(own, 0.1, 0)
    assert limits.spend(key, NOW_S).spent_usd == 0.1


class _Model:
    """The rules again, from the list of everything that happened, in fractions."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.period = -1
        self.held: dict[int, tuple[int, Fraction]] = {}
        self.spent: dict[int, Fraction] = {}
        self.requests = self.tokens = Fraction(0)
        self.at = Fraction(0)

    def leak(self, now_s: int) -> None:
        since_s = max(Fraction(now_s) - self.at, Fraction(0))
        self.requests = max(self.requests - since_s * Fraction(self.key.requests_per_minute or 0) / 60, Fraction(0))
        self.tokens = max(self.tokens - since_s * Fraction(self.key.tokens_per_minute or 0) / 60, Fraction(0))
        self.at = Fraction(now_s)
        self.period = max(self.period, now_s // int(self.key.budget_period_s))

    def reserve(self, number: int, milli_usd: int, tokens_count: int, now_s: int) -> bool:
        self.leak(now_s)
        held = sum((each for period, each in self.held.values() if period == self.period), Fraction(0))
        usd = Fraction(milli_usd, 1_000)
        fits = self.spent.get(self.period, Fraction(0)) + held + usd <= Fraction(self.key.budget_usd or 0)
        fits &= self.requests + 1 <= Fraction(self.key.requests_per_minute or 0)
        fits &= self.tokens + tokens_count <= Fraction(self.key.tokens_per_minute or 0)
        if fits:
            self.held[number] = (self.period, usd)
            self.requests += 1
            self.tokens += tokens_count
        return fits

    def settle(self, number: int, milli_usd: int, change_count: int) -> None:
        period, _ = self.held.pop(number)
        self.spent[period] = self.spent.get(period, Fraction(0)) + Fraction(milli_usd, 1_000)
        self.tokens = max(self.tokens + change_count, Fraction(0))


_steps = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "reserve", "settle"]),
        st.integers(0, 400),  # thousandths of a USD
        st.integers(0, 60),  # tokens
        st.sampled_from([0, 0, 1, 7, 30, 60, 101, -20]),  # seconds on
        st.integers(0, 50),
    ),
    max_size=40,
)


@settings(max_examples=120, deadline=None)
@given(steps=_steps, is_shared=st.booleans())
def test_the_file_agrees_with_the_model(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int, int, int]], is_shared: bool
) -> None:
    key = Key("k", SECRET, budget_usd=1.0, budget_period_s=100.0, requests_per_minute=6.0, tokens_per_minute=120.0)
    file = tmp_path_factory.mktemp("limits") / "limits.bin"
    limits = SharedLimits(file, [key], is_shared=is_shared)
    file.unlink()  # 10 MB for each example otherwise
    model, open_ones, now_s = _Model(key), [], 5_000
    for number, (what, milli_usd, tokens_count, later_s, which) in enumerate(steps):
        now_s += later_s
        if what == "reserve":
            found = limits.reserve(key, milli_usd / 1_000, tokens_count, float(now_s))
            assert isinstance(found, Reservation) == model.reserve(number, milli_usd, tokens_count, now_s)
            if isinstance(found, Reservation):
                open_ones.append((number, found))
        elif open_ones:
            settled, reservation = open_ones.pop(which % len(open_ones))
            limits.settle(reservation, milli_usd / 1_000, tokens_count)
            model.settle(settled, milli_usd, tokens_count - reservation.tokens_count)
    model.leak(now_s)
    spend = limits.spend(key, float(now_s))
    assert spend.spent_usd == pytest.approx(float(model.spent.get(model.period, 0)), abs=1e-9)
    held = sum(each for period, each in model.held.values() if period == model.period)
    assert spend.reserved_usd == pytest.approx(float(held), abs=1e-9)
    limits.close()


@given(
    requests=st.lists(
        st.tuples(st.integers(1, 900), st.integers(0, 900), st.integers(0, 900), st.integers(0, 900)), max_size=12
    )
)
@settings(max_examples=40, deadline=None)
def test_many_settled_at_once_are_settled_like_one_after_another(
    requests: list[tuple[int, int, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Estimates and what was used, in millionths of a USD and in tokens."""
    folder = tmp_path_factory.mktemp("limits")
    key = Key("k", SECRET, budget_usd=1.0, tokens_per_minute=1e6)
    single, many = _limits(folder / "single", key), _limits(folder / "many", key)
    terms = many.terms(key)
    assert terms is not None
    sums = [0, 0, 0]
    for usd, tokens, used_usd, used_tokens in requests:
        reservation = _reserved(single.reserve(key, usd / 1e6, tokens, NOW_S))
        taken = many.take(terms, usd / 1e6, tokens, NOW_S)
        if taken is None:  # the first of a period
            assert _reserved(many.reserve(key, usd / 1e6, tokens, NOW_S)).period == reservation.period
        single.settle(reservation, used_usd / 1e6, tokens + used_tokens)
        sums = [sums[0] + usd * 1_000, sums[1] + used_usd * 1_000, sums[2] + used_tokens]
    if requests:
        assert many.settle_many(terms, reservation.period, *sums)
    assert many.spend(key, NOW_S) == single.spend(key, NOW_S)
    at = terms.at - NUMBERS_AT
    assert many._file.read(at) == single._file.read(at)
    single.close()
    many.close()
