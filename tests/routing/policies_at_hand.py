"""Documents of policies, small and complete, for the tests of the room."""

from __future__ import annotations

import numpy as np

from breakeven.routing.features import SURFACE_COUNT, hashed_terms, prompt_features
from breakeven.routing.forest import ForestHead
from breakeven.routing.heads import LinearHead, NeighboursHead
from breakeven.routing.policy import Kind
from breakeven.routing.policy_document import CascadePlan, GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.scorer import Calibration, Novelty, Scorer
from breakeven.routing.term_weights import TermWeights

MODELS = ("small", "big")
PROMPTS = (
    "Where is my parcel?",
    "Prove that the square root of 2 is irrational.",
    "Which is larger?\nA. 7\nB. 9\nAnswer:",
    "请把这句话翻译成英文。",
    "def f(x):\n    return x + 1\n\nWhat does f(2) return?",
    "Summarise: the cat sat on the mat, and then it left.",
)


def task_map() -> PolicyDocument:
    """Small for FAQ, big for proofs and for all else."""
    return PolicyDocument(
        kind="task_map",
        models=(
            PricedModel("small", 0.1, 0.4, 0.001, "2026-11-01"),
            PricedModel("big", 2.0, 8.0, 0.02, "2026-10-01"),
        ),
        default_model="big",
        incumbent_model="big",
        groups=(
            GroupChoice((), "big", {"small": 0.6, "big": 0.9}, tries_count=300, why="all"),
            GroupChoice(("faq",), "small", {"small": 0.95, "big": 0.96}, {"small": 0.0005}, 200, "as good, cheaper"),
            GroupChoice(("proof",), "big", {"small": 0.3}, tries_count=100, why="small fails"),
        ),
        value_usd_per_success=0.05,
        created="2026-11-26",
        made_by="breakeven 0.1.0",
    )


def scorer(seed: int = 0, bits: int = 12) -> Scorer:
    """Every head, with random weights."""
    rng = np.random.default_rng(seed)
    rows = [hashed_terms(each, bits) for each in PROMPTS]
    columns = np.unique(np.concatenate([each.indexes for each in rows]))
    terms = TermWeights(columns, rng.uniform(0.5, 2.0, columns.size).astype(np.float32), bits)
    models = len(MODELS)
    return Scorer(
        models=MODELS,
        terms=terms,
        blend={"linear": 1.0, "neighbours": 0.5, "forest": 0.7, "group": 0.2},
        linear=LinearHead(
            term_weights=rng.normal(size=(columns.size, models)).astype(np.float32),
            surface_weights=rng.normal(size=(SURFACE_COUNT, models)) / 10,
            surface_mean=rng.normal(size=SURFACE_COUNT),
            surface_scale=rng.uniform(0.5, 2.0, SURFACE_COUNT),
            group_weights=np.ones(models),
            intercepts=rng.normal(size=models),
        ),
        neighbours=_bank(terms, rng),
        forest=_forest(columns.size, rng),
        calibration=Calibration(np.tile(np.array([0.0, 0.3, 1.0]), (2, 1)), np.array([[0.1, 0.4, 0.9], [0.3, 0.6, 1]])),
        novelty=Novelty("bank", 0.95, 14.0),
    )


def _forest(terms_count: int, rng: np.random.Generator) -> ForestHead:
    """Three trees of depth 2; siblings stand side by side."""
    models, trees = len(MODELS), 3
    left = np.array([1, 3, 5, 3, 4, 5, 6])
    leaf = np.tile(left == np.arange(7), trees)
    threshold = rng.normal(size=7 * trees).astype(np.float32)
    return ForestHead(
        term_weights=rng.normal(size=(terms_count, models)).astype(np.float32),
        roots=np.arange(0, 7 * trees, 7, dtype=np.int32),
        feature=rng.integers(0, SURFACE_COUNT + 2 * models, 7 * trees).astype(np.int32),
        threshold=np.where(leaf, np.finfo(np.float32).max, threshold).astype(np.float32),
        left=np.concatenate([left + 7 * each for each in range(trees)]).astype(np.int32),
        value=rng.random((7 * trees, models)).astype(np.float32),
        depth_count=2,
    )


def _bank(terms: TermWeights, rng: np.random.Generator) -> NeighboursHead:
    weighed = [terms.weigh(prompt_features(each, terms.bits).terms) for each in PROMPTS]
    row = np.concatenate([np.full(each.rows.size, at, np.int32) for at, each in enumerate(weighed)])
    term = np.concatenate([each.rows for each in weighed])
    order = np.lexsort((row, term))
    return NeighboursHead(
        offsets=np.concatenate([[0], np.cumsum(np.bincount(term, minlength=terms.columns.size))]).astype(np.int64),
        rows=row[order],
        weights=np.concatenate([each.weights for each in weighed])[order],
        outcomes=np.where(rng.random((len(PROMPTS), 2)) < 0.1, np.nan, rng.integers(0, 2, (len(PROMPTS), 2))).astype(
            np.float32
        ),
        neighbours_count=3,
        prior_ratio=0.5,
    )


def document(kind: Kind) -> PolicyDocument:
    """One complete document of each kind."""
    from dataclasses import replace

    plain = task_map()
    if kind == "threshold":
        return replace(plain, kind=kind, scorer=scorer())
    if kind == "allocation":
        return replace(
            plain, kind=kind, capacity_usd_per_request={"small": 0.002}, failure_usd_per_request={"proof": 9.0}
        )
    if kind == "cascade":
        plan = CascadePlan(
            ("small", "big"), {"proof": ("big",)}, {"faq": {"labels": ["yes", "no"]}, "": {"non_empty": True}}
        )
        return replace(plain, kind=kind, cascade=plan)
    return replace(plain, kind=kind)
