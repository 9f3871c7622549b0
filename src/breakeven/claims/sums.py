"""Sums: quantities that add up whatever of their addends a claim gives or can be worked out from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Addend:
    """One part of a sum."""

    name: str
    wanted_when: str = ""
    """Where the claim has this amount, the addend must be had too: tokens without a price are no free tokens."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A quantity that is the sum of those addends that are there; there must be one."""

    name: str
    summary: str
    addends: tuple[Addend, ...]
    of_the_whole: bool = False
    """Adds up for a stretch of time only, not for one request or a million tokens."""
