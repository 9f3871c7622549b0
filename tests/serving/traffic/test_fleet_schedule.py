"""Fleet schedule: who is there when, and what brings it about."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.errors import ServingError
from breakeven.serving.traffic.fleet_bins import LatencyTarget
from breakeven.serving.traffic.fleet_schedule import FleetPolicy, Wanted, schedule, wanted

NONE = np.zeros(0)


def policy(**fields: object) -> FleetPolicy:
    usual = {"is_autoscaled": True, "headroom_fraction": 0.0, "hold_s": 0.0, "cold_start_s": 60.0}
    return FleetPolicy(LatencyTarget(), **{**usual, **fields})  # type: ignore[arg-type]


def steps(numbers: Wanted) -> list[tuple[float, int]]:
    return list(zip(numbers.since_s.tolist(), numbers.count.tolist(), strict=True))


def test_always_on_is_the_peak_and_the_spare() -> None:
    always = policy(is_autoscaled=False, spare_count=1, replicas_min_count=2)
    assert steps(wanted(always, np.array([0.5, 3.2]), NONE, 600.0, 4)) == [(0.0, 5)]
    assert steps(wanted(always, np.array([0.5, 0.2]), NONE, 600.0, 1)) == [(0.0, 3)]


def test_the_autoscaler_follows_the_minutes_just_past() -> None:
    need = np.array([0.5, 2.5, 2.5, 0.0, 0.0, 0.0])
    assert steps(wanted(policy(), need, NONE, 1800.0, 3)) == [(0.0, 1), (600.0, 3), (1200.0, 1)]
    held = wanted(policy(hold_s=300.0), need, NONE, 1800.0, 3)
    assert steps(held) == [(0.0, 1), (600.0, 3), (1500.0, 1)]
    roomy = wanted(policy(headroom_fraction=0.5, spare_count=1), need, NONE, 1800.0, 3)
    assert steps(roomy) == [(0.0, 2), (600.0, 4), (1200.0, 2)]
    more = wanted(policy(headroom_fraction=0.5), need, NONE, 1800.0, 9)
    assert steps(more) == [(0.0, 1), (600.0, 4), (1200.0, 1)]


def test_scale_to_zero_sleeps_after_the_last_request_and_wakes_with_the_next() -> None:
    zero = policy(scales_to_zero=True, replicas_min_count=0, idle_timeout_s=100.0)
    found = wanted(zero, np.zeros(6), np.array([50.0, 120.0, 700.0]), 1800.0, 1)
    assert steps(found) == [(0.0, 0), (50.0, 1), (220.0, 0), (700.0, 1), (800.0, 0)]
    always = wanted(
        policy(scales_to_zero=True, replicas_min_count=0, idle_timeout_s=100.0, is_autoscaled=False),
        np.zeros(6),
        np.array([0.0, 1750.0]),
        1800.0,
        2,
    )
    assert steps(always) == [(0.0, 2), (100.0, 0), (1750.0, 2)]


def test_one_that_is_woken_serves_before_it_sleeps_again() -> None:
    slow = policy(scales_to_zero=True, replicas_min_count=0, idle_timeout_s=10.0, cold_start_s=200.0)
    assert steps(wanted(slow, np.zeros(6), np.array([300.0]), 1800.0, 1)) == [(0.0, 0), (300.0, 1), (501.0, 0)]


def test_replicas_serve_after_their_cold_start_and_are_paid_before() -> None:
    numbers = Wanted(np.array([0.0, 600.0, 1200.0]), np.array([1, 3, 2]), 1800.0)
    plan = schedule(policy(), numbers)
    assert (plan.replicas_count, plan.absent, plan.cold_starts_count) == (3, (1, 2), 2)
    assert [(each.replica, each.asked_s, each.serves_s, each.leaves_s) for each in plan.stays] == [
        (0, 0.0, 0.0, 1800.0),
        (1, 600.0, 660.0, 1800.0),
        (2, 600.0, 660.0, 1200.0),
    ]
    assert sorted((each.at_s, each.replica, each.kind) for each in plan.events) == [
        (660.0, 1, "up"),
        (660.0, 2, "up"),
        (1200.0, 2, "drain"),
    ]


def test_one_that_goes_before_it_serves_never_comes_up() -> None:
    plan = schedule(policy(cold_start_s=500.0), Wanted(np.array([0.0, 300.0, 600.0]), np.array([1, 2, 1]), 900.0))
    assert [each.kind for each in plan.events] == ["drain"]


def test_interruptions_come_as_often_as_said() -> None:
    often = policy(interruption_events_per_replica_month=73.0, seed=5)
    plan = schedule(often, Wanted(np.zeros(1), np.array([20]), 730 * 3600.0))
    # 1,460 expected; a minute of each is lost to the start of the replacement
    assert plan.interruptions_count == pytest.approx(1460, abs=4 * 1460**0.5)
    kinds = [each.kind for each in plan.events]
    assert kinds.count("kill") == kinds.count("up") == plan.interruptions_count
    again = schedule(often, Wanted(np.zeros(1), np.array([20]), 730 * 3600.0))
    assert again.events == plan.events


def test_means_and_highest_between_edges() -> None:
    numbers = Wanted(np.array([0.0, 600.0, 900.0]), np.array([1, 4, 2]), 1800.0)
    assert numbers.mean_count(np.array([0.0, 1200.0, 1800.0])).tolist() == [(600 + 1200 + 600) / 1200, 2.0]
    assert numbers.most_count(np.array([0.0, 600.0, 1200.0, 1800.0])).tolist() == [1, 4, 2]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"spare_count": -1}, "spare_count = -1"),
        ({"cold_start_s": float("nan")}, "cold_start_s = nan"),
        ({"decision_s": 0.0}, "decision_s = 0"),
    ],
)
def test_bad_policies(fields: dict[str, float], said: str) -> None:
    with pytest.raises(ServingError, match=said):
        policy(**fields)


def test_bad_targets() -> None:
    with pytest.raises(ServingError, match="TTFT target of 0"):
        FleetPolicy(LatencyTarget(ttft_s=0.0))
    with pytest.raises(ServingError, match="1 of the requests"):
        FleetPolicy(LatencyTarget(quantile_fraction=1.0))
