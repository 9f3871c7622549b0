"""Redis limits: budgets and rates of keys over several machines.

One script per reservation, so that requests of all gateways together never overspend. When Redis does not answer:
a key with a budget is refused (`redis_unavailable`: nobody knows what is left of it), a key with rates alone is held to
them by this process for itself. What must be settled meanwhile waits in memory and is settled when Redis is back.

A process that dies leaves its reservations; they are given up after `reservation_s`.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Protocol
from uuid import uuid4

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import NoScriptError, RedisError
from redis.exceptions import TimeoutError as TookTooLong

from breakeven.gateway.limits.key_state import (
    KeySpend,
    KeyState,
    moved_on,
    nano_of,
    refusal,
    requests_at_once,
    reserve,
    settle,
    spend_of,
)
from breakeven.gateway.limits.redis_script import NUMBERS, RESERVE, SETTLE
from breakeven.gateway.plan import Key, Refusal, Reservation

TIMEOUT_S: Final = 0.25
CONNECT_TIMEOUT_S: Final = 2.0
"""A process that is busy may take a while to connect; that is no Redis that does not answer."""
CONNECTIONS_MAX_COUNT: Final = 16
_POOL_WAIT_S: Final = 2.0
RESERVATION_S: Final = 1_200.0
"""Longer than any request may take (`timeouts.total_s` and its retries)."""
DOWN_S: Final = 1.0
"""After a failure Redis is left alone for so long, so that requests do not each wait for it."""
_WAITING_MAX_COUNT: Final = 65_536
_AT_ONCE_COUNT: Final = 128
_PREFIX: Final = "breakeven"
_UNAVAILABLE: Final = Refusal(
    503,
    "redis_unavailable",
    "the limits of this key are kept in Redis, which does not answer; try again",
    retry_after_s=DOWN_S,
)


class Counting(Protocol):
    """What it asks of `telemetry/counters.py`."""

    def count(self, name: str, times_count: float = 1, /) -> None:
        """Add to a counter."""
        ...


@dataclass(frozen=True, slots=True)
class RedisReservation(Reservation):
    """A reservation that Redis knows by its mark."""

    mark: str = ""
    """Empty: of a key without a budget."""
    is_local: bool = False
    """Of the time while Redis did not answer."""


@dataclass(frozen=True, slots=True)
class _Settlement:
    reservation: RedisReservation
    used_nano: int
    change_count: int

    def arguments(self) -> tuple[str | int, ...]:
        """Of `SETTLE`, its keys first."""
        taken = self.reservation
        return (
            2,
            *_names(taken.key_id),
            taken.mark,
            taken.period,
            nano_of(taken.usd) if taken.mark else 0,
            self.used_nano,
            self.change_count,
        )


class RedisLimits:
    """Implements `ports.Limits`. Belongs to one event loop."""

    def __init__(
        self,
        url: str,
        keys: Iterable[Key] = (),
        counters: Counting | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        reservation_s: float = RESERVATION_S,
    ) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS_MAX_COUNT,
            timeout=_POOL_WAIT_S,
            socket_timeout=timeout_s,
            socket_connect_timeout=max(timeout_s, CONNECT_TIMEOUT_S),
            retry=Retry(NoBackoff(), 0),
        )
        self._redis: Any = Redis(connection_pool=pool)
        self._counters = counters
        self._reservation_s = reservation_s
        self._hashes: dict[str, str] = {}
        self._down_until_s = float("-inf")
        self._local: dict[str, tuple[Key, KeyState]] = {}
        self._waiting: deque[_Settlement] = deque()
        self._settling: asyncio.Task[None] | None = None
        self.lost_settlements_count = 0
        self.set_keys(keys)

    async def warm(self) -> None:
        """Load the scripts and open the connections before the first request. Never raises."""
        try:
            for script in (RESERVE, SETTLE):
                await self._hash(script)
            await asyncio.gather(*(self._redis.ping() for _ in range(CONNECTIONS_MAX_COUNT)), return_exceptions=True)
        except (TimeoutError, RedisError, OSError):
            self._note_down()

    def set_keys(self, keys: Iterable[Key]) -> None:
        """Nothing has to be made ready: Redis keeps a key's numbers from its first request on."""

    @property
    def waiting_count(self) -> int:
        """Settlements that wait for Redis."""
        return len(self._waiting)

    def reserve(
        self, key: Key, usd: float, tokens_count: int, now_unix_s: float
    ) -> Reservation | Refusal | Awaitable[Reservation | Refusal]:
        """Set an estimate aside, or say which limit is spent."""
        if not key.is_limited:
            return Reservation(key.id, usd, tokens_count)
        return self._reserve(key, usd, tokens_count, now_unix_s)

    async def _reserve(self, key: Key, usd: float, tokens_count: int, now_unix_s: float) -> Reservation | Refusal:
        if time.monotonic() < self._down_until_s:
            return self._reserve_alone(key, usd, tokens_count, now_unix_s)
        nano = nano_of(usd) if key.budget_usd is not None else 0
        name = uuid4().hex
        try:
            reply = await self._asked(RESERVE, self._terms(key, name, nano, tokens_count, now_unix_s))
        except (TimeoutError, RedisError, OSError):
            self._note_down()
            return self._reserve_alone(key, usd, tokens_count, now_unix_s)
        period = int(reply[1])
        if int(reply[0]) == 0:
            mark = f"{name}:{period}:{nano}" if key.budget_usd is not None else ""
            return RedisReservation(key.id, usd, tokens_count, period, mark)
        return refusal(_state(reply[1:]), key, nano, tokens_count) or _UNAVAILABLE

    def _terms(self, key: Key, name: str, nano: int, tokens_count: int, now_unix_s: float) -> tuple[str | int, ...]:
        requests, tokens = key.requests_per_minute, key.tokens_per_minute
        return (
            2,
            *_names(key.id),
            repr(now_unix_s),
            name,
            nano,
            tokens_count,
            -1 if key.budget_usd is None else nano_of(key.budget_usd),
            repr(key.budget_period_s),
            -1 if requests is None else repr(requests),
            0 if requests is None else repr(requests_at_once(requests)),
            -1 if tokens is None else repr(tokens),
            repr(now_unix_s + self._reservation_s),
        )

    async def _asked(self, script: str, arguments: tuple[str | int, ...]) -> Any:
        """Run a script; once more where the connection was lost (both scripts may be asked twice)."""
        for is_last in (False, True):
            try:
                try:
                    return await self._redis.evalsha(await self._hash(script), *arguments)
                except NoScriptError:
                    return await self._redis.eval(script, *arguments)
            except TookTooLong:
                raise
            except LostConnection:
                if is_last:
                    raise
        raise AssertionError

    async def _hash(self, script: str) -> str:
        found = self._hashes.get(script)
        if found is None:
            found = self._hashes[script] = await self._redis.script_load(script)
        return found

    def _reserve_alone(self, key: Key, usd: float, tokens_count: int, now_unix_s: float) -> Reservation | Refusal:
        """Without Redis: no budget is spent that nobody knows, rates are kept by this process alone."""
        if key.budget_usd is not None:
            return _UNAVAILABLE
        _, state = self._local.get(key.id, (key, KeyState()))
        self._local[key.id] = (key, state)
        moved_on(state, key, now_unix_s)
        refused = refusal(state, key, 0, tokens_count)
        if refused is not None:
            return refused
        reserve(state, key, 0, tokens_count)
        return RedisReservation(key.id, usd, tokens_count, is_local=True)

    def _note_down(self) -> None:
        self._down_until_s = time.monotonic() + DOWN_S
        if self._counters is not None:
            self._counters.count("limits_errors_total")

    def settle(self, reservation: Reservation, usd: float, tokens_count: int) -> None:
        """Put what was really used in place of the estimate. Never blocks, never raises."""
        if not isinstance(reservation, RedisReservation):
            return
        change = tokens_count - reservation.tokens_count
        if reservation.is_local:
            if (found := self._local.get(reservation.key_id)) is not None:
                settle(found[1], 0, 0, 0, change)
            return
        if not reservation.mark and not change:
            return
        if len(self._waiting) >= _WAITING_MAX_COUNT:
            self.lost_settlements_count += 1
            return
        self._waiting.append(_Settlement(reservation, nano_of(usd) if reservation.mark else 0, change))
        if self._settling is None or self._settling.done():
            self._settling = asyncio.get_running_loop().create_task(self._settle_all())

    async def _settle_all(self) -> None:
        """Until nothing waits; what Redis did not confirm stays first in the queue."""
        while self._waiting:
            some = [self._waiting[i] for i in range(min(len(self._waiting), _AT_ONCE_COUNT))]
            try:
                await self._settle_some(some)
            except (TimeoutError, RedisError, OSError):
                self._note_down()
                await asyncio.sleep(DOWN_S / 2)
            else:
                for _ in some:
                    self._waiting.popleft()

    async def _settle_some(self, some: list[_Settlement]) -> None:
        name = await self._hash(SETTLE)
        async with self._redis.pipeline(transaction=False) as pipe:
            for each in some:
                pipe.evalsha(name, *each.arguments())
            try:
                await pipe.execute()
            except NoScriptError:
                self._hashes.clear()
                await self._hash(SETTLE)
                raise

    async def spend(self, key: Key, now_unix_s: float) -> KeySpend:
        """What a key has used, for the admin API. Raises RedisError where Redis does not answer."""
        numbers = await self._redis.hmget(_names(key.id)[0], *NUMBERS)
        state = _state(numbers)
        moved_on(state, key, now_unix_s)
        return spend_of(state, key)

    async def close(self, wait_s: float = 2.0) -> None:
        """Settle what waits, within `wait_s`, and close the connections."""
        if self._settling is not None and not self._settling.done():
            await asyncio.wait({self._settling}, timeout=wait_s)
            self._settling.cancel()
            await asyncio.gather(self._settling, return_exceptions=True)
        self.lost_settlements_count += len(self._waiting)
        await self._redis.aclose(close_connection_pool=True)


def _names(key_id: str) -> tuple[str, str]:
    """Of the hash and of the sorted set; the part in braces puts both in one slot."""
    name = blake2b(key_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{_PREFIX}:{{{name}}}:numbers", f"{_PREFIX}:{{{name}}}:open"


def _state(numbers: list[bytes | None]) -> KeyState:
    told = [float(each or 0) for each in numbers]
    period, period_s, spent, reserved, before, requests, tokens, updated_s = told
    return KeyState(int(period), period_s, int(spent), int(reserved), int(before), requests, tokens, updated_s)
