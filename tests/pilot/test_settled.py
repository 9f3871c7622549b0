"""Settled outcomes: late and missing ones do not accept a bad candidate, whatever they mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.pilot.planted_outcomes import START_UNIX_S, canary, design, shadow

from breakeven.pilot.observations import BASELINE, CANDIDATE, Observations
from breakeven.pilot.quality import qualities
from breakeven.pilot.quality_problems import quality_problems
from breakeven.pilot.settled import best_for_candidate, ratio_whatever, settled, worst_for_candidate
from breakeven.units import SECONDS_PER_HOUR

MUCH_LATER = START_UNIX_S + 1e8
EVERY = np.ones(2_000, dtype=bool)


def without(rows: Observations, gone: np.ndarray) -> Observations:
    return replace(rows, success=np.where(gone, np.nan, rows.success))


def test_the_first_that_waits_holds_back_those_after_it() -> None:
    rows = shadow(np.random.default_rng(1), 1_000, 1.0)  # a pair every 36 s: ten hours
    gone = np.zeros(2_000, dtype=bool)
    gone[[10, 1_201]] = True
    state = settled(without(rows, gone), EVERY, 5.0)
    assert np.flatnonzero(state.is_missing).tolist() == [10]  # ten hours old
    assert np.flatnonzero(state.is_waiting).tolist() == [1_201]  # four hours old
    assert state.is_counted.sum() == 1_200
    later = settled(without(rows, gone), EVERY, 5.0, MUCH_LATER)
    assert later.is_counted.all()
    assert later.is_missing.sum() == 2
    offline = settled(without(rows, gone), EVERY, 0.0)
    assert not offline.is_waiting.any()


def test_a_few_that_wait_do_not_hold_up_a_good_candidate() -> None:
    rows = shadow(np.random.default_rng(2), 1_000, 1.0)
    gone = np.zeros(2_000, dtype=bool)
    gone[[21, 40, 301]] = True
    (quality,), _ = qualities(design(), without(rows, gone))
    assert quality.is_accepted
    assert quality.missing_count == 3


def test_failures_that_are_told_late_are_no_evidence_of_success() -> None:
    """Both models are equal in what is told at once; the candidate's later failures come after hours."""
    rng = np.random.default_rng(3)
    accepted = naive = 0
    for _ in range(6):
        rows = canary(rng, 4_000, 0.9, start_unix_s=START_UNIX_S + np.arange(4_000) * 9.0)  # ten hours
        is_late = (rows.arm == CANDIDATE) & (rows.success == 0) & (rng.uniform(size=4_000) < 0.6)
        promised = design("canary", outcome_wait_hours=6.0)
        for hours in (3.0, 6.5, 10.0):
            now = START_UNIX_S + hours * SECONDS_PER_HOUR
            told = without(rows, is_late & (rows.start_unix_s > now - 6 * SECONDS_PER_HOUR))
            told = told.where(told.start_unix_s <= now)
            accepted += qualities(promised, told, now)[0][0].is_accepted
            as_they_come = told.where(np.isfinite(told.success))
            naive += qualities(promised, as_they_come, now)[0][0].is_accepted
    assert naive >= 9
    assert accepted <= 1


def test_outcomes_missing_because_they_are_bad_are_not_left_out() -> None:
    rng = np.random.default_rng(4)
    for rows in (shadow(rng, 2_000, 0.85), canary(rng, 4_000, 0.85)):
        mode = "shadow" if len(rows.tasks) and rows.rows_count == 2 * len(set(rows.request_ids)) else "canary"
        hidden = (rows.arm == CANDIDATE) & (rows.success == 0) & (rng.uniform(size=rows.rows_count) < 0.7)
        promised = design("shadow" if mode == "shadow" else "canary")
        (quality,), _ = qualities(promised, without(rows, hidden), MUCH_LATER)
        assert not quality.is_accepted
        assert quality.ratio.low is not None
        assert quality.ratio.low < 0.87
        assert quality.ratio.value is not None
        assert quality.ratio.value > 0.9
        (problem,) = quality_problems(promised, without(rows, hidden), MUCH_LATER)
        assert problem.code == "missing_outcomes"
        assert "counts against the candidate" in problem.message
        assert problem.limits


def test_few_missing_outcomes_are_left_out_and_said() -> None:
    rng = np.random.default_rng(5)
    rows = shadow(rng, 3_000, 1.0)
    gone = rng.uniform(size=6_000) < 0.003
    (quality,), _ = qualities(design(), without(rows, gone), MUCH_LATER)
    assert quality.is_accepted
    assert quality.missing_count == gone.sum()
    (problem,) = quality_problems(design(), without(rows, gone), MUCH_LATER)
    assert "left out" in problem.message
    assert "supposed, not shown" in problem.limits


