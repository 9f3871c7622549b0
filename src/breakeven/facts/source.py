"""Source: where a number comes from, when it was read, and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Grade(StrEnum):
    """How far a number can be trusted, best first."""

    MEASURED = "measured"
    """Observed by a measurement that someone could repeat."""
    OFFICIAL = "official"
    """Published by the body that sets it: a price list, a statistics office, a data sheet."""
    QUOTED = "quoted"
    """A third party quotes it: a survey, an index, an article."""
    EXPERT = "expert"
    """The opinion of someone who does this for a living."""
    GUESS = "guess"
    """Ours, in plain sight, asking to be measured."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a number comes from."""

    title: str
    link: str
    """An address, or a citation that finds it."""
    read: date
    """The day the number was read there (for a measurement: taken)."""
    grade: Grade

    def age_days(self, as_of: date) -> int:
        """Days between the reading and `as_of`; negative when `as_of` is before it."""
        return (as_of - self.read).days
