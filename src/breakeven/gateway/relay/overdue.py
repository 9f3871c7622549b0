"""Overdue: how an attempt has taken too long, by the configuration's limits of time."""

from __future__ import annotations

from breakeven.gateway.attempt import Failure
from breakeven.gateway.config.settings import Timeouts
from breakeven.gateway.relay.dispatch import Dispatch


def overdue(dispatch: Dispatch, timeouts: Timeouts, now_s: float) -> Failure | None:
    """What it has waited for too long; None: nothing. One that moved since the last look has not."""
    if dispatch.has_moved:
        dispatch.has_moved = False
        dispatch.still_since_s = now_s
        return None
    still_s = now_s - dispatch.still_since_s
    if dispatch.is_connecting:
        return "connect" if still_s > timeouts.connect_s else None
    if dispatch.attempt.first_byte_monotonic_s is None:
        waited_s = now_s - dispatch.attempt.started_monotonic_s
        return "first_byte_timeout" if waited_s > timeouts.first_byte_s else None
    return "idle_timeout" if still_s > timeouts.idle_s else None


def is_slow(dispatch: Dispatch, hedge_after_s: float | None, now_s: float) -> bool:
    """Whether another one may be asked beside it: it was sent, and not a byte came for so long."""
    if hedge_after_s is None or dispatch.is_connecting or dispatch.attempt.first_byte_monotonic_s is not None:
        return False
    return dispatch.still_since_s != now_s and now_s - dispatch.attempt.started_monotonic_s > hedge_after_s
