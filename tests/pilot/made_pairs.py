"""Made pairs: paired outcomes with given counts, in an order drawn by a seed."""

from __future__ import annotations

import numpy as np

from breakeven.pilot.observations import Floats, PairCounts, Pairs

CELLS = ((1.0, 0.0), (0.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def pairs_from(baseline: Floats, candidate: Floats) -> Pairs:
    count = len(baseline)
    at = np.arange(count, dtype=np.intp)
    return Pairs(baseline, candidate, at, np.zeros(count, dtype=np.intp), np.zeros((count, 2), dtype=np.intp))


def pairs_with(counts: PairCounts, seed: int) -> Pairs:
    """Pairs with these counts, in an order drawn by the seed."""
    times = [counts.baseline_only_count, counts.neither_count, counts.both_count, counts.candidate_only_count]
    table = np.repeat(np.array(CELLS), times, axis=0)
    table = table[np.random.default_rng(seed).permutation(len(table))]
    return pairs_from(table[:, 0].copy(), table[:, 1].copy())
