"""Coverage of a pilot's savings: how often the true figure leaves its interval at any look, under heavy-tailed costs.

    python benchmarks/pilot_savings.py [replications] [pilot ...]

Each pilot is looked at 25 times between 50 and 5,000 requests (canary: both arms together), and misses when the truth
lies outside the interval at one look or more. The nominal rate is 5 %. Beside it: the same with Student's t at every
look, and with the plain asymptotic sequence (no skewness taken out).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import t as student

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from breakeven.pilot.arm_figures import arm_figures
from breakeven.pilot.design import Design
from breakeven.pilot.estimate import Estimate
from breakeven.pilot.mean_sequence import UNITS_MIN_COUNT, any_time_range, critical_ratio
from breakeven.pilot.observations import Observations
from breakeven.pilot.savings import bills_of
from breakeven.pilot.traffic import Traffic
from pilot.planted import design, heavy_costs, observations, paired

LOOKS_COUNT = 25
REQUESTS_COUNT = 5000
CANDIDATE_SUCCESS = 0.88
BASELINE_SUCCESS = 0.92
CORRELATED = 0.3
CANDIDATE_PRICE = 0.25
Floats = np.ndarray


@dataclass(frozen=True, slots=True)
class Pilot:
    """One simulated pilot and its true savings per successful outcome."""

    observations: Observations
    design: Design
    saved_usd: float
    order: Floats
    """Request of each row, by which a look cuts."""
    level: Floats | None = None
    """Of each request's price, where prices move."""

    def true_saved_usd(self, requests: int) -> float:
        """The truth of the first requests, as the weights of the arms count them."""
        if self.level is None:
            return self.saved_usd
        chance = self.observations.propensity_fraction[:requests]
        return self.saved_usd * float(np.average(self.level[:requests], weights=chance * (1.0 - chance)))


def outcomes(
    rng: np.random.Generator, count: int, rates: tuple[float, float] = (BASELINE_SUCCESS, CANDIDATE_SUCCESS)
) -> tuple[Floats, Floats]:
    """Successes of both arms, correlated."""
    same = rng.random(count) < CORRELATED
    first, second = rng.random(count), rng.random(count)
    return (first < rates[0]) * 1.0, (np.where(same, first, second) < rates[1]) * 1.0


def truth(mean_usd: float, rates: tuple[float, float] = (BASELINE_SUCCESS, CANDIDATE_SUCCESS)) -> float:
    """Saved per successful outcome."""
    return mean_usd / rates[0] - CANDIDATE_PRICE * mean_usd / rates[1]


def shadow(
    kind: str, rng: np.random.Generator, rates: tuple[float, float] = (BASELINE_SUCCESS, CANDIDATE_SUCCESS)
) -> Pilot:
    """Both arms answer: the candidate's cost goes with the baseline's."""
    costs = heavy_costs(kind, rng, REQUESTS_COUNT)
    noise = np.exp(0.4 * rng.standard_normal(REQUESTS_COUNT) - 0.08)
    rows = paired(costs.draws, CANDIDATE_PRICE * costs.draws * noise, *outcomes(rng, REQUESTS_COUNT, rates))
    return Pilot(rows, design(), truth(costs.mean_usd, rates), np.repeat(np.arange(REQUESTS_COUNT), 2))


