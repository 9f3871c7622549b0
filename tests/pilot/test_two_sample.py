"""Two-sample test: unbiased whatever is predicted, few false acceptances, sharper with what is known beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.pilot.planted_outcomes import canary

from breakeven.pilot.increments import ln_e_path
from breakeven.pilot.observations import CANDIDATE, Floats, Observations
from breakeven.pilot.two_sample import dealt, two_sample_increments, two_sample_stakes

MARGIN = 0.95
RAMP = np.repeat([0.01, 0.05, 0.2, 0.5], [100, 150, 250, 1_000])
EVEN = np.full(1_200, 0.5)


def path(rows: Observations, baseline: float = 0.9) -> Floats:
    made = two_sample_increments(dealt(rows, rows.success), baseline)
    return ln_e_path(made, MARGIN, two_sample_stakes(baseline, 1.0, MARGIN))


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.97])
def test_the_mean_over_the_lot_is_the_difference_whatever_is_predicted(share: float) -> None:
    rng = np.random.default_rng(1)
    rows = canary(rng, 300, 1.0, share=0.5, tokens_in=rng.integers(1, 5_000, 300).astype(float))
    rows = replace(rows, propensity_fraction=np.where(rows.arm == CANDIDATE, share, 1 - share))
    lot = dealt(rows, rows.success)
    last = {}
    for arm in (0, 1):
        for outcome in (0.0, 1.0):
            changed = replace(lot, is_candidate=lot.is_candidate.copy(), success=lot.success.copy())
            changed.is_candidate[-1], changed.success[-1] = arm, outcome
            made = two_sample_increments(changed, 0.6)
            last[arm, outcome] = float(made.scores(MARGIN)[-1])
            low, high = float(made.lowest(MARGIN)[-1]), float(made.highest(MARGIN)[-1])
            assert low - 1e-12 <= last[arm, outcome] <= high + 1e-12
            assert -2 < low < high < 2
    for one, other in ((0.9, 0.855), (0.5, 0.7), (1.0, 0.0)):
        mean = sum(
            (share if arm else 1 - share) * (rate if outcome else 1 - rate) * last[arm, outcome]
            for arm, rate in ((1, other), (0, one))
            for outcome in (0.0, 1.0)
        )
        assert mean == pytest.approx(share * (1 - share) * (other - MARGIN * one), abs=1e-12)


@pytest.mark.parametrize(("baseline", "shares"), [(0.5, EVEN), (0.9, RAMP), (0.99, EVEN)])
def test_a_candidate_at_the_margin_is_rarely_accepted_however_often_one_looks(baseline: float, shares: Floats) -> None:
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(100):
        rows = canary(rng, len(shares), MARGIN, baseline, shares)
        found += bool((path(rows, baseline) >= np.log(20)).any())
    assert found <= 5 + 3 * 2.2  # 5 % and three standard errors


def test_a_good_candidate_is_accepted() -> None:
    rng = np.random.default_rng(3)
    after = []
    for _ in range(40):
        reached = path(canary(rng, 4_000, 1.0)) >= np.log(20)
        after.append(int(reached.argmax()) + 1 if reached.any() else 4_000)
    assert np.mean(after) <= 1.35 * 1_046  # of the requests that one look at the end needs for 80 %
    assert np.quantile(after, 0.8) <= 1.8 * 1_046


def test_a_baseline_that_drifts_while_the_share_rises_is_no_evidence() -> None:
    """Few candidates while all is bad, many while all is good: raw rates of both arms would differ by a third."""
    rng = np.random.default_rng(4)
    drift = np.repeat([0.3, 0.5, 0.7, 0.95], [100, 150, 250, 1_000])
    found = naive = 0
    for _ in range(60):
        rows = canary(rng, 1_500, 0.85, drift, RAMP)
        found += bool((path(rows) >= np.log(20)).any())
        is_candidate = rows.arm == CANDIDATE
        naive += rows.success[is_candidate].mean() > MARGIN * rows.success[~is_candidate].mean() + 0.02
    assert naive >= 54
    assert found <= 1


def test_what_is_known_beforehand_saves_requests() -> None:
    rng = np.random.default_rng(5)
    told, plain = [], []
    for _ in range(12):
        hard = rng.uniform(size=6_000) < 0.4
        success = np.where(hard, 0.55, 0.99)
        rows = canary(rng, 6_000, 1.0, success, tokens_in=np.where(hard, 3_000.0, 100.0))
        told.append(path(rows)[-1])
        plain.append(path(replace(rows, tokens_in=np.full(6_000, 500.0)))[-1])
    assert np.mean(told) > 1.25 * np.mean(plain)


def test_requests_without_a_lot_do_not_count() -> None:
    rows = canary(np.random.default_rng(6), 100, 1.0)
    chance = rows.propensity_fraction.copy()
    chance[:10], chance[10:20] = np.nan, 1.0
    assert len(dealt(replace(rows, propensity_fraction=chance), rows.success).success) == 80
