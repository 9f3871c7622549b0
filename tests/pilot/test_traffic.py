"""Traffic: the design's word, the pilot's own, and neither."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from breakeven.pilot.design import TaskPlan
from breakeven.pilot.traffic import rows_of_tasks, traffic
from breakeven.units import HOURS_PER_MONTH
from pilot.planted import design, observations

ROWS = observations(np.ones(4000), np.ones(4000), np.arange(4000) % 2, tasks=("faq", "mail", "code"))
ROWS = replace(ROWS, task=np.repeat([0, 1, 1, 2], 1000))


def plan(task: str, rate: float | None) -> TaskPlan:
    return TaskPlan(task, "a", "b", requests_per_hour=rate)


def test_the_design_says_it() -> None:
    both = design(tasks=(plan("faq", 10.0), plan("mail", 5.0)))
    assert traffic(both, ROWS, ("faq",)).requests_per_month == pytest.approx(10 * HOURS_PER_MONTH)
    assert traffic(both, ROWS, ("faq", "mail")).requests_per_month == pytest.approx(15 * HOURS_PER_MONTH)


def test_a_plan_for_all_else_is_split_by_what_was_seen() -> None:
    rest = design(tasks=(plan("faq", 10.0), plan("", 30.0)))
    assert traffic(rest, ROWS, ("",)).requests_per_month == pytest.approx(30 * HOURS_PER_MONTH)
    assert traffic(rest, ROWS, ("mail",)).requests_per_month == pytest.approx(20 * HOURS_PER_MONTH)
    assert rows_of_tasks(rest, ROWS, ("",)).sum() == 3000
    assert rows_of_tasks(rest, ROWS, ("faq",)).sum() == 1000


def test_the_pilot_says_it_where_the_design_does_not() -> None:
    silent = design(tasks=(plan("", None),), mode="canary")
    found = traffic(silent, ROWS, ("",))
    assert found.requests_per_month == pytest.approx(60 * HOURS_PER_MONTH, rel=0.01) and "pilot saw" in found.note
    half = design(tasks=(plan("", None),), mode="shadow", share_fraction=0.5)
    assert traffic(half, ROWS, ("",)).requests_per_month == pytest.approx(60 * HOURS_PER_MONTH, rel=0.01)


def test_nobody_says_it() -> None:
    silent = design(tasks=(plan("", None),), mode="canary")
    short = traffic(silent, ROWS.where(np.arange(4000) < 1000), ("",))
    assert short.requests_per_month is None and "not a day" in short.note
    assert traffic(replace(silent, mode="offline"), ROWS, ("",)).requests_per_month is None
