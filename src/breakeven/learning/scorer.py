"""Scorer training: a model of prompts on top of the groups' rates, and predictions that did not see their outcomes.

A forest sees the prompt's surface, the logits of its group's rates and, as sums of terms, the linear head's logits and
the coordinates along the terms' main directions, each as for a new request: rates and logits of a row come from folds
that lack it, and directions look at no outcome. The blend is nine parts forest and one part linear head for every
table; nothing is tuned to a file. A fifth of the rows, chosen by chance, show the forest the overall rates instead of
their group's, so that it knows what to make of a group that was never seen. For those a second forest says how much
harder or easier a request is than its own group, whichever that may be, and half of that is added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from breakeven.learning.group_rates import GroupRates, fit_group_rates, paths_of
from breakeven.learning.heads import (
    Texts,
    fit_directions,
    fit_forest,
    fit_linear,
    fit_neighbours,
    fit_residual,
    fit_terms,
    forest_inputs,
    linear_success,
    texts_of,
    unknown_fractions,
    weighed,
)
from breakeven.learning.splits import mixed_folds, splits
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable
from breakeven.routing.heads import SMALLEST_FRACTION, Seen, logit
from breakeven.routing.scorer import RESIDUAL_PART, Novelty, Scorer
from breakeven.routing.scorer_arrays import ScorerParts, parts_of
from breakeven.routing.term_weights import WeightedTerms

Flags = npt.NDArray[np.bool_]

FOREST_PART: Final = 0.9
LINEAR_PART: Final = 0.1
NEIGHBOURS_PART: Final = 0.2
"""Beside the others, where a bank of training rows is asked for."""
INNER_FOLDS_COUNT: Final = 4
UNSEEN_FRACTION: Final = 0.2
"""Of the training rows, shown to the forest as if their group were new."""
KNOWN_QUANTILE_FRACTION: Final = 0.995
"""A prompt is novel with a greater share of unknown terms than so many of the training prompts have."""


@dataclass(frozen=True, slots=True)
class FittedScorer:
    """A scorer and the group rates that it was fitted with."""

    scorer: Scorer
    group_rates: GroupRates

    def predict(self, table: OutcomeTable) -> Floats:
        """Success of each model on each request, shape (requests, models); what the scorer says online."""
        paths = paths_of(table)
        rates, unknown = self.group_rates.rates(paths), self.group_rates.unknown(paths)
        return _predicted(self.scorer, texts_of(table.prompts), rates, unknown).with_residual

    def to_policy_arrays(self) -> ScorerParts:
        """Settings and arrays as a policy file holds them."""
        return parts_of(self.scorer)


def fit_scorer(
    table: OutcomeTable, group_rates: GroupRates, seed: int, keeps_rows: bool = False, for_new: bool = True
) -> FittedScorer:
    """Fit on a whole table. `keeps_rows` adds neighbours, whose bank holds the training prompts' terms and outcomes;
    `for_new`: it will judge requests of groups that are not in the table."""
    scorer = _fitted(table, texts_of(table.prompts), group_rates, seed, keeps_rows, for_new)
    return FittedScorer(scorer, group_rates)


def cross_fitted(
    table: OutcomeTable, folds: int | Indexes, seed: int, what: Literal["groups", "scorer"], keeps_rows: bool = False
) -> Floats:
    """Predictions of each row by a model that did not see its fold, shape (requests, models).

    `folds` is a fold of each request, or their number: `mixed_folds` then deals them. No residual is added; where folds
    are whole groups see `cross_fitted_left_out`.
    """
    fold_of = mixed_folds(table, folds, seed) if isinstance(folds, int) else folds
    found = np.full(table.success.shape, np.nan)
    texts = texts_of(table.prompts) if what == "scorer" else None
    for split in splits(table, fold_of):
        train, paths = table.rows(split.train), paths_of(table.rows(split.test))
        rates = fit_group_rates(train)
        if texts is None:
            found[split.test] = rates.rates(paths)
            continue
        scorer = _fitted(train, texts.rows(split.train), rates, seed, keeps_rows, for_new=False)
        found[split.test] = _predicted(scorer, texts.rows(split.test), rates.rates(paths)).plain
    return found


@dataclass(frozen=True, slots=True)
class Predicted:
    """Success of each model on each request, shape (requests, models)."""

    plain: Floats
    """Without a residual."""
    with_residual: Floats
    """The same, with it for requests of groups that were not seen."""


def cross_fitted_left_out(table: OutcomeTable, fold_of: Indexes, seed: int) -> Predicted:
    """Predictions of each request by a scorer that saw no request of its fold, where folds are whole groups."""
    plain, more = np.zeros(table.success.shape), np.zeros(table.success.shape)
    texts = texts_of(table.prompts)
    for split in splits(table, fold_of):
        train, paths = table.rows(split.train), paths_of(table.rows(split.test))
        rates = fit_group_rates(train)
        scorer = _fitted(train, texts.rows(split.train), rates, seed, keeps_rows=False, for_new=True)
        found = _predicted(scorer, texts.rows(split.test), rates.rates(paths), rates.unknown(paths))
        plain[split.test], more[split.test] = found.plain, found.with_residual
    return Predicted(plain, more)


@dataclass(frozen=True, slots=True)
class _OutOfFold:
    """What each training row looks like to a model that did not see it."""

    rates: Floats
    sums: Floats
    unknown: Floats


def _fitted(
    table: OutcomeTable, texts: Texts, group_rates: GroupRates, seed: int, keeps_rows: bool, for_new: bool
) -> Scorer:
    known = fit_terms(texts.terms)
    rows = weighed(texts.terms, known)
    of_group = group_rates.rates(paths_of(table))
    linear = fit_linear(rows, table.success, logit(of_group))
    new = _out_of_fold(table, texts, seed)
    shown = _some_unseen(new.rates, group_rates, seed)
    directions = fit_directions(rows)
    inputs = forest_inputs(texts.surface, shown, np.concatenate([new.sums, rows @ directions], axis=1))
    sums = np.concatenate([linear.term_weights, directions], axis=1)
    forest = fit_forest(inputs, table.success, new.rates, sums, seed)
    for_new = for_new and len(group_rates.groups()) > 1  # of one group a residual says what the forest says
    blend = {"forest": FOREST_PART, "linear": LINEAR_PART}
    if keeps_rows:
        blend["neighbours"] = NEIGHBOURS_PART
    return Scorer(
        models=table.models,
        terms=known,
        blend=blend,
        linear=linear,
        forest=forest,
        neighbours=fit_neighbours(rows, table.success) if keeps_rows else None,
        novelty=_novelty(new, texts),
        residual=fit_residual(inputs, table.success, of_group, sums, seed) if for_new else None,
    )


def _out_of_fold(table: OutcomeTable, texts: Texts, seed: int) -> _OutOfFold:
    rates, sums = np.zeros(table.success.shape), np.zeros(table.success.shape)
    unknown = np.zeros(table.requests_count)
    for split in splits(table, mixed_folds(table, INNER_FOLDS_COUNT, seed + 1)):
        train = table.rows(split.train)
        learnt = fit_group_rates(train)
        mine, others = texts.rows(split.train).terms, texts.rows(split.test).terms
        terms = fit_terms(mine)
        head = fit_linear(weighed(mine, terms), train.success, logit(learnt.rates(paths_of(train))))
        rates[split.test] = learnt.rates(paths_of(table.rows(split.test)))
        sums[split.test] = weighed(others, terms) @ head.term_weights
        unknown[split.test] = unknown_fractions(others, terms)
    return _OutOfFold(rates, sums, unknown)


def _some_unseen(rates: Floats, group_rates: GroupRates, seed: int) -> Floats:
    """Rates where some rows have those of everything; all as they are where there is one group only."""
    if len(group_rates.groups()) < 2:
        return rates
    unseen = np.random.default_rng(seed).random(len(rates)) < UNSEEN_FRACTION
    return np.where(unseen[:, None], group_rates.rates([()]), rates)


def _novelty(new: _OutOfFold, texts: Texts) -> Novelty:
    """Novel: more unknown terms than nearly all training prompts have for a model that lacks them, or far longer."""
    most = float(np.quantile(new.unknown, KNOWN_QUANTILE_FRACTION))
    return Novelty("terms", most, float(texts.surface[:, 0].max() + np.log(2.0)))


def _predicted(scorer: Scorer, texts: Texts, rates: Floats, is_new: Flags | None = None) -> Predicted:
    """`Scorer.predicted_success`, for many rows at once; `is_new`: of groups that were not seen, None: no row is."""
    if scorer.linear is None or scorer.forest is None:
        raise ValueError("a fitted scorer has a linear head and a forest")
    rows = weighed(texts.terms, scorer.terms)
    inputs = forest_inputs(texts.surface, rates, rows @ scorer.forest.term_weights)
    mean = scorer.blend["forest"] * scorer.forest.success_of(inputs)
    mean += scorer.blend["linear"] * linear_success(scorer.linear, rows, rates)
    if scorer.neighbours is not None:
        mean += scorer.blend["neighbours"] * _of_neighbours(scorer, texts, rates)
    mean /= sum(scorer.blend.values())
    if scorer.calibration is not None:
        mean = np.array([scorer.calibration.apply(each) for each in mean]).reshape(mean.shape)
    plain = np.clip(mean, SMALLEST_FRACTION, 1 - SMALLEST_FRACTION)
    if scorer.residual is None or is_new is None or not is_new.any():
        return Predicted(plain, plain)
    more = plain.copy()
    more[is_new] += RESIDUAL_PART * scorer.residual.success_of(inputs[is_new])
    return Predicted(plain, np.clip(more, SMALLEST_FRACTION, 1 - SMALLEST_FRACTION))


def _of_neighbours(scorer: Scorer, texts: Texts, rates: Floats) -> Floats:
    assert scorer.neighbours is not None
    rows = weighed(texts.terms, scorer.terms)
    unknown = unknown_fractions(texts.terms, scorer.terms)
    found = np.zeros(rates.shape)
    for at in range(len(rates)):
        part = slice(int(rows.indptr[at]), int(rows.indptr[at + 1]))
        terms = WeightedTerms(rows.indices[part].astype(np.intp), rows.data[part].astype(np.float32), unknown[at])
        seen = Seen(texts.surface[at], terms, rates[at], logit(rates[at]), scorer.neighbours.similarities(terms))
        found[at] = scorer.neighbours.success(seen)
    return found
