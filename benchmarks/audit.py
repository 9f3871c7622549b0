"""How well the audit finds tasks, and whether its intervals hold: planted truth, and public questions by task.

    python benchmarks/audit.py                 all of it
    python benchmarks/audit.py --calls 20000   larger planted logs

Nothing is fitted to the public sets: their task column is hidden from the audit and only scores it. They are questions
of benchmarks, raw or behind one template, not the traffic of a team.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
from scipy.special import ndtr
from sklearn.metrics import adjusted_rand_score, v_measure_score

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from audit.planted import planted_prompts  # noqa: E402
from breakeven.audit.clusters import cluster  # noqa: E402
from breakeven.audit.commodity import simulate, spend_fraction  # noqa: E402
from breakeven.audit.judging import CORRELATION, HARD_CALL_COST  # noqa: E402
from breakeven.audit.suitability import TaskEvidence, interval, posterior, priors  # noqa: E402
from breakeven.audit.task import KINDS, Kind  # noqa: E402
from breakeven.audit.templates import mine  # noqa: E402
from breakeven.catalog.load import load_catalog  # noqa: E402
from breakeven.facts.distribution import quantile  # noqa: E402
from breakeven.usage.features import Hasher, features  # noqa: E402
from breakeven.usage.prompts.conversation import conversation  # noqa: E402

ROUTING = ROOT.parent / "shared" / "data" / "routing"
SETS = ("llmrouter_9models", "routerdc_7models", "mmlu_routellm", "routerbench_subset")


def hashed(prompts: list[str]) -> tuple[list[list[int]], list[list[int]]]:
    """Words and terms of prompts, as the store keeps them."""
    hasher = Hasher()
    found = [features(conversation(each), hasher) for each in prompts]
    return [list(each.prompt_words) for each in found], [list(each.prompt_terms) for each in found]


def planted(calls_count: int, seeds_count: int) -> None:
    """Templates against the planted ones."""
    print(f"\nPlanted templates, {calls_count:,} calls, 10 % written by people")
    for seed in range(seeds_count):
        log = planted_prompts(seed, calls_count)
        words, _ = hashed(log.prompts)
        began = time.perf_counter()
        found = mine(words)
        spent = time.perf_counter() - began
        truth = np.array(log.template_of)
        made = truth >= 0
        print(
            f"  seed {seed}: {len(found.templates)} templates, cover {found.coverage_fraction:.1%}, "
            f"ARI {adjusted_rand_score(truth, found.template_of):.3f} (of templated calls "
            f"{adjusted_rand_score(truth[made], found.template_of[made]):.3f}), {spent:.2f} s"
        )


def public() -> None:
    """Tasks of public sets, hidden: templates first, clusters of the rest."""
    print("\nPublic sets, task hidden (templates, then clusters of the rest)")
    for name in SETS:
        path = ROUTING / f"{name}.csv.gz"
        if not path.exists():
            print(f"  {name}: not here")
            continue
        csv.field_size_limit(1 << 24)
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = [(row["prompt"], row["task"]) for row in csv.DictReader(file)]
        words, terms = hashed([prompt for prompt, _ in rows])
        began = time.perf_counter()
        templates = mine(words)
        groups = templates.template_of.copy()
        rest = np.flatnonzero(groups < 0)
        found = cluster([terms[at] for at in rest], 0) if rest.size else None
        if found is not None:
            placed = found.cluster_of
            groups[rest] = np.where(placed >= 0, placed + len(templates.templates), -1)
        score([task for _, task in rows], groups, name, templates.coverage_fraction, time.perf_counter() - began)
        if found is not None:
            agree = f"{found.agreement_fraction:.0%}"
            print(f"    {found.clusters_count} clusters; weights of terms agree with k-means on {agree}")


def score(tasks: list[str], groups: np.ndarray, name: str, coverage: float, spent: float) -> None:
    """One line of figures."""
    best = sum(
        Counter(tasks[at] for at in np.flatnonzero(groups == group)).most_common(1)[0][1] for group in set(groups)
    )
    print(
        f"  {name}: {len(tasks):,} questions, {len(set(tasks))} tasks, {len(set(groups))} groups; templates cover "
        f"{coverage:.0%}; purity {best / len(tasks):.3f}, ARI {adjusted_rand_score(tasks, groups):.3f}, "
        f"V {v_measure_score(tasks, groups):.3f}; {spent:.1f} s"
    )


def coverage(logs_count: int) -> None:
    """How often the 80 % interval of the share holds the planted truth, by labels per task."""
    facts = load_catalog(date(2026, 11, 25)).assumptions
    prior, rho = priors(facts), facts[CORRELATION].typical
    print(f"\nCoverage of the 80 % interval of the total, {logs_count} planted logs of 8 tasks (truth from the prior)")
    for labels_count in (0, 3, 10, 40):
        rng = np.random.default_rng([1, labels_count])
        held_calls = held_spend = 0
        widths = []
        for _ in range(logs_count):
            kinds: list[Kind] = [KINDS[at] for at in rng.integers(len(KINDS), size=8)]
            share = rng.dirichlet(np.full(8, 0.7))
            z = np.sqrt(rho) * rng.standard_normal() + np.sqrt(1 - rho) * rng.standard_normal(8)
            truth = np.array([float(quantile(prior[k], ndtr(np.array([x])))[0]) for k, x in zip(kinds, z, strict=True)])
            ratio = float(quantile(facts[HARD_CALL_COST], rng.random(1))[0])
            can = rng.binomial(labels_count, truth)
            evidence = [TaskEvidence(k, 1.0, int(c), labels_count - int(c)) for k, c in zip(kinds, can, strict=True)]
            draws = simulate(posterior(evidence, prior, rho, 0, 1_000), facts[HARD_CALL_COST], 0)
            calls, spend = interval(draws.can_do @ share), interval(draws.can_do_spend @ share)
            held_calls += calls.low <= truth @ share <= calls.high
            held_spend += spend.low <= spend_fraction(truth, ratio) @ share <= spend.high
            widths.append(calls.high - calls.low)
        print(
            f"  {labels_count:2} labels a task: calls {held_calls / logs_count:.0%}, "
            f"spend {held_spend / logs_count:.0%}; mean width {100 * float(np.mean(widths)):.0f} points of calls"
        )


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--calls", type=int, default=5_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--logs", type=int, default=300)
    chosen = parser.parse_args()
    planted(chosen.calls, chosen.seeds)
    public()
    coverage(chosen.logs)


if __name__ == "__main__":
    main()
