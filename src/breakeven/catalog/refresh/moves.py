"""Moves: what a refresh would change, old beside new, and which of it waits for somebody to say yes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

JUMP_RATIO: Final = 1.5
"""A price that rises by more than 50 %, or falls by as much (below 1 / 2 of what it was), is not believed unasked."""
FALL_RATIO: Final = 0.5
ALL: Final = "all"
"""Accepts every jump."""


class Status(StrEnum):
    """What a refresh does with one price."""

    UNCHANGED = "unchanged"
    """Read again and the same: only its date moves."""
    CHANGED = "changed"
    NEW = "new"
    """Had no price before."""
    KEPT = "kept"
    """Nothing newer is published: the last good price is kept."""
    HELD_BACK = "held_back"
    """Not believed: the last good price is kept."""


@dataclass(frozen=True, slots=True)
class Move:
    """One price, before and after."""

    source: Literal["tokens", "gpus"]
    name: str
    """An offer of the catalogue, or provider/model of a price list."""
    what: str
    """Which of its prices: input, output, cache read, rent."""
    unit: str
    old_usd: float | None
    """Per hour or per Mtok, as `unit` says."""
    new_usd: float | None
    status: Status
    reason: str = ""
    """Why it was held back, or what the numbers rest on."""
    in_catalogue: bool = True
    """False: a listed model that no offer of the catalogue names (a log may)."""

    @property
    def change_fraction(self) -> float | None:
        """New over old, less 1; None without both."""
        return self.new_usd / self.old_usd - 1 if self.old_usd and self.new_usd is not None else None


def is_jump(old_ratio: float) -> bool:
    """Whether a new price that is `old_ratio` times the old one needs a yes.

    >>> is_jump(1.5), is_jump(1.51), is_jump(0.5), is_jump(0.49)
    (False, True, False, True)
    """
    return old_ratio > JUMP_RATIO or old_ratio < FALL_RATIO


def is_accepted(name: str, accepted: frozenset[str]) -> bool:
    """Whether somebody said yes to the jump of `name`."""
    return ALL in accepted or name in accepted
