"""Gaps: why a quantity cannot be had from what a claim gives, said by the shortest list of what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_SHOWN_WAYS_COUNT: Final = 3


@dataclass(frozen=True, slots=True)
class Gap:
    """A quantity that could not be had."""

    name: str
    ways: tuple[tuple[str, ...], ...] = ()
    """For each way there is, the inputs that are missing."""
    unpriced: tuple[str, ...] = ()
    """The unknown prices, where nothing else is missing."""

    def needs(self) -> tuple[tuple[str, ...], ...]:
        """Sets of missing inputs, the smallest first, each of which would be enough."""
        ranked = sorted({tuple(sorted(each)) for each in self.ways if each}, key=lambda names: (len(names), names))
        return tuple(ranked[:_SHOWN_WAYS_COUNT])

    def sentence(self) -> str:
        """What is missing, for a person."""
        ways = [" and ".join(each) for each in self.needs()]
        if not ways:
            return f"to recompute {self.name} I need that figure itself: what is given leads nowhere near it"
        return f"to recompute {self.name} I need {', or '.join(ways)}"
