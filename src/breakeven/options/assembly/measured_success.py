"""Measured success: how often models did the work in a file of outcomes, for the calls that an Option gives them.

Where the file and the log name the same tasks, a model's rate is that of each task, weighed by the log's own calls;
calls of tasks that the file does not have count at the model's rate over the whole file. What is left unsure is the
posterior of the counts (`outcomes/counted`, tasks with few tries drawn towards the others by `outcomes/pooling`), as
Facts like any others: their names are the model's, so every Option that uses the model has the same draws. Where a part
of the calls may move, what moves and what stays are rates of their own, and that of all calls is their mean: a mix and
what it is compared with rest on the same rates.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from breakeven.catalog.load import Catalog
from breakeven.catalog.model import ModelSpec
from breakeven.catalog.names import find_model
from breakeven.errors import UnknownName
from breakeven.facts.assumption import HIGH_QUANTILE, LOW_QUANTILE, TYPICAL_QUANTILE, Assumption
from breakeven.facts.source import Grade, Source
from breakeven.options.assembly.log_models import same_model
from breakeven.options.assembly.task_split import plain
from breakeven.outcomes.counted import JEFFREYS_COUNT

if TYPE_CHECKING:
    from breakeven.options.assembly.demand import Demand
    from breakeven.outcomes.judged import Judged
    from breakeven.outcomes.judging import CorrectedRate
    from breakeven.outcomes.outcome import OutcomeTable

SUFFIX: Final = "success_fraction"
SIZES: Final = ("small", "mid", "large", "moe")
ASSUMED: Final = (
    "frontier",
    "open_model",
    "open_model_commodity",
    "cheaper_tier",
    *(f"{size}_model" for size in SIZES),
)
"""Whose success the catalogue assumes: no model of a file may take their names."""
TITLE: Final = "outcomes "
_NO_WORD: Final = re.compile(r"[^a-z0-9]+")
_QUANTILES: Final = (LOW_QUANTILE, TYPICAL_QUANTILE, HIGH_QUANTILE)
_VARIANCE_MIN: Final = 1e-12
_MOVES: Final = "moved"
_STAYS: Final = "kept"
_OTHERS: Final = ""
_PART_WORDS: Final = {
    _MOVES: " on the calls that may move",
    _STAYS: " on the calls that stay",
    _OTHERS: "",
}


@dataclass(frozen=True, slots=True)
class RateBelief:
    """What is known of one rate: Beta(alpha, beta)."""

    alpha_count: float
    beta_count: float
    tries_count: int
    gold_count: int = 0
    """Careful labels that took the errors of whoever judged out; 0: the rate is as it was judged."""

    @property
    def mean_fraction(self) -> float:
        """Expected rate."""
        return self.alpha_count / (self.alpha_count + self.beta_count)

    @property
    def variance(self) -> float:
        """Of the rate."""
        mean = self.mean_fraction
        return mean * (1 - mean) / (self.alpha_count + self.beta_count + 1)


@dataclass(frozen=True, slots=True)
class TriesBelief:
    """What is known of how alike tries of one request are: quantiles of their correlation."""

    low_fraction: float
    typical_fraction: float
    high_fraction: float
    repeated_count: int
    """Requests that were tried more than once."""


@dataclass(frozen=True, slots=True)
class MeasuredModel:
    """One model of a file of outcomes."""

    name: str
    """As the file writes it."""
    overall: RateBelief
    tasks: tuple[tuple[str, RateBelief], ...]
    """Of each task that the file names for it, by the task's plain words."""
    tries: TriesBelief | None = None
    """None: too few requests were tried more than once to tell."""

    def belief(self, task: str) -> RateBelief | None:
        """What is known of one task; None: the file does not have it."""
        wanted = plain(task)
        return next((belief for name, belief in self.tasks if name == wanted), None)


@dataclass(frozen=True, slots=True)
class ShareOfCalls:
    """A rate, and the share of the calls that it is of."""

    fact: Assumption
    share_fraction: float


