"""Shadow: a copy of a request for a model on trial; its answer goes nowhere but to the record, nobody waits for it."""

from __future__ import annotations

from asyncio import TimerHandle
from dataclasses import replace
from typing import Final

from breakeven.gateway.attempt import Attempt
from breakeven.gateway.plan import Plan
from breakeven.gateway.relay.dispatch import Dispatch
from breakeven.gateway.relay.heard_answer import HeardAnswer
from breakeven.gateway.relay.state import RelayState
from breakeven.gateway.relay.trial_answers import finish_in_trial, heard
from breakeven.gateway.upstream import Target
from breakeven.gateway.wire.outgoing import Untranslatable

NUMBER: Final = 99
"""A shadow's number among the attempts of its request: no other attempt gets so far."""
_TRIED_AGAIN: Final = frozenset(("connect", "reset", "status", "bad_answer"))
"""Failures that may be chance; not those for which one has waited long."""


def start_shadow(state: RelayState, plan: Plan) -> None:
    """Sends a copy when the loop has nothing more urgent, unless as many as allowed are under way."""
    target = plan.shadow
    assert target is not None
    counts = state.shadows_count_by_model
    under_way_count = counts.get(target.name, 0)
    trial = plan.trial
    limit = state.shadow_limits().get(target.name, 0) if trial is None else trial.trial.shadows_in_flight_max_count
    if state.is_draining or under_way_count >= limit:
        if state.counting is not None:
            state.counting.count("shadows_skipped_total")
        return
    counts[target.name] = under_way_count + 1
    state.loop.call_soon(Shadow(state, plan, target).start)


class Shadow:
    """A copy under way."""

    __slots__ = ("_attempts", "_backing_off", "_dispatch", "_heard", "_plan", "_state", "_target")

    def __init__(self, state: RelayState, plan: Plan, target: Target) -> None:
        self._state = state
        self._plan = replace(plan, reservation=None, shadow=None, arm=None, propensity=None)
        self._target = target
        self._attempts: list[Attempt] = []
        self._backing_off: TimerHandle | None = None
        self._dispatch: Dispatch | None = None
        self._heard: HeardAnswer | None = None
        """What it says, where somebody judges it."""

    def start(self) -> None:
        """Sends it."""
        state = self._state
        self._backing_off = None
        attempt = Attempt(self._target, NUMBER + len(self._attempts), "shadow")
        self._attempts.append(attempt)
        limit = state.settings.wire.answer_buffer_max_bytes
        dispatch = self._dispatch = Dispatch(self, self._plan, state.outgoing(self._target.upstream), attempt, limit)
        state.exchanges.add(self)
        try:
            dispatch.start()
        except Untranslatable:
            self._free()

    def look(self, now_s: float) -> None:
        """Ends it when it takes too long."""
        dispatch, timeouts = self._dispatch, self._state.settings.timeouts
        assert dispatch is not None
        if now_s - dispatch.attempt.started_monotonic_s > timeouts.total_s or self._state.is_draining:
            dispatch.fail("total_timeout")
        elif dispatch.has_moved:
            dispatch.has_moved = False
            dispatch.still_since_s = now_s
        elif now_s - dispatch.still_since_s > (timeouts.connect_s if dispatch.is_connecting else timeouts.first_byte_s):
            dispatch.fail("connect" if dispatch.is_connecting else "first_byte_timeout")

    def client_gone(self) -> None:
        """The process ends."""
        dispatch = self._dispatch
        if dispatch is not None and self._backing_off is not None:
            self._backing_off.cancel()
            self._over(dispatch)
        elif dispatch is not None and not dispatch.is_over:
            dispatch.fail("total_timeout")

    def answered(self, dispatch: Dispatch, body: bytes) -> None:  # noqa: ARG002
        """It answered."""
        self._heard = heard(self._plan, dispatch)
        self._over(dispatch, is_answered=True)

    def piece(self, dispatch: Dispatch, data: bytes, chunk: bytes | None) -> None:  # noqa: ARG002
        """Nobody reads it, but for the checks of a trial."""
        if self._heard is None and self._plan.trial is not None:
            self._heard = heard(self._plan, dispatch)
        if self._heard is not None:
            self._heard.feed(data)

    def ended(self, dispatch: Dispatch, data: bytes) -> None:
        """Its stream is whole."""
        if data:
            self.piece(dispatch, data, None)
        self._over(dispatch, is_answered=True)

    def refused(self, dispatch: Dispatch, body: bytes) -> None:  # noqa: ARG002
        """It does not take such requests."""
        self._over(dispatch)

    def failed(self, dispatch: Dispatch) -> None:
        """It failed: once more on a trial, where the client's own request would be sent again, too."""
        state, retries = self._state, self._state.settings.retries
        is_first = self._plan.trial is not None and len(self._attempts) == 1
        may_again = retries.attempts_max_count > 1 and not state.is_draining
        if is_first and may_again and dispatch.attempt.failure in _TRIED_AGAIN:
            self._heard = None
            self._backing_off = state.loop.call_later(retries.backoff_base_s, self.start)
        else:
            self._over(dispatch)

    def piped_to(self, dispatch: Dispatch) -> None:
        """Nobody."""

    def may_pass(self, dispatch: Dispatch) -> bool:  # noqa: ARG002
        """Large answers are read, not held."""
        return True

    def _over(self, dispatch: Dispatch, is_answered: bool = False) -> None:
        self._free()
        state, plan, attempts = self._state, self._plan, self._attempts
        if plan.trial is None:
            state.admission.finish(plan, attempts, False)
        else:
            finish_in_trial(state, plan, attempts, False, dispatch if is_answered else None, self._heard)

    def _free(self) -> None:
        counts, name = self._state.shadows_count_by_model, self._target.name
        counts[name] = max(counts.get(name, 0) - 1, 0)
        self._state.exchanges.discard(self)
