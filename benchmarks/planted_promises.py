"""How often promises about outcomes hold in made-up worlds: a judge who flatters, floors by task, retries.

    python benchmarks/planted_promises.py                    all of it (some minutes of one core)
    python benchmarks/planted_promises.py --only judge --runs 100

The tables of docs/explanation/quality-floor.md and outcomes.md. Worlds, seeds and numbers of runs are fixed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from breakeven.learning.families import Capacities
from breakeven.learning.learn import Learnt, learn
from breakeven.learning.settings import LearnSettings
from breakeven.outcomes.item_success import fit_item_success
from breakeven.outcomes.outcome import SOURCES, Floats, OutcomeTable

TASKS = 8
SMALL = np.linspace(0.55, 0.93, TASKS)
LARGE = 0.92
BIAS = 0.10
FLOOR = 0.95
CAPACITY = 0.4
WORK = {"faq": (0.95, 0.95), "tagging": (0.9, 0.93), "chat": (0.7, 0.9)}
"""Task -> true success of the small and of the large model; contracts are added."""


def table_of(success: Floats, tasks: list[str]) -> OutcomeTable:
    """Outcomes of a small model and a large one at ten times its price, without prompts."""
    rows = len(success)
    return OutcomeTable(
        request_ids=tuple(map(str, range(rows))),
        models=("small", "large"),
        success=success,
        cost_usd=np.tile([1.0, 10.0], (rows, 1)),
        prompts=("",) * rows,
        groups={"task": tuple(tasks)},
    )


def judged(rows: int, gold: int, seed: int) -> OutcomeTable:
    """A judge calls so many of the small model's failures successes that its rate is ten points too high."""
    rng = np.random.default_rng(seed)
    of_row = rng.integers(TASKS, size=rows)
    truth = np.column_stack([rng.random(rows) < SMALL[of_row], rng.random(rows) < LARGE]).astype(float)
    kind = rng.random(rows) < np.minimum(BIAS / (1 - SMALL[of_row]), 1.0)
    said = np.column_stack([np.maximum(truth[:, 0], kind), truth[:, 1]])
    is_gold = np.zeros(rows, dtype=bool)
    is_gold[rng.permutation(rows)[:gold]] = True
    codes = np.where(is_gold[:, None], SOURCES.index("gold"), SOURCES.index("judge")).repeat(2, axis=1)
    table = table_of(np.where(is_gold[:, None], truth, said), [f"t{each}" for each in of_row])
    return replace(table, source_codes=codes.astype(np.int8), judged_success=said)


def goes_to(learnt: Learnt) -> dict[str, int]:
    """Task -> 0 where it goes to the small model, 1 where it stays with the large one."""
    choices, tasks = learnt.choices(learnt.draft.family.calibration)[0], np.array(learnt.calibration.tasks)
    return {str(task): int(choices[tasks == task][0]) for task in np.unique(tasks)}


def judge_table(runs: int) -> None:
    """Floors proven where a judge speaks, and by his word alone."""
    print("requests  gold  broken  promised  moved  broken by the judge's word alone")
    for rows, gold in ((1_500, 200), (1_500, 500), (3_000, 1_000)):
        found = []
        for seed in range(runs):
            table = judged(rows, gold, 10_000 + seed)
            settings = LearnSettings(quality_floor_ratio=FLOOR, reference="large", seed=seed)
            believed = replace(table, success=table.judged_success, source_codes=None, judged_success=None)
            ours, naive = learn(table, settings), learn(believed, settings)
            found.append([_below(ours), ours.floor.holds, ours.floor.moved_fraction, _below(naive)])
        broken, promised, moved, fooled = np.mean(found, axis=0)
        print(f"{rows:8} {gold:5} {broken:7.4f} {promised:9.3f} {moved:6.3f} {fooled:7.3f}", flush=True)


def _below(learnt: Learnt) -> bool:
    if not learnt.floor.holds:
        return False
    goes = goes_to(learnt)
    won = [SMALL[task] if goes.get(f"t{task}", 1) == 0 else LARGE for task in range(TASKS)]
    return bool(np.mean(won) / LARGE < FLOOR)


def floors_table(runs: int) -> None:
    """Floors by task beside one floor over everything."""
    print("requests  contracts keep  contract broken  others broken  moved  contracts moved  one floor moves contracts")
    for rows in (2_000, 8_000):
        for contract in ((0.95, 0.975), (0.968, 0.97)):
            work = {**WORK, "contract": contract}
            found = [_floors_run(rows, work, 50_000 + seed, seed) for seed in range(runs)]
            figures = "  ".join(f"{each:.3f}" for each in np.mean(found, axis=0))
            print(f"{rows:8}  {contract[0] / contract[1]:.3f}  {figures}", flush=True)


