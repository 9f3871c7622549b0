"""Expectations: figures come from where something is known, the first source that tells wins, the rest stay guesses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from breakeven.errors import PilotError
from breakeven.pilot.design import TaskPlan
from breakeven.pilot.expectations import Known, of_outcomes, of_policy, of_store, planned, tasks_of_store
from breakeven.routing.policy_document import GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.policy_file import save
from breakeven.usage.store import CallStore

PLAN = TaskPlan("faq", "big", "small")


def test_nothing_known_is_a_guess() -> None:
    assert planned(PLAN, []) == PLAN
    assert planned(PLAN, [Known(told_by=("x",))]).expected_from == "guess"


def test_the_first_source_that_tells_wins() -> None:
    known = [
        Known(baseline_success_fraction=0.8, told_by=("given",)),
        Known(0.5 * 100, 0.7, 0.9, told_by=("outcomes x",)),
    ]
    plan = planned(PLAN, known)
    assert (plan.baseline_success_fraction, plan.candidate_to_baseline_ratio, plan.requests_per_hour) == (
        0.8,
        0.9,
        50.0,
    )
    assert plan.expected_from == "given; outcomes x"


def test_outcomes_tell_success_ratio_correlation_and_cost(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    base, same, own = rng.random(4000) < 0.8, rng.random(4000) < 0.5, rng.random(4000) < 0.8
    new = np.where(same, base, own)
    rows = ["id,task,score__big,score__small,cost__big,cost__small"]
    rows += [f"r{i},faq,{int(a)},{int(b)},0.02,0.001" for i, (a, b) in enumerate(zip(base, new, strict=True))]
    path = tmp_path / "outcomes.csv"
    path.write_text("\n".join(rows) + "\n")
    known = of_outcomes([path], PLAN)
    assert known.baseline_success_fraction == pytest.approx(base.mean())
    assert known.candidate_to_baseline_ratio == pytest.approx(new.mean() / base.mean())
    assert known.correlation_fraction == pytest.approx(0.5, abs=0.05)  # by construction: half of the pairs are one draw
    assert (known.baseline_usd_per_request, known.candidate_usd_per_request) == pytest.approx((0.02, 0.001))
    assert known.told_by == ("outcomes outcomes.csv (4,000 pairs)",)
    assert of_outcomes([path], TaskPlan("faq", "big", "other")) == Known()
    judged = of_outcomes([path], PLAN, is_judged_by_them=True)  # no bet is planned with what decides it
    assert (judged.candidate_to_baseline_ratio, judged.baseline_success_fraction) == (None, None)
    assert judged.baseline_usd_per_request == pytest.approx(0.02)


def test_a_policy_tells_what_its_group_of_the_task_knows(tmp_path: Path) -> None:
    models = (PricedModel("big"), PricedModel("small"))
    rates, costs = {"big": 0.9, "small": 0.81}, {"big": 0.02, "small": 0.002}
    groups = (GroupChoice((), "big"), GroupChoice(("faq",), "big", rates, costs, 100))
    save(PolicyDocument("task_map", models, "big", groups=groups), tmp_path)
    known = of_policy(tmp_path, PLAN)
    assert known.candidate_to_baseline_ratio == pytest.approx(0.9)
    assert known.baseline_success_fraction == 0.9
    assert known.candidate_usd_per_request == 0.002
    assert of_policy(tmp_path, TaskPlan("mail", "big", "small")) == Known()
    with pytest.raises(PilotError):
        of_policy(tmp_path / "absent", PLAN)


def test_a_store_tells_traffic_and_todays_cost(tmp_path: Path) -> None:
    rows = ["timestamp,model,prompt_tokens,completion_tokens,cost_usd,task"]
    rows += [
        f"2026-11-01T{i // 60:02d}:{i % 60:02d}:00Z,big,100,10,0.01,{'faq' if i % 3 else 'mail'}" for i in range(600)
    ]
    log = tmp_path / "calls.csv"
    log.write_text("\n".join(rows) + "\n")
    with CallStore(tmp_path / "store") as store:
        store.ingest(log, now=datetime(2026, 11, 3, tzinfo=UTC))
    known = of_store(tmp_path / "store", PLAN)
    assert known.requests_per_hour == pytest.approx(400 / (599 / 60))
    assert known.baseline_usd_per_request == pytest.approx(0.01)
    assert known.candidate_usd_per_request is None
    assert tasks_of_store(tmp_path / "store") == ("faq", "mail")
    with pytest.raises(PilotError, match="breakeven import"):
        of_store(tmp_path / "absent", PLAN)