@dataclass(frozen=True, slots=True)
class MeasuredSuccess:
    """The part of a file of outcomes that Options ask for."""

    models: tuple[MeasuredModel, ...]
    label: str
    """The file and the beginning of its hash."""
    judged_by: str
    """Who says that an answer succeeded; empty: the file does not say."""
    aliases: tuple[tuple[str, str], ...] = ()
    """Names of the file -> ``provider/model`` or a model of the catalogue, as the scenario says."""
    after_failure: Mapping[tuple[str, str], RateBelief] = field(default_factory=dict)
    """Two models of the file -> success of the second on requests at which the first failed."""

    def open_model(self, catalog: Catalog, model: ModelSpec) -> MeasuredModel | None:
        """The file's model that is `model` of the catalogue; of several the one tried most."""
        found = [each for each in self.models if _spec(catalog, self._meant(each.name)) == model.name]
        return max(found, key=lambda each: each.overall.tries_count, default=None)

    def log_model(self, catalog: Catalog, label: str) -> MeasuredModel | None:
        """The file's model that the log calls `label`; of several the one tried most."""
        meant = dict(self.aliases).get(label, label)
        found = [each for each in self.models if _is_label(catalog, self._meant(each.name), meant)]
        return max(found, key=lambda each: each.overall.tries_count, default=None)

    def unmatched(self, catalog: Catalog, labels: Sequence[str]) -> tuple[str, ...]:
        """Models of the file that are neither one of the log's nor one of the catalogue's."""
        return tuple(
            each.name
            for each in self.models
            if _spec(catalog, self._meant(each.name)) is None
            and not any(_is_label(catalog, self._meant(each.name), label) for label in labels)
        )

    def fact(self, model: MeasuredModel, demand: Demand) -> Assumption:
        """Success of `model` on all calls of `demand`, as one rate."""
        return self._fact(model, _weights(demand), demand.source.read, "")

    def facts(self, model: MeasuredModel, demand: Demand, movable_tasks: Collection[str]) -> tuple[ShareOfCalls, ...]:
        """Success of `model` on the calls of `demand`: of those that may move, of those that stay, of the others.

        Each of the three is a Fact of its own, so that an Option which has both parts and one which has either of them
        are drawn from the same. The others are calls of tasks that the file does not have, at the rate over all of it.
        """
        if not movable_tasks:  # nothing is cut anywhere: one rate
            return (ShareOfCalls(self.fact(model, demand), 1.0),)
        parts: dict[str, list[tuple[str, float]]] = {}
        for task, share in _weights(demand):
            known = bool(task) and model.belief(task) is not None
            part = (_MOVES if task in movable_tasks else _STAYS) if known else _OTHERS
            parts.setdefault(part, []).append((task, share))
        totals = {part: sum(share for _, share in weights) for part, weights in parts.items()}
        return tuple(
            ShareOfCalls(
                self._fact(
                    model,
                    tuple((task, share / totals[part]) for task, share in weights),
                    demand.source.read,
                    part,
                ),
                totals[part],
            )
            for part, weights in sorted(parts.items())
        )

    def _fact(self, model: MeasuredModel, weights: tuple[tuple[str, float], ...], read: date, part: str) -> Assumption:
        low, typical, high, told = _range(model, weights)
        name = fact_name(model.name, SUFFIX, part)
        calls = _PART_WORDS[part]
        judged = _corrected_words(model.overall.gold_count) or self._judged()
        title = f"{TITLE}{self.label}: {model.name}{calls}, {told}{judged}"
        source = Source(title, self.label, read, Grade.MEASURED)
        kind = "with the corrected interval" if model.overall.gold_count else "posterior of the counts"
        return Assumption(name, "fraction", low, typical, high, source, f"Beta {kind}, 5 % to 95 %.")

    def after_failure_fact(
        self, name: str, first: MeasuredModel, second: MeasuredModel, read: date
    ) -> Assumption | None:
        """Success of `second` where `first` failed, as a Fact called `name`; None: no request was tried by both."""
        from scipy.special import betaincinv

        belief = self.after_failure.get((first.name, second.name))
        if belief is None:
            return None
        low, typical, high = betaincinv(belief.alpha_count, belief.beta_count, np.array(_QUANTILES))
        title = (
            f"{TITLE}{self.label}: {second.name}, {belief.tries_count:,} requests at which {first.name} failed"
            f"{', by careful labels' if belief.gold_count else self._judged()}"
        )
        source = Source(title, self.label, read, Grade.MEASURED)
        return Assumption(name, "fraction", float(low), float(typical), float(high), source)

    def _judged(self) -> str:
        return f", judged by {self.judged_by}" if self.judged_by else ""

    def _meant(self, name: str) -> str:
        return dict(self.aliases).get(name, name)


