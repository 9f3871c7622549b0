"""How long one routing decision takes, part by part, beside a regex scorer and scikit-learn on the same prompts.

    python benchmarks/routing_decision.py                two models
    python benchmarks/routing_decision.py --models 11

Prompts are word-like texts of 2 KB (also 100 KB and 1 MB), drawn with a seed. The scorer is as large as a learnt one:
5,000 prompts, all their terms that occur twice, the forest that learning fits (on made-up outcomes), and, for the last
rows, all prompts in a bank.
One call at a time, one thread. `wall` is what a caller waits on this machine now, `cpu` is the thread's own time; p5
is what a call takes while no other program takes its caches.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from breakeven.learning.heads import fit_forest, forest_inputs
from breakeven.routing.features import SURFACE_COUNT, hashed_terms, prompt_features, surface_features, surface_matrix
from breakeven.routing.forest import ForestHead
from breakeven.routing.heads import LinearHead, NeighboursHead
from breakeven.routing.policy import Kind
from breakeven.routing.policy_document import GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.policy_file import LoadedPolicy, load, save
from breakeven.routing.request import RouteRequest
from breakeven.routing.scorer import Calibration, Novelty, Scorer
from breakeven.routing.term_weights import TermWeights
from breakeven.routing.words import capped, words_of

BANK_ROWS = 5_000
WORDS = 30_000
REGEXES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(prove|derive|theorem|integral|matrix)\b",
        r"\b(step by step|think|reason|explain why)\b",
        r"\b(def|class|function|import|return|async|await)\b",
        r"\b(what|who|when|where|define|list)\b",
        r"\b(architecture|distributed|kubernetes|latency|throughput)\b",
        r"\b(first|second|then|finally|next)\b",
        r"\b(must|should|at least|at most|no more than)\b",
    )
]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    wall_us: np.ndarray
    cpu_us: np.ndarray


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--models", type=int, default=2)
    arguments.add_argument("--calls", type=int, default=2_000)
    options = arguments.parse_args()
    rng = np.random.default_rng(0)
    vocabulary, weights = words_and_weights(rng)

    def text(characters: int) -> str:
        count = characters // 5 + 10
        return " ".join(rng.choice(vocabulary, count, p=weights))[:characters]

    prompts = [text(2048) for _ in range(200)]
    bank = [text(int(rng.integers(100, 900))) for _ in range(BANK_ROWS)]
    scorer = scorer_of_size(options.models, bank, rng)
    table = [
        *parts(scorer, prompts, options.calls),
        *decisions(scorer, prompts, text(100_000), text(1_000_000), options.calls),
        *baselines(prompts, bank, rng, options.calls),
    ]
    print(f"{options.models} models, 2 KB prompts, {options.calls:,} calls, one at a time; microseconds")
    print(f"{'':44}{'wall p50':>9}{'p99':>9}{'cpu p5':>9}{'p50':>9}{'p99':>9}")
    for row in table:
        figures = [*np.percentile(row.wall_us, [50, 99]), *np.percentile(row.cpu_us, [5, 50, 99])]
        print(f"{row.name:44}" + "".join(f"{figure:9.1f}" for figure in figures))


def words_and_weights(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Made-up words of 2 to 11 letters, used as often as natural ones (Zipf)."""
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
    words = ["".join(rng.choice(letters, size)) for size in rng.integers(2, 12, WORDS)]
    weights = 1 / np.arange(1, WORDS + 1)
    return np.array(words), weights / weights.sum()


def scorer_of_size(models: int, bank: list[str], rng: np.random.Generator) -> Scorer:
    """A scorer as large as a learnt one."""
    rows = [hashed_terms(each) for each in bank]
    columns, seen_in = np.unique(np.concatenate([each.indexes for each in rows]), return_counts=True)
    kept = seen_in >= 2
    idf = (np.log((1 + len(bank)) / (1 + seen_in[kept])) + 1).astype(np.float32)
    terms = TermWeights(columns[kept].astype(np.uint32), idf)
    names = tuple(f"model-{at}" for at in range(models))
    return Scorer(
        models=names,
        terms=terms,
        blend={"linear": 0.2, "forest": 0.8, "neighbours": 0.2},
        linear=LinearHead(
            term_weights=rng.normal(size=(terms.columns.size, models)).astype(np.float32),
            surface_weights=rng.normal(size=(SURFACE_COUNT, models)),
            surface_mean=np.zeros(SURFACE_COUNT),
            surface_scale=np.ones(SURFACE_COUNT),
            group_weights=np.ones(models),
            intercepts=np.zeros(models),
        ),
        neighbours=bank_of(terms, rows, models, rng),
        forest=forest_of(terms, bank, models, rng),
        calibration=Calibration(*(np.tile(np.linspace(0, 1, 20), (models, 1)) for _ in range(2))),
        novelty=Novelty("bank", 0.99),
    )


def bank_of(terms: TermWeights, rows: list[Any], models: int, rng: np.random.Generator) -> NeighboursHead:
    """Postings of the bank's rows."""
    weighed = [terms.weigh(each) for each in rows]
    row = np.concatenate([np.full(each.rows.size, at, np.int32) for at, each in enumerate(weighed)])
    term = np.concatenate([each.rows for each in weighed])
    order = np.lexsort((row, term))
    return NeighboursHead(
        offsets=np.concatenate([[0], np.cumsum(np.bincount(term, minlength=terms.columns.size))]).astype(np.int64),
        rows=row[order],
        weights=np.concatenate([each.weights for each in weighed])[order],
        outcomes=rng.integers(0, 2, (len(rows), models)).astype(np.float32),
        neighbours_count=50,
        prior_ratio=0.5,
    )


