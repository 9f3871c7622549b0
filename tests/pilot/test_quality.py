"""Quality: the right test for what was seen, tasks judged together, and how much is still missing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.pilot.planted_outcomes import audited, canary, design, shadow

from breakeven.pilot.bets import planned_bets
from breakeven.pilot.design import RampStep, TaskPlan
from breakeven.pilot.multiplicity import ln_boundary
from breakeven.pilot.noninferiority import counts_of, ln_e_value
from breakeven.pilot.observations import CANDIDATE, Observations
from breakeven.pilot.pairing import pairs_of
from breakeven.pilot.quality import pooled_plan, qualities
from breakeven.pilot.verdict import Quality


def one(mode: str, rows: Observations) -> Quality:
    (found,), overall = qualities(design("canary" if mode == "canary" else "shadow"), rows)
    assert overall is None
    return found


def test_pairs_go_to_the_exact_test() -> None:
    rows = shadow(np.random.default_rng(1), 800, 1.0)
    found = one("shadow", rows)
    counts = counts_of(pairs_of(rows))
    assert counts is not None
    assert found.test == "paired"
    assert found.counts == counts
    assert found.outcomes_count == 800
    assert found.ln_e_ratio == pytest.approx(ln_e_value(counts, 0.95, planned_bets(0.95, 0.9, 1.0, 0.3)))
    assert found.ln_boundary_ratio == pytest.approx(math.log(20))


@pytest.mark.parametrize("mode", ["shadow", "canary"])
@pytest.mark.parametrize("is_audit", [False, True])
@pytest.mark.parametrize("has_users", [False, True])
@pytest.mark.parametrize("ratio", [0.7, 1.0])
def test_every_test_tells_good_from_bad(mode: str, is_audit: bool, has_users: bool, ratio: float) -> None:
    rng = np.random.default_rng(2)
    rows = shadow(rng, 3_000, ratio) if mode == "shadow" else canary(rng, 6_000, ratio)
    if has_users:
        user = rng.integers(0, 1_500, 6_000)
        rows = replace(rows, unit=user[np.arange(6_000) // 2 * 2] if mode == "shadow" else user)
    if is_audit:
        rows = audited(rng, rows, 0.4, 0.4)
    found = one(mode, rows)
    assert found.test == ("audited" if is_audit else "paired" if mode == "shadow" else "two-sample")
    assert (found.is_accepted, found.is_inferior) == (ratio == 1.0, ratio < 1.0)
    for each, truth in (
        (found.ratio, ratio),
        (found.baseline_success, 0.9),
        (found.candidate_success, 0.9 * ratio),
    ):
        assert each.value == pytest.approx(truth, abs=0.06)
        assert each.low is not None
        assert each.high is not None
        assert each.low <= truth <= each.high
    assert ("in the normal limit" in found.ratio.method) == has_users


def test_tasks_are_judged_together_and_all_of_them_once_more() -> None:
    rng = np.random.default_rng(3)
    task = np.repeat(rng.integers(0, 3, 4_000), 2)
    rows = shadow(rng, 4_000, 1.0, task=task, tasks=("faq", "tags", "code"))
    bad = (task == 2) & (rows.arm == CANDIDATE) & (rng.uniform(size=8_000) < 0.3)
    rows = replace(rows, success=np.where(bad, 0.0, rows.success))
    promised = design(tasks=("faq", "tags", "code"))
    tasks, overall = qualities(promised, rows)
    assert [each.is_accepted for each in tasks] == [True, True, False]
    assert tasks[2].is_inferior
    ln_e = {each.task: each.ln_e_ratio for each in tasks}
    for each in tasks:
        assert each.ln_boundary_ratio == pytest.approx(ln_boundary(ln_e, each.task, 0.05))
    assert tasks[0].ln_boundary_ratio == pytest.approx(math.log(20 * 3 / 2))
    assert overall is not None
    assert overall.is_overall
    assert overall.outcomes_count == 4_000
    assert overall.ratio.value == pytest.approx(0.9, abs=0.03)


def test_the_rest_has_a_plan_of_its_own() -> None:
    rng = np.random.default_rng(4)
    rows = canary(rng, 900, 1.0, task=np.arange(900) % 3, tasks=("faq", "", "other"))
    tasks, _ = qualities(design("canary", ("faq", "")), rows)
    assert [each.outcomes_count for each in tasks] == [300, 600]


def test_the_same_outcomes_say_the_same_whatever_came_between() -> None:
    rows = canary(np.random.default_rng(5), 500, 1.0)
    again = rows.where(np.ones(500, dtype=bool))
    assert qualities(design("canary"), rows) == qualities(design("canary"), again)


@pytest.mark.parametrize("mode", ["shadow", "canary"])
def test_how_many_more_is_about_what_it_takes(mode: str) -> None:
    rng = np.random.default_rng(6)
    takes, told = [], []
    for _ in range(8):
        full = shadow(rng, 3_000, 1.0) if mode == "shadow" else canary(rng, 6_000, 1.0)
        part = full.where(np.arange(6_000) < 300)
        first = one(mode, part)
        if first.is_accepted or first.more_outcomes_count is None:
            continue
        assert first.more_days is not None
        assert first.more_days >= first.more_outcomes_count / 100 / 24 - 1e-9  # a canary's ramp takes longer
        told.append(first.more_outcomes_count)
        for count in range(400, 6_001, 200):
            found = one(mode, full.where(np.arange(6_000) < count))
            if found.is_accepted:
                break
        takes.append(found.outcomes_count - first.outcomes_count)
    assert len(told) >= 4
    assert 0.3 < np.median(told) / np.median(takes) < 3.5


def test_nothing_seen_is_not_yet() -> None:
    nothing = shadow(np.random.default_rng(7), 1, 1.0).where(np.zeros(2, dtype=bool))
    for mode in ("shadow", "canary"):
        found = one(mode, nothing)
        assert found.ln_e_ratio == pytest.approx(0.0)
        assert found.ratio.value is None
        assert found.ratio.why_not
        assert found.more_outcomes_count is not None


def test_a_plan_of_all_is_a_mean_by_traffic() -> None:
    promised = design(tasks=("faq", "code"))
    plans = (
        TaskPlan("faq", "big", "small", requests_per_hour=300.0, baseline_success_fraction=0.9),
        TaskPlan("code", "big", "small", requests_per_hour=100.0, baseline_success_fraction=0.5),
    )
    pooled = pooled_plan(replace(promised, tasks=plans))
    assert (pooled.requests_per_hour, pooled.baseline_success_fraction) == (400.0, pytest.approx(0.8))
    unknown = pooled_plan(replace(promised, tasks=(plans[0], replace(plans[1], requests_per_hour=None))))
    assert (unknown.requests_per_hour, unknown.baseline_success_fraction) == (None, pytest.approx(0.7))


def test_days_go_by_the_ramp_else_by_what_was_seen() -> None:
    rng = np.random.default_rng(9)
    early = canary(rng, 200, 1.0, share=0.01)
    (ramped,), _ = qualities(design("canary"), early)
    (late,), _ = qualities(design("canary", ramp=(RampStep(0.5),)), canary(rng, 200, 1.0))
    assert ramped.more_days is not None
    assert late.more_days is not None
    assert late.more_outcomes_count is not None
    assert late.more_days == pytest.approx(late.more_outcomes_count / 100 / 24)
    assert ramped.more_days > 4.0  # a hundred of the candidate's at 1 % alone take four days
    plans = tuple(replace(each, requests_per_hour=None) for each in design().tasks)
    (seen,), _ = qualities(replace(design(), tasks=plans), shadow(rng, 100, 1.0))  # a pair every 36 s
    assert seen.more_outcomes_count is not None
    assert seen.more_days == pytest.approx(seen.more_outcomes_count * 36 / 86_400, rel=0.02)
