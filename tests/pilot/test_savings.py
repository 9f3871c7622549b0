"""Savings: by hand on small tables, what is refused, and the truth inside the interval on planted pilots."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf

import numpy as np
import pytest

from breakeven.pilot.design import TaskPlan
from breakeven.pilot.observations import Observations
from breakeven.pilot.savings import savings
from breakeven.units import HOURS_PER_MONTH
from pilot.planted import design, heavy_costs, observations, paired

PAIRS = 400
REQUESTS_PER_MONTH = 100.0 * HOURS_PER_MONTH


def shadow(seed: int = 1, pairs: int = PAIRS, **more: object) -> Observations:
    rng = np.random.default_rng(seed)
    costs = heavy_costs("even", rng, pairs).draws
    baseline, candidate = ((rng.random(pairs) < rate) * 1.0 for rate in (0.92, 0.88))
    return paired(costs, 0.25 * costs, baseline, candidate, **more)


def test_by_hand_without_correction() -> None:
    usd, none = np.full(60, 0.01), np.zeros(60)
    baseline, candidate = none.copy(), none.copy()
    baseline[:54], candidate[:45] = 1.0, 1.0
    found = savings(design(), paired(usd, usd / 5, baseline, candidate), ("faq",))
    assert found.saved_usd_per_request.value == pytest.approx(0.008)
    assert found.saved_usd_per_success.value == pytest.approx(0.01 / 0.9 - 0.002 / 0.75)
    assert found.saved_fraction.value == pytest.approx(1 - (0.002 / 0.75) / (0.01 / 0.9))
    equal_work = 0.01 - 0.002 * 0.9 / 0.75
    assert found.saved_usd_per_month.value == pytest.approx(equal_work * REQUESTS_PER_MONTH)
    assert [each["name"] for each in found.lines] == ["calls", "retried_calls"]
    assert len(found.not_stated) == 3


def test_by_hand_with_correction_and_idle_servers() -> None:
    usd, none = np.full(60, 0.01), np.zeros(60)
    baseline, candidate = none.copy(), none.copy()
    baseline[:54], candidate[:45] = 1.0, 1.0
    plan = design(human_correction_usd=0.1, idle_usd_per_month=146.0, migration_usd=500.0)
    found = savings(plan, paired(usd, usd / 5, baseline, candidate), ("faq",))
    idle = 146.0 / REQUESTS_PER_MONTH
    saved = (0.01 + 0.1 * 0.1) - (0.002 + idle + 0.25 * 0.1)
    assert found.saved_usd_per_request.value == pytest.approx(saved)
    assert found.saved_usd_per_success.value == pytest.approx(saved), "somebody puts every failure right"
    assert found.saved_usd_per_month.value == pytest.approx(saved * REQUESTS_PER_MONTH)
    totals = [sum(each[f"{arm}_usd_per_request"] for each in found.lines) for arm in ("baseline", "candidate")]
    assert totals[0] - totals[1] == pytest.approx(saved), "the lines add up"
    assert found.payback_months.value == inf and found.return_ratio.value is not None
    assert found.not_stated == ()


def test_pairs_are_compared_within_themselves() -> None:
    """Costs that go together: the paired interval is far narrower than that of two separate samples."""
    rng = np.random.default_rng(4)
    costs = heavy_costs("lognormal", rng, PAIRS).draws
    ones = np.ones(PAIRS)
    together = savings(design(), paired(costs, 0.9 * costs, ones, ones), ("faq",)).saved_usd_per_request
    apart = savings(design(), paired(costs, 0.9 * rng.permutation(costs), ones, ones), ("faq",)).saved_usd_per_request
    assert together.value == pytest.approx(apart.value)
    assert together.high - together.low < 0.3 * (apart.high - apart.low)


def test_users_that_stay_in_an_arm_widen_the_interval() -> None:
    rng = np.random.default_rng(5)
    user = np.repeat(np.arange(200), 20)
    arm = (np.arange(200) % 2)[user]
    usd = np.exp(rng.standard_normal(200))[user] * np.where(arm == 1, 0.5, 1.0) * 0.01
    rows = observations(usd, np.ones(4000), arm, unit=user, propensity_fraction=np.full(4000, 0.5))
    alone = replace(rows, unit=np.arange(4000))
    by_user, by_request = (
        savings(design(mode="canary"), each, ("faq",)).saved_usd_per_request for each in (rows, alone)
    )
    assert by_user.value == pytest.approx(by_request.value)
    assert by_user.high - by_user.low > 3 * (by_request.high - by_request.low)


def test_a_rising_share_and_falling_prices_do_not_pass_for_savings() -> None:
    """Both models cost the same; the candidate's requests came later, when all were cheaper."""
    rng = np.random.default_rng(6)
    share = np.repeat([0.05, 0.5], 3000)
    arm = (rng.random(6000) < share).astype(np.intp)
    usd = np.repeat([0.03, 0.01], 3000)
    chance = np.where(arm == 1, share, 1 - share)
    rows = observations(usd, np.ones(6000), arm, propensity_fraction=chance)
    found = savings(design(mode="canary"), rows, ("faq",)).saved_usd_per_success
    naive = usd[arm == 0].mean() - usd[arm == 1].mean()
    assert naive > 0.005
    assert found.low < 0 < found.high and abs(found.value) < naive / 5


