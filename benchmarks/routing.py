"""What routers reach on public outcomes: every run of fixed folds and seeds, beside length, keywords, tasks and oracle.

    python benchmarks/routing.py                                  all of it (an hour of one core)
    python benchmarks/routing.py --sets gsm8k mmlu --seeds 1      a part
    python benchmarks/routing.py --ways given --out runs.jsonl    keeps each run; those kept are not run again

Four folds, with every task in equal parts or (left out) whole tasks; each request is predicted by a model that did not
see its fold. One setting for all sets. APGR and CPT are RouteLLM's, AIQ is RouterBench's, on the pooled predictions;
`apgr_centred` has each fold's mean prediction set alike, as pooling sets folds against each other.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from breakeven.learning.baselines import keyword_scores
from breakeven.learning.frontier import aiq, apgr, cpt, curve, measured, threshold_sweep
from breakeven.learning.group_rates import fit_group_rates
from breakeven.learning.isotonic import calibrated, cross_stepped
from breakeven.learning.nested import centred, scorer_pays, unseen_pays
from breakeven.learning.scorer import cross_fitted, cross_fitted_left_out, fit_scorer
from breakeven.learning.splits import mixed_folds, splits, task_folds
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable
from breakeven.routing.heads import SMALLEST_FRACTION

ROUTING = Path(__file__).parents[2] / "shared" / "data" / "routing"
FILES = {
    "gsm8k": "gsm8k_routellm",
    "mmlu": "mmlu_routellm",
    "nine": "llmrouter_9models",
    "routerbench": "routerbench_subset",
    "routerdc": "routerdc_7models",
}
PRICE_RATIO = 24.5
"""GPT-4 over Mixtral, as RouteLLM prices them."""
PARAMETERS = {
    "llama3-chatqa-1.5-8b": 8.0,
    "qwen2.5-7b-instruct": 7.6,
    "llama3-chatqa-1.5-70b": 70.0,
    "llama-3.1-nemotron-51b-instruct": 51.0,
    "mistral-7b-instruct-v0.3": 7.2,
    "gemma-2-9b-it": 9.2,
    "llama-3.1-8b-instruct": 8.0,
    "codegemma-7b": 8.5,
    "llama-3.3-nemotron-super-49b-v1": 49.0,
}
"""Billions: what a call costs where no price is known. The seven models of routerdc are of one size: each costs 1."""
FOLDS = 4
BINS = 10
"""As RouteLLM: deciles of the score. Chords under a curve that bends lie below it, so finer is a little more."""
FINE_BINS = 200
MARKS = {
    ("mmlu", "given"): ("apgr", 0.70),
    ("mmlu", "left out"): ("apgr", 0.61),
    ("gsm8k", "given"): ("apgr", 0.65),
    ("nine", "given"): ("aiq", 0.66),
    ("routerbench", "given"): ("aiq", 0.86),
    ("mmlu to gsm8k", "other set"): ("apgr", 0.598),
    ("gsm8k to mmlu", "other set"): ("apgr", 0.667),
}


def read(name: str) -> OutcomeTable:
    """A public set as a table."""
    csv.field_size_limit(10**9)
    with gzip.open(ROUTING / f"{FILES[name]}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    models = tuple(each.removeprefix("score__") for each in rows[0] if each.startswith("score__"))
    success = np.array([[float(row[f"score__{model}"]) for model in models] for row in rows])
    if f"cost__{models[0]}" in rows[0]:
        cost = np.array([[float(row[f"cost__{model}"]) for model in models] for row in rows])
    else:
        each = [PARAMETERS.get(model, PRICE_RATIO if model.startswith("gpt-4") else 1.0) for model in models]
        cost = np.tile(each, (len(rows), 1))
    return OutcomeTable(
        request_ids=tuple(row["id"] for row in rows),
        models=models,
        success=success,
        cost_usd=cost,
        prompts=tuple(row["prompt"] for row in rows),
        groups={"task": tuple(row["task"] for row in rows)},
        label=name,
    )


def figures(scores: Floats, table: OutcomeTable) -> dict[str, float]:
    """APGR, CPT50 and CPT80 of two models (strong first), AIQ, and the Brier score."""
    found = curve(scores, table.success, table.cost_usd)
    alone = table.cost_usd.mean(axis=0), table.success.mean(axis=0)
    result = {"aiq": float(aiq(found.cost_per_request, found.success_fraction, *alone))}
    result["brier"] = float(np.square(scores - table.success).mean())
    chance = np.clip(scores, SMALLEST_FRACTION, 1 - SMALLEST_FRACTION)
    result["log_loss"] = float(-(table.success * np.log(chance) + (1 - table.success) * np.log1p(-chance)).mean())
    if len(table.models) == 2:
        result |= pair_figures(scores[:, 0] - scores[:, 1], table)
    return result


def with_alike(scores: Floats, table: OutcomeTable, fold_of: Indexes) -> dict[str, float]:
    """The figures, and for two models APGR with the folds' means alike."""
    found = figures(scores, table)
    if len(table.models) == 2:
        alike = centred(scores, fold_of)
        found["apgr_centred"] = pair_figures(alike[:, 0] - alike[:, 1], table)["apgr"]
    return found


