"""How many draws are enough, which kind of draws, and does the regression find what nested simulation finds?

    python benchmarks/convergence.py [--seeds 12] [--reference-log2 20] [--nested-log2 13]

A compact model of 12 ways to serve over 36 months (growth, falling prices, whole replicas, people, failed answers) with
16 uncertain inputs. First table: root mean square error over the seeds, in % of the reference, of P10, P50, P90 of the
present cost of the option with the lowest mean, of its odds of being cheapest, of the value of knowing everything, and
of its mean; for plain Monte Carlo, Latin hypercubes, and the product's own scrambled Sobol columns. Second table: the
value of knowing each input, by the product's regression on 2**14 draws and by nested simulation.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.decision.risk.value_of_information import conditional_costs, evpi_usd
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import quantile
from breakeven.facts.draws import DrawSet
from breakeven.facts.source import Grade, Source

Floats = NDArray[np.float64]
MONTHS_COUNT: Final = 36
CHUNK: Final = 8192
SOURCE: Final = Source("a compact model", "benchmarks", date(2026, 11, 26), Grade.GUESS)
INPUTS: Final = tuple(
    Assumption(name, unit, low, typical, high, SOURCE, dimension=dimension)
    for dimension, (name, unit, low, typical, high) in enumerate(
        (
            ("volume_mtok_per_month", "mtok/month", 8_000.0, 12_000.0, 20_000.0),
            ("growth_fraction_per_month", "1/month", 0.0, 0.02, 0.06),
            ("api_usd_per_mtok", "usd/mtok", 1.5, 2.0, 2.4),
            ("api_decline_fraction", "fraction", 0.05, 0.2, 0.7),
            ("gpu_rent_usd_per_gpu_hour", "usd/hour", 1.7, 2.35, 3.5),
            ("gpu_rent_drift_ratio", "ratio", -0.2, 0.0, 0.2),
            ("small_model_share_fraction", "fraction", 0.2, 0.5, 0.8),
            ("large_replica_mtok_per_month", "mtok/month", 3_500.0, 6_000.0, 9_000.0),
            ("small_replica_mtok_per_month", "mtok/month", 15_000.0, 25_000.0, 40_000.0),
            ("frontier_success_fraction", "fraction", 0.85, 0.93, 0.98),
            ("open_success_fraction", "fraction", 0.7, 0.87, 0.96),
            ("engineers_count", "count", 0.2, 0.5, 1.2),
            ("engineer_usd_per_year", "usd/year", 210e3, 300e3, 420e3),
            ("broker_usd_per_mtok", "usd/mtok", 0.5, 0.7, 0.95),
            ("migration_usd", "usd", 2e4, 6e4, 2e5),
            ("failed_answer_usd_per_request", "usd/request", 0.005, 0.02, 0.08),
        )
    )
)


def costs_of(u: Floats) -> Floats:
    """Present cost of the 12 options at cumulative probabilities of shape ``(inputs, draws)``: ``(options, draws)``."""
    starts = range(0, u.shape[1], CHUNK)
    return np.concatenate([_chunk(u[:, start : start + CHUNK]) for start in starts], axis=1)


def _chunk(u: Floats) -> Floats:
    x: Mapping[str, Floats] = {fact.name: quantile(fact, row) for fact, row in zip(INPUTS, u, strict=True)}
    month = np.arange(MONTHS_COUNT)[:, None]
    discount = 1.08 ** (-(month + 1) / 12)
    volume = x["volume_mtok_per_month"] * (1 + x["growth_fraction_per_month"]) ** month
    discounted = volume * discount
    api_price = x["api_usd_per_mtok"] * (1 - x["api_decline_fraction"]) ** (month / 12)
    rent = x["gpu_rent_usd_per_gpu_hour"] * 730 * (1 + x["gpu_rent_drift_ratio"]) ** (month / 12) * discount
    failing = 0.5 * x["failed_answer_usd_per_request"] / x["frontier_success_fraction"] * discounted.sum(axis=0)
    api_fails = failing * (1 - x["frontier_success_fraction"])
    open_fails = failing * (1 - x["open_success_fraction"])
    small_fails = failing * (1 - 0.85 * x["open_success_fraction"])
    people = x["engineers_count"] * x["engineer_usd_per_year"] / 12 * discount.sum()
    move, share = x["migration_usd"], x["small_model_share_fraction"]

    def fleet(per_replica: str, moved: Floats | float, fewest: int) -> Floats:
        return (np.maximum(np.ceil(volume * moved / x[per_replica]), fewest) * rent).sum(axis=0)

    large, small = "large_replica_mtok_per_month", "small_replica_mtok_per_month"
    api = (api_price * discounted).sum(axis=0) + api_fails
    broker = x["broker_usd_per_mtok"] * discounted.sum(axis=0) + open_fails + 0.2 * move
    owned = fleet(large, 1.0, 2)
    return np.stack(
        [
            api,
            0.75 * api + 0.5 * open_fails + 0.1 * move,
            broker,
            1.05 * broker,
            owned + people + move + open_fails,
            1.08 * owned + people + move + open_fails,
            0.8 * owned + 1.1 * people + move + open_fails,
            fleet(small, 1.0, 1) + 0.7 * people + 0.6 * move + small_fails,
            share * fleet(small, 1.0, 1) + (1 - share) * api + 0.6 * people + 0.7 * move,
            fleet(small, share, 1) + (1 - share) * api + 0.6 * people + 0.7 * move,
            fleet(large, share, 1) + (1 - share) * broker + 0.7 * people + 0.8 * move,
            1.4 * fleet(large, 1.0, 1) + 0.3 * people + 0.3 * move + open_fails,
        ]
    )


def monte_carlo(seed: int, draws_log2: int) -> Floats:
    """Independent points."""
    return np.random.default_rng(seed).random((len(INPUTS), 1 << draws_log2))


def latin_hypercube(seed: int, draws_log2: int) -> Floats:
    """One point in each of n layers of every input, paired at random."""
    rng, count = np.random.default_rng(seed), 1 << draws_log2
    layers = np.stack([rng.permutation(count) for _ in INPUTS])
    return np.clip((layers + rng.random(layers.shape)) / count, 1e-12, 1 - 1e-12)


def scrambled_sobol(seed: int, draws_log2: int) -> Floats:
    """The product's own columns."""
    draws = DrawSet(seed, draws_log2)
    return np.stack([draws.uniform(fact.name, fact.dimension) for fact in INPUTS])


