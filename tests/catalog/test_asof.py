"""As-of: the latest value that has started wins, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.asof import in_force, started_by


@dataclass(frozen=True)
class Value:
    since: date


days = st.dates(date(2024, 1, 1), date(2027, 1, 1))


@given(st.lists(days, max_size=8, unique=True), days)
def test_in_force_is_the_newest_that_has_started(since: list[date], as_of: date) -> None:
    values = [Value(day) for day in since]
    started = [day for day in since if day <= as_of]
    found = in_force(values, as_of)
    assert (found.since if found else None) == (max(started) if started else None)
    assert [value.since for value in started_by(values, as_of)] == sorted(started)
