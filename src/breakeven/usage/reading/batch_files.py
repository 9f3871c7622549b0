"""Batch files: what lies beside the answers of a batch: the requests it was made of, and the batch object.

Answers come in any order and name their request by a custom id, which people use again in every batch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from breakeven.usage.reading.documents import documents
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.log_file import DamagedFileError, LogFile

_CREATED: Final = re.compile(rb'"created(?:_at)?"\s*:\s*"?(\d{10})\b')
_OVERLAP_BYTES: Final = 64


@dataclass(slots=True)
class BatchFiles:
    """The files beside one file of answers."""

    requests: list[tuple[str, dict[str, Mapping[str, Any]]]] = field(default_factory=list)
    """For each file of requests its name and the requests by custom id."""
    batches: list[Mapping[str, Any]] = field(default_factory=list)

    def request(self, custom_id: object) -> Mapping[str, Any]:
        """The request with that id; empty when there is none, or when different ones have it."""
        if not isinstance(custom_id, str):
            return {}
        batch = self._batch
        input_file = str(batch.get("input_file_id") or "") if batch else ""
        found = [(name, each[custom_id]) for name, each in self.requests if custom_id in each]
        if len(found) > 1:
            found = [each for each in found if input_file and input_file in each[0]] or found
        bodies = [body for _, body in found]
        return bodies[0] if bodies and all(each == bodies[0] for each in bodies) else {}

    def batch_of(self, log: LogFile) -> Mapping[str, Any] | None:
        """The batch object of the answers in `log`: the one whose ids its name has, or the only one there is."""
        named = [each for each in self.batches if any(each_id in log.name for each_id in _ids_of(each))]
        found = named or self.batches
        return found[0] if len(found) == 1 else None

    @property
    def _batch(self) -> Mapping[str, Any] | None:
        return self.batches[0] if len(self.batches) == 1 else None


def beside(companions: Sequence[tuple[LogFile, Head]], body: str) -> BatchFiles:
    """What `companions` hold; the request itself stands under the key `body`."""
    found = BatchFiles()
    for log, head in companions:
        requests: dict[str, Mapping[str, Any]] = {}
        for record in _flat(documents(log, head)):
            custom_id, request = record.get("custom_id"), record.get(body)
            if isinstance(custom_id, str) and isinstance(request, dict):
                requests[custom_id] = request
            elif "custom_id" not in record and isinstance(record.get("id"), str):
                found.batches.append(record)
        if requests:
            found.requests.append((log.name, requests))
    return found


def _flat(records: Iterable[object]) -> Iterator[Mapping[str, Any]]:
    """The objects, and those in lists of batches and of requests."""
    for record in records:
        if not isinstance(record, dict):
            continue
        inner = record.get("data", record.get("requests"))
        yield from (each for each in inner if isinstance(each, dict)) if isinstance(inner, list) else (record,)


def _ids_of(batch: Mapping[str, Any]) -> list[str]:
    ids = (batch.get(name) for name in ("id", "output_file_id", "error_file_id"))
    return [each for each in ids if isinstance(each, str) and each]


def first_second(log: LogFile) -> int | None:
    """The earliest second that any answer in `log` names as its time."""
    seconds: list[int] = []
    before = b""
    try:
        for block in log.blocks():
            seconds += [int(each) for each in _CREATED.findall(before + block)]
            before = block[-_OVERLAP_BYTES:]
    except DamagedFileError:
        pass
    return min(seconds, default=None)


def prompt_of(request: Mapping[str, Any]) -> str | None:
    """The request as a prompt; None when there is none."""
    try:
        return json.dumps(request, ensure_ascii=False) if request else None
    except RecursionError:
        return None
