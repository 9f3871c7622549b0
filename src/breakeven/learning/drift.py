"""Drift: whether the traffic of today is still that on which a policy was learnt, and whether its promise still holds.

Three watches, each with a stated rate of false alarms:

- **mix**: counts of the groups, and **inputs**: counts of the predicted success in tenths, both against those of
  learning, by the chi-square test of homogeneity; an alarm also wants a shift that matters, a population stability
  index (PSI) of `PSI_MIN_RATIO` or more (0.1 to 0.25 is called moderate in credit scoring: a rule of thumb).
- **success** of audited calls against the floor, by betting (`outcomes/success_watch.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import LearningError
from breakeven.routing.policy_document import PolicyDocument

Floats = npt.NDArray[np.float64]

FALSE_ALARM_FRACTION: Final = 0.01
"""Of the windows without drift that raise an alarm by mix or inputs."""
PSI_MIN_RATIO: Final = 0.1
EXPECTED_MIN_COUNT: Final = 5.0
"""Groups in which a window is expected to have fewer calls are counted together (Cochran 1954)."""
TENTHS_COUNT: Final = 10


@dataclass(frozen=True, slots=True)
class DriftReference:
    """What the traffic of learning looked like; part of the policy file, numbers only."""

    group_counts: Mapping[str, int]
    """Group (its path, joined) -> calls."""
    score_edges: tuple[float, ...]
    """Where the predicted success is cut in tenths, 9 numbers."""
    score_counts: tuple[int, ...]
    """Calls in each tenth."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One watch over one window."""

    name: str
    p_value_fraction: float
    """Chance of a difference this large without drift."""
    psi_ratio: float
    alarm: bool
    words: str


@dataclass(frozen=True, slots=True)
class DriftReport:
    """Both watches over inputs, for one window."""

    mix: Shift
    inputs: Shift
    window_requests_count: int
    false_alarm_fraction: float = FALSE_ALARM_FRACTION

    @property
    def alarm(self) -> bool:
        """Whether either watch says so; without drift in `false_alarm_fraction` of the windows at most."""
        return self.mix.alarm or self.inputs.alarm


def cheapest(document: PolicyDocument) -> int:
    """The model whose predicted success is watched."""
    return int(
        np.argmin([np.inf if each.usd_per_request is None else each.usd_per_request for each in document.models])
    )


def drift_reference(groups: Sequence[str], scores: Floats) -> DriftReference:
    """The reference of one set of calls: their groups, and one predicted success for each."""
    if not len(scores):
        raise LearningError("no call to learn a reference from; wanted the calls on which the policy was learnt")
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, TENTHS_COUNT + 1)[1:-1]))
    counts = np.bincount(np.searchsorted(edges, scores, side="right"), minlength=len(edges) + 1)
    return DriftReference(
        dict(sorted(Counter(groups).items())), tuple(map(float, edges)), tuple(int(each) for each in counts)
    )


def drift(reference: DriftReference, groups: Sequence[str], scores: Floats) -> DriftReport:
    """Compare a window of calls with the reference."""
    if len(groups) != len(scores) or not len(scores):
        raise LearningError(
            f"a window of {len(groups)} groups and {len(scores)} scores; wanted one of each for each call"
        )
    edges = np.asarray(reference.score_edges)
    tenths = np.bincount(np.searchsorted(edges, scores, side="right"), minlength=len(edges) + 1)
    mix = _shift("mix of groups", *_shared_bins(reference.group_counts, Counter(groups)))
    inputs = _shift("predicted success", np.asarray(reference.score_counts, float), tenths.astype(float))
    return DriftReport(mix, inputs, len(scores))


def _shared_bins(before: Mapping[str, int], now: Mapping[str, int]) -> tuple[Floats, Floats]:
    """Counts of the groups large enough to be told apart, all others (new ones among them) together."""
    window = sum(now.values())
    total = sum(before.values()) + window
    kept = [name for name, count in before.items() if (count + now.get(name, 0)) * window / total >= EXPECTED_MIN_COUNT]
    old = [*(before[name] for name in kept), sum(before.values()) - sum(before[name] for name in kept)]
    new = [*(now.get(name, 0) for name in kept), window - sum(now.get(name, 0) for name in kept)]
    return np.asarray(old, float), np.asarray(new, float)


def _shift(name: str, before: Floats, now: Floats) -> Shift:
    """Bonferroni over the two watches: each alarms at half of the stated rate."""
    from scipy.stats import chi2

    seen = before + now > 0
    before, now = before[seen], now[seen]
    together = (before + now) / (before.sum() + now.sum())
    statistic = sum(
        float(((each - each.sum() * together) ** 2 / (each.sum() * together)).sum()) for each in (before, now)
    )
    freedom = len(together) - 1
    p_value = float(chi2.sf(statistic, freedom)) if freedom else 1.0
    psi = _psi(before, now)
    alarm = p_value < FALSE_ALARM_FRACTION / 2 and psi >= PSI_MIN_RATIO
    if alarm:
        words = f"{name} has shifted: PSI {psi:.2f}, chance without drift {p_value:.1g}"
    else:
        words = f"{name}: PSI {psi:.2f}, no shift that matters"
    return Shift(name, p_value, psi, alarm, words)


def _psi(before: Floats, now: Floats) -> float:
    """Population stability index, half a call added to each bin so that an empty one is no infinity."""
    old = (before + 0.5) / (before + 0.5).sum()
    new = (now + 0.5) / (now + 0.5).sum()
    return float(((new - old) * np.log(new / old)).sum())
