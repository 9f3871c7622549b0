"""Learn settings: what the user asks of a policy: floors, costs of failures, limits, models that may take a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from breakeven.learning.families import Capacities
from breakeven.learning.task_floors import Floors


@dataclass(frozen=True, slots=True)
class LearnSettings:
    """What the user asks for."""

    quality_floor_ratio: float = 0.95
    """Of the reference model's success."""
    confidence_fraction: float = 0.95
    floor_by_task: Mapping[str, float] = field(default_factory=dict)
    """Task -> a floor of its own; the other tasks keep the one above together."""
    reference: str | None = None
    """The model against which the floor is kept; the incumbent, else the most successful one."""
    incumbent: str | None = None
    """The model in use today."""
    failure_usd: Mapping[str, float] = field(default_factory=dict)
    """Task -> what one failed answer costs; "" for all other tasks."""
    limits: Capacities = field(default_factory=Capacities)
    allowed_by_task: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Task -> the only models that may take it (residency)."""
    latency_max_s: float | None = None
    """Models whose 95 % quantile of latency is longer are left out of a group."""
    validators: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Task -> declaration of the checks of its answers."""
    check_usd_per_request: float = 0.0
    """Cost of one check of an answer (a judge model, a test run)."""
    keeps_rows: bool = False
    """True: a scorer may hold training rows, to compare prompts with."""
    seed: int = 0

    @property
    def floors(self) -> Floors:
        """The floors of all parts."""
        return Floors(self.quality_floor_ratio, self.floor_by_task, self.confidence_fraction, self.seed)

    def failure_usd_of(self, task: str) -> float:
        """What a failed answer to a task costs; 0 where nothing is stated."""
        return self.failure_usd.get(task, self.failure_usd.get("", 0.0))
