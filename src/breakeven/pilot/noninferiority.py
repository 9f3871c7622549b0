"""Non-inferiority, any time: the evidence that a candidate keeps the margin, valid however often one looks.

For each pair x = candidate - margin * baseline, outcomes from 0 to 1. The hypothesis to be refused says that x is not
above 0 on average, whatever came before (E[x | past] <= 0). The e-value is the wealth of fixed bets against it, the
share-weighted mean of prod(1 + stake * x): while the hypothesis holds, it ever reaches 1 / alpha with chance alpha at
most (Ville 1939; Waudby-Smith and Ramdas, JRSS B 86, 2024). For outcomes of 0 or 1 it is a function of the four counts:

    prod = (1 - stake * margin) ** baseline_only * (1 + stake * (1 - margin)) ** both * (1 + stake) ** candidate_only

so it has no order, and shards of a stream merge by adding counts (`ln_wealths` add up too, outcomes of any kind).

What it does not cover: pairs that move together (several of one user) must be put in blocks first, and the rate that is
tested is that of the pairs which were seen: outcomes missing for a reason are another matter (`settled.py`).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.errors import PilotError
from breakeven.pilot.bets import Bets
from breakeven.pilot.observations import Floats, PairCounts, Pairs
from breakeven.pilot.pair_chances import counts_array, gains

CHUNK_PAIRS: Final = 16_384


def ln_e_value(seen: PairCounts | Pairs, margin_ratio: float, bets: Bets) -> float:
    """Natural logarithm of the e-value against "the candidate loses more than the margin".

    >>> from breakeven.pilot.bets import plain_grid
    >>> round(ln_e_value(PairCounts(30, 70, 850, 50), 0.95, plain_grid(0.95)), 4)
    20.5133
    """
    return ln_mixture(ln_wealths(seen, margin_ratio, bets), bets)


def ln_inferior_e_value(seen: PairCounts | Pairs, margin_ratio: float, bets: Bets) -> float:
    """The same against "the candidate keeps the margin", by bets against it: what stops a bad candidate early."""
    if not bets.is_against:
        raise PilotError(f"bets on the candidate ({bets.words}) cannot prove it inferior; wanted stakes below 0")
    return ln_mixture(ln_wealths(seen, margin_ratio, bets), bets)


def ln_wealths(seen: PairCounts | Pairs, margin_ratio: float, bets: Bets) -> Floats:
    """Logarithm of the wealth of each bet, shape (bets,); those of parts of a stream add up to those of the whole.

    Values are sorted before they are added, so that the same pairs in another order give the same bits.
    """
    stakes = bets.at(margin_ratio)
    if isinstance(seen, PairCounts):
        return ln_wealths_of_counts(counts_array(seen), margin_ratio, stakes)
    values, times = np.unique(pair_gains(seen, margin_ratio), return_counts=True)
    total = np.zeros(len(stakes))
    for start in range(0, len(values), CHUNK_PAIRS):
        part = slice(start, start + CHUNK_PAIRS)
        total += times[part].astype(float) @ np.log1p(np.outer(values[part], stakes))
    return total


def ln_wealths_of_counts(counts: Floats, margin_ratio: float, stakes_ratio: Floats) -> Floats:
    """For any number of count vectors at once: (..., 4) and (bets,) give (..., bets)."""
    each = np.log1p(np.outer(gains(margin_ratio), stakes_ratio))
    return np.asarray(counts @ each)


def ln_mixture(ln_wealths_ratio: Floats, bets: Bets) -> float:
    """Logarithm of the weighted mean of the wealths."""
    return float(np.logaddexp.reduce(ln_wealths_ratio + bets.ln_weights))


def ln_e_path(pairs: Pairs, margin_ratio: float, bets: Bets, after_counts: Floats | None = None) -> Floats:
    """Logarithm of the e-value after the first n pairs, for each n of `after_counts` (None: after every pair)."""
    count = len(pairs.baseline)
    after = np.arange(1, count + 1) if after_counts is None else np.asarray(after_counts, dtype=np.intp)
    stakes, ln_weights = bets.at(margin_ratio), bets.ln_weights
    gained = pair_gains(pairs, margin_ratio)
    found = np.zeros(len(after))
    before = np.zeros(len(stakes))
    for start in range(0, count, CHUNK_PAIRS):
        chunk = before + np.cumsum(np.log1p(np.outer(gained[start : start + CHUNK_PAIRS], stakes)), axis=0)
        asked = (after > start) & (after <= start + CHUNK_PAIRS)
        found[asked] = np.logaddexp.reduce(chunk[after[asked] - start - 1] + ln_weights, axis=1)
        before = chunk[-1]
    return found


def pair_gains(pairs: Pairs, margin_ratio: float) -> Floats:
    """Candidate less margin times baseline, shape (pairs,); outcomes outside 0..1 would break the proof."""
    for name, values in (("baseline", pairs.baseline), ("candidate", pairs.candidate)):
        if len(values) and not (np.min(values) >= 0 and np.max(values) <= 1):
            raise PilotError(
                f"outcomes of the {name} from {np.min(values):g} to {np.max(values):g}; wanted successes from 0 to 1 "
                "without gaps: leave pairs without an outcome out, rescale scores"
            )
    return np.asarray(pairs.candidate - margin_ratio * pairs.baseline)


def counts_of(pairs: Pairs) -> PairCounts | None:
    """The four counts; None where an outcome is a fraction."""
    baseline, candidate = pairs.baseline, pairs.candidate
    if not (np.isin(baseline, (0.0, 1.0)).all() and np.isin(candidate, (0.0, 1.0)).all()):
        return None
    cells = np.bincount((2 * baseline + candidate).astype(np.intp), minlength=4)
    return PairCounts(int(cells[2]), int(cells[0]), int(cells[3]), int(cells[1]))
