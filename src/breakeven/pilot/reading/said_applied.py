"""Said applied: what was said of answers, at the rows of a trial: the most trusted source counts, told once.

Without a model or an arm a word is said of the answer that the client got: in a shadow the baseline's. Somebody who
repeats himself counts once; who contradicts himself without saying that he corrects counts with what he said first.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from breakeven.outcomes.repeats import TRUST
from breakeven.pilot.design import Design
from breakeven.pilot.observations import BASELINE, CANDIDATE, TRUE_SOURCES, Floats
from breakeven.pilot.reading.said_lines import Said
from breakeven.pilot.reading.trial_rows import TrialRows, models_by_arm
from breakeven.routing.trial import CANDIDATE_ARM, SHADOW_ARM

_SAME: Final = 1e-9
_RANK: Final = {each: i for i, each in enumerate(TRUST)}


@dataclass(slots=True)
class Strange:
    """Things said that count for nothing, or less than once: how many, and where the first stands."""

    count: int = 0
    first: str = ""

    def note(self, said: Said) -> None:
        """One more."""
        self.first = self.first or said.place
        self.count += 1


@dataclass(slots=True)
class Applied:
    """Successes at the rows; shape (rows,)."""

    success: Floats
    """By a true source; NaN where none has spoken."""
    judged: Floats
    """By a judge, agreement or silence; NaN where none has."""
    unknown: Strange = field(default_factory=Strange)
    """Of requests that no Call has."""
    unclear: Strange = field(default_factory=Strange)
    """Of a model that did not answer that request in this trial."""
    repeated: Strange = field(default_factory=Strange)
    contradicting: Strange = field(default_factory=Strange)
    sources: dict[str, int] = field(default_factory=dict)
    """Source -> how many rows it decides."""


def applied(rows: TrialRows, said: Iterable[Said], design: Design, known_ids: Container[str]) -> Applied:
    """What was said, at the rows; `known_ids` are all Calls, also those outside of the trial."""
    found = _Places(rows, design)
    for each in said:
        found.take(each, known_ids)
    return found.settled()


class _Places:
    def __init__(self, rows: TrialRows, design: Design) -> None:
        self.rows = rows
        self.is_shadow = design.mode == "shadow"
        self.models = models_by_arm(design)
        count = rows.rows_count
        self.result = Applied(np.full(count, np.nan), np.full(count, np.nan))
        arms = rows.arm.tolist()
        self.tasks = rows.task.tolist()
        self.row_of = {
            (name, arm): i for i, (name, arm) in enumerate(zip(rows.request_ids.tolist(), arms, strict=True))
        }
        self.said: dict[tuple[int, str], float] = {}
        for i in np.flatnonzero(~np.isnan(rows.outcome)):
            source = str(rows.outcome_source[i]) or "log"
            self.said[int(i), source if source in _RANK else "log"] = float(rows.outcome[i])

    def take(self, said: Said, known_ids: Container[str]) -> None:
        """One thing said."""
        row = self._row(said)
        if row is None:
            is_ours = (said.request_id, BASELINE) in self.row_of or (said.request_id, CANDIDATE) in self.row_of
            if is_ours:
                self.result.unclear.note(said)
            elif said.request_id not in known_ids:
                self.result.unknown.note(said)
            return
        before = self.said.get((row, said.source))
        if before is not None and not said.replaces:
            same = abs(before - said.success_fraction) <= _SAME
            (self.result.repeated if same else self.result.contradicting).note(said)
            return
        self.said[row, said.source] = said.success_fraction

    def _row(self, said: Said) -> int | None:
        """The row that a word is said of."""
        baseline = self.row_of.get((said.request_id, BASELINE))
        candidate = self.row_of.get((said.request_id, CANDIDATE))
        if said.arm:
            return candidate if said.arm in (CANDIDATE_ARM, SHADOW_ARM) else baseline
        if not self.is_shadow:
            only = baseline if baseline is not None else candidate
            if only is None or not said.model:
                return only
            task = self.tasks[only]
            ours = (self.models[task, BASELINE], self.models[task, CANDIDATE], str(self.rows.model[only]))
            return only if said.model in ours else None
        if not said.model:
            return baseline
        for row in (baseline, candidate):
            if row is None:
                continue
            arm = BASELINE if row == baseline else CANDIDATE
            if said.model in (self.models[self.tasks[row], arm], str(self.rows.model[row])):
                return row
        return None

    def settled(self) -> Applied:
        """The most trusted word of each row; a row that nobody answered failed, whatever anybody says."""
        best: dict[tuple[int, bool], int] = {}
        result = self.result
        for (row, source), value in self.said.items():
            is_true = source in TRUE_SOURCES
            rank = _RANK[source]
            if rank < best.get((row, is_true), len(TRUST)):
                best[row, is_true] = rank
                (result.success if is_true else result.judged)[row] = value
        for (_, _), rank in best.items():
            result.sources[TRUST[rank]] = result.sources.get(TRUST[rank], 0) + 1
        result.success[self.rows.is_error] = 0.0
        result.judged[self.rows.is_error] = np.where(np.isnan(result.judged[self.rows.is_error]), np.nan, 0.0)
        return result
