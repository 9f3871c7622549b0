"""Tests of paired outcomes, looked at after every call: false acceptances, sizes, wrong plans, early stops, coverage.

The tests are played pair by pair by a loop of its own, not by the code that plans sizes, from the bets of
`breakeven.pilot.bets`. Beside them stands the z test: looked at once at its own size, and after every pair.

    python benchmarks/pilot.py                                   # all tables; about two minutes
    python benchmarks/pilot.py --runs 20000 --table acceptance   # one of them
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from breakeven.pilot.bets import (
    WORST_LOSS_FRACTION,
    Bets,
    best_stake_ratio,
    plain_grid,
    plain_inferior_grid,
    planned_bets,
    planned_inferior_bets,
)
from breakeven.pilot.confidence_sequence import ratio_sequence, ratio_sequence_on_lattice
from breakeven.pilot.fixed_sample import fixed_sample_pairs_count, fixed_sample_power_fraction
from breakeven.pilot.group_sequential import classic_looks, look_sizes
from breakeven.pilot.noninferiority import ln_e_value
from breakeven.pilot.observations import PairCounts
from breakeven.pilot.pair_chances import PairChances, gains, pair_chances

Floats = NDArray[np.float64]

MARGIN: Final = 0.95
ALPHA: Final = 0.05
LOOKED_AT: Final = 5_000
CAP: Final = 8
"""Runs are ended at so many times the fixed sample."""
FIRST_LOOK: Final = 30
"""Of the z test that is looked at after every pair."""


@dataclass(frozen=True)
class Plan:
    """Success of the baseline, ratio of the candidate's, correlation."""

    success: float
    ratio: float
    phi: float

    @property
    def chances(self) -> PairChances:
        return pair_chances(self.success, self.ratio, self.phi)

    def __str__(self) -> str:
        return f"{self.success:g} / {self.ratio:g} / {self.phi:g}"


@njit(fastmath=True)
def play(chances, factors, weights, boundary, cap, runs, seed):  # type: ignore[no-untyped-def]
    """Pairs until the mixture reaches the boundary; 1e18 where it has not by the cap."""
    np.random.seed(seed)
    edges = np.cumsum(chances)
    bets = len(weights)
    stops = np.full(runs, 1e18)
    wealth = np.empty(bets)
    for run in range(runs):
        wealth[:] = weights
        for pair in range(1, cap + 1):
            drawn = np.random.random()
            if drawn < edges[0]:
                kind = 0
            elif drawn < edges[1]:
                continue
            elif drawn < edges[2]:
                kind = 2
            else:
                kind = 3
            total = 0.0
            for bet in range(bets):
                wealth[bet] *= factors[kind, bet]
                total += wealth[bet]
            if total >= boundary:
                stops[run] = pair
                break
    return stops


@njit
def play_drifting(first, last, ratio, factors, weights, boundary, cap, runs, seed):  # type: ignore[no-untyped-def]
    """The same while the baseline's success goes from `first` to `last`, outcomes of a pair independent."""
    np.random.seed(seed)
    accepted = 0
    bets = len(weights)
    for _ in range(runs):
        wealth = weights.copy()
        for pair in range(cap):
            success = first + (last - first) * pair / cap
            kind = 1
            baseline = np.random.random() < success
            candidate = np.random.random() < success * ratio
            if baseline and candidate:
                kind = 2
            elif baseline:
                kind = 0
            elif candidate:
                kind = 3
            if kind == 1:
                continue
            total = 0.0
            for bet in range(bets):
                wealth[bet] *= factors[kind, bet]
                total += wealth[bet]
            if total >= boundary:
                accepted += 1
                break
    return accepted / runs


@njit
def play_z(chances, gain, z, first, cap, runs, seed):  # type: ignore[no-untyped-def]
    """How often a z test accepts that is looked at after every pair from `first` on."""
    np.random.seed(seed)
    edges = np.cumsum(chances)
    accepted = 0
    for _ in range(runs):
        total = 0.0
        squares = 0.0
        for pair in range(1, cap + 1):
            x = gain[min(np.searchsorted(edges, np.random.random(), side="right"), 3)]
            total += x
            squares += x * x
            variance = squares - total * total / pair
            if pair >= first and total > 0 and total * total > z * z * variance:
                accepted += 1
                break
    return accepted / runs


