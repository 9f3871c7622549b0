"""Pair chances: four chances with the rates and the correlation asked for, or the nearest correlation there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import PilotError
from breakeven.pilot.observations import PairCounts
from breakeven.pilot.pair_chances import chances_of, pair_chances


@given(success=st.floats(0.01, 1.0), ratio=st.floats(0.0, 2.0), phi=st.floats(-1.0, 1.0))
def test_chances_are_chances_with_the_rates_asked_for(success: float, ratio: float, phi: float) -> None:
    found = pair_chances(success, ratio, phi)
    assert (found.array >= -1e-15).all()
    assert found.array.sum() == pytest.approx(1.0, abs=1e-12)
    assert found.baseline_success_fraction == pytest.approx(success, abs=1e-12)
    assert found.candidate_success_fraction == pytest.approx(min(success * ratio, 1.0), abs=1e-12)


@given(phi=st.floats(-0.05, 0.75))
def test_correlation_is_kept_where_it_can_be(phi: float) -> None:
    assert pair_chances(0.9, 0.95, phi).correlation_fraction == pytest.approx(phi, abs=1e-9)


def test_correlation_is_cut_where_it_cannot_be() -> None:
    found = pair_chances(0.99, 0.95, 0.9)
    assert found.candidate_only_fraction == 0.0
    assert found.correlation_fraction == pytest.approx(0.3996, abs=1e-4)


def test_seen_pairs_outweigh_the_plan_in_time() -> None:
    plan = pair_chances(0.9, 1.0, 0.3)
    assert chances_of(PairCounts(0, 0, 0, 0), plan).array == pytest.approx(plan.array)
    many = chances_of(PairCounts(50_000, 100_000, 800_000, 50_000), plan)
    assert many.array == pytest.approx([0.05, 0.1, 0.8, 0.05], abs=1e-4)


@pytest.mark.parametrize(("success", "ratio", "phi"), [(0.0, 1.0, 0.0), (1.1, 1.0, 0.0), (0.9, -0.1, 0), (0.9, 1, 2)])
def test_impossible_plans_are_refused(success: float, ratio: float, phi: float) -> None:
    with pytest.raises(PilotError, match="wanted"):
        pair_chances(success, ratio, phi)
