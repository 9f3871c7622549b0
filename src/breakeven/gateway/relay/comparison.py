"""Comparison: a second model is asked at the same time; a cascade keeps the first one's answer if both say the same.

What is compared, and how, is the policy's business: the very code that tells it when a policy is learnt. A second model
that fails, takes too long or calls tools has said nothing, so the next model is asked. Its answer goes to no client; it
is recorded and charged like any other attempt.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Protocol

from breakeven.gateway.attempt import Attempt, Failure
from breakeven.gateway.config.settings import Timeouts
from breakeven.gateway.plan import Plan
from breakeven.gateway.relay.checked import checked
from breakeven.gateway.relay.dispatch import Dispatch
from breakeven.gateway.relay.overdue import overdue
from breakeven.gateway.relay.state import RelayState
from breakeven.gateway.wire.outgoing import Untranslatable
from breakeven.routing.answers import Answer

COMPARED: Final = "agreement_checks_total"
Held = tuple[Dispatch, bytes]
"""An answer that waits, and its bytes."""


class ComparisonOwner(Protocol):
    """Who has the answers of the cascade."""

    def judge(self, dispatch: Dispatch, body: bytes) -> None:
        """An answer need not wait any longer."""
        ...


class Comparison:
    """The check of one request: a `DispatchOwner`."""

    __slots__ = ("_dispatch", "_held", "_owner", "_plan", "_state", "_text")

    def __init__(self, state: RelayState, plan: Plan, owner: ComparisonOwner, number: int) -> None:
        target = plan.checker
        assert target is not None
        self._state, self._plan, self._owner = state, plan, owner
        limit = state.settings.wire.answer_buffer_max_bytes
        attempt = Attempt(target, number, "check")
        self._dispatch = Dispatch(self, plan, state.outgoing(target.upstream), attempt, limit)
        self._text: str | None = None
        self._held: Held | None = None

    @property
    def attempt(self) -> Attempt:
        """How it goes."""
        return self._dispatch.attempt

    def start(self) -> bool:
        """Asks; False where the request cannot be said in the second model's dialect, so that nothing is compared."""
        try:
            self._dispatch.start()
        except Untranslatable:
            self._dispatch.is_over = True
            return False
        self._plan.check = self.attempt
        return True

    def look(self, now_s: float, timeouts: Timeouts) -> None:
        """Ends it when it takes too long."""
        if not self._dispatch.is_over and (failure := overdue(self._dispatch, timeouts, now_s)) is not None:
            self._dispatch.fail(failure)

    def end(self, failure: Failure) -> None:
        """Nobody wants to know any longer."""
        if failure == "client_gone" and not self._dispatch.is_over:
            self.attempt.is_aborted = True
            if self._held is not None:  # whole, and nobody is there to get it
                self._held[0].attempt.is_aborted = True
        self._dispatch.abort(failure)

    def released(self) -> Held | None:
        """What the client may get of the answer that waits, if one does: the time of the request is up."""
        self._dispatch.abort("total_timeout")
        held, self._held = self._held, None
        out = None if held is None else checked(self._plan, *held, self)
        return None if held is None or out is None else (held[0], out)

    # What the cascade asks.

    def holds(self, dispatch: Dispatch, body: bytes) -> bool:
        """Whether a whole answer has to wait: the second model has not answered yet, and it all depends on that."""
        if self._dispatch.is_over or self._plan.is_last(dispatch.attempt.target):
            return False
        answer = self._said(dispatch)
        if not self._plan.answer_checks(replace(answer, other_text=answer.text)).ok:
            return False  # it would not do whatever the second model says
        if self._held is None:
            self._held = (dispatch, body)
        else:  # of two that were asked for the same the first one counts
            dispatch.attempt.failure = "superseded"
        return True

    def accepts(self, dispatch: Dispatch) -> bool:
        """Whether a whole answer passes all checks; what the comparison said is added to the plan's reason."""
        answer, accepts = self._said(dispatch), self._plan.answer_checks
        if self._plan.is_last(dispatch.attempt.target):
            return bool(accepts(replace(answer, is_last=True)).ok)
        if not accepts(replace(answer, other_text=answer.text)).ok:
            self._tell("not_needed", "")
            return False
        is_itself = dispatch.attempt.target.name == self.attempt.target.name
        other_text = None if is_itself else self._text
        is_good = bool(accepts(replace(answer, other_text=other_text)).ok)
        if is_good:
            self._tell("agrees", "agrees")
        elif other_text is None:
            self._tell("no_answer", "did not answer")
        else:
            self._tell("differs", "answers otherwise")
        return is_good

    def _said(self, dispatch: Dispatch) -> Answer:
        assert dispatch.reader is not None
        return replace(dispatch.reader.answer(), task=self._plan.task or "")

    def _tell(self, result: str, words: str) -> None:
        if words:
            self._plan.reason = f"{self._plan.reason}; {self.attempt.target.name} {words}"
        if self._state.counting is not None:
            self._state.counting.count(COMPARED, 1, result)

    # What the second model's attempt says.

    def answered(self, dispatch: Dispatch, body: bytes) -> None:  # noqa: ARG002
        """It answered."""
        assert dispatch.reader is not None
        answer = dispatch.reader.answer()
        self._text = None if answer.tool_calls else answer.text
        self._over()

    def refused(self, dispatch: Dispatch, body: bytes) -> None:  # noqa: ARG002
        """It does not take such requests."""
        self._over()

    def failed(self, dispatch: Dispatch) -> None:  # noqa: ARG002
        """It failed, and is not asked again."""
        self._over()

    def piece(self, dispatch: Dispatch, data: bytes, chunk: bytes | None) -> None:
        """Nothing of it goes on."""

    def ended(self, dispatch: Dispatch, data: bytes) -> None:  # noqa: ARG002
        """No stream was asked for."""
        self._over()

    def piped_to(self, dispatch: Dispatch) -> None:
        """Nobody."""

    def may_pass(self, dispatch: Dispatch) -> bool:  # noqa: ARG002
        """What is too large to be held cannot be compared."""
        return False

    def _over(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._owner.judge(*held)
