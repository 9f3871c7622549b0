"""Planted truth: the 80 % interval that the comparison prints covers the true cost of 80 % of many made-up companies.

A company's truth is drawn by an independent generator: the two-piece ranges sampled with NumPy's own normals, none of
our quantile code, Sobol points or columns. Its costs come from the real options, and its interval from the real
`compare`, at the demand that its log shows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from breakeven.decision.compare import STATUS_QUO, compare
from breakeven.decision.comparison import Comparison
from breakeven.decision.scenario import Scenario
from breakeven.facts.assumption import Assumption
from breakeven.facts.copula import Copula
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import select_options
from breakeven.options.option import Evaluation, Situation
from costing import demand, situation

OPTIONS = (STATUS_QUO, "brokered", "rented_on_demand", "hybrid")
TRUTHS_COUNT = 800
Z_95 = 1.6448536269514722
COMPANIES = [
    demand(volume, size, output_fraction=output, cache_read_fraction=cached)
    for volume, size, output, cached in (
        (60, 800, 0.3, 0.0), (900, 6_000, 0.05, 0.6), (5_000, 3_000, 0.15, 0.2), (20_000, 1_500, 0.2, 0.1),
    )
]  # fmt: skip
"""What the logs of four kinds of companies show; of each there are many, and each has a truth of its own."""


@cache
def printed_for(index: int, copula: Copula | None) -> Comparison:
    """The real comparison of the options."""
    draws = DrawSet(seed=index, draws_log2=11, copula=copula)
    return compare(situation(COMPANIES[index]), select_options(OPTIONS), draws)


class Truths:
    """What is true of `TRUTHS_COUNT` companies of one demand, fact by fact, drawn when it is first asked for."""

    def __init__(self, seed: int, widened: float = 1.0, normal: Callable[[str], Draws] | None = None) -> None:
        self._rng = np.random.default_rng(seed)
        self._widened = widened
        self._given = normal
        self._normal: dict[str | int, Draws] = {}

    def of(self, fact: Assumption) -> Draws:
        """True values of `fact`; the same standing for every range of one name."""
        if fact.low == fact.high:
            return np.full(TRUTHS_COUNT, fact.typical)
        key = fact.name if fact.dimension is None else fact.dimension
        if key not in self._normal:
            given = self._given(fact.name) if self._given else None
            self._normal[key] = self._rng.normal(size=TRUTHS_COUNT) if given is None else given
        return self._two_pieces(fact, self._widened * self._normal[key])

    def _two_pieces(self, fact: Assumption, z: Draws) -> Draws:
        """Half of the futures below the median, half above, each half a normal on the scale of the unit."""
        if fact.unit == "fraction" and fact.low > 0 and fact.high < 1:
            low, middle, high = (float(np.log(x / (1 - x))) for x in (fact.low, fact.typical, fact.high))
            back: Callable[[Draws], Draws] = lambda y: 1 / (1 + np.exp(-y))  # noqa: E731
        elif fact.unit != "fraction" and fact.low > 0:
            low, middle, high = (float(np.log(x)) for x in (fact.low, fact.typical, fact.high))
            back = np.exp
        else:
            low, middle, high = fact.low, fact.typical, fact.high
            top = 1.0 if fact.unit == "fraction" else np.inf
            back = lambda y: np.clip(y, 0.0 if fact.low >= 0 else -np.inf, top)  # noqa: E731
        below, above = (middle - low) / Z_95, (high - middle) / Z_95
        return np.asarray(back(np.where(z < 0, middle + below * z, middle + above * z)))


def truths_of(here: Situation, name: str, truths: Truths, base: Draws) -> Draws:
    """True monthly cost of the option for as many successes as the status quo has."""
    cost = select_options((name,))[name].cost(here, Evaluation(truths.of))
    return np.broadcast_to(cost.total.value * (base / cost.success.value), (TRUTHS_COUNT,))


def covered(widened: float = 1.0, copula: Copula | None = None, normal: object = None) -> dict[str, float]:
    """Share of all truths inside the interval printed for their company, by option."""
    hits: dict[str, list[float]] = {name: [] for name in OPTIONS}
    for index, company in enumerate(COMPANIES):
        here = situation(company)
        printed = printed_for(index, copula)
        truths = Truths(1000 + index, widened, normal(index) if normal else None)  # type: ignore[operator]
        base = select_options((STATUS_QUO,))[STATUS_QUO].cost(here, Evaluation(truths.of)).success.value
        for name in OPTIONS:
            interval = interval_of(printed, name)
            true = truths_of(here, name, truths, base)
            hits[name].append(float(np.mean((true >= interval[0]) & (true <= interval[1]))))
    return {name: float(np.mean(shares)) for name, shares in hits.items()}


def interval_of(printed: Comparison, name: str) -> tuple[float, float]:
    """P10 and P90 of the monthly cost for equal successful outcomes."""
    found = printed.option(name).equal_success_usd_per_month
    return found.p10, found.p90


def test_an_80_percent_interval_covers_80_percent_of_the_companies() -> None:
    """3,200 truths: one standard error is 0.7 points."""
    for name, share in covered().items():
        assert share == pytest.approx(0.80, abs=0.03), name


def test_a_world_wider_than_the_ranges_is_not_covered() -> None:
    """The same test sees it when truths scatter half as much again as the ranges say."""
    shares = covered(widened=1.5)
    assert all(share < 0.72 for share in shares.values()), shares


def test_correlated_facts_are_covered_when_the_scenario_says_so() -> None:
    """Truths in which pay, staffing and corrections go together; intervals drawn with those correlations."""
    names = ("engineer_usd_per_year", "engineering_fte_cluster_count", "correction_usd_per_hour")
    matrix = np.array([[1.0, 0.8, 0.6], [0.8, 1.0, 0.5], [0.6, 0.5, 1.0]])
    pairs = [{"between": (names[i], names[j]), "normal": float(matrix[i, j])} for i, j in ((0, 1), (0, 2), (1, 2))]
    copula = Scenario(correlations=pairs).copula(situation(COMPANIES[0]).catalog)  # type: ignore[arg-type]

    def normal(index: int) -> Callable[[str], Draws | None]:
        joint = np.random.default_rng(50 + index).multivariate_normal(np.zeros(3), matrix, size=TRUTHS_COUNT)
        return lambda name: joint[:, names.index(name)] if name in names else None

    for name, share in covered(copula=copula, normal=normal).items():
        assert share == pytest.approx(0.80, abs=0.03), name
