"""Trial answers: answers of a trial are judged by its checks once they are out, kept for people, and then recorded.

A client never waits for it. Short answers are judged when the loop has nothing more urgent, longer ones in a thread. A
Call whose answer is not judged within `JUDGED_WITHIN_S` is recorded without an outcome and counted.
"""

from __future__ import annotations

import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from time import monotonic
from typing import Final

from breakeven.gateway.attempt import Attempt
from breakeven.gateway.metering.audit_keeping import AuditedAnswer
from breakeven.gateway.plan import Plan
from breakeven.gateway.relay.dispatch import Dispatch
from breakeven.gateway.relay.heard_answer import HeardAnswer
from breakeven.gateway.relay.state import RelayState
from breakeven.gateway.trial_terms import TrialTerms
from breakeven.routing.answers import Answer
from breakeven.routing.trial import SHADOW_ARM
from breakeven.routing.validators import check_answer

JUDGED_WITHIN_S: Final = 0.5
"""A record is on the disk within a second of its answer, judged or not."""
SHORT_CHARACTERS_COUNT: Final = 1_000
"""Checks of a shorter answer take about a millisecond at most."""
WAITING_MAX_COUNT: Final = 512
"""Answers that wait for the thread; what comes on top is not judged."""
_SWITCH_S: Final = 0.0005
"""How long the loop may wait for a thread that checks."""
JUDGED: Final = "trial_answers_total"
_Verdict = tuple[float | None, str]
"""Outcome, and how it is counted."""


def heard(plan: Plan, dispatch: Dispatch) -> HeardAnswer | None:
    """What listens to an answer that begins to go out; None where nobody wants to know."""
    terms, reader = plan.trial, dispatch.reader
    if terms is None or reader is None or dispatch.mode == "passing" or not terms.is_heard(plan.request_id):
        return None
    return HeardAnswer(plan.facts.operation, reader, dispatch.mode == "stream")


def finish_in_trial(
    state: RelayState,
    plan: Plan,
    attempts: list[Attempt],
    is_delivered: bool,
    given: Dispatch | None,
    said: HeardAnswer | None,
) -> None:
    """The request (or its copy) is over: judged and kept where its answer was whole, then recorded.

    `given` gave the answer that went out (of a copy: that came).
    """
    terms = plan.trial
    assert terms is not None
    answered = given.attempt if given is not None else None
    if not is_delivered and answered is not None and answered.kind != "shadow":
        answered = None
    is_whole = answered is not None and answered.failure in (None, "rejected") and not answered.is_aborted
    if said is None or answered is None or not is_whole:
        if terms.checks and answered is not None and is_whole:  # too large to be held
            _count(state, "unjudged")
        state.admission.finish(plan, attempts, is_delivered)
        return
    judging = _Judging(state, plan, terms, attempts, is_delivered, answered, said)
    if state.is_durable:  # the record goes out before the answer
        judging.judge()
    else:
        judging.start()


