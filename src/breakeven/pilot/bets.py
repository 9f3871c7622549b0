"""Bets: the stakes that a test of paired outcomes spreads its wealth over, set before the first outcome is seen.

A bet stakes the fraction `stake` of its wealth on each pair's gain x = candidate - margin * baseline: wealth times
1 + stake * x. While the candidate does not keep the margin, x is not above 0 on average, and the wealth cannot be
expected to grow, whatever the stake (Ville 1939; Waudby-Smith and Ramdas, JRSS B 86, 2024). A mixture of stakes is
such a wealth too. Since the stakes are fixed, the wealth depends on the four counts alone: neither the order of the
pairs nor the way they were split over machines changes it, which stakes that follow the data (aGRAPA, ONS) do not
offer.

Where a plan says how good the candidate will be, one stake makes the wealth grow fastest (Kelly 1956; "GROW" of
Gruenwald, de Heide and Koolen, JRSS B 86, 2024). The planned bets put most of the wealth on it, some on half and twice
as much for plans that are a little wrong, and a little on a wide grid for plans that are quite wrong. Measured in
`benchmarks/pilot.py`: less is lost than by half on the planned stake and half on the grid, with a right plan and with
wrong ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.errors import PilotError
from breakeven.pilot.observations import Floats
from breakeven.pilot.pair_chances import PairChances, gains, pair_chances

GRID_COUNT: Final = 24
STAKE_MIN_RATIO: Final = 0.005
WORST_LOSS_FRACTION: Final = 0.98
"""Of a bet's wealth that one pair may take: a bet that can lose all never comes back."""
SHARES_BY_MULTIPLE: Final = ((1.0, 0.65), (0.5, 0.15), (2.0, 0.08), (0.25, 0.06))
"""Multiple of the planned stake -> share of the wealth; the rest is spread over the wide grid."""
INFERIOR_BELOW_MARGIN_RATIO: Final = 0.10
"""The early stop bets that a bad candidate keeps so much less than the margin."""


@dataclass(frozen=True, slots=True)
class Bets:
    """Stakes and the share of the wealth that lies on each; positive stakes bet on the candidate, negative against it.

    A confidence sequence asks the same of every ratio, not just of the margin: at another ratio r each stake is scaled
    by (margin / r) ** fall. With falls from 0 to 1 for positive stakes and 0 for negative ones, the wealth falls
    (rises) steadily with r, so that the ratios not yet refused are an interval.
    """

    stakes_ratio: Floats
    """At the margin; shape (bets,)."""
    weights_fraction: Floats
    """Sum 1; shape (bets,)."""
    falls_ratio: Floats
    """Exponents; shape (bets,)."""
    margin_ratio: float
    words: str

    def at(self, ratio: float) -> Floats:
        """The stakes of the test of another ratio, none so large that one pair could take all; shape (bets,)."""
        scaled = self.stakes_ratio * (self.margin_ratio / ratio) ** self.falls_ratio
        return np.minimum(scaled, WORST_LOSS_FRACTION / ratio)

    @property
    def is_against(self) -> bool:
        """Whether these bet that the candidate is worse."""
        return bool((self.stakes_ratio < 0).all())

    @property
    def ln_weights(self) -> Floats:
        """Logarithms of the shares; shape (bets,)."""
        return np.log(self.weights_fraction)


def plain_grid(margin_ratio: float) -> Bets:
    """24 stakes from 0.005 to 0.98 / margin, each so many times the one before, equal shares: no plan needed.

    >>> plain_grid(0.95).stakes_ratio[[0, -1]].round(4).tolist()
    [0.005, 1.0316]
    """
    _check_margin(margin_ratio)
    stakes = np.geomspace(STAKE_MIN_RATIO, WORST_LOSS_FRACTION / margin_ratio, GRID_COUNT)
    return Bets(stakes, _equal(GRID_COUNT), np.linspace(0.0, 1.0, GRID_COUNT), margin_ratio, "plain grid of 24 stakes")


