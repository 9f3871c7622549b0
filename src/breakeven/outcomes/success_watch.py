"""Success watch: a running bet that the success of audited calls has fallen below a floor.

While it has not, the alarm rings with a stated probability at most, however long one watches (Ville 1939;
Waudby-Smith and Ramdas, JRSS B 86, 2024); a fall after a long good time is found nearly as fast as one at the start
(`restarting_bets.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from breakeven.errors import OutcomeError
from breakeven.outcomes.restarting_bets import Floats, RestartingWealth, no_outcomes, see

FALSE_ALARM_FRACTION: Final = 0.01
"""Of all time without a fall."""
BETS_COUNT: Final = 24


@dataclass(slots=True)
class SuccessWatch:
    """A running bet that the success of audited calls has fallen below a floor.

    Outcomes may be fractions. The calls must be audited by lot, or at least not chosen for their outcome.
    """

    floor_fraction: float
    false_alarm_fraction: float = FALSE_ALARM_FRACTION
    wealth: RestartingWealth = field(default_factory=lambda: no_outcomes(BETS_COUNT))
    alarm_at_count: int | None = None
    """Audited calls after which the alarm rang; None while it has not."""

    def __post_init__(self) -> None:
        if not 0 < self.floor_fraction < 1:
            raise OutcomeError(f"a floor of {self.floor_fraction:g}; wanted a success between 0 and 1")

    @property
    def outcomes_count(self) -> int:
        """Audited calls seen."""
        return self.wealth.rows_count

    @property
    def bets(self) -> Floats:
        """Stakes from timid to bold; the boldest loses nearly everything by one success."""
        return np.geomspace(0.01, 0.98, BETS_COUNT) / (1 - self.floor_fraction)

    @property
    def ln_wealth(self) -> float:
        """Logarithm of the wealth: the evidence that the floor is broken."""
        return self.wealth.ln_wealth

    def see(self, success_fraction: float) -> bool:
        """Take one audited outcome; True when the alarm has rung, now or before."""
        return self.see_all(np.array([success_fraction], dtype=float))

    def see_all(self, success_fractions: Floats) -> bool:
        """Take audited outcomes in their order; True when the alarm has rung, now or before."""
        if len(bad := success_fractions[~((success_fractions >= 0) & (success_fractions <= 1))]):
            raise OutcomeError(f"an outcome of {bad[0]:g}; wanted a success from 0 to 1")
        before = self.outcomes_count
        self.wealth, path = see(self.wealth, self.floor_fraction - success_fractions, self.bets)
        rang = path >= -np.log(self.false_alarm_fraction)
        if self.alarm_at_count is None and rang.any():
            self.alarm_at_count = before + int(rang.argmax()) + 1
        return self.alarm_at_count is not None