def _floors_run(rows: int, work: dict[str, tuple[float, float]], seed: int, split_seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    tasks = rng.choice(list(work), rows).tolist()
    table = table_of((rng.random((rows, 2)) < np.array([work[each] for each in tasks])).astype(float), tasks)
    settings = LearnSettings(reference="large", seed=split_seed)
    learnt, plain = learn(table, replace(settings, floor_by_task={"contract": 0.98})), learn(table, settings)
    goes = goes_to(learnt)
    others = [task for task in work if task != "contract"]
    kept = sum(work[each][goes[each]] for each in others) / sum(work[each][1] for each in others)
    moved = float(np.mean(learnt.choices(learnt.draft.family.calibration)[0] == 0))
    is_moved = goes["contract"] == 0
    below = is_moved and work["contract"][0] / work["contract"][1] < 0.98
    return [below, kept < FLOOR, moved, is_moved, goes_to(plain)["contract"] == 0]


def limits_table(runs: int) -> None:
    """Floors by task where the small model can take two requests in five."""
    print("requests  contracts keep  contract broken  others broken  small model  contracts moved  over capacity")
    for rows in (2_000, 8_000):
        for contract in ((0.95, 0.975), (0.968, 0.97)):
            work = {**WORK, "contract": contract}
            found = [_limits_run(rows, work, 70_000 + seed, seed) for seed in range(runs)]
            figures = "  ".join(f"{each:.3f}" for each in np.mean(found, axis=0))
            print(f"{rows:8}  {contract[0] / contract[1]:.3f}  {figures}", flush=True)


def _limits_run(rows: int, work: dict[str, tuple[float, float]], seed: int, split_seed: int) -> list[float]:
    """What became of the promises, by the shares that the policy gives, at the true rates and the true mix."""
    rng = np.random.default_rng(seed)
    tasks = rng.choice(list(work), rows).tolist()
    table = table_of((rng.random((rows, 2)) < np.array([work[each] for each in tasks])).astype(float), tasks)
    limits = Capacities({"small": CAPACITY})
    learnt = learn(
        table, LearnSettings(reference="large", seed=split_seed, floor_by_task={"contract": 0.98}, limits=limits)
    )
    shares = learnt.draft.family.shares or ()
    moved = {}
    for task in work:
        at = learnt.task_floors.get(task, learnt.floor).at
        moved[task] = 0.0 if at is None else shares[at][task,].get("small", 0.0)
    won = {task: work[task][1] + moved[task] * (work[task][0] - work[task][1]) for task in work}
    others = [task for task in work if task != "contract"]
    kept = sum(won[each] for each in others) / sum(work[each][1] for each in others)
    small = float(np.mean(list(moved.values())))
    error = 3 * np.sqrt(CAPACITY * (1 - CAPACITY) / learnt.train.requests_count)
    below = won["contract"] / work["contract"][1] < 0.98
    return [below, kept < FLOOR, small, moved["contract"], small > CAPACITY + error]


def retries_table(runs: int) -> None:
    """Intervals of the correlation from logs of retries that stop at the first success."""
    print("requests  success  correlation  covers  median  likeliest  width")
    for requests in (100, 400):
        for success in (0.6, 0.85):
            for correlation in (0.1, 0.35, 0.6, 0.85):
                rng = np.random.default_rng([requests, int(100 * success), int(100 * correlation)])
                found = [_retries_run(requests, success, correlation, rng) for _ in range(runs)]
                figures = "  ".join(f"{each:.3f}" for each in np.nanmean(found, axis=0))
                print(f"{requests:8}  {success:.2f}  {correlation:.2f}  {figures}", flush=True)


def _retries_run(requests: int, success: float, correlation: float, rng: np.random.Generator) -> list[float]:
    precision = 1 / correlation - 1
    won = rng.random((requests, 3)) < rng.beta(success * precision, (1 - success) * precision, requests)[:, None]
    tries = np.where(won.any(axis=1), won.argmax(axis=1) + 1, 3)
    item = fit_item_success(tries, won.any(axis=1).astype(float))
    known = item.correlation
    if known is None:
        return [np.nan] * 4
    inside = known.low_fraction <= correlation <= known.high_fraction
    return [inside, known.typical_fraction, item.correlation_fraction, known.high_fraction - known.low_fraction]


TABLES: dict[str, tuple[Callable[[int], None], int]] = {
    "judge": (judge_table, 400),
    "floors": (floors_table, 200),
    "limits": (limits_table, 100),
    "retries": (retries_table, 200),
}


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(TABLES), action="append")
    parser.add_argument("--runs", type=int, default=None)
    asked = parser.parse_args()
    for name in asked.only or TABLES:
        table, runs = TABLES[name]
        table(asked.runs or runs)


if __name__ == "__main__":
    main()
