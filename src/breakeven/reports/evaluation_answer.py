"""Evaluation answer: a policy on a file of outcomes: beside every simpler way, or judged off-policy from a log."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from breakeven.catalog.load import Catalog
from breakeven.learning.as_allowed import barred_note
from breakeven.learning.drift import DriftReport
from breakeven.learning.evaluation import evaluate
from breakeven.learning.evaluation_document import EvaluationDocument, as_json, evaluation_document
from breakeven.learning.judged_labels import JUDGES
from breakeven.learning.off_policy import OffPolicy, logged_choices, off_policy
from breakeven.learning.pricing import GivenPrice, priced
from breakeven.learning.resampling import figure, resampled_means
from breakeven.learning.savings import Charges
from breakeven.learning.serving import Served, drift_of, served, snapshot_prices
from breakeven.learning.task_floors import Floors, below_some_floor
from breakeven.learning.verdict import verdict
from breakeven.outcomes.outcome import SOURCES, OutcomeTable
from breakeven.outcomes.reading import ReadOutcomes
from breakeven.routing.policy_document import Guarantee
from breakeven.routing.policy_file import LoadedPolicy


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What `evaluate` found: a comparison, or an off-policy estimate."""

    policy_hash: str
    policy_kind: str
    document: EvaluationDocument | None
    off_policy: OffPolicy | None
    drift: DriftReport | None
    reasons: Mapping[str, int]

    def to_json(self, warnings: Sequence[str] = ()) -> str:
        """One document: the figures of the comparison at the top, where there is one."""
        comparison = {} if self.document is None else as_json(self.document)
        return json.dumps(
            {
                **comparison,
                "policy_hash": self.policy_hash,
                "policy_kind": self.policy_kind,
                "off_policy": None if self.off_policy is None else asdict(self.off_policy),
                "drift": None if self.drift is None else {**asdict(self.drift), "alarm": self.drift.alarm},
                "reasons": dict(self.reasons),
                "warnings": list(warnings),
            },
            indent=1,
            allow_nan=False,
        )


NOTHING_SAID: Final[Mapping[str, Any]] = {
    "reference": None,
    "incumbent": None,
    "quality_floor": None,
    "lost_cache_usd": None,
    "judge_usd": None,
    "shadow_usd": None,
    "router_usd": None,
    "seed": 0,
}
"""Options of an evaluation of which nobody said anything."""


@dataclass(frozen=True, slots=True)
class EvaluatedFile:
    """A policy on what was read, and what to know of it."""

    found: Evaluated
    warnings: tuple[str, ...]