def reference(draws_log2: int) -> Floats:
    """Costs at very many points of SciPy's scrambled Sobol sequence, a chunk at a time."""
    from scipy.stats import qmc

    engine = qmc.Sobol(len(INPUTS), scramble=True, rng=np.random.default_rng(2026))
    chunks = [engine.random(CHUNK * 8) for _ in range((1 << draws_log2) // (CHUNK * 8))]
    return np.concatenate([costs_of(np.clip(chunk.T, 1e-12, 1 - 1e-12)) for chunk in chunks], axis=1)


def summary(costs: Floats, best: int) -> Floats:
    """P10, P50, P90, odds, EVPI and mean, of the option `best`."""
    quantiles = np.quantile(costs[best], (0.1, 0.5, 0.9))
    odds = np.mean(np.argmin(costs, axis=0) == best)
    return np.array([*quantiles, odds, evpi_usd(costs), costs[best].mean()])


def convergence(seeds_count: int, reference_log2: int) -> None:
    """Print the first table."""
    truth_costs = reference(reference_log2)
    best = int(truth_costs.mean(axis=1).argmin())
    truth = summary(truth_costs, best)
    print(f"RMSE over {seeds_count} seeds in % of the reference (2^{reference_log2} Sobol points)\n")
    print(" n     draws                 P10    P50    P90   P(best)  EVPI   mean")
    methods: Mapping[str, Callable[[int, int], Floats]] = {
        "plain Monte Carlo": monte_carlo,
        "Latin hypercube": latin_hypercube,
        "scrambled Sobol": scrambled_sobol,
    }
    for draws_log2 in (12, 14, 16):
        for name, points in methods.items():
            found = [summary(costs_of(points(seed, draws_log2)), best) for seed in range(seeds_count)]
            errors = 100 * np.sqrt(np.mean((np.array(found) / truth - 1) ** 2, axis=0))
            cells = " ".join(f"{error:6.2f}" for error in errors)
            print(f" 2^{draws_log2}  {name:<18} {cells}", flush=True)


def nested_evppi_usd(index: int, draws_log2: int, values_count: int = 128) -> float:
    """Fix one input at equally likely values; average over all the others each time."""
    points = scrambled_sobol(99, draws_log2)
    means = []
    for value in (np.arange(values_count) + 0.5) / values_count:
        fixed = points.copy()
        fixed[index] = value
        means.append(costs_of(fixed).mean(axis=1))
    table = np.array(means)
    return float(table.mean(axis=0).min() - table.min(axis=1).mean())


def information(nested_log2: int) -> None:
    """Print the second table."""
    points = scrambled_sobol(0, 14)
    costs = costs_of(points)
    everything = evpi_usd(costs)
    begun = time.perf_counter()
    found = [conditional_costs(costs, row).evppi_usd for row in points]
    spline_s = time.perf_counter() - begun
    print(f"\nValue of knowing one input, USD (EVPI {everything:,.0f}); nested: 128 values x 2^{nested_log2} draws\n")
    print(f" {'input':<32} {'spline':>9} {'nested':>9}  difference")
    begun = time.perf_counter()
    for index in np.argsort(found)[::-1].tolist():
        nested = nested_evppi_usd(index, nested_log2)
        small = found[index] < 0.01 * everything
        difference = "< 1 % of EVPI: noise" if small else f"{100 * (found[index] / nested - 1):+9.1f} %"
        print(f" {INPUTS[index].name:<32} {found[index]:>9,.0f} {nested:>9,.0f} {difference}", flush=True)
    nested_s = time.perf_counter() - begun
    print(
        f"\n spline {spline_s:.2f} s for all {len(INPUTS)} inputs, nested {nested_s:.1f} s: {nested_s / spline_s:.0f}x"
    )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=12, help="seeds per line of the first table (default 12)")
    parser.add_argument("--reference-log2", type=int, default=20, help="points of the reference (default 20: 2^20)")
    parser.add_argument("--nested-log2", type=int, default=13, help="draws of each nested average (default 13)")
    chosen = parser.parse_args()
    convergence(chosen.seeds, chosen.reference_log2)
    information(chosen.nested_log2)


if __name__ == "__main__":
    main()
