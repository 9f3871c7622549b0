"""Time the exact envelope of five options against a grid of 200,000 volumes, and count what the grid misses.

Run ``python benchmarks/breakeven_envelope.py``. Both sides start from the same inputs (prices, capacities), so the
time to build the curves is shown, and counted in the last ratio. The grid evaluates each option with one vectorised
formula, keeps a running minimum in place, and compares neighbours; its volumes are made once and not timed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from breakeven.decision.curve import CostCurve
from breakeven.decision.envelope import Envelope, lower_envelope

Floats = NDArray[np.float64]
GRID_POINTS_COUNT = 200_000
REPEATS_COUNT = 5
SEED = 20261123


@dataclass(frozen=True, slots=True)
class Tiers:
    """A price per token that falls at some volumes; one tier is a plain price."""

    starts_mtok: Floats
    usd_per_mtok: Floats
    fixed_usd: float

    def curve(self, name: str, end_mtok: float) -> CostCurve:
        """The exact curve."""
        starts, prices = self.starts_mtok.tolist(), self.usd_per_mtok.tolist()
        return CostCurve.tiered(name, starts, prices, fixed_usd=self.fixed_usd, end_mtok=end_mtok)

    def cost_usd(self, volumes_mtok: Floats) -> Floats:
        """The cost at each volume, by the fastest numpy way."""
        if self.starts_mtok.size == 1:
            return self.fixed_usd + float(self.usd_per_mtok[0]) * volumes_mtok
        knots: Floats = np.append(self.starts_mtok, volumes_mtok[-1])
        costs = np.append(0.0, np.cumsum(self.usd_per_mtok * np.diff(knots)))
        return np.asarray(np.interp(volumes_mtok, knots, self.fixed_usd + costs))


@dataclass(frozen=True, slots=True)
class Stairs:
    """Whole replicas and whole engineers."""

    fixed_usd: float
    usd_per_replica: float
    capacity_mtok: float
    fewest_count: int
    usd_per_engineer: float
    mtok_per_engineer: float

    def curve(self, name: str, end_mtok: float) -> CostCurve:
        """The exact curve: the sum of two staircases."""
        replicas = CostCurve.staircase(
            name,
            fixed_usd=self.fixed_usd,
            usd_per_replica=self.usd_per_replica,
            replica_capacity_mtok=self.capacity_mtok,
            min_replicas_count=self.fewest_count,
            end_mtok=end_mtok,
        )
        engineers = CostCurve.staircase(
            name,
            usd_per_replica=self.usd_per_engineer,
            replica_capacity_mtok=self.mtok_per_engineer,
            end_mtok=end_mtok,
        )
        return CostCurve.total(name, [replicas, engineers])

    def cost_usd(self, volumes_mtok: Floats) -> Floats:
        """The cost at each volume, in place after the first division."""
        cost = np.ceil(volumes_mtok / self.capacity_mtok)
        np.maximum(cost, self.fewest_count, out=cost)
        cost *= self.usd_per_replica
        engineers = np.ceil(volumes_mtok / self.mtok_per_engineer)
        engineers *= self.usd_per_engineer
        cost += engineers
        cost += self.fixed_usd
        return cost


@dataclass(frozen=True, slots=True)
class Case:
    """Five options over one range of volumes."""

    options: list[Tiers | Stairs]
    end_mtok: float

    def curves(self) -> list[CostCurve]:
        """The options as exact curves."""
        return [option.curve(str(index), self.end_mtok) for index, option in enumerate(self.options)]


def random_case(rng: np.random.Generator, steps_count: int) -> Case:
    """A tiered API, a broker and three staircases of up to about `steps_count` steps each."""
    end_mtok = rng.uniform(1e5, 1e6)
    price = rng.uniform(0.1, 1.0)
    starts = np.concatenate(([0.0], np.sort(rng.uniform(0, end_mtok, 3))))
    options: list[Tiers | Stairs] = [
        Tiers(starts, price * np.cumprod([1.0, *rng.uniform(0.7, 1.0, 3)]), 0.0),
        Tiers(np.zeros(1), np.array([price * rng.uniform(0.75, 1.1)]), rng.uniform(0, 2_000)),
    ]
    for _ in range(3):
        capacity_mtok = end_mtok / rng.uniform(0.25 * steps_count, steps_count)
        mtok_per_engineer = end_mtok / rng.uniform(2, 12)
        options.append(
            Stairs(
                fixed_usd=rng.uniform(0, 0.15) * price * end_mtok,
                usd_per_replica=rng.uniform(0.4, 0.95) * price * capacity_mtok,
                capacity_mtok=capacity_mtok,
                fewest_count=int(rng.integers(0, 4)),
                usd_per_engineer=rng.uniform(0, 0.1) * price * mtok_per_engineer,
                mtok_per_engineer=mtok_per_engineer,
            )
        )
    return Case(options, end_mtok)


def on_grid(case: Case, volumes_mtok: Floats) -> NDArray[np.intp]:
    """The grid cells in which the cheapest option changes."""
    lowest = case.options[0].cost_usd(volumes_mtok)
    winner = np.zeros(volumes_mtok.size, dtype=np.int8)
    for index, option in enumerate(case.options[1:], start=1):
        cost = option.cost_usd(volumes_mtok)
        cheaper = cost < lowest
        winner[cheaper] = index
        np.minimum(lowest, cost, out=lowest)
    return np.flatnonzero(winner[1:] != winner[:-1])


def missed_by_grid(envelope: Envelope, cells: NDArray[np.intp], volumes_mtok: Floats) -> int:
    """Exact changes less those the grid can show: at most one in each cell whose ends differ."""
    at = np.array([crossing.mtok_per_month for crossing in envelope.crossings])
    holding, changes = np.unique(np.searchsorted(volumes_mtok, at, side="left") - 1, return_counts=True)
    shown = np.isin(holding, cells)
    return int(changes.sum() - shown.sum())


def timed_ms(work: Callable[[], object]) -> list[float]:
    """Milliseconds of each of a few calls in a row."""
    found = []
    for _ in range(REPEATS_COUNT):
        begun = time.perf_counter()
        work()
        found.append((time.perf_counter() - begun) * 1e3)
    return found


def row(steps_count: int, cases_count: int) -> str:
    """One line of the table; envelope and grid take turns case by case, so that a busy moment hits both."""
    rng = np.random.default_rng([SEED, steps_count])
    curves_ms: list[float] = []
    envelope_ms: list[float] = []
    grid_ms: list[float] = []
    crossings = missed = most = 0
    for _ in range(cases_count):
        case = random_case(rng, steps_count)
        volumes = np.linspace(case.end_mtok / GRID_POINTS_COUNT, case.end_mtok, GRID_POINTS_COUNT)
        curves = case.curves()
        envelope, cells = lower_envelope(curves, 0, case.end_mtok), on_grid(case, volumes)
        grid_ms += timed_ms(partial(on_grid, case, volumes))
        curves_ms += timed_ms(case.curves)
        envelope_ms += timed_ms(partial(lower_envelope, curves, 0, case.end_mtok))
        missed += missed_by_grid(envelope, cells, volumes)
        crossings += len(envelope.crossings)
        most = max(most, len(envelope.crossings))
    building, alone, grid = (statistics.median(each) for each in (curves_ms, envelope_ms, grid_ms))
    return (
        f"{steps_count:>6,} {cases_count:>6} {building:>10.2f} {alone:>12.2f} {grid:>9.2f} {grid / alone:>9.1f}x "
        f"{grid / (building + alone):>11.1f}x {crossings:>10,} {most:>5,} {missed:>7,}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100, help="random cases per line (default 100)")
    cases_count = parser.parse_args().cases
    print(f"Five options (tiered API, broker, three staircases); grid of {GRID_POINTS_COUNT:,} volumes; median ms.")
    print("ratio = grid / envelope; with curves = grid / (building the curves + envelope);")
    print("missed = changes of the cheapest option that the grid does not show.\n")
    print(" steps  cases  curves ms  envelope ms   grid ms      ratio  with curves  crossings  most  missed")
    for steps_count in (20, 100, 300, 5_000):
        print(row(steps_count, cases_count if steps_count < 5_000 else max(1, cases_count // 10)))


if __name__ == "__main__":
    main()
