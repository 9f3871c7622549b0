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
ROUNDS_MAX: Final = 1_000
"""Longer series are bet on in blocks, one stake each, set before the block: the power is the same to a hundredth."""


def mean_above_zero(
    gains: Floats, lowest: float | Floats, confidence_fraction: float, expected_square: Floats | None = None
) -> Flags:
    """Whether each column's mean is above zero with this confidence, shape (tests,); rows in random order.

    `lowest` is the least value that a gain can take (below zero), the same or one for each test. `expected_square` is
    the mean square of the gains as other data tell it: it makes the bets better, never wrong.

    >>> import numpy as np
    >>> gains = np.tile([0.5, 0.5, -0.5, 0.5], 50)[:, None]
    >>> mean_above_zero(gains, -0.5, 0.95).tolist(), mean_above_zero(-gains, -0.5, 0.95).tolist()
    ([True], [False])
    """
    rows, tests = gains.shape
    target = 1.0 / (1.0 - confidence_fraction)
    most = LARGEST_STAKE_FRACTION / -np.asarray(lowest, dtype=float)
    seen = UNTOLD_ROWS if expected_square is None else PRIOR_ROWS
    squares = seen * (np.full(tests, UNTOLD_SQUARE) if expected_square is None else np.maximum(expected_square, 1e-9))
    wealth, passed = np.ones(tests), np.zeros(tests, dtype=bool)
    block = max(1, -(-rows // ROUNDS_MAX))
    for start in range(0, rows, block):
        part = gains[start : start + block]
        spread = np.sqrt((rows - start) * squares / seen)
        stake = np.where(passed, 0.0, np.minimum(_option_stake(wealth / (AIM_RATIO * target)) / spread, most))
        wealth *= (1.0 + stake * part).prod(axis=0)
        passed |= wealth >= target
        squares = squares + (part**2).sum(axis=0)
        seen += len(part)
    return passed


def _option_stake(chance: Floats) -> Floats:
    """Stake of a digital option that ends in the money with this chance, in units of the remaining spread."""
    from scipy.special import ndtri

    inside = np.clip(chance, 1e-12, 1.0 - 1e-9)
    return np.asarray(np.exp(-0.5 * ndtri(inside) ** 2) / (np.sqrt(2.0 * np.pi) * inside))