def measured_success(
    table: OutcomeTable, label: str, aliases: Mapping[str, str], judged: Judged | None = None
) -> MeasuredSuccess:
    """What `table` says of its models; a request counts once, with the mean of its tries.

    Of models whose judge is corrected in `judged` (of the same table) the corrected rates count: of the tasks that have
    gold labels enough of their own, and over the whole for the others; after a failure gold labels only.
    """
    known = np.isfinite(table.success)
    made, won = known.astype(np.float64), np.where(known, np.nan_to_num(table.success), 0.0)
    tasks = tuple(plain(each) for each in table.tasks)
    models = tuple(
        _corrected_model(judged, name, tasks)
        if judged is not None and name in judged.corrected
        else MeasuredModel(name, _overall(made[:, at], won[:, at]), _by_task(tasks, made[:, at], won[:, at]))
        for at, name in enumerate(table.models)
        if made[:, at].any()
    )
    if judged is not None:
        models = tuple(replace(each, tries=_tries(judged, each.name)) for each in models)
    corrected = set(judged.corrected) if judged is not None else set()
    pairs = _after_failure(table.models, known if judged is None else _without_judge(judged, known), won, corrected)
    return MeasuredSuccess(models, label, table.source, tuple(sorted(aliases.items())), pairs)


def _after_failure(
    names: Sequence[str],
    known: npt.NDArray[np.bool_],
    won: npt.NDArray[np.float64],
    corrected: Collection[str],
) -> dict[tuple[str, str], RateBelief]:
    """Success of each model on the requests at which each other one failed, where both were tried."""
    failed = np.where(known, 1 - won, 0.0)
    tried, right = failed.T @ known, failed.T @ np.where(known, won, 0.0)
    return {
        (first, second): RateBelief(
            float(right[i, j]) + JEFFREYS_COUNT,
            float(tried[i, j] - right[i, j]) + JEFFREYS_COUNT,
            round(tried[i, j]),
            round(tried[i, j]) if {first, second} & set(corrected) else 0,
        )
        for i, first in enumerate(names)
        for j, second in enumerate(names)
        if i != j and (tried[i, j] > 0)
    }


@dataclass(frozen=True, slots=True)
class OutcomesWords:
    """A Fact of a file of outcomes in words; empty for any other Fact."""

    file: str
    model: str
    """As the file writes it, with the part of the calls where it is not all of them."""


def outcomes_words(fact: Assumption) -> OutcomesWords:
    """The file and the model behind a Fact that `MeasuredSuccess.fact` made."""
    file, colon, rest = fact.source.title.partition(": ")
    if not colon or not file.startswith(TITLE):
        return OutcomesWords("", "")
    model = rest.partition(", ")[0]
    return OutcomesWords(file, model)


def _corrected_words(gold_count: int) -> str:
    return f", errors of whoever judged taken out by {gold_count:,} careful labels" if gold_count else ""


