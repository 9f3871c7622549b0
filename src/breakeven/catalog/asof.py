"""As-of: which of several dated values is in force on a day. Values are only appended; the past keeps its price."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol, TypeVar


class Dated(Protocol):
    """Anything that holds from a day on."""

    @property
    def since(self) -> date:
        """First day on which it holds."""
        ...


D = TypeVar("D", bound=Dated)


def in_force(values: Sequence[D], as_of: date) -> D | None:
    """The latest of `values` that starts on or before `as_of`; None when all of them start later.

    >>> from types import SimpleNamespace as Value
    >>> in_force([Value(since=date(2026, 1, 1)), Value(since=date(2026, 6, 1))], date(2026, 3, 1)).since
    datetime.date(2026, 1, 1)
    """
    started = [value for value in values if value.since <= as_of]
    return max(started, key=lambda value: value.since) if started else None


def started_by(values: Sequence[D], as_of: date) -> tuple[D, ...]:
    """All of `values` that start on or before `as_of`, oldest first: the history that was known to hold by then."""
    return tuple(sorted((value for value in values if value.since <= as_of), key=lambda value: value.since))
