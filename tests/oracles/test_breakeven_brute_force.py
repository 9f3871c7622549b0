"""Oracle: the envelope against the cheapest option by direct arithmetic, at ten million volumes.

The costs here are written again with `ceil` and `clip`, from the same inputs and without CostCurve's pieces. A point
is wrong when the envelope's winner costs more than the cheapest option by over 1e-9 of the cost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from breakeven.decision.curve import CostCurve
from breakeven.decision.envelope import lower_envelope

seeded = settings(derandomize=True, deadline=None, max_examples=60)

Floats = NDArray[np.float64]
TIE_RATIO = 1e-9


@dataclass(frozen=True, slots=True)
class Case:
    """The same options twice: as curves, and as plain arithmetic; `edges` are volumes worth visiting."""

    curves: list[CostCurve]
    direct: list[Callable[[Floats], Floats]]
    edges: Floats
    end_mtok: float


def tiered_directly(starts: Floats, prices: Floats, whole: bool) -> Callable[[Floats], Floats]:
    if whole:
        return lambda v: v * prices[sum((v > start).astype(int) for start in starts[1:])]
    widths = np.append(np.diff(starts), np.inf)
    return lambda v: sum(
        price * np.clip(v - start, 0, width) for start, price, width in zip(starts, prices, widths, strict=True)
    )


def staircase_directly(
    fixed: float, slope: float, replica: float, capacity: int, fewest: int, spares: int, fte: float, per_fte: int
) -> Callable[[Floats], Floats]:
    return lambda v: (
        fixed + slope * v + replica * (np.maximum(fewest, np.ceil(v / capacity)) + spares) + fte * np.ceil(v / per_fte)
    )


def staircase_curve(name: str, end: float, fixed, slope, replica, capacity, fewest, spares, fte, per_fte) -> CostCurve:
    replicas = CostCurve.staircase(
        name,
        fixed_usd=fixed + replica * spares,
        usd_per_mtok=slope,
        usd_per_replica=replica,
        replica_capacity_mtok=capacity,
        min_replicas_count=fewest,
        end_mtok=end,
    )
    engineers = CostCurve.staircase("fte", usd_per_replica=fte, replica_capacity_mtok=per_fte, end_mtok=end)
    return CostCurve.total(name, [replicas, engineers])


def random_case(rng: np.random.Generator) -> Case:
    """A tiered API, a broker and three staircases with engineers, spares and minimum replicas."""
    end = float(rng.integers(50_000, 400_000))
    price = rng.uniform(0.1, 1.0)
    starts = np.concatenate(([0.0], np.sort(rng.choice(np.arange(1, int(end)), rng.integers(0, 4), replace=False))))
    prices = price * np.cumprod(np.append(1.0, rng.uniform(0.6, 1.0, len(starts) - 1)))
    whole = bool(rng.random() < 0.3)
    broker_usd, broker_fixed = price * rng.uniform(0.7, 1.1), rng.uniform(0, 2_000)
    curves = [
        CostCurve.tiered("api", starts.tolist(), prices.tolist(), billing="whole_volume" if whole else "marginal"),
        CostCurve.linear("broker", fixed_usd=broker_fixed, usd_per_mtok=broker_usd),
    ]
    direct = [tiered_directly(starts, prices, whole), lambda v: broker_fixed + broker_usd * v]
    edges = [starts[1:]]
    for k in range(3):
        capacity, per_fte = int(rng.integers(800, 30_000)), int(rng.integers(60_000, 300_000))
        numbers = (
            rng.uniform(0, 0.15) * price * end,  # fixed
            rng.choice([0.0, 0.05 * price]),
            rng.uniform(0.2, 0.95) * price * capacity,  # one replica: most of what its tokens cost at the API
            capacity,
            int(rng.integers(0, 4)),
            int(rng.integers(0, 2)),
            rng.uniform(0, 0.1) * price * per_fte,
            per_fte,
        )
        curves.append(staircase_curve(f"self {k}", end, *numbers))
        direct.append(staircase_directly(*numbers))
        edges += [capacity * np.arange(1, end // capacity + 1), per_fte * np.arange(1, end // per_fte + 1)]
    return Case(curves, direct, np.concatenate(edges), end)


def wrong_points(case: Case, volumes: Floats, borders: Floats) -> tuple[int, int]:
    """How many volumes have a wrong winner, of how many: random ones, every edge, both sides of every border."""
    near = np.concatenate([x * (1 + side) for x in (case.edges, borders) for side in (-1e-7, 0.0, 1e-7)])
    volumes = np.concatenate([volumes, near[(near > 0) & (near <= case.end_mtok)]])
    winner = lower_envelope(case.curves, 0, case.end_mtok).cheapest_at(volumes)
    lowest, held = np.full(volumes.shape, np.inf), np.empty(volumes.shape)
    for index, cost in enumerate(case.direct):
        usd = cost(volumes)
        np.minimum(lowest, usd, out=lowest)
        np.copyto(held, usd, where=winner == index)
    return int((held > lowest * (1 + TIE_RATIO)).sum()), volumes.size


@pytest.mark.parametrize("seed", range(4))
def test_not_one_wrong_point_in_ten_million(seed: int):
    """Four parts of 40 cases and over 2.5 million points each."""
    rng = np.random.default_rng([20261123, seed])
    wrong = points = crossings = most = 0
    for _ in range(40):
        case = random_case(rng)
        found = lower_envelope(case.curves, 0, case.end_mtok).crossings
        borders = np.array([crossing.mtok_per_month for crossing in found])
        new_wrong, new_points = wrong_points(case, rng.uniform(1e-3, case.end_mtok, 64_000), borders)
        wrong, points = wrong + new_wrong, points + new_points
        crossings, most = crossings + len(found), max(most, len(found))
    assert wrong == 0
    assert points > 2_500_000
    assert crossings > 80 and most >= 8  # the cases are worth the name


def test_the_oracle_notices_a_planted_slip():
    """Steps that are left-closed in the direct costs must show as wrong points."""
    rng = np.random.default_rng(3)
    caught = 0
    for _ in range(10):
        case = random_case(rng)
        borders = np.array([c.mtok_per_month for c in lower_envelope(case.curves, 0, case.end_mtok).crossings])
        left_closed = [lambda v, cost=cost: cost(np.nextafter(v, np.inf)) for cost in case.direct]
        slipped = Case(case.curves, left_closed, case.edges, case.end_mtok)
        caught += wrong_points(slipped, np.empty(0), borders)[0] > 0
    assert caught >= 5


@seeded
@given(seed=st.integers(0, 2**32 - 1))
def test_not_one_wrong_point_for_any_seed(seed: int):
    rng = np.random.default_rng(seed)
    case = random_case(rng)
    found = lower_envelope(case.curves, 0, case.end_mtok).crossings
    borders = np.array([crossing.mtok_per_month for crossing in found])
    assert wrong_points(case, rng.uniform(1e-3, case.end_mtok, 2_000), borders)[0] == 0
