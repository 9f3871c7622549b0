"""Exchange: one request and its answer: admission, attempts until one answers, and what the client gets of it.

The plain path has no task and no timer: everything is a call from the connection that has something to say.
"""

from __future__ import annotations

from collections.abc import Awaitable
from time import monotonic
from typing import Final, cast

from breakeven.gateway.attempt import Attempt, AttemptKind, kind_after
from breakeven.gateway.plan import Head, Plan, Refusal
from breakeven.gateway.relay.answers_of_ours import answer_start
from breakeven.gateway.relay.checked import checked
from breakeven.gateway.relay.comparison import Comparison
from breakeven.gateway.relay.dispatch import Dispatch
from breakeven.gateway.relay.ending import Ending
from breakeven.gateway.relay.failure_words import BROKEN, OVERLOADED, break_off_event, given_up, said_of
from breakeven.gateway.relay.overdue import is_slow, overdue
from breakeven.gateway.relay.pipe import PipedTo
from breakeven.gateway.relay.shadow import start_shadow
from breakeven.gateway.relay.state import ClientSide, RelayState
from breakeven.gateway.relay.trial_answers import heard
from breakeven.gateway.upstream import Target
from breakeven.gateway.wire.outgoing import Untranslatable
from breakeven.gateway.wire.request_facts import OPERATIONS

LAST_CHUNK: Final = b"0\r\n\r\n"


