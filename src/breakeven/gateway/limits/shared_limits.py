"""Shared limits: budgets and rates of keys over all processes of one machine, in a file that they share.

Reserving is atomic over the processes: however many requests come at once, what is reserved and spent never exceeds a
budget. What a killed process held reserved is freed when somebody needs the room, and when its successor starts.

On a busy machine a process may be put to sleep while it holds the lock. Requests then wait, without holding up the loop
of their process, for as long as such a sleep can last; only where the file stays locked for longer are they refused.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterable
from math import inf
from pathlib import Path
from typing import Final

from breakeven.errors import ConfigError
from breakeven.gateway.limits.key_state import (
    MINUTE_S,
    NANO,
    RATE_SLACK,
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
from breakeven.gateway.limits.limits_file import NUMBERS, NUMBERS_AT, LimitsFile
from breakeven.gateway.plan import Key, Refusal, Reservation

FILE_NAME: Final = "limits.bin"
SWEEP_EVERY_S: Final = 1.0
LOCKED_OUT_MAX_S: Final = 1.0
"""Whoever has held the lock for so long is stopped, not asleep: requests are refused at once until it is free."""
_ASK_AGAIN_S: Final = 0.004
_LATER_MAX_COUNT: Final = 65_536
_BUSY: Final = Refusal(
    503, "limits_unavailable", "another process of the gateway holds this key's limits; try again", retry_after_s=1.0
)


class Terms:
    """A key's limits as the hot path wants them."""

    __slots__ = (
        "at",
        "budget_nano",
        "counts_money",
        "counts_requests",
        "counts_tokens",
        "ends_s",
        "key",
        "period",
        "period_s",
        "requests_max",
        "requests_per_s",
        "tokens_max",
        "tokens_per_s",
        "word",
    )

    def __init__(self, key: Key, at: int, word: int) -> None:
        requests, tokens = key.requests_per_minute, key.tokens_per_minute
        self.key, self.at, self.word = key, at + NUMBERS_AT, word
        self.counts_money = key.budget_usd is not None
        self.budget_nano = nano_of(key.budget_usd) if key.budget_usd is not None else 2**62
        self.period_s = key.budget_period_s
        self.period, self.ends_s = -1, float("-inf" if self.counts_money else "inf")
        self.counts_requests = 0.0 if requests is None else 1.0
        self.requests_max = inf if requests is None else requests_at_once(requests) + RATE_SLACK
        self.requests_per_s = (requests or 0.0) / MINUTE_S
        self.counts_tokens = 0 if tokens is None else 1
        self.tokens_max = inf if tokens is None else tokens + RATE_SLACK
        self.tokens_per_s = (tokens or 0.0) / MINUTE_S


