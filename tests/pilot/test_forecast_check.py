"""Forecast check: promises kept and broken, what is not seen, and ranges by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from breakeven.pilot.design import Design, TaskPlan
from breakeven.pilot.forecast_check import forecast_lines
from breakeven.pilot.observations import Observations
from breakeven.pilot.verdict import ForecastLine
from pilot.planted import design, heavy_costs, paired

PAIRS = 1500
EVERY = TaskPlan("", "openai/gpt-5", "qwen3-8b", requests_per_hour=100.0)
PROMISED = {
    "requests_per_month": 43_800.0,
    "baseline_input_tokens_per_request": 1000.0,
    "candidate_output_tokens_per_request": 150.0,
    "frontier_success_fraction": 0.92,
    "frontier_success_low_fraction": 0.84,
    "frontier_success_high_fraction": 0.97,
    "moe_model_success_fraction": 0.95,
    "baseline_serving_usd_per_request": 0.01,
    "candidate_serving_usd_per_request": 0.001,
    "candidate_failed_answers_usd_per_request": 0.002,
    "candidate_capacity_req_per_s": 2.0,
    "savings_usd_per_month": 300.0,
    "extra_quality_monitoring_usd_per_month": 50.0,
}


def rows(seed: int = 3, pairs: int = PAIRS, **more: Any) -> Observations:
    """One pair a minute for a day: success 0.92 and 0.88, a cent and a quarter of one."""
    rng = np.random.default_rng(seed)
    costs = heavy_costs("even", rng, pairs).draws
    success = [(rng.random(pairs) < rate) * 1.0 for rate in (0.92, 0.88)]
    return paired(costs, 0.25 * costs, *success, **more)


def promise(promised: dict[str, float] | None = None, **changes: Any) -> Design:
    return design(**{"tasks": (EVERY,), "promised": PROMISED if promised is None else promised, **changes})


def by_name(found: tuple[ForecastLine, ...]) -> dict[str, ForecastLine]:
    return {each.name: each for each in found}


def test_lines_keep_the_order_of_the_promises_without_their_ranges() -> None:
    found = forecast_lines(promise(), rows())
    assert [each.name for each in found] == [each for each in PROMISED if "_low_" not in each and "_high_" not in each]
    assert forecast_lines(promise({}), rows()) == ()


def test_kept_and_broken() -> None:
    lines = by_name(forecast_lines(promise(), rows()))
    assert lines["frontier_success_fraction"].is_within and "as promised" in lines["frontier_success_fraction"].words
    assert lines["moe_model_success_fraction"].is_within is False
    assert lines["moe_model_success_fraction"].words == "7 % less than promised"
    assert lines["baseline_serving_usd_per_request"].is_within
    assert lines["candidate_serving_usd_per_request"].is_within is False
    assert lines["candidate_serving_usd_per_request"].error_ratio == pytest.approx(2.5, rel=0.01)
    assert lines["candidate_output_tokens_per_request"].error_ratio == pytest.approx(200 / 150)
    assert lines["candidate_output_tokens_per_request"].words == "33 % more than promised"
    assert lines["baseline_input_tokens_per_request"].words == "as promised (to the percent)"


def test_only_assumptions_are_recalibrated() -> None:
    lines = forecast_lines(promise(), rows())
    assert {each.name: each.assumption for each in lines if each.assumption} == {
        "requests_per_month": "volume_over_observed_ratio",
        "frontier_success_fraction": "frontier_success_fraction",
        "moe_model_success_fraction": "moe_model_success_fraction",
    }


def test_savings_take_what_is_not_seen_as_promised() -> None:
    lines = by_name(forecast_lines(promise(), rows()))
    line = lines["savings_usd_per_month"]
    seen = rows()
    mean = [float(np.mean(seen.cost_usd[seen.arm == arm])) for arm in (0, 1)]
    rate = [float(np.mean(seen.success[seen.arm == arm])) for arm in (0, 1)]
    saved = 43_800.0 * (mean[0] - mean[1] * rate[0] / rate[1])
    failed = 0.002 * 43_800.0
    assert line.happened.value == pytest.approx(saved - 50.0 - failed)
    assert "taken as promised" in line.words
    stated = by_name(forecast_lines(promise(human_correction_usd=0.05), rows()))["savings_usd_per_month"]
    corrected = 43_800.0 * (mean[0] + 0.05 * (1 - rate[0]) - mean[1] - 0.05 * (1 - rate[1]))
    assert stated.happened.value == pytest.approx(corrected - 50.0)


def test_failed_answers_only_where_their_cost_was_stated() -> None:
    silent = by_name(forecast_lines(promise(), rows()))["candidate_failed_answers_usd_per_request"]
    assert silent.happened.value is None and "human_correction_usd" in silent.words and silent.is_within is None
    stated = by_name(forecast_lines(promise(human_correction_usd=0.05), rows()))
    assert stated["candidate_failed_answers_usd_per_request"].happened.value == pytest.approx(0.12 * 0.05, rel=0.1)


def test_idle_servers_are_part_of_what_serving_costs() -> None:
    plain, idle = (
        by_name(forecast_lines(promise(idle_usd_per_month=usd), rows()))["candidate_serving_usd_per_request"].happened
        for usd in (None, 438.0)
    )
    assert idle.value == pytest.approx(plain.value + 0.01)


def test_a_pilot_does_not_see_salaries_and_capacity_only_from_below() -> None:
    lines = by_name(forecast_lines(promise(), rows()))
    assert lines["extra_quality_monitoring_usd_per_month"].happened.value is None
    capacity = lines["candidate_capacity_req_per_s"]
    assert capacity.happened.value is None and capacity.happened.low == pytest.approx(1 / 60)
    assert capacity.is_within is None
    small = by_name(forecast_lines(promise({"candidate_capacity_req_per_s": 0.001}), rows()))
    assert small["candidate_capacity_req_per_s"].is_within is False


def test_a_pilot_of_some_tasks_says_so() -> None:
    lines = by_name(forecast_lines(promise(tasks=(replace(EVERY, task="faq"),)), rows()))
    assert "seen of faq alone" in lines["moe_model_success_fraction"].words
    for name in ("savings_usd_per_month", "requests_per_month"):
        assert lines[name].happened.value is None and "the pilot tries faq alone" in lines[name].words


def test_traffic_has_an_interval_from_a_week_on() -> None:
    short, long = (
        by_name(forecast_lines(promise(), rows(pairs=pairs)))["requests_per_month"] for pairs in (1500, 8 * 1440 + 10)
    )
    assert short.happened.value == pytest.approx(43_800.0) and short.happened.low is None and short.is_within is None
    assert long.is_within and long.happened.low == pytest.approx(43_800.0)


def test_unpriced_calls_and_missing_outcomes() -> None:
    seen = rows()
    usd, success = seen.cost_usd.copy(), seen.success.copy()
    usd[1] = np.nan
    lines = by_name(forecast_lines(promise(), replace(seen, cost_usd=usd)))
    assert "1 of its requests without a price" in lines["candidate_serving_usd_per_request"].words
    assert lines["savings_usd_per_month"].happened.value is None
    success[(np.arange(len(success)) % 10 < 4) & (seen.arm == 1)] = np.nan
    now = float(seen.start_unix_s.max()) + 100 * 3600.0
    found = by_name(forecast_lines(promise(), replace(seen, success=success), now))["moe_model_success_fraction"]
    assert found.happened.low < 0.75 and found.happened.high > 0.88, "whatever the missing ones were"


def test_few_pairs_have_no_interval_and_no_verdict() -> None:
    found = by_name(forecast_lines(promise(), rows(pairs=20)))["moe_model_success_fraction"]
    assert found.is_within is None and "no interval yet" in found.words
