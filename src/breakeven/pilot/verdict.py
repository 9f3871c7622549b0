"""Verdict: whether the switch is proven: yes, no, or not yet, task by task and overall, and what may be claimed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from breakeven.pilot.observations import PairCounts, Problem

Answer = Literal["yes", "no", "not_yet"]
Test = Literal["paired", "two-sample", "audited"]


@dataclass(frozen=True, slots=True)
class Range:
    """A figure with its interval; None where it cannot be told."""

    value: float | None
    low: float | None
    high: float | None
    confidence_fraction: float = 0.95
    method: str = ""
    """How the interval was made, and whether it holds however often one looks."""
    why_not: str = ""
    """Why there is no figure."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What the outcomes say of one task (or of all)."""

    task: str
    """"" and `is_overall`: all tasks together."""
    is_overall: bool
    test: Test
    outcomes_count: int
    """Pairs, or requests of both arms, that the test counts."""
    missing_count: int
    """Without an outcome yet, or for good."""
    counts: PairCounts | None
    """Where all outcomes of pairs are 0 or 1."""
    ln_e_ratio: float
    """Natural logarithm of the e-value against "the candidate loses more than the margin"."""
    ln_boundary_ratio: float
    """What it must reach, other tasks counted in."""
    ln_inferior_e_ratio: float
    """The same against "the candidate keeps the margin"."""
    ratio: Range
    """Success of the candidate over that of the baseline."""
    baseline_success: Range
    candidate_success: Range
    is_accepted: bool
    is_inferior: bool
    more_outcomes_count: int | None = None
    """Expected outcomes still missing until it is decided; None where nobody can say."""
    more_days: float | None = None


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """How the qualities stood after some of the requests (`history.py`)."""

    at_unix_s: float
    """Start of the last of them."""
    requests_count: int
    tasks: tuple[Quality, ...]
    overall: Quality | None


@dataclass(frozen=True, slots=True)
class GuardState:
    """One guardrail now."""

    task: str
    name: str
    """`inferior`, `error_rate`, `latency_p95`, `spend`."""
    has_fired: bool
    words: str
    unit: str = ""
    seen: Range | None = None
    allowed: Range | None = None


@dataclass(frozen=True, slots=True)
class Savings:
    """What the candidate's requests save; negative figures are lost."""

    saved_usd_per_request: Range
    saved_usd_per_success: Range
    """Cost per successful outcome of the baseline less that of the candidate."""
    saved_fraction: Range
    saved_usd_per_month: Range
    """At the traffic of the design, the candidate's fixed costs taken off."""
    payback_months: Range
    """Until the switch has paid for itself; `low` and `high` may be infinite."""
    return_ratio: Range
    """Of the first year: saved less spent, over spent."""
    lines: tuple[Mapping[str, Any], ...] = ()
    """What it is made of: `{"name", "baseline_usd_per_request", "candidate_usd_per_request", "note"}`."""
    not_stated: tuple[str, ...] = ()
    """Costs that nobody gave."""


@dataclass(frozen=True, slots=True)
class ForecastLine:
    """One promise of `compare`, and what happened."""

    name: str
    unit: str
    promised: Range
    """`value` alone where no range was promised."""
    happened: Range
    error_ratio: float | None
    """Happened over promised."""
    is_within: bool | None
    """Whether the promise lies in the interval."""
    assumption: str = ""
    """The assumption that it recalibrates, by its name in scenario files."""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer."""

    pilot: str
    design_hash: str
    answer: Answer
    sentence: str
    """What a CFO reads first."""
    accepted_tasks: tuple[str, ...]
    stopped_tasks: tuple[str, ...]
    tasks: tuple[Quality, ...]
    overall: Quality | None
    savings: Savings | None
    guards: tuple[GuardState, ...]
    forecast: tuple[ForecastLine, ...]
    problems: tuple[Problem, ...]
    not_claimed: tuple[str, ...]
    """What nobody may read into it, in sentences."""
    more_days: float | None = None
    is_design_changed: bool = False
    as_of: str = ""
