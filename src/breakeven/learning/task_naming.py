"""Task naming: a classifier of tasks, fitted on prompts whose task is known; it names none where it is not sure.

How sure it must be is found on prompts that were not learnt from: of those it names, at least 95 in 100 are right, with
95 % confidence. Prompts that are equal stand in the same fold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import LearningError
from breakeven.learning.heads import fit_terms, unknown_fractions, weighed
from breakeven.outcomes.outcome import Floats, Indexes
from breakeven.routing.features import TERM_BITS_COUNT, TermMatrix, term_matrix
from breakeven.routing.task_naming import TaskNaming
from breakeven.routing.term_weights import TermWeights

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TASK_ROWS_MIN_COUNT: Final = 10
"""A task with fewer prompts is not learnt."""
RIGHT_MIN_FRACTION: Final = 0.95
CONFIDENCE_Z: Final = 1.6449
"""Of a one-sided 95 % bound."""
FOLDS_COUNT: Final = 5
PENALTY_RATIO: Final = 0.05
STEPS_COUNT: Final = 60
TERMS_MAX_COUNT: Final = 30_000
"""Of rarer terms there is no more to learn than memory to lose."""
KNOWN_QUANTILE_FRACTION: Final = 0.995
"""A prompt is novel with a greater share of unknown terms than so many of the prompts held out have."""


@dataclass(frozen=True, slots=True)
class FittedNaming:
    """A classifier, and how it did on prompts that it had not seen."""

    naming: TaskNaming
    prompts_count: int
    named_fraction: float
    """Of the prompts held out, those that it gave a task."""
    right_fraction: float
    """Of those, the right ones."""
    right_low_fraction: float
    """Lower bound of that, 95 % confidence."""
    rare_tasks: tuple[str, ...]
    """Not learnt, for lack of prompts."""


def fit_task_naming(prompts: Sequence[str], tasks: Sequence[str], seed: int = 0) -> FittedNaming:
    """Fit on prompts and their tasks; rows without either are left out. LearningError where words tell nothing."""
    rows = [(prompt, task) for prompt, task in zip(prompts, tasks, strict=True) if prompt.strip() and task]
    counts = Counter(task for _, task in rows)
    names = tuple(sorted(name for name, count in counts.items() if count >= TASK_ROWS_MIN_COUNT))
    rare = tuple(sorted(set(counts) - set(names)))
    if len(names) < 2:
        raise LearningError(
            f"saw {len(names)} tasks with {TASK_ROWS_MIN_COUNT} prompts or more; wanted two at least to tell apart. "
            "Give an outcome file that keeps prompts and names tasks."
        )
    kept = [(prompt, names.index(task)) for prompt, task in rows if task in set(names)]
    texts, labels = [prompt for prompt, _ in kept], np.array([label for _, label in kept])
    terms = term_matrix(texts, TERM_BITS_COUNT)
    fractions, unknown = _held_out(terms, labels, len(names), _folds(texts, seed))
    novelty = float(np.quantile(unknown, KNOWN_QUANTILE_FRACTION))
    best, is_right = fractions.max(axis=1), fractions.argmax(axis=1) == labels
    is_seen = unknown <= novelty
    least = _least_fraction(best[is_seen], is_right[is_seen])
    named = is_seen & (best >= least)
    known = _known_terms(terms)
    weights, intercepts = _softmax(weighed(terms, known), labels, len(names))
    naming = TaskNaming(names, known, weights.astype(np.float32), intercepts, least, novelty)
    right = int(is_right[named].sum())
    return FittedNaming(
        naming, len(kept), float(named.mean()), right / int(named.sum()), _low(right, int(named.sum())), rare
    )


def _folds(texts: Sequence[str], seed: int) -> Indexes:
    """The fold of each prompt; equal ones share theirs."""
    key = str(seed).encode()
    drawn = [blake2b(each.encode("utf-8", "replace"), key=key, digest_size=8).digest() for each in texts]
    return np.array([int.from_bytes(each, "big") % FOLDS_COUNT for each in drawn])


def _held_out(terms: TermMatrix, labels: Indexes, tasks_count: int, folds: Indexes) -> tuple[Floats, Floats]:
    """Probabilities of each task, and the share of unknown terms, of each prompt as a model sees it that did not."""
    fractions, unknown = np.zeros((labels.size, tasks_count)), np.ones(labels.size)
    for fold in range(FOLDS_COUNT):
        test = np.flatnonzero(folds == fold)
        train = np.flatnonzero(folds != fold)
        if not test.size or not train.size:
            continue
        mine, others = _rows(terms, train), _rows(terms, test)
        known = _known_terms(mine)
        weights, intercepts = _softmax(weighed(mine, known), labels[train], tasks_count)
        fractions[test] = _fractions(weighed(others, known) @ weights + intercepts)
        unknown[test] = unknown_fractions(others, known)
    return fractions, unknown


def _known_terms(terms: TermMatrix) -> TermWeights:
    """The terms that are in two prompts or more, the most frequent ones where those are too many."""
    known = fit_terms(terms)
    if known.columns.size <= TERMS_MAX_COUNT:
        return known
    kept = np.sort(np.argsort(known.idf, kind="stable")[:TERMS_MAX_COUNT])
    return TermWeights(known.columns[kept], known.idf[kept], known.bits)


def _rows(terms: TermMatrix, indexes: Indexes) -> TermMatrix:
    sizes = np.diff(terms.offsets)[indexes]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    at = np.repeat(terms.offsets[:-1][indexes] - offsets[:-1], sizes) + np.arange(offsets[-1])
    return TermMatrix(offsets, terms.indexes[at], terms.counts[at], terms.columns_count)


def _softmax(rows: csr_array, labels: Indexes, tasks_count: int) -> tuple[Floats, Floats]:
    """Weights and intercepts of a penalised multinomial regression."""
    from scipy.optimize import minimize

    terms_count = rows.shape[1]
    across = rows.T.tocsr()
    at = np.arange(labels.size)

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(terms_count + 1, tasks_count)
        fractions = _fractions(rows @ weights[:-1] + weights[-1])
        value = -np.log(np.maximum(fractions[at, labels], 1e-300)).sum()
        value += 0.5 * PENALTY_RATIO * np.square(weights[:-1]).sum()
        fractions[at, labels] -= 1.0
        slope = np.concatenate([across @ fractions + PENALTY_RATIO * weights[:-1], fractions.sum(axis=0)[None]])
        return float(value), slope.ravel()

    start = np.zeros((terms_count + 1) * tasks_count)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS_COUNT, "ftol": 1e-8})
    weights = found.x.reshape(terms_count + 1, tasks_count)
    return weights[:-1], weights[-1]


def _fractions(logits: Floats) -> Floats:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _least_fraction(best: Floats, is_right: npt.NDArray[np.bool_]) -> float:
    """The least probability from which on enough of the named are right."""
    order = np.argsort(-best, kind="stable")
    ordered, right = best[order], np.cumsum(is_right[order])
    ends = np.flatnonzero(np.append(ordered[1:] < ordered[:-1], True))  # equal probabilities stand or fall together
    for end in ends[::-1]:
        if _low(int(right[end]), int(end) + 1) >= RIGHT_MIN_FRACTION:
            return float(ordered[end])
    share = float(right[-1] / right.size) if right.size else 0.0
    raise LearningError(
        f"the words of these prompts do not tell their tasks apart: {100 * share:.0f} % are named rightly when "
        f"held out, and there is no part of {100 * RIGHT_MIN_FRACTION:.0f} %. Let clients name the task "
        "(`x-breakeven-task`), or write rules."
    )


def _low(right_count: int, count: int) -> float:
    """Wilson's lower bound of a fraction.

    >>> round(_low(100, 100), 3), round(_low(50, 53), 3)
    (0.974, 0.867)
    """
    if not count:
        return 0.0
    z2 = CONFIDENCE_Z**2
    share = right_count / count
    middle = share + z2 / (2 * count)
    half = CONFIDENCE_Z * float(np.sqrt(share * (1 - share) / count + z2 / (4 * count * count)))
    return max(0.0, (middle - half) / (1 + z2 / count))
