"""Said lines: what people, programs and judges said of answers, one JSON line each, as gateways and label queues write.

A line is `{"request_id", "success", "source", "model", "arm", "replaces", "time"}`; only the first two must be there.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from breakeven.pilot.reading.sources import told_source
from breakeven.routing.written import no_constant
from breakeven.usage.ingest_report import Reject

BAD_SUCCESS: Final = "success is not a number from 0 to 1"
BAD_LINE: Final = "not a JSON object with request_id and success"
DEFAULT_SOURCE: Final = "feedback"
_RAW_CHARACTERS_COUNT: Final = 200


@dataclass(frozen=True, slots=True)
class Said:
    """One thing said of an answer."""

    request_id: str
    success_fraction: float
    source: str
    """One of `SOURCES`."""
    model: str
    """Whose answer; "" where not said."""
    arm: str
    """Whose answer, by arm; "" where not said."""
    replaces: bool
    """Stands in place of what the same source said before."""
    file: str
    row: int
    who: str = ""
    """Name of the labeller, where one is given."""
    unknown_source: str = ""
    """The word for its source where nobody knows it: it counts as a judge's."""

    @property
    def place(self) -> str:
        """File and row."""
        return f"{self.file}, row {self.row:,}"


@dataclass(slots=True)
class _Log:
    inode: int
    bytes_count: int
    lines_count: int
    said: list[Said]
    rejects: list[Reject]


@dataclass(slots=True)
class SaidReader:
    """Reads append-only files of lines again and again: only what is new of each."""

    _logs: dict[Path, _Log] = field(default_factory=dict)

    def read(self, files: Sequence[Path]) -> tuple[list[Said], list[Reject]]:
        """Everything that was said in the files, in their order, and the lines that say nothing."""
        said: list[Said] = []
        rejects: list[Reject] = []
        for path in files:
            log = self._log(path)
            if log is not None:
                said += log.said
                rejects += log.rejects
        return said, rejects

    def _log(self, path: Path) -> _Log | None:
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                log = self._logs.get(path)
                if log is None or log.inode != status.st_ino or log.bytes_count > status.st_size:
                    log = self._logs[path] = _Log(status.st_ino, 0, 0, [], [])
                file.seek(log.bytes_count)
                data = file.read()
        except FileNotFoundError:
            return None
        whole = data[: data.rfind(b"\n") + 1]
        for line in whole.split(b"\n")[:-1]:
            log.lines_count += 1
            _take(line, path.name, log)
        log.bytes_count += len(whole)
        return log


def _take(line: bytes, name: str, log: _Log) -> None:
    if not line.strip():
        return
    found = said_of(line, name, log.lines_count)
    if isinstance(found, Said):
        log.said.append(found)
    else:
        log.rejects.append(found)


def said_of(line: bytes, file: str, row: int) -> Said | Reject:
    """What a line says, or why it says nothing."""
    try:
        document = json.loads(line, parse_constant=no_constant)
        request_id = document["request_id"]
        success = document["success"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Reject(file, row, BAD_LINE, "", line[:_RAW_CHARACTERS_COUNT].decode("utf-8", "replace"))
    if not isinstance(request_id, str) or not request_id:
        return Reject(file, row, "request_id is missing", "", "")
    fraction = success_fraction(success)
    if fraction is None:
        return Reject(file, row, BAD_SUCCESS, str(success)[:60], f"request_id {request_id[:60]}")
    source, unknown = told_source(document.get("source"), DEFAULT_SOURCE)
    return Said(
        request_id,
        fraction,
        source,
        _text(document.get("model")),
        _text(document.get("arm")),
        document.get("replaces") is True,
        file,
        row,
        _text(document.get("labeller") or document.get("key_id")),
        unknown,
    )


def success_fraction(value: Any) -> float | None:
    """A success from 0 to 1; None for what is none.

    >>> success_fraction(True), success_fraction(0.25), success_fraction(1.5), success_fraction("yes")
    (1.0, 0.25, None, None)
    """
    if isinstance(value, bool):
        return float(value)
    if not isinstance(value, int | float) or not 0 <= value <= 1 or math.isnan(value):
        return None
    return float(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
