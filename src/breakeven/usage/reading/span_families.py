"""Span families: which spans have a counting span below them, so that no call is counted at two levels of a trace.

A framework's span around a client's span, or an agent's around many, repeats the tokens of those inside. Spans arrive
in any order, children before parents or after; so the whole file is seen once, in 17 bytes a span, before any is used.
"""

from __future__ import annotations

from array import array
from collections.abc import Set
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np


@dataclass(slots=True)
class SpanFamilies:
    """Collects spans, then tells which counting spans enclose other counting spans."""

    _ids: array[int] = field(default_factory=lambda: array("Q"))
    _parents: array[int] = field(default_factory=lambda: array("Q"))
    _counts: bytearray = field(default_factory=bytearray)

    def add(self, trace_id: str, span_id: str, parent_id: str, *, counts: bool) -> None:
        """Take a span; `counts` says that it carries tokens of a model call."""
        self._ids.append(span_key(trace_id, span_id))
        self._parents.append(span_key(trace_id, parent_id) if parent_id else 0)
        self._counts.append(counts)

    def enclosing(self) -> Set[int]:
        """Keys of the counting spans with a counting span somewhere below them."""
        ids, parents = np.array(self._ids, np.uint64), np.array(self._parents, np.uint64)
        counts = np.frombuffer(bytes(self._counts), np.uint8).astype(bool)
        if not counts.any():
            return frozenset()
        order = np.argsort(ids, kind="stable")
        places = np.minimum(np.searchsorted(ids[order], parents), len(ids) - 1)
        parent = np.where((ids[order][places] == parents) & (parents != ids), order[places], -1)
        has_below = np.zeros(len(ids), bool)
        rising = np.unique(parent[counts])
        while (rising := rising[rising >= 0]).size:
            rising = rising[~has_below[rising]]
            has_below[rising] = True
            rising = np.unique(parent[rising])
        return frozenset(ids[has_below & counts].tolist())


def span_key(trace_id: str, span_id: str) -> int:
    """A span in 64 bits."""
    return int.from_bytes(blake2b(f"{trace_id}/{span_id}".encode("utf-8", "replace"), digest_size=8).digest(), "big")