def pair_figures(wants_strong: Floats, table: OutcomeTable) -> dict[str, float]:
    """RouteLLM's figures of any score that says how much a request wants the strong model."""
    strong, weak = table.success.mean(axis=0)
    found = measured(threshold_sweep(wants_strong, 1, 0, BINS), table.success, table.cost_usd, "usd")
    share, success = found.shares[:, 0], found.success_fraction
    fine = measured(threshold_sweep(wants_strong, 1, 0, FINE_BINS), table.success, table.cost_usd, "usd")
    finely = float(apgr(fine.shares[:, 0], fine.success_fraction, weak, strong))
    half, most = (100 * float(cpt(share, success, weak, strong, np.array(part))) for part in (0.5, 0.8))
    tenths = float(apgr(share, success, weak, strong))
    return {"apgr": finely, "apgr_tenths": tenths, "cpt50": half, "cpt80": most}


def by_number(number: Floats, table: OutcomeTable, fold_of: Indexes) -> Floats:
    """Success by tenths of a number of the prompt, from the other folds."""
    found = np.zeros(table.success.shape)
    for split in splits(table, fold_of):
        edges = np.unique(np.quantile(number[split.train], np.linspace(0.1, 0.9, 9)))
        seen, asked = np.searchsorted(edges, number[split.train]), np.searchsorted(edges, number[split.test])
        rates = fit_group_rates(replace_groups(table.rows(split.train), seen))
        found[split.test] = rates.rates([(str(each),) for each in asked])
    return found


def replace_groups(table: OutcomeTable, groups: Indexes) -> OutcomeTable:
    """The same table with numbers for tasks."""
    return replace(table, groups={"task": tuple(str(each) for each in groups)})


def runs(name: str, way: str, seed: int) -> Iterator[tuple[str, dict[str, float]]]:
    """The routers of one set, way and seed."""
    whole = read(name)
    table = whole.without("task") if way == "hidden" else whole
    fold_of = task_folds(whole, FOLDS, seed) if way == "left out" else mixed_folds(whole, FOLDS, seed)
    began = time.process_time()
    if way == "left out":
        found = cross_fitted_left_out(table, fold_of, seed)
        scores = found.with_residual
    else:
        scores = cross_fitted(table, fold_of, seed, "scorer")
    took = {"cpu_s": time.process_time() - began}
    yield "scorer", with_alike(scores, table, fold_of) | took
    if way == "left out":
        yield "scorer without residual", with_alike(found.plain, table, fold_of)
    steps = calibrated(scores, table.success, fold_of, table.models)
    yield "scorer, calibrated", figures(steps.scores, table) | {"models": sum(each.used for each in steps.trials)}
    every = [cross_stepped(scores[:, at], table.success[:, at], fold_of) for at in range(len(table.models))]
    yield "scorer, calibrated in any case", figures(np.stack(every, axis=1), table)
    yield "group rates", figures(cross_fitted(table, fold_of, seed, "groups"), table)
    if seed == 0:
        yield from others(whole, fold_of)


