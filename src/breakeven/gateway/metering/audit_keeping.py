"""Audit keeping: answers that people shall label, one JSON line each, in `STATE/audit/PILOT/`.

A thread makes the lines, hides what the configuration says, and appends them; a queue that is full, a file that has
reached its size, or a disk that fails drops answers and counts them. What prompts and answers say is written only where
the configuration keeps prompts.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any, Final, Literal, Protocol

import orjson

from breakeven.gateway.metering.kept_prompts import KEPT_MAX_BYTES, kept_text
from breakeven.gateway.metering.prompt_words import prompt_words
from breakeven.gateway.plan import RequestFacts
from breakeven.routing.answers import Answer

FOLDER_NAME: Final = "audit"
QUEUE_MAX_COUNT: Final = 256
QUEUE_MAX_BYTES: Final = 64 * 2**20
"""Of request bodies and answers that wait."""
FILE_MAX_BYTES: Final = 1 * 2**30
"""Of one pilot and process."""
_AT_ONCE_COUNT: Final = 64
_TEXTS: Final = frozenset({"prompt", "answer", "tool_calls"})
RESULTS: Final = "audited_answers_total"
Kept = Literal["none", "redacted", "full"]


class Counting(Protocol):
    """What it asks of `telemetry/counters.py`."""

    def count(self, name: str, n: float = 1, label: str = "") -> None:
        """Add to a counter."""
        ...


@dataclass(frozen=True, slots=True)
class AuditedAnswer:
    """An answer that was drawn before anybody had seen it."""

    pilot: str
    request_id: str
    task: str | None
    arm: str | None
    """`baseline`, `candidate` or `shadow`."""
    model: str
    time_unix_s: float
    facts: RequestFacts
    answer: Answer
    outcome_fraction: float | None
    """What the trial's checks said."""
    kept: Kept


def audit_folder(state_folder: Path, pilot: str) -> Path:
    """Where the answers of a pilot lie.

    >>> audit_folder(Path("state"), "faq-4f0c").as_posix()
    'state/audit/faq-4f0c'
    """
    return state_folder / FOLDER_NAME / pilot


def audit_line(audited: AuditedAnswer) -> bytes:
    """One answer as a JSON line; texts only where prompts are kept."""
    said: dict[str, Any] = {
        "request_id": audited.request_id,
        "task": audited.task,
        "arm": audited.arm,
        "model": audited.model,
        "time": datetime.fromtimestamp(audited.time_unix_s, UTC).isoformat(timespec="milliseconds"),
        "finish_reason": audited.answer.finish_reason,
        "outcome": audited.outcome_fraction,
    }
    if audited.kept != "none":
        is_redacted = audited.kept == "redacted"
        said["prompt"] = prompt_words(audited.facts.document, is_redacted)
        said["answer"] = kept_text(audited.answer.text, is_redacted)
        if audited.answer.tool_calls:
            said["tool_calls"] = kept_text(list(audited.answer.tool_calls), is_redacted)
    line = _line(said)
    if len(line) > KEPT_MAX_BYTES:  # texts that pass all measure
        line = _line({name: value for name, value in said.items() if name not in _TEXTS})
    return line


def _line(said: dict[str, Any]) -> bytes:
    return orjson.dumps({name: value for name, value in said.items() if value is not None}) + b"\n"


class AuditKeeping:
    """The audited answers of one relay process."""

    def __init__(
        self,
        state_folder: Path,
        process_index: int,
        counters: Counting | None = None,
        *,
        queue_max_count: int = QUEUE_MAX_COUNT,
        file_max_bytes: int = FILE_MAX_BYTES,
    ) -> None:
        self._state_folder = state_folder
        self._file_name = f"relay-{process_index}.jsonl"
        self._counters = counters
        self._file_max_bytes = file_max_bytes
        self._waiting: Queue[AuditedAnswer | None] = Queue(queue_max_count)
        self._thread: threading.Thread | None = None
        self._written_count = self._failed_count = self._done_bytes_count = 0
        """Of the thread's."""
        self._full_count = self._taken_bytes_count = 0
        self._told = (0, 0)

    def put(self, answer: AuditedAnswer) -> None:
        """One answer. Never blocks, never raises."""
        bytes_count = _bytes_count(answer)
        if self._taken_bytes_count + bytes_count - self._done_bytes_count > QUEUE_MAX_BYTES:
            self._full_count += 1
        else:
            try:
                self._waiting.put_nowait(answer)
                self._taken_bytes_count += bytes_count
            except Full:
                self._full_count += 1
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="audit-keeping", daemon=True)
            self._thread.start()
        self._publish()

    def close(self, wait_s: float = 2.0) -> None:
        """Write what waits, within `wait_s`."""
        if self._thread is None:
            return
        with suppress(Full):
            self._waiting.put(None, timeout=wait_s / 2)
        self._thread.join(wait_s)
        self._publish()

    def _publish(self) -> None:
        """Counters are of the loop's thread: what the writer did is told from there."""
        now = (self._written_count, self._failed_count + self._full_count)
        if self._counters is not None:
            for result, new, old in zip(("written", "dropped"), now, self._told, strict=True):
                if new > old:
                    self._counters.count(RESULTS, new - old, result)
        self._told = now

    def _run(self) -> None:
        while True:
            batch = [self._waiting.get()]
            with suppress(Empty):
                while len(batch) < _AT_ONCE_COUNT:
                    batch.append(self._waiting.get_nowait())
            answers = [each for each in batch if each is not None]
            self._write(answers)
            self._done_bytes_count += sum(map(_bytes_count, answers))
            if None in batch:
                return

    def _write(self, answers: list[AuditedAnswer]) -> None:
        by_pilot: dict[str, list[bytes]] = {}
        for each in answers:
            try:
                by_pilot.setdefault(each.pilot, []).append(audit_line(each))
            except Exception:  # whatever was said, the next one is kept
                self._failed_count += 1
        for pilot, lines in by_pilot.items():
            try:
                is_written = self._append(audit_folder(self._state_folder, pilot), b"".join(lines))
            except OSError:
                is_written = False
            if is_written:
                self._written_count += len(lines)
            else:
                self._failed_count += len(lines)

    def _append(self, folder: Path, data: bytes) -> bool:
        """Whether there was room. A line that a crash cut short is taken away first."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(folder / self._file_name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            end = _whole_bytes_count(fd)
            if end + len(data) > self._file_max_bytes:
                return False
            os.ftruncate(fd, end)
            os.lseek(fd, end, os.SEEK_SET)
            written = 0
            while written < len(data):
                written += os.write(fd, data[written:])
            os.fdatasync(fd)
            return True
        finally:
            os.close(fd)


def _bytes_count(answer: AuditedAnswer) -> int:
    return len(answer.facts.body) + len(answer.answer.text)


def _whole_bytes_count(fd: int) -> int:
    """Bytes up to the end of the last whole line."""
    at = os.fstat(fd).st_size
    while at > 0:
        begin = max(at - KEPT_MAX_BYTES, 0)
        newline = os.pread(fd, at - begin, begin).rfind(b"\n")
        if newline >= 0:
            return begin + newline + 1
        at = begin
    return 0
