"""Clusters: users who stick to an arm and have a taste do not pass for as many users as they have requests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.pilot.planted_outcomes import canary

from breakeven.pilot.clusters import units_seen
from breakeven.pilot.increments import ln_e_value, planned_stakes
from breakeven.pilot.observations import BASELINE, CANDIDATE, Codes, Floats, Observations
from breakeven.pilot.task_evidence import unit_widening
from breakeven.pilot.two_sample import Dealt, dealt, two_sample_increments, two_sample_stake_ratio

MARGIN = 0.95


def sticky(rng: np.random.Generator, ratio: float, requests: int = 1_500, users: int = 80) -> Observations:
    """Users of very different busyness, each with a success of its own in either arm, dealt to an arm for good."""
    busy = rng.lognormal(0, 1, users)
    user = rng.choice(users, requests, p=busy / busy.sum())
    is_candidate = (rng.uniform(size=users) < 0.5)[user]
    own = rng.beta(0.9 * 3, 0.1 * 3, users)[user]
    other = rng.beta(0.9 * 3 * ratio, 3 - 0.9 * 3 * ratio, users)[user]
    rows = canary(rng, requests, 1.0)
    success = (rng.uniform(size=requests) < np.where(is_candidate, other, own)).astype(float)
    return _with(rows, user, is_candidate, success)


def _with(rows: Observations, user: Codes, is_candidate: np.ndarray, success: Floats) -> Observations:
    arm = np.where(is_candidate, CANDIDATE, BASELINE).astype(np.intp)
    return replace(
        rows, unit=user.astype(np.intp), arm=arm, success=success, propensity_fraction=np.full(len(user), 0.5)
    )


def _first(lot: Dealt, count: int) -> Dealt:
    return Dealt(*(getattr(lot, name)[:count] for name in Dealt.__slots__))


def is_ever_accepted(rows: Observations, by_unit: bool) -> bool:
    every = dealt(rows, rows.success)
    looks = range(150, rows.rows_count + 1, 150)
    for count in looks:
        lot = _first(every, count)
        unit = lot.unit if by_unit else np.arange(len(lot.unit))
        made = two_sample_increments(replace(lot, unit=unit), 0.9)
        wider = unit_widening(made.unit)
        stakes = planned_stakes(two_sample_stake_ratio(0.9, 1.0, MARGIN) / wider, 1 / wider)
        if ln_e_value(made, MARGIN, stakes) >= np.log(20):
            return True
    return False


def test_sticky_users_are_not_counted_as_their_requests() -> None:
    rng = np.random.default_rng(1)
    runs = 32
    naive = clustered = 0
    for _ in range(runs):
        rows = sticky(rng, MARGIN)
        naive += is_ever_accepted(rows, by_unit=False)
        clustered += is_ever_accepted(rows, by_unit=True)
    assert naive >= 0.15 * runs
    assert clustered <= 0.05 * runs + 3 * np.sqrt(0.05 * 0.95 * runs)


def test_a_good_candidate_is_seen_through_its_users() -> None:
    rng = np.random.default_rng(2)
    assert sum(is_ever_accepted(sticky(rng, 1.06, 3_000, 400), by_unit=True) for _ in range(10)) >= 7


def test_units_are_counted() -> None:
    seen = units_seen(np.repeat(np.arange(10), 4))
    assert (seen.rows_count, seen.units_count) == (40, 10)
    assert seen.effective_count == pytest.approx(10)
    assert seen.are_few
    assert not units_seen(np.arange(5)).are_few
    assert units_seen(np.zeros(0, dtype=np.intp)).units_count == 0
