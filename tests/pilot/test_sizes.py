"""Sizes: what a design says of itself is plain, the same each time, and moves the way it should."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from breakeven.pilot import sizes
from breakeven.pilot.design import Design, Mode, TaskPlan
from breakeven.pilot.sizes import Setting, Truth, design_sizes, expected_size, fixed_count
from breakeven.pilot.stopping import size_figures

PLAN = TaskPlan(
    "faq",
    "big",
    "small",
    50.0,
    baseline_usd_per_request=0.01,
    candidate_usd_per_request=0.001,
    correlation_fraction=0.6,
)


@pytest.fixture(autouse=True, scope="module")
def _few_runs() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sizes, "CURVE_RUNS_COUNT", 100)
        patch.setattr(sizes, "CURVE_RATIOS", (0.9, 0.95, 1.0))
        yield


def design(mode: Mode = "shadow", plans: tuple[TaskPlan, ...] = (PLAN,), **changes: object) -> Design:
    plain = Design("trial", mode, plans, "2026-05-01T00:00:00+00:00", days_max_days=3.0)
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shadow(_few_runs: None) -> dict[str, Any]:
    return dict(design_sizes(design()))


def test_it_is_plain_json_and_the_same_each_time(shadow: dict[str, Any]) -> None:
    sizes._played.cache_clear()
    assert json.dumps(design_sizes(design()), allow_nan=False) == json.dumps(shadow, allow_nan=False)


def test_figures_of_a_shadow(shadow: dict[str, Any]) -> None:
    (task,) = shadow["tasks"]
    outcomes = task["outcomes"]
    assert shadow["outcome"] == "pair"
    assert outcomes["p5_count"] < outcomes["p50_count"] < outcomes["p80_count"] < outcomes["p95_count"]
    assert task["fixed_sample_count"] == 210
    assert 1.1 < task["mean_over_fixed_ratio"] < 1.32
    assert task["days"]["mean_days"] == pytest.approx(outcomes["mean_count"] / (50 * 24), rel=0.01)
    assert task["within_limit"]["outcomes_count"] == 50 * 24 * 3
    assert task["own_cost"]["mean_usd"] == pytest.approx(outcomes["mean_count"] * 0.001, rel=0.01)
    assert shadow["overall"]["own_cost"]["mean_usd"] == task["own_cost"]["mean_usd"]
    assert task["fixed_looks"]["pairs_at_looks"][-1] == pytest.approx(1.04 * 210, abs=3)


def test_the_power_curve_tells_bad_from_good(shadow: dict[str, Any]) -> None:
    bad, edge, good = shadow["tasks"][0]["power_curve"]["points"]
    assert bad["accepted_fraction"] <= 0.02
    assert bad["stopped_fraction"] > 0.9
    assert edge["accepted_fraction"] <= 0.12
    assert good["accepted_fraction"] > 0.95
    assert good["mean_count"] < edge["mean_count"]


def test_wrong_plans_are_shown_with_their_price(shadow: dict[str, Any]) -> None:
    found = shadow["tasks"][0]["wrong_plans"]
    assert [each["words"].split(",")[0] for each in found] == [
        "the candidate keeps 0.975 of the success",
        "the baseline succeeds in 0.8",
        "the two fail on different requests (correlation 0",
    ]
    assert all(each["mean_count"] > shadow["tasks"][0]["outcomes"]["mean_count"] for each in found)
    assert all(0.95 < each["cost_ratio"] < 1.6 for each in found)


def test_a_canary_needs_requests_of_both_arms_and_its_ramp() -> None:
    found = design_sizes(design("canary", (replace(PLAN, correlation_fraction=0.0),)))
    (task,) = found["tasks"]
    assert found["outcome"] == "request"
    assert task["fixed_sample_count"] == 1046
    assert 1.0 < task["mean_over_fixed_ratio"] < 1.3
    assert task["days"]["mean_days"] > 100 / (50 * 24 * 0.01)
    assert task["own_cost"]["mean_usd"] < 0
    assert task["fixed_looks"] is None


def test_more_tasks_need_more_evidence_each(shadow: dict[str, Any]) -> None:
    plans = (PLAN, replace(PLAN, task="tags"), replace(PLAN, task="mail", requests_per_hour=None))
    found = design_sizes(design(plans=plans))
    assert found["boundary_e_ratio"] == 60.0
    assert found["tasks"][0]["outcomes"]["mean_count"] > shadow["tasks"][0]["outcomes"]["mean_count"]
    assert found["tasks"][0]["outcomes"] == found["tasks"][1]["outcomes"]
    assert found["tasks"][2]["days"] is None
    assert found["overall"]["days"]["mean_days"] is None
    assert any("e-BH" in each for each in found["notes"])


def test_a_plan_that_does_not_beat_the_margin_says_so() -> None:
    (task,) = design_sizes(design(plans=(replace(PLAN, candidate_to_baseline_ratio=0.93),)))["tasks"]
    assert task["fixed_sample_count"] is None
    assert task["outcomes"]["p50_count"] is None
    assert task["outcomes"]["accepted_by_cap_fraction"] < 0.1
    assert task["wrong_plans"] == []
    assert task["fixed_looks"] is None


def test_units_that_come_back_are_named() -> None:
    assert any(
        "every request is counted as its own user" in each for each in design_sizes(design(unit="user"))["notes"]
    )


def test_expected_size_is_the_test_that_will_be_carried_out() -> None:
    """Planned and true 0.98 at correlation 0.3: 1.10 times 1,104 pairs."""
    setting = Setting(False, 1.0, 0.95, 2.995732, 0.01, 0.05, 0.8, 0)
    truth = Truth(0.9, 0.98, 0.3)
    assert fixed_count(truth, setting) == 1104
    figures = size_figures(expected_size(truth, setting, runs_count=600).stops, 8 * 1104)
    assert 1.0 < figures.mean_count / 1104 < 1.2
