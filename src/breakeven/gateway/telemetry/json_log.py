"""JSON log: one line per thing worth telling, to stderr, written by a thread so that a stuck reader holds nobody up.

No prompt, answer, key or address of a client is ever a field. Lines of one event are limited: after a burst, so many
a second; the next line that is written says how many were left out.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, time
from typing import Final, Protocol

import orjson

from breakeven.gateway.attempt import Attempt
from breakeven.gateway.plan import Plan

Value = str | int | float | bool | None
BURST_COUNT: Final = 20
LINES_PER_S_COUNT: Final = 5.0
QUEUE_LINES_MAX: Final = 1_000
VALUE_CHARACTERS_MAX: Final = 500
STDERR: Final = 2


class _Counts(Protocol):
    def count(self, name: str, n: float = 1, label: str = "") -> None: ...


class JsonLog:
    """A log of one process. `say` never blocks and never raises."""

    def __init__(
        self,
        process: str,
        counters: _Counts | None = None,
        descriptor: int = STDERR,
        now: Callable[[], float] = time,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        self.process = process
        self._counters = counters
        self._descriptor = descriptor
        self._now = now
        self._monotonic = monotonic
        self._allowances: dict[str, tuple[float, float]] = {}
        self._left_out: Counter[str] = Counter()
        self._lines: deque[bytes] = deque()
        self._wake = threading.Event()
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def say(self, event: str, level: str = "info", **fields: Value) -> None:
        """One line. `event` is one of a few fixed words; fields hold names and numbers."""
        if not self._may_say(event):
            self._left_out[event] += 1
            self._count_dropped()
            return
        document: dict[str, Value] = {
            "time": datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds"),
            "level": level,
            "process": self.process,
            "event": event,
        }
        for name, value in fields.items():
            document[name] = value[:VALUE_CHARACTERS_MAX] if isinstance(value, str) else value
        if left_out := self._left_out.pop(event, 0):
            document["left_out_count"] = left_out
        self._put(_line(document))

    def request_trouble(self, plan: Plan, attempts: list[Attempt], delivered: bool) -> None:
        """A request that was retried, fell back, or failed: what was tried and how each try ended."""
        tried = " > ".join(f"{_named(each)}@{each.target.upstream.name}:{_ending(each)}" for each in attempts)
        self.say(
            "request",
            "info" if delivered else "warning",
            request_id=plan.request_id,
            delivered=delivered,
            attempts=tried,
            task=plan.task,
            reason=plan.reason,
            key=plan.key.id if plan.key else None,
        )

    def mistake(self, problem: Exception) -> None:
        """An exception that no code expects: its kind and where it was raised. Its words may quote a prompt."""
        frames = traceback.extract_tb(problem.__traceback__, limit=-3)
        at = " > ".join(f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in frames)
        self.say("mistake", "error", error=type(problem).__name__, at=at)

    def close(self, wait_s: float = 1.0) -> None:
        """Write what waits, for so long at most."""
        self._is_closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(wait_s)

    def _may_say(self, event: str) -> bool:
        at = self._monotonic()
        left, since = self._allowances.get(event, (float(BURST_COUNT), at))
        left = min(float(BURST_COUNT), left + (at - since) * LINES_PER_S_COUNT)
        may = left >= 1
        self._allowances[event] = (left - may, at)
        return may

    def _put(self, line: bytes) -> None:
        if len(self._lines) >= QUEUE_LINES_MAX:
            self._count_dropped()
            return
        self._lines.append(line)
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="json-log", daemon=True)
            self._thread.start()
        self._wake.set()

    def _count_dropped(self) -> None:
        if self._counters is not None:
            self._counters.count("log_lines_dropped_total")

    def _write(self) -> None:
        while not (self._is_closed and not self._lines):
            self._wake.wait()
            self._wake.clear()
            while self._lines:
                rest = memoryview(self._lines.popleft())
                try:
                    while rest:
                        rest = rest[os.write(self._descriptor, rest) :]
                except OSError:
                    self._count_dropped()
            if self._is_closed:
                self._wake.set()


def _line(document: dict[str, Value]) -> bytes:
    try:
        return orjson.dumps(document) + b"\n"
    except (TypeError, ValueError):  # a text that is no Unicode
        clean = {name: _unicode(value) if isinstance(value, str) else value for name, value in document.items()}
        return orjson.dumps(clean, default=str) + b"\n"


def _unicode(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _named(attempt: Attempt) -> str:
    """A model whose answer was only compared is told apart."""
    return f"check {attempt.target.name}" if attempt.kind == "check" else attempt.target.name


def _ending(attempt: Attempt) -> str:
    if attempt.failure == "status" or attempt.is_refused:
        return str(attempt.http_status)
    return attempt.failure or ("client_gone" if attempt.is_aborted else "ok")
