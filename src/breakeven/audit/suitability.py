"""Suitability: which share of a task's calls a small model can do, from a prior by kind, labels and measured outcomes.

The prior is the catalogue's range for the task's kind, mixed with that of "unknown" as far as the kind is in doubt.
Tasks are not independent guesses: a common factor (how good the chosen model and its prompts are) moves all of them by
the catalogue's correlation. Labels and outcomes enter as a binomial likelihood. The posterior is computed on a grid:
given the common factor tasks are independent, so the grid is small whatever the number of tasks, and labels of one
task speak for the others as much as the correlation says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from breakeven.audit.task import KINDS, Evidence, Interval, Kind, Suitability
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import quantile

Floats = NDArray[np.float64]
DRAWS_COUNT: Final = 4_000
LOW_QUANTILE: Final = 0.10
HIGH_QUANTILE: Final = 0.90
"""Of the 80 % interval."""
LABELS_LIKE_PRIOR_COUNT: Final = 10
"""Labels of a task that tell as much as the guess by its kind: fewer leave it mostly a guess. Worked out for a prior
with 90 % between 0.4 and 0.9: its middle and spread are those of seeing nine calls."""
_COMMON: Final = np.linspace(-3.5, 3.5, 57)
_OWN: Final = np.linspace(-3.5, 3.5, 141)
_EDGE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class TaskEvidence:
    """What is known of one task."""

    kind: Kind
    kind_confidence_fraction: float = 1.0
    can_count: float = 0.0
    """Calls that were seen to be fine with a small model; outcomes may count in part."""
    cannot_count: float = 0.0


def prior_name(kind: Kind) -> str:
    """Name of the Fact with the prior of a kind."""
    return f"small_model_does_{kind}_fraction"


def priors(facts: Mapping[str, Assumption]) -> dict[Kind, Assumption]:
    """The prior of each kind, out of the catalogue's facts."""
    return {kind: facts[prior_name(kind)] for kind in KINDS}


def posterior(
    evidence: Sequence[TaskEvidence],
    prior_of: Mapping[Kind, Assumption],
    correlation_fraction: float,
    seed: int,
    draws_count: int = DRAWS_COUNT,
) -> Floats:
    """Draws of the share of each task's calls that a small model can do; shape ``(draws, tasks)``."""
    rng = np.random.default_rng([seed, 2])
    grids = {
        kind: _grid(prior_of[kind], correlation_fraction) for kind in {*(each.kind for each in evidence), "unknown"}
    }
    weights = [_weights(each, grids) for each in evidence]
    log_common = -(_COMMON**2) / 2 + sum(
        (np.log(each.sum(axis=1) + 1e-300) for each in weights), np.zeros(_COMMON.size)
    )
    common = np.exp(log_common - log_common.max())
    at = rng.choice(_COMMON.size, draws_count, p=common / common.sum())
    draws = np.empty((draws_count, len(evidence)))
    for column, (each, weight) in enumerate(zip(evidence, weights, strict=True)):
        values = np.concatenate([grids[each.kind], grids["unknown"]], axis=1)
        cumulative = np.cumsum(weight, axis=1)
        cumulative /= cumulative[:, -1:]
        picked = (cumulative[at] < rng.random(draws_count)[:, None]).sum(axis=1)
        draws[:, column] = values[at, np.minimum(picked, values.shape[1] - 1)]
    return draws


def weights_of(found: Suitability) -> dict[Evidence, float]:
    """How far the estimate of a task rests on what; adds up to 1.

    Outcomes outweigh all else; labels count against the guess by their number.

    >>> from breakeven.facts.source import Grade
    >>> one = Suitability(Interval(0.5, 0.7, 0.9), ("prior", "labels"), Grade.GUESS, labels_count=1)
    >>> {name: round(share, 2) for name, share in weights_of(one).items()}
    {'labels': 0.09, 'prior': 0.91}
    """
    if found.evidence[0] == "measured outcomes":
        return {"measured outcomes": 1.0}
    if not found.labels_count:
        return {"prior": 1.0}
    labels = found.labels_count / (found.labels_count + LABELS_LIKE_PRIOR_COUNT)
    return {"labels": labels, "prior": 1 - labels}


def interval(draws: Floats) -> Interval:
    """The median of some draws, and their 80 % interval."""
    low, typical, high = np.quantile(draws, [LOW_QUANTILE, 0.5, HIGH_QUANTILE])
    return Interval(float(low), float(typical), float(high))


def _grid(prior: Assumption, correlation_fraction: float) -> Floats:
    """Shares by common factor and own deviation."""
    own = np.sqrt(1 - correlation_fraction) * _OWN[None, :]
    z = np.sqrt(correlation_fraction) * _COMMON[:, None] + own
    return np.clip(quantile(prior, ndtr(z)), _EDGE, 1 - _EDGE)


def _weights(evidence: TaskEvidence, grids: Mapping[Kind, Floats]) -> Floats:
    """Unnormalised posterior of the own deviation, by common factor, for the task's kind and for "unknown"."""
    density = np.exp(-(_OWN**2) / 2)
    density /= density.sum()
    parts = []
    sure = evidence.kind_confidence_fraction
    scale = _likelihood_scale(evidence)
    for kind, share in ((evidence.kind, sure), ("unknown", 1 - sure)):
        grid = grids[kind]
        log_likelihood = evidence.can_count * np.log(grid) + evidence.cannot_count * np.log1p(-grid)
        parts.append(share * density * np.exp(log_likelihood - scale))
    return np.concatenate(parts, axis=1)


def _likelihood_scale(evidence: TaskEvidence) -> float:
    """The largest log likelihood there can be: subtracted, so that nothing underflows."""
    can, cannot = evidence.can_count, evidence.cannot_count
    seen = can + cannot
    return sum(each * np.log(each / seen) for each in (can, cannot) if each > 0) if seen else 0.0
