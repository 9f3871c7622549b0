"""Baseline: what a learnt router must beat: one model for all, chance, the prompt's length, keywords, the task alone.

Whatever a baseline knows of outcomes it knows from the training requests. The oracle alone has seen the answers: no
router can do better.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from breakeven.learning.frontier import (
    SETTINGS_COUNT,
    Sweep,
    choose,
    hull,
    most_successful,
    threshold_sweep,
    value_sweep,
)
from breakeven.learning.group_rates import fit_group_rates, paths_of
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable

BINS_COUNT: Final = 10
STRENGTH_COUNT: Final = 20.0
"""Tries that the overall rate is worth in the rate of a bin."""
TEXT_MAX: Final = 2048
"""Characters of a prompt that are looked at for words."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A router to be judged, by what it can show: settings over all models, settings of a pair, one setting."""

    name: str
    what: str
    sweep: Sweep | None = None
    """Over all models, for the cost-quality curve; None for one that has no settings."""
    pair: Sweep | None = None
    """Weak or strong model only, at RouteLLM's thresholds."""
    choices: Indexes | None = None
    """The model of each request at the setting in use; None for one that has settings only."""
    paid_usd: Floats | None = None
    """What each request costs there, where that is not the chosen model's call alone (a cascade asks several)."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The two models between which RouteLLM's measures are taken."""

    weak: int
    strong: int


def pair_of(success: Floats, expected_usd: Floats | None, strong: int | None = None) -> Pair:
    """The most successful model (or the one given), and the cheapest other; the least successful where no cost is
    known."""
    strong = most_successful(success) if strong is None else strong
    if expected_usd is None or np.isnan(expected_usd).any():
        order = np.nanmean(success, axis=0)
    else:
        order = np.broadcast_to(expected_usd, success.shape).mean(axis=0)
    others = [each for each in range(success.shape[1]) if each != strong]
    return Pair(min(others, key=lambda each: float(order[each])), strong)


def contender(
    name: str,
    what: str,
    scores: Floats,
    expected_usd: Floats,
    pair: Pair,
    choices: Indexes | None = None,
    settings_count: int = SETTINGS_COUNT,
) -> Contender:
    """A router that predicts each model's success, shape (requests, models)."""
    wants_strong = scores[:, pair.strong] - scores[:, pair.weak]
    return Contender(
        name,
        what,
        sweep=value_sweep(scores, expected_usd, settings_count),
        pair=threshold_sweep(wants_strong, pair.weak, pair.strong),
        choices=choices,
    )


def all_baselines(
    table: OutcomeTable,
    expected_usd: Floats,
    pair: Pair,
    training: OutcomeTable | None = None,
    settings_count: int = SETTINGS_COUNT,
) -> tuple[Contender, ...]:
    """Everything that a router is compared with, on complete outcomes.

    Without training requests the best single model is the best of the requests judged (which flatters it), and the
    per-task best is left out.
    """
    success = table.success
    learnt = training is not None
    found = [
        _one_model("best_single", _best_on(learnt), table, most_successful(training.success if training else success)),
        _one_model("always_weak", "the cheapest other model alone", table, pair.weak),
        _one_model("always_strong", "the most successful model, or the one named, alone", table, pair.strong),
        _random(success, expected_usd, pair),
        _by_number("prompt_length", "the longer, the stronger", _lengths, table, training, expected_usd, pair),
        _by_number("keywords", "words that sound hard", keyword_scores, table, training, expected_usd, pair),
    ]
    if training is not None and "task" in table.groups and "task" in training.groups:
        found.append(_per_task(table, training, expected_usd, pair, settings_count))
    best = choose(success, expected_usd, np.inf)
    found.append(contender("oracle", "has seen the outcomes", success, expected_usd, pair, best, settings_count))
    return tuple(found)


def keyword_scores(prompts: Sequence[str]) -> Floats:
    """How hard a prompt sounds: weighted counts of code, reasoning, technical and multi-step marks, questions, length.

    In the manner of gateways' complexity routers; the lists are ours.
    """
    found = np.zeros(len(prompts))
    for row, prompt in enumerate(prompts):
        text = prompt[:TEXT_MAX].lower()
        counts = [0, 0, 0, 0]
        for word in _WORD.findall(text):
            kind = _KINDS.get(word)
            if kind is not None:
                counts[kind] += 1
        counts[0] += 2 * text.count("```") + text.count("();") + text.count("{")
        score = sum(weight * min(count, 4) / 4 for weight, count in zip(_KIND_WEIGHTS, counts, strict=True))
        found[row] = score + 0.05 * min(text.count("?"), 4) / 4 + 0.1 * min(len(prompt) / 4000.0, 1.0)
    return found


