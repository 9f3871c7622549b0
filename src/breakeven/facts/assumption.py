"""Assumption: a Fact with a range. Its low, typical and high are its 5 %, 50 % and 95 % quantiles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from breakeven.facts.source import Source

LOW_QUANTILE: Final = 0.05
TYPICAL_QUANTILE: Final = 0.50
HIGH_QUANTILE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Assumption:
    """One uncertain number: never bare, always with a unit, a range and a Source."""

    name: str
    """Ends in its unit, e.g. ``engineer_usd_per_year``."""
    unit: str
    low: float
    """5 % quantile."""
    typical: float
    """Median."""
    high: float
    """95 % quantile."""
    source: Source
    note: str = ""
    dimension: int | None = None
    """The Sobol dimension of this name, for good. None (a name outside the catalogue): a hashed permutation."""

    @property
    def is_certain(self) -> bool:
        """True when low, typical and high are one number."""
        return self.low == self.high

    def fixed_at(self, value: float, source: Source) -> Assumption:
        """The same name pinned to one value."""
        return replace(self, low=value, typical=value, high=value, source=source)
