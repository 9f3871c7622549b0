"""Evaluation: a policy on outcomes that it was not learnt from: its curve, its point, its savings, and every baseline.

All intervals are 95 % by paired bootstrap over requests. A request that some model was not tried on, or whose costs are
known in part only, is left out and counted. Where costs are not known the share of calls to the strong model stands
for them and no money is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from breakeven.errors import LearningError, nearest
from breakeven.learning.baselines import Contender, all_baselines, contender, pair_of
from breakeven.learning.frontier import SETTINGS_COUNT, CostBasis, costs
from breakeven.learning.judged import Judged, judge
from breakeven.learning.resampling import RESAMPLES_COUNT, Figure, figure, resampled_means, untold
from breakeven.learning.savings import UNPRICED, Charges, Saving, savings
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable

POLICY: Final = "policy"
_NO_SETTING: Final = "a policy with a curve and no setting in use"


@dataclass(frozen=True, slots=True)
class ModelShare:
    """One model under the policy, and alone."""

    model: str
    share_fraction: float | None
    """Of the requests that the policy sends to it; None for a policy without a setting."""
    usd_per_request: float | None
    """Of its calls, had it taken all requests."""
    success_fraction: float
    """Had it taken all requests."""
    usd_per_request_taken: Figure
    success_taken: Figure
    """Of the requests that the policy sends to it."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A policy judged."""

    label: str
    requests_count: int
    untried_requests_count: int
    """Left out: some model was not tried on them."""
    unpriced_requests_count: int
    """Left out: some cost is not known, though most are."""
    cost_basis: CostBasis
    weak_model: str
    strong_model: str
    models: tuple[ModelShare, ...]
    policy: Judged
    baselines: tuple[Judged, ...]
    savings: tuple[Saving, ...]
    charges: Charges
    notes: tuple[str, ...]
    resamples_count: int
    seed: int


def evaluate(
    table: OutcomeTable,
    scores: Floats | None = None,
    choices: Indexes | None = None,
    *,
    training: OutcomeTable | None = None,
    expected_usd: Floats | None = None,
    strong: str | None = None,
    incumbent: str | Sequence[str] | None = None,
    charges: Charges | None = None,
    settings_count: int = SETTINGS_COUNT,
    resamples_count: int = RESAMPLES_COUNT,
    seed: int = 0,
    by_task: bool = False,
    paid_usd: Floats | None = None,
) -> Evaluation:
    """Judge predicted successes `scores` (requests, models) and, or, the policy's `choices` (requests,) on a table.

    `training` are the outcomes that baselines may learn from. `expected_usd` is what each model's call is believed to
    cost (models,); the mean on the training requests, else on these, where left out. `strong` names the reference
    model. `by_task` draws within tasks: where the mix of tasks is fixed by design. `paid_usd` is what each request
    costs under the policy where that is not the chosen model's call alone (a cascade asks several).
    """
    if scores is None and choices is None:
        raise LearningError("nothing to judge: give predicted successes, or the model that the policy takes")
    kept, untried, unpriced = _complete(table)
    part = table.rows(kept)
    scores = None if scores is None else scores[kept]
    choices = None if choices is None else np.asarray(choices)[kept]
    reference = None if strong is None else _column(table, strong)
    known = None if training is None else _same_models(training, table)
    basis = costs(part.success, part.cost_usd, 0)[1]
    expected = _expected(part, known, expected_usd) if basis == "usd" else None
    pair = pair_of(part.success, expected, reference)
    money, _ = costs(part.success, part.cost_usd, pair.strong)
    usd = money.mean(axis=0) if expected is None else expected
    paid = None if paid_usd is None or basis != "usd" else paid_usd[kept]
    mine = (
        Contender(POLICY, "the policy", choices=choices, paid_usd=paid)
        if scores is None
        else replace(contender(POLICY, "the policy", scores, usd, pair, choices, settings_count), paid_usd=paid)
    )
    everyone = (mine, *all_baselines(part, usd, pair, known, settings_count))
    strata = part.tasks if by_task else None
    judged = judge(everyone, part.success, money, pair, resamples_count, seed, strata)
    single = next(each for each in everyone if each.name == "best_single")
    best = int(single.choices[0]) if single.choices is not None else pair.strong
    before = None if incumbent is None else _before(part, incumbent, kept)
    return Evaluation(
        label=table.label,
        requests_count=part.requests_count,
        untried_requests_count=untried,
        unpriced_requests_count=unpriced,
        cost_basis=basis,
        weak_model=table.models[pair.weak],
        strong_model=table.models[pair.strong],
        models=_shares(part, choices, basis, resamples_count, seed),
        policy=judged[0],
        baselines=judged[1:],
        savings=()
        if choices is None
        else savings(
            choices, part.success, part.cost_usd, part.models, before, best, charges, resamples_count, seed, paid
        ),
        charges=charges or Charges(),
        notes=_notes(part, basis, training is None, untried, unpriced),
        resamples_count=resamples_count,
        seed=seed,
    )


