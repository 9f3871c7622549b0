"""Quality problems: what a verdict must say of the outcomes it rests on (missing ones: `test_settled.py`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.pilot.planted_outcomes import audited, canary, design, shadow

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
    assert "30 are wanted" in found["audit_insufficient"].message
    assert "each counts against the candidate" in found["missing_outcomes"].message


def test_outcomes_that_may_still_come_are_said() -> None:
    rows = shadow(np.random.default_rng(4), 600, 1.0)
    told = replace(rows, success=np.where(np.arange(1_200) >= 1_000, np.nan, rows.success))
    (problem,) = quality_problems(design(tasks=("faq",)), replace(told, tasks=("faq",)))
    assert problem.code == "late_outcomes"
    assert problem.rows_count == 200
    assert problem.message.startswith("task faq: 200 outcomes may still come")
