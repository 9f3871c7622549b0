"""The only place that asks what time it is; everything else receives a time or a date as an argument."""

from __future__ import annotations

from datetime import UTC, date, datetime


def now() -> datetime:
    """The current time, aware, UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The current date in UTC."""
    return now().date()
