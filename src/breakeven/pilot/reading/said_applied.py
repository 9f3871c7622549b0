"""Said applied: what was said of answers, at the rows of a trial: the most trusted source counts, told once.

Without a model or an arm a word is said of the answer that the client got: in a shadow the baseline's. Somebody who
repeats himself counts once; who contradicts himself without saying that he corrects counts with what he said first.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from breakeven.outcomes.repeats import TRUST
from breakeven.pilot.design import Design
from breakeven.pilot.observations import BASELINE, CANDIDATE, TRUE_SOURCES, Floats
from breakeven.pilot.reading.said_lines import Said
from breakeven.pilot.reading.sources import LOG, told_source
from breakeven.pilot.reading.trial_rows import TrialRows, models_by_arm
from breakeven.routing.trial import BASELINE_ARM, CANDIDATE_ARM, SHADOW_ARM

_SAME: Final = 1e-9


@dataclass(slots=True)
class Strange:
    """Things said that count for nothing, or less than once: how many, and where the first stands."""

    count: int = 0
    first: str = ""

    def note(self, said: Said) -> None:
        """One more."""
        self.many(1, said.place)

    def many(self, count: int, first: str) -> None:
        """Some more."""
        self.first = self.first or first
        self.count += count


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
    unknown_sources: Strange = field(default_factory=Strange)
    """By somebody whom nobody knows: counted as a judge's."""


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
        self.tasks = rows.task.tolist()
        self.baselines, self.candidates = ({}, {}) if not count else (_rows_of(rows, arm) for arm in (0, 1))
        self.said: dict[str, list[float]] = {}
        """Source -> what it says of each row."""
        judged = ~np.isnan(rows.outcome)
        for source in sorted(set(rows.outcome_source[judged].tolist())):
            mine = judged & (rows.outcome_source == source)
            word, unknown = told_source(source, LOG)
            if unknown:
                self.result.unknown_sources.many(int(mine.sum()), f"'{unknown}' in the calls")
            before = np.array(self.said.get(word, np.full(count, np.nan)))
            self.said[word] = np.where(mine, rows.outcome, before).tolist()

    def take(self, said: Said, known_ids: Container[str]) -> None:
        """One thing said."""
        baseline, candidate = self.baselines.get(said.request_id), self.candidates.get(said.request_id)
        if baseline is None and candidate is None:
            if said.request_id not in known_ids:
                self.result.unknown.note(said)
            return
        if said.unknown_source:
            self.result.unknown_sources.many(1, f"'{said.unknown_source}' in {said.place}")
        row = self._row(said, baseline, candidate)
        if row is None:
            self.result.unclear.note(said)
            return
        values = self.said.get(said.source)
        if values is None:
            values = self.said[said.source] = [math.nan] * self.rows.rows_count
        before = values[row]
        if before == before and not said.replaces:
            is_same = abs(before - said.success_fraction) <= _SAME
            (self.result.repeated if is_same else self.result.contradicting).note(said)
            return
        values[row] = said.success_fraction

    def _row(self, said: Said, baseline: int | None, candidate: int | None) -> int | None:
        """The row that a word is said of."""
        if said.arm:
            arm = said.arm.strip().casefold()
            return candidate if arm in (CANDIDATE_ARM, SHADOW_ARM) else baseline if arm == BASELINE_ARM else None
        if self.is_shadow:
            if not said.model or self._is_of(said.model, baseline, BASELINE):
                return baseline
            return candidate if self._is_of(said.model, candidate, CANDIDATE) else None
        only = baseline if baseline is not None else candidate
        if not said.model or self._is_of(said.model, only, BASELINE) or self._is_of(said.model, only, CANDIDATE):
            return only
        return None

    def _is_of(self, model: str, row: int | None, arm: int) -> bool:
        """Whether a model is an arm's, or the one that answered the row."""
        return row is not None and model in (self.models[self.tasks[row], arm], self.rows.model[row])

    def settled(self) -> Applied:
        """The most trusted word of each row; a row that nobody answered failed, whatever anybody says."""
        result = self.result
        for source in reversed(TRUST):
            if source in self.said:
                values = np.array(self.said[source], dtype=np.float64)
                target = result.success if source in TRUE_SOURCES else result.judged
                np.copyto(target, values, where=~np.isnan(values))
        failed = self.rows.is_error
        result.success[failed] = 0.0
        result.judged[failed & ~np.isnan(result.judged)] = 0.0
        return result


def _rows_of(rows: TrialRows, arm: int) -> dict[str, int]:
    places = np.flatnonzero(rows.arm == arm)
    return dict(zip(rows.request_ids[places].tolist(), places.tolist(), strict=True))