def others(whole: OutcomeTable, fold_of: Indexes) -> Iterator[tuple[str, dict[str, float]]]:
    """Baselines that hardly depend on the folds."""
    rng = np.random.default_rng(0)
    numbers = {
        "prompt length": np.array([float(len(each)) for each in whole.prompts]),
        "keywords": keyword_scores(whole.prompts),
        "random": rng.random(whole.requests_count),
    }
    for label, number in numbers.items():
        found = figures(by_number(number, whole, fold_of), whole)
        yield label, found | (pair_figures(number, whole) if len(whole.models) == 2 else {})
    yield "single models, mixed", figures(np.tile(whole.success.mean(axis=0), (whole.requests_count, 1)), whole)
    yield "oracle", figures(whole.success, whole)


def transfer(learnt: str, judged: str, seed: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Learnt on one set, judged on another."""
    table, other = read(learnt), read(judged)
    fitted = fit_scorer(table, fit_group_rates(table), seed)
    yield "scorer", figures(fitted.predict(other), other)
    fold_of = mixed_folds(table, FOLDS, seed)
    steps = calibrated(cross_fitted(table, fold_of, seed, "scorer"), table.success, fold_of, table.models)
    stepped = replace(fitted, scorer=replace(fitted.scorer, calibration=steps.calibration))
    used = {"models": sum(each.used for each in steps.trials)}
    yield "scorer, calibrated", figures(stepped.predict(other), other) | used
    yield "prompt length", pair_figures(np.array([float(len(each)) for each in other.prompts]), other)


def promotions(name: str, seed: int) -> Iterator[tuple[str, dict[str, float]]]:
    """What `learn` decides: does the scorer pay beside the groups, and on unseen tasks."""
    table = read(name)
    for label, found in (("scorer pays", scorer_pays(table, seed)), ("unseen pays", unseen_pays(table, seed))):
        gain = {"gain": found.gain_fraction, "low": found.low_fraction, "high": found.high_fraction}
        yield label, {key: np.nan if each is None else each for key, each in gain.items()} | {"yes": found.promoted}


def summary(lines: list[dict[str, object]]) -> None:
    """Mean over seeds of every router, with each run."""
    groups: dict[tuple[str, str, str], list[dict[str, float]]] = {}
    for line in lines:
        key = (str(line["set"]), str(line["way"]), str(line["router"]))
        groups.setdefault(key, []).append(line["figures"])  # type: ignore[arg-type]
    for (name, way, router), found in groups.items():
        mark = MARKS.get((name, way))
        shown = [f"{key} {np.mean([each[key] for each in found]):.4f}" for key in found[0]]
        print(f"{name:16} {way:9} {router:30} n={len(found)}  " + "  ".join(shown))
        if mark and router.startswith("scorer"):
            each = [run[mark[0]] for run in found]
            verdict = "reached" if np.mean(each) >= mark[1] else "missed"
            print(f"{'':27}runs {' '.join(f'{value:.4f}' for value in each)}: mark {mark[1]} {verdict}")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(FILES), choices=list(FILES))
    parser.add_argument(
        "--ways", nargs="+", default=["given", "hidden", "left out", "other set", "promotion"], help="of these five"
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0, help="other dealings of the folds")
    parser.add_argument("--out", type=Path, default=None)
    asked = parser.parse_args()
    lines = (
        [json.loads(each) for each in asked.out.read_text().splitlines()] if asked.out and asked.out.exists() else []
    )
    done = {(line["set"], line["way"], line["seed"]) for line in lines}
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        for name, way, found in jobs(asked.sets, asked.ways, seed):
            if (name, way, seed) in done:
                continue
            for router, values in found:
                line = {"set": name, "way": way, "seed": seed, "router": router, "figures": values}
                lines.append(line)
                print(json.dumps(line), file=sys.stderr, flush=True)
                if asked.out:
                    with asked.out.open("a") as file:
                        file.write(json.dumps(line) + "\n")
    summary(lines)


def jobs(
    sets: list[str], ways: list[str], seed: int
) -> Iterator[tuple[str, str, Iterator[tuple[str, dict[str, float]]]]]:
    """Every set in every way that it has."""
    for name in sets:
        for way in ways:
            if way == "other set":
                other = {"gsm8k": "mmlu", "mmlu": "gsm8k"}.get(name)
                if other:
                    yield f"{name} to {other}", way, transfer(name, other, seed)
            elif way == "promotion":
                yield name, way, promotions(name, seed)
            elif way == "given" or name in ("mmlu", "nine", "routerdc"):
                yield name, way, runs(name, way, seed)


if __name__ == "__main__":
    main()
