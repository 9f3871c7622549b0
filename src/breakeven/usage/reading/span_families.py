"""Span families: which spans repeat the tokens of another above or below them, so that no call is counted twice.

A framework's span around a client's span, or an agent's around many, repeats the tokens of those inside; a call's span
without tokens inside one that has them is the same call. Spans arrive in any order, children before parents or after;
so the whole file is seen once, in 17 bytes a span, before any is used.
"""

from __future__ import annotations

from array import array
from collections.abc import Set
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

_DEPTH_MAX: Final = 1_000
"""Nobody nests spans deeper; parents that form a ring end here."""
_CALL, _COUNTING = 1, 2


@dataclass(frozen=True, slots=True)
class Repeats:
    """Keys of the spans that are no calls of their own."""

    outer: Set[int] = frozenset()
    """Counting spans with a counting span somewhere inside."""
    inner: Set[int] = frozenset()
    """Calls without tokens inside a counting span that is counted."""


@dataclass(slots=True)
class SpanFamilies:
    """Collects spans, then tells which of them repeat others."""

    _ids: array[int] = field(default_factory=lambda: array("Q"))
    _parents: array[int] = field(default_factory=lambda: array("Q"))
    _kinds: bytearray = field(default_factory=bytearray)

    def add(self, trace_id: str, span_id: str, parent_id: str, *, is_call: bool, has_tokens: bool) -> None:
        """Take a span; it counts when it is a call to a model and carries tokens."""
        self._ids.append(span_key(trace_id, span_id))
        self._parents.append(span_key(trace_id, parent_id) if parent_id else 0)
        self._kinds.append((_COUNTING if has_tokens else _CALL) if is_call else 0)

    def repeats(self) -> Repeats:
        """The spans that repeat others."""
        kinds = np.frombuffer(bytes(self._kinds), np.uint8)
        counts = kinds == _COUNTING
        if not counts.any():
            return Repeats()
        ids, parent = self._tree()
        is_outer = counts & _above(np.flatnonzero(counts), parent)
        calls = np.flatnonzero(kinds == _CALL)
        is_inner = _below(calls, counts & ~is_outer, parent)
        return Repeats(frozenset(ids[is_outer].tolist()), frozenset(ids[calls[is_inner]].tolist()))

    def _tree(self) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Keys, and the place of each one's parent; -1 where there is none."""
        ids, parents = np.array(self._ids, np.uint64), np.array(self._parents, np.uint64)
        order = np.argsort(ids, kind="stable")
        places = np.minimum(np.searchsorted(ids[order], parents), len(ids) - 1)
        return ids, np.where((ids[order][places] == parents) & (parents != ids), order[places], -1)


def _above(starts: NDArray[np.int64], parent: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which spans have one of `starts` somewhere below them."""
    found = np.zeros(len(parent), bool)
    rising = np.unique(parent[starts])
    while (rising := rising[rising >= 0]).size:
        rising = rising[~found[rising]]
        found[rising] = True
        rising = np.unique(parent[rising])
    return found


def _below(starts: NDArray[np.int64], wanted: NDArray[np.bool_], parent: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of `starts` have a `wanted` span somewhere above them."""
    found = np.zeros(len(starts), bool)
    above = parent[starts]
    for _ in range(_DEPTH_MAX):
        climbing = above >= 0
        if not climbing.any():
            break
        found |= climbing & wanted[above]
        above = np.where(climbing & ~found, parent[above], -1)
    return found


def span_key(trace_id: str, span_id: str) -> int:
    """A span in 64 bits."""
    return int.from_bytes(blake2b(f"{trace_id}/{span_id}".encode("utf-8", "replace"), digest_size=8).digest(), "big")
