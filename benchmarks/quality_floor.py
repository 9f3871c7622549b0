"""How often a promised quality floor is broken, and how much traffic moves: bounds side by side, by simulation.

Three truths. *planted*: two models whose success is a formula of a known hardness, so the ratio of every setting is an
integral. *pool*: MMLU rows (RouteLLM) that the scorer never saw are taken for the whole population; calibration rows
are drawn from them with replacement, and the ratio over the pool is the truth. *split*: calibration rows without
replacement, judged on the rest of the pool; the rest is a sample too, whose own noise adds apparent violations to any
exact method (errors wider by sqrt(1 + n_cal / n_rest)); `product, next N` promises for so many requests.

    python benchmarks/quality_floor.py --runs 400            # the table of docs/explanation/quality-floor.md
    python benchmarks/quality_floor.py --runs 40 --truth pool
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import beta, norm

from breakeven.learning.betting import Flags
from breakeven.learning.frontier import Sweep
from breakeven.learning.group_rates import fit_group_rates
from breakeven.learning.quality_floor import (
    Expected,
    choose,
    expected,
    gains,
    leaving_margins,
    margin_sweep,
    margins_between,
)
from breakeven.learning.scorer import cross_fitted, fit_scorer
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable
from breakeven.outcomes.reading import read_outcomes

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "routing" / "mmlu_routellm.csv.gz"
ALPHA = 0.05
CHEAP, DEAR = 0, 1
USD = np.array([1.0, 20.0])
SETTINGS = 50


@dataclass(frozen=True)
class Tested:
    """What a bound sees."""

    gained: Floats
    choices: Indexes
    success: Floats
    floor: float


@dataclass(frozen=True)
class Draw:
    """One calibration sample, and the truth about every setting."""

    sweep: Sweep
    success: Floats
    ratio: Floats
    moved: Floats
    judged_count: int | None = None
    """Rows that the truth is counted on; None for a population."""


# --- bounds: for each setting, whether its mean gain is shown to be above zero ---------------------------------------


def naive(t: Tested) -> Flags:
    return t.gained.mean(axis=0) >= 0


def clt(t: Tested) -> Flags:
    return t.gained.mean(axis=0) > norm.ppf(1 - ALPHA) * t.gained.std(axis=0) / np.sqrt(len(t.gained))


def empirical_bernstein(t: Tested) -> Flags:
    """Maurer and Pontil 2009, range 1 + floor."""
    n, log = len(t.gained), np.log(2 / ALPHA)
    spread = np.sqrt(2 * t.gained.var(axis=0, ddof=1) * log / n) + 7 * (1 + t.floor) * log / (3 * (n - 1))
    return t.gained.mean(axis=0) > spread


def clopper_pearson(t: Tested) -> Flags:
    """Upper bound of "lost where the reference succeeded" against a lower bound of the reference's success."""
    n = len(t.success)
    chosen = t.success[np.arange(n)[:, None], t.choices.T]
    lost = ((chosen == 0) & (t.success[:, [DEAR]] == 1)).sum(axis=0)
    won = t.success[:, DEAR].sum()
    upper = beta.ppf(1 - ALPHA / 2, lost + 1, n - lost)
    lower = beta.ppf(ALPHA / 2, won, n - won + 1) if won else 0.0
    return upper <= (1 - t.floor) * lower


def wsr(t: Tested) -> Flags:
    """Waudby-Smith and Ramdas: predictable plug-in bets for a fixed number of outcomes, largest wealth on the way."""
    n = len(t.gained)
    scaled = (t.gained + t.floor) / (1 + t.floor)
    zero = t.floor / (1 + t.floor)
    steps = np.arange(1, n + 1)[:, None]
    mean = (0.5 + np.cumsum(scaled, axis=0)) / (steps + 1)
    square = (0.25 + np.cumsum((scaled - mean) ** 2, axis=0)) / (steps + 1)
    before = np.vstack([np.full((1, t.gained.shape[1]), 0.25), square[:-1]])
    stake = np.minimum(np.sqrt(2 * np.log(1 / ALPHA) / (n * before)), 0.75 / zero)
    return np.cumsum(np.log1p(stake * (scaled - zero)), axis=0).max(axis=0) >= np.log(1 / ALPHA)


BOUNDS: dict[str, Callable[[Tested], Flags]] = {
    "naive": naive,
    "CLT": clt,
    "empirical Bernstein": empirical_bernstein,
    "Clopper-Pearson": clopper_pearson,
    "WSR betting": wsr,
}
PRODUCT = "product"
FUTURE = "product, next N"


# --- truths -----------------------------------------------------------------------------------------------------------


def planted_success(hard: Floats, rng: np.random.Generator) -> Floats:
    """The dear model succeeds at 0.8; the cheap one shares its luck in half of the requests and loses the hard ones."""
    luck, own, shared = rng.random(len(hard)), rng.random(len(hard)), rng.random(len(hard)) < 0.5
    cheap = np.where(shared, luck, own) < 0.8 - 0.4 * hard**2
    return np.column_stack([cheap, luck < 0.8]).astype(float)


def planted(calibration: int, floor: float, seed: int) -> tuple[Iterator[Draw], Expected]:
    edges = np.arange(1, SETTINGS + 1) / SETTINGS
    ratio = 1 - 0.4 * edges**3 / 3 / 0.8

    def swept(hard: Floats) -> Sweep:
        return Sweep(edges, np.where(hard[None, :] <= edges[:, None], CHEAP, DEAR))

    def draws() -> Iterator[Draw]:
        rng = np.random.default_rng(seed)
        while True:
            hard = rng.random(calibration)
            yield Draw(swept(hard), planted_success(hard, rng), ratio, edges)

    rng = np.random.default_rng(12345)
    hard = rng.random(4000)
    return draws(), expected(swept(hard).choices, planted_success(hard, rng), DEAR, floor)


