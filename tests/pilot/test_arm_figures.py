"""Arm figures: pairs alone in a shadow, weights of a canary, and means by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from breakeven.pilot.arm_figures import arm_figures, rows_on_equal_terms, weights_of
from pilot.planted import design, observations, paired


def test_means_by_hand() -> None:
    rows = paired(np.array([0.01, 0.03]), np.array([0.002, 0.004]), np.array([1.0, 0.0]), np.array([1.0, np.nan]))
    rows = replace(rows, retries_count=np.array([0.0, 0.0, 2.0, 0.0]), tokens_out=np.array([1.0, 5.0, 3.0, 7.0]))
    baseline, candidate = arm_figures(design(), rows)
    assert baseline.calls_usd and baseline.retried_usd and baseline.success and candidate.success
    assert (baseline.requests_count, baseline.calls_usd.value, baseline.success.value) == (2, pytest.approx(0.02), 0.5)
    assert baseline.retried_usd.value == pytest.approx(0.015)
    assert candidate.success.value == 1.0 and candidate.unknown_success_count == 1
    assert candidate.tokens_out and candidate.tokens_out.value == 6.0


def test_a_shadow_counts_pairs_alone_and_files_whatever_there_is() -> None:
    rows = observations(np.ones(4), np.ones(4), np.array([0, 1, 0, 1]), request=np.array([1, 1, 2, 3]))
    assert rows_on_equal_terms(design(), rows).tolist() == [True, True, False, False]
    assert rows_on_equal_terms(design(mode="canary"), rows).all()
    apart = rows.where(np.array([False, False, True, True]))
    assert rows_on_equal_terms(design(mode="offline"), apart).all()
    assert not rows_on_equal_terms(design(), apart).any()


def test_weights_make_both_arms_stand_for_the_same_steps() -> None:
    rng = np.random.default_rng(1)
    share = np.repeat([0.02, 0.5], 20_000)
    arm = (rng.random(40_000) < share).astype(np.intp)
    rows = observations(share, np.ones(40_000), arm, propensity_fraction=np.where(arm == 1, share, 1 - share))
    baseline, candidate = arm_figures(design(mode="canary"), rows)
    assert baseline.calls_usd and candidate.calls_usd
    assert baseline.calls_usd.value == pytest.approx(candidate.calls_usd.value, rel=0.01)
    assert candidate.calls_usd.value == pytest.approx(np.average(share, weights=share * (1 - share)), rel=0.01)


def test_weights_where_chances_are_unknown_or_no_chance_at_all() -> None:
    rows = observations(np.ones(4), np.ones(4), np.array([0, 1, 0, 1]))
    plan = design(mode="canary")
    unknown = replace(rows, propensity_fraction=np.full(4, np.nan))
    some = replace(rows, propensity_fraction=np.array([0.9, 0.1, np.nan, 1.0]))
    assert weights_of(plan, unknown).tolist() == [1.0] * 4
    assert weights_of(plan, rows).tolist() == [1.0] * 4, "certain arms everywhere: there is nothing to weigh"
    assert weights_of(plan, some) == pytest.approx([0.1, 0.9, 0.5, 0.0])
    assert weights_of(design(), some).tolist() == [1.0] * 4