def test_an_unpriced_request_gives_no_figure() -> None:
    rows = shadow()
    usd = rows.cost_usd.copy()
    usd[7] = np.nan
    found = savings(design(), replace(rows, cost_usd=usd), ("faq",))
    assert found.saved_usd_per_request.value is None and found.saved_usd_per_month.value is None
    assert "1 of 400 requests of the candidate has no price" in found.saved_usd_per_success.why_not
    assert found.lines == ()


def test_a_request_that_only_one_arm_answered_is_left_out_of_a_shadow() -> None:
    rows = shadow()
    lonely = np.ones(rows.rows_count, dtype=bool)
    lonely[1] = False
    usd = rows.cost_usd.copy()
    usd[0] = 1e6
    some = replace(rows, cost_usd=usd).where(lonely)
    assert savings(design(), some, ("faq",)).saved_usd_per_request.value < 1


def test_one_arm_empty_and_no_rows_at_all() -> None:
    rows = shadow()
    for some in (rows.where(rows.arm == 0), rows.where(rows.arm == 9)):
        found = savings(design(mode="canary"), some, ("faq",))
        assert found.saved_usd_per_success.value is None and "has no requests" in found.saved_usd_per_success.why_not


def test_without_outcomes_the_request_still_has_a_figure() -> None:
    rows = shadow()
    found = savings(design(), replace(rows, success=np.full(rows.rows_count, np.nan)), ("faq",))
    assert found.saved_usd_per_request.value is not None
    assert found.saved_usd_per_success.value is None and "no outcome" in found.saved_usd_per_success.why_not
    nothing = replace(rows, success=np.where(rows.arm == 1, 0.0, 1.0))
    assert "nothing succeeded" in savings(design(), nothing, ("faq",)).saved_usd_per_success.why_not


def test_a_judge_is_put_right_by_the_audit() -> None:
    """The judge passes everything of the candidate; a fifth is audited; the truth comes out on average."""
    rng = np.random.default_rng(8)
    rows = shadow(pairs=4000)
    audited = np.repeat(rng.random(4000) < 0.2, 2)
    judged = np.where(rows.arm == 1, 1.0, rows.success)
    seen = np.where(audited, rows.success, np.nan)
    some = replace(rows, judged=judged, success=seen, is_audited=audited, audit_fraction=np.full(8000, 0.2))
    whole, found = (savings(design(), each, ("faq",)).saved_usd_per_success for each in (rows, some))
    assert found.low < whole.value < found.high
    flattered = replace(some, success=np.where(rows.arm == 0, rows.success, judged))
    assert savings(design(), flattered, ("faq",)).saved_usd_per_success.value > found.high


def test_idle_servers_without_traffic_give_no_figure() -> None:
    plan = TaskPlan("faq", "a", "b")
    found = savings(design(tasks=(plan,), idle_usd_per_month=900.0, mode="offline"), shadow(), ("faq",))
    assert found.saved_usd_per_success.value is None and "$900 a month" in found.saved_usd_per_success.why_not


def test_an_interval_of_one_look_stands_beside() -> None:
    method = savings(design(), shadow(), ("faq",)).saved_usd_per_success.method
    assert "however often" in method and "t 0.0" in method and "BCa 0.0" in method


def test_the_same_rows_in_any_order_say_the_same() -> None:
    rows = shadow()
    order = np.random.default_rng(0).permutation(rows.rows_count)
    mixed = replace(
        rows,
        request_ids=tuple(rows.request_ids[i] for i in order),
        **{name: getattr(rows, name)[order] for name in ("arm", "unit", "success", "cost_usd")},
    )
    one, other = (savings(design(), each, ("faq",)) for each in (rows, mixed))
    for name in ("saved_usd_per_success", "saved_usd_per_month", "saved_fraction"):
        ends = [[getattr(getattr(each, name), end) for end in ("low", "value", "high")] for each in (one, other)]
        assert ends[0] == pytest.approx(ends[1], rel=1e-9)
    json.dumps([dict(each) for each in one.lines])
