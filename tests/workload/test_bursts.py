"""Bursts against brute force in plain Python, and when the log is too short or too thin to show them."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

import numpy as np
import pytest

from breakeven.usage.call import Call
from breakeven.workload.bursts import REQUESTS_MIN_COUNT, burst_headroom_ratio
from breakeven.workload.profile import observation_of

from .typed_calls import call, table

pytestmark = pytest.mark.usefixtures("each_engine")


def ratio(calls: list[Call]) -> float | None:
    rows = table(calls)
    return burst_headroom_ratio(rows, observation_of(rows))


def random_calls(hours: np.ndarray, seed: int = 0) -> list[Call]:
    rng = np.random.default_rng(seed)
    return [call(i, float(at), input_tokens=int(rng.integers(1, 900))) for i, at in enumerate(hours)]


def by_hand(calls: list[Call]) -> float:
    tokens: dict[datetime, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    first, last = min(each.start_time for each in calls), max(each.start_time for each in calls)
    for each in calls:
        hour = each.start_time.replace(minute=0, second=0, microsecond=0)
        if first <= hour and hour + timedelta(hours=1) <= last:
            tokens[hour][each.start_time.minute // 5] += (each.input_tokens or 0) + (each.output_tokens or 0)
    ranked = sorted(tokens.values(), key=lambda parts: -sum(parts.values()))
    busy = ranked[: max(round(0.05 * len(ranked)), 1)]
    return float(np.mean([max(parts.values()) * 12 / sum(parts.values()) for parts in busy]))


def test_the_busiest_minutes_of_the_busiest_hours_are_found() -> None:
    rng = np.random.default_rng(1)
    quiet = rng.uniform(0, 45, 1500)
    busy = np.concatenate([rng.uniform(hour, hour + 1, 250) for hour in (9, 33)])
    spike = rng.uniform(9.25, 9.33, 100)
    calls = random_calls(np.concatenate([quiet, busy, spike]))
    found = ratio(calls)
    assert found == pytest.approx(by_hand(calls), rel=1e-12)
    assert found is not None
    assert found > 1.5


def test_calls_that_come_evenly_have_no_bursts() -> None:
    evenly = [call(i, i / 600) for i in range(600 * 3 + 2)]
    assert ratio(evenly) == pytest.approx(1.0)


def test_hours_that_the_log_covers_in_part_do_not_count() -> None:
    """Ten minutes before the full hour would look like a burst of six times the mean."""
    evenly = [call(i, 0.85 + i / 600) for i in range(600 * 2)]
    assert ratio(evenly) == pytest.approx(1.0)
    assert ratio([call(i, 0.85 + i / 600) for i in range(600)]) is None


def test_too_few_calls_say_nothing() -> None:
    count = REQUESTS_MIN_COUNT - 1
    assert ratio([call(i, i / count) for i in range(3 * count)]) is None


def test_buckets_of_calls_have_no_minutes() -> None:
    hours = [call(i, i, grain="bucket", request_count=1000) for i in range(30)]
    assert ratio(hours) is None
