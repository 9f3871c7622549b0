"""Arm outcomes: the success of each row as the arms' means count it: settled, put right by the audit, bounded.

The rules are those of the tests of quality (`settled.py`, `prediction_powered.py`), so that money and quality speak of
the same outcomes: nothing behind a request that may still get its own; a judge's label only as far as people put it
right; and where too many outcomes, or more in one arm, never came, both the worst and the best they may have been.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.pilot.design import Design
from breakeven.pilot.observations import Flags, Floats, Observations
from breakeven.pilot.pairing import rows_of_pairs, with_absent
from breakeven.pilot.prediction_powered import usable
from breakeven.pilot.settled import best_for_candidate, settled, worst_for_candidate
from breakeven.pilot.task_evidence import audit_of, is_audited_kind

UNJUDGED: Final = 0.5
"""What stands for a judge's label that was not given, in a request that people were asked about."""


@dataclass(frozen=True, slots=True)
class ArmOutcomes:
    """The rows that count and the success of each, shape (rows,); NaN where it does not count."""

    rows: Observations
    """Those given; where requests are compared in pairs, with a row for each answer that is not there."""
    is_lonely: Flags
    """Rows of requests that lack the answer of an arm: their money is not compared."""
    seen: Floats
    worst: Floats
    """For the candidate: what missing outcomes may have been; equal to `seen` where they may be left out."""
    best: Floats

    @property
    def is_bounded(self) -> bool:
        """Whether missing outcomes may not be left out."""
        return not np.array_equal(self.seen, self.worst, equal_nan=True)


def outcomes_of(design: Design, observations: Observations, as_of_unix_s: float | None = None) -> ArmOutcomes:
    """The outcomes of all rows, task by task."""
    rows, is_absent = observations, np.zeros(observations.rows_count, dtype=np.bool_)
    if design.mode == "shadow" or (design.mode == "offline" and len(rows_of_pairs(observations))):
        rows, is_absent = with_absent(observations)
    absent = {rows.request_ids[int(i)] for i in np.flatnonzero(is_absent)}
    is_lonely = np.array([each in absent for each in rows.request_ids], dtype=np.bool_) if absent else is_absent
    seen, worst, best = (np.full(rows.rows_count, np.nan) for _ in range(3))
    for task in np.unique(rows.task):
        here = rows.task == task
        part = _of_task(design, rows.where(here), is_absent[here], as_of_unix_s)
        seen[here], worst[here], best[here] = np.where(is_lonely[here], np.nan, part[0]), part[1], part[2]
        if part[0] is part[1]:
            worst[here] = best[here] = seen[here]
    return ArmOutcomes(rows, is_lonely, seen, worst, best)


def _of_task(
    design: Design, rows: Observations, is_absent: Flags, as_of_unix_s: float | None
) -> tuple[Floats, Floats, Floats]:
    """Seen, worst and best; the same array three times where missing outcomes may be left out."""
    is_audit = is_audited_kind(rows)
    wanted = rows.is_audited & usable(audit_of(rows)) if is_audit else np.ones(rows.rows_count, dtype=np.bool_)
    wait_hours = 0.0 if design.mode == "offline" else design.outcome_wait_hours
    state = settled(rows, wanted, wait_hours, as_of_unix_s, is_absent, design.margin_ratio)

    def told(success: Floats) -> Floats:
        value = _put_right(rows, success) if is_audit else success
        return np.asarray(np.where(state.is_counted, value, np.nan), dtype=np.float64)

    seen = told(rows.success)
    missing = state.is_missing
    if not (missing & state.is_counted).any() or (state.is_ignorable and not is_audit):
        return seen, seen, seen
    return seen, told(worst_for_candidate(rows, missing)), told(best_for_candidate(rows, missing))


def _put_right(rows: Observations, success: Floats) -> Floats:
    """`judge + (people - judge) / chance` where people were asked by lot, the judge's label elsewhere."""
    may = usable(audit_of(rows))
    chance = np.where(may, rows.audit_fraction, 1.0)
    judged = np.where(rows.is_audited & np.isnan(rows.judged), UNJUDGED, rows.judged)
    moved = np.where(rows.is_audited, (success - judged) / chance, 0.0)
    return np.asarray(np.where(may, judged + moved, np.nan), dtype=np.float64)