def canary(kind: str, rng: np.random.Generator, ramp: tuple[float, ...] = (0.5,)) -> Pilot:
    """One arm answers, dealt at the shares of the ramp, each for an equal part of the requests."""
    costs = heavy_costs(kind, rng, REQUESTS_COUNT)
    share = np.repeat(ramp, -(-REQUESTS_COUNT // len(ramp)))[:REQUESTS_COUNT]
    arm = (rng.random(REQUESTS_COUNT) < share).astype(np.intp)
    success = np.where(arm == 1, *outcomes(rng, REQUESTS_COUNT)[::-1])
    usd = np.where(arm == 1, CANDIDATE_PRICE, 1.0) * costs.draws
    chance = np.where(arm == 1, share, 1.0 - share)
    rows = observations(usd, success, arm, propensity_fraction=chance)
    return Pilot(rows, design(mode="canary"), truth(costs.mean_usd), np.arange(REQUESTS_COUNT))


def drifting(kind: str, rng: np.random.Generator) -> Pilot:
    """A canary whose share rises while requests get cheaper: means of the arms without weights would be off."""
    found = canary(kind, rng, (0.05, 0.2, 0.5))
    fall = np.linspace(1.6, 0.4, REQUESTS_COUNT)
    rows = replace(found.observations, cost_usd=found.observations.cost_usd * fall)
    return replace(found, observations=rows, level=fall)


def sticky(kind: str, rng: np.random.Generator) -> Pilot:
    """A canary by user: 500 users, each with a level of cost and of success of its own, and always in one arm."""
    users = 500
    user = rng.integers(0, users, REQUESTS_COUNT)
    arm = (rng.random(users) < 0.5)[user].astype(np.intp)
    level = np.exp(0.5 * rng.standard_normal(users) - 0.125)[user]
    costs = heavy_costs(kind, rng, REQUESTS_COUNT)
    rate = np.concatenate([rng.beta(p * 8, (1 - p) * 8, users) for p in (BASELINE_SUCCESS, CANDIDATE_SUCCESS)])
    success = (rng.random(REQUESTS_COUNT) < rate[arm * users + user]) * 1.0
    usd = np.where(arm == 1, CANDIDATE_PRICE, 1.0) * costs.draws * level
    chance = np.full(REQUESTS_COUNT, 0.5)
    rows = observations(usd, success, arm, unit=user, propensity_fraction=chance)
    return Pilot(rows, design(mode="canary", unit="user"), truth(costs.mean_usd), np.arange(REQUESTS_COUNT))


PILOTS: dict[str, Callable[[str, np.random.Generator], Pilot]] = {
    "shadow": shadow,
    "shadow, success is rare": lambda kind, rng: shadow(kind, rng, (0.12, 0.10)),
    "canary, half": canary,
    "canary, ramp 5-20-50 %": lambda kind, rng: canary(kind, rng, (0.05, 0.2, 0.5)),
    "canary, ramp, prices fall": drifting,
    "canary by user, 500 users": sticky,
}


def saved(pilot: Pilot, observations_: Observations) -> Estimate | None:
    """Saved per success, as `savings` computes it."""
    bills = bills_of(pilot.design, arm_figures(pilot.design, observations_), Traffic(None, ""))
    return None if None in (bills[0].success_usd, bills[1].success_usd) else bills[0].success_usd - bills[1].success_usd


@dataclass(slots=True)
class Misses:
    """Of one pilot: whether the truth was left at any look."""

    sequence: bool = False
    plain: bool = False
    t: bool = False
    is_above_zero: bool = False


def misses(pilot: Pilot) -> Misses:
    """Look 25 times."""
    found = Misses()
    for requests in np.unique(np.geomspace(UNITS_MIN_COUNT, REQUESTS_COUNT, LOOKS_COUNT).astype(int)):
        estimate = saved(pilot, pilot.observations.where(pilot.order < requests))
        if estimate is None or estimate.units_count < UNITS_MIN_COUNT:
            continue
        interval = any_time_range(estimate)
        units = estimate.units_count
        error = float(np.sqrt(np.dot(estimate.scores, estimate.scores) * units / (units - 1)))
        true_usd = pilot.true_saved_usd(int(requests))
        off = abs(estimate.value - true_usd)
        found.sequence |= not interval.low <= true_usd <= interval.high
        found.plain |= off > critical_ratio(units, 0.05) * error
        found.t |= off > student.ppf(0.975, units - 1) * error
        found.is_above_zero = interval.low > 0
    return found


def coverage(name: str, kind: str, replications_count: int, seed: int = 9) -> dict[str, float]:
    """Shares of pilots that missed, by method."""
    streams = np.random.default_rng(seed).spawn(replications_count)
    found = [misses(PILOTS[name](kind, rng)) for rng in streams]
    return {field: float(np.mean([getattr(each, field) for each in found])) for field in Misses.__slots__}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("replications", nargs="?", type=int, default=1000)
    parser.add_argument("pilots", nargs="*", metavar="pilot", help=", ".join(PILOTS).replace("%", "%%"))
    arguments = parser.parse_args()
    replications_count, names = arguments.replications, arguments.pilots or list(PILOTS)
    print(f"{replications_count} pilots each; misses at any of {LOOKS_COUNT} looks, nominal 5 %")
    print(f"{'pilot':28} {'costs':10} {'ours':>6} {'plain':>6} {'t':>6}  proven above 0 at the end")
    for name in names:
        for kind in ("even", "lognormal", "pareto"):
            each = coverage(name, kind, replications_count)
            print(
                f"{name:28} {kind:10} {each['sequence']:6.1%} {each['plain']:6.1%} {each['t']:6.1%}  "
                f"{each['is_above_zero']:.0%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