def test_missing_outcomes_do_not_make_a_candidate_inferior() -> None:
    rng = np.random.default_rng(6)
    rows = shadow(rng, 2_000, 1.0)
    gone = (rows.arm == CANDIDATE) & (rng.uniform(size=4_000) < 0.3)
    (quality,), _ = qualities(design(), without(rows, gone), MUCH_LATER)
    assert not quality.is_accepted
    assert not quality.is_inferior


def test_bounds_hold_whatever_the_missing_were() -> None:
    rng = np.random.default_rng(7)
    rows = shadow(rng, 1_000, 0.9)
    gone = rng.uniform(size=2_000) < 0.2
    told = without(rows, gone)
    state = settled(told, EVERY, 0.0)
    bounds = ratio_whatever(told, state)
    for filled, end in ((worst_for_candidate(told, gone), bounds.low), (best_for_candidate(told, gone), bounds.high)):
        ratio = filled[rows.arm == CANDIDATE].mean() / filled[rows.arm == BASELINE].mean()
        assert ratio == pytest.approx(end)
    assert bounds.low < rows.success[1::2].mean() / rows.success[::2].mean() < bounds.high


def test_answers_that_nobody_wrote_down_count_against_the_candidate() -> None:
    """The candidate fails in 27 % of requests, and has a row only where it succeeded."""
    rng = np.random.default_rng(8)
    rows = shadow(rng, 2_000, 0.73 / 0.9)
    written = rows.where((rows.arm == BASELINE) | (rows.success == 1))
    for promised in (design("offline"), design()):
        (quality,), _ = qualities(promised, written)
        assert not quality.is_accepted
        assert quality.missing_count == 4_000 - written.rows_count
        (problem,) = quality_problems(promised, written)
        assert problem.code == "missing_outcomes"
        assert "too many to be left out" in problem.message


def test_a_few_copies_that_are_not_there_are_left_out_at_once() -> None:
    rng = np.random.default_rng(9)
    rows = shadow(rng, 1_500, 1.0)
    kept = (rows.arm == BASELINE) | (rng.uniform(size=3_000) > 0.004)
    (quality,), _ = qualities(design(), rows.where(kept))
    assert quality.is_accepted
    (problem,) = quality_problems(design(), rows.where(kept))
    assert "left out" in problem.message


def test_a_few_in_a_hundred_that_hide_what_they_were_do_not_pass_for_the_others() -> None:
    """Nine in a hundred missing in either arm: the candidate's failures, the baseline's successes."""
    rng = np.random.default_rng(10)
    accepted = 0
    for _ in range(10):
        rows = shadow(rng, 1_500, 0.9)
        hides = np.where(rows.arm == CANDIDATE, rows.success == 0, rows.success == 1)
        share = np.where(rows.arm == CANDIDATE, 0.09 / 0.19, 0.09 / 0.9)
        hidden = without(rows, hides & (rng.uniform(size=3_000) < share))
        accepted += qualities(design(), hidden, MUCH_LATER)[0][0].is_accepted
    assert not accepted


def test_missing_outcomes_that_could_matter_cost_outcomes_not_truth() -> None:
    rng = np.random.default_rng(11)
    rows = shadow(rng, 4_000, 1.0)
    (quality,), _ = qualities(design(), without(rows, rng.uniform(size=8_000) < 0.012), MUCH_LATER)
    assert quality.is_accepted  # against the worst that they may have been
    assert quality.ratio.low is not None
    assert quality.ratio.low < 0.97


def test_where_successes_are_rare_a_few_missing_ones_matter() -> None:
    rng = np.random.default_rng(12)
    rare, common = shadow(rng, 3_000, 1.0, 0.1), shadow(rng, 3_000, 1.0, 0.95)
    gone = (rare.arm == BASELINE) & (rng.uniform(size=6_000) < 0.006)
    states = [settled(without(rows, gone), np.ones(6_000, dtype=bool), 0.0) for rows in (rare, common)]
    assert [each.is_ignorable for each in states] == [False, True]
    for rows, state in zip((rare, common), states, strict=True):
        seen = without(rows, gone)
        ratio = np.nanmean(seen.success[1::2]) / np.nanmean(seen.success[::2])
        assert state.moved_ratio == pytest.approx(ratio - ratio_whatever(seen, state).low)