_WORD: Final = re.compile(r"[a-z]{3,}")
_KIND_WEIGHTS: Final = (0.25, 0.25, 0.20, 0.15)
_KINDS: Final = {
    word: kind
    for kind, words in enumerate(
        (
            "def class function sql select import api regex code python java script query loop array string compile",
            "prove derive reason reasoning explain why analyze analyse compare contrast evaluate therefore justify",
            "algorithm theorem equation probability integral matrix vector protein statute entropy derivative enzyme",
            "first then next finally step steps each after before second third",
        )
    )
    for word in words.split()
}
"""Words that sound hard -> code, reasoning, technical, several steps."""


def _lengths(prompts: Sequence[str]) -> Floats:
    lengths: Floats = np.log1p(np.array([len(each) for each in prompts], dtype=float))
    return lengths


def _best_on(learnt: bool) -> str:
    return f"the model that succeeds most on the {'training requests' if learnt else 'requests judged'}, alone"


def _one_model(name: str, what: str, table: OutcomeTable, model: int) -> Contender:
    return Contender(
        name, f"{what}: {table.models[model]}", choices=np.full(table.requests_count, model, dtype=np.intp)
    )


def _random(success: Floats, expected_usd: Floats, pair: Pair) -> Contender:
    """Two neighbours on the hull of the single models, mixed by chance: lines between constant choices."""
    usd = np.broadcast_to(expected_usd, success.shape).mean(axis=0)
    mean = success.mean(axis=0)
    corners = {(float(x), float(y)) for x, y in zip(*hull(usd, mean), strict=True)}
    on_hull: list[int] = []
    for model in np.argsort(usd, kind="stable").tolist():
        if (float(usd[model]), float(mean[model])) in corners:
            corners.discard((float(usd[model]), float(mean[model])))
            on_hull.append(model)
    rows = len(success)
    return Contender(
        "random_mix",
        "models mixed by chance, blind to the prompt, at each cost",
        sweep=Sweep(np.arange(len(on_hull), dtype=float), np.repeat(np.array(on_hull)[:, None], rows, axis=1)),
        pair=Sweep(np.array([1.0, 0.0]), np.repeat(np.array([pair.weak, pair.strong])[:, None], rows, axis=1)),
    )


def _by_number(
    name: str,
    what: str,
    number: Callable[[Sequence[str]], Floats],
    table: OutcomeTable,
    training: OutcomeTable | None,
    expected_usd: Floats,
    pair: Pair,
) -> Contender:
    """A router by one number of the prompt: its own order for the pair, its success by bins for all models."""
    mine = number(table.prompts)
    scores = None if training is None else _binned(number(training.prompts), training.success, mine)
    return Contender(
        name,
        what,
        sweep=None if scores is None else value_sweep(scores, expected_usd, BINS_COUNT * 6),
        pair=threshold_sweep(mine, pair.weak, pair.strong),
    )


def _binned(learnt: Floats, success: Floats, asked: Floats) -> Floats:
    """Success of each model in the bin that each number falls in, drawn towards its overall rate."""
    edges = np.unique(np.quantile(learnt, np.arange(1, BINS_COUNT) / BINS_COUNT))
    of_row, of_asked = np.searchsorted(edges, learnt, "right"), np.searchsorted(edges, asked, "right")
    overall = np.nanmean(success, axis=0)
    rates = np.tile(overall, (len(edges) + 1, 1))
    for at in range(len(rates)):
        part = success[of_row == at]
        tries = (~np.isnan(part)).sum(axis=0)
        rates[at] = (np.nansum(part, axis=0) + STRENGTH_COUNT * overall) / (tries + STRENGTH_COUNT)
    return np.asarray(rates[of_asked])


def _per_task(
    table: OutcomeTable, training: OutcomeTable, expected_usd: Floats, pair: Pair, settings_count: int
) -> Contender:
    """The rate of each model at the request's task, as the training requests tell; the best model of each task."""
    only_task = {"task": training.tasks}
    rates = fit_group_rates(replace(training, groups=only_task))
    scores = rates.rates(paths_of(replace(table, groups={"task": table.tasks})))
    best = choose(scores, expected_usd, np.inf)
    what = "the model that succeeds most at the task, in training"
    return contender("per_task_best", what, scores, expected_usd, pair, best, settings_count)
