"""Prompt features: the columns that are kept of the prompts of a chunk, computed once per distinct prompt.

Few prompts go one by one through `usage/features.py`; many through `feature_kernel.py`, whose compiling costs seconds
once per machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from breakeven.usage.features import TERMS_MAX_COUNT, WORDS_MAX_COUNT, Hasher, features, schema_hash_of, system_hash_of
from breakeven.usage.prompts.conversation import Conversation
from breakeven.usage.redact import without_private_spans

KERNEL_TEXT_BYTES: Final = 64 << 20
"""Only an import with more text than this is worth the kernel."""
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PromptColumns:
    """Feature columns, one entry per prompt."""

    prompt_words: pa.Array
    prompt_terms: pa.Array
    prompt_counts: pa.Array
    system_hash: pa.Array
    schema_hash: pa.Array
    has_tools: pa.Array


@dataclass(slots=True)
class FeatureMaker:
    """Makes the feature columns of one import."""

    hasher: Hasher
    _bytes_seen: int = 0

    def columns(self, prompts: Sequence[Conversation]) -> PromptColumns:
        """The features of `prompts` as columns."""
        prompts = [_without_private_spans(each) for each in prompts]
        self._bytes_seen += sum(len(each.user) for each in prompts)
        return _columns(prompts, self.hasher, by_kernel=self._bytes_seen >= KERNEL_TEXT_BYTES)


def _without_private_spans(prompt: Conversation) -> Conversation:
    """`prompt` as it may be taken apart into words."""
    user = without_private_spans(prompt.user)
    return prompt if user is prompt.user or user == prompt.user else replace(prompt, user=user)


def _columns(prompts: Sequence[Conversation], hasher: Hasher, *, by_kernel: bool) -> PromptColumns:
    salt = hasher.salt
    systems: dict[str | None, str | None] = {}
    hashes = []
    for each in prompts:
        if each.system not in systems:
            systems[each.system] = system_hash_of(each, salt)
        hashes.append(systems[each.system])
    words, terms, counts = (_by_kernel if by_kernel else _one_by_one)(prompts, hasher)
    return PromptColumns(
        words,
        terms,
        counts,
        pa.array(hashes, pa.string()),
        pa.array([schema_hash_of(each, salt) for each in prompts], pa.string()),
        pa.array([each.has_tools for each in prompts], pa.bool_()),
    )


def _one_by_one(prompts: Sequence[Conversation], hasher: Hasher) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Words, terms and counts."""
    found = [features(each, hasher) for each in prompts]
    ints = pa.list_(pa.int64())
    return (
        pa.array([each.prompt_words for each in found], ints),
        pa.array([each.prompt_terms for each in found], ints),
        pa.array([each.prompt_counts for each in found], ints),
    )


def _by_kernel(prompts: Sequence[Conversation], hasher: Hasher) -> tuple[pa.Array, pa.Array, pa.Array]:
    from breakeven.usage.store import feature_kernel as kernel

    texts = [each.user.encode("utf-8", "replace") for each in prompts]
    whole = b"".join(texts)
    data = np.frombuffer(whole, np.uint8)
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(each) for each in texts], out=offsets[1:])
    counted = np.empty((len(texts), kernel.COUNTS), np.int64)
    kernel.count_marks(data, offsets, counted)
    shared = np.array([(p.messages_count, p.turns_count, p.images_count) for p in prompts], np.int64)
    counts = np.concatenate([counted[:, :10], shared.reshape(-1, 3), counted[:, 10:]], axis=1)
    count_ends = np.arange(1, len(prompts) + 1, dtype=np.int64) * counts.shape[1]
    words = _words(whole, data, offsets, hasher)
    return words, _terms(whole, data, offsets, hasher), _lists(counts.ravel(), count_ends)


@dataclass(slots=True)
class _Table:
    """Numbers of distinct pieces of text; doubled when it gets too full."""

    count: int = 0
    slots: NDArray[np.int32] = field(default_factory=lambda: np.full(1 << 14, -1, np.int32))
    spans: Ints = field(default_factory=lambda: np.empty((1 << 13, 2), np.int64))
    hashes: NDArray[np.uint64] = field(default_factory=lambda: np.empty(1 << 13, np.uint64))
    seen_in: NDArray[np.int32] = field(default_factory=lambda: np.full(1 << 13, -1, np.int32))

    def grow(self) -> None:
        from breakeven.usage.store import feature_kernel as kernel

        more = len(self.spans)
        self.slots = np.full(2 * len(self.slots), -1, np.int32)
        self.spans = np.concatenate([self.spans, np.empty((more, 2), np.int64)])
        self.hashes = np.concatenate([self.hashes, np.empty(more, np.uint64)])
        self.seen_in = np.concatenate([self.seen_in, np.full(more, -1, np.int32)])
        kernel.refill(self.slots, self.hashes, self.count)

    def hashed(self, whole: bytes, rule: Callable[[bytes], int]) -> Ints:
        """`rule` applied to each distinct piece."""
        spans = self.spans[: self.count].tolist()
        return np.array([rule(whole[start:end]) for start, end in spans] or [-1], np.int64)


def _words(whole: bytes, data: NDArray[np.uint8], offsets: Ints, hasher: Hasher) -> pa.Array:
    from breakeven.usage.store import feature_kernel as kernel

    rows, row, table = len(offsets) - 1, 0, _Table()
    numbers = np.full((rows, WORDS_MAX_COUNT), -1, np.int32)
    while True:
        row, table.count = kernel.number_words(
            data, offsets, row, table.slots, table.spans, table.hashes, table.count, numbers
        )
        if row == rows:
            break
        table.grow()
    found, ends = np.empty(numbers.size, np.int64), np.empty(rows, np.int64)
    size = kernel.chains(numbers, table.hashed(whole, hasher.word), found, ends)
    return _lists(found[:size], ends)


def _terms(whole: bytes, data: NDArray[np.uint8], offsets: Ints, hasher: Hasher) -> pa.Array:
    from breakeven.usage.store import feature_kernel as kernel

    rows, row, table = len(offsets) - 1, 0, _Table()
    numbers, ends = np.empty(len(data) // 2 + rows + 1, np.int32), np.zeros(rows, np.int64)
    while True:
        row, table.count = kernel.number_runs(
            *(data, offsets, row, table.slots, table.spans, table.hashes, table.count, table.seen_in, numbers, ends)
        )
        if row == rows:
            break
        table.grow()
    hashes = table.hashed(whole, hasher.term)
    places = np.unique(hashes, return_inverse=True)[1].astype(np.int64)
    seen_in, found_ends = np.full(len(hashes), -1, np.int32), np.empty(rows, np.int64)
    found = np.empty(min(ends[-1] if rows else 0, rows * TERMS_MAX_COUNT), np.int64)
    size = kernel.terms(numbers, ends, hashes, places, seen_in, found, found_ends)
    return _lists(found[:size], found_ends)


def _lists(values: Ints, ends: Ints) -> pa.Array:
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))