@dataclass(frozen=True)
class Mmlu:
    """Scores by a scorer fixed on 4,000 rows; the other rows are the pool."""

    train_scores: Floats
    train: OutcomeTable
    pool_scores: Floats
    pool: OutcomeTable


def mmlu() -> Mmlu:
    table = read_outcomes(DATA).table
    table = table.of_models(("mixtral-8x7b-instruct", "gpt-4-1106-preview"))
    order = np.random.default_rng(0).permutation(table.requests_count)
    train, pool = table.rows(order[:4000]), table.rows(order[4000:])
    scorer = fit_scorer(train, fit_group_rates(train), seed=0)
    return Mmlu(cross_fitted(train, 4, 0, "scorer"), train, scorer.predict(pool), pool)


def of_mmlu(data: Mmlu, replace: bool, calibration: int, floor: float, seed: int) -> tuple[Iterator[Draw], Expected]:
    margins = margins_between(leaving_margins(data.train_scores, USD, DEAR), SETTINGS)
    known = expected(margin_sweep(data.train_scores, USD, DEAR, margins).choices, data.train.success, DEAR, floor)
    choices = margin_sweep(data.pool_scores, USD, DEAR, margins).choices
    success, rows = data.pool.success, len(data.pool_scores)

    def truth(among: Indexes) -> tuple[Floats, Floats]:
        won = success[among[None, :], choices[:, among]].mean(axis=1)
        return won / success[among, DEAR].mean(), (choices[:, among] == CHEAP).mean(axis=1)

    def draws() -> Iterator[Draw]:
        rng = np.random.default_rng(seed)
        ratio, moved = truth(np.arange(rows))
        while True:
            if replace:
                drawn = rng.integers(0, rows, calibration)
            else:
                order = rng.permutation(rows)
                drawn = order[:calibration]
                ratio, moved = truth(order[calibration:])
            judged = None if replace else rows - calibration
            yield Draw(Sweep(margins, choices[:, drawn]), success[drawn], ratio, moved, judged)

    return draws(), known


# --- the table --------------------------------------------------------------------------------------------------------


def simulate(draws: Iterator[Draw], learnt: Expected, floor: float, runs: int) -> dict[str, tuple[float, float]]:
    """Violations and mean share of traffic moved, by bound."""
    broken, moved = (
        dict.fromkeys([*BOUNDS, PRODUCT, FUTURE], 0.0),
        dict.fromkeys([*BOUNDS, PRODUCT, FUTURE, "best possible"], 0.0),
    )
    for run in range(runs):
        draw = next(draws)
        gained = gains(draw.sweep.choices, draw.success, DEAR, floor)
        for name, bound in BOUNDS.items():
            shown = bound(Tested(gained, draw.sweep.choices, draw.success, floor))
            last = np.flatnonzero(shown)[-1:] if name == "naive" else np.arange(first_false(shown))[-1:]
            for at in last:
                broken[name] += draw.ratio[at] < floor
                moved[name] += draw.moved[at]
        asked = {PRODUCT: None} if draw.judged_count is None else {PRODUCT: None, FUTURE: draw.judged_count}
        for name, future in asked.items():
            found = choose(draw.sweep, draw.success, DEAR, floor, 1 - ALPHA, run, learnt, future)
            if found.at is not None:
                broken[name] += draw.ratio[found.at] < floor
                moved[name] += draw.moved[found.at]
        moved["best possible"] += draw.moved[draw.ratio >= floor].max(initial=0.0)
    return {name: (broken.get(name, 0.0) / runs, share / runs) for name, share in moved.items()}


def first_false(shown: Flags) -> int:
    return len(shown) if shown.all() else int(np.argmin(shown))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--truth", choices=["planted", "pool", "split"], action="append")
    parser.add_argument("--seed", type=int, default=20261126)
    arguments = parser.parse_args()
    truths = arguments.truth or ["planted", "pool", "split"]
    data = mmlu() if set(truths) & {"pool", "split"} else None
    names = [*BOUNDS, PRODUCT, FUTURE, "best possible"]
    print(f"violations / share of traffic moved; {arguments.runs} runs each, promise: at most {ALPHA:.0%} violations")
    print(f"(Monte Carlo: 5 % is 5 +- {196 * np.sqrt(ALPHA * (1 - ALPHA) / arguments.runs):.1f} % at 95 %)\n")
    print("| truth | floor | n_cal | " + " | ".join(names) + " | s |")
    print("|---" * (len(names) + 4) + "|")
    for truth in truths:
        for floor in (0.95, 0.98):
            for calibration in (300, 1000, 2000 if truth == "split" else 3000):
                start = time.perf_counter()
                if truth == "planted":
                    draws, known = planted(calibration, floor, arguments.seed)
                else:
                    assert data is not None
                    draws, known = of_mmlu(data, truth == "pool", calibration, floor, arguments.seed)
                found = simulate(draws, known, floor, arguments.runs)
                cells = [f"{100 * found[name][0]:.1f} % / {found[name][1]:.3f}" for name in names[:-1]]
                if truth != "split":
                    cells[-1] = "as product"
                cells.append(f"{found['best possible'][1]:.3f}")
                spent = time.perf_counter() - start
                print(f"| {truth} | {floor} | {calibration} | " + " | ".join(cells) + f" | {spent:.0f} |", flush=True)


if __name__ == "__main__":
    main()
