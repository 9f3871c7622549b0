"""Settled outcomes: which requests are old enough to count, and what is not claimed where outcomes never came.

An outcome that comes late may come late **because** it is bad (or good), so outcomes are not counted as they arrive.
Requests count in their order: the first that may still get its outcome (`outcome_wait_hours`) holds back those after
it. Every value read that way is one of the path of a pilot whose outcomes all came at once, so looking at any moment
costs nothing (Ville's inequality bounds the whole path). Where few are waiting, there is a second way that is valid
whatever the delays mean: count all, those that wait as the worst for the candidate. The larger of the two is used. (For
several tasks by e-BH, which asks for e-values of one moment rather than of a path, that is a proof where nothing waits;
Bonferroni needs no such care.)

After the wait an outcome is missing, and counts as the worst for the candidate (Manski, Am. Econ. Rev. 80, 1990): what
is proven holds whatever they were. Only so few that they could not move the ratio by more than a fifth of what the
margin leaves (by 0.01 at a margin of 0.95) are left out, and that is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.pilot.observations import BASELINE, CANDIDATE, Flags, Floats, Observations
from breakeven.units import SECONDS_PER_HOUR

LEFT_OUT_MAX_FRACTION: Final = 0.2
"""Of what the margin leaves: so far may outcomes that are left out move the ratio."""
ANY_MARGIN_RATIO: Final = 0.95
"""Where none is given."""
ROUNDING_FRACTION: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Settled:
    """Requests by the state of their outcomes; shape of the flags: (rows,)."""

    is_counted: Flags
    """Before the first that waits."""
    is_waiting: Flags
    is_missing: Flags
    """Never came in time."""
    missing_fractions: tuple[float, float]
    """Of the baseline's and the candidate's counted rows."""
    moved_ratio: float
    """By how much lower the ratio of successes would be, had the missing outcomes been the worst for the candidate."""
    margin_ratio: float

    @property
    def is_ignorable(self) -> bool:
        """Whether so few are missing that they may be left out."""
        return self.moved_ratio <= LEFT_OUT_MAX_FRACTION * (1.0 - self.margin_ratio) + ROUNDING_FRACTION


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most that a ratio of successes can be, whatever the missing outcomes were."""

    low: float
    high: float


def settled(
    observations: Observations,
    is_wanted: Flags,
    wait_hours: float,
    as_of_unix_s: float | None = None,
    is_absent: Flags | None = None,
    margin_ratio: float = ANY_MARGIN_RATIO,
) -> Settled:
    """State of each row; `is_wanted` are those that should get an outcome. `as_of_unix_s` None: the latest start.

    `is_absent` rows were never made, so nobody waits for them.
    """
    start = np.nan_to_num(observations.start_unix_s, nan=-np.inf)
    now = float(start.max(initial=-np.inf)) if as_of_unix_s is None else as_of_unix_s
    is_open = is_wanted & np.isnan(observations.success)
    is_young = start > now - wait_hours * SECONDS_PER_HOUR if wait_hours > 0 else np.zeros(len(start), dtype=np.bool_)
    is_waiting = is_open & is_young if is_absent is None else is_open & is_young & ~is_absent
    before = float(start[is_waiting].min()) if is_waiting.any() else np.inf
    is_counted = start < before
    is_missing = is_open & ~is_waiting
    shares, means = [], []
    for arm in (BASELINE, CANDIDATE):
        here = is_counted & is_wanted & (observations.arm == arm)
        known = observations.success[here & np.isfinite(observations.success)]
        shares.append(float(is_missing[here].mean()) if here.any() else 0.0)
        means.append(float(known.mean()) if len(known) else 0.0)
    moved = _moved(means[0], means[1], shares[0], shares[1])
    return Settled(is_counted, is_waiting, is_missing, (shares[0], shares[1]), moved, margin_ratio)


def _moved(baseline: float, candidate: float, baseline_missing: float, candidate_missing: float) -> float:
    """Ratio of the outcomes seen less the least that it can be."""
    if not baseline_missing and not candidate_missing:
        return 0.0
    if not baseline:
        return np.inf
    least = candidate * (1 - candidate_missing) / (baseline * (1 - baseline_missing) + baseline_missing)
    return candidate / baseline - least


def worst_for_candidate(observations: Observations, which: Flags) -> Floats:
    """Success of every row, where `which` failed if the candidate's and succeeded if the baseline's."""
    return np.where(which, (observations.arm == BASELINE).astype(float), observations.success)


def best_for_candidate(observations: Observations, which: Flags) -> Floats:
    """The other way round."""
    return np.where(which, (observations.arm == CANDIDATE).astype(float), observations.success)


def ratio_whatever(observations: Observations, state: Settled) -> Bounds:
    """Bounds of the ratio of the arms' mean successes over counted rows, by what the missing ones may have been."""
    ends = []
    for arm in (BASELINE, CANDIDATE):
        here = state.is_counted & (observations.arm == arm)
        known = observations.success[here & np.isfinite(observations.success)]
        missing = int((here & state.is_missing).sum())
        total = max(len(known) + missing, 1)
        ends.append((float(known.sum()) / total, (float(known.sum()) + missing) / total))
    (baseline_low, baseline_high), (low, high) = ends
    return Bounds(low / baseline_high if baseline_high else 0.0, high / baseline_low if baseline_low else np.inf)
