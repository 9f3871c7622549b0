"""Arm outcomes: late and missing labels, audits, and bounds, on rows typed in by hand and planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from breakeven.pilot.arm_outcomes import outcomes_of
from breakeven.pilot.observations import Observations
from breakeven.pilot.savings import savings
from pilot.planted import design, paired

NAN = np.nan
HOURS_S = 3600.0


def shadow(candidate: np.ndarray, baseline: np.ndarray | None = None) -> Observations:
    pairs = len(candidate)
    baseline = np.ones(pairs) if baseline is None else baseline
    return paired(np.full(pairs, 0.01), np.full(pairs, 0.004), baseline, candidate)


def test_complete_outcomes_stay_as_they_are() -> None:
    rows = shadow(np.tile([0.0, 1.0], 50))
    found = outcomes_of(design(), rows)
    assert not found.is_bounded
    assert np.array_equal(found.seen, rows.success)


def test_a_late_outcome_holds_back_those_after_it_until_it_is_missing() -> None:
    candidate = np.ones(1000)
    candidate[600] = NAN
    rows = shadow(candidate)
    at = 600 * 60.0
    waiting = outcomes_of(design(), rows, at + 23 * HOURS_S).seen.reshape(-1, 2)
    assert np.isfinite(waiting[:600]).all() and np.isnan(waiting[600:]).all()
    late = outcomes_of(design(), rows, at + 25 * HOURS_S)
    assert not late.is_bounded, "one of a thousand is left out"
    assert np.isnan(late.seen.reshape(-1, 2)[:, 1]).sum() == 1
    files = outcomes_of(design(mode="offline"), rows, at)
    assert np.isnan(files.seen).sum() == 1, "files have nothing to wait for"


def test_many_missing_outcomes_are_bounded_both_ways() -> None:
    candidate = np.ones(500)
    candidate[::4] = NAN
    found = outcomes_of(design(), shadow(candidate), 1e7)
    means = [float(np.nanmean(each.reshape(-1, 2)[:, 1])) for each in (found.worst, found.seen, found.best)]
    assert means == pytest.approx([0.75, 1.0, 1.0])
    assert found.is_bounded


def test_savings_hold_whatever_the_missing_outcomes_were() -> None:
    """The candidate fails where nobody says so: the figure is off, its interval is not."""
    truth = (np.arange(2000) % 4 > 0) * 1.0
    told = np.where(truth > 0, truth, NAN)
    plan = design(outcome_wait_hours=0.5)
    seen = savings(plan, shadow(told), ("faq",), 1e7).saved_usd_per_success
    whole = savings(plan, shadow(truth), ("faq",), 1e7).saved_usd_per_success
    assert seen.value - whole.value > 0.001
    assert seen.low < whole.value < seen.high and "missing outcomes" in seen.method


def test_an_audit_puts_the_judge_right_row_by_row() -> None:
    rows = shadow(np.array([1.0, NAN, NAN, 0.0]), np.array([1.0, NAN, NAN, 1.0]))
    audited = np.repeat([True, False, False, True], 2)
    judged = np.array([1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0])
    some = replace(rows, judged=judged, is_audited=audited, audit_fraction=np.full(8, 0.25))
    found = outcomes_of(design(mode="offline"), some).seen
    assert found == pytest.approx([1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0 + (0.0 - 1.0) / 0.25])


def test_a_judge_without_an_audit_says_nothing() -> None:
    rows = shadow(np.full(100, NAN), np.full(100, NAN))
    some = replace(rows, judged=np.ones(200), audit_fraction=np.full(200, NAN))
    assert np.isnan(outcomes_of(design(mode="offline"), some).seen).all()
