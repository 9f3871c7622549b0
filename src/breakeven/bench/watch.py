"""Watch: ends a request that waits too long, at the cost of storing one number per event."""

from __future__ import annotations

import asyncio
from typing import Final

from breakeven.bench.load import Limits
from breakeven.bench.request_record import FailureKind

CLOSING_S: Final = 1.0
"""How long a server may take to end its turn after [DONE]; a connection that it does not end is not used again."""


class Watch:
    """Cancels the task it watches when a limit passes; `verdict` says which one.

    A timer is armed once per waiting period, not once per event: when it fires too early it arms itself again.
    """

    __slots__ = ("_due_s", "_end_s", "_handle", "_limits", "_loop", "_streaming", "_task", "verdict")

    def __init__(self, limits: Limits) -> None:
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._limits = limits
        now = self._loop.time()
        self._end_s = now + limits.total_s
        self._due_s = min(now + limits.first_token_s, self._end_s)
        self._streaming = False
        self.verdict: tuple[FailureKind, str] | None = None
        self._handle = self._loop.call_at(self._due_s, self._look)

    def progressed(self) -> None:
        """Something of the answer arrived."""
        self._due_s = self._loop.time() + self._limits.idle_s
        if not self._streaming:  # the period may have become shorter
            self._streaming = True
            self._handle.cancel()
            self._handle = self._loop.call_at(min(self._due_s, self._end_s), self._look)

    def answered(self) -> None:
        """The answer is complete; only the end of the connection's turn is missing, and it is waited for briefly."""
        self._end_s = self._loop.time() + CLOSING_S
        self._handle.cancel()
        self._handle = self._loop.call_at(self._end_s, self._look)

    def stop(self) -> None:
        """No longer watch."""
        self._handle.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        due = min(self._due_s, self._end_s)
        if now < due:
            self._handle = self._loop.call_at(due, self._look)
            return
        if now >= self._end_s:
            self.verdict = (FailureKind.TOO_LONG, f"no end within {self._limits.total_s:g} s")
        elif self._streaming:
            self.verdict = (FailureKind.STALLED, f"nothing for {self._limits.idle_s:g} s in mid-answer")
        else:
            self.verdict = (FailureKind.NO_FIRST_TOKEN, f"no token within {self._limits.first_token_s:g} s")
        self._task.cancel()
