"""Staircase: where the cost of a fleet jumps as the volume grows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Staircase:
    """Where an Option's cost jumps: at every multiple of `step_mtok` from `from_count` on."""

    step_mtok: float
    from_count: int
    kinks_mtok: tuple[float, ...] = ()
    """Volumes at which the cost bends without a jump."""
    step_of_draws_mtok: NDArray[np.float64] | None = None
    """The step of each draw, shape ``(draws,)`` or ``(1,)``; None: `step_mtok` in all of them."""
    fewest_of_draws_count: NDArray[np.float64] | None = None
    """The fewest replicas of each draw; None: `from_count` in all of them."""
    fewest_fact: str = ""
    """Name of the fact that says so."""
    of_tokens: bool = False
    """A step carries so many tokens, whatever open models come: units of today's models, sold by their tokens."""

    @classmethod
    def of_draws(
        cls,
        step_mtok: NDArray[np.float64],
        fewest_count: NDArray[np.float64],
        fewest_fact: str,
        *,
        of_tokens: bool = False,
    ) -> Staircase:
        """That of each draw; the step and the fewest of the first one stand for all where one is wanted."""
        fewest = np.ceil(fewest_count)
        return cls(
            float(step_mtok.flat[0]), int(fewest.flat[0]), (), step_mtok, fewest, fewest_fact, of_tokens=of_tokens
        )

    def steps_mtok(self, end_mtok: float) -> NDArray[np.float64]:
        """Volumes below `end_mtok` at which one more replica is needed, or the cost bends."""
        last = int(np.ceil(end_mtok / self.step_mtok))
        counts: NDArray[np.float64] = np.arange(self.from_count, last, dtype=np.float64)
        kinks = [each for each in self.kinks_mtok if each < end_mtok]
        return np.unique(np.concatenate([counts * self.step_mtok, kinks]))
