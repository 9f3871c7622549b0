"""Restarting bets: proof, at any time, that a mean has risen above zero, found late in a stream as fast as early.

A gambler who stakes the fraction `stake` on every gain keeps wealth * (1 + stake * gain); while no mean is above zero
the wealth reaches 1 / alpha with probability alpha at most, however often one looks (Ville 1939). One who has bet for
months on a stream that was good has nothing left when it turns bad. So the wealth is spread over gamblers who start at
every outcome: four fifths start at once, the others keep theirs until outcome s, with weights that fall as 1 / s^2
(a mixture of e-processes is one; Shin, Ramdas and Rinaldo, arXiv 2203.03532, study such restarts).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FIRST_FRACTION: Final = 0.8
"""Of the wealth that bets from the first outcome on."""
_CHUNK_ROWS: Final = 65_536


def ln_start_weights(first_row: int, rows_count: int) -> Floats:
    """Logarithm of the share of wealth that starts with outcome `first_row`, `first_row` + 1, ...; all add up to 1."""
    s = np.arange(first_row, first_row + rows_count, dtype=float)
    with np.errstate(divide="ignore"):
        later = np.log1p(-FIRST_FRACTION) - np.log(s) - np.log1p(s)
    return np.asarray(np.where(s == 0, np.log(FIRST_FRACTION), later))


def ln_waiting_weight(rows_count: int | Floats) -> Floats:
    """Logarithm of the share that has not started after so many outcomes (at least one)."""
    return np.asarray(np.log1p(-FIRST_FRACTION) - np.log(rows_count))


@dataclass(frozen=True, slots=True)
class RestartingWealth:
    """Wealth after some outcomes: immutable, so that it can be kept and gone on with."""

    ln_started: Floats
    """Logarithm of the wealth of those who have started, for each stake."""
    ln_shares: Floats
    """Logarithm of the share of the wealth behind each stake."""
    rows_count: int = 0

    @property
    def ln_wealth(self) -> float:
        """Of all."""
        if not self.rows_count:
            return 0.0
        return float(np.logaddexp(_ln_sum(self.ln_started + self.ln_shares), ln_waiting_weight(self.rows_count)))


def no_outcomes(stakes_count: int, shares: Floats | None = None) -> RestartingWealth:
    """Before the first outcome; `shares` of the wealth behind each stake, None: equal ones."""
    ln_shares = np.full(stakes_count, -np.log(stakes_count)) if shares is None else np.log(shares)
    return RestartingWealth(np.full(stakes_count, -np.inf), ln_shares)


def see(wealth: RestartingWealth, gains: Floats, stakes: Floats) -> tuple[RestartingWealth, Floats]:
    """Bet on some more outcomes: the wealth after them, and the logarithm of the wealth after each.

    `gains` has the shape (rows,), `stakes` (stakes,) or (rows, stakes); stake * gain may not fall below -1, and each
    stake must have been known before its outcome.
    """
    parts = []
    for start in range(0, len(gains), _CHUNK_ROWS):
        piece = slice(start, start + _CHUNK_ROWS)
        wealth, part = _see(wealth, gains[piece], stakes[piece] if stakes.ndim == 2 else stakes)
        parts.append(part)
    return wealth, np.concatenate(parts) if parts else np.zeros(0)


def ln_wealth_path(gains: Floats, stakes: Floats, shares: Floats | None = None) -> Floats:
    """Logarithm of the wealth after each outcome.

    >>> import numpy as np
    >>> path = ln_wealth_path(np.array([-0.5] * 1000 + [0.5] * 90), np.array([0.1, 0.5, 1.0]))
    >>> bool(path[:1000].max() < 0.1), bool(path[-1] > 10)
    (True, True)
    """
    return see(no_outcomes(stakes.shape[-1], shares), gains, stakes)[1]


def _see(wealth: RestartingWealth, gains: Floats, stakes: Floats) -> tuple[RestartingWealth, Floats]:
    rows = len(gains)
    total = np.log1p(stakes * gains[:, None]).cumsum(axis=0)
    before = np.vstack([np.zeros((1, total.shape[1])), total[:-1]])
    starts = ln_start_weights(wealth.rows_count, rows)[:, None] - before
    starts[0] = np.logaddexp(starts[0], wealth.ln_started)
    started = total + np.logaddexp.accumulate(starts, axis=0)
    seen = np.arange(wealth.rows_count + 1, wealth.rows_count + rows + 1, dtype=float)
    path = np.logaddexp(_ln_sum(started + wealth.ln_shares), ln_waiting_weight(seen))
    return RestartingWealth(started[-1], wealth.ln_shares, wealth.rows_count + rows), path


def _ln_sum(logs: Floats) -> Floats:
    top = logs.max(axis=-1, keepdims=True)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(safe[..., 0] + np.log(np.exp(logs - safe).sum(axis=-1)))
