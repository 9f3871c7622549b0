"""The clock: it may be pinned for a block, inner blocks win, and it goes on afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from breakeven import clock


def test_a_pinned_clock_stands_and_goes_on_afterwards() -> None:
    first, second = datetime(2026, 11, 2, 8, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)
    with clock.pinned(first):
        assert clock.now() == first
        with clock.pinned(second):
            assert clock.today() == second.date()
        assert clock.now() == first
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
