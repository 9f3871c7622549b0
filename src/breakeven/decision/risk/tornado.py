"""Tornado: one input moved from its low to its high, everything else typical, and what that does to the saving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.decision.risk.inputs import Evaluate, Input, drawn_from
from breakeven.facts.assumption import HIGH_QUANTILE, LOW_QUANTILE, TYPICAL_QUANTILE

ROUNDING_RATIO: Final = 1e-12
"""A movement below this part of what two options cost is their rounding and says nothing of an input."""


@dataclass(frozen=True, slots=True)
class Swing:
    """How far one input alone moves the saving's present value."""

    of: Input
    saves_at_low_usd: float
    saves_at_high_usd: float
    saves_usd: float
    """With everything typical."""

    @property
    def swing_usd(self) -> float:
        """Absolute movement from low to high."""
        return abs(self.saves_at_high_usd - self.saves_at_low_usd)

    @property
    def moves_usd(self) -> float:
        """Movement among low, typical and high."""
        seen = (self.saves_at_low_usd, self.saves_at_high_usd, self.saves_usd)
        return max(seen) - min(seen)

    @property
    def flips(self) -> bool:
        """True when the saving changes its sign inside the range."""
        seen = (self.saves_at_low_usd, self.saves_at_high_usd, self.saves_usd)
        return min(seen) < 0 < max(seen)


def tornado(evaluate: Evaluate, inputs: Sequence[Input], *, recommended: str, rival: str) -> tuple[Swing, ...]:
    """The swing of every input that moves rival minus recommended at all, largest first.

    One pass: draw 0 is typical, then each input's low and high. Correlations are left aside: the others stay typical.
    """
    count = 1 + 2 * len(inputs)
    columns = {each.key: np.full(count, TYPICAL_QUANTILE) for each in inputs}
    for index, each in enumerate(inputs):
        columns[each.key][1 + 2 * index] = LOW_QUANTILE
        columns[each.key][2 + 2 * index] = HIGH_QUANTILE
    costs = evaluate(drawn_from(columns, count), (rival, recommended))
    saves = np.broadcast_to(costs[rival] - costs[recommended], (count,))
    found = [
        Swing(each, float(saves[1 + 2 * index]), float(saves[2 + 2 * index]), float(saves[0]))
        for index, each in enumerate(inputs)
    ]
    least_usd = ROUNDING_RATIO * float(max(np.max(np.abs(costs[name])) for name in (rival, recommended)))
    moving = [each for each in found if each.moves_usd > least_usd]
    return tuple(sorted(moving, key=lambda each: (-each.swing_usd, each.of.name)))
