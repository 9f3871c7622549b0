"""Fleet presence: stretches typed in, and means beside counting by small steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.serving.traffic.fleet_presence import Presence, serving_presence
from breakeven.serving.traffic.fleet_schedule import Schedule, Stay
from breakeven.serving.traffic.simulate import FleetEvent


def test_a_replica_that_starts_or_was_taken_away_serves_nobody() -> None:
    stays = (Stay(0, 0.0, 0.0, 100.0), Stay(1, 10.0, 30.0, 60.0))
    events = (
        FleetEvent(30.0, 1, "up"), FleetEvent(40.0, 1, "kill"), FleetEvent(50.0, 1, "up"), FleetEvent(60.0, 1, "drain"),
    )  # fmt: skip
    found = serving_presence(Schedule(2, stays, events, (1,), 1, 1), 100.0)
    assert sorted(zip(found.from_s, found.to_s, strict=True)) == [(0.0, 100.0), (30.0, 40.0), (50.0, 60.0)]
    assert found.mean_count(np.array([0.0, 40.0, 60.0])).tolist() == [1.25, 1.5]


def test_a_replica_that_left_before_it_was_there_serves_nobody() -> None:
    plan = Schedule(1, (Stay(0, 10.0, 40.0, 20.0),), (FleetEvent(20.0, 0, "drain"),), (0,), 1, 0)
    assert serving_presence(plan, 100.0).total_s == 0


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=12))
def test_the_mean_is_that_of_counting_each_second(pairs: list[tuple[int, int]]) -> None:
    both = np.array([sorted(each) for each in pairs], np.float64).reshape(-1, 2)
    seconds = np.arange(50)
    there = ((both[:, :1] <= seconds) & (seconds < both[:, 1:])).sum(axis=0)
    found = Presence(both[:, 0], both[:, 1]).mean_count(np.array([0.0, 7.0, 20.0, 50.0]))
    assert found == pytest.approx([there[:7].mean(), there[7:20].mean(), there[20:].mean()])