class Exchange(Ending):
    """One request and its answer."""

    __slots__ = (
        "_deadline_s",
        "_has_hedged",
        "_is_chunked",
        "_is_head_sent",
        "_kept",
        "_last_failed",
        "_refused",
        "_stuck_since_s",
    )

    def __init__(self, state: RelayState, client: ClientSide) -> None:
        super().__init__(state, client)
        self._kept: tuple[Dispatch, bytes] | None = None
        """An answer that failed its checks, given out if nobody does better."""
        self._refused: tuple[Dispatch, bytes] | None = None
        """Who said last that the request is wrong, and how."""
        self._last_failed: Dispatch | None = None
        self._deadline_s = 0.0
        self._stuck_since_s: float | None = None
        self._has_hedged = self._is_chunked = self._is_head_sent = False

    def begin(self, head: Head, body: bytes) -> None:
        """Takes a request that is whole."""
        state = self._state
        state.exchanges.add(self)
        self._deadline_s = state.now_s + state.settings.timeouts.total_s
        self._operation = OPERATIONS.get(head.path)
        if len(state.exchanges) > state.settings.wire.requests_in_flight_max_count:
            state.refused(OVERLOADED.code)
            self._refuse(OVERLOADED)
            return
        decided = state.admission.admit(head, body)
        if type(decided) is Plan or type(decided) is Refusal:
            self._decided(decided)
        else:
            self._spawn(self._decide_later(cast(Awaitable[Plan | Refusal], decided)))

    def take_over(self, plan: Plan, is_begun: bool = False) -> Dispatch:
        """Goes on with a request that was sent to its first target already, by a lane; the attempt must take over, too.

        `is_begun`: the head and a part of its stream went to the client, in chunks.
        """
        self._deadline_s = plan.received_monotonic_s + self._state.settings.timeouts.total_s
        self._operation, self._plan = plan.facts.operation, plan
        dispatch = self._new(plan, plan.targets[0], "first")
        self._is_head_sent = self._is_chunked = is_begun
        return dispatch

    def client_gone(self) -> None:
        """The client left: nobody is asked any longer."""
        for dispatch in self._active:
            dispatch.attempt.is_aborted = True
            dispatch.abort("client_gone")
        if self._comparison is not None:
            self._comparison.end("client_gone")
        self._finish(False)

    def client_full(self) -> None:
        """The client reads more slowly than its answer comes."""
        self._stuck_since_s = monotonic()
        for dispatch in self._active:
            dispatch.pause()

    def client_ready(self) -> None:
        """The client reads again."""
        self._stuck_since_s = None
        for dispatch in self._active:
            dispatch.resume()

    def look(self, now_s: float) -> None:
        """Ends what takes too long."""
        timeouts = self._state.settings.timeouts
        if now_s > self._deadline_s:
            self._time_out()
        elif self._stuck_since_s is not None:
            if now_s - self._stuck_since_s > timeouts.idle_s:
                self._client.cut(is_flushed=False)
                self.client_gone()
        else:
            for dispatch in tuple(self._active):
                self._look_at(dispatch, now_s)
            if self._comparison is not None:
                self._comparison.look(now_s, timeouts)

    def broken(self) -> None:
        """A mistake of ours: nobody is asked any longer, and the client hears of it."""
        self._drop_others(None)
        if self._is_head_sent:
            self._client.cut(is_flushed=False)
            self._finish(False)
        else:
            self._refuse(BROKEN)

    def _look_at(self, dispatch: Dispatch, now_s: float) -> None:
        failure = overdue(dispatch, self._state.settings.timeouts, now_s)
        if failure is not None:
            dispatch.fail(failure)
        elif not self._has_hedged and is_slow(dispatch, self._state.settings.retries.hedge_after_s, now_s):
            self._has_hedged = True
            self._try_next(dispatch.attempt, "hedge")

    # Admission, and attempts.

    async def _decide_later(self, decision: Awaitable[Plan | Refusal]) -> None:
        self._decided(await decision)

    def _decided(self, decided: Plan | Refusal) -> None:
        if type(decided) is Refusal:
            self._refuse(decided)
            return
        assert isinstance(decided, Plan)
        self._plan = decided
        if self._is_over:  # the client left while limits were asked
            self._state.admission.finish(decided, [], False)
            return
        self._dispatch(decided.targets[0], "first")
        if decided.checker is not None and not self._is_over:
            self._compare(decided)
        if decided.shadow is not None:
            start_shadow(self._state, decided)

    def _compare(self, plan: Plan) -> None:
        """Asks the second model, too; its attempt comes first in the list, as it never is how a request ended."""
        comparison = self._comparison = Comparison(self._state, plan, self, len(self._attempts) + 1)
        if comparison.start():
            self._attempts.insert(0, comparison.attempt)

    def _dispatch(self, target: Target, kind: AttemptKind) -> None:
        assert self._plan is not None
        self._backing_off = None
        dispatch = self._new(self._plan, target, kind)
        try:
            dispatch.start()
        except Untranslatable as problem:
            self._active.remove(dispatch)
            self._attempts.pop()
            if not self._active:
                self._give_up(problem.refusal if self._last_failed is None else None)

    def _new(self, plan: Plan, target: Target, kind: AttemptKind) -> Dispatch:
        state, attempt = self._state, Attempt(target, len(self._attempts) + 1, kind)
        limit = state.settings.wire.answer_buffer_max_bytes
        dispatch = Dispatch(self, plan, state.outgoing(target.upstream), attempt, limit)
        self._attempts.append(attempt)
        self._active.append(dispatch)
        return dispatch

    def _try_next(self, failed: Attempt, kind: AttemptKind | None = None) -> None:
        """Another attempt after (or, for a hedge, beside) one; without any the request ends as it stands."""
        assert self._plan is not None
        found = self._state.admission.next_target(self._plan, failed)
        if found is None or isinstance(found, tuple):
            self._found_next(found, failed, kind)
        else:
            self._spawn(self._try_later(found, failed, kind))

    async def _try_later(
        self, finding: Awaitable[tuple[Target, float] | None], failed: Attempt, kind: AttemptKind | None
    ) -> None:
        self._found_next(await finding, failed, kind)

    def _found_next(self, found: tuple[Target, float] | None, failed: Attempt, kind: AttemptKind | None) -> None:
        if self._is_over or self._is_head_sent:
            return
        if found is None:
            if kind != "hedge":
                self._give_up(None)
            return
        target, delay_s = found
        kind = kind or kind_after(failed, target)
        if delay_s <= 0:
            self._dispatch(target, kind)
        elif monotonic() + delay_s < self._deadline_s:
            self._backing_off = self._state.loop.call_later(delay_s, self._dispatch, target, kind)
        else:
            self._give_up(None)

    # What attempts say.

    def answered(self, dispatch: Dispatch, body: bytes) -> None:
        """A plain answer is whole."""
        self._active.remove(dispatch)
        if self._comparison is not None and self._comparison.holds(dispatch, body):
            self._drop_others(None)
        else:
            self.judge(dispatch, body)

    def judge(self, dispatch: Dispatch, body: bytes) -> None:
        """A plain answer waits for nothing any longer: it goes out, or somebody else is asked."""
        plan, attempt = self._plan, dispatch.attempt
        assert plan is not None
        out = checked(plan, dispatch, body, self._comparison)
        if out is None:
            self._last_failed = dispatch
        elif attempt.failure is None:
            self._give_out(dispatch, out)
            return
        else:
            self._kept = (dispatch, out)
        if not self._active and self._backing_off is None:
            self._try_next(attempt)

    def _give_out(self, dispatch: Dispatch, body: bytes) -> None:
        if self._active:
            self._drop_others(dispatch)
        is_buffered = self._plan is not None and self._plan.is_buffered
        pieces = self._start(dispatch, b"text/event-stream" if is_buffered else b"")
        pieces += (b"content-length: %d\r\n\r\n" % len(body), body)
        self._is_head_sent = True
        self._end(b"".join(pieces), is_delivered=True)

    def piece(self, dispatch: Dispatch, data: bytes, chunk: bytes | None) -> None:
        """A piece of a stream."""
        client = self._client
        if not self._is_head_sent:
            self._send_stream_head(dispatch)
        if self._is_chunked:
            client.write(chunk or b"%x\r\n%b\r\n" % (len(data), data))
        else:
            client.write(data)
        if self._heard is not None:
            self._heard.feed(data)
        if client.is_full:
            dispatch.pause()

    def ended(self, dispatch: Dispatch, data: bytes) -> None:
        """A stream is at its end, for good or ill."""
        if dispatch.attempt.failure is not None:
            if data:
                self.piece(dispatch, data, None)
            self.failed(dispatch)
            return
        self._active.remove(dispatch)
        if not self._is_head_sent:
            self._send_stream_head(dispatch)
        if self._heard is not None:
            self._heard.feed(data)
        if self._is_chunked:
            data = (b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)) if data else LAST_CHUNK
        self._end(data, is_delivered=True)

    def refused(self, dispatch: Dispatch, body: bytes) -> None:
        """The upstream says that the request is wrong: the client hears why, and but for a cascade nobody is asked."""
        self._active.remove(dispatch)
        if self._active:  # a hedge may still answer
            return
        self._refused = (dispatch, body)
        plan = self._plan
        if plan is not None and plan.answer_checks is not None and not plan.is_last(dispatch.attempt.target):
            self._try_next(dispatch.attempt)  # what one model of a cascade cannot take the next one may
        else:
            self._give_up(None)

    def failed(self, dispatch: Dispatch) -> None:
        """An attempt failed: another one, if nothing went to the client."""
        if dispatch in self._active:
            self._active.remove(dispatch)
        self._last_failed, self._refused = dispatch, None
        if self._is_over:
            return
        if self._is_head_sent:
            self._break_off(dispatch)
        elif not self._active and self._backing_off is None:
            self._try_next(dispatch.attempt)

    def piped_to(self, dispatch: Dispatch) -> PipedTo | None:
        """The client, where its stream is chunked and this is the only attempt that is left."""
        return self._client if self._is_chunked and self._active == [dispatch] else None

    def may_pass(self, dispatch: Dispatch) -> bool:
        """A large answer goes on as it comes, unless somebody has to look at it first."""
        plan = self._plan
        if self._is_head_sent or plan is None or plan.is_buffered:
            return False
        return plan.answer_checks is None or plan.is_last(dispatch.attempt.target)

    # What the client gets.

    def _start(self, dispatch: Dispatch, content_type: bytes = b"") -> list[bytes]:
        state, plan, answer = self._state, self._plan, dispatch.answer
        assert plan is not None and answer is not None
        if plan.trial is not None:
            self._given, self._heard = dispatch, heard(plan, dispatch)
        ours = state.admission.response_headers(plan, dispatch.attempt)
        is_open = state.settings.is_open
        if state.is_draining:
            self._client.closes = True
        return answer_start(answer, state.date_line, ours, self._client.closes, is_open, content_type)

    def _send_stream_head(self, dispatch: Dispatch) -> None:
        """From here on no other model can answer."""
        self._is_head_sent = True
        self._drop_others(dispatch)
        client, answer = self._client, dispatch.answer
        assert answer is not None
        if dispatch.mode == "passing" and answer.body_bytes_count is not None:
            framing = b"content-length: %d\r\n\r\n" % answer.body_bytes_count
        elif client.is_http10:
            client.closes = True
            framing = b"\r\n"
        else:
            self._is_chunked = True
            framing = b"transfer-encoding: chunked\r\n\r\n"
        client.write(b"".join((*self._start(dispatch), framing)))

    def _drop_others(self, winner: Dispatch | None) -> None:
        """Hedges that lost."""
        for other in self._active:
            if other is not winner:
                other.abort("superseded")
        self._active = [each for each in self._active if each is winner]

    def _break_off(self, dispatch: Dispatch) -> None:
        """A started answer cannot go on: an error event, no end mark, and the connection ends."""
        if self._operation is not None and dispatch.mode == "stream":
            event = break_off_event(dispatch, self._operation)
            self._client.write(b"%x\r\n%b\r\n" % (len(event), event) if self._is_chunked else event)
            self._client.cut(is_flushed=True)
        else:
            self._client.cut(is_flushed=False)
        self._finish(False)

    def _give_up(self, refusal: Refusal | None) -> None:
        """Nobody is left to ask."""
        if self._kept is not None:
            self._give_out(*self._kept)
            return
        if self._refused is not None and refusal is None:
            self._tell(*self._refused)
            return
        last = self._last_failed
        status = None if last is None else last.attempt.http_status
        if refusal is not None or last is None:
            self._refuse(refusal or Refusal(502, "upstream_error", "No upstream answered."))
        elif (
            last.attempt.failure == "status" and status is not None and (status < 500 or self._operation == "outcomes")
        ):
            self._tell(last, last.error_body)
        else:
            self._refuse(given_up(last.attempt, self._operation))

    def _time_out(self) -> None:
        """All attempts together took too long."""
        active, self._active = self._active, []
        for dispatch in active:
            dispatch.abort("total_timeout")
        if self._comparison is not None:
            self._kept = self._comparison.released() or self._kept
        self._last_failed = active[-1] if active else self._last_failed
        if self._is_head_sent and active:
            self._break_off(active[-1])
        elif self._kept is not None:
            self._give_out(*self._kept)
        else:
            self._refuse(Refusal(504, "upstream_timeout", said_of("total_timeout")))