def half_and_half(plan: Plan) -> Bets:
    """Half on the planned stake, half on the plain grid."""
    grid = plain_grid(MARGIN)
    best = best_stake_ratio(plan.chances, MARGIN)
    return replace(
        grid,
        stakes_ratio=np.concatenate([[best], grid.stakes_ratio]),
        weights_fraction=np.concatenate([[0.5], 0.5 * grid.weights_fraction]),
        falls_ratio=np.concatenate([[1.0], grid.falls_ratio]),
        words="half and half",
    )


def only_planned(plan: Plan) -> Bets:
    """All on the planned stake: the best where the plan is right, and no test where it is wrong."""
    best = min(best_stake_ratio(plan.chances, MARGIN), WORST_LOSS_FRACTION / MARGIN)
    return Bets(np.array([best]), np.ones(1), np.ones(1), MARGIN, "planned stake alone")


def chosen(plan: Plan) -> Bets:
    """What the product bets."""
    return planned_bets(MARGIN, plan.success, plan.ratio, plan.phi)


MIXTURES: Final[dict[str, Callable[[Plan], Bets]]] = {
    "plain grid": lambda _plan: plain_grid(MARGIN),
    "half and half": half_and_half,
    "chosen": chosen,
    "planned stake alone": only_planned,
}


def stops(truth: Plan, bets: Bets, cap: int, runs: int, seed: int, alpha: float = ALPHA) -> Floats:
    """Pairs until acceptance, infinite where there was none."""
    found = play(truth.chances.array, factors(bets), bets.weights_fraction, 1 / alpha, cap, runs, seed)
    return np.where(found > 1e17, np.inf, found)


def factors(bets: Bets, ratio: float = MARGIN) -> Floats:
    """What each kind of pair multiplies each bet by."""
    return 1.0 + np.outer(gains(ratio), bets.at(ratio))


def error(share: float, runs: int) -> str:
    """Two standard errors, in percent."""
    return f"+-{200 * math.sqrt(max(share * (1 - share), 1e-9) / runs):.1f}"


def table_exact(_runs: int) -> Iterator[Sequence[str]]:
    """Exact checks: ln e at 0.95 and the 95 % sequence, by the plain grid."""
    yield "counts", "ln e", "e", "lattice", "roots"
    for counts in (PairCounts(30, 70, 850, 50), PairCounts(12, 6, 76, 6)):
        ln_e = ln_e_value(counts, MARGIN, plain_grid(MARGIN))
        lattice, roots = ratio_sequence_on_lattice(counts, ALPHA), ratio_sequence(counts, ALPHA)
        cells = (counts.baseline_only_count, counts.neither_count, counts.both_count, counts.candidate_only_count)
        yield (
            str(cells),
            f"{ln_e:.4f}",
            f"{math.exp(ln_e):.5g}",
            f"{lattice.low}-{lattice.high}",
            f"{roots.low:.5f}-{roots.high:.5f}",
        )


def table_acceptance(runs: int) -> Iterator[Sequence[str]]:
    """False acceptance (%) of a candidate exactly at the margin, looked at after each of 5,000 pairs; planned 1.0."""
    yield "success / ratio / corr.", "plain grid", "half and half", "chosen", "+-", "z each pair", "z once at its size"
    z = 1.6448536269514722
    for success in (0.5, 0.9, 0.99):
        for phi in (0.0, 0.3, 0.6):
            truth, plan = Plan(success, MARGIN, phi), Plan(success, 1.0, phi)
            shown = []
            for at, name in enumerate(("plain grid", "half and half", "chosen")):
                share = np.isfinite(stops(truth, MIXTURES[name](plan), LOOKED_AT, runs, 11 + at)).mean()
                shown.append(f"{100 * share:.2f}")
            naive = play_z(truth.chances.array, gains(MARGIN), z, FIRST_LOOK, LOOKED_AT, min(runs, 4_000), 17)
            size = fixed_sample_pairs_count(plan.chances, MARGIN) or 0
            once = play_z(truth.chances.array, gains(MARGIN), z, size, size, 40_000, 19)
            real = truth.chances.correlation_fraction
            words = f"{success:g} / 0.95 / {real:.2g}"
            yield words, *shown, error(ALPHA, runs), f"{100 * naive:.1f}", f"{100 * once:.1f} (n {size})"
    for first, last in ((0.95, 0.6), (0.6, 0.95)):
        bets = chosen(Plan(0.9, 1.0, 0.0))
        share = play_drifting(first, last, MARGIN, factors(bets), bets.weights_fraction, 1 / ALPHA, LOOKED_AT, runs, 23)
        yield f"{first:g} drifting to {last:g}", "", "", f"{100 * share:.2f}", error(ALPHA, runs), "", ""


