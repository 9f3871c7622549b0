"""Observations: what a pilot saw: each request and arm once, with its success, who judged it, its cost and its time.

Everything that is decided later is a function of this table, the design and nothing else, so that a pilot which was
killed and started again says what it would have said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

BASELINE: Final = 0
CANDIDATE: Final = 1
TRUE_SOURCES: Final = ("gold", "feedback", "validator", "log")
"""Who may say that an answer succeeded: people, what happened, declared checks. A judge model may not, nor agreement
with another model: their labels only sharpen what is audited (`prediction_powered.py`)."""


@dataclass(frozen=True, slots=True)
class Observations:
    """One row for each request and arm that answered it, in order of time; shape of every array: (rows,).

    A request of a shadow has two rows, a request of a canary one. A request that nobody answered is a failure of its
    arm (`success` 0), its Calls' cost counts, and so do the Calls of its retries, fallbacks and escalations.
    """

    request_ids: tuple[str, ...]
    arm: Codes
    """`BASELINE` or `CANDIDATE`."""
    task: Codes
    """Index into `tasks`."""
    unit: Codes
    """Index of the user, session, key or request that was dealt to an arm; equal numbers are one unit."""
    start_unix_s: Floats
    success: Floats
    """0 to 1 by a source of `TRUE_SOURCES`; NaN where none has spoken (yet)."""
    judged: Floats
    """0 to 1 by a judge model or by agreement; NaN where neither has."""
    is_audited: Flags
    """Drawn for a label by people before anybody saw the answer."""
    audit_fraction: Floats
    """Probability with which it was drawn."""
    cost_usd: Floats
    """Of all Calls of the request in this arm; NaN where one of them is unpriced."""
    latency_s: Floats
    is_error: Flags
    """No answer came of it."""
    propensity_fraction: Floats
    """Chance that it had of this arm; NaN where unknown; 1 in a shadow."""
    tasks: tuple[str, ...]
    tokens_in: Floats
    tokens_out: Floats
    retries_count: Floats
    """Calls after the first (retries, fallbacks, escalations)."""

    @property
    def rows_count(self) -> int:
        """Requests times arms."""
        return len(self.arm)

    def where(self, flags: Flags) -> Observations:
        """Some of the rows."""
        at = np.flatnonzero(flags)
        if len(at) == self.rows_count:
            return self
        return Observations(
            request_ids=tuple([self.request_ids[i] for i in at.tolist()]),
            tasks=self.tasks,
            **{name: getattr(self, name)[at] for name in _ARRAYS},
        )


_ARRAYS: Final = (
    "arm",
    "task",
    "unit",
    "start_unix_s",
    "success",
    "judged",
    "is_audited",
    "audit_fraction",
    "cost_usd",
    "latency_s",
    "is_error",
    "propensity_fraction",
    "tokens_in",
    "tokens_out",
    "retries_count",
)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Requests that both arms answered and that both have a success of a true source; shape (pairs,), by time."""

    baseline: Floats
    candidate: Floats
    unit: Codes
    task: Codes
    """Index into the tasks of the observations."""
    rows: npt.NDArray[np.intp]
    """Rows of the observations: shape (pairs, 2), baseline and candidate."""


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Paired outcomes that are all 0 or 1, counted. Counts of parts of a stream add up."""

    baseline_only_count: int
    neither_count: int
    both_count: int
    candidate_only_count: int

    @property
    def pairs_count(self) -> int:
        """All."""
        return self.baseline_only_count + self.neither_count + self.both_count + self.candidate_only_count

    def __add__(self, other: PairCounts) -> PairCounts:
        return PairCounts(
            self.baseline_only_count + other.baseline_only_count,
            self.neither_count + other.neither_count,
            self.both_count + other.both_count,
            self.candidate_only_count + other.candidate_only_count,
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about the input that a verdict must name."""

    code: str
    """`design_changed`, `unknown_request`, `one_arm_empty`, `duplicated_feedback`, `success_out_of_range`,
    `clock_skew`, `policy_swapped`, `unpriced`, `missing_outcomes`, `judge_only`, ..."""
    message: str
    """What was seen, how often, where, and what the verdict does about it."""
    rows_count: int = 0
    limits: str = ""
    """What is not claimed because of it; empty where nothing is lost."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was read for a pilot."""

    observations: Observations
    problems: tuple[Problem, ...] = ()
    source_digests: Mapping[str, str] = field(default_factory=dict)
    """File or folder -> hash of what was read of it."""
