"""CostBreakdown: the lines of one Option, their total, and the total over the bare GPU rent."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws, sum_in_order
from breakeven.facts.memory import recalled


@dataclass(frozen=True, slots=True)
class CostBreakdown:
    """All lines of one Option; names are unique."""

    lines: tuple[CostLine, ...]

    def __post_init__(self) -> None:
        names = [line.name for line in self.lines]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"a cost has two owners: {', '.join(twice)}")

    @property
    def counted(self) -> tuple[CostLine, ...]:
        """The lines in the total."""
        return tuple(line for line in self.lines if not line.apart)

    @property
    def apart(self) -> tuple[CostLine, ...]:
        """The expected losses shown beside the total."""
        return tuple(line for line in self.lines if line.apart)

    def total_usd_per_month(self) -> Draws:
        """Sum of the counted lines, shape ``(draws,)``."""
        return _sum(self.counted)

    def total_with_losses_usd_per_month(self) -> Draws:
        """Sum of all lines, expected losses included, shape ``(draws,)``."""
        return _sum(self.lines)

    def raw_rent_usd_per_month(self) -> Draws | None:
        """The bare GPU rent, shape ``(draws,)``; None when nothing is rented."""
        rent = tuple(line for line in self.lines if line.raw_rent)
        return _sum(rent) if rent else None


def _sum(lines: tuple[CostLine, ...]) -> Draws:
    total: Draws = recalled(_added, *(line.usd_per_month.value for line in lines))
    return total


def _added(*usd_per_month: Draws) -> Draws:
    return sum_in_order(usd_per_month)
