"""Outcome store: what clients said of answers, as append-only JSON lines that `breakeven outcomes` joins to Calls.

The same request, source and model with the same value again changes nothing; with another value it is a conflict,
unless it says that it replaces: then a later line stands for the earlier one. A line is on the disk before it is
confirmed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal

import orjson

from breakeven.gateway.control.outcome_request import GivenOutcome

FOLDER_NAME: Final = "outcomes"
FILE_NAME: Final = "outcomes.jsonl"
Result = Literal["stored", "repeated", "replaced", "conflict"]


def outcomes_path(state_folder: Path) -> Path:
    """The file of a gateway's outcomes."""
    return state_folder / FOLDER_NAME / FILE_NAME


class OutcomeStore:
    """The outcomes of one gateway; one process has it open, and calls it from one thread at a time."""

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self._now = now
        self._said: dict[bytes, float] = {}
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._size = 0
        self._load()

    def __len__(self) -> int:
        """Requests, sources and models of which something was said."""
        return len(self._said)

    def give(self, outcome: GivenOutcome, key_id: str | None = None) -> Result:
        """Keep one outcome; OSError where the disk does not take it, and then nothing is kept of it."""
        name = _identity(outcome.request_id, outcome.source, outcome.model)
        before = self._said.get(name)
        if before == outcome.success_fraction:
            return "repeated"
        if before is not None and not outcome.replaces:
            return "conflict"
        self._append(self._line(outcome, key_id, before is not None))
        self._said[name] = outcome.success_fraction
        return "stored" if before is None else "replaced"

    def close(self) -> None:
        """End."""
        os.close(self._file)

    def _line(self, outcome: GivenOutcome, key_id: str | None, replaces: bool) -> bytes:
        said = {
            "request_id": outcome.request_id,
            "success": outcome.success_fraction,
            "source": outcome.source,
            "model": outcome.model,
            "label": outcome.label,
            "note": outcome.note,
            "key_id": key_id,
            "replaces": replaces or None,
            "time": self._now().isoformat(timespec="milliseconds"),
        }
        return orjson.dumps({name: value for name, value in said.items() if value is not None}) + b"\n"

    def _append(self, line: bytes) -> None:
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)  # half a line would spoil the next one
            raise
        self._size += len(line)

    def _load(self) -> None:
        """Learn what was said, and cut off a line that a crash left unfinished."""
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._size += len(line)
                self._learn(line)
        os.ftruncate(self._file, self._size)

    def _learn(self, line: bytes) -> None:
        try:
            found = orjson.loads(line)
            name = _identity(str(found["request_id"]), str(found["source"]), found.get("model"))
            self._said[name] = float(found["success"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return  # `breakeven outcomes` names such a line


def _identity(request_id: str, source: str, model: str | None) -> bytes:
    return blake2b(orjson.dumps([request_id, source, model]), digest_size=12).digest()
