"""Breakers: an upstream that keeps failing is left alone for a while, then tried with one request at a time.

Closed: requests go there. Open: none does, until its wait is over. Half-open: one probe goes; its success closes the
breaker, its failure opens it for twice as long, up to 16 times the first wait. A probe that nobody reports on holds
the place for one wait, not for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from breakeven.gateway.attempt import Attempt, Failure
from breakeven.gateway.config.settings import Breaker

State = Literal["closed", "open", "half_open"]

LONGEST_WAIT_RATIO: Final = 16
RATE_LIMITED: Final = 429
_OF_UPSTREAM: Final[frozenset[Failure]] = frozenset(
    {"connect", "first_byte_timeout", "idle_timeout", "total_timeout", "reset", "status", "bad_answer"}
)
"""Failures that say something of the upstream; a client that left or an answer that failed its checks does not."""


class UpstreamBreaker:
    """The breaker of one upstream."""

    __slots__ = ("_in_a_row_count", "_probe_until_s", "_rule", "_seen_count", "_wait_s", "_window", "opened_until_s")

    def __init__(self, rule: Breaker) -> None:
        self._rule = rule
        self._window = 0
        """The last results as bits, the newest lowest; 1 is a failure."""
        self._seen_count = 0
        self._in_a_row_count = 0
        self._wait_s = rule.open_s
        self.opened_until_s: float | None = None
        """None: closed."""
        self._probe_until_s = 0.0

    def state(self, now_s: float) -> State:
        """As it is shown."""
        if self.opened_until_s is None:
            return "closed"
        return "open" if now_s < self.opened_until_s else "half_open"

    @property
    def is_well(self) -> bool:
        """Whether it never failed lately, and its window is full of that: a success changes nothing."""
        return (
            not self._window
            and not self._in_a_row_count
            and self.opened_until_s is None
            and self._seen_count >= self._rule.window_count
        )

    def admits(self, now_s: float) -> bool:
        """Whether a request may go there now."""
        return self.opened_until_s is None or (now_s >= self.opened_until_s and now_s >= self._probe_until_s)

    def take(self, now_s: float) -> bool:
        """Send a request there; True where it is the probe, whose place must be given back if it is never sent."""
        if self.opened_until_s is None:
            return False
        self._probe_until_s = now_s + self._wait_s
        return True

    def give_back(self) -> None:
        """The probe was never sent."""
        self._probe_until_s = 0.0

    def wait_s(self, now_s: float) -> float:
        """How long until a request may go there."""
        if self.opened_until_s is None:
            return 0.0
        return max(0.0, self.opened_until_s - now_s, self._probe_until_s - now_s)

    def succeeded(self) -> bool:
        """An answer came; True where that closed the breaker."""
        was_open = self.opened_until_s is not None
        if was_open:
            self.opened_until_s = None
            self._window = self._seen_count = 0
            self._wait_s = self._rule.open_s
            self._probe_until_s = 0.0
        self._in_a_row_count = 0
        self._note(0)
        return was_open

    def failed(self, now_s: float) -> bool:
        """It failed; True where that opened the breaker."""
        if self.opened_until_s is not None:
            if now_s < self.opened_until_s:
                return False  # one of those that were under way when it opened
            self._wait_s = min(self._wait_s * 2, self._rule.open_s * LONGEST_WAIT_RATIO)
            self.opened_until_s = now_s + self._wait_s
            self._probe_until_s = 0.0
            return False
        self._in_a_row_count += 1
        self._note(1)
        if not self._is_bad():
            return False
        self.opened_until_s = now_s + self._wait_s
        self._probe_until_s = 0.0
        return True

    def _note(self, bit: int) -> None:
        count = self._rule.window_count
        self._window = (self._window << 1 | bit) & ((1 << count) - 1)
        if self._seen_count < count:
            self._seen_count += 1

    def _is_bad(self) -> bool:
        rule = self._rule
        if self._in_a_row_count >= rule.failures_count:
            return True
        return self._seen_count >= rule.window_count and (
            self._window.bit_count() >= rule.failing_fraction * rule.window_count
        )


class Breakers:
    """The breakers of all upstreams, in one process."""

    __slots__ = ("_by_upstream", "_rule", "not_closed_count")

    def __init__(self, rule: Breaker, upstreams: Iterable[str]) -> None:
        self._rule = rule
        self._by_upstream = {name: UpstreamBreaker(rule) for name in upstreams}
        self.not_closed_count = 0
        """How many are open or half-open: where none is, nobody has to be asked."""

    def of(self, upstream: str) -> UpstreamBreaker:
        """The breaker of an upstream."""
        found = self._by_upstream.get(upstream)
        if found is None:
            found = self._by_upstream[upstream] = UpstreamBreaker(self._rule)
        return found

    def admits(self, upstream: str, now_s: float) -> bool:
        """Whether a request may go there now."""
        return not self.not_closed_count or self.of(upstream).admits(now_s)

    def tell(self, attempt: Attempt, now_s: float) -> bool:
        """Learn from an attempt how its upstream does; False where it does not say."""
        failure = attempt.failure
        if (failure is None and not attempt.is_aborted) or failure == "rejected" or attempt.http_status == RATE_LIMITED:
            # a server that says "not now" is there; its target rests , its other models do not
            self.succeeded(attempt.target.upstream.name)
            return True
        if failure not in _OF_UPSTREAM:
            return False
        if self.of(attempt.target.upstream.name).failed(now_s):
            self.not_closed_count += 1
        return True

    def succeeded(self, upstream: str) -> None:
        """An upstream answered."""
        if self.of(upstream).succeeded():
            self.not_closed_count -= 1

    def states(self, now_s: float) -> dict[str, State]:
        """The state of each upstream's breaker."""
        return {name: each.state(now_s) for name, each in self._by_upstream.items()}

    def renewed(self, rule: Breaker, upstreams: Iterable[str]) -> Breakers:
        """After new settings: those upstreams that are still there keep what was learnt, unless the rule is another."""
        fresh = Breakers(rule, upstreams)
        if rule == self._rule:
            kept = {name: each for name, each in self._by_upstream.items() if name in fresh._by_upstream}
            fresh._by_upstream.update(kept)
            fresh.not_closed_count = sum(each.opened_until_s is not None for each in kept.values())
        return fresh
