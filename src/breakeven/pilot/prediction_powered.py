"""Audited outcomes: what a judge model says of every answer, put right by what people say of a random few.

A judge that is lenient to the small model would promote anything, so its labels never count alone. Each request is
audited with a probability pi that was drawn before anybody saw the answers, and logged. With f what the judge's label
predicts and x what people say,

    X = f + (xi / pi) (x - f),   xi = 1 if audited

has the mean of x whatever f is worth (Horvitz and Thompson, JASA 47, 1952; prediction-powered inference: Angelopoulos
et al., Science 382, 2023; as e-values: Csillag, Struchiner and Goedert, arXiv 2502.04294; active testing: Xu et al.,
arXiv 2403.03208). A good judge makes X narrow and saves labels; a bad one costs labels and cannot make a proof. The
judge is not believed as it stands: f is the mean that people gave to answers with the same judge's labels **before**
this request (`running_means.py`), so a judge that is always wrong in one way is as good as one that is right. Until
people have spoken, f is what the label of an ordinary judge would mean.

Structure, not good will, keeps a judge from promoting: a request without an audit probability above 0 does not count at
all, one that was drawn and never labelled counts against the candidate, and fewer labels than the logged probabilities
promise, or fewer than `LABELS_MIN_COUNT`, are no evidence (`why_not`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from breakeven.pilot.clusters import in_order
from breakeven.pilot.increments import Increments
from breakeven.pilot.observations import Codes, Flags, Floats
from breakeven.pilot.running_means import earlier_means
from breakeven.pilot.two_sample import Dealt

LABELS_MIN_COUNT: Final = 30
"""Audited requests (pairs) with labels before anything may be concluded."""
AUDIT_MIN_FRACTION: Final = 0.01
"""A request audited with a smaller chance would stand for more than a hundred: not counted."""
DRAWN_TOLERANCE_SD_RATIO: Final = 4.0
"""So many standard deviations fewer audits than were promised are no accident."""
JUDGE_EXPLAINS_FRACTION: Final = 0.4
"""Of the variance of people's labels, planned; only the first bets rest on it."""


JUDGE_FINDS_SUCCESS_FRACTION: Final = 0.9
JUDGE_FINDS_FAILURE_FRACTION: Final = 0.7
"""Of successes and of failures, by an ordinary judge: where the first predictions start."""


@dataclass(frozen=True, slots=True)
class Audit:
    """Audit of some requests (pairs), in order of time."""

    is_audited: Flags
    audit_fraction: Floats


def why_not(audit: Audit, is_labelled: Flags) -> str:
    """Why these labels prove nothing; empty where they may."""
    labels = int((audit.is_audited & is_labelled).sum())
    if labels < LABELS_MIN_COUNT:
        return (
            f"requests labelled by people: {labels} of the {LABELS_MIN_COUNT} that are wanted; a judge's do not count"
        )
    chance = audit.audit_fraction
    promised, spread = float(chance.sum()), float(np.sqrt((chance * (1 - chance)).sum()))
    drawn = int(audit.is_audited.sum())
    if abs(drawn - promised) > DRAWN_TOLERANCE_SD_RATIO * spread + 1:
        return (
            f"audited requests: {drawn:,} where the logged chances promise {promised:,.0f}; they were not drawn by lot"
        )
    return ""


def audited_pairs(
    labels: Floats,
    judged: Floats,
    audit: Audit,
    unit: Codes,
    baseline_success_fraction: float,
    candidate_to_baseline_ratio: float,
) -> Increments:
    """Increments of pairs; `labels` and `judged` have the shape (pairs, 2): baseline, candidate.

    A label is read only where the pair was audited. NaN there, once nobody can give it any more, is the worst for the
    candidate.
    """
    order, unit_of_row = in_order(unit)
    cell = _cell(judged[:, 0]) * 4 + _cell(judged[:, 1])
    plan = (baseline_success_fraction, min(baseline_success_fraction * candidate_to_baseline_ratio, 1.0))
    drawn, chance = audit.is_audited.astype(float), audit.audit_fraction
    worst = np.array([1.0, 0.0])
    told = np.where(np.isnan(labels), worst, labels)
    corrected = []
    for arm in (0, 1):
        own = judged[:, arm]
        guess = earlier_means(told[:, arm], drawn, cell, order, _at_first(own, plan[arm]), _cell(own))
        corrected.append(guess + drawn / chance * (told[:, arm] - guess))
    low, high = _bounds(chance)
    return Increments(corrected[1], corrected[0], low, high, low, high, np.ones(len(cell)), unit_of_row)


def audited_dealt(
    rows: Dealt, judged: Floats, audit: Audit, baseline_success_fraction: float, candidate_to_baseline_ratio: float
) -> Dealt:
    """Requests of a canary whose success is put right by their audit; `rows.success` is read only where audited."""
    order, _ = in_order(rows.unit)
    arm = rows.is_candidate
    told = np.where(np.isnan(rows.success), 1.0 - arm, rows.success)
    drawn, chance = audit.is_audited.astype(float), audit.audit_fraction
    plan = (baseline_success_fraction, min(baseline_success_fraction * candidate_to_baseline_ratio, 1.0))
    cell = _cell(judged)
    guesses = [
        earlier_means(told, drawn * (arm == each), cell, order, _at_first(judged, plan[each]), cell) for each in (0, 1)
    ]
    guess = np.where(arm > 0, guesses[1], guesses[0])
    low, high = _bounds(chance)
    return replace(
        rows,
        success=guess + drawn / chance * (told - guess),
        success_low=low.min(axis=1),
        success_high=high.max(axis=1),
    )


def widening_ratio(audit_fraction: float) -> float:
    """By how much an audit of this share spreads increments more than labels of all would, as planned."""
    return JUDGE_EXPLAINS_FRACTION + (1 - JUDGE_EXPLAINS_FRACTION) / audit_fraction


def usable(audit: Audit) -> Flags:
    """Requests whose audit probability is known and not too small."""
    return (
        np.isfinite(audit.audit_fraction) & (audit.audit_fraction >= AUDIT_MIN_FRACTION) & (audit.audit_fraction <= 1)
    )


def _at_first(judged: Floats, planned: float) -> Floats:
    """Chance of a success by the plan and the label of an ordinary judge (Bayes); the plan where there is no label."""
    right, wrong = JUDGE_FINDS_SUCCESS_FRACTION, 1 - JUDGE_FINDS_FAILURE_FRACTION
    ends = []
    for if_success, if_failure in ((1 - right, 1 - wrong), (right, wrong)):
        ends.append(if_success * planned / max(if_success * planned + if_failure * (1 - planned), 1e-12))
    return np.where(np.isnan(judged), planned, ends[0] + np.nan_to_num(judged) * (ends[1] - ends[0]))


def _cell(judged: Floats) -> Codes:
    """The judge's label in thirds; 3 where it gave none."""
    thirds = np.minimum(np.floor(np.nan_to_num(judged) * 3), 2)
    return np.where(np.isnan(judged), 3, thirds).astype(np.intp)


def _bounds(chance: Floats) -> tuple[Floats, Floats]:
    """Least and most of a corrected outcome: not audited, audited; shapes (rows, 2)."""
    return (
        np.column_stack([np.zeros(len(chance)), 1 - 1 / chance]),
        np.column_stack([np.ones(len(chance)), 1 / chance]),
    )
