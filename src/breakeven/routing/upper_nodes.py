"""Upper nodes: the first levels of all trees of a forest, where every node is judged at once, whoever passes it.

That costs less than to fetch for each tree, level by level, the input and the threshold of the one node that it stands
at: nodes are kept by input, so nothing is fetched, and one step down is one look into a table. There are only so many
nodes as stay in a processor's caches; the levels below them are walked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.routing.term_weights import Floats32, Indexes32

Positions = npt.NDArray[np.intp]

UPPER_NODES_MAX_COUNT: Final = 16_384


@dataclass(frozen=True, slots=True)
class UpperNodes:
    """Nodes numbered anew: first those that are judged, by the input that they look at, then those where they end."""

    levels_count: int
    """Steps down that they answer for."""
    counts: Positions
    """Judged nodes of each input, shape (inputs,), without the last inputs that none looks at."""
    threshold: Floats32
    """Of each judged node."""
    left: Indexes32
    """Below each judged node on the left."""
    right_step: Indexes32
    """From there to the one on the right."""
    ends: Positions
    """The other nodes, as they are numbered here."""
    roots: Positions
    nodes: Positions
    """What each is called in the forest."""
    _spare: list[Positions] = field(init=False, repr=False, compare=False, default_factory=list)
    """Tables of where each node leads, to be used again: the part of other nodes never changes. No two threads have the
    same one, as `pop` and `append` are one step each."""

    def reached(self, inputs: Floats32) -> Positions:
        """For each tree the node, as the forest calls it, after the first levels."""
        step = (inputs[: self.counts.size].repeat(self.counts) > self.threshold) * self.right_step
        step += self.left
        below = self._spare.pop() if self._spare else np.concatenate([np.zeros(step.size, np.intp), self.ends])
        below[: step.size] = step
        node = self.roots
        for _ in range(self.levels_count):
            node = below[node]
        self._spare.append(below)
        return self.nodes[node]


def upper_nodes(
    roots: Indexes32, feature: Indexes32, threshold: Floats32, left: Indexes32, depth_count: int
) -> UpperNodes:
    """As many of the first levels of a forest as have few enough nodes."""
    is_judged = np.zeros(left.size, dtype=np.bool_)
    level, levels_count = np.unique(roots), 0
    is_end = threshold == np.finfo(np.float32).max
    while levels_count < depth_count:
        passed = level[~is_end[level]]
        with_them = is_judged.copy()
        with_them[passed] = True
        if np.count_nonzero(with_them) > UPPER_NODES_MAX_COUNT:
            break
        is_judged = with_them
        level = np.unique(np.concatenate([level[is_end[level]], left[passed], left[passed] + 1]))
        levels_count += 1
    judged = np.flatnonzero(is_judged)
    judged = judged[np.argsort(feature[judged], kind="stable")]
    is_other = np.zeros(left.size, dtype=np.bool_)
    is_other[roots] = is_other[left[judged]] = is_other[left[judged] + 1] = True
    nodes = np.concatenate([judged, np.flatnonzero(is_other & ~is_judged)])
    called = np.zeros(left.size, dtype=np.int32)
    called[nodes] = np.arange(nodes.size, dtype=np.int32)
    return UpperNodes(
        levels_count=levels_count,
        counts=np.bincount(feature[judged]),
        threshold=threshold[judged],
        left=called[left[judged]],
        right_step=called[left[judged] + 1] - called[left[judged]],
        ends=np.arange(judged.size, nodes.size),
        roots=called[roots].astype(np.intp),
        nodes=nodes,
    )
