"""Availability: which targets can be asked now: the upstream's breaker lets them, and no `Retry-After` says to wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from breakeven.gateway.admission.breakers import RATE_LIMITED, Breakers, State, UpstreamBreaker
from breakeven.gateway.attempt import Attempt
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.upstream import Target

REST_MAX_S: Final = 60.0
"""A target rests no longer than this, whatever its `Retry-After` says."""


class Availability:
    """What one process knows of its upstreams."""

    __slots__ = ("_breakers", "_resting", "is_troubled", "now")

    def __init__(self, settings: GatewaySettings, now: Callable[[], float]) -> None:
        self.now = now
        """A clock that never goes back."""
        self._breakers = Breakers(settings.breaker, settings.upstreams)
        self._resting: dict[tuple[str, str], float] = {}
        """Model and upstream -> until when it rests."""
        self.is_troubled = False
        """Whether anything is not as it should be: only then is anybody asked one by one."""

    def admits(self, target: Target, now_s: float) -> bool:
        """Whether a target's upstream may be asked."""
        return self._breakers.admits(target.upstream.name, now_s)

    def ordered(self, chain: Sequence[Target], now_s: float) -> tuple[Target, ...]:
        """A chain with those first that can be asked and do not rest; empty where none can be asked."""
        can = [each for each in chain if self.admits(each, now_s)]
        if not can:
            return ()
        fit = [each for each in can if not self.rests(each, now_s)]
        tired = [each for each in can if each not in fit]
        return (*fit, *tired, *(each for each in chain if each not in can))

    def rests(self, target: Target, now_s: float) -> bool:
        """Whether a target asked not to be asked for a while."""
        until_s = self._resting.get((target.name, target.upstream.name))
        if until_s is None:
            return False
        if now_s >= until_s:
            del self._resting[target.name, target.upstream.name]
            self._look()
            return False
        return True

    def take(self, target: Target, now_s: float) -> UpstreamBreaker | None:
        """A request goes to a target; the breaker whose probe it is, if it is one."""
        if not self._breakers.not_closed_count:
            return None
        breaker = self._breakers.of(target.upstream.name)
        return breaker if breaker.take(now_s) else None

    def is_well(self, target: Target) -> bool:
        """Whether one more success of a target's upstream would tell nothing new."""
        return self._breakers.of(target.upstream.name).is_well

    def is_probing(self, target: Target) -> bool:
        """Whether its upstream is on trial: not the time for what nobody waits for."""
        return self._breakers.of(target.upstream.name).opened_until_s is not None

    def state(self, upstream: str, now_s: float) -> State:
        """The state of one upstream's breaker."""
        return self._breakers.of(upstream).state(now_s)

    def tell(self, attempt: Attempt, now_s: float) -> bool:
        """Learn from an attempt; False where it says nothing of its upstream."""
        says = self._breakers.tell(attempt, now_s)
        if attempt.http_status == RATE_LIMITED and attempt.retry_after_s:
            target = attempt.target
            self._resting[target.name, target.upstream.name] = now_s + min(attempt.retry_after_s, REST_MAX_S)
        self._look()
        return says

    def succeeded(self, target: Target, answers_count: int) -> None:
        """Learn of good answers, where they tell anything new."""
        breaker = self._breakers.of(target.upstream.name)
        while answers_count and not breaker.is_well:
            answers_count -= 1
            self._breakers.succeeded(target.upstream.name)
        self._look()

    def wait_s(self, chain: Sequence[Target], now_s: float) -> float:
        """How long until one of a chain can be asked."""
        return min((self._breakers.of(each.upstream.name).wait_s(now_s) for each in chain), default=0.0)

    def states(self) -> dict[str, State]:
        """The state of each upstream's breaker."""
        return self._breakers.states(self.now())

    def settled_by(self, settings: GatewaySettings) -> None:
        """New settings; what was learnt of upstreams that are still there is kept."""
        self._breakers = self._breakers.renewed(settings.breaker, settings.upstreams)
        self._look()

    def _look(self) -> None:
        self.is_troubled = bool(self._breakers.not_closed_count or self._resting)
