"""Traffic days: a shadow's share, a canary's steps, and the way there and back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.pilot.canary_stopping import told_ratio
from breakeven.pilot.design import Design, Mode, RampStep, TaskPlan
from breakeven.pilot.traffic_days import outcomes_by, reached

PLAN = TaskPlan("faq", "big", "small", requests_per_hour=100.0)


def design(mode: Mode = "shadow", **changes: object) -> Design:
    return replace(Design("trial", mode, (PLAN,), "2026-05-01T00:00:00+00:00"), **changes)  # type: ignore[arg-type]


def test_a_shadow_copies_its_share() -> None:
    found = reached(design(share_fraction=0.5), PLAN, 600)
    assert found.days == pytest.approx(600 / (100 * 24 * 0.5))
    assert found.candidate_requests_count == pytest.approx(600)
    assert outcomes_by(design(share_fraction=0.5), PLAN, 2.0) == pytest.approx(2_400)


def test_a_canary_goes_up_in_steps() -> None:
    """100 requests of the candidate at 10 % are 1,000 requests, ten hours; then 24 hours at 20 %, then halves."""
    steps = (RampStep(0.1, 100), RampStep(0.2, 0, 24.0), RampStep(0.5))
    canary = design("canary", ramp=steps)
    told = [told_ratio(0.9, 1.0, 0.95, share, 0.5) for share in (0.1, 0.2)]
    before_last = 1_000 * told[0] + 2_400 * told[1]
    found = reached(canary, PLAN, before_last + 240)
    assert found.days == pytest.approx((10 + 24 + 2.4) / 24)
    assert found.candidate_requests_count == pytest.approx(100 + 480 + 120)
    assert found.share_fraction == 0.5
    early = reached(canary, PLAN, 500 * told[0])
    assert early.days == pytest.approx(5 / 24)
    assert early.share_fraction == 0.1


@given(outcomes=st.floats(1.0, 1e6))
def test_there_and_back(outcomes: float) -> None:
    for each in (design(), design("canary")):
        days = reached(each, PLAN, outcomes).days
        assert days is not None
        assert outcomes_by(each, PLAN, days) == pytest.approx(outcomes, rel=1e-9)


def test_nobody_knows_the_days_without_traffic() -> None:
    unknown = replace(PLAN, requests_per_hour=None)
    assert reached(design(), unknown, 500).days is None
    assert outcomes_by(design(), unknown, 5.0) is None
    assert reached(design("offline"), PLAN, 500).days is None
    assert reached(design("canary"), unknown, 500).candidate_requests_count == 250
