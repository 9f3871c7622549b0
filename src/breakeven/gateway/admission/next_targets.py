"""Next targets: who is tried after a failure, beside a slow attempt, or when an answer failed its checks.

After a failure: first those of the plan that were not tried, at once; then the same ones again after a growing,
jittered wait, which a `Retry-After` may lengthen. Asking the same upstream again, and hedging, is bounded by the retry
budget; going to another upstream is not, as it adds nothing to the failing one's load. A candidate on trial is asked
once more first: that another model answers for it counts against it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from breakeven.gateway.admission.availability import Availability
from breakeven.gateway.admission.breakers import RATE_LIMITED
from breakeven.gateway.admission.retry_budget import RetryBudget
from breakeven.gateway.admission.trail import Trail
from breakeven.gateway.attempt import Attempt, Failure
from breakeven.gateway.config.settings import Retries
from breakeven.gateway.plan import Plan
from breakeven.gateway.upstream import Target
from breakeven.routing.trial import CANDIDATE_ARM

_TRIED_AGAIN: Final[frozenset[Failure]] = frozenset(
    {"connect", "first_byte_timeout", "idle_timeout", "reset", "status", "bad_answer"}
)
"""Failures after which somebody else may answer: not after the client left, its time was up, or all was too large."""


class NextTargets:
    """Finds who is next."""

    __slots__ = ("_availability", "_budget", "_jitter", "_retries", "exhausted_count")

    def __init__(
        self, retries: Retries, availability: Availability, budget: RetryBudget, jitter: Callable[[], float]
    ) -> None:
        self._retries = retries
        self._availability = availability
        self._budget = budget
        self._jitter = jitter
        """From 0 to 1."""
        self.exhausted_count = 0
        """Retries that the budget did not allow."""

    def after(self, plan: Plan, trail: Trail, attempt: Attempt, now_s: float) -> tuple[Target, float] | None:
        """The next target and the wait before it; nobody where None."""
        is_unanswered = attempt.failure == "too_large" or attempt.is_refused
        if attempt.failure == "rejected" or (is_unanswered and plan.answer_checks is not None):
            return self._escalated(plan, trail, attempt, now_s)
        if 1 + len(trail.handed_out) >= self._retries.attempts_max_count:
            return None
        if attempt.failure is None:
            return self._beside(plan, trail, now_s)
        if attempt.failure not in _TRIED_AGAIN:
            return None
        return self._instead(plan, trail, attempt, now_s)

    def _escalated(self, plan: Plan, trail: Trail, attempt: Attempt, now_s: float) -> tuple[Target, float] | None:
        """A model that was not asked yet."""
        asked = {plan.targets[0].name, attempt.target.name, *(each.name for each in trail.handed_out)}
        fresh = [each for each in plan.escalate_to if each.name not in asked]
        found = self._fittest(fresh, now_s)
        return None if found is None else (found, 0.0)

    def _beside(self, plan: Plan, trail: Trail, now_s: float) -> tuple[Target, float] | None:
        found = self._fittest(_untried(plan.targets, plan, trail), now_s)
        if found is None or not self._pays(found, None):
            return None
        return found, 0.0

    def _instead(self, plan: Plan, trail: Trail, attempt: Attempt, now_s: float) -> tuple[Target, float] | None:
        chain = plan.targets
        if plan.escalate_to and attempt.target not in chain:
            chain = plan.escalate_to
        found = self._fittest(_untried(chain, plan, trail), now_s)
        once_more = None
        if found is None or self._is_due_again(plan, trail, attempt.target, found):
            once_more = self._again(trail, attempt, now_s)
        if found is None or once_more is not None:
            return once_more
        return (found, 0.0) if self._pays(found, attempt.target) else None

    def _is_due_again(self, plan: Plan, trail: Trail, failed: Target, found: Target) -> bool:
        """Whether a candidate on trial is asked once more before another model answers for it."""
        if plan.trial is None or plan.arm != CANDIDATE_ARM or failed.name == found.name:
            return False
        is_again = any(each is failed for each in (plan.targets[0], *trail.handed_out)[:-1])
        left_count = self._retries.attempts_max_count - 1 - len(trail.handed_out)
        return failed.name == plan.trial.candidate_of(plan.task) and not is_again and left_count > 1

    def _again(self, trail: Trail, attempt: Attempt, now_s: float) -> tuple[Target, float] | None:
        """The same one after a while."""
        again = attempt.target
        wait_s = self._backoff_s(1 + len(trail.handed_out))
        if attempt.http_status == RATE_LIMITED and attempt.retry_after_s is not None:
            if attempt.retry_after_s > self._retries.backoff_max_s:
                return None
            wait_s = max(wait_s, attempt.retry_after_s)
        if not self._availability.admits(again, now_s + wait_s) or not self._pays(again, attempt.target):
            return None
        return again, wait_s

    def _fittest(self, targets: Sequence[Target], now_s: float) -> Target | None:
        if not targets:
            return None
        if not self._availability.is_troubled:
            return targets[0]
        ordered = self._availability.ordered(targets, now_s)
        return ordered[0] if ordered else None

    def _pays(self, target: Target, failed: Target | None) -> bool:
        """Whether the retry budget bears it."""
        if failed is not None and failed.upstream.name != target.upstream.name:
            return True
        if self._budget.take(now_s=self._availability.now()):
            return True
        self.exhausted_count += 1
        return False

    def _backoff_s(self, attempts_count: int) -> float:
        longest = min(self._retries.backoff_max_s, self._retries.backoff_base_s * 2 ** min(attempts_count - 1, 30))
        return float(longest * (0.5 + 0.5 * self._jitter()))


def _untried(chain: Sequence[Target], plan: Plan, trail: Trail) -> list[Target]:
    tried = [plan.targets[0], *trail.handed_out]
    return [each for each in chain if not any(each is one for one in tried)]