def plain_inferior_grid(margin_ratio: float) -> Bets:
    """24 stakes from -0.005 to -0.98, equal shares: bets that the candidate is worse than the margin."""
    _check_margin(margin_ratio)
    stakes = -np.geomspace(STAKE_MIN_RATIO, WORST_LOSS_FRACTION, GRID_COUNT)
    return Bets(stakes, _equal(GRID_COUNT), np.zeros(GRID_COUNT), margin_ratio, "plain grid of 24 stakes against")


def planned_bets(
    margin_ratio: float,
    baseline_success_fraction: float,
    candidate_to_baseline_ratio: float,
    correlation_fraction: float = 0.0,
) -> Bets:
    """Most on the stake that grows fastest under the plan, the rest around it and on the grid.

    A plan whose candidate does not beat the margin has no such stake; the plain grid is left.

    >>> planned_bets(0.95, 0.9, 1.0, 0.3).stakes_ratio[:4].round(3).tolist()
    [0.339, 0.169, 0.677, 0.085]
    """
    grid = plain_grid(margin_ratio)
    chances = pair_chances(baseline_success_fraction, candidate_to_baseline_ratio, correlation_fraction)
    best = best_stake_ratio(chances, margin_ratio)
    if best <= 0:
        return grid
    return _around(best, WORST_LOSS_FRACTION / margin_ratio, grid, fall=1.0)


def planned_inferior_bets(
    margin_ratio: float,
    baseline_success_fraction: float,
    correlation_fraction: float = 0.0,
    feared_ratio: float | None = None,
) -> Bets:
    """The same against a candidate that keeps `feared_ratio` (None: 0.1 less than the margin)."""
    grid = plain_inferior_grid(margin_ratio)
    feared = max(margin_ratio - INFERIOR_BELOW_MARGIN_RATIO, 0.0) if feared_ratio is None else feared_ratio
    best = best_stake_ratio(pair_chances(baseline_success_fraction, feared, correlation_fraction), margin_ratio)
    if best >= 0:
        return grid
    return _around(best, WORST_LOSS_FRACTION, grid, fall=0.0)


def best_stake_ratio(chances: PairChances, margin_ratio: float) -> float:
    """The stake under which the logarithm of the wealth grows fastest; negative where the candidate loses the margin.

    The growth is concave in the stake, so its slope has one zero; where there is none (nothing can be lost), the
    largest stake allowed is taken.
    """
    gain, chance = gains(margin_ratio), chances.array

    def slope(stake_ratio: float) -> float:
        return float((chance * gain / (1.0 + stake_ratio * gain)).sum())

    low, high = -WORST_LOSS_FRACTION, WORST_LOSS_FRACTION / margin_ratio
    if slope(high) >= 0:
        return high
    if slope(low) <= 0:
        return low
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    best = 0.5 * (low + high)
    return best if abs(best) > 1e-9 else 0.0


def _around(best_ratio: float, largest_ratio: float, grid: Bets, fall: float) -> Bets:
    """The planned stake, its multiples, and the grid with what is left; `fall` is the exponent of the planned ones."""
    sign = np.sign(best_ratio)
    stakes = [sign * min(abs(best_ratio) * multiple, largest_ratio) for multiple, _ in SHARES_BY_MULTIPLE]
    shares = np.array([share for _, share in SHARES_BY_MULTIPLE])
    return Bets(
        np.concatenate([stakes, grid.stakes_ratio]),
        np.concatenate([shares, (1.0 - shares.sum()) * grid.weights_fraction]),
        np.concatenate([np.full(len(stakes), fall), grid.falls_ratio]),
        grid.margin_ratio,
        f"planned stake of {best_ratio:.3g}, its multiples, and the {grid.words}",
    )


def _equal(bets_count: int) -> Floats:
    return np.full(bets_count, 1.0 / bets_count)


def _check_margin(margin_ratio: float) -> None:
    if not 0 < margin_ratio <= 10:
        raise PilotError(
            f"a margin of {margin_ratio:g}; wanted the part of the baseline's success that must be kept, such as 0.95"
        )
