"""Quality problems: what a verdict must say of the outcomes it rests on (missing ones: `test_settled.py`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.pilot.planted_outcomes import audited, canary, design, shadow

from breakeven.pilot.observations import CANDIDATE
from breakeven.pilot.quality import qualities
from breakeven.pilot.quality_problems import quality_problems


def test_nothing_amiss_is_nothing_said() -> None:
    rng = np.random.default_rng(1)
    assert not quality_problems(design(), shadow(rng, 600, 1.0))
    assert not quality_problems(design("canary"), canary(rng, 600, 1.0))
    assert not quality_problems(design(), audited(rng, shadow(rng, 600, 1.0), 0.2, 0.4))


def test_few_units_are_said() -> None:
    rng = np.random.default_rng(2)
    rows = canary(rng, 600, 1.0, unit=rng.integers(0, 5, 600))
    (problem,) = quality_problems(design("canary", unit="key"), rows)
    assert problem.code == "few_units"
    assert "5 units (key)" in problem.message
    assert problem.limits


def test_an_audit_without_labels_is_said() -> None:
    rng = np.random.default_rng(3)
    rows = audited(rng, shadow(rng, 600, 1.0), 0.2, 0.4)
    bare = replace(rows, success=np.full(1_200, np.nan))
    found = {each.code: each for each in quality_problems(design(), bare, 2e9)}
    assert set(found) == {"missing_outcomes", "audit_insufficient"}
    assert "labelled by people: 0 of the 30" in found["audit_insufficient"].message
    assert "each counts against the candidate" in found["missing_outcomes"].message


def test_outcomes_that_may_still_come_are_said() -> None:
    rows = shadow(np.random.default_rng(4), 600, 1.0)
    told = replace(rows, success=np.where(np.arange(1_200) >= 1_000, np.nan, rows.success))
    (problem,) = quality_problems(design(tasks=("faq",)), replace(told, tasks=("faq",)))
    assert problem.code == "late_outcomes"
    assert problem.rows_count == 200
    assert problem.message.startswith("task faq: outcomes that may still come: 200.")


@pytest.mark.parametrize("logged", [0.01, 0.99])
def test_arms_that_were_not_dealt_as_logged_decide_nothing(logged: float) -> None:
    rows = canary(np.random.default_rng(5), 1_500, 0.5)
    told = replace(rows, propensity_fraction=np.where(rows.arm == CANDIDATE, logged, 1 - logged))
    (quality,), _ = qualities(design("canary"), told)
    assert not quality.is_accepted
    assert not quality.is_inferior
    assert quality.ratio.value is None
    assert quality.more_outcomes_count is None
    (problem,) = quality_problems(design("canary"), told)
    assert problem.code == "lot_not_as_logged"
    assert "where the logged chances promise" in problem.message


def test_sticky_users_are_a_lot_too() -> None:
    rng = np.random.default_rng(6)
    named = 0
    for _ in range(20):
        user = rng.integers(0, 12, 2_000)
        rows = canary(rng, 2_000, 1.0, unit=user)
        arm = np.where((rng.uniform(size=12) < 0.5)[user], CANDIDATE, rows.arm * 0)
        problems = quality_problems(design("canary", unit="user"), replace(rows, arm=arm.astype(np.intp)))
        named += any(each.code == "lot_not_as_logged" for each in problems)
    assert not named


@pytest.mark.parametrize("chance", [np.nan, -1.0, 0.0, 2.0])
def test_requests_without_a_chance_are_named(chance: float) -> None:
    rows = canary(np.random.default_rng(7), 400, 1.0)
    some = replace(rows, propensity_fraction=np.where(np.arange(400) < 30, chance, rows.propensity_fraction))
    (problem,) = quality_problems(design("canary"), some)
    assert (problem.code, problem.rows_count) == ("no_chance", 30)
    none = replace(rows, propensity_fraction=np.full(400, chance))
    assert [each.code for each in quality_problems(design("canary"), none)] == ["lot_not_as_logged", "no_chance"]
    (quality,), _ = qualities(design("canary"), none)
    assert quality.more_days is None


def test_pairs_are_counted_as_pairs() -> None:
    rng = np.random.default_rng(8)
    rows = audited(rng, shadow(rng, 1_500, 1.0), 0.01, 0.4)  # some 15 pairs, 30 answers
    (problem,) = quality_problems(design(), rows)
    assert problem.code == "audit_insufficient"
