"""Betting bound: proof that a mean lies above zero: the wealth of a gambler whom a mean of zero would not pay.

A gambler starts with 1 and stakes on each outcome x the fraction `stake`: wealth * (1 + stake * x). If the mean is not
above zero, wealth can be expected to fall, and reaches 20 at any time with probability 1/20 at most (Ville 1939),
whatever the stakes, as long as each is set before its outcome is seen (Waudby-Smith and Ramdas, JRSS B 2024). The
stakes here are those that reach a goal by a deadline most often: at each step what a digital option on the remaining
outcomes would stake (Browne, Adv. Appl. Probab. 31, 1999; the same end as STaR-Bets, arXiv 2505.22422). For many
outcomes that is as sharp as a normal approximation, and it is still a proof for few.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.outcomes.outcome import Floats

Flags = npt.NDArray[np.bool_]

AIM_RATIO: Final = 1.1
"""The goal lies so far above what is needed, since stakes in steps fall short of it a little."""
LARGEST_STAKE_FRACTION: Final = 0.9
"""Of the wealth that the worst outcome may take."""
PRIOR_ROWS: Final = 100.0
"""Outcomes that the expected square is worth before any is seen."""
UNTOLD_ROWS: Final = 10.0
"""The same where no expected square is given."""
UNTOLD_SQUARE: Final = 0.1
_ROOT_TWO_PI: Final = float(np.sqrt(2.0 * np.pi))
ROUNDS_MAX: Final = 1_000
"""Longer series are bet on in blocks, one stake each, set before the block: the power is the same to a hundredth."""


def mean_above_zero(
    gains: Floats, lowest: float | Floats, confidence_fraction: float, expected_square: Floats | None = None
) -> Flags:
    """Whether each column's mean is above zero with this confidence, shape (tests,); rows in random order.

    The stake is that of a digital option that pays when the goal is reached: the density at its chance over the chance,
    in units of what the remaining outcomes spread.

    `lowest` is the least value that a gain can take (below zero), the same or one for each test. `expected_square` is
    the mean square of the gains as other data tell it: it makes the bets better, never wrong.

    >>> import numpy as np
    >>> gains = np.tile([0.5, 0.5, -0.5, 0.5], 50)[:, None]
    >>> mean_above_zero(gains, -0.5, 0.95).tolist(), mean_above_zero(-gains, -0.5, 0.95).tolist()
    ([True], [False])
    """
    from scipy.special import ndtri

    rows, tests = gains.shape
    target = 1.0 / (1.0 - confidence_fraction)
    most = LARGEST_STAKE_FRACTION / -np.asarray(lowest, dtype=float)
    seen = UNTOLD_ROWS if expected_square is None else PRIOR_ROWS
    squares = seen * (np.full(tests, UNTOLD_SQUARE) if expected_square is None else np.maximum(expected_square, 1e-9))
    starts = np.arange(0, rows, max(1, -(-rows // ROUNDS_MAX)))
    if not rows:
        return np.zeros(tests, dtype=bool)
    known = squares + np.vstack([np.zeros(tests), np.cumsum(np.add.reduceat(gains**2, starts), axis=0)[:-1]])
    spreads = np.sqrt(known * ((rows - starts) / (seen + starts))[:, None])
    wealth, best = np.ones(tests), np.ones(tests)
    for start, end, spread in zip(starts, [*starts[1:], rows], spreads, strict=True):
        chance = np.minimum(np.maximum(wealth / (AIM_RATIO * target), 1e-12), 1.0 - 1e-9)
        density = np.exp(-0.5 * ndtri(chance) ** 2) / _ROOT_TWO_PI
        stake = np.minimum(density / (chance * spread), most)
        wealth *= 1.0 + stake * gains[start] if end == start + 1 else (1.0 + stake * gains[start:end]).prod(axis=0)
        np.maximum(best, wealth, out=best)
    return np.asarray(best >= target)
