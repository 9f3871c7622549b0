"""Term weights: which hashed terms a scorer knows, and how much each says (inverse document frequency).

A prompt becomes a row of known terms with weight (1 + log count) * idf, of length 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.routing.features import TERM_BITS_COUNT, TermCounts

Floats32 = npt.NDArray[np.float32]
Indexes32 = npt.NDArray[np.int32]
_ONE: Final = np.float32(1)


@dataclass(frozen=True, slots=True)
class WeightedTerms:
    """Known terms of one prompt."""

    rows: npt.NDArray[np.intp]
    """Positions in `TermWeights.columns`, sorted."""
    weights: Floats32
    """Of Euclidean length 1, unless there are none."""
    unknown_fraction: float
    """Share of the prompt's distinct terms that the scorer does not know; 1 where it has no terms at all."""


@dataclass(frozen=True, slots=True)
class TermWeights:
    """Known columns, each with its weight."""

    columns: npt.NDArray[np.uint32]
    """Hashed columns that are known, sorted, each once, below 2**bits."""
    idf: Floats32
    """Weight of each of them."""
    bits: int = TERM_BITS_COUNT
    _slot: Indexes32 = field(init=False, repr=False, compare=False)
    """Column -> position in `columns`, or -1."""

    def __post_init__(self) -> None:
        slot = np.full(1 << self.bits, -1, dtype=np.int32)
        slot[self.columns] = np.arange(self.columns.size, dtype=np.int32)
        object.__setattr__(self, "_slot", slot)

    def weigh(self, terms: TermCounts) -> WeightedTerms:
        """The known terms of a prompt, weighted."""
        if not terms.indexes.size:
            return WeightedTerms(np.zeros(0, np.intp), np.zeros(0, np.float32), 1.0)
        slots = self._slot.take(terms.indexes)
        known = (slots >= 0).nonzero()[0]
        rows = slots[known].astype(np.intp)  # once, and not by each who looks there
        weights = np.log(terms.counts[known])
        weights += _ONE
        weights *= self.idf[rows]
        length = sqrt(weights @ weights)
        if length > 0:
            weights /= np.float32(length)
        return WeightedTerms(rows, weights, 1.0 - known.size / terms.indexes.size)
