"""The only place that asks what time it is; everything else receives a time or a date as an argument."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Final

_PINNED: Final[list[datetime]] = []
"""What stories and the pages of docs take for now, innermost last."""


def now() -> datetime:
    """The current time, aware, UTC."""
    return _PINNED[-1] if _PINNED else datetime.now(UTC)


def today() -> date:
    """The current date in UTC."""
    return now().date()


@contextmanager
def pinned(at: datetime) -> Iterator[None]:
    """In this process it is `at`, for whoever asks, until the end of the block: made-up stories and recorded pages.

    >>> with pinned(datetime(2026, 11, 2, tzinfo=UTC)):
    ...     today().isoformat()
    '2026-11-02'
    """
    _PINNED.append(at.astimezone(UTC))
    try:
        yield
    finally:
        _PINNED.pop()
