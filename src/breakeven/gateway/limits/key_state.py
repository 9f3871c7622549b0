"""Key state: what a key has spent and reserved of its limits, and the arithmetic of reserving and settling.

Money is whole nano-USD, so that sums do not depend on their order. A budget belongs to a period, `floor(now / length)`:
what is reserved in one period is settled in it, also after it ended. A rate is a bucket that leaks: `used` falls by the
limit per minute, and a request that would bring it over one minute's worth is refused. What no limit asks for is not
counted.

A clock that goes back never opens a new budget, and never closes a bucket for longer than a minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from breakeven.gateway.plan import Key, Refusal

NANO: Final = 1_000_000_000
MINUTE_S: Final = 60.0
RATE_SLACK: Final = 1e-6
"""Rates are floats: what leaked away to the last digit counts as gone."""


@dataclass(slots=True)
class KeyState:
    """Numbers of one key. All zero: nothing used."""

    period: int = 0
    period_s: float = 0.0
    spent_nano: int = 0
    reserved_nano: int = 0
    """Of this period, by requests that are under way."""
    spent_before_nano: int = 0
    """In the period before."""
    requests_used_count: float = 0.0
    tokens_used_count: float = 0.0
    updated_s: float = 0.0


@dataclass(frozen=True, slots=True)
class KeySpend:
    """What a key has used, for people."""

    period: int
    period_starts_unix_s: float
    period_ends_unix_s: float
    spent_usd: float
    reserved_usd: float
    spent_before_usd: float
    """In the period before."""
    budget_usd: float | None


def nano_of(usd: float) -> int:
    """Nano-USD of an amount, rounded to the nearest.

    >>> nano_of(0.0000000015)
    2
    """
    return int(usd * NANO + 0.5)


def moved_on(state: KeyState, key: Key, now_unix_s: float) -> bool:
    """Bring `state` to `now`: leak the buckets, open a new budget period; True when a new period began."""
    since_s = now_unix_s - state.updated_s
    if since_s > 0:
        state.requests_used_count = _leaked(state.requests_used_count, key.requests_per_minute, since_s)
        state.tokens_used_count = _leaked(state.tokens_used_count, key.tokens_per_minute, since_s)
    state.updated_s = now_unix_s
    if key.budget_usd is None:
        return False
    period = int(now_unix_s // key.budget_period_s)
    if state.period_s != key.budget_period_s:  # a new length: what was spent stays, so that a reload forgives nothing
        state.spent_nano += state.reserved_nano
        state.period, state.period_s = period, key.budget_period_s
        return _forget_reservations(state)
    if period <= state.period:
        return False
    state.spent_before_nano = state.spent_nano if period == state.period + 1 else 0
    state.period, state.spent_nano = period, 0
    return _forget_reservations(state)


def _leaked(used: float, rate: float | None, since_s: float) -> float:
    return 0.0 if rate is None else max(used - since_s * (rate / MINUTE_S), 0.0)


def _forget_reservations(state: KeyState) -> bool:
    state.reserved_nano = 0
    return True


def refusal(state: KeyState, key: Key, nano: int, tokens_count: int) -> Refusal | None:
    """Which limit is spent, or None where there is room for one request of that size."""
    if key.budget_usd is not None:
        room = nano_of(key.budget_usd) - state.spent_nano - state.reserved_nano
        if nano > room:
            return _over_budget(state, key, nano, room)
    rate = key.requests_per_minute
    if rate is not None:
        over = state.requests_used_count + 1.0 - requests_at_once(rate)
        if over > RATE_SLACK:
            return _over_rate("requests", rate, over)
    rate = key.tokens_per_minute
    if rate is not None and tokens_count:
        over = state.tokens_used_count + tokens_count - rate
        if over > RATE_SLACK:
            return _too_large(tokens_count, rate) if tokens_count > rate else _over_rate("tokens", rate, over)
    return None


def requests_at_once(requests_per_minute: float) -> float:
    """Requests that may come at one moment: a minute's worth, at least one."""
    return max(requests_per_minute, 1.0) if requests_per_minute > 0 else 0.0


def reserve(state: KeyState, key: Key, nano: int, tokens_count: int) -> None:
    """Take an estimate out of the limits."""
    if key.budget_usd is not None:
        state.reserved_nano += nano
    if key.requests_per_minute is not None:
        state.requests_used_count += 1.0
    if key.tokens_per_minute is not None:
        state.tokens_used_count += tokens_count


def settle(state: KeyState, period: int, reserved_nano: int, nano: int, tokens_change_count: int) -> bool:
    """Put what was used in place of the estimate; True where the reservation was still counted."""
    if state.tokens_used_count:
        state.tokens_used_count = max(state.tokens_used_count + tokens_change_count, 0.0)
    if period == state.period:
        state.spent_nano += nano
        state.reserved_nano = max(state.reserved_nano - reserved_nano, 0)
        return True
    if period == state.period - 1:
        state.spent_before_nano += nano
    return False


def spend_of(state: KeyState, key: Key) -> KeySpend:
    """What a key has used."""
    length_s = state.period_s or key.budget_period_s
    return KeySpend(
        period=state.period,
        period_starts_unix_s=state.period * length_s,
        period_ends_unix_s=(state.period + 1) * length_s,
        spent_usd=state.spent_nano / NANO,
        reserved_usd=state.reserved_nano / NANO,
        spent_before_usd=state.spent_before_nano / NANO,
        budget_usd=key.budget_usd,
    )


def _over_budget(state: KeyState, key: Key, nano: int, room: int) -> Refusal:
    """What is left, and when there is more; no Retry-After where the whole budget would not pay the request."""
    budget_usd = key.budget_usd or 0.0
    ends_unix_s = (state.period + 1) * key.budget_period_s
    is_payable_later = nano <= nano_of(budget_usd)
    later = f", or wait for the next period, which begins {datetime.fromtimestamp(ends_unix_s, UTC):%Y-%m-%d %H:%M} UTC"
    return Refusal(
        402,
        "budget_exceeded",
        f"the key has {max(room, 0) / NANO:.6f} USD left of its budget of {budget_usd:g} USD, and this request "
        f"may cost {nano / NANO:.6f} USD; ask for fewer output tokens or a cheaper model"
        + (later if is_payable_later else ""),
        retry_after_s=max(ends_unix_s - state.updated_s, 1.0) if is_payable_later else None,
    )


def _over_rate(what: str, rate: float, over: float) -> Refusal:
    return Refusal(
        429,
        "rate_limited",
        f"the key may use {rate:,.0f} {what} a minute and has used them; wait as long as Retry-After says",
        retry_after_s=max(over * MINUTE_S / rate, 0.001) if rate > 0 else MINUTE_S,
    )


def _too_large(tokens_count: int, rate: float) -> Refusal:
    return Refusal(
        400,
        "tokens_over_limit",
        f"this request may take {tokens_count:,} tokens and the key has {rate:,.0f} a minute, so it can never run; "
        "ask for fewer output tokens",
    )