def evaluate_outcomes(
    policy: LoadedPolicy,
    read: ReadOutcomes,
    catalog: Catalog,
    options: Mapping[str, Any] = NOTHING_SAID,
    prices: Mapping[str, GivenPrice] | None = None,
    output_tokens: float | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> EvaluatedFile:
    """Let a policy decide every request of what was read; prices are the policy's own where none is given."""
    given = {**snapshot_prices(policy, read.table), **(prices or {})}
    costed = priced(read.table, given, catalog, output_tokens)
    say("decisions")
    answered = served(policy, costed.table)
    say("figures")
    found = evaluated(policy, answered, drift_of(policy, answered), options)
    own = (
        *_learnt_from(policy, costed.table.label),
        *by_a_judge(read),
        *barred_note(answered.barred_requests_count),
        *below_floors(policy, answered, options["seed"]),
    )
    return EvaluatedFile(found, (*own, *read.notes))


def by_a_judge(read: ReadOutcomes) -> tuple[str, ...]:
    """A warning where a judge alone says of some answers whether they succeeded: here nothing corrects him."""
    codes = read.source_codes[np.isfinite(read.table.success)]
    count = int(np.isin(codes, [SOURCES.index(each) for each in JUDGES]).sum())
    if not count:
        return ()
    return (
        f"a judge alone says of {count:,} of {len(codes):,} answers whether they succeeded, and his word is taken as "
        "it stands here: figures flatter whatever he is kind to",
    )


def below_floors(policy: LoadedPolicy, answered: Served, seed: int) -> tuple[str, ...]:
    """A warning for each task with a floor of its own below which these requests lie."""
    guarantee, table = policy.document.guarantee, answered.table
    if guarantee is None or guarantee.against_model not in table.models:
        return ()
    reference = table.success[:, table.models.index(guarantee.against_model)]
    success = table.success[np.arange(table.requests_count), answered.choices]
    known, tasks = np.isfinite(reference) & np.isfinite(success), np.array(table.tasks, dtype=object)
    found = []
    for each in guarantee.by_task:
        rows = known & (tasks == each.task)
        pair = np.column_stack([success[rows], reference[rows]])
        if not rows.any() or pair[:, 0].mean() >= each.quality_floor_ratio * pair[:, 1].mean():
            continue
        drawn = resampled_means(pair, seed=seed)
        ratios = drawn[:, 0] / np.where(drawn[:, 1] > 0, drawn[:, 1], np.nan)
        kept_ratio = float(np.divide(*pair.mean(axis=0)))
        ratio = figure(kept_ratio, ratios)
        low, high = ratio.low, ratio.high
        ends = "" if low is None or high is None else f" (95 %: {100 * low:.1f} % to {100 * high:.1f} %)"
        found.append(
            f"{each.task}: {100 * kept_ratio:.1f} % of {guarantee.against_model}'s success on "
            f"{int(rows.sum()):,} requests{ends}, below its floor of {100 * each.quality_floor_ratio:.1f} %"
        )
    return tuple(found)


def _learnt_from(policy: LoadedPolicy, label: str) -> tuple[str, ...]:
    """A warning where the policy was learnt from this very file."""
    if policy.document.evidence.get("outcomes") != label:
        return ()
    return (f"the policy was learnt from this very file ({label}): these figures flatter it; use other requests",)


def evaluated(
    policy: LoadedPolicy, answered: Served, drift: DriftReport | None, options: Mapping[str, Any]
) -> Evaluated:
    """Compare on requests that every model was tried on; off-policy where one model was, by lot."""
    table = answered.table
    if table.propensity_fraction is not None and (np.isfinite(table.success).sum(axis=1) <= 1).all():
        estimate = off_policy(logged_choices(table), answered.choices, answered.scores)
        return Evaluated(policy.hash, policy.kind, None, estimate, drift, answered.reasons)
    return Evaluated(policy.hash, policy.kind, _compared(policy, answered, options), None, drift, answered.reasons)


def _barred(
    guarantee: Guarantee | None, table: OutcomeTable, reference: str, floor: float, seed: int
) -> frozenset[int]:
    """Models that, alone, are not shown to keep each floor, where tasks have floors of their own."""
    if guarantee is None or not guarantee.by_task:
        return frozenset()
    by_task = {each.task: each.quality_floor_ratio for each in guarantee.by_task}
    floors = Floors(floor, by_task, guarantee.confidence_fraction, seed)
    return below_some_floor(table, table.models.index(reference), floors)


def _compared(policy: LoadedPolicy, answered: Served, options: Mapping[str, Any]) -> EvaluationDocument:
    table, guarantee = answered.table, policy.document.guarantee
    reference = options["reference"] or (guarantee.against_model if guarantee else policy.document.default_model)
    floor = options["quality_floor"] or (guarantee.quality_floor_ratio if guarantee else 0.95)
    charges = Charges(options["lost_cache_usd"], options["judge_usd"], options["shadow_usd"], options["router_usd"])
    evaluation = evaluate(
        table,
        None if policy.kind == "cascade" else answered.scores,  # a cascade has no curve over prompts
        answered.choices,
        strong=reference,
        incumbent=options["incumbent"] or policy.document.incumbent_model,
        charges=charges,
        seed=options["seed"],
        paid_usd=answered.paid_usd,
    )
    known = np.isfinite(table.success).all(axis=1) & np.isfinite(table.cost_usd).all(axis=1)
    known = known if known.any() else np.isfinite(table.success).all(axis=1)
    passed = verdict(
        {"this policy": answered.choices[known]},
        table.success[known],
        table.cost_usd[known],
        table.models,
        table.models.index(reference),
        floor,
        seed=options["seed"],
        paid={"this policy": answered.paid_usd[known] + charges.total_usd_per_request},
        barred=_barred(guarantee, table.rows(np.flatnonzero(known)), reference, floor, options["seed"]),
    )
    return evaluation_document(evaluation, passed)