def table_sizes(runs: int) -> Iterator[Sequence[str]]:
    """Pairs over those of the fixed-sample z test (power 80 %), mean / 80 % of the runs; the plan is right."""
    yield "success / ratio / corr.", "z once", "exact once", *MIXTURES, "O'Brien-Fleming, 5 looks"
    looks = classic_looks(5, ALPHA)
    for plan in (
        *(Plan(0.9, 1.0, phi) for phi in (0.0, 0.3, 0.6)),
        *(Plan(0.9, 0.98, phi) for phi in (0.0, 0.3, 0.6)),
        Plan(0.5, 1.0, 0.3),
        Plan(0.5, 0.98, 0.3),
        Plan(0.99, 1.0, 0.3),
        Plan(0.99, 0.98, 0.3),
    ):
        fixed = fixed_sample_pairs_count(plan.chances, MARGIN) or 0
        cap = max(LOOKED_AT, CAP * fixed)
        shown = [ratios(stops(plan, make(plan), cap, runs, 31), cap, fixed) for make in MIXTURES.values()]
        sizes = look_sizes(looks, plan.chances, MARGIN)
        assert sizes is not None
        exact = exact_fixed_pairs(plan) / fixed
        yield str(plan), str(fixed), f"{exact:.2f}", *shown, f"{sizes.mean_ratio:.2f} / {sizes.largest_ratio:.2f}"


def exact_fixed_pairs(plan: Plan, draws: int = 40_000) -> int:
    """Least pairs for 80 % power of the z statistic when its critical value is such that the risk really is 5 %.

    Near a success of 1 the z statistic of few pairs is far from normal, and the z test takes more risk than it says.
    """
    rng = np.random.default_rng(37)
    null = Plan(plan.success, MARGIN, plan.phi).chances.array
    for count in np.unique(np.geomspace(10, 20_000, 400).astype(int)):
        under, over = (z_of(rng.multinomial(count, each, size=draws)) for each in (null, plan.chances.array))
        critical = np.quantile(under, 1 - ALPHA, method="higher")
        if (over > critical).mean() >= 0.8:
            return int(count)
    return 20_000


def z_of(counts: Floats) -> Floats:
    """The z statistic of each row of counts; without a spread it is as large as its sign says."""
    pairs = counts.sum(axis=1)
    mean, square = counts @ gains(MARGIN) / pairs, counts @ gains(MARGIN) ** 2 / pairs
    spread = np.sqrt(np.maximum(square - mean**2, 1e-12) / pairs)
    return np.asarray(mean / spread)


def table_wrong(runs: int) -> Iterator[Sequence[str]]:
    """The same where the plan is wrong, over the fixed sample of the truth; last column: bets that knew the truth."""
    yield (
        "planned",
        "true",
        "fixed",
        "plain grid",
        "half and half",
        "chosen",
        "planned stake alone",
        "chosen, right plan",
    )
    usual = Plan(0.9, 1.0, 0.3)
    for plan, truth in (
        (usual, Plan(0.9, 0.98, 0.3)),
        (usual, Plan(0.9, 0.97, 0.3)),
        (Plan(0.9, 0.98, 0.3), usual),
        (Plan(0.9, 1.05, 0.3), usual),
        (Plan(0.9, 1.0, 0.6), Plan(0.9, 1.0, 0.0)),
        (Plan(0.9, 1.0, 0.0), Plan(0.9, 1.0, 0.6)),
        (Plan(0.97, 1.0, 0.3), Plan(0.85, 1.0, 0.3)),
        (usual, Plan(0.97, 1.0, 0.6)),
        (usual, Plan(0.6, 1.0, 0.3)),
    ):
        fixed = fixed_sample_pairs_count(truth.chances, MARGIN) or 0
        cap = max(LOOKED_AT, CAP * fixed)
        shown = [ratios(stops(truth, make(plan), cap, runs, 41), cap, fixed) for make in MIXTURES.values()]
        right = ratios(stops(truth, chosen(truth), cap, runs, 41), cap, fixed)
        yield str(plan), str(truth), str(fixed), *shown, right


def ratios(found: Floats, cap: int, fixed: int) -> str:
    """Mean and 80 % point over the fixed sample; runs that do not stop are counted at the cap."""
    return f"{np.minimum(found, cap).mean() / fixed:.2f} / {min(point(found, 0.8), cap) / fixed:.2f}"


def point(found: Floats, share: float) -> float:
    """The number that this share of the runs does not exceed; infinite where so many have not stopped."""
    return float(np.quantile(found, share, method="inverted_cdf"))


