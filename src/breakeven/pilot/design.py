"""Design: what a pilot promises before it starts: the measure, the margin, the risks, the traffic, what would stop it.

It is written to a file with a hash of itself. What is judged later is this file: one that was changed is said aloud.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Mode = Literal["shadow", "canary", "offline"]
Multiplicity = Literal["e-bh", "bonferroni"]
FORMAT_NAME: Final = "breakeven-pilot"
FORMAT_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """One task under trial, and what is expected of it."""

    task: str
    """"" is every task that no other plan names."""
    baseline_model: str
    candidate_model: str
    requests_per_hour: float | None = None
    """Of its traffic; None: nobody knows."""
    baseline_success_fraction: float = 0.9
    """Expected."""
    candidate_to_baseline_ratio: float = 1.0
    """Expected success of the candidate over that of the baseline: the plan by which the test bets."""
    correlation_fraction: float = 0.3
    """Expected correlation (phi) of the two outcomes of one request; 0 in a canary."""
    baseline_usd_per_request: float | None = None
    candidate_usd_per_request: float | None = None
    expected_from: str = "guess"
    """Where these expectations come from: `guess`, `outcomes FILE`, `learn FILE`, `compare FILE`."""


@dataclass(frozen=True, slots=True)
class RampStep:
    """A share of the units, and what must be seen before the next one."""

    share_fraction: float
    requests_min_count: int = 100
    """Of the candidate, at this share."""
    hours_min_hours: float = 0.0


@dataclass(frozen=True, slots=True)
class Guards:
    """What stops a candidate early, task by task."""

    inferior_alpha_fraction: float = 0.01
    """Chance of a false stop of a candidate that keeps the margin, however often one looks."""
    error_rate_max_fraction: float | None = 0.05
    """More failed requests than this, proven at the same risk, stop the candidate."""
    latency_p95_max_s: float | None = None
    latency_p95_max_ratio: float | None = None
    """Of the baseline's."""
    spend_max_usd: float | None = None
    """The pilot's own cost: the candidate's calls (in a canary: what they cost above the baseline's), audits."""


@dataclass(frozen=True, slots=True)
class Design:
    """A pilot, as promised."""

    name: str
    mode: Mode
    tasks: tuple[TaskPlan, ...]
    created: str
    """ISO time, UTC."""
    unit: str = "request"
    """What is dealt to arms, and what one cluster of the statistics is: `request`, `key`, `session`, `user`, ..."""
    margin_ratio: float = 0.95
    """The candidate must keep at least so much of the baseline's success."""
    alpha_fraction: float = 0.05
    """Chance of accepting a candidate that does not keep it, over the whole pilot and all tasks."""
    power_fraction: float = 0.8
    multiplicity: Multiplicity = "e-bh"
    share_fraction: float = 1.0
    """Of the requests that a shadow copies."""
    ramp: tuple[RampStep, ...] = (RampStep(0.01), RampStep(0.05), RampStep(0.20), RampStep(0.50))
    """Of a canary."""
    checks_by_task: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Validators by which both arms' answers are judged."""
    audit_fraction: float = 0.2
    """Of the pairs (requests) that people label, where a judge model labels the others."""
    label_usd: float | None = None
    """What one label by a person costs; None: not stated."""
    days_max_days: float = 28.0
    outcome_wait_hours: float = 24.0
    """An outcome that has not come after so long counts as missing."""
    guards: Guards = Guards()
    migration_usd: float | None = None
    """What the switch costs once; None: not stated, so no payback."""
    idle_usd_per_month: float | None = None
    """Fixed cost of the candidate's own servers, paid whatever they do; None: it has none, or it is not stated."""
    human_correction_usd: float | None = None
    """Cost of one failed answer that a person puts right; None: not stated."""
    promised: Mapping[str, float] = field(default_factory=dict)
    """What `compare` promised: line -> figure; names end in their unit (`savings_usd_per_month`)."""
    promised_from: str = ""
    """File and hash of that comparison."""
    expects: Mapping[str, Any] = field(default_factory=dict)
    """Figures computed when it was designed: sizes, days, power curve, own cost (`sizes.py`)."""
    policy_folder: str = ""
    """The folder that the gateway reads its policy from."""
    sources: tuple[str, ...] = ()
    """Where it is read: a gateway's state folder, a store of imported calls, files of outcomes."""
    seed: int = 0
    made_by: str = ""
