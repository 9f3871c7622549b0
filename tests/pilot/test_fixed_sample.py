"""Fixed sample: the sizes of statsmodels, the figures of the notes, and the power that they promise, by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp
from statsmodels.stats.power import NormalIndPower, normal_sample_size_one_tail
from tests.pilot.made_pairs import pairs_from, pairs_with

from breakeven.errors import PilotError
from breakeven.pilot.fixed_sample import (
    fixed_sample_pairs_count,
    fixed_sample_power_fraction,
    fixed_sample_two_arms_count,
    paired_z_ratio,
)
from breakeven.pilot.observations import PairCounts
from breakeven.pilot.pair_chances import gains, pair_chances


@pytest.mark.parametrize(("phi", "pairs"), [(0.0, 523), (0.3, 367), (0.6, 210)])
def test_pairing_helps_as_much_as_the_models_fail_together(phi: float, pairs: int) -> None:
    assert fixed_sample_pairs_count(pair_chances(0.9, 1.0, phi), 0.95) == pairs


@pytest.mark.parametrize(("success", "ratio", "phi"), [(0.9, 1.0, 0.3), (0.9, 0.98, 0.3), (0.6, 1.02, 0.0)])
@pytest.mark.parametrize(("alpha", "power"), [(0.05, 0.8), (0.025, 0.9)])
def test_pairs_as_statsmodels(success: float, ratio: float, phi: float, alpha: float, power: float) -> None:
    """One sample of x = candidate - 0.95 baseline: effect size mean / standard deviation, one-sided."""
    chances = pair_chances(success, ratio, phi)
    mean = float(chances.array @ gains(0.95))
    effect = mean / math.sqrt(float(chances.array @ gains(0.95) ** 2) - mean**2)
    size = NormalIndPower().solve_power(effect, alpha=alpha, power=power, ratio=0, alternative="larger")
    assert fixed_sample_pairs_count(chances, 0.95, alpha, power) == math.ceil(size)
    ours = fixed_sample_power_fraction(chances, 0.95, 500, alpha)
    theirs = NormalIndPower().power(effect, 500, alpha, ratio=0, alternative="larger")
    assert ours == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("share", [0.5, 0.2, 0.05])
def test_two_arms_as_statsmodels(share: float) -> None:
    """statsmodels gives the size of the candidate's arm from the spread of one of its requests and its counterpart."""
    candidate, odds = 0.9 * 0.99, share / (1 - share)
    spread = math.sqrt(candidate * (1 - candidate) + 0.95**2 * 0.09 * odds)
    theirs = normal_sample_size_one_tail(candidate - 0.855, 0.8, 0.05, std_null=spread)
    total = fixed_sample_two_arms_count(0.9, 0.99, 0.95, share)
    assert total == math.ceil(theirs / share)


def test_two_arms_have_the_power_promised() -> None:
    """10,000 simulated canaries at a share of 20 %; within three standard errors, 1.2 points, and 1 point."""
    total = fixed_sample_two_arms_count(0.9, 1.0, 0.95, 0.2)
    assert total is not None
    rng, arm = np.random.default_rng(29), round(0.2 * total)
    candidate = rng.binomial(arm, 0.9, 10_000) / arm
    baseline = rng.binomial(total - arm, 0.9, 10_000) / (total - arm)
    spread = candidate * (1 - candidate) / arm + 0.95**2 * baseline * (1 - baseline) / (total - arm)
    accepted = (candidate - 0.95 * baseline) / np.sqrt(spread) > 1.6449
    assert float(accepted.mean()) == pytest.approx(0.8, abs=0.022)


def test_plans_that_do_not_beat_the_margin_need_for_ever() -> None:
    assert fixed_sample_pairs_count(pair_chances(0.9, 0.95, 0.3), 0.95) is None
    assert fixed_sample_two_arms_count(0.9, 0.9, 0.95) is None


def test_the_statistic_is_that_of_scipy_but_for_one_degree_of_freedom() -> None:
    counts = PairCounts(30, 70, 850, 50)
    pairs = pairs_with(counts, 2)
    theirs = ttest_1samp(pairs.candidate - 0.95 * pairs.baseline, 0.0).statistic
    assert paired_z_ratio(counts, 0.95) == pytest.approx(theirs * math.sqrt(1000 / 999), rel=1e-10)
    assert paired_z_ratio(pairs, 0.95) == pytest.approx(paired_z_ratio(counts, 0.95), rel=1e-12)
    assert paired_z_ratio(PairCounts(0, 0, 5, 0), 0.95) == 0.0
    assert paired_z_ratio(pairs_from(np.zeros(0), np.zeros(0)), 0.95) == 0.0


def test_the_promised_power_comes_true() -> None:
    """4,000 simulated studies of 367 pairs: three standard errors around 80 % are 1.9 points."""
    rng = np.random.default_rng(3)
    drawn = rng.multinomial(367, pair_chances(0.9, 1.0, 0.3).array, size=4_000)
    accepted = [paired_z_ratio(PairCounts(*(int(each) for each in row)), 0.95) > 1.6449 for row in drawn]
    assert float(np.mean(accepted)) == pytest.approx(0.8, abs=0.025)


def test_impossible_risks_and_shares_are_refused() -> None:
    with pytest.raises(PilotError, match="both between 0 and 1"):
        fixed_sample_pairs_count(pair_chances(0.9, 1.0, 0.3), 0.95, alpha_fraction=0.0)
    with pytest.raises(PilotError, match="for the candidate"):
        fixed_sample_two_arms_count(0.9, 1.0, 0.95, candidate_share_fraction=1.0)