class SharedLimits:
    """Implements `ports.Limits`. `is_shared=False` (one process) saves the locks. Not for several threads."""

    def __init__(self, file: Path, keys: Iterable[Key], process_index: int = 0, *, is_shared: bool = True) -> None:
        self.process_index = process_index
        self.lost_settlements_count = 0
        self._file = LimitsFile(file, is_shared=is_shared)
        self._terms: dict[str, Terms] = {}
        self._later: list[tuple[Reservation, float, int]] = []
        """Settlements that found the file locked for too long."""
        self._swept_s = -inf
        self.set_keys(keys)

    def set_keys(self, keys: Iterable[Key]) -> None:
        """The keys from now on; what a key has used stays, also of one that goes and comes back."""
        for each in keys:
            if each.is_limited:
                self._terms_of(each)

    def terms(self, key: Key) -> Terms | None:
        """A key's limits, for `take`; None where they cannot be kept."""
        terms = self._terms.get(key.id)
        if terms is None or terms.key is not key:
            try:
                terms = self._terms_of(key)
            except ConfigError:
                return None
        return terms

    def reserve(
        self, key: Key, usd: float, tokens_count: int, now_unix_s: float
    ) -> Reservation | Refusal | Awaitable[Reservation | Refusal]:
        """Set an estimate aside, or say which limit is spent; awaitable where another process holds the lock."""
        terms = self._terms.get(key.id)
        if terms is None or terms.key is not key:
            terms = self.terms(key)
            if terms is None:
                return _BUSY
        if self._later:
            self._settle_later()
        period = self.take(terms, usd, tokens_count, now_unix_s)
        if period is not None:
            return Reservation(key.id, usd, tokens_count, period)
        found = self._reserve_by_rule(terms, usd, tokens_count, now_unix_s)
        if found is _BUSY and not self._is_stopped():
            return self._reserve_later(terms, usd, tokens_count, now_unix_s)
        return found

    async def _reserve_later(
        self, terms: Terms, usd: float, tokens_count: int, now_unix_s: float
    ) -> Reservation | Refusal:
        """Asks again until the lock is free, or whoever holds it is taken to be stopped."""
        begun_s = time.monotonic()
        found: Reservation | Refusal = _BUSY
        while found is _BUSY and (waited_s := time.monotonic() - begun_s) < LOCKED_OUT_MAX_S and not self._is_stopped():
            await asyncio.sleep(_ASK_AGAIN_S)
            found = self._reserve_by_rule(terms, usd, tokens_count, now_unix_s + waited_s)
        return found

    def _is_stopped(self) -> bool:
        """Whether another process has held the lock for longer than any that only sleeps."""
        since_s = self._file.locked_out_since_s
        return since_s is not None and time.monotonic() - since_s > LOCKED_OUT_MAX_S

    def _reserve_by_rule(self, terms: Terms, usd: float, tokens_count: int, now_unix_s: float) -> Reservation | Refusal:
        """By the whole rule; where a budget is spent, what dead processes held of it is freed first."""
        found = self._reserve_slowly(terms, usd, tokens_count, now_unix_s)
        if type(found) is Refusal and found.code == "budget_exceeded" and self._sweep():
            found = self._reserve_slowly(terms, usd, tokens_count, now_unix_s)
        return found

    def take(self, terms: Terms, usd: float, tokens_count: int, now_unix_s: float) -> int | None:
        """The common case of `reserve`: room for the request and no new period, whose number it returns.

        None: nothing was set aside, and `reserve` must be asked.
        """
        file, at = self._file, terms.at
        is_locked = file.is_shared
        if is_locked and not file.lock():
            return None
        try:
            period, period_s, spent, reserved, before, requests, tokens, updated_s = NUMBERS.unpack_from(file.map, at)
            if now_unix_s >= terms.ends_s or (terms.counts_money and period != terms.period):
                return None
            since_s = now_unix_s - updated_s
            if since_s > 0:
                requests -= since_s * terms.requests_per_s
                tokens -= since_s * terms.tokens_per_s
                if requests < 0.0:
                    requests = 0.0
                if tokens < 0.0:
                    tokens = 0.0
            requests += terms.counts_requests
            tokens += tokens_count * terms.counts_tokens
            nano = int(usd * NANO + 0.5) if terms.counts_money else 0
            reserved += nano
            if spent + reserved > terms.budget_nano or requests > terms.requests_max or tokens > terms.tokens_max:
                return None
            NUMBERS.pack_into(file.map, at, period, period_s, spent, reserved, before, requests, tokens, now_unix_s)
            if nano:
                file.words[terms.word] += nano
            return period  # type: ignore[no-any-return]
        finally:
            if is_locked:
                file.unlock()

    def _reserve_slowly(self, terms: Terms, usd: float, tokens_count: int, now_unix_s: float) -> Reservation | Refusal:
        """The whole rule of `key_state.py`."""
        file, key, at = self._file, terms.key, terms.at - NUMBERS_AT
        nano = nano_of(usd) if terms.counts_money else 0
        if not file.lock():
            return _BUSY
        try:
            state = file.read(at)
            if moved_on(state, key, now_unix_s):
                file.clear_reservations(at)
            terms.period = state.period
            terms.ends_s = (state.period + 1) * key.budget_period_s if terms.counts_money else inf
            refused = refusal(state, key, nano, tokens_count)
            if refused is None:
                reserve(state, key, nano, tokens_count)
                file.words[terms.word] += nano
            file.write(at, state)
        finally:
            file.unlock()
        return refused or Reservation(key.id, usd, tokens_count, state.period)

    def settle(self, reservation: Reservation, usd: float, tokens_count: int) -> None:
        """Put what was really used in place of the estimate. Never raises."""
        terms = self._terms.get(reservation.key_id)
        if terms is None:
            return
        if not self._settle(terms, reservation, usd, tokens_count):
            if len(self._later) < _LATER_MAX_COUNT:
                self._later.append((reservation, usd, tokens_count))
            else:
                self.lost_settlements_count += 1

    def _settle(self, terms: Terms, reservation: Reservation, usd: float, tokens_count: int) -> bool:
        file, at = self._file, terms.at
        held = int(reservation.usd * NANO + 0.5) if terms.counts_money else 0
        used = int(usd * NANO + 0.5) if terms.counts_money else 0
        if file.is_shared and not file.lock():
            return False
        try:
            period, period_s, spent, reserved, before, requests, tokens, updated_s = NUMBERS.unpack_from(file.map, at)
            if period != reservation.period:
                self._settle_before(terms, reservation, used, tokens_count)
                return True
            tokens = max(tokens + (tokens_count - reservation.tokens_count) * terms.counts_tokens, 0.0)
            reserved = max(reserved - held, 0)
            NUMBERS.pack_into(
                file.map, at, period, period_s, spent + used, reserved, before, requests, tokens, updated_s
            )
            if held:
                file.words[terms.word] = max(file.words[terms.word] - held, 0)
        finally:
            file.unlock()
        return True

    def settle_many(self, terms: Terms, period: int, held_nano: int, used_nano: int, tokens_change_count: int) -> bool:
        """What `settle` does, for many requests of one key and period at once; False where the file is locked."""
        file, at = self._file, terms.at
        if file.is_shared and not file.lock():
            return False
        try:
            now, period_s, spent, reserved, before, requests, tokens, updated_s = NUMBERS.unpack_from(file.map, at)
            if now != period:
                state = file.read(at - NUMBERS_AT)
                settle(state, period, 0, used_nano, tokens_change_count)
                file.write(at - NUMBERS_AT, state)
                return True
            tokens = max(tokens + tokens_change_count * terms.counts_tokens, 0.0)
            reserved = max(reserved - held_nano, 0)
            NUMBERS.pack_into(
                file.map, at, period, period_s, spent + used_nano, reserved, before, requests, tokens, updated_s
            )
            if held_nano:
                file.words[terms.word] = max(file.words[terms.word] - held_nano, 0)
        finally:
            file.unlock()
        return True

    def _settle_before(self, terms: Terms, reservation: Reservation, used: int, tokens_count: int) -> None:
        """Of a period that is over: nothing is reserved of it any more."""
        at = terms.at - NUMBERS_AT
        state = self._file.read(at)
        settle(state, reservation.period, 0, used, tokens_count - reservation.tokens_count)
        self._file.write(at, state)

    def _settle_later(self) -> None:
        waiting, self._later = self._later, []
        for reservation, usd, tokens_count in waiting:
            self.settle(reservation, usd, tokens_count)

    def _sweep(self) -> bool:
        """Free what dead processes hold; at most once a second."""
        now_s = time.monotonic()
        if now_s - self._swept_s < SWEEP_EVERY_S:
            return False
        self._swept_s = now_s
        self._file.free_dead()
        return True

    def spend(self, key: Key, now_unix_s: float) -> KeySpend:
        """What a key has used, for the admin API. Takes no lock and changes nothing."""
        at = self._file.find(key.id, is_new=False)
        state = KeyState() if at is None else self._file.read(at)
        moved_on(state, key, now_unix_s)
        return spend_of(state, key)

    def close(self) -> None:
        """Settle what waits, and give the place in the file back. Blocks: only after the last request."""
        until_s = time.monotonic() + LOCKED_OUT_MAX_S
        self._settle_later()
        while self._later and time.monotonic() < until_s:
            time.sleep(_ASK_AGAIN_S)
            self._settle_later()
        self.lost_settlements_count += len(self._later)
        self._file.close()

    def _terms_of(self, key: Key) -> Terms:
        at = self._file.find(key.id)
        assert at is not None
        terms = self._terms[key.id] = Terms(key, at, self._file.own_word(at))
        return terms
