"""Group-sequential: the tables of Jennison and Turnbull, of SAS and of ldbounds, and simulated risks."""

from __future__ import annotations

import math
from itertools import accumulate

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from breakeven.errors import PilotError
from breakeven.pilot.group_sequential import (
    Spending,
    classic_looks,
    crossings,
    inflation_ratio,
    look_sizes,
    looks_by_spending,
    spent_alpha_fraction,
)
from breakeven.pilot.pair_chances import pair_chances

FIVE = (0.2, 0.4, 0.6, 0.8, 1.0)


@pytest.mark.parametrize(
    ("kind", "constants"),
    [
        ("pocock", {2: 2.178, 3: 2.289, 4: 2.361, 5: 2.413, 10: 2.555}),
        ("obrien-fleming", {2: 1.977, 3: 2.004, 4: 2.024, 5: 2.040, 10: 2.087}),
    ],
)
def test_constants_of_jennison_and_turnbull(kind: Spending, constants: dict[int, float]) -> None:
    """Tables 2.1 and 2.3 (1999), two-sided alpha 0.05: C_P(K) and C_B(K)."""
    for looks, constant in constants.items():
        assert classic_looks(looks, 0.05, kind, is_two_sided=True).z_boundaries[-1] == pytest.approx(constant, abs=6e-4)


@pytest.mark.parametrize(
    ("kind", "ratios"),
    [
        ("pocock", {2: 1.110, 3: 1.166, 4: 1.202, 5: 1.229}),
        ("obrien-fleming", {2: 1.008, 3: 1.017, 4: 1.024, 5: 1.028}),
    ],
)
def test_inflation_of_jennison_and_turnbull(kind: Spending, ratios: dict[int, float]) -> None:
    """Tables 2.2 and 2.4: largest sample over the fixed one, power 0.8."""
    for looks, ratio in ratios.items():
        found = inflation_ratio(classic_looks(looks, 0.05, kind, is_two_sided=True), 0.8)
        assert found == pytest.approx(ratio, abs=6e-4)


def test_pocock_of_sas() -> None:
    """SAS/STAT SEQDESIGN, example of a two-sided Pocock design with 4 looks, power 0.9: 118.3143 % of the fixed sample,
    69.74805 % on average under the alternative."""
    looks = classic_looks(4, 0.05, "pocock", is_two_sided=True)
    assert inflation_ratio(looks, 0.9) == pytest.approx(1.183143, abs=2e-6)
    sizes = look_sizes(looks, pair_chances(0.9, 1.0, 0.3), 0.95, 0.9)
    assert sizes is not None
    assert sizes.mean_ratio == pytest.approx(0.6974805, abs=2e-6)


def test_spending_boundaries_of_ldbounds() -> None:
    """Five looks, one-sided 0.025 (Reboussin, DeMets, Kim and Lan, Controlled Clinical Trials 21, 2000)."""
    early = looks_by_spending(FIVE, 0.025).z_boundaries
    assert early == pytest.approx((4.8769, 3.3569, 2.6803, 2.2898, 2.0310), abs=1.5e-4)
    even = looks_by_spending(FIVE, 0.025, "pocock").z_boundaries
    assert even == pytest.approx((2.4380, 2.4268, 2.4101, 2.3966, 2.3859), abs=1.5e-4)


def test_unadjusted_looks_take_more_risk_than_they_say() -> None:
    """Armitage, McPherson and Rowe 1969: 2, 4, 10 and 20 looks at z = 1.96, two-sided: 0.083, 0.126, 0.193, 0.248."""
    for looks, risk in {2: 0.083, 4: 0.126, 10: 0.193, 20: 0.248}.items():
        shares = [(each + 1) / looks for each in range(looks)]
        found = crossings([norm.ppf(0.975)] * looks, shares, is_two_sided=True)
        assert found.total_fraction == pytest.approx(risk, abs=6e-4)


@pytest.mark.parametrize("drift", [0.0, 2.5])
def test_crossings_as_the_normal_integral(drift: float) -> None:
    """The chance of staying below three unequal looks, from scipy's multivariate normal."""
    shares, bounds = (0.3, 0.55, 1.0), (2.6, 2.2, 1.8)
    covariance = [[min(a, b) / math.sqrt(a * b) for b in shares] for a in shares]
    mean = [drift * math.sqrt(share) for share in shares]
    below = multivariate_normal(mean, covariance, maxpts=1_000_000, abseps=1e-8, releps=1e-8, seed=1).cdf(bounds)
    assert 1.0 - crossings(bounds, shares, drift).total_fraction == pytest.approx(float(below), abs=1e-6)


@pytest.mark.parametrize("kind", ["obrien-fleming", "pocock"])
def test_alpha_is_spent_as_agreed_at_uneven_looks(kind: Spending) -> None:
    shares = (0.1, 0.5, 0.7, 1.0)
    looks = looks_by_spending(shares, 0.05, kind)
    found = list(accumulate(crossings(looks.z_boundaries, shares).upper_fractions))
    assert found == pytest.approx([spent_alpha_fraction(kind, each, 0.05) for each in shares], abs=1e-8)
    assert found[-1] == pytest.approx(0.05, abs=1e-8)


def test_five_meetings_on_paired_outcomes() -> None:
    """Simulated risk at the margin and power at the plan of O'Brien and Fleming's five looks; three standard errors."""
    plan = pair_chances(0.9, 1.0, 0.3)
    looks = classic_looks(5, 0.05)
    sizes = look_sizes(looks, plan, 0.95)
    assert sizes is not None
    steps = np.diff([0, *sizes.pairs_at_looks])
    rng = np.random.default_rng(13)
    shares = {}
    for name, chances in {"risk": pair_chances(0.9, 0.95, 0.3), "power": plan}.items():
        counts = np.stack([rng.multinomial(step, chances.array, size=4_000) for step in steps]).cumsum(axis=0)
        x = np.array([-0.95, 0.0, 0.05, 1.0])
        pairs = counts.sum(axis=2)
        mean, square = counts @ x / pairs, counts @ x**2 / pairs
        z = mean / np.sqrt(np.maximum(square - mean**2, 1e-12) / pairs)
        shares[name] = float((z >= np.array(looks.z_boundaries)[:, None]).any(axis=0).mean())
    assert shares["risk"] == pytest.approx(0.05, abs=0.015)
    assert shares["power"] == pytest.approx(0.8, abs=0.025)
    assert sizes.mean_ratio < 0.85
    assert looks.accepts(5, 1.76)
    assert not looks.accepts(1, 1.76)


def test_no_looks_for_a_plan_that_does_not_beat_the_margin() -> None:
    assert look_sizes(classic_looks(3), pair_chances(0.9, 0.95, 0.3), 0.95) is None
    assert spent_alpha_fraction("pocock", 0.0, 0.05) == 0.0


@pytest.mark.parametrize("shares", [(), (0.5, 0.4, 1.0), (0.5, 0.9), (0.0, 1.0)])
def test_impossible_looks_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(PilotError, match="rising shares that end at 1"):
        looks_by_spending(shares)


def test_impossible_risks_are_refused() -> None:
    with pytest.raises(PilotError, match=r"between 0 and 0\.5"):
        classic_looks(3, 0.6)