def table_power(runs: int) -> Iterator[Sequence[str]]:
    """Accepted (%) by so many times the fixed sample of the plan 0.9 / 1.0 / 0.3 (367 pairs), by the true ratio."""
    spans = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
    yield "true ratio", *(f"{each:g} x" for each in spans), "z once at 1 x"
    plan = Plan(0.9, 1.0, 0.3)
    fixed = fixed_sample_pairs_count(plan.chances, MARGIN) or 0
    for ratio in (0.95, 0.96, 0.97, 0.98, 0.99, 1.0, 1.01, 1.02):
        truth = Plan(0.9, ratio, 0.3)
        found = stops(truth, chosen(plan), math.ceil(spans[-1] * fixed), runs, 53)
        z = fixed_sample_power_fraction(truth.chances, MARGIN, fixed)
        yield f"{ratio:g}", *(f"{100 * (found <= span * fixed).mean():.1f}" for span in spans), f"{100 * z:.1f}"


def table_guard(runs: int) -> Iterator[Sequence[str]]:
    """Early stop of bad candidates at alpha 0.01: pairs until then (median, 95 %); false stops (%) in 5,000 looks."""
    yield "success / corr.", "true ratio", "plain grid", "chosen"
    for success, phi in ((0.9, 0.3), (0.7, 0.3)):
        options = (plain_inferior_grid(MARGIN), planned_inferior_bets(MARGIN, success, phi))
        for ratio in (0.7, 0.8, 0.85, 0.9, MARGIN):
            found = [stops(Plan(success, ratio, phi), bets, LOOKED_AT, runs, 61, 0.01) for bets in options]
            if ratio == MARGIN:
                shown = [f"{100 * np.isfinite(each).mean():.2f} %" for each in found]
            else:
                shown = [f"{np.median(each):.0f} ({point(each, 0.95):.0f})" for each in found]
            yield f"{success:g} / {phi:g}", f"{ratio:g}", *shown


def table_coverage(runs: int) -> Iterator[Sequence[str]]:
    """Runs (%) in which the 95 % sequence of the ratio ever leaves the truth out in 5,000 looks, and its half width."""
    yield "success / ratio / corr.", "plain grids", "planned bets", "half width, n 500, 1,000, 5,000", "Wald, one look"
    for truth in (Plan(0.9, 1.0, 0.3), Plan(0.9, 0.95, 0.3), Plan(0.5, 1.0, 0.3), Plan(0.99, 0.98, 0.3)):
        planned = (
            planned_bets(MARGIN, truth.success, 1.0, truth.phi),
            planned_inferior_bets(MARGIN, truth.success, truth.phi),
        )
        missed = []
        for pair in ((plain_grid(MARGIN), plain_inferior_grid(MARGIN)), planned):
            sides = [
                play(
                    truth.chances.array,
                    factors(bets, truth.ratio),
                    bets.weights_fraction,
                    2 / ALPHA,
                    LOOKED_AT,
                    runs,
                    71,
                )
                for bets in pair
            ]
            missed.append(float(np.mean(np.minimum(*sides) < 1e17)))
        widths, walds = [], []
        for count in (500, 1_000, 5_000):
            counts = PairCounts(*(round(count * float(each)) for each in truth.chances.array))
            found = [ratio_sequence(counts, ALPHA), ratio_sequence(counts, ALPHA, *planned)]
            widths.append("/".join(f"{((each.high or 0) - (each.low or 0)) / 2:.4f}" for each in found))
            gain = gains(truth.ratio)
            spread = math.sqrt(float(truth.chances.array @ gain**2) / count)
            walds.append(f"{1.959964 * spread / truth.success:.4f}")
        yield str(truth), *(f"{100 * each:.2f}" for each in missed), ", ".join(widths), ", ".join(walds)


TABLES: Final = {
    "exact": table_exact,
    "acceptance": table_acceptance,
    "sizes": table_sizes,
    "wrong": table_wrong,
    "power": table_power,
    "guard": table_guard,
    "coverage": table_coverage,
}


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4_000)
    parser.add_argument("--table", choices=sorted(TABLES), action="append")
    asked = parser.parse_args()
    for name in asked.table or TABLES:
        began = time.perf_counter()
        table = TABLES[name]
        print(f"\n{name}: {(table.__doc__ or '').strip()} ({asked.runs:,} runs)\n", flush=True)
        for at, row in enumerate(table(asked.runs)):
            print("| " + " | ".join(row) + " |", flush=True)
            if not at:
                print("|" + " --- |" * len(row), flush=True)
        print(f"\n{time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