def _without_judge(judged: Judged, known: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """`known` with careful labels only for the models whose judge errs by a known measure."""
    from breakeven.outcomes.judged import gold_places

    is_corrected = np.array([each in judged.corrected for each in judged.outcomes.table.models], dtype=bool)
    return np.asarray(known & (gold_places(judged.outcomes) | ~is_corrected))


def _corrected_model(judged: Judged, name: str, tasks: Sequence[str]) -> MeasuredModel:
    """A model with its judge's errors taken out, over the whole and of each task with gold labels enough.

    The tasks' rates are moved together until, in the file's own mix, they make the rate of the whole, which knows more.
    """
    from breakeven.outcomes.judged import rate_of_rows

    whole, of_rows = judged.corrected[name], np.array(tasks)
    found = {each: rate_of_rows(judged, name, of_rows == each) for each in sorted(set(tasks)) if each.strip()}
    rates = {each: rate for each, rate in found.items() if rate is not None}
    answers = [rate.answers_count for rate in rates.values()]
    off = [_belief(whole).mean_fraction - _belief(rate).mean_fraction for rate in rates.values()]
    shift = float(np.average(off, weights=answers)) if rates else 0.0
    return MeasuredModel(
        name, _belief(whole), tuple((each, _belief(rate.moved(shift))) for each, rate in rates.items())
    )


def _tries(judged: Judged, name: str) -> TriesBelief | None:
    found = judged.repeated.get(name)
    if found is None or found.correlation is None:
        return None
    known = found.correlation
    return TriesBelief(known.low_fraction, known.typical_fraction, known.high_fraction, found.repeated_count)


def _belief(rate: CorrectedRate) -> RateBelief:
    return RateBelief(*rate.beta_counts, rate.answers_count, rate.gold_count)


def _overall(made: npt.NDArray[np.float64], won: npt.NDArray[np.float64]) -> RateBelief:
    tries, successes = float(made.sum()), float(won.sum())
    return RateBelief(successes + JEFFREYS_COUNT, tries - successes + JEFFREYS_COUNT, round(tries))


def _by_task(
    tasks: Sequence[str], made: npt.NDArray[np.float64], won: npt.NDArray[np.float64]
) -> tuple[tuple[str, RateBelief], ...]:
    from breakeven.outcomes.pooling import pooled_rates

    names = sorted({task for task, count in zip(tasks, made, strict=True) if count and task.strip()})
    if not names:
        return ()
    place = {name: at for at, name in enumerate(names)}
    rows = np.array([place.get(task, -1) for task in tasks])
    known = rows >= 0
    tries = np.bincount(rows[known], made[known], len(names))
    successes = np.bincount(rows[known], won[known], len(names))
    rates = pooled_rates(tries, successes, LOW_QUANTILE, HIGH_QUANTILE)
    return tuple(
        (name, RateBelief(float(rates.alpha_counts[at]), float(rates.beta_counts[at]), round(float(tries[at]))))
        for at, name in enumerate(names)
    )


def _weights(demand: Demand) -> tuple[tuple[str, float], ...]:
    """Task -> share of the calls; the empty name stands for calls that name no task."""
    calls: dict[str, int] = {}
    for model in demand.models:
        named = 0
        for each in model.by_task:
            calls[each.task] = calls.get(each.task, 0) + each.requests_count
            named += each.requests_count
        calls[""] = calls.get("", 0) + max(model.requests_count - named, 0)
    total = sum(calls.values())
    return tuple((task, count / total) for task, count in sorted(calls.items()) if count) if total else (("", 1.0),)


@lru_cache(maxsize=512)
def _range(model: MeasuredModel, weights: tuple[tuple[str, float], ...]) -> tuple[float, float, float, str]:
    """Quantiles of the mean over the calls, and on which tries they rest."""
    from scipy.special import betaincinv

    of_tasks = [(belief, share) for task, share in weights if task and (belief := model.belief(task)) is not None]
    covered = sum(share for _, share in of_tasks)
    parts = [*of_tasks, (model.overall, max(1 - covered, 0.0))]
    mean = sum(share * each.mean_fraction for each, share in parts)
    variance = max(sum(share**2 * each.variance for each, share in parts), _VARIANCE_MIN)
    precision = max(mean * (1 - mean) / variance - 1, 1e-3)
    low, typical, high = betaincinv(mean * precision, (1 - mean) * precision, np.array(_QUANTILES))
    tries = sum(each.tries_count for each, _ in of_tasks)
    return float(low), float(typical), float(high), _told(model, tries, covered)


def _told(model: MeasuredModel, tries_count: int, covered: float) -> str:
    """On which tries a rate rests."""
    if not covered:
        return f"{model.overall.tries_count:,} tries" + (", the file's mix of tasks" if model.tasks else "")
    if covered > 1 - 1e-9:
        return f"{tries_count:,} tries, weighed by the log's calls of each task"
    return f"{tries_count:,} tries of tasks with {100 * covered:.0f} % of the calls, the file's mean for the others"


@lru_cache(maxsize=1024)
def _spec(catalog: Catalog, name: str) -> str | None:
    """Name in the catalogue of the open model that `name` means."""
    try:
        return find_model(catalog, name).name
    except UnknownName:
        return None


@lru_cache(maxsize=1024)
def _is_label(catalog: Catalog, name: str, label: str) -> bool:
    """Whether a file's name is a model of the log: the same id, entry of the price list, or open model."""
    if name.strip().lower().rsplit("/", 1)[-1] == label.strip().lower().rsplit("/", 1)[-1]:
        return True
    spec = _spec(catalog, label)
    return (spec is not None and spec == _spec(catalog, name)) or same_model(name, label)


def fact_name(model: str, quantity: str, part: str = "") -> str:
    """Name of what is known of a model of the file, on all calls or on those of a part."""
    return "_".join(each for each in (_slug(model), part, quantity) if each)


def _slug(name: str) -> str:
    """The name as a part of a Fact's name.

    >>> _slug("Qwen/Qwen3-8B"), _slug("small-model")
    ('qwen3_8b', 'small_model_of_the_file')
    """
    plain_name = _NO_WORD.sub("_", name.lower().rstrip("/").rsplit("/", 1)[-1]).strip("_") or "model"
    return f"{plain_name}_of_the_file" if plain_name in ASSUMED else plain_name