class _Judging:
    """One answer that waits for its verdict: `Watched`."""

    __slots__ = (
        "_answer",
        "_answered",
        "_attempts",
        "_is_delivered",
        "_is_over",
        "_plan",
        "_said",
        "_state",
        "_terms",
        "_until_s",
        "checking",
    )

    def __init__(
        self,
        state: RelayState,
        plan: Plan,
        terms: TrialTerms,
        attempts: list[Attempt],
        is_delivered: bool,
        answered: Attempt,
        said: HeardAnswer,
    ) -> None:
        self._state, self._plan, self._terms = state, plan, terms
        self._attempts, self._is_delivered = attempts, is_delivered
        self._answered, self._said = answered, said
        self._answer: Answer | None = None
        self._until_s = monotonic() + JUDGED_WITHIN_S
        self._is_over = False
        self.checking: Future[_Verdict] | None = None

    def start(self) -> None:
        """Once the answer is out."""
        self._state.exchanges.add(self)
        self._state.loop.call_soon(self._begin)

    def look(self, now_s: float) -> None:
        """It took too long."""
        if now_s > self._until_s:
            self._end(None, "unjudged")

    def client_gone(self) -> None:
        """The process ends."""
        self._end(None, "unjudged")

    def judge(self) -> None:
        """At once."""
        answer = self._answer or self._hear()
        if answer is not None:
            self._end(*_verdict(self._terms, answer))

    def _begin(self) -> None:
        answer = self._hear()
        if answer is None:
            return
        if len(answer.text) <= SHORT_CHARACTERS_COUNT and not answer.tool_calls:
            self.judge()
        elif not _thread().takes(self._terms, answer, self):
            self._end(None, "unjudged")

    def _hear(self) -> Answer | None:
        """What was said; None where that was too much, or cannot be told."""
        try:
            said = self._said.answer()
        except Exception:  # whatever an upstream says, its Call is recorded
            self._end(None, "failed")
            return None
        self._answer = replace(said, task=self._plan.task or "")
        if self._said.is_too_long and self._terms.checks:
            self._end(None, "unjudged")
            return None
        return self._answer

    def checked(self, checking: Future[_Verdict]) -> None:
        """In the thread: there is a verdict."""
        if not checking.cancelled():
            with suppress(RuntimeError):  # the process ends, and its loop was closed
                self._state.loop.call_soon_threadsafe(self._end, *checking.result())

    def _end(self, outcome: float | None, result: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        if self.checking is not None:
            self.checking.cancel()
        state, plan, attempt = self._state, self._plan, self._answered
        state.exchanges.discard(self)
        attempt.outcome_fraction = outcome
        if result:
            _count(state, result)
        if state.audit is not None and self._answer is not None and self._terms.is_audited(plan.request_id):
            state.audit.put(_audited(state, plan, attempt, self._answer))
        state.admission.finish(plan, self._attempts, self._is_delivered)


def _verdict(terms: TrialTerms, answer: Answer) -> _Verdict:
    """What the checks say; an error inside one gives no outcome."""
    if not terms.checks:
        return None, ""
    try:
        verdict = check_answer(
            terms.checks, answer.text, finish_reason=answer.finish_reason, tool_calls=answer.tool_calls
        )
    except Exception:  # checks never raise; if one does, nothing else suffers
        return None, "failed"
    return (1.0, "passed") if verdict.ok else (0.0, "not_passed")


def _audited(state: RelayState, plan: Plan, attempt: Attempt, answer: Answer) -> AuditedAnswer:
    is_shadow = attempt.kind == "shadow"
    assert plan.trial is not None
    return AuditedAnswer(
        pilot=plan.trial.trial.pilot,
        request_id=plan.request_id,
        task=plan.task,
        arm=SHADOW_ARM if is_shadow else plan.arm,
        model=attempt.target.name,
        time_unix_s=attempt.started_unix_s,
        facts=plan.facts,
        answer=answer,
        outcome_fraction=attempt.outcome_fraction,
        kept=state.settings.prompts,
    )


class _CheckThread:
    """The thread that checks longer answers."""

    def __init__(self) -> None:
        sys.setswitchinterval(_SWITCH_S)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="trial-checks")
        self._waiting: set[Future[_Verdict]] = set()

    def takes(self, terms: TrialTerms, answer: Answer, judging: _Judging) -> bool:
        """Whether there is room for one more answer; `judging` hears of the verdict."""
        if len(self._waiting) >= WAITING_MAX_COUNT:
            return False
        checking = judging.checking = self._pool.submit(_verdict, terms, answer)
        self._waiting.add(checking)
        checking.add_done_callback(self._waiting.discard)
        checking.add_done_callback(judging.checked)
        return True


@lru_cache(maxsize=1)
def _thread() -> _CheckThread:
    return _CheckThread()


def _count(state: RelayState, result: str) -> None:
    if state.counting is not None:
        state.counting.count(JUDGED, 1, result)
