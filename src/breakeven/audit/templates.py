"""Template: the fixed words that a program's prompts begin with; mined from hashed words, without any label.

A prefix trie over `prompt_words`, whose element i stands for the words 0 to i of a prompt. Below some nodes the next
words are always the same few (text a program wrote), below others anything follows (text a person wrote, or a slot).
A node is *structural* when at least `FIXED_FRACTION` of its calls go on with the same `RUN_WORDS` words, or into
structural children, or when a handful of next words is all there is. A template is the last structural node on the way
down, `WORDS_MIN_COUNT` words deep or deeper. What is no template's is left to the clusters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.int64]
WORDS_MIN_COUNT: Final = 3
"""Fewer words in common are chance: many people begin with "can you"."""
RUN_WORDS: Final = 2
FIXED_FRACTION: Final = 0.8
SPLIT_FRACTION: Final = 0.5
"""A node deep enough to be a template is split only when structural children hold this share of its calls."""
CLOSED_FRACTION: Final = 0.98
CLOSED_WORDS_MAX_COUNT: Final = 6
CLOSED_WORD_FRACTION: Final = 0.05
"""A closed set of next words: at most so many, each at least this share, together `CLOSED_FRACTION`."""
ROUND_DEPTHS: Final = (3, 4, 6, 8, 12, 16, 24, 32)
"""A template ends at one of these numbers of words where that takes in nearly no other call: each number in use is one
more join over all Calls."""
SAME_CALLS_RATIO: Final = 1.02
SUPPORT_CALLS_COUNT: Final = 10
SUPPORT_FRACTION: Final = 0.001
"""A template has at least so many of the sampled calls, and this share of them."""


@dataclass(frozen=True, slots=True)
class Template:
    """A prefix that calls have in common."""

    words_count: int
    words_hash: int
    """The chained hash of its last word: it stands for the whole prefix."""
    calls_count: int
    """Sampled calls for which it is the longest template."""


@dataclass(frozen=True, slots=True)
class MinedTemplates:
    """The templates of some calls, most calls first."""

    templates: tuple[Template, ...]
    template_of: NDArray[np.int64]
    """Index into `templates` per call; -1: none. Shape (calls,)."""

    @property
    def coverage_fraction(self) -> float:
        """Share of the calls that a template covers."""
        return float(np.mean(self.template_of >= 0)) if self.template_of.size else 0.0


def mine(prompt_words: list[list[int]]) -> MinedTemplates:
    """The templates of prompts given as chained hashes of their first words.

    >>> classify = [[1, 2, 3, 100 + number] for number in range(20)]
    >>> found = mine(classify + [[9, 200 + number] for number in range(5)])
    >>> [(each.words_count, each.words_hash, each.calls_count) for each in found.templates], found.coverage_fraction
    ([(3, 3, 20)], 0.8)
    """
    words, lengths = _matrix(prompt_words)
    nothing = np.full(len(prompt_words), -1, dtype=np.int64)
    if not words.size:
        return MinedTemplates((), nothing)
    trie = _Trie(words, max(SUPPORT_CALLS_COUNT, int(SUPPORT_FRACTION * len(prompt_words))))
    ends = [(trie.rounded(depth, row), row) for depth, row in trie.templates()]
    chosen = [(min(depth + 1, int(lengths[row])), int(words[row, depth])) for depth, row in ends]
    return _assigned(prompt_words, list(dict.fromkeys(chosen)))


def _assigned(prompt_words: list[list[int]], chosen: list[tuple[int, int]]) -> MinedTemplates:
    """Each call goes to the longest prefix that it has; prefixes that no call is left for are dropped."""
    by_hash = {words_hash: (count, at) for at, (count, words_hash) in enumerate(chosen)}
    of = np.full(len(prompt_words), -1, dtype=np.int64)
    for row, words in enumerate(prompt_words):
        found = [by_hash[each] for at, each in enumerate(words, start=1) if each in by_hash and by_hash[each][0] == at]
        if found:
            of[row] = max(found)[1]
    counts = np.bincount(of[of >= 0], minlength=len(chosen))
    order = sorted((at for at in range(len(chosen)) if counts[at]), key=lambda at: (-counts[at], chosen[at]))
    renamed = np.full(len(chosen) + 1, -1, dtype=np.int64)
    renamed[order] = np.arange(len(order))
    return MinedTemplates(tuple(Template(*chosen[at], int(counts[at])) for at in order), renamed[of])


def _matrix(prompt_words: list[list[int]]) -> tuple[Hashes, NDArray[np.int64]]:
    """Words as a rectangle; a prompt that ends goes on with its last hash, so its end counts as fixed."""
    lengths = np.array([len(each) for each in prompt_words], dtype=np.int64)
    width = int(lengths.max(initial=0))
    words = np.full((lengths.size, width), -1, dtype=np.int64)
    for row, each in enumerate(prompt_words):
        if each:
            words[row, : len(each)] = each
            words[row, len(each) :] = each[-1]
    return words, lengths


@dataclass(frozen=True, slots=True)
class _Level:
    """The nodes of one depth."""

    counts: NDArray[np.int64]
    rows: NDArray[np.int64]
    """A call that passes each node."""
    node_of: NDArray[np.int64]
    """Node of each call."""


@dataclass(frozen=True, slots=True)
class _Families:
    """The children of each node of a level."""

    order: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of_parents(cls, parents: NDArray[np.int64], parents_count: int) -> _Families:
        """From the parent of each child."""
        counts = np.bincount(parents, minlength=parents_count)
        return cls(np.argsort(parents, kind="stable"), np.concatenate([[0], np.cumsum(counts)]))

    def of(self, node: int) -> NDArray[np.int64]:
        """The children of `node`."""
        return self.order[self.starts[node] : self.starts[node + 1]]


class _Trie:
    """The trie of a rectangle of chained hashes; nodes are indices within their depth."""

    def __init__(self, words: Hashes, support: int) -> None:
        self.levels = [self._level(words[:, depth]) for depth in range(words.shape[1])]
        self._has_words = words[:, 0] >= 0
        self._support = support
        self._families: list[_Families] = []
        self._structural = self._find_structural()

    @staticmethod
    def _level(column: Hashes) -> _Level:
        _, rows, node_of, counts = np.unique(column, return_index=True, return_inverse=True, return_counts=True)
        return _Level(counts.astype(np.int64), rows.astype(np.int64), node_of.astype(np.int64))

    def templates(self) -> Iterator[tuple[int, int]]:
        """Depth from 0 and a call of each template; templates that lie inside another one come after it."""
        first = self.levels[0]
        open_nodes = [(0, int(node)) for node in np.flatnonzero(self._structural[0]) if self._is_word(first, int(node))]
        while open_nodes:
            depth, node = open_nodes.pop()
            row, count = int(self.levels[depth].rows[node]), int(self.levels[depth].counts[node])
            below = self._structural_children(depth, node)
            held = int(sum(self.levels[depth + 1].counts[child] for child in below))
            deep = depth + 1 >= WORDS_MIN_COUNT
            splits = bool(below) and (not deep or held >= SPLIT_FRACTION * count)
            if splits:
                open_nodes += [(depth + 1, child) for child in below]
            if deep and (not splits or count - held >= self._support):
                yield depth, row

    def rounded(self, depth: int, row: int) -> int:
        """A depth from 0 at or above `depth`: the deepest of `ROUND_DEPTHS` with (nearly) the same calls."""
        count = self.levels[depth].counts[self.levels[depth].node_of[row]]
        for words_count in reversed(ROUND_DEPTHS):
            if words_count <= depth + 1:
                level = self.levels[words_count - 1]
                return words_count - 1 if level.counts[level.node_of[row]] <= SAME_CALLS_RATIO * count else depth
        return depth

    def _is_word(self, level: _Level, node: int) -> bool:
        return bool(self._has_words[level.rows[node]])

    def _structural_children(self, depth: int, node: int) -> list[int]:
        if depth + 1 >= len(self.levels):
            return []
        return [int(child) for child in self._families[depth].of(node) if self._structural[depth + 1][child]]

    def _find_structural(self) -> list[NDArray[np.bool_]]:
        """From the deepest level up."""
        levels = self.levels
        self._families = [
            _Families.of_parents(upper.node_of[lower.rows], upper.counts.size) for upper, lower in pairwise(levels)
        ]
        found = [np.zeros(level.counts.size, dtype=np.bool_) for level in levels]
        found[-1] = levels[-1].counts >= self._support
        for depth in range(len(levels) - 2, -1, -1):
            level, below = levels[depth], levels[depth + 1]
            is_fixed = (level.counts >= self._support) & self._mark_runs(found, depth)
            held = np.zeros(level.counts.size)
            np.add.at(held, level.node_of[below.rows], np.where(found[depth + 1], below.counts, 0))
            goes_on = held >= FIXED_FRACTION * level.counts
            found[depth] = (level.counts >= self._support) & (is_fixed | goes_on)
            for node in np.flatnonzero(level.counts >= self._support):
                self._close(found, depth, int(node))
        return found

    def _mark_runs(self, found: list[NDArray[np.bool_]], depth: int) -> NDArray[np.bool_]:
        """Nodes whose calls mostly go on with the same `RUN_WORDS` words; the nodes along that run are marked."""
        level, last_depth = self.levels[depth], min(depth + RUN_WORDS, len(self.levels) - 1)
        last = self.levels[last_depth]
        ascending = last.rows[np.argsort(last.counts, kind="stable")]
        best_row = np.zeros(level.counts.size, dtype=np.int64)
        best_row[level.node_of[ascending]] = ascending  # the most frequent end of a run is written last
        most = last.counts[last.node_of[best_row]]
        is_fixed: NDArray[np.bool_] = most >= FIXED_FRACTION * level.counts
        rows = best_row[is_fixed & (level.counts >= self._support)]
        for deeper in range(depth + 1, last_depth + 1):
            found[deeper][self.levels[deeper].node_of[rows]] = True
        return is_fixed

    def _close(self, found: list[NDArray[np.bool_]], depth: int, node: int) -> None:
        """Mark the children of a node whose next words are a closed set, and the node above them."""
        children = self._families[depth].of(node)
        counts = self.levels[depth + 1].counts[children]
        total = self.levels[depth].counts[node]
        large = counts >= max(self._support, CLOSED_WORD_FRACTION * total)
        if 2 <= large.sum() <= CLOSED_WORDS_MAX_COUNT and counts[large].sum() >= CLOSED_FRACTION * total:
            found[depth + 1][children[large]] = True
            found[depth][node] = True
