"""Wake signals: signals as something to wait for together with pipes and processes."""

from __future__ import annotations

import signal
import socket
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any


class WakeSignals:
    """Signals of the main thread, from `__enter__` to `__exit__`; in another thread it waits for nothing."""

    def __init__(self, numbers: Sequence[signal.Signals]) -> None:
        self._numbers = tuple(numbers)
        self._seen: deque[int] = deque()
        self._before: dict[signal.Signals, Any] = {}
        self._inner, self._outer = socket.socketpair()

    def __enter__(self) -> WakeSignals:
        self._inner.setblocking(False)
        self._outer.setblocking(False)
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in self._numbers}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._inner.close()
        self._outer.close()

    def fileno(self) -> int:
        """Readable when a signal came."""
        return self._inner.fileno()

    def send(self, number: signal.Signals) -> None:
        """As if that signal had come; from any thread."""
        self._note(number, None)

    def taken(self) -> list[int]:
        """The signals since the last call, in order."""
        with suppress(BlockingIOError):
            self._inner.recv(4096)
        found = []
        while self._seen:
            found.append(self._seen.popleft())
        return found

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._seen.append(number)
        try:
            self._outer.send(b"\0")
        except OSError:
            return
