"""Unfinished rows: rows of a stream that tell no tokens, beside the row of the same request that does.

Some producers log a row for each chunk of a stream, or one when it begins and one when it ends, all with one request
id. A row without tokens is a duplicate when a Call with its id comes in the same chunk of rows or in the one before or
after it, and a reject otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from breakeven.usage.store.assembly_line import Assembled, Rejected


@dataclass(slots=True)
class UnfinishedRows:
    """Rows that wait for a Call with their id."""

    _waiting: dict[str, list[Rejected]] = field(default_factory=dict)
    """From the chunk before."""
    _fresh: dict[str, list[Rejected]] = field(default_factory=dict)
    _last_ids: list[pa.ChunkedArray] = field(default_factory=list)

    def finished(self, done: Assembled) -> Iterator[Rejected]:
        """The rows whose Call is there: they are duplicates."""
        for each in done.rejects:
            if each.record_id is not None:
                self._fresh.setdefault(each.record_id, []).append(each)
        ids = [done.calls["record_id"], *([done.held.calls["record_id"]] if done.held is not None else [])]
        for known, waiting in ((ids, self._waiting), (ids, self._fresh), (self._last_ids, self._fresh)):
            for found in _among(known, waiting):
                yield from waiting.pop(found)
        self._last_ids = ids

    def given_up(self) -> Iterator[Rejected]:
        """The rows for which no Call came; asked for after each chunk, and twice after the last one."""
        lost, self._waiting, self._fresh = self._waiting, self._fresh, {}
        for some in lost.values():
            yield from some


def _among(ids: list[pa.ChunkedArray], waiting: dict[str, list[Rejected]]) -> set[str]:
    """Which ids that wait are among `ids`."""
    if not waiting:
        return set()
    wanted = pa.array(list(waiting), pa.string())
    return {found for each in ids for found in each.filter(pc.is_in(each, wanted)).to_pylist()}