def _complete(table: OutcomeTable) -> tuple[Indexes, int, int]:
    """Rows on which every model was tried, and priced where most are; how many were left out for either reason."""
    tried = ~np.isnan(table.success).any(axis=1)
    priced = ~np.isnan(table.cost_usd).any(axis=1)
    some = int((tried & priced).sum())
    kept = tried & priced if 2 * some >= int(tried.sum()) and some else tried
    if int(kept.sum()) < 2:
        raise LearningError(
            f"{int(tried.sum())} of {table.requests_count} requests were tried on all {len(table.models)} models: an "
            "evaluation compares models on the same requests. Replay some requests on every model, name fewer models, "
            "or estimate from a routed log with known propensities."
        )
    return np.flatnonzero(kept), int((~tried).sum()), int((tried & ~kept).sum())


def _same_models(training: OutcomeTable, table: OutcomeTable) -> OutcomeTable:
    for model in table.models:
        _column(training, model)
    return training.of_models(table.models)


def _column(table: OutcomeTable, model: str) -> int:
    if model not in table.models:
        raise LearningError(
            f"no outcomes of {model!r} in {table.label or 'the table'}: {nearest(model, list(table.models))}"
        )
    return table.models.index(model)


def _expected(part: OutcomeTable, training: OutcomeTable | None, given: Floats | None) -> Floats:
    if given is not None:
        return given
    if training is not None and not np.isnan(training.cost_usd).all(axis=0).any():
        return np.asarray(np.nanmean(training.cost_usd, axis=0))
    return np.asarray(part.cost_usd.mean(axis=0))


def _before(part: OutcomeTable, incumbent: str | Sequence[str], kept: Indexes) -> Indexes:
    if isinstance(incumbent, str):
        return np.full(part.requests_count, _column(part, incumbent), dtype=np.intp)
    return np.array([_column(part, incumbent[int(row)]) for row in kept], dtype=np.intp)


def _shares(
    part: OutcomeTable, choices: Indexes | None, basis: CostBasis, resamples_count: int, seed: int
) -> tuple[ModelShare, ...]:
    width = len(part.models)
    sent = np.zeros_like(part.success) if choices is None else (choices[:, None] == np.arange(width)).astype(float)
    money = part.cost_usd if basis == "usd" else np.zeros_like(part.success)
    columns = np.column_stack([sent, sent * part.success, sent * money])
    own = columns.mean(axis=0)[None]
    draws = np.concatenate([own, resampled_means(columns, resamples_count, seed)]).reshape(-1, 3, width)
    nothing = untold("the policy sends it no request" if choices is not None else _NO_SETTING)
    found = []
    for at, model in enumerate(part.models):
        share, won, paid = draws[:, 0, at], draws[:, 1, at], draws[:, 2, at]
        calls = np.where(share > 0, share, np.nan)
        taken = [figure(float(each[0]), each[1:], "it takes no request") for each in (won / calls, paid / calls)]
        none = share[0] == 0
        found.append(
            ModelShare(
                model=model,
                share_fraction=None if choices is None else float(share[0]),
                usd_per_request=float(part.cost_usd[:, at].mean()) if basis == "usd" else None,
                success_fraction=float(part.success[:, at].mean()),
                usd_per_request_taken=nothing if none else taken[1] if basis == "usd" else untold(UNPRICED),
                success_taken=nothing if none else taken[0],
            )
        )
    return tuple(found)


def _notes(
    part: OutcomeTable, basis: CostBasis, best_is_of_these: bool, untried: int, unpriced: int
) -> tuple[str, ...]:
    notes = []
    if untried:
        notes.append(f"{untried:,} requests left out: some model was not tried on them")
    if unpriced:
        notes.append(f"{unpriced:,} requests left out: some cost of theirs is not known")
    if basis == "strong_calls":
        notes.append("no money: " + UNPRICED + "; shares of calls to the strong model stand for it")
    if best_is_of_these:
        notes.append("no training outcomes given: the best single model is that of the requests judged")
    same = [each for at, each in enumerate(part.models) if np.ptp(part.success[:, at]) == 0]
    if same:
        notes.append(f"all outcomes are alike for {', '.join(same)}: nothing to tell requests apart by")
    return tuple(notes)
