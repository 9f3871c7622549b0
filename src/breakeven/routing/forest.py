"""Forest: the mean of many trees, each leaf of which holds every model's success; a head of a scorer.

Trees see surface features, the logits of the group's rates, and a few weighted sums of the prompt's terms. All trees'
nodes stand in one table, each tree's after the last one's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from breakeven.routing.heads import Floats, Seen
from breakeven.routing.term_weights import Floats32, Indexes32
from breakeven.routing.upper_nodes import Positions, UpperNodes, upper_nodes


@dataclass(frozen=True, slots=True)
class ForestHead:
    """Trees of all models together."""

    term_weights: Floats32
    """Sums of terms that the trees see, shape (known terms, sums)."""
    roots: Indexes32
    """First node of each tree, shape (trees,)."""
    feature: Indexes32
    """Input that a node looks at: SURFACE_COUNT + models + sums inputs; anything at a leaf; shape (nodes,)."""
    threshold: Floats32
    """It goes left where the input, as float32, is at most this; of a leaf the greatest float32 there is."""
    left: Indexes32
    """Node below on the left; the one on the right is the next. A leaf names itself."""
    value: Floats32
    """Success of each model at a leaf, or what is to be added to it; shape (nodes, models)."""
    depth_count: int
    """Steps from a root to the deepest leaf."""
    _walk: tuple[Positions, Positions] = field(init=False, repr=False, compare=False)
    """Features and left nodes as positions: what numpy would make of them at every step."""
    _upper: UpperNodes = field(init=False, repr=False, compare=False)
    _sum: tuple[Floats, Floats] = field(init=False, repr=False, compare=False)
    """A one for each tree, and the values in double precision: what sums over the trees."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_walk", (self.feature.astype(np.intp), self.left.astype(np.intp)))
        upper = upper_nodes(self.roots, self.feature, self.threshold, self.left, self.depth_count)
        object.__setattr__(self, "_upper", upper)
        object.__setattr__(self, "_sum", (np.ones(self.roots.size), self.value.astype(np.float64)))

    def success(self, seen: Seen) -> Floats:
        """The mean of the trees' leaves: the probability that each model succeeds."""
        sums = seen.terms.weights @ self.term_weights.take(seen.terms.rows, axis=0)
        inputs = np.concatenate([seen.surface, seen.logits, sums]).astype(np.float32)
        node = self._upper.reached(inputs)
        feature, left = self._walk
        for _ in range(self.depth_count - self._upper.levels_count):
            node = left[node] + (inputs[feature[node]] > self.threshold[node])
        ones, value = self._sum
        return np.asarray(ones @ value.take(node, axis=0) / node.size)

    def success_of(self, inputs: npt.NDArray[np.float32]) -> Floats:
        """The same for many prompts' inputs, shape (prompts, inputs)."""
        total = np.zeros((len(inputs), self.value.shape[1]))
        for leaves in self.leaves_of(inputs):
            total += self.value[leaves]
        return total / len(self.roots)

    def leaves_of(self, inputs: npt.NDArray[np.float32]) -> Iterator[Indexes32]:
        """For each tree the leaf of each prompt."""
        rows = np.arange(len(inputs))
        for root in self.roots:
            node = np.full(len(inputs), root, dtype=np.int32)
            for _ in range(self.depth_count):
                below = self.left[node] + (inputs[rows, self.feature[node]] > self.threshold[node])
                if np.array_equal(below, node):
                    break
                node = below.astype(np.int32)
            yield node
