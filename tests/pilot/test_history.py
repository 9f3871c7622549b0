"""History: each point is the verdict's own arithmetic on whole requests; the last one is of all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.reports.made_pilots import DESIGN, observations, outcomes

from breakeven.pilot.design import Mode, TaskPlan
from breakeven.pilot.history import history
from breakeven.pilot.observations import Observations
from breakeven.pilot.quality import qualities

DESIGNS = {
    mode: replace(DESIGN, mode=mode, tasks=(TaskPlan("a", "x", "y"), TaskPlan("b", "x", "y")), outcome_wait_hours=0.0)
    for mode in ("shadow", "canary")
}


def rows(mode: Mode, days: float = 3.0) -> Observations:
    pairs = {"a": outcomes(90, 0.9, 0.9, seed=5), "b": outcomes(60, 0.8, 0.8, seed=6)}
    return observations(pairs, days, mode, seed=7)


@pytest.mark.parametrize("mode", ["shadow", "canary"])
def test_the_last_point_is_the_verdict_s(mode: Mode) -> None:
    seen = rows(mode)
    found = history(DESIGNS[mode], seen, 7)
    assert (found[-1].tasks, found[-1].overall) == qualities(DESIGNS[mode], seen)
    assert found[-1].requests_count == 150
    assert found[-1].at_unix_s == seen.start_unix_s.max()


def test_a_point_holds_whole_requests_in_order_of_time() -> None:
    seen = rows("shadow")
    for each in history(DESIGNS["shadow"], seen, 5):
        assert (each.tasks, each.overall) == qualities(
            DESIGNS["shadow"], seen.where(seen.start_unix_s <= each.at_unix_s)
        )
        assert sum(one.outcomes_count for one in each.tasks) == each.requests_count


def test_without_times_the_order_of_the_file_is_time() -> None:
    seen = rows("shadow", days=0.0)
    found = history(DESIGNS["shadow"], seen, 3)
    assert [each.requests_count for each in found] == [50, 100, 150]
    assert [each.at_unix_s for each in found] == [0.0, 0.0, 0.0]
    assert found[0].tasks[0].outcomes_count == 50, "the first fifty are of the first task"


def test_few_requests_give_few_points_and_none_give_none() -> None:
    seen = rows("shadow")
    few = seen.where(np.isin(np.arange(seen.rows_count) % 150, [0, 1, 2]))
    assert [each.requests_count for each in history(DESIGNS["shadow"], few, 40)] == [1, 2, 3]
    assert history(DESIGNS["shadow"], seen.where(np.zeros(seen.rows_count, dtype=bool))) == ()
