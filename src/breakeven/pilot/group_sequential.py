"""Group-sequential: a fixed number of looks, agreed before, each with a boundary so that all together risk alpha.

For those who want a meeting on four Fridays rather than a test that may be looked at any time: it needs fewer pairs,
and it allows no further look. The boundaries spend alpha as information comes in (Lan and DeMets, Biometrika 1983), by
the spending functions named after O'Brien and Fleming (1979: hardly anything early) and Pocock (1977: much early), or
are the classic ones of these authors with constants as tabled by Jennison and Turnbull (Group Sequential Methods, 1999,
tables 2.1 to 2.4). Chances of crossing come from the recursion of Armitage, McPherson and Rowe (JRSS A 132, 1969).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from breakeven.errors import PilotError
from breakeven.pilot.fixed_sample import fixed_sample_pairs_count
from breakeven.pilot.observations import Floats
from breakeven.pilot.pair_chances import PairChances

Spending = Literal["obrien-fleming", "pocock"]
NODES_COUNT: Final = 4
"""Of Gauss and Legendre, in each panel of half a standard error of the next step at most."""
TAIL_Z: Final = 8.5
LOOKS_MAX_COUNT: Final = 30


@dataclass(frozen=True, slots=True)
class Looks:
    """Boundaries of the z statistic, look by look."""

    information_fractions: tuple[float, ...]
    """Of the pairs at the last look."""
    z_boundaries: tuple[float, ...]
    """Accept when z is this large."""
    alpha_fraction: float
    is_two_sided: bool = False

    def accepts(self, look_count: int, z_ratio: float) -> bool:
        """Whether look number `look_count` (the first is 1) accepts with this statistic."""
        return z_ratio >= self.z_boundaries[look_count - 1]


@dataclass(frozen=True, slots=True)
class Crossings:
    """Chances that a boundary is crossed for the first time at each look."""

    upper_fractions: tuple[float, ...]
    lower_fractions: tuple[float, ...]
    """Of the mirrored boundary; 0 where there is none."""

    @property
    def total_fraction(self) -> float:
        """Of any crossing."""
        return sum(self.upper_fractions) + sum(self.lower_fractions)


@dataclass(frozen=True, slots=True)
class LookSizes:
    """What a group-sequential test costs next to one look at the end."""

    pairs_at_looks: tuple[int, ...]
    largest_ratio: float
    """Pairs at the last look over those of one look at the end with the same power."""
    mean_ratio: float
    """Pairs on average, if the plan is right, over the same."""


def spent_alpha_fraction(spending: Spending, information_fraction: float, alpha_fraction: float) -> float:
    """How much of a one-sided alpha may be spent by this share of the information (Lan and DeMets 1983).

    >>> [round(spent_alpha_fraction(kind, 0.5, 0.025), 5) for kind in ("obrien-fleming", "pocock")]
    [0.00153, 0.0155]
    """
    from scipy.special import ndtr, ndtri

    share = min(max(information_fraction, 0.0), 1.0)
    if share <= 0:
        return 0.0
    if spending == "obrien-fleming":
        return float(2.0 - 2.0 * ndtr(ndtri(1.0 - alpha_fraction / 2) / math.sqrt(share)))
    return alpha_fraction * math.log1p((math.e - 1.0) * share)


def looks_by_spending(
    information_fractions: Sequence[float], alpha_fraction: float = 0.05, spending: Spending = "obrien-fleming"
) -> Looks:
    """One-sided boundaries for looks at these shares of the planned pairs.

    >>> [round(each, 4) for each in looks_by_spending((0.2, 0.4, 0.6, 0.8, 1.0), 0.025).z_boundaries]
    [4.8769, 3.357, 2.6803, 2.2898, 2.031]
    """
    shares = _checked(information_fractions, alpha_fraction)
    spent = [spent_alpha_fraction(spending, each, alpha_fraction) for each in shares]
    boundaries: list[float] = []
    for look, target in enumerate(spent):

        def over(z_ratio: float, look: int = look, target_fraction: float = target) -> float:
            return crossings([*boundaries, z_ratio], shares[: look + 1]).total_fraction - target_fraction

        boundaries.append(_root(over, 0.0, 12.0))
    return Looks(shares, tuple(boundaries), alpha_fraction)


def classic_looks(
    looks_count: int,
    alpha_fraction: float = 0.05,
    spending: Spending = "obrien-fleming",
    is_two_sided: bool = False,
) -> Looks:
    """The boundaries of Pocock (the same z at each look) or of O'Brien and Fleming (z over the root of the share).

    >>> [round(classic_looks(5, 0.05, kind, True).z_boundaries[-1], 3) for kind in ("pocock", "obrien-fleming")]
    [2.413, 2.04]
    """
    shares = _checked([(each + 1) / looks_count for each in range(looks_count)], alpha_fraction)
    power = 0.0 if spending == "pocock" else 0.5
    shape = np.array(shares) ** -power

    def over(constant_ratio: float) -> float:
        found = crossings(list(constant_ratio * shape), shares, is_two_sided=is_two_sided)
        return found.total_fraction - alpha_fraction

    return Looks(shares, tuple(float(each) for each in _root(over, 0.0, 12.0) * shape), alpha_fraction, is_two_sided)


def look_sizes(
    looks: Looks, chances: PairChances, margin_ratio: float, power_fraction: float = 0.8
) -> LookSizes | None:
    """Pairs at each look for this power; None where the plan does not beat the margin."""
    fixed = fixed_sample_pairs_count(chances, margin_ratio, looks.alpha_fraction, power_fraction)
    if fixed is None:
        return None
    largest = inflation_ratio(looks, power_fraction)
    drift = math.sqrt(largest) * _fixed_drift(looks, power_fraction)
    found = crossings(looks.z_boundaries, looks.information_fractions, drift, looks.is_two_sided)
    shares = np.array(looks.information_fractions)
    stops = np.add(found.upper_fractions, found.lower_fractions)
    stops[-1] = 1.0 - stops[:-1].sum()
    return LookSizes(
        tuple(math.ceil(share * largest * fixed) for share in shares),
        largest,
        largest * float(stops @ shares),
    )


def inflation_ratio(looks: Looks, power_fraction: float = 0.8) -> float:
    """Pairs at the last look over those of one look at the end, the power being the same.

    >>> round(inflation_ratio(classic_looks(5, 0.05, "pocock", True), 0.8), 3)
    1.229
    """
    fixed = _fixed_drift(looks, power_fraction)

    def over(drift_ratio: float) -> float:
        found = crossings(looks.z_boundaries, looks.information_fractions, drift_ratio, looks.is_two_sided)
        return sum(found.upper_fractions) - power_fraction

    return (_root(over, 0.5 * fixed, 3.0 * fixed) / fixed) ** 2


def crossings(
    z_boundaries: Sequence[float],
    information_fractions: Sequence[float],
    drift_ratio: float = 0.0,
    is_two_sided: bool = False,
) -> Crossings:
    """Chances of crossing first at each look; the score at share t is normal with mean drift * t and variance t.

    `drift_ratio` is the mean of z at the last look. The density of the score among runs that go on is carried from look
    to look by Gauss-Legendre quadrature.
    """
    from scipy.special import ndtr

    above, below = [], []
    nodes, density = np.zeros(1), np.ones(1)
    before = 0.0
    for at, (boundary, share) in enumerate(zip(z_boundaries, information_fractions, strict=True)):
        spread = math.sqrt(share - before)
        upper = boundary * math.sqrt(share)
        mean = nodes + drift_ratio * (share - before)
        above.append(float(density @ ndtr((mean - upper) / spread)))
        below.append(float(density @ ndtr((-upper - mean) / spread)) if is_two_sided else 0.0)
        if at + 1 == len(z_boundaries):
            break
        lowest = -upper if is_two_sided else drift_ratio * share - TAIL_Z * math.sqrt(share)
        highest = min(upper, drift_ratio * share + TAIL_Z * math.sqrt(share))
        points, weights = _quadrature(min(lowest, highest - 1e-9), highest, spread / 2)
        kernel = np.exp(-0.5 * ((points[:, None] - mean) / spread) ** 2) / (spread * math.sqrt(2 * math.pi))
        nodes, density, before = points, weights * (kernel @ density), share
    return Crossings(tuple(above), tuple(below))


@lru_cache(maxsize=1)
def _legendre() -> tuple[Floats, Floats]:
    points, weights = np.polynomial.legendre.leggauss(NODES_COUNT)
    return np.asarray(points), np.asarray(weights)


def _quadrature(low: float, high: float, panel: float) -> tuple[Floats, Floats]:
    """Nodes and weights of panels no longer than `panel`."""
    edges = np.linspace(low, high, max(1, math.ceil((high - low) / panel)) + 1)
    points, weights = _legendre()
    half = np.diff(edges)[:, None] / 2
    return ((edges[:-1, None] + half) + half * points).ravel(), (half * weights).ravel()


def _fixed_drift(looks: Looks, power_fraction: float) -> float:
    """Mean of z that one look at the end needs for this power."""
    from scipy.special import ndtri

    alpha = looks.alpha_fraction / 2 if looks.is_two_sided else looks.alpha_fraction
    return float(ndtri(1.0 - alpha) + ndtri(power_fraction))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=1e-9))


def _checked(information_fractions: Sequence[float], alpha_fraction: float) -> tuple[float, ...]:
    shares = tuple(float(each) for each in information_fractions)
    rising = all(a < b for a, b in zip((0.0, *shares), shares, strict=False))
    if not shares or not rising or abs(shares[-1] - 1.0) > 1e-9 or len(shares) > LOOKS_MAX_COUNT:
        raise PilotError(
            f"looks at {shares} of the pairs; wanted 1 to {LOOKS_MAX_COUNT} rising shares that end at 1, "
            "such as 0.25, 0.5, 0.75, 1"
        )
    if not 0 < alpha_fraction < 0.5:
        raise PilotError(f"an alpha of {alpha_fraction:g}; wanted a chance between 0 and 0.5")
    return shares