def forest_of(terms: TermWeights, bank: list[str], models: int, rng: np.random.Generator) -> ForestHead:
    """The forest that learning fits, on outcomes that depend on the surface a little."""
    surface = surface_matrix(bank)
    sums = rng.normal(size=(len(bank), models))
    chance = 1 / (1 + np.exp(-(surface[:, :1] - surface[:, :1].mean() + rng.normal(size=(len(bank), models)))))
    success = (rng.random(chance.shape) < chance).astype(np.float64)
    rates = np.full(chance.shape, 0.5)
    weights = rng.normal(size=(terms.columns.size, models)).astype(np.float32)
    return fit_forest(forest_inputs(surface, rates, sums), success, rates, weights, seed=0)


def timed(name: str, calls: int, call: Callable[[Any], object], arguments: list[Any]) -> Row:
    """Times of single calls, over the arguments in turn."""
    for each in arguments[:50]:
        call(each)
    wall, cpu = np.empty(calls), np.empty(calls)
    for at in range(calls):
        argument = arguments[at % len(arguments)]
        cpu_start, start = time.thread_time_ns(), time.perf_counter_ns()
        call(argument)
        wall[at] = time.perf_counter_ns() - start
        cpu[at] = time.thread_time_ns() - cpu_start
    return Row(name, wall / 1e3, cpu / 1e3)


def parts(scorer: Scorer, prompts: list[str], calls: int) -> list[Row]:
    """What a scored decision is made of."""
    rates = np.full(len(scorer.models), 0.7)
    features = [prompt_features(each) for each in prompts]
    seen = [scorer.see(each, rates) for each in features]
    heads = scorer.heads()
    calibration = scorer.calibration
    assert calibration is not None and scorer.neighbours is not None
    return [
        timed("part: cap at 4 KB", calls, capped, prompts),
        timed("part: cut into words, hashed", calls, words_of, [capped(each) for each in prompts]),
        timed("part: words + surface features", calls, surface_features, prompts),
        timed("part: words + terms", calls, hashed_terms, prompts),
        timed("part: all features, one reading", calls, prompt_features, prompts),
        timed("part: weigh terms", calls, scorer.terms.weigh, [each.terms for each in features]),
        timed("part: similarity to 5,000 rows", calls, scorer.neighbours.similarities, [each.terms for each in seen]),
        *(timed(f"head: {name}", calls, head.success, seen) for name, head in heads.items()),
        timed("part: calibrate", calls, calibration.apply, [rates]),
    ]


def decisions(scorer: Scorer, prompts: list[str], long: str, longest: str, calls: int) -> list[Row]:
    """Whole decisions of policies that were written and read back."""
    few = max(calls // 4, 1)
    blend = {"linear": 0.2, "forest": 0.8}
    plain = replace(scorer, neighbours=None, blend=blend, novelty=Novelty("terms", 0.99))
    one_head = policy("threshold", replace(plain, forest=None, blend={"linear": 1.0}), scorer.models)
    learnt, all_heads = policy("threshold", plain, scorer.models), policy("threshold", scorer, scorer.models)
    task_map = policy("task_map", None, scorer.models)
    requests = [RouteRequest(each, {"task": f"task {at % 50}"}) for at, each in enumerate(prompts)]
    return [
        timed("decide: task map (50 tasks), the default", calls, task_map.decide, requests),
        timed("decide: linear head", calls, one_head.decide, requests),
        timed("decide: linear + forest, as learnt", calls, learnt.decide, requests),
        timed("decide: linear + forest, 100 KB prompt", few, learnt.decide, [RouteRequest(long)]),
        timed("decide: linear + forest, 1 MB prompt", few, learnt.decide, [RouteRequest(longest)]),
        timed("decide: linear + forest + neighbours", calls, all_heads.decide, requests),
        timed("decide: all three, 100 KB prompt", few, all_heads.decide, [RouteRequest(long)]),
        timed("decide: task map, 1 MB prompt", few, task_map.decide, [RouteRequest(longest, {"task": "task 1"})]),
    ]


def policy(kind: Kind, scorer: Scorer | None, models: tuple[str, ...]) -> LoadedPolicy:
    """A policy with 50 tasks, through a file."""
    rates = {name: 0.6 + 0.3 * at / len(models) for at, name in enumerate(models)}
    groups = [GroupChoice((f"task {at}",), models[at % len(models)], rates) for at in range(50)]
    document = PolicyDocument(
        kind=kind,
        models=tuple(PricedModel(name, usd_per_request=0.001 * 2**at) for at, name in enumerate(models)),
        default_model=models[-1],
        groups=(GroupChoice((), models[-1], rates), *groups),
        value_usd_per_success=0.05,
        scorer=scorer,
    )
    with tempfile.TemporaryDirectory() as folder:
        save(document, Path(folder))
        return load(Path(folder))


def baselines(prompts: list[str], bank: list[str], rng: np.random.Generator, calls: int) -> list[Row]:
    """What others do with a prompt: count keywords, or scikit-learn's hashing and logistic regression."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression

    hashing = HashingVectorizer(n_features=2**18, ngram_range=(1, 2))
    fitted = LogisticRegression(max_iter=50).fit(hashing.transform(bank[:1000]), rng.integers(0, 2, 1000))
    return [
        timed("baseline: 7 regexes", calls, lambda prompt: sum(len(each.findall(prompt)) for each in REGEXES), prompts),
        timed(
            "baseline: sklearn hashing + LR, one head",
            calls,
            lambda prompt: fitted.predict_proba(hashing.transform([prompt])),
            prompts,
        ),
    ]


if __name__ == "__main__":
    main()
