"""Ending: how one request ends, once: its last bytes, what admission hears of it, and nobody is asked any longer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from breakeven.gateway.attempt import Attempt
from breakeven.gateway.plan import Operation, Plan, Refusal
from breakeven.gateway.relay.answers_of_ours import refusal_answer, whole_answer
from breakeven.gateway.relay.comparison import Comparison
from breakeven.gateway.relay.dispatch import Dispatch
from breakeven.gateway.relay.heard_answer import HeardAnswer
from breakeven.gateway.relay.state import ClientSide, RelayState
from breakeven.gateway.relay.trial_answers import finish_in_trial
from breakeven.gateway.wire.errors import upstream_error


class Ending:
    """What a request needs to end. Over once; `admission.finish` hears of it once."""

    __slots__ = (
        "_active",
        "_attempts",
        "_backing_off",
        "_client",
        "_comparison",
        "_given",
        "_heard",
        "_is_over",
        "_operation",
        "_plan",
        "_state",
        "_tasks",
    )

    def __init__(self, state: RelayState, client: ClientSide) -> None:
        self._state = state
        self._client = client
        self._plan: Plan | None = None
        self._operation: Operation | None = None
        self._active: list[Dispatch] = []
        self._attempts: list[Attempt] = []
        self._comparison: Comparison | None = None
        """Of a cascade that asks a second model, and compares."""
        self._given: Dispatch | None = None
        """Whose answer the client gets."""
        self._heard: HeardAnswer | None = None
        self._backing_off: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] | None = None
        self._is_over = False

    def _tell(self, dispatch: Dispatch, body: bytes) -> None:
        """An upstream's error, without what is not the client's business."""
        plan, attempt = self._plan, dispatch.attempt
        assert plan is not None and attempt.http_status is not None
        state, client = self._state, self._client
        is_ours = plan.facts.operation == "outcomes"
        told = body if is_ours else upstream_error(plan.facts, attempt.target, attempt.http_status, body)
        ours = state.admission.response_headers(plan, attempt)
        wait_s = attempt.retry_after_s
        closes = client.closes = client.closes or state.is_draining
        self._end(whole_answer(attempt.http_status, told, state.date_line, ours, closes, False, wait_s), False)

    def _refuse(self, refusal: Refusal) -> None:
        plan, state, client = self._plan, self._state, self._client
        request_id = None if plan is None else plan.request_id
        closes = client.closes = client.closes or state.is_draining
        self._end(refusal_answer(refusal, self._operation, state.date_line, request_id, closes), False)

    def _end(self, data: bytes, is_delivered: bool) -> None:
        """Sends the last bytes, and is over; with durability `request` only when the Calls are on the disk."""
        if self._is_over:
            return
        state = self._state
        if state.is_durable and state.sink is not None and self._attempts:
            self._finish(is_delivered)
            self._spawn(self._write_when_kept(data))
            return
        self._client.write(data)
        self._finish(is_delivered)
        self._client.answered(self)

    async def _write_when_kept(self, data: bytes) -> None:
        sink = self._state.sink
        assert sink is not None
        await sink.written()
        self._client.write(data)
        self._client.answered(self)

    def _finish(self, is_delivered: bool) -> None:
        if self._is_over:
            return
        self._is_over = True
        if self._backing_off is not None:
            self._backing_off.cancel()
        if self._comparison is not None:
            self._comparison.end("superseded")
        self._active = []
        self._state.exchanges.discard(self)
        plan = self._plan
        if plan is None:
            return
        if plan.trial is None:
            self._state.admission.finish(plan, self._attempts, is_delivered)
        else:
            finish_in_trial(self._state, plan, self._attempts, is_delivered, self._given, self._heard)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        """A task, where something must be waited for; kept until it is done."""
        task = self._state.loop.create_task(work)
        self._tasks = self._tasks or set()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
